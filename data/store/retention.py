"""What is thrown away after its time: old talks and letters, in small batches, and never what somebody still needs.

Payments, agreements, ledger and audit stay. So does the talk in which somebody said yes to money, everything of a person whose
payment is under way or whom one of us is looking after, and whatever is still waiting to be sent or answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from data.store import delivery
from data.store.engine import Store, Tx
from data.store.payments import OPEN_STATES, acts, payments
from data.store.people import accounts
from data.store.post import events, inbox, outbox, tickets
from data.store.talks import calls, conversations, flow_releases, turns

BATCH = 200  # rows looked at in a transaction: a few milliseconds
_GOING_BACK = ("refunding",)  # holds no account, and is not over either
_UNDECIDED = ("proposed", "approval_wait")

_Row = Any


@dataclass(frozen=True, slots=True)
class Shelf:
    """One table that is cleared: by which time, in which order, what of it may go at all, and which rows a yes rests on."""

    table: sa.Table
    at: sa.Column[Any]
    over: sa.ColumnElement[bool] | None = None
    event: Callable[[_Row], str] | None = None  # the event a row belongs to, "channel:id"

    @property
    def key(self) -> list[sa.Column[Any]]:
        return list(self.table.primary_key)


def _of_event(row: _Row) -> str:
    return f"{row.channel}:{row.event_id}"


SHELVES = (
    Shelf(calls, calls.c.started_at, calls.c.state != "waiting"),
    Shelf(
        outbox,
        outbox.c.created_at,
        outbox.c.state.in_(delivery.OVER),
        lambda row: str(row.cause),
    ),
    Shelf(inbox, inbox.c.received_at, None, _of_event),
    Shelf(turns, turns.c.at, None, _of_event),
)


async def clear_away(store: Store, before: datetime, batch: int = BATCH) -> dict[str, int]:
    """Removes what is older than `before` and needed by nobody; gives how many rows of each table."""
    gone = {}
    for shelf in SHELVES:
        count, last = 0, None
        while True:
            look = partial(_batch, shelf=shelf, before=before, after=last, limit=batch)
            last, removed = await store.run(look)
            count += removed
            if last is None:
                break
        gone[shelf.table.name] = count
    return gone


async def forget_releases(store: Store, before: datetime) -> int:
    """Removes the flows no talk is in and none was written down in since `before`; gives how many."""
    return await store.run(lambda tx: _forgotten(tx, before))


def _forgotten(tx: Tx, before: datetime) -> int:
    talking = sa.select(conversations.c.release).where(conversations.c.release != "")
    old = sa.select(flow_releases.c.id).where(flow_releases.c.seen_at < before)
    spare = list(tx.conn.scalars(old.where(flow_releases.c.id.not_in(talking))))
    if not spare:
        return 0
    # Asked once more in the deleting: a program that has just started with one of them says so at its first talk.
    gone = sa.delete(flow_releases).where(flow_releases.c.id.in_(spare), flow_releases.c.seen_at < before)
    return len(tx.conn.execute(gone.returning(flow_releases.c.id)).all())


def _batch(
    tx: Tx, shelf: Shelf, before: datetime, after: tuple[Any, ...] | None, limit: int
) -> tuple[tuple[Any, ...] | None, int]:
    """The next old rows: where it stopped (None: there are no more), and how many of them went."""
    key = shelf.key
    query = sa.select(shelf.table).where(shelf.at < before).order_by(*key).limit(limit)
    if shelf.over is not None:
        query = query.where(shelf.over)
    if after is not None:
        query = query.where(_beyond(key, after))
    rows = tx.conn.execute(query).all()
    if not rows:
        return None, 0
    spare = _spare(tx, shelf, rows)
    for row in spare:
        same = [column == getattr(row, column.name) for column in key]
        tx.conn.execute(sa.delete(shelf.table).where(*same))
    return tuple(getattr(rows[-1], column.name) for column in key), len(spare)


def _beyond(key: list[sa.Column[Any]], after: tuple[Any, ...]) -> sa.ColumnElement[bool]:
    values = [sa.literal(value, column.type) for column, value in zip(key, after, strict=True)]
    beyond: sa.ColumnElement[bool] = sa.tuple_(*key) > sa.tuple_(*values)
    return beyond


# --- what is still needed -------------------------------------------------------------------------------------------


def _spare(tx: Tx, shelf: Shelf, rows: Sequence[_Row]) -> list[_Row]:
    busy = _busy(tx, {row.person for row in rows})
    left = [row for row in rows if row.person not in busy]
    if shelf.event is None or not left:
        return left
    times = [getattr(row, shelf.at.name) for row in left]
    yeses = _Yeses(_yeses(tx, {row.person for row in left}, min(times), max(times)))
    return [row for row in left if not yeses.need(row.person, getattr(row, shelf.at.name), shelf.event(row))]


def _busy(tx: Tx, persons: set[str]) -> set[str]:
    """Those of them with money under way, something to decide, news not told, or one of us looking after them."""
    under_way = payments.c.state.in_([*OPEN_STATES, *_GOING_BACK])
    parts = [acts.c.proposer, acts.c.payer, acts.c.confirmer]
    of_payment = [
        sa.select(part).join(payments, payments.c.act == acts.c.id).where(under_way, part.in_(persons))
        for part in parts
    ]
    holders = (
        sa.select(accounts.c.holder)
        .join(payments, payments.c.account == accounts.c.id)
        .where(under_way, accounts.c.holder.in_(persons))
    )
    undecided = [sa.select(part).where(acts.c.state.in_(_UNDECIDED), part.in_(persons)) for part in parts]
    looked_after = sa.select(tickets.c.person).where(
        tickets.c.state != "closed", tickets.c.person.in_(persons)
    )
    untold = sa.select(events.c.person).where(events.c.served_at.is_(None), events.c.person.in_(persons))
    asked = [*of_payment, holders, *undecided, looked_after, untold]
    return set(tx.conn.scalars(sa.union(*asked)))


@dataclass(frozen=True, slots=True)
class _Yes:
    """One yes that money or an agreement rests on: whose talk, from the proposal to the decision, on which event."""

    persons: frozenset[str]
    since: datetime
    until: datetime
    events: frozenset[str]


class _Yeses:
    """Some yeses, looked up by event and by person, so that a batch costs its rows and not its rows times every yes."""

    def __init__(self, found: list[_Yes]) -> None:
        self._events = frozenset(event for yes in found for event in yes.events)
        self._talks: dict[str, list[tuple[datetime, datetime]]] = {}
        for yes in found:
            for person in yes.persons:
                self._talks.setdefault(person, []).append((yes.since, yes.until))

    def need(self, person: str, at: datetime, event: str) -> bool:
        """Whether this belongs to the talk of a yes: what was read back, what was said, and the event itself."""
        within = (since <= at <= until for since, until in self._talks.get(person, ()))
        return event in self._events or any(within)


# What belongs to the event of a yes is written within the hour: the answer to it, and the letter that answer became.
_AROUND = timedelta(hours=1)
_YES = (
    acts.c.proposer,
    acts.c.payer,
    acts.c.confirmer,
    acts.c.created_at,
    acts.c.decided_at,
    acts.c.evidence,
)


def _said_by(persons: set[str], since: datetime, until: datetime) -> sa.Select[Any]:
    """Acts these people had a part in, decided and begun about that time; each part has its index."""
    own = sa.or_(acts.c.proposer.in_(persons), acts.c.payer.in_(persons), acts.c.confirmer.in_(persons))
    then = sa.and_(acts.c.created_at <= until + _AROUND, acts.c.decided_at >= since - _AROUND)
    return sa.select(*_YES).where(acts.c.state == "confirmed", own, then)


def _yeses(tx: Tx, persons: set[str], since: datetime, until: datetime) -> list[_Yes]:
    """Those that anything of this span may rest on."""
    # A debit is a mandate's, not a talk's; the yes to the mandate is an act of its own. One that was asked first is both.
    rows = tx.conn.execute(_said_by(persons, since, until)).all()
    return [_yes(row) for row in rows if (row.evidence or {}).get("kind") != "mandate"]


def _yes(row: _Row) -> _Yes:
    evidence = row.evidence or {}
    said = [one for one in (evidence, evidence.get("approved")) if one and "event" in one]
    return _Yes(
        frozenset({row.proposer, row.payer, row.confirmer, *(one["by"] for one in said)}),
        row.created_at,
        row.decided_at,
        frozenset(f"{one['channel']}:{one['event']}" for one in said),
    )
