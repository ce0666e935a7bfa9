"""Who is told what about a payment: one row for each person and each thing, once, in the transaction that made it true."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.ids import PersonId
from data.store import letters
from data.store.engine import Tx
from data.store.payments import acts
from data.store.post import events
from payments.authority import people
from payments.opening import till_account
from payments.states import Payment

_INSTANT = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Concerned:
    """The people around one payment: whose money, whose yes, whose account."""

    payer: PersonId
    confirmer: PersonId
    holder: PersonId | None
    channel: str


def concerned(tx: Tx, payment: Payment) -> Concerned:
    """Who is concerned by a payment."""
    act = tx.conn.execute(sa.select(acts.c.confirmer, acts.c.channel).where(acts.c.id == payment.act)).one()
    holder = till_account(tx, payment.account).holder
    return Concerned(payment.payer, PersonId(act.confirmer), holder, act.channel)


def tell(tx: Tx, payment: Payment, kind: str, at: datetime, **more: Any) -> None:
    """Writes the news rows of one kind: to the payer always, and to who said yes when that is another."""
    who = concerned(tx, payment)
    for person in dict.fromkeys((who.payer, who.confirmer)):
        _put(tx, payment, kind, person, who, at, more)


def tell_captured(tx: Tx, payment: Payment, at: datetime) -> None:
    """Money was collected: who said yes hears the result, the others hear what was done for or with them (L7)."""
    who = concerned(tx, payment)
    _put(tx, payment, "captured", who.confirmer, who, at, {})
    others = {who.payer}
    if who.holder is not None and people.person(tx, who.holder).elder:
        others.add(who.holder)
    for person in sorted(others - {who.confirmer}):
        _put(tx, payment, "captured_for_you", person, who, at, {})


def _put(
    tx: Tx, payment: Payment, kind: str, person: PersonId, who: Concerned, at: datetime, more: dict[str, Any]
) -> None:
    body = {
        "payment": payment.id,
        "act": payment.act,
        "amount_fen": payment.amount.fen,
        "account": payment.account,
        "biller": payment.biller,
        "reason": payment.reason,
        "payer": who.payer,
        "by": who.confirmer,
        "holder": who.holder,
        "channel": who.channel,
    }
    letters.put_news(
        tx,
        id=f"{kind}:{payment.id}:{person}",
        person=person,
        kind=kind,
        body={**body, **more},
        at=_after_the_last(tx, person, at),
    )


def _after_the_last(tx: Tx, person: PersonId, at: datetime) -> datetime:
    """Two things of one instant (a clock that stands, a quick biller) are told in the order in which they happened."""
    same = sa.and_(events.c.person == person, events.c.created_at >= at, events.c.created_at < at + _INSTANT)
    last: datetime | None = tx.conn.scalar(sa.select(sa.func.max(events.c.created_at)).where(same))
    return at if last is None else last + timedelta(microseconds=1)


def call_for_help(tx: Tx, payment: Payment, kind: str, reason: str, at: datetime) -> None:
    """A ticket, so that a person looks at a payment we cannot finish alone, and the news that one does."""
    yuan = payment.amount.yuan
    letters.open_ticket(
        tx,
        kind=kind,
        person=payment.payer,
        reason=reason,
        summary=f"{payment.id} {yuan}元 {payment.biller}: {reason}",
        at=at,
    )
    tell(tx, payment, "needs_human", at, reason=reason)
