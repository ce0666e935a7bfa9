"""The one gate to an account: who may see or pay whose bill at this moment, and the record that he did (L6, L13)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.ids import AccountId, BillerId, InstrumentId, PersonId, fresh
from data.model import Account, Instrument, May, Utility
from data.money import Money
from data.store import journal
from data.store.engine import Tx
from data.store.people import accounts, grants, instruments, saved_accounts, talk_access
from payments.authority import numbers, people

TALK_ACCESS = timedelta(hours=24)  # how long a confirmed masked name opens one bill (settled 28)

# What each footing allows besides a grant; history, usage and mandates always need the grant (settled 22, 28).
_TALK = frozenset({May.BILLS, May.PAY})
_SAVED = frozenset({May.BILLS, May.PAY})
_SHARED_PHONE = frozenset({May.BILLS, May.PAY, May.START_PAYMENT})


# Built once: building a statement costs more than running it, and these run in every turn.
_THOSE: sa.BindParameter[str] = sa.bindparam("those", expanding=True)
_GRANTS_TO = sa.select(grants).where(grants.c.taker.in_(_THOSE)).order_by(grants.c.created_at, grants.c.id)
_SAVED_FOR = sa.select(saved_accounts).where(saved_accounts.c.person.in_(_THOSE))
_IN_TALK = sa.select(talk_access.c.account).where(
    talk_access.c.person == sa.bindparam("who"), talk_access.c.expires_at > sa.bindparam("now")
)
_PURSE = sa.select(instruments).where(instruments.c.id == sa.bindparam("id"))
_PURSES = (
    sa.select(instruments)
    .where(instruments.c.owner == sa.bindparam("owner"))
    .order_by(instruments.c.created_at, instruments.c.id)
)
_ACCOUNT = sa.select(accounts).where(accounts.c.id == sa.bindparam("id"))


@dataclass(frozen=True, slots=True)
class Allowed:
    """Why somebody may: "own", "grant", "saved", "shared_phone" or "talk"."""

    reason: str
    grant_id: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission as it stands in the book, valid now or not."""

    id: str
    giver: PersonId
    taker: PersonId
    verb: May
    valid: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """All that decides about one person's access, read at one moment."""

    person: PersonId
    household: frozenset[PersonId]
    grants: tuple[Grant, ...]  # to him and to his household, also those expired or taken back
    saved: dict[tuple[PersonId, AccountId], str]  # and under which label
    talk: frozenset[AccountId]
    givers: dict[PersonId, frozenset[PersonId]] = field(repr=False)  # the household of each giver


# --- deciding ---------------------------------------------------------------------------------------------------


def may(tx: Tx, person: PersonId, verb: May, account_id: AccountId, at: datetime) -> Allowed | None:
    """Whether this person may do this with this account at this moment, and why; None: no."""
    row = tx.conn.execute(_ACCOUNT, {"id": account_id}).first()
    return None if row is None else decide(standing_of(tx, person, at), verb, account_id, row.holder)


def open_account(tx: Tx, person: PersonId, verb: May, account_id: AccountId, at: datetime) -> Account | None:
    """The account with its number, for one who may; None and a line in the audit for one who may not."""
    row = tx.conn.execute(_ACCOUNT, {"id": account_id}).first()
    allowed = row and decide(standing_of(tx, person, at), verb, account_id, row.holder)
    concerned = PersonId(row.holder) if row and row.holder else person
    if row is None or allowed is None:
        _note(tx, "access_refused", concerned, person, account_id, at, {"verb": verb.value})
        return None
    if allowed.reason != "own":
        why = {"verb": verb.value, "reason": allowed.reason}
        _note(tx, "data_read", concerned, person, account_id, at, why)
    return numbers.opened(tx, row)


def decide(standing: Standing, verb: May, account_id: AccountId, holder: str | None) -> Allowed | None:
    """The rule itself, without reading anything: the strongest footing first."""
    owner = PersonId(holder) if holder else None
    if owner == standing.person:
        return Allowed("own")
    granted = _granted(standing, verb, owner)
    if granted is not None:
        return Allowed("grant", granted.id)
    if verb in _SAVED and _saved(standing, standing.person, account_id, owner):
        return Allowed("saved")
    if verb in _SHARED_PHONE and _household_has(standing, account_id, owner):
        return Allowed("shared_phone")
    if verb in _TALK and account_id in standing.talk:
        return Allowed("talk")
    return None


def standing_of(tx: Tx, person: PersonId, at: datetime) -> Standing:
    """Reads what decides about a person: five small queries, however many accounts are asked about."""
    household = people.households(tx, {person})[person]
    those = {"those": list(household)}
    given = tuple(_grant(row, at) for row in tx.conn.execute(_GRANTS_TO, those))
    saved = {(PersonId(r.person), AccountId(r.account)): r.label for r in tx.conn.execute(_SAVED_FOR, those)}
    talk = tx.conn.scalars(_IN_TALK, {"who": person, "now": at})
    givers = {grant.giver for grant in given}
    homes = people.households(tx, givers) if givers else {}
    return Standing(person, household, given, saved, frozenset(map(AccountId, talk)), homes)


