"""After a backup was put back: what was under way goes on by asking, never by sending, and nothing new is sent before a person looked.

The rows are older than the truth. What they call unsent may have been sent, so every number is asked about first; what began
after the backup is known to the rail and not to us, so nothing is collected until its statement was compared. Whatever was
stopped, lowered or taken back since is in force again: automatic payments rest (`resting.py`), and what else may have come
back is counted for whoever put the backup back, and stands in the book.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from data.ids import PaymentId, PersonId
from data.store import journal, letters
from data.store.engine import Tx
from data.store.payments import payments
from data.store.people import addresses, grants, instruments, pins
from payments import pausing, resting, states
from payments.authority import access
from payments.states import FINAL, Payment, State

WHY = "restored from a backup: compare the rail's statement first"
_HOUSE = PersonId("house")
_TICKET = "refund"  # the kind of ticket for money that may be on its way back already
_MAYBE_REFUNDED = "restored_maybe_refunded"


@dataclass(frozen=True, slots=True)
class TakenUp:
    """How many payments go on by asking, how many a person must look at first, and whether sending rests.

    `as_of`: of which moment the rows are. `resting`: automatic payments laid to rest. `came_back`: how much stands as it
    did then that may have been taken back or changed since, by what it is.
    """

    asked: int
    looked_at: int
    paused: bool
    as_of: datetime
    resting: int
    came_back: dict[str, int]


def take_up(tx: Tx, by: str, at: datetime, send_within: timedelta) -> TakenUp:
    """Makes every unfinished payment ask what became of its number, and lets sending rest. To be done once, at once."""
    as_of = journal.last_at(tx) or at
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
    rests = resting.rest_all(tx, by, as_of, at)
    came_back = _came_back(tx, at)
    body = {"as_of": as_of.isoformat(), "resting": len(rests), **came_back}
    journal.record(tx, kind="restored", person=_HOUSE, actor=PersonId(by), subject="backup", at=at, body=body)
    return TakenUp(len(held) - len(looked_at), len(looked_at), paused, as_of, len(rests), came_back)


def _came_back(tx: Tx, at: datetime) -> dict[str, int]:
    """Leaves, PINs, addresses and purses as they stood at the backup; none is ended here, people would be locked out."""
    leaves = sum(access.stands(row, at) for row in tx.conn.execute(sa.select(grants)))
    counted = {"pins": pins, "addresses": addresses, "purses": instruments}
    return {"leaves": leaves} | {what: _count(tx, table) for what, table in counted.items()}


def _count(tx: Tx, table: sa.Table) -> int:
    return tx.conn.scalar(sa.select(sa.func.count()).select_from(table)) or 0


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
        about=held.id,  # one that is open for it already says something else
    )
