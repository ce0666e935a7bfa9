"""What the rail answers to a refund: given back once under one number, or asked after until somebody looks."""

from __future__ import annotations

from integrations.ports import Declined, NotFound, Settled
from payments import ledger, states
from payments.asking import Answer, Ask
from payments.hand import Hand, Then, audit, go
from payments.news import call_for_help, tell
from payments.states import Payment, State


def refunded(hand: Hand, held: Payment, ask: Ask, answer: Answer) -> Then:
    match answer:
        case Settled() if answer.amount == held.amount:
            return _given_back(hand, held)
        case NotFound() if ask is Ask.QUERY_REFUND and _may_refund_again(hand, held):
            return Ask.REFUND
        case Settled() | Declined():
            call_for_help(hand.tx, held, "refund", "refund_declined", hand.at)
            return hand.at + hand.limits.slow_poll
        case _:
            return _refund_open(hand, held)


def _may_refund_again(hand: Hand, held: Payment) -> bool:
    return hand.at < held.updated_at + hand.can.idempotency_window / 2


def _refund_open(hand: Hand, held: Payment) -> Then:
    """A refund is asked after for ever; it never holds the account, so the household can pay meanwhile."""
    states.note(hand.tx, held.id, attempt=held.attempt + 1)
    if hand.at - held.updated_at >= hand.limits.unrefunded:
        call_for_help(hand.tx, held, "refund", "refund_unknown", hand.at)
        return hand.at + hand.limits.slow_poll
    return hand.at + hand.limits.wait(held.attempt - 1)  # the first attempt was the order itself


def _given_back(hand: Hand, held: Payment) -> Then:
    go(hand, held, State.REFUNDING, State.REFUNDED, refunded_at=hand.at, attempt=0)
    ledger.transfer(
        hand.tx,
        id=f"refund:{held.id}",
        payment=held.id,
        kind="refund",
        debit=ledger.CLEARING,
        credit=ledger.receivable(hand.rail),
        amount=held.amount,
        at=hand.at,
    )
    audit(hand, held, "refunded")
    tell(hand.tx, held, "refunded", hand.at)
    return None