def _granted(standing: Standing, verb: May, owner: PersonId | None) -> Grant | None:
    return next(
        (
            grant
            for grant in standing.grants
            if grant.valid and grant.taker == standing.person and grant.verb == verb and grant.giver == owner
        ),
        None,
    )


def _saved(standing: Standing, person: PersonId, account_id: AccountId, owner: PersonId | None) -> bool:
    if (person, account_id) not in standing.saved:
        return False
    # Where the holder's household has ever said who may see its bills, that word decides, not the old list.
    said = [
        grant.valid
        for grant in standing.grants
        if grant.taker == person and grant.verb == May.BILLS and owner in standing.givers[grant.giver]
    ]
    return any(said) if said else True


def _household_has(standing: Standing, account_id: AccountId, owner: PersonId | None) -> bool:
    others = standing.household - {standing.person}
    return owner in others or any(_saved(standing, other, account_id, owner) for other in others)


def _rows(tx: Tx, table: sa.Table, *where: sa.ColumnElement[bool]) -> list[sa.Row[Any]]:
    return list(tx.conn.execute(sa.select(table).where(*where)))


def _grant(row: Any, at: datetime) -> Grant:
    return Grant(
        row.id, PersonId(row.giver), PersonId(row.taker), May(row.verb), stands(row, at), row.created_at
    )


def stands(row: Any, at: datetime) -> bool:
    """Whether a row of grants counts at this moment: begun, neither expired nor taken back."""
    ended = [instant for instant in (row.expires_at, row.revoked_at) if instant is not None]
    return row.created_at <= at and all(at < instant for instant in ended)


def _note(
    tx: Tx, kind: str, person: PersonId, actor: PersonId, subject: str, at: datetime, body: dict[str, Any]
) -> None:
    journal.record(tx, kind=kind, person=person, actor=actor, subject=subject, at=at, body=body)


# --- giving and taking back -------------------------------------------------------------------------------------


def name_confirmed(
    tx: Tx,
    person: PersonId,
    biller: BillerId,
    utility: Utility,
    number: str,
    holder_masked: str,
    at: datetime,
) -> AccountId:
    """He typed a number and said that the masked name is right: this one bill is open to him in this talk."""
    typed = Account(AccountId(""), biller, utility, number, holder_masked=holder_masked)
    account_id = numbers.add_account(tx, typed, at)
    until = at + TALK_ACCESS
    if not tx.put_new(talk_access, person=person, account=account_id, expires_at=until):
        mine = sa.and_(talk_access.c.person == person, talk_access.c.account == account_id)
        sooner = talk_access.c.expires_at < until
        tx.conn.execute(talk_access.update().where(mine, sooner).values(expires_at=until))
    _note(tx, "name_check_passed", person, person, account_id, at, {})
    return account_id


def keep_open(tx: Tx, person: PersonId, account_id: AccountId, at: datetime, until: datetime) -> bool:
    """The bill that a confirmed name opened in this talk stays open until then; one that is closed stays closed."""
    mine = sa.and_(
        talk_access.c.person == person, talk_access.c.account == account_id, talk_access.c.expires_at > at
    )
    return tx.conn.execute(talk_access.update().where(mine).values(expires_at=until)).rowcount == 1


def grant(
    tx: Tx,
    giver: PersonId,
    taker: PersonId,
    verbs: Iterable[May],
    at: datetime,
    expires: datetime | None = None,
    instrument: InstrumentId | None = None,
    per_payment: Money | None = None,
    per_month: Money | None = None,
) -> tuple[str, ...]:
    """`giver` lets `taker` do these things; gives the grants' ids in the order of the words.

    With an instrument and `confirm_payment` it lets him spend the giver's purse within the caps.
    """
    ids = []
    for verb in verbs:
        grant_id = fresh("gra")
        tx.conn.execute(
            grants.insert().values(
                id=grant_id,
                giver=giver,
                taker=taker,
                verb=verb.value,
                instrument=instrument,
                per_payment_fen=None if per_payment is None else per_payment.fen,
                per_month_fen=None if per_month is None else per_month.fen,
                created_at=at,
                expires_at=expires,
            )
        )
        _note(tx, "grant_created", giver, giver, grant_id, at, {"to": taker, "verb": verb.value})
        ids.append(grant_id)
    return tuple(ids)


def grants_by(tx: Tx, giver: PersonId, at: datetime) -> list[Grant]:
    """Everything a person ever let others do, in the order given; `valid` says which of it counts at this moment."""
    his = sa.select(grants).where(grants.c.giver == giver).order_by(grants.c.created_at, grants.c.id)
    return [_grant(row, at) for row in tx.conn.execute(his)]


