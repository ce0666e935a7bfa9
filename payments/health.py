"""Whether an automatic payment can still do what it was agreed for; one that cannot is told, never quietly left out."""

from __future__ import annotations

from datetime import datetime, timedelta

from data.clock import shanghai
from data.model import May
from payments import debited, mandates, stopping, unheard, warnings
from payments.authority import access
from payments.debiting import Round, has_purse
from payments.mandates import M, Mandate
from payments.notices import notice

_TOLD_BEFORE = timedelta(hours=24)


def examine(hand: Round, held: Mandate) -> Mandate:
    """Ends what is over, lets rest what has no purse, and tells the payer; gives the mandate as it stands then."""
    if hand.at >= held.valid_until:
        _expired(hand, held)
    elif access.may(hand.tx, held.payer, May.MANDATE, held.account, hand.at) is None:
        _permission_gone(hand, held)
    elif held.rests_until is not None:
        _rests(hand, held, held.rests_until)
    elif held.state is M.ACTIVE and not has_purse(hand.tx, held):
        debited.suspend(hand.tx, held, "no_purse", hand.at)
    elif held.state is M.ACTIVE:
        _soon_over(hand, held)
        _unread(hand, held)
    return mandates.read(hand.tx, held.id)


def _expired(hand: Round, held: Mandate) -> None:
    stopping.end(hand.tx, held, M.EXPIRED, held.payer, hand.at, "expired")
    notice(hand.tx, held.payer, "mandate_expired", held.id, _body(held), hand.at)


def _permission_gone(hand: Round, held: Mandate) -> None:
    """The holder took the leave back: that ends it like a stop."""
    stopping.end(hand.tx, held, M.REVOKED, held.payer, hand.at, "no_permission")
    body = _body(held) | {"reason": "no_permission"}
    notice(hand.tx, held.payer, "mandate_stopped_for_you", held.id, body, hand.at)


def _rests(hand: Round, held: Mandate, until: datetime) -> None:
    """It goes on by itself on the day that was said, and the payer is told the day before."""
    if hand.at >= until:
        stopping.wake(hand.tx, held, held.payer, hand.at, "rested")
    elif hand.at >= until - _TOLD_BEFORE:
        body = _body(held) | {"rests_until": shanghai(until).date().isoformat()}
        notice(hand.tx, held.payer, "mandate_wakes", f"{held.id}:{until.isoformat()}", body, hand.at)


def _soon_over(hand: Round, held: Mandate) -> None:
    if held.valid_until - hand.at <= hand.limits.mandate_ends_soon:
        notice(hand.tx, held.payer, "mandate_expiring", held.id, _body(held), hand.at)


def _unread(hand: Round, held: Mandate) -> None:
    """Nobody could read the meter for two days: it may be low, and nothing would be paid."""
    missed, since = unheard.since(hand.tx, held.account)
    if not missed:
        return  # the rounds hear of it
    heard = max(filter(None, (since, held.read_at, held.active_at)), default=held.created_at)
    if hand.at - heard < hand.limits.mandate_unread:
        return
    warnings.warn(
        hand.tx,
        kind="mandate_unread",
        account=held.account,
        cause=f"mandate_unread:{held.id}:{heard.isoformat()}",
        first=[held.payer],
        body=_body(held) | {"read_at": heard.isoformat(), "urgent": False},
        at=hand.at,
    )


def _body(held: Mandate) -> dict[str, str]:
    return {
        "mandate": held.id,
        "account": held.account,
        "biller": held.biller,
        "payer": held.payer,
        "valid_until": held.terms.valid_until.isoformat(),
    }
