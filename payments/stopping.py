"""Stopping an automatic payment: at once, without a second factor, and whatever it had begun and not sent is not sent.

Stopping wins every race: a debit is written with the mandate held, so a stop either comes first and is seen, or finds the
payment unsent and cancels it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.ids import AccountId, PaymentId, PersonId
from data.model import May
from data.money import ZERO, Money
from data.store import journal
from data.store.engine import Tx
from data.store.mandates import debits
from data.store.payments import payments
from payments import states, warnings
from payments.authority import access
from payments.mandates import (
    LIVE,
    M,
    Mandate,
    NoSuchMandate,
    end_of_day,
    live_at,
    move,
    note,
    read,
    spent_this_month,
)
from payments.notices import notice
from payments.opening import till_account
from payments.states import COLLECTING, FINAL, State
from payments.terms import MandateState

STOPPED, RESTS = "stopped", "rests"  # why a debit was not made
PAUSED = "paused"  # by somebody's wish
GOES_ON = "mandate_goes_on"


def may_stop(tx: Tx, mandate: Mandate, by: PersonId, at: datetime) -> bool:
    """The payer, the account's holder, or whoever may make such agreements for the account."""
    return by == mandate.payer or access.may(tx, by, May.MANDATE, mandate.account, at) is not None


def stop(tx: Tx, mandate: str, by: PersonId, at: datetime) -> bool:
    """Ends it at once, with whatever it had begun and not sent. False when it is not live or `by` has no part in it."""
    try:
        held = read(tx, mandate, hold=True)
    except NoSuchMandate:
        return False
    if held.state not in LIVE or not may_stop(tx, held, by, at):
        return False
    end(tx, held, M.REVOKED, by, at, "stopped")
    tell_the_others(tx, held, by, "mandate_stopped_for_you", held.id, at)
    return True


def pause(tx: Tx, mandate: str, by: PersonId, at: datetime, until: date | None = None) -> bool:
    """Lets an active one rest at once. False as for `stop`.

    It goes on by itself on the day `until`; without one, going on is a new agreement. Said again of one that rests by
    somebody's wish, only its end changes.
    """
    try:
        held = read(tx, mandate, hold=True)
    except NoSuchMandate:
        return False
    again = held.state is M.PAUSED and held.reason == PAUSED
    if not (held.state is M.ACTIVE or again) or not may_stop(tx, held, by, at):
        return False
    ends = None if until is None else end_of_day(until - timedelta(days=1))
    if not again:
        moved = move(tx, held, M.PAUSED, at, reason=PAUSED)
        assert moved, "the row is held since it was read"
        call_back(tx, held, at, RESTS)
    note(tx, held.id, rests_until=ends, updated_at=at)
    day = None if until is None else until.isoformat()
    audit(tx, "mandate_changed", held, by, at, {"to": M.PAUSED.value, "until": day})
    about = f"{held.id}:{at.isoformat()}"
    tell_the_others(tx, held, by, "mandate_paused_for_you", about, at, rests_until=day)
    return True


def wake(tx: Tx, held: Mandate, by: PersonId, at: datetime, reason: str) -> None:
    """One that rests goes on under the agreement it had; its payer is told, and may stop it with one word."""
    moved = move(tx, held, M.ACTIVE, at, reason=None, rests_until=None, woken_at=at)
    assert moved, "the row is held since it was read"
    audit(tx, "mandate_changed", held, by, at, {"to": M.ACTIVE.value, "reason": reason})
    body = {"mandate": held.id, "account": held.account, "biller": held.biller, "payer": held.payer}
    notice(tx, held.payer, GOES_ON, f"{held.id}:{at.isoformat(timespec='seconds')}", body, at)


def end(tx: Tx, held: Mandate, to: MandateState, by: PersonId, at: datetime, reason: str) -> None:
    """Revoked, suspended or expired, for a reason; nothing it had begun and not sent is sent any more."""
    moved = move(tx, held, to, at, reason=reason)
    assert moved, "the row is held since it was read"
    call_back(tx, held, at)
    kind = "mandate_suspended" if to is M.SUSPENDED else "mandate_revoked"
    audit(tx, kind, held, by, at, {"reason": reason})


