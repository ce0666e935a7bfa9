"""What became of money taken by itself: payer and elder hear of it, and the mandate learns when it could not pay.

Nothing is called arrived before the biller says so; one short word to the elder comes after that, not before.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data.ids import PaymentId
from data.model import May
from data.store.engine import Tx
from data.store.mandates import debits
from payments import forecast, mandates, readings, stopping, warnings
from payments.authority import access, people
from payments.mandates import Mandate
from payments.notices import notice
from payments.opening import till_account
from payments.quoting import kept_quote
from payments.states import Payment
from payments.terms import MandateKind, MandateState
from payments.topping_up import EPISODE_WARNINGS

# So often in a row it may fail before it rests and everybody hears of it.
_FAILURES = 3
# Ends that say nothing about whether it can pay.
_OF_PAYMENT = sa.select(debits).where(debits.c.payment == sa.bindparam("of_payment"))
_ASKED_FOR = frozenset({"stopped", "mandate_stopped"})


def told(tx: Tx, payment: Payment, kind: str, at: datetime, reason: str | None = None) -> bool:
    """Tells news of a payment that was made by itself, where they differ from ordinary news; False: tell the ordinary."""
    debit = _of_payment(tx, payment.id)
    if debit is None:
        return False
    held = mandates.read(tx, debit.mandate, hold=True)
    match kind:
        case "captured" | "checking" | "held":
            return True  # nobody waits for it; what comes of it is told
        case "posted":
            _arrived(tx, held, payment, at)
            return True
        case "refused":
            return _failed(tx, held, debit, payment, reason, at)
        case "refunding":
            _failed(tx, held, debit, payment, reason or payment.reason, at)
            return False  # money moved and goes back: that is told in full
        case "stopped":
            _note_failed(tx, debit.id, "stopped", at)
            return False
        case _:
            return False


def may_still_be_sent(tx: Tx, payment: PaymentId, at: datetime) -> bool:
    """Asked once more before anything is sent: a debit needs its mandate in force, and the leave it rests on (M-I12)."""
    debit = _of_payment(tx, payment)
    if debit is None:
        return True
    held = mandates.read(tx, debit.mandate)
    allowed = access.may(tx, held.payer, May.MANDATE, held.account, at)
    return held.state is MandateState.ACTIVE and allowed is not None


def _of_payment(tx: Tx, payment: PaymentId) -> sa.Row[Any] | None:
    return tx.conn.execute(_OF_PAYMENT, {"of_payment": payment}).one_or_none()


# --- it arrived -----------------------------------------------------------------------------------------------------


def _arrived(tx: Tx, held: Mandate, payment: Payment, at: datetime) -> None:
    mandates.note(tx, held.id, failures=0)
    if held.terms.kind is MandateKind.BILL_DEBIT:
        warnings.over(tx, held.account, at, EPISODE_WARNINGS)
    times, spent = mandates.spent_this_month(tx, held, at)
    body = _body(tx, held, payment) | {
        "balance_after": _balance_after(tx, payment),
        "times_this_month": times,
        "spent_fen": spent.fen,
        "per_month_fen": held.terms.per_month.fen,
    }
    notice(tx, held.payer, "auto_posted", payment.id, body, at)
    holder = till_account(tx, held.account).holder
    if holder is not None and holder != held.payer and people.person(tx, holder).elder:
        notice(tx, holder, "auto_for_you", payment.id, body, at)


def _balance_after(tx: Tx, payment: Payment) -> int | None:
    told = kept_quote(tx, payment.quote)
    if told is None or told.quote.balance is None:
        return None
    return (told.quote.balance + payment.amount).fen


# --- it did not -------------------------------------------------------------------------------------------------------


def _failed(
    tx: Tx, held: Mandate, debit: sa.Row[Any], payment: Payment, reason: str | None, at: datetime
) -> bool:
    """Louder than a success: told at once, and the warning climbs until somebody answers. True: it was told here."""
    if reason in _ASKED_FOR:
        _note_failed(tx, debit.id, "stopped", at)
        return False
    if not _note_failed(tx, debit.id, reason or "refused", at):
        return False  # it was told before, and now late money came
    failures = held.failures + 1
    mandates.note(tx, held.id, failures=failures)
    body = _body(tx, held, payment) | {"reason": reason, "failures": failures, **_lasts(tx, held)}
    _warn(tx, held, "auto_failed", payment.id, body, at)
    if failures >= _FAILURES and held.state is MandateState.ACTIVE:
        suspend(tx, held, reason or "refused", at)
    return True


def _note_failed(tx: Tx, debit: str, reason: str, at: datetime) -> bool:
    made = sa.and_(debits.c.id == debit, debits.c.state == "made")
    values = {"state": "not_made", "reason": reason, "updated_at": at}
    return tx.conn.execute(sa.update(debits).where(made).values(**values)).rowcount == 1


def suspend(tx: Tx, held: Mandate, reason: str, at: datetime) -> None:
    """It rests until the payer agrees anew; a mandate that silently stopped would be the worst of all."""
    stopping.end(tx, held, MandateState.SUSPENDED, held.payer, at, reason)
    body = {"mandate": held.id, "payer": held.payer, "reason": reason, **_lasts(tx, held)}
    _warn(tx, held, "mandate_suspended", f"{held.id}:{at.isoformat()}", body, at)


def _lasts(tx: Tx, held: Mandate) -> dict[str, Any]:
    last = readings.newest(tx, held.account)
    known = {"balance_fen": last.balance.fen} if last is not None else {}
    return {**known, **forecast.told(forecast.of(tx, held.account))}


def _warn(tx: Tx, held: Mandate, kind: str, about: str, body: dict[str, Any], at: datetime) -> None:
    cause = f"{kind}:{about}"
    warnings.warn(tx, kind=kind, account=held.account, cause=cause, first=[held.payer], body=body, at=at)


def _body(tx: Tx, held: Mandate, payment: Payment) -> dict[str, Any]:
    return {
        "mandate": held.id,
        "payment": payment.id,
        "act": payment.act,
        "account": payment.account,
        "biller": payment.biller,
        "payer": payment.payer,
        "holder": till_account(tx, payment.account).holder,
        "amount_fen": payment.amount.fen,
    }
