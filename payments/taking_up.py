"""After a backup was put back: what was under way goes on by asking, never by sending, and nothing new is sent before a person looked.

The rows are older than the truth. What they call unsent may have been sent, so every number is asked about first; what began
after the backup is known to the rail and not to us, so nothing is collected until its statement was compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from data.ids import PaymentId
from data.store import letters
from data.store.engine import Tx
from data.store.payments import payments
from payments import pausing, states
from payments.states import FINAL, Payment, State

WHY = "restored from a backup: compare the rail's statement first"
_TICKET = "refund"  # the kind of ticket for money that may be on its way back already
_MAYBE_REFUNDED = "restored_maybe_refunded"


@dataclass(frozen=True, slots=True)
class TakenUp:
    """How many payments go on by asking, how many a person must look at first, and whether sending rests."""

    asked: int
    looked_at: int
    paused: bool


def take_up(tx: Tx, by: str, at: datetime, send_within: timedelta) -> TakenUp:
    """Makes every unfinished payment ask what became of its number, and lets sending rest. To be done once, at once."""
    paused = pausing.pause(tx, scope=pausing.ALL, subject="", reason=WHY, by=by, at=at)
    final = [state.value for state in FINAL]
    rows = tx.conn.execute(sa.select(payments).where(payments.c.state.not_in(final)))
    held = [states.of_row(row) for row in rows.all()]
    looked_at = [one for one in held if one.state is State.POST_FAILED]
    for one in held:
        states.note(tx, one.id, lease_owner=None, lease_until=None, next_at=at)
        if one.state is State.CONFIRMED:
            _maybe_sent(tx, one, at, send_within)
    for one in looked_at:
        _maybe_given_back(tx, one, at)
    return TakenUp(len(held) - len(looked_at), len(looked_at), paused)


def _maybe_sent(tx: Tx, held: Payment, at: datetime, send_within: timedelta) -> None:
    """It was written and, by these rows, not sent; by the truth perhaps it was. What is too late is closed, not sent."""
    late = at - held.created_at > send_within
    states.move(
        tx,
        held.id,
        State.CONFIRMED,
        State.SUBMITTED,
        at,
        sent_at=held.created_at,
        stop_asked=held.stop_asked or late,
        next_at=at,
    )


def _maybe_given_back(tx: Tx, held: Payment, at: datetime) -> None:
    """Its money was about to go back under a number these rows do not hold: a second refund must not be begun."""
    states.note(tx, PaymentId(held.id), next_at=None)
    letters.open_ticket(
        tx,
        kind=_TICKET,
        person=held.payer,
        reason=_MAYBE_REFUNDED,
        summary=f"{held.id} {held.amount.yuan}元 {held.biller}: {_MAYBE_REFUNDED}",
        at=at,
        single=False,  # one that is open for this payer already says something else
    )