def audit(tx: Tx, kind: str, held: Mandate, by: PersonId, at: datetime, body: dict[str, Any]) -> None:
    """A line in the book, under the payer's name."""
    facts = {"account": held.account, **body}
    journal.record(tx, kind=kind, person=held.payer, actor=by, subject=held.id, at=at, body=facts)


def call_back(tx: Tx, held: Mandate, at: datetime, why: str = STOPPED) -> None:
    """Announced debits will not be made, unsent ones are cancelled, and sent ones are closed where the rail allows.

    What was stopped is not tried again for the same low reading or bill; what only rested (RESTS) is, when it goes on.
    """
    waiting = sa.and_(debits.c.mandate == held.id, debits.c.state.in_(["announced", "asking"]))
    not_made = {"state": "not_made", "reason": why, "updated_at": at}
    tx.conn.execute(sa.update(debits).where(waiting).values(**not_made))
    cancelled = _call_back_payments(tx, held, at)
    if why == RESTS:
        tx.conn.execute(sa.update(debits).where(debits.c.payment.in_(cancelled)).values(**not_made))


def call_back_above(tx: Tx, held: Mandate, charge: Money, month: Money, at: datetime) -> None:
    """What is written and not sent may be more than the payer wants now; an announced bill is looked at again anyway."""
    above = any(states.read(tx, payment).amount > charge for payment in _under_way(tx, held))
    if above or spent_this_month(tx, held, at)[1] > month:
        _call_back_payments(tx, held, at)


def _call_back_payments(tx: Tx, held: Mandate, at: datetime) -> list[PaymentId]:
    """Gives those that were not sent and never will be."""
    cancelled = []
    for payment in _under_way(tx, held):
        row = states.read(tx, payment, hold=True)
        if row.state is State.CONFIRMED:
            why: dict[str, Any] = {"reason": STOPPED, "stop_asked": True, "next_at": None}
            states.move(tx, payment, State.CONFIRMED, State.CANCELLED, at, **why)
            cancelled.append(payment)
        elif row.state in COLLECTING:
            states.note(tx, payment, stop_asked=True, next_at=at)
    return cancelled


def on_its_way(tx: Tx, held: Mandate) -> Money:
    """What it has begun and is not over yet: after a stop, what had been sent before it."""
    return sum((states.read(tx, payment).amount for payment in _under_way(tx, held)), ZERO)


def _under_way(tx: Tx, held: Mandate) -> list[PaymentId]:
    rows = tx.conn.scalars(
        sa.select(payments.c.id)
        .join(debits, debits.c.payment == payments.c.id)
        .where(debits.c.mandate == held.id, payments.c.state.not_in([s.value for s in FINAL]))
        .order_by(payments.c.id)
    )
    return [PaymentId(p) for p in rows]


def tell_the_others(
    tx: Tx, held: Mandate, by: PersonId, kind: str, about: str, at: datetime, **more: Any
) -> None:
    """Payer and holder hear what somebody else did to it; who did it knows."""
    holder = till_account(tx, held.account).holder
    body = {"mandate": held.id, "account": held.account, "payer": held.payer, "by": by, "holder": holder}
    for person in dict.fromkeys(p for p in (held.payer, holder) if p is not None and p != by):
        notice(tx, person, kind, about, body | more, at)


def skip(tx: Tx, account: AccountId, by: PersonId, at: datetime) -> bool:
    """Leaves the debit of this account out that was announced or asked about; who may stop it can say so."""
    held = live_at(tx, account, hold=True)
    if held is None or not may_stop(tx, held, by, at):
        return False
    ahead = sa.and_(debits.c.mandate == held.id, debits.c.state.in_(["announced", "asking"]))
    values = {"state": "skipped", "reason": "skipped", "updated_at": at}
    skipped = tx.conn.execute(sa.update(debits).where(ahead).values(**values)).rowcount > 0
    if skipped:
        warnings.over(tx, account, at, frozenset({"auto_asks"}))
    return skipped
