"""Linking two people by a six-digit code: what is offered, who takes it up, and the yes of both before anything is allowed.

A code lives 15 minutes and is good once; five wrong ones and a person waits an hour. What is granted ends after a year
unless it is taken back before, and a purse that is lent starts small: for 72 hours a new helper spends little.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.ids import PersonId, fresh
from data.model import May
from data.money import Money
from data.store.engine import Tx
from data.store.people import attempts, invitations
from payments.authority import access, people

CODE_DIGITS = 6
CODE_LIFE = timedelta(minutes=15)
ANSWER_WITHIN = timedelta(hours=24)  # how long the giver may take to say that it is the right person
WRONG_CODES, WRONG_WITHIN = 5, timedelta(hours=1)
GRANT_LIFE = timedelta(days=365)
COOLING = timedelta(hours=72)
COOLING_CAP = Money(10_000)  # 100 yuan a payment while a new relative's or helper's leave is young
_COLLISIONS = 20

# What is offered, by the plain word it is chosen by.
OFFERS: dict[str, frozenset[May]] = {
    "see": frozenset({May.BILLS, May.NOTICES}),
    "pay": frozenset({May.BILLS, May.NOTICES, May.PAY, May.START_PAYMENT, May.MANDATE}),
    "spend": frozenset(
        {May.BILLS, May.NOTICES, May.PAY, May.START_PAYMENT, May.MANDATE, May.CONFIRM_PAYMENT}
    ),
}
_BACK = {
    "daughter": "parent", "son": "parent", "child": "parent", "husband": "wife", "wife": "husband", "spouse": "spouse",
    "mother": "child", "father": "child", "helper": "elder_served", "relative": "relative",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offer:
    """What a giver lets somebody do: an offer of OFFERS; caps only where his own purse is lent."""

    relation: str  # what the one invited is to the giver
    offer: str
    per_payment: Money | None = None
    per_month: Money | None = None

    @property
    def verbs(self) -> frozenset[May]:
        return OFFERS[self.offer]


@dataclass(frozen=True, slots=True)
class Opened:
    """An invitation that waits to be taken up. The code shows in no repr."""

    id: str
    code: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation as it stands."""

    id: str
    giver: PersonId
    offer: Offer
    taken_by: PersonId | None


@dataclass(frozen=True, slots=True)
class WrongCode:
    """No living invitation has this code; so many tries are left within the hour (0: later)."""

    tries_left: int


# --- giving -----------------------------------------------------------------------------------------------------


def open_invitation(tx: Tx, giver: PersonId, offer: Offer, at: datetime) -> Opened:
    """A fresh code for exactly this offer; the giver's codes before it are worth nothing now."""
    mine = sa.and_(invitations.c.giver == giver, invitations.c.taken_by.is_(None))
    tx.conn.execute(invitations.delete().where(mine))
    for _ in range(_COLLISIONS):
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
        opened = Opened(fresh("inv"), code, at + CODE_LIFE)
        new = tx.put_new(
            invitations,
            id=opened.id,
            giver=giver,
            digest=_digest(tx, code),
            relation=offer.relation,
            verbs=[offer.offer],
            per_payment_fen=None if offer.per_payment is None else offer.per_payment.fen,
            per_month_fen=None if offer.per_month is None else offer.per_month.fen,
            created_at=at,
            expires_at=opened.expires_at,
        )
        if new:
            return opened
    raise RuntimeError("no six-digit code is free; that many invitations cannot be open")


def _digest(tx: Tx, code: str) -> bytes:
    return bytes.fromhex(tx.seal.stamp("invitations", code))


# --- taking up --------------------------------------------------------------------------------------------------


def find(tx: Tx, taker: PersonId, code: str, at: datetime) -> Invitation | WrongCode:
    """The living invitation of a code. A wrong one counts; nobody takes up his own."""
    tx.alone(f"invitation:{taker}")
    if (left := WRONG_CODES - _wrong_lately(tx, taker, at)) <= 0:
        return WrongCode(0)
    living = sa.and_(invitations.c.taken_by.is_(None), invitations.c.expires_at > at)
    same = sa.select(invitations).where(invitations.c.digest == _digest(tx, code), living)
    row = tx.conn.execute(same).first()
    if row is None or row.giver == taker:
        tx.conn.execute(attempts.insert().values(subject=_subject(taker), at=at))
        return WrongCode(left - 1)
    return _invitation(row)


