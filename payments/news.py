"""Who is told what about a payment: one row for each person and each thing, once, in the transaction that made it true."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data.ids import PersonId
from data.store import letters
from data.store.engine import Tx
from data.store.payments import acts
from payments import debited
from payments.authority import people
from payments.notices import notice
from payments.opening import till_account
from payments.states import Payment

_ACT = sa.select(acts).where(acts.c.id == sa.bindparam("act"))


@dataclass(frozen=True, slots=True)
class Concerned:
    """The people around one payment: whose money, whose yes, whose account, who began it, and whose second yes it needed."""

    payer: PersonId
    confirmer: PersonId
    holder: PersonId | None
    channel: str
    proposer: PersonId
    approver: PersonId | None
    by_itself: bool  # an automatic payment: nobody sits and waits for its news

    @property
    def said_yes(self) -> tuple[PersonId, ...]:
        return (self.confirmer,) if self.approver is None else (self.confirmer, self.approver)


def concerned(tx: Tx, payment: Payment) -> Concerned:
    """Who is concerned by a payment."""
    act = tx.conn.execute(_ACT, {"act": payment.act}).one()
    holder = till_account(tx, payment.account).holder
    second = (act.evidence or {}).get("approved")
    return Concerned(
        payment.payer,
        PersonId(act.confirmer),
        holder,
        act.channel,
        PersonId(act.proposer),
        PersonId(second["by"]) if second else None,
        act.kind == "debit",
    )


def tell(tx: Tx, payment: Payment, kind: str, at: datetime, **more: Any) -> None:
    """Writes the news rows of one kind: to the payer always, and to who said yes or began it when that is another."""
    if debited.told(tx, payment, kind, at, more.get("reason")):
        return
    who = concerned(tx, payment)
    for person in dict.fromkeys((who.payer, *who.said_yes, who.proposer)):
        _put(tx, payment, kind, person, who, at, more)


def tell_captured(tx: Tx, payment: Payment, at: datetime) -> None:
    """Money was collected: who said yes hears the result, the others hear what was done for or with them (L7)."""
    if debited.told(tx, payment, "captured", at):
        return
    who = concerned(tx, payment)
    for person in who.said_yes:
        _put(tx, payment, "captured", person, who, at, {})
    others = {who.payer}
    if who.holder is not None and people.person(tx, who.holder).elder:
        others.add(who.holder)
    for person in sorted(others - set(who.said_yes)):
        _put(tx, payment, "captured_for_you", person, who, at, {})
    if who.proposer not in {*who.said_yes, *others}:
        _put(tx, payment, "captured_started", who.proposer, who, at, {})


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
        "by": None if who.by_itself else who.confirmer,
        "holder": who.holder,
        "channel": who.channel,
    }
    notice(tx, person, kind, payment.id, {**body, **more}, at)


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
        about=payment.id,
    )
    tell(tx, payment, "needs_human", at, reason=reason)
