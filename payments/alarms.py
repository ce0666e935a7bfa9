"""What an operator must hear of without asking: raised once for each cause, as a ticket, a line of the log and a figure, and over by itself.

Everything is read from rows: a process that has just started knows as much as one that never stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.ids import PersonId, TicketId, fresh
from data.store import journal, letters
from data.store.engine import Tx
from data.store.mandates import mandates, sweeps
from data.store.payments import alarms, differences, outages, pauses, payments
from data.store.post import events, outbox
from payments import reconcile, statements

log = logging.getLogger("bangjiao.alarms")

TICKET = "alarm"  # the kind of every ticket opened here
_HOUSE = PersonId("house")
_TRIED_AGAIN = 2  # once may be anybody's bad luck
_MOST = 500  # causes of one kind; beyond them the matter is clear
# Word for word the condition of uq_payments_open_account, so that both databases find the few open ones by it.
_OPEN = sa.and_(
    sa.text("payments.state NOT IN ('settled','failed','refunding','refunded','cancelled')"), sa.true()
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long each matter may last before somebody hears of it."""

    unknown: timedelta = timedelta(minutes=10)
    unposted: timedelta = timedelta(hours=1)
    not_ended: timedelta = timedelta(hours=24)
    refund: timedelta = timedelta(hours=24)
    rail: timedelta = timedelta(minutes=5)
    paused: timedelta = timedelta(hours=12)
    sweep: timedelta = timedelta(minutes=30)
    letters: timedelta = timedelta(minutes=10)
    uncompared: timedelta = timedelta(
        hours=36
    )  # after the end of a day nobody could compare with the statements
    failures: int = 2  # of one automatic payment in a row


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason to call somebody. `cause` is an id; `since` when the matter itself began; `ticket` one that is open already."""

    kind: str
    cause: str
    since: datetime
    ticket: str | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """What one look changed."""

    raised: tuple[Cause, ...] = ()
    over: int = 0


def look(tx: Tx, at: datetime, patience: Patience | None = None) -> Round:
    """Raises what is new and ends what is over. Any number of processes may look; a cause is raised once."""
    tx.alone("alarms")
    bounds = patience or Patience()
    still_open = {(row.kind, row.cause): row for row in tx.conn.execute(_still())}
    raised: list[Cause] = []
    over = 0
    for kind, found in ((kind, list(seek(tx, at, bounds))) for kind, seek in _SEEK.items()):
        now = {(c.kind, c.cause) for c in found}
        for one in found:
            if (kind, one.cause) not in still_open:
                _raise(tx, one, at)
                raised.append(one)
        if len(found) < _MOST:  # a list that was cut says nothing about what is not on it
            for key, row in still_open.items():
                if key[0] == kind and key not in now:
                    _end(tx, row, at)
                    over += 1
    return Round(tuple(raised), over)


def still_open(tx: Tx) -> dict[str, int]:
    """How many alarms of each kind are not over; every kind is there."""
    counts = dict.fromkeys(_SEEK, 0)
    query = sa.select(alarms.c.kind, sa.func.count()).where(alarms.c.over_at.is_(None))
    for row in tx.conn.execute(query.group_by(alarms.c.kind)):
        counts[row[0]] = row[1]
    return counts


def _still() -> sa.Select[Any]:
    return sa.select(alarms).where(alarms.c.over_at.is_(None))


def _raise(tx: Tx, one: Cause, at: datetime) -> None:
    ticket = one.ticket or letters.open_ticket(
        tx,
        kind=TICKET,
        person=_HOUSE,
        reason=one.kind,
        summary=f"{one.kind} {one.cause}",
        at=at,
        single=False,
    )
    row = {"id": fresh("ala"), "kind": one.kind, "cause": one.cause, "since": one.since}
    tx.conn.execute(sa.insert(alarms).values(**row, raised_at=at, ticket=ticket))
    body = {"kind": one.kind, "since": one.since.isoformat()}
    journal.record(
        tx, kind="alarm_raised", person=_HOUSE, actor=_HOUSE, subject=one.cause[:80], at=at, body=body
    )
    log.error("alarm: %s %s since %s", one.kind, one.cause, one.since.isoformat(timespec="seconds"))


def _end(tx: Tx, row: sa.Row[Any], at: datetime) -> None:
    tx.conn.execute(sa.update(alarms).where(alarms.c.id == row.id).values(over_at=at))
    ticket = letters.ticket(tx, TicketId(row.ticket))
    if ticket is not None and ticket.kind == TICKET:  # another's ticket is the other's to close
        letters.close_ticket(tx, ticket.id, at)
    journal.record(
        tx,
        kind="alarm_over",
        person=_HOUSE,
        actor=_HOUSE,
        subject=row.cause[:80],
        at=at,
        body={"kind": row.kind},
    )
    log.warning("alarm over: %s %s", row.kind, row.cause)


# --- what there may be ----------------------------------------------------------------------------------------------


def _unknown(tx: Tx, at: datetime, p: Patience) -> Iterable[Cause]:
    """Whether money was taken, or written off, is not known for too long."""
    asked = sa.and_(
        payments.c.captured_at.is_(None),
        payments.c.state.in_(["submitted", "unknown", "closing"]),
        payments.c.sent_at < at - p.unknown,
    )
    posting = sa.and_(
        payments.c.state.in_(["paid", "posting", "post_unknown"]), payments.c.captured_at < at - p.unposted
    )
    since = sa.func.coalesce(payments.c.captured_at, payments.c.sent_at, type_=payments.c.sent_at.type)
    return _rows(tx, "unknown", payments.c.id, since, _OPEN, sa.or_(asked, posting))


def _not_ended(tx: Tx, at: datetime, p: Patience) -> Iterable[Cause]:
    """A payment that has not come to an end, and holds its account."""
    return _rows(
        tx,
        "not_ended",
        payments.c.id,
        payments.c.created_at,
        _OPEN,
        payments.c.created_at < at - p.not_ended,
    )


def _refund(tx: Tx, at: datetime, p: Patience) -> Iterable[Cause]:
    """Money on its way back for too long; every such row is due again soon, so the index of what is due finds it."""
    late = sa.and_(
        payments.c.next_at.is_not(None),
        payments.c.state == "refunding",
        payments.c.updated_at < at - p.refund,
    )
    return _rows(tx, "refund_late", payments.c.id, payments.c.updated_at, late)


def _difference(tx: Tx, at: datetime, p: Patience) -> Iterable[Cause]:
    """The statement and the book differ, and nobody has explained it."""
    query = sa.select(differences.c.id, differences.c.found_at, differences.c.ticket)
    rows = tx.conn.execute(query.where(differences.c.closed_at.is_(None)).order_by("found_at").limit(_MOST))
    return [Cause("difference", row.id, row.found_at, row.ticket) for row in rows]


def _uncompared(tx: Tx, at: datetime, p: Patience) -> Iterable[Cause]:
    """A day that could not be compared with the statements, until it was, however old it grows meanwhile."""
    mine = sa.and_(alarms.c.kind == "uncompared", alarms.c.over_at.is_(None))
    sounding = [date.fromisoformat(cause) for cause in tx.conn.scalars(sa.select(alarms.c.cause).where(mine))]
    days = reconcile.uncompared(tx, at - p.uncompared, sounding)
    return [Cause("uncompared", day.isoformat(), statements.ends(day)) for day in days]


def _rail(tx: Tx, at: datetime, p: Patience) -> Iterable[Cause]:
    down = sa.and_(outages.c.over_at.is_(None), outages.c.since < at - p.rail)
    return _rows(tx, "rail_down", outages.c.id, outages.c.since, down)


def _paused(tx: Tx, at: datetime, p: Patience) -> Iterable[Cause]:
    """A pause somebody has forgotten."""
    forgotten = sa.and_(pauses.c.resumed_at.is_(None), pauses.c.since < at - p.paused)
    return _rows(tx, "paused_long", pauses.c.id, pauses.c.since, forgotten)


def _sweep(tx: Tx, at: datetime, p: Patience) -> Iterable[Cause]:
    """Somebody relies on his meter being read, and no round was begun for too long."""
    oldest = tx.conn.scalar(sa.select(sa.func.min(mandates.c.active_at)).where(mandates.c.state == "active"))
    if oldest is None:
        return []
    last = tx.conn.scalar(sa.select(sa.func.max(sweeps.c.started_at))) or oldest
    return [Cause("sweep_late", "sweep", last)] if last < at - p.sweep else []


def _failing(tx: Tx, at: datetime, p: Patience) -> Iterable[Cause]:
    """An automatic payment that failed several times in a row."""
    failing = sa.and_(mandates.c.failures >= p.failures, mandates.c.state.in_(["active", "suspended"]))
    return _rows(tx, "mandate_failing", mandates.c.id, mandates.c.updated_at, failing)


def _letters(tx: Tx, at: datetime, p: Patience) -> Iterable[Cause]:
    """Letters nobody sends, and news nobody tells."""
    due = sa.func.coalesce(outbox.c.not_before, outbox.c.created_at, type_=outbox.c.created_at.type)
    queued = sa.text("outbox.state IN ('queued','leased')")
    oldest = tx.conn.scalar(sa.select(sa.func.min(due)).select_from(outbox).where(queued))
    told = sa.func.coalesce(events.c.not_before, events.c.created_at, type_=events.c.created_at.type)
    untold = tx.conn.scalar(sa.select(sa.func.min(told)).where(events.c.served_at.is_(None)))
    stuck = (("outbox", oldest), ("news", untold))
    return [
        Cause("outbox_stuck", what, since)
        for what, since in stuck
        if since is not None and since < at - p.letters
    ]


def _roads(tx: Tx, at: datetime, p: Patience) -> Iterable[Cause]:
    """A channel that takes nothing: its letters are tried again and again, and each of them is not late yet."""
    waiting = sa.text("outbox.state IN ('queued','leased')")
    since = sa.func.min(outbox.c.created_at, type_=outbox.c.created_at.type)
    query = sa.select(outbox.c.channel, since.label("since")).where(waiting, outbox.c.tries >= _TRIED_AGAIN)
    rows = tx.conn.execute(query.group_by(outbox.c.channel).having(since < at - p.letters))
    return [Cause("road_down", row.channel, row.since) for row in rows]


def _rows(
    tx: Tx,
    kind: str,
    id: sa.ColumnElement[str],
    since: sa.ColumnElement[datetime],
    *where: sa.ColumnElement[bool],
) -> list[Cause]:
    query = sa.select(id.label("id"), since.label("since")).where(*where).order_by("since", "id").limit(_MOST)
    return [Cause(kind, row.id, row.since) for row in tx.conn.execute(query)]


_SEEK: dict[str, Callable[[Tx, datetime, Patience], Iterable[Cause]]] = {
    "unknown": _unknown,
    "not_ended": _not_ended,
    "refund_late": _refund,
    "difference": _difference,
    "uncompared": _uncompared,
    "rail_down": _rail,
    "paused_long": _paused,
    "sweep_late": _sweep,
    "mandate_failing": _failing,
    "outbox_stuck": _letters,
    "road_down": _roads,
}
