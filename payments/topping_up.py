"""A meter that ran low and is topped up by itself: one charge for each low episode, however often the meter says so.

An episode begins with the first reading below the threshold and ends with the first one that is not. What failed in it is
tried again once a day; what a cap forbade, as soon as the cap allows it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from data.ids import PaymentId
from data.model import Quote
from data.money import Money
from payments import asked, forecast, mandates, pausing, states, warnings
from payments.debiting import Round, asks_first, make, obstacle, of_cause, write
from payments.mandates import Mandate
from payments.readings import Reading
from payments.rising import terms_at
from payments.states import FINAL, State, open_at
from payments.terms import MandateKind, MandateState

# What is over as soon as the meter is no longer low.
EPISODE_WARNINGS = frozenset(
    {"auto_failed", "auto_not_made", "auto_asks", "still_low", "mandate_suspended", "mandate_unread"}
)


def act_on(
    hand: Round, held: Mandate, quote: Quote, reading: Reading, asked_at: datetime, *, new: bool
) -> PaymentId | None:
    """What this reading asks for; `new`: the meter says something it had not said before."""
    counting = terms_at(hand.tx, held, hand.at)
    below, amount = counting.below, counting.amount
    assert held.terms.kind is MandateKind.TOP_UP
    assert below is not None
    assert amount is not None
    if reading.balance >= below:
        if new:
            _episode_over(hand, held)
        return None
    acts = held.state is MandateState.ACTIVE and held.active_at is not None and reading.at > held.active_at
    if not acts or open_at(hand.tx, held.account) is not None:
        return None
    if held.episode is not None:
        return _again(hand, held, quote, amount, reading, asked_at, new)
    if not new and not _was_low_at_rest(held, reading):
        return None  # it stood there already when this was agreed to
    return _begin(hand, held, quote, amount, reading, asked_at)


def _was_low_at_rest(held: Mandate, reading: Reading) -> bool:
    """The meter ran low while this rested, and says the same since: nothing new, and nothing done about it yet."""
    return held.woken_at is not None and reading.at <= held.woken_at


def wait_a_little(hand: Round, held: Mandate, quote: Quote) -> bool:
    """Whether a low meter had better be read again later: the rail rests, and may be back before anybody need worry."""
    low = quote.balance is not None and held.terms.below is not None and quote.balance < held.terms.below
    if not low or held.state is not MandateState.ACTIVE or held.episode is not None:
        return False
    rests = pausing.hindrance(hand.tx, [held.biller])
    return rests is not None and hand.at - rests.since < hand.limits.rest_unheard


def gave_up(hand: Round, held: Mandate) -> bool:
    """Whether somebody's 停 or no, or no answer, ended this episode: nothing more is charged, so the reminder speaks."""
    tries = of_cause(hand.tx, held, held.episode) if held.episode else []
    if not tries:
        return False
    last = tries[-1]
    if last.state == "made" and last.payment is not None:
        return states.read(hand.tx, PaymentId(last.payment)).state in (State.CANCELLED, State.FAILED)
    return last.state == "skipped" or bool(last.state == "not_made" and last.reason == "stopped")


def _episode_over(hand: Round, held: Mandate) -> None:
    if held.episode is not None:
        mandates.note(hand.tx, held.id, episode=None)
    asked.moot(hand, held)
    warnings.over(hand.tx, held.account, hand.at, EPISODE_WARNINGS)


def _begin(
    hand: Round, held: Mandate, quote: Quote, amount: Money, reading: Reading, asked_at: datetime
) -> PaymentId | None:
    cause = f"low:{reading.at.isoformat()}"
    mandates.note(hand.tx, held.id, episode=cause)
    why = obstacle(hand, held, quote, amount)
    if why is not None:
        _not_made(hand, held, cause, amount, reading, why)
        return None
    return _take(hand, held, quote, cause, amount, reading, asked_at)


def _take(
    hand: Round, held: Mandate, quote: Quote, cause: str, amount: Money, reading: Reading, asked_at: datetime
) -> PaymentId | None:
    """The payment, or the question whether it may be made."""
    why = asks_first(hand, held, amount, reading.daily_use)
    if why is not None:
        debit = write(hand, held, cause, "asking", amount, read_at=reading.at)
        _warn(hand, held, "auto_asks", debit, amount, reading, debit=debit, **why)
        return None
    debit = write(hand, held, cause, "made", amount, read_at=reading.at)
    return make(hand, held, quote, amount, debit, asked_at)


def _again(
    hand: Round,
    held: Mandate,
    quote: Quote,
    amount: Money,
    reading: Reading,
    asked_at: datetime,
    new: bool,
) -> PaymentId | None:
    assert held.episode is not None
    tries = of_cause(hand.tx, held, held.episode)
    if not tries:
        return None  # of an agreement this one replaced: charged once already
    last = tries[-1]
    if last.state == "asking":
        if asked.lapsed(hand, last):
            warnings.over(hand.tx, held.account, hand.at, frozenset({"auto_asks"}))
        return None
    if last.state == "made":
        _look_whether_it_helped(hand, held, PaymentId(last.payment or ""), amount, reading, new)
    if not _may_try_again(hand, last):
        return None
    why = obstacle(hand, held, quote, amount)
    cause = f"{held.episode}#{len(tries)}"
    if why is not None:
        if why != last.reason:
            _not_made(hand, held, cause, amount, reading, why)
        return None
    return _take(hand, held, quote, cause, amount, reading, asked_at)


def _may_try_again(hand: Round, last: Any) -> bool:
    """A declined one after a day; one that a cap or a missing purse stopped, as soon as that is no longer so."""
    if last.state == "made":
        return last.payment is None  # another payment held the account just then
    if last.state != "not_made" or last.reason == "stopped":
        return False
    return last.payment is None or bool(hand.at - last.updated_at >= hand.limits.mandate_again)


def _look_whether_it_helped(
    hand: Round, held: Mandate, payment: PaymentId, amount: Money, reading: Reading, new: bool
) -> None:
    if not payment:
        return
    paid = states.read(hand.tx, payment)
    if paid.state not in FINAL or paid.state is not State.SETTLED or paid.posted_at is None:
        return
    long_ago = reading.received_at - paid.posted_at >= hand.limits.mandate_again
    if long_ago or (new and reading.at > paid.posted_at):
        _warn(hand, held, "still_low", payment, amount, reading)


def _not_made(hand: Round, held: Mandate, cause: str, amount: Money, reading: Reading, why: str) -> None:
    debit = write(hand, held, cause, "not_made", amount, reason=why, read_at=reading.at)
    _warn(hand, held, "auto_not_made", debit, amount, reading, reason=why)


def _warn(
    hand: Round, held: Mandate, kind: str, about: str, amount: Money, reading: Reading, **more: Any
) -> None:
    lasts = forecast.of(hand.tx, held.account)
    body = {
        "mandate": held.id,
        "payer": held.payer,
        "amount_fen": amount.fen,
        "balance_fen": reading.balance.fen,
        **forecast.told(lasts),
        **more,
    }
    warnings.warn(
        hand.tx,
        kind=kind,
        account=held.account,
        cause=f"{kind}:{about}",
        first=[held.payer],
        body=body,
        at=hand.at,
    )
