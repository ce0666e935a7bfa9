"""What the rail answers to a refund: given back once under one number, or asked after until somebody looks."""

from __future__ import annotations

from data.ids import OrderNumber
from data.store import letters
from integrations.ports import Declined, NotFound, Settled
from payments import ledger, states
from payments.asking import Answer, Ask
from payments.hand import Hand, Then, audit, go
from payments.news import call_for_help, tell
from payments.states import Payment, State

PAID_ELSEWHERE = "paid_elsewhere"
_CASE = "refund"  # the kind of the ticket


def refund_number(number: OrderNumber) -> OrderNumber:
    """Under which a payment's money goes back: always the same, so that rows put back from a backup give it back no second time."""
    return OrderNumber(f"rf_{number.partition('_')[2]}")


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


def open_refund_case(hand: Hand, held: Payment) -> None:
    """The same bill was paid elsewhere: the money goes back by itself, and a ticket shows where it stands until it did."""
    letters.open_ticket(
        hand.tx,
        kind=_CASE,
        person=held.payer,
        reason=PAID_ELSEWHERE,
        summary=f"{held.id} {held.amount.yuan}元 {held.biller}: {PAID_ELSEWHERE}",
        at=hand.at,
        about=held.id,
    )
    audit(hand, held, "duplicate_payment_found")


def _close_case(hand: Hand, held: Payment) -> None:
    """What showed where this payment's money stood is done; that somebody was asked to look at it is not."""
    for ticket in letters.tickets_open(hand.tx):
        if (ticket.kind, ticket.about, ticket.reason) == (_CASE, held.id, PAID_ELSEWHERE):
            letters.close_ticket(hand.tx, ticket.id, hand.at)


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
    _close_case(hand, held)
    return None
