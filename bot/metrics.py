"""What /metrics tells a monitoring program: how much is open, waiting, late, paused and wrong, read from the rows themselves.

No number here lives in a process: whoever asks any process of the house, before or after a restart, is told the same.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from data.clock import Clock
from data.store.engine import Store, Tx
from data.store.mandates import MANDATE_STATES, debits, mandates, sweeps
from data.store.payments import OPEN_STATES, differences, ledger, outages, payments
from data.store.post import events, outbox, tickets
from payments import alarms, pausing, reconcile, statements

_KINDS = ("capture", "post", "refund")
_OPEN = sa.text("payments.state NOT IN ('settled','failed','refunding','refunded','cancelled')")
_KEEP_SECONDS = 5.0  # two programs that ask at once, or one that asks in a hurry, cost one look
_SECONDS = "seconds"


@dataclass(frozen=True)
class Book:
    """How far the book was added up, so that only new lines are read; lines are never changed.

    Never changed itself: a transaction that is tried again, or is read beside another, adds nothing twice.
    """

    seq: int = 0
    lines: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_KINDS, 0))
    fen: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_KINDS, 0))

    def read_on(self, tx: Tx) -> Book:
        """This and what was entered since."""
        seq, lines, fen = self.seq, dict(self.lines), dict(self.fen)
        new = sa.select(
            ledger.c.kind, sa.func.count(), sa.func.sum(ledger.c.amount_fen), sa.func.max(ledger.c.seq)
        ).where(ledger.c.seq > self.seq)
        for kind, count, fen_of_kind, last in tx.conn.execute(new.group_by(ledger.c.kind)).all():
            lines[kind] += count
            fen[kind] += int(fen_of_kind)
            seq = max(seq, last)
        return Book(seq, lines, fen)


class Rows(Collector):
    """Reads one store when it is asked."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._book = Book()
        self._kept: tuple[float, list[Metric]] | None = None
        self._one_at_a_time = threading.Lock()

    def describe(self) -> list[Metric]:
        """Nothing is read before somebody asks."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every figure, at most a few seconds old."""
        with self._one_at_a_time:  # who asks beside another is told what the other was told
            now = time.monotonic()
            if self._kept is None or now - self._kept[0] > _KEEP_SECONDS:
                at = self._clock.now()
                self._book, figures = self._store.run_now(lambda tx: self._read(tx, at))
                self._kept = (now, figures)
            figures = self._kept[1]
        yield from figures

    def _read(self, tx: Tx, at: datetime) -> tuple[Book, list[Metric]]:
        book = self._book.read_on(tx)
        return book, [*_money(book), *_payments(tx, at), *_rest(tx, at), *_standing(tx, at), *_post(tx, at)]


def figures(store: Store, clock: Clock) -> Callable[[], bytes]:
    """What /metrics answers: the house by its rows, then the process by itself (memory, processor, open files)."""
    registry = CollectorRegistry()
    registry.register(Rows(store, clock))
    return lambda: generate_latest(registry) + generate_latest(REGISTRY)


# --- the figures ----------------------------------------------------------------------------------------------------


def _money(book: Book) -> Iterator[Metric]:
    lines = CounterMetricFamily("bangjiao_transfers", "Lines of the book by kind.", labels=["kind"])
    fen = CounterMetricFamily(
        "bangjiao_transferred_fen", "Money in the book by kind, in fen.", labels=["kind"]
    )
    for kind in _KINDS:
        lines.add_metric([kind], book.lines[kind])
        fen.add_metric([kind], book.fen[kind])
    yield from (lines, fen)


def _payments(tx: Tx, at: datetime) -> Iterator[Metric]:
    count = GaugeMetricFamily("bangjiao_payments_open", "Payments not over, by state.", labels=["state"])
    age = GaugeMetricFamily(
        "bangjiao_payments_open_oldest_seconds",
        "Age of the oldest payment in each open state.",
        labels=["state"],
    )
    query = sa.select(payments.c.state, sa.func.count(), sa.func.min(payments.c.created_at)).where(_OPEN)
    found = {state: (n, since) for state, n, since in tx.conn.execute(query.group_by(payments.c.state)).all()}
    for state in OPEN_STATES:
        n, since = found.get(state, (0, None))
        count.add_metric([state], n)
        age.add_metric([state], _age(at, since))
    back = sa.and_(payments.c.next_at.is_not(None), payments.c.state == "refunding")
    yield from (count, age)
    yield _gauge("refunds_under_way", "Refunds the rail has not confirmed.", _count(tx, payments, back))
    late = sa.and_(payments.c.next_at < at, payments.c.lease_until.is_(None))
    overdue = tx.conn.scalar(sa.select(sa.func.min(payments.c.next_at)).where(late))
    yield _gauge(
        "payments_overdue_seconds", "How long the longest waiting due payment waits.", _age(at, overdue)
    )


