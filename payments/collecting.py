"""What the rail answers while money is to be collected: collected, refused, or not known yet (never merged, L2)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from integrations.ports import Closed, Declined, NotFound, Pending, Reason, Settled, Started, Unknown
from payments import ledger, pausing, states
from payments.asking import Answer, Ask
from payments.giving_back import refund_number
from payments.hand import OTHER_AMOUNT, Hand, Then, audit, give_to_human, go, other_amount
from payments.news import call_for_help, tell, tell_captured
from payments.states import Payment, State

log = logging.getLogger("bangjiao.payments")

LATE_MONEY = "late_money"
NEVER_LEFT = Reason.RAIL_DOWN.value


def sent(hand: Hand, held: Payment, ask: Ask, answer: Answer) -> Then:
    match answer:
        case Started(url, expires_at):
            return _page_open(hand, held, url, expires_at)
        case Unknown(sent=False) if ask is Ask.COLLECT:
            return _never_left(hand, held)
        case NotFound() | Unknown():
            return _no_answer(hand, held)
        case _:
            return asked_rail(hand, held, answer)


def _page_open(hand: Hand, held: Payment, url: str, told: datetime) -> Then:
    # By our own clock, unless the rail gives less than was asked for: its clock may be hours off.
    longest = hand.at + hand.limits.page_lifetime
    until = told if hand.at < told < longest else longest
    go(
        hand,
        held,
        State.SUBMITTED,
        State.AWAITING_PAYER,
        attempt=0,
        hosted_url=url,
        hosted_until=until,
    )
    tell(hand.tx, held, "waiting_payer", hand.at, url=url, until=until.isoformat())
    return _page_poll(hand, until, 0)


def _page_poll(hand: Hand, until: datetime | None, attempt: int) -> datetime:
    """Somebody is looking at that page: ask often, and close it on time."""
    soon = hand.at + min(hand.limits.wait(attempt), hand.limits.page_poll)
    return min(soon, max(until, hand.at)) if until else soon


def _never_left(hand: Hand, held: Payment) -> Then:
    """Nothing was sent, so nothing can have happened: try again for a moment, then give the order up."""
    if (
        hand.at + hand.limits.wait(held.attempt) <= held.created_at + hand.limits.unsent
        and not held.stop_asked
    ):
        go(hand, held, State.SUBMITTED, State.CONFIRMED, sent_at=None, attempt=held.attempt + 1)
        tell(hand.tx, held, "checking", hand.at, reason=NEVER_LEFT)
        return hand.at + hand.limits.wait(held.attempt)
    reason = "stopped" if held.stop_asked else NEVER_LEFT
    go(hand, held, State.SUBMITTED, State.CANCELLED, sent_at=None, reason=reason)
    tell(hand.tx, held, "stopped" if held.stop_asked else "refused", hand.at, reason=reason)
    return None


def asked_rail(hand: Hand, held: Payment, answer: Answer) -> Then:
    match answer:
        case Settled():
            return _captured(hand, held, answer)
        case Declined(reason):
            return _ended(hand, held, reason.value)
        case NotFound() if _may_send_again(hand, held):
            return _send_again(hand, held)
        case Pending() if held.method == "hosted" and not held.hosted_url and _may_send_again(hand, held):
            return _send_again(hand, held)  # the page is open, and its address never reached us
        case Pending(poll_after):
            return _still_open(hand, held, poll_after)
        case _:
            return _no_answer(hand, held)


def _may_send_again(hand: Hand, held: Payment) -> bool:
    """Only while the rail surely remembers the number.

    Half of its memory: a request held up on the way must still arrive while the rail knows that it came before.
    """
    if held.state not in (State.SUBMITTED, State.UNKNOWN) or held.sent_at is None or held.stop_asked:
        return False
    window = min(hand.can.idempotency_window / 2, hand.limits.unknown)
    return hand.at < held.sent_at + window and not pausing.is_paused(hand.tx, held.biller, hand.rail)


def _send_again(hand: Hand, held: Payment) -> Then:
    if held.state is State.UNKNOWN:
        go(hand, held, State.UNKNOWN, State.SUBMITTED)
    states.note(hand.tx, held.id, attempt=held.attempt + 1)
    return Ask.COLLECT_AGAIN


def _no_answer(hand: Hand, held: Payment) -> Then:
    if held.state is State.SUBMITTED:
        go(hand, held, State.SUBMITTED, State.UNKNOWN)
    return _still_open(hand, held, timedelta(0))


def _still_open(hand: Hand, held: Payment, poll_after: timedelta) -> Then:
    """Not known yet: say so once, ask again later, and after a while let somebody look."""
    state = states.read(hand.tx, held.id).state
    if state is State.NEEDS_HUMAN:
        return hand.at + hand.limits.slow_poll
    states.note(hand.tx, held.id, attempt=held.attempt + 1)
    if state is State.AWAITING_PAYER:
        return _page_wait(hand, held)
    tell(hand.tx, held, "checking", hand.at)
    since = held.updated_at if state is State.CLOSING else held.sent_at
    if since is not None and hand.at - since >= hand.limits.unknown:
        return give_to_human(hand, held, state, "payment_unclear", "outcome_unknown")
    if held.stop_asked and state is not State.CLOSING and hand.can.supports_close:
        return hand.at
    return hand.at + max(poll_after, hand.limits.wait(held.attempt))


def _page_wait(hand: Hand, held: Payment) -> datetime:
    over = held.hosted_until is not None and held.hosted_until <= hand.at
    # A rail that closes no pages lets them lapse by themselves; its own word about the order is awaited.
    until = None if over else held.hosted_until
    return _page_poll(hand, until, held.attempt)


def closed(hand: Hand, held: Payment, answer: Answer) -> Then:
    match answer:
        case Closed():
            return _ended(hand, held, Reason.CLOSED.value)
        case Settled():
            return _captured(hand, held, answer)
        case _:
            return _still_open(hand, held, timedelta(0))


def _ended(hand: Hand, held: Payment, reason: str) -> Then:
    """A definite no, or a number closed for certain: no money moved and none will."""
    stopped = held.stop_asked and reason == Reason.CLOSED.value
    reason = "stopped" if stopped else reason
    go(hand, held, held.state, State.FAILED, reason=reason, attempt=0)
    tell(hand.tx, held, "stopped" if stopped else "refused", hand.at, reason=reason)
    return None


def _captured(hand: Hand, held: Payment, settled: Settled) -> Then:
    if settled.amount != held.amount:
        return other_amount(hand, held)
    go(
        hand,
        held,
        held.state,
        State.PAID,
        captured_at=hand.at,
        rail_reference=settled.reference,
        reason=None,
        attempt=0,
    )
    _book_capture(hand, held)
    tell_captured(hand.tx, held, hand.at)
    return hand.at


def _book_capture(hand: Hand, held: Payment) -> None:
    ledger.transfer(
        hand.tx,
        id=f"capture:{held.id}",
        payment=held.id,
        kind="capture",
        debit=ledger.receivable(hand.rail),
        credit=ledger.CLEARING,
        amount=held.amount,
        at=hand.at,
    )
    audit(hand, held, "captured")


def after_the_end(hand: Hand, held: Payment, answer: Answer) -> Then:
    match answer:
        case Settled() if answer.amount == held.amount:
            return _late_money(hand, held, answer)
        case Settled():
            log.error("alarm: late money of another amount: %s", held.id)
            call_for_help(hand.tx, held, "payment_unclear", OTHER_AMOUNT, hand.at)
            return None
        case Declined() | NotFound():
            return None
        case _:
            states.note(hand.tx, held.id, attempt=held.attempt + 1)
            return hand.at + hand.limits.wait(held.attempt)


def _late_money(hand: Hand, held: Payment, settled: Settled) -> Then:
    """Money after we had told that none moved: it goes straight back, under one refund number."""
    go(
        hand,
        held,
        held.state,
        State.REFUNDING,
        captured_at=hand.at,
        rail_reference=settled.reference,
        refund_number=refund_number(held.number),
        reason=LATE_MONEY,
        attempt=0,
    )
    _book_capture(hand, held)
    tell(hand.tx, held, "refunding", hand.at, reason=LATE_MONEY)
    return hand.at
