"""A bill that is paid by itself: told a day before with its amount, left out at one word, and never more than was told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data.clock import shanghai
from data.ids import AccountId, PaymentId
from data.model import Quote
from data.money import Money
from data.store.engine import Tx
from data.store.mandates import debits
from payments import asked, brought, pausing, warnings
from payments.authority import wishes
from payments.debiting import Round, asks_first, change, make, obstacle, of_cause, write
from payments.mandates import Mandate
from payments.notices import notice
from payments.opening import till_account
from payments.quoting import overtaken
from payments.states import open_at
from payments.terms import MandateState
from payments.topping_up import EPISODE_WARNINGS

AHEAD = "debit_ahead"  # the news of a day's notice
# How many were paid today, and whether the rail rests, say nothing about tomorrow: what was told stays told.
_NOT_TODAY = frozenset({"over_day_cap", pausing.PAUSED, pausing.RAIL_DOWN})


def act_on(hand: Round, held: Mandate, quote: Quote, asked_at: datetime) -> PaymentId | None:
    """What this bill asks for."""
    if not quote.due:
        asked.moot(hand, held)
        warnings.over(hand.tx, held.account, hand.at, EPISODE_WARNINGS)
        return None
    acts = held.state is MandateState.ACTIVE and held.active_at is not None and asked_at > held.active_at
    if not acts or open_at(hand.tx, held.account) is not None:
        return None
    cause = f"bill:{quote.due_date or shanghai(hand.at).strftime('%Y-%m')}"
    tries = of_cause(hand.tx, held, cause)
    if not tries:
        _first_seen(hand, held, quote, cause)
        return None
    last = tries[-1]
    match last.state:
        case "announced":
            return _announced(hand, held, quote, last, asked_at)
        case "asking":
            if asked.lapsed(hand, last):
                warnings.over(hand.tx, held.account, hand.at, frozenset({"auto_asks"}))
            return None
        case "not_made" if last.reason != "stopped":
            return _again(hand, held, quote, last, f"{cause}#{len(tries)}", asked_at)
        case "made" if last.payment is None:
            return _pay(hand, held, quote, last.id, asked_at)
        case _:
            return None


def _first_seen(hand: Round, held: Mandate, quote: Quote, cause: str) -> None:
    why = obstacle(hand, held, quote, quote.due)
    if why is not None and why not in _NOT_TODAY:
        debit = write(hand, held, cause, "not_made", quote.due, reason=why)
        _warn(hand, held, "auto_not_made", debit, quote, reason=why)
        return
    _tell_or_ask(hand, held, quote, cause)


def _tell_or_ask(hand: Round, held: Mandate, quote: Quote, cause: str) -> None:
    """A day's notice, or the question whether it may be paid at all."""
    why = asks_first(hand, held, quote.due)
    if why is not None:
        debit = write(hand, held, cause, "asking", quote.due)
        _warn(hand, held, "auto_asks", debit, quote, debit=debit, **why)
        return
    debit = write(hand, held, cause, "announced", quote.due)
    _announce(hand, held, quote, debit)


def _announce(hand: Round, held: Mandate, quote: Quote, debit: str, *, again: bool = False) -> None:
    """The notice of 24 hours, counted from when it can be heard; `again` where the one before could not be brought."""
    heard = _heard_at(hand, held)
    until = heard + hand.limits.debit_notice
    change(
        hand, debit, "announced", amount_fen=quote.due.fen, announced_at=heard, not_before=until, reason=None
    )
    body = _body(hand, held, quote) | {"debit": debit, "not_before": until.isoformat()}
    about = f"{debit}:{quote.due.fen}{f':{until:%m%d%H%M}' if again else ''}"
    notice(hand.tx, held.payer, AHEAD, about, body, hand.at)