def takers_of(
    tx: Tx, givers: Collection[PersonId], verb: May, at: datetime
) -> dict[PersonId, list[PersonId]]:
    """Whom each of these people lets do this at this moment, in the order given; those who let nobody are left out."""
    his = sa.select(grants).where(grants.c.giver.in_(givers), grants.c.verb == verb.value)
    found: dict[PersonId, list[PersonId]] = {}
    for row in tx.conn.execute(his.order_by(grants.c.created_at, grants.c.id)) if givers else ():
        if stands(row, at) and row.taker not in (known := found.setdefault(PersonId(row.giver), [])):
            known.append(PersonId(row.taker))
    return {giver: takers for giver, takers in found.items() if takers}


def allows(giver: Any, taker: Any, verb: May, at: sa.BindParameter[Any]) -> sa.ColumnElement[bool]:
    """`stands` and `decide` for a grant, as a condition inside a statement about many accounts."""
    g = grants.alias()
    begun = sa.and_(g.c.created_at <= at, sa.or_(g.c.expires_at.is_(None), g.c.expires_at > at))
    kept = sa.or_(g.c.revoked_at.is_(None), g.c.revoked_at > at)
    return sa.exists().where(g.c.giver == giver, g.c.taker == taker, g.c.verb == verb.value, begun, kept)


def revoke(
    tx: Tx,
    giver: PersonId,
    taker: PersonId,
    at: datetime,
    verbs: Iterable[May] | None = None,
    by: PersonId | None = None,
) -> int:
    """Takes back what `giver` gave `taker` (all, or these words), at once; gives how many grants ended.

    `by` is who ends it, the giver unless said otherwise: who was given something may hand it back.
    """
    mine = sa.and_(grants.c.giver == giver, grants.c.taker == taker, grants.c.revoked_at.is_(None))
    if verbs is not None:
        mine = sa.and_(mine, grants.c.verb.in_([verb.value for verb in verbs]))
    ids = list(tx.conn.scalars(sa.select(grants.c.id).where(mine).order_by(grants.c.id)))
    tx.conn.execute(grants.update().where(grants.c.id.in_(ids)).values(revoked_at=at))
    for grant_id in ids:
        _note(tx, "grant_revoked", giver, by or giver, grant_id, at, {"to": taker})
    return len(ids)


# --- purses -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spending:
    """Leave to spend somebody else's purse. A cap of None is no cap of its own."""

    grant_id: str
    payer: PersonId
    instrument: InstrumentId
    per_payment: Money | None
    per_month: Money | None


def add_instrument(tx: Tx, instrument: Instrument, at: datetime, rail: str = "sandbox") -> None:
    """Keeps a purse saved at the rail: its token, sealed."""
    tx.conn.execute(
        instruments.insert().values(
            id=instrument.id,
            owner=instrument.owner,
            rail=rail,
            token=tx.seal.seal("instruments.token", instrument.id, instrument.token),
            created_at=at,
        )
    )


def instruments_of(tx: Tx, person: PersonId) -> list[Instrument]:
    """A person's own purses, the first saved first."""
    return [_instrument(tx, row) for row in _purses(tx, person)]


def instrument(tx: Tx, id: InstrumentId) -> Instrument | None:
    """One purse by id, for charging it."""
    return next((_instrument(tx, row) for row in tx.conn.execute(_PURSE, {"id": id})), None)


def spending_grants(tx: Tx, person: PersonId, at: datetime) -> list[Spending]:
    """The purses of others this person may spend at this moment, the newest leave first."""
    his = _rows(tx, grants, grants.c.taker == person, grants.c.verb == May.CONFIRM_PAYMENT.value)
    valid = sorted(
        (row for row in his if _grant(row, at).valid), key=lambda row: row.created_at, reverse=True
    )
    return [found for row in valid if (found := _spending(tx, row)) is not None]


def _spending(tx: Tx, row: Any) -> Spending | None:
    # A grant without a purse named means the giver's first one; only his own counts.
    purses = [purse.id for purse in _purses(tx, row.giver)]
    purse = row.instrument or next(iter(purses), None)
    if purse is None or purse not in purses:
        return None
    return Spending(
        row.id, PersonId(row.giver), InstrumentId(purse), _cap(row.per_payment_fen), _cap(row.per_month_fen)
    )


def _cap(fen: int | None) -> Money | None:
    return None if fen is None else Money(fen)


def _purses(tx: Tx, owner: str) -> list[sa.Row[Any]]:
    return list(tx.conn.execute(_PURSES, {"owner": owner}))


def _instrument(tx: Tx, row: Any) -> Instrument:
    token = tx.seal.open("instruments.token", row.id, row.token)
    return Instrument(InstrumentId(row.id), PersonId(row.owner), token)