def _wrong_lately(tx: Tx, taker: PersonId, at: datetime) -> int:
    lately = sa.and_(attempts.c.subject == _subject(taker), attempts.c.at > at - WRONG_WITHIN)
    return tx.conn.scalar(sa.select(sa.func.count()).select_from(attempts).where(lately)) or 0


def _subject(taker: PersonId) -> str:
    return f"invitation:{taker}"


def take_up(tx: Tx, invitation: str, taker: PersonId, at: datetime) -> bool:
    """The taker says the giver's name is right; now the giver is asked about the taker. False: it is gone or taken."""
    living = sa.and_(
        invitations.c.id == invitation, invitations.c.taken_by.is_(None), invitations.c.expires_at > at
    )
    # The code is free again from here on, and worth nothing.
    spent = {"digest": secrets.token_bytes(32), "expires_at": at + ANSWER_WITHIN}
    taken = invitations.update().where(living).values(taken_by=taker, taken_at=at, **spent)
    return tx.conn.execute(taken).rowcount == 1


def waiting(tx: Tx, giver: PersonId, invitation: str, at: datetime) -> Invitation | None:
    """An invitation of this giver that was taken up and waits for his word."""
    mine = sa.and_(
        invitations.c.id == invitation,
        invitations.c.giver == giver,
        invitations.c.taken_by.is_not(None),
        invitations.c.expires_at > at,
    )
    row = tx.conn.execute(sa.select(invitations).where(mine)).first()
    return None if row is None else _invitation(row)


def all_waiting(tx: Tx, giver: PersonId, at: datetime) -> list[Invitation]:
    """Every invitation of this giver that was taken up and waits for his word."""
    mine = sa.and_(
        invitations.c.giver == giver, invitations.c.taken_by.is_not(None), invitations.c.expires_at > at
    )
    found = tx.conn.execute(sa.select(invitations).where(mine).order_by(invitations.c.taken_at))
    return [_invitation(row) for row in found]


def link(tx: Tx, found: Invitation, at: datetime) -> tuple[str, ...]:
    """The giver knows the taker: what was offered is granted and both are written down as related; gives the grants."""
    assert found.taken_by is not None, "nobody took it up"
    close(tx, found.id, at)
    people.relate(tx, found.giver, found.taken_by, found.offer.relation)
    people.relate(tx, found.taken_by, found.giver, _BACK.get(found.offer.relation, "relative"))
    until = at + GRANT_LIFE
    plain = sorted(found.offer.verbs - {May.CONFIRM_PAYMENT})
    given = access.grant(tx, found.giver, found.taken_by, plain, at, until)
    if May.CONFIRM_PAYMENT not in found.offer.verbs:
        return given
    return given + _lend(tx, found, at, until)


def _lend(tx: Tx, found: Invitation, at: datetime, until: datetime) -> tuple[str, ...]:
    """The purse, small at first: a leave that ends after 72 hours and one that begins there, each with its caps."""
    assert found.taken_by is not None, "nobody took it up"
    offer, giver, taker, lent = found.offer, found.giver, found.taken_by, [May.CONFIRM_PAYMENT]
    cool, first = at + COOLING, _least(offer.per_payment)
    young = access.grant(tx, giver, taker, lent, at, cool, per_payment=first, per_month=offer.per_month)
    return young + access.grant(
        tx, giver, taker, lent, cool, until, per_payment=offer.per_payment, per_month=offer.per_month
    )


def _least(cap: Money | None) -> Money:
    return COOLING_CAP if cap is None else min(cap, COOLING_CAP)


def close(tx: Tx, invitation: str, at: datetime) -> bool:
    """It is over: linked, or the giver does not know the taker. False when it was over before."""
    open_still = sa.and_(invitations.c.id == invitation, invitations.c.expires_at > at)
    return tx.conn.execute(invitations.update().where(open_still).values(expires_at=at)).rowcount == 1


def _invitation(row: Any) -> Invitation:
    caps = {name: None if fen is None else Money(fen) for name, fen in
            (("per_payment", row.per_payment_fen), ("per_month", row.per_month_fen))}  # fmt: skip
    taken = PersonId(row.taken_by) if row.taken_by else None
    return Invitation(row.id, PersonId(row.giver), Offer(row.relation, row.verbs[0], **caps), taken)
