"""What the biller answers once the money is collected: written off, not yet, or refused, and then it goes back."""

from __future__ import annotations

from datetime import timedelta

from data.model import Quote
from integrations.ports import Declined, NotFound, Pending, Reason, Settled
from payments import ledger, states
from payments.asking import Answer, Ask
from payments.giving_back import open_refund_case
from payments.hand import Hand, Then, audit, give_to_human, go, other_amount
from payments.news import tell
from payments.quoting import amount_fits, end_quotes
from payments.states import Payment, State

# The biller's door was shut; the order itself was not refused, and money was taken: try again, do not give up.
_SHUT = frozenset({Reason.BILLER_CLOSED, Reason.BILLER_DOWN, Reason.RATE_LIMITED})
# The price has to be asked again before the biller writes off; paying back is right only when it has changed.
_STALE = frozenset({Reason.QUOTE_EXPIRED, Reason.BILL_CHANGED})


def posted(hand: Hand, held: Payment, ask: Ask, answer: Answer) -> Then:
    match answer:
        case Settled() if answer.amount != held.amount:
            return other_amount(hand, held)
        case Settled():
            return _written_off(hand, held, answer)
        case Declined(reason) if reason in _STALE and ask is not Ask.POST_AGAIN:
            return Ask.REQUOTE
        case Declined(reason) if reason in _SHUT:
            return _not_written_off(hand, held, State.POST_UNKNOWN, timedelta(0))
        case Declined(reason):
            return _not_taken(hand, held, reason)
        case NotFound() if ask is Ask.QUERY_POST:
            if held.state is State.POST_UNKNOWN:
                go(hand, held, State.POST_UNKNOWN, State.POSTING)
            return Ask.POST
        case Pending(poll_after):
            return _not_written_off(hand, held, State.POSTING, poll_after)
        case _:
            return _not_written_off(hand, held, State.POST_UNKNOWN, timedelta(0))


def requoted(hand: Hand, held: Payment, answer: Answer) -> Then:
    """The quote ran out while the payer was paying: with the same price today the biller takes the money after all."""
    match answer:
        case Quote() if amount_fits(held.amount, answer):
            states.note(hand.tx, held.id, quote=answer.id)
            return Ask.POST_AGAIN
        case Quote() if not answer.prepaid and not answer.due:
            return _not_taken(hand, held, Reason.NOTHING_DUE)  # somebody paid it elsewhere meanwhile
        case Quote():
            return _not_taken(hand, held, Reason.BILL_CHANGED)
        case Declined(reason):
            return _not_taken(hand, held, reason)
        case _:
            return _not_written_off(hand, held, State.POST_UNKNOWN, timedelta(0))


def _not_taken(hand: Hand, held: Payment, reason: Reason) -> Then:
    go(hand, held, held.state, State.POST_FAILED, reason=reason.value, attempt=0)
    tell(hand.tx, held, "post_trouble", hand.at, reason=reason.value)
    if reason is Reason.NOTHING_DUE:
        open_refund_case(hand, held)
    return hand.at


def _not_written_off(hand: Hand, held: Payment, now: State, poll_after: timedelta) -> Then:
    if held.state is State.NEEDS_HUMAN:
        return hand.at + hand.limits.slow_poll
    if held.state is not now:
        go(hand, held, held.state, now)
    states.note(hand.tx, held.id, attempt=held.attempt + 1)
    assert held.captured_at is not None
    late = hand.at - held.captured_at
    if late >= hand.limits.post_patience:
        tell(hand.tx, held, "post_trouble", hand.at)
    if late >= hand.limits.unposted:
        return give_to_human(hand, held, now, "payment_unclear", "not_written_off")
    return hand.at + max(poll_after, hand.limits.wait(held.attempt))


def _written_off(hand: Hand, held: Payment, settled: Settled) -> Then:
    go(
        hand,
        held,
        held.state,
        State.SETTLED,
        posted_at=hand.at,
        post_reference=settled.reference,
        reason=None,
        attempt=0,
    )
    ledger.transfer(
        hand.tx,
        id=f"post:{held.id}",
        payment=held.id,
        kind="post",
        debit=ledger.CLEARING,
        credit=ledger.payable(held.biller),
        amount=held.amount,
        at=hand.at,
    )
    audit(hand, held, "posted")
    end_quotes(hand.tx, held.account, hand.at)
    tell(hand.tx, held, "posted", hand.at)
    return None