def _announced(hand: Round, held: Mandate, quote: Quote, row: Any, asked_at: datetime) -> PaymentId | None:
    if quote.due > Money(row.amount_fen):
        _announce(hand, held, quote, row.id)  # more than was told: it is told anew, and the day begins anew
        return None
    if hand.at < row.not_before or not _was_heard(hand, held, quote, row):
        return None
    why = obstacle(hand, held, quote, quote.due)
    if why is None:
        return _pay(hand, held, quote, row.id, asked_at)
    if why not in _NOT_TODAY:
        change(hand, row.id, "not_made", reason=why)
        _warn(hand, held, "auto_not_made", row.id, quote, reason=why)
    return None


def _was_heard(hand: Round, held: Mandate, quote: Quote, row: Any) -> bool:
    """A day's notice is a day from when it was brought (settled 11): where it was not, nothing is taken, and it is told anew."""
    told = brought.of(hand.tx, held.payer, AHEAD, {"debit": row.id, "not_before": row.not_before.isoformat()})
    if told.how == "nowhere":
        _announce(hand, held, quote, row.id, again=True)
    if told.how == "heard" and told.at is not None:
        over = told.at + hand.limits.debit_notice
        if hand.at < over:
            change(hand, row.id, "announced", announced_at=told.at, not_before=over)
            return False
    return told.how in ("heard", "unknown")


def still_ahead(tx: Tx, body: Mapping[str, Any], at: datetime) -> bool:
    """Whether what is announced still comes: not left out, stopped, paid otherwise or another amount by now, and not due already."""
    row = tx.conn.execute(sa.select(debits).where(debits.c.id == body["debit"])).one_or_none()
    if row is None or row.state != "announced" or row.amount_fen != body["amount_fen"]:
        return False
    account = AccountId(str(body["account"]))
    paid = open_at(tx, account) is not None or overtaken(tx, account, row.created_at)
    return not paid and at < row.not_before


def _again(
    hand: Round, held: Mandate, quote: Quote, last: Any, cause: str, asked_at: datetime
) -> PaymentId | None:
    """Declined: once a day under the same notice, if it is not more by now. Forbidden by a cap: told anew when it fits."""
    if last.payment is not None and hand.at - last.updated_at < hand.limits.mandate_again:
        return None
    if obstacle(hand, held, quote, quote.due) is not None:
        return None
    told = last.announced_at is not None and quote.due <= Money(last.amount_fen)
    if last.payment is None or not told:
        _tell_or_ask(hand, held, quote, cause)
        return None
    notice_given = {"announced_at": last.announced_at, "not_before": last.not_before}
    debit = write(hand, held, cause, "announced", Money(last.amount_fen), **notice_given)
    return _pay(hand, held, quote, debit, asked_at)


def _pay(hand: Round, held: Mandate, quote: Quote, debit: str, asked_at: datetime) -> PaymentId | None:
    return make(hand, held, quote, quote.due, debit, asked_at)


def _heard_at(hand: Round, held: Mandate) -> datetime:
    """At night, and in the hours he asked to be left alone, nobody hears anything: then it is the morning."""
    quiet = wishes.of(hand.tx, held.payer).quiet
    return quiet.over(hand.at).astimezone(hand.at.tzinfo) if quiet.holds(hand.at) else hand.at


def _body(hand: Round, held: Mandate, quote: Quote) -> dict[str, Any]:
    return {
        "mandate": held.id,
        "account": held.account,
        "biller": held.biller,
        "payer": held.payer,
        "holder": till_account(hand.tx, held.account).holder,
        "amount_fen": quote.due.fen,
        "due_date": quote.due_date.isoformat() if quote.due_date else None,
    }


def _warn(hand: Round, held: Mandate, kind: str, about: str, quote: Quote, **more: Any) -> None:
    warnings.warn(
        hand.tx,
        kind=kind,
        account=held.account,
        cause=f"{kind}:{about}",
        first=[held.payer],
        body=_body(hand, held, quote) | {"urgent": False} | more,
        at=hand.at,
    )