def _rest(tx: Tx, at: datetime) -> Iterator[Metric]:
    since = tx.conn.scalar(sa.select(sa.func.min(outages.c.since)).where(outages.c.over_at.is_(None)))
    yield _gauge("rail_up", "1 while the rail answers.", 0 if since else 1)
    yield _gauge("rail_down_seconds", "How long the rail has not answered.", _age(at, since))
    rests = GaugeMetricFamily("bangjiao_pauses", "Pauses in force, by scope.", labels=["scope"])
    held = [one.scope for one in pausing.in_force(tx)]
    for scope in (pausing.ALL, pausing.BILLER, pausing.RAIL):
        rests.add_metric([scope], held.count(scope))
    yield rests
    yield _gauge(
        "waiting_for_rail", "People and bills waiting to hear that paying works.", pausing.waiting_now(tx)
    )


def _standing(tx: Tx, at: datetime) -> Iterator[Metric]:
    count = GaugeMetricFamily("bangjiao_mandates", "Automatic payments by state.", labels=["state"])
    query = sa.select(mandates.c.state, sa.func.count()).group_by(mandates.c.state)
    found = {row[0]: row[1] for row in tx.conn.execute(query)}
    for state in MANDATE_STATES:
        count.add_metric([state], found.get(state, 0))
    yield count
    failing = sa.and_(mandates.c.failures > 0, mandates.c.state.in_(["active", "suspended"]))
    yield _gauge(
        "mandates_failing", "Automatic payments whose last try failed.", _count(tx, mandates, failing)
    )
    asking = debits.c.state.in_(["announced", "asking"])
    yield _gauge("debits_waiting", "Automatic payments announced or asked about.", _count(tx, debits, asking))
    last = tx.conn.scalar(sa.select(sa.func.max(sweeps.c.started_at)))
    yield _gauge(
        "sweep_age_seconds", "Since the last round over the meters began; 0 before the first.", _age(at, last)
    )


def _post(tx: Tx, at: datetime) -> Iterator[Metric]:
    queued = sa.text("outbox.state IN ('queued','leased')")
    due = sa.func.coalesce(outbox.c.not_before, outbox.c.created_at, type_=outbox.c.created_at.type)
    oldest = tx.conn.scalar(sa.select(sa.func.min(due)).select_from(outbox).where(queued))
    yield _gauge("letters_waiting", "Letters not sent.", _count(tx, outbox, queued))
    yield _gauge("letters_oldest_seconds", "How long the oldest due letter waits.", _age(at, oldest))
    again = sa.and_(queued, outbox.c.tries > 0)
    yield _gauge("letters_tried_again", "Letters their channel did not take yet.", _count(tx, outbox, again))
    lost = sa.text("outbox.state IN ('failed','given_up')")
    yield _gauge("letters_lost", "Letters that did not arrive on their road.", _count(tx, outbox, lost))
    yield _gauge("news_waiting", "News not told.", _count(tx, events, events.c.served_at.is_(None)))
    yield _gauge(
        "tickets_open", "Tickets nobody has closed.", _count(tx, tickets, tickets.c.state != "closed")
    )
    differing = differences.c.closed_at.is_(None)
    yield _gauge(
        "differences_open", "Unexplained differences of statements.", _count(tx, differences, differing)
    )
    behind = reconcile.uncompared(tx, at - reconcile.NIGHT)
    yield _gauge("days_uncompared", "Past days not compared with both statements.", len(behind))
    since = statements.ends(behind[0]) if behind else None
    yield _gauge("days_uncompared_oldest_seconds", "How long the oldest of them is over.", _age(at, since))
    sounding = GaugeMetricFamily("bangjiao_alarms", "Alarms that are not over, by kind.", labels=["kind"])
    for kind, n in alarms.still_open(tx).items():
        sounding.add_metric([kind], n)
    yield sounding


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(f"bangjiao_{name}", says, value=value)


def _count(tx: Tx, table: sa.Table, where: Any) -> int:
    return tx.conn.scalar(sa.select(sa.func.count()).select_from(table).where(where)) or 0


def _age(at: datetime, since: datetime | None) -> float:
    return 0.0 if since is None else max(0.0, (at - since).total_seconds())
