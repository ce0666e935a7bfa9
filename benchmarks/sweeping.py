"""What a round over the meters costs the database, beside a bare read of the same rows by key pages.

Every household has one meter, topped up by itself; of a thousand meters thirty-five are low. The billers are a function: what
they cost is taken off. Two rounds are timed: the first of a day, in which every meter says something new and every account gets
its line in the book, and the next one, in which nothing is new.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa

from benchmarks.figures import Row, Spread, Stopwatch, why_missed
from data.catalogue import load
from data.clock import VirtualClock, shanghai
from data.ids import AccountId, BillerId, PaymentId, QuoteId
from data.model import AmountRule, Exactness, Quote
from data.money import ZERO, Money
from data.store.engine import Sealer, Store, Tx
from data.store.mandates import consents, looks, mandates, readings
from data.store.payments import acts
from data.store.people import accounts, instruments, people
from integrations.ports import GatewayError
from payments.limits import Limits
from payments.looking_over import Asked
from payments.sweep import PAGE, Pace, Sweep, Swept
from tests.databases import SEALER, Databases

Tell = Callable[[str], None]

KINDS = ("sqlite", "postgresql")
LOW_IN_A_THOUSAND = 35
REACH, SLOPE = 1.5, 1.15
_AT = datetime.fromisoformat("2026-03-10T01:00:00+00:00")
_BILLER = BillerId("bj-electricity")
_FULL, _LOW, _BELOW = 9_000, 1_500, 2_000
_SAMPLE = (
    50  # careful looks really made in a round: each costs the same, and together they would outlast the rest
)
_PIECE = 20_000  # households loaded in one transaction
_RULE = AmountRule(Exactness.RANGE, Money(1_000), Money(500_000), Money(1_000))


def rounds(
    databases: Databases, kinds: Sequence[str], sizes: Sequence[int], peers: int, tell: Tell
) -> list[Row]:
    """Both rounds at every size on every database, and how the cost of one mandate grows with their number."""
    found = []
    for kind in kinds:
        done = [_at_size(databases, kind, size, peers, tell) for size in sizes]
        found += [row for one in done for row in one.rows(done[0])]
    return found


@dataclass(frozen=True)
class _Measured:
    """One database and size. Figures in microseconds a mandate, what the billers cost taken off."""

    kind: str
    size: int
    bare: Spread
    bare_cpu: float
    moved: _Cost
    quiet: _Cost

    def rows(self, least: _Measured) -> list[Row]:
        """A line for each round; `least` is the same at the least size."""
        found = []
        for name, cost, other in (
            ("every meter moved", self.moved, least.moved),
            ("nothing new", self.quiet, least.quiet),
        ):
            ratio, slope = cost.pages / self.bare.median, cost.pages / other.pages
            met = ratio <= REACH and slope <= SLOPE
            why = why_missed(cost.cpu, cost.pages)
            found.append(
                Row(
                    f"sweep, {name}, {self.kind}, {self.size:,} mandates", "µs", Spread.of([cost.pages]),
                    "a bare read of the same rows by key pages", self.bare, ratio,
                    f"≤ {REACH} × the bare read, slope ≤ {SLOPE}", met,
                    "" if met else f"×{ratio:.2f}, slope {slope:.2f}; {why}", cost.cpu / 1e3,
                    cost.more()
                    | {"slope": slope, "cpu_ratio": cost.cpu / self.bare_cpu, "cpu_slope": cost.cpu / other.cpu},
                )
            )  # fmt: skip
        return found


@dataclass(frozen=True)
class _Cost:
    """One round: pages and careful looks apart, a mandate or a careful look each."""

    pages: float  # µs a mandate, without careful looks
    cpu: float  # µs of our processor a mandate, without careful looks
    careful: float  # ms a careful look
    careful_cpu: float
    looks: int
    payments: int
    seconds: float  # of the whole round, with as many careful looks as there were
    rss_mb: float
    grew_mb: float

    def more(self) -> dict[str, float]:
        return {
            "cpu_us": self.cpu, "careful_looks": self.looks, "careful_ms_each": self.careful,
            "careful_cpu_ms_each": self.careful_cpu, "payments": self.payments,
            "whole_round_s": self.seconds, "rss_mb": self.rss_mb, "rss_grew_mb": self.grew_mb,
        }  # fmt: skip


def _at_size(databases: Databases, kind: str, size: int, peers: int, tell: Tell) -> _Measured:
    with databases.bare_url(kind) as url:
        store = Store.open(url, SEALER)
        try:
            store.migrate()
            tell(f"sweep, {kind}, {size:,} mandates are settled")
            settle(store, size)
            tell(f"sweep, {kind}, {size:,} mandates, the bare read")
            read = [_bare(store) for _ in range(peers)]
            bare, bare_cpu = (
                Spread.of(r.ms * 1e3 / size for r in read),
                median(r.cpu_ms * 1e3 / size for r in read),
            )
            sweep = Timed(store, size)
            tell(f"sweep, {kind}, {size:,} mandates, every meter moved")
            moved = sweep.measured(timedelta(days=1))
            tell(f"sweep, {kind}, {size:,} mandates, nothing new")
            return _Measured(kind, size, bare, bare_cpu, moved, sweep.measured(timedelta(minutes=5)))
        finally:
            store.close()


# --- the peer ---------------------------------------------------------------------------------------------------------


def _bare(store: Store) -> Stopwatch:
    """Reads, page by page, every agreement with its account, its last reading and its look."""
    last = sa.select(sa.func.max(readings.c.at)).where(readings.c.account == mandates.c.account)
    rows = (
        mandates.join(accounts, accounts.c.id == mandates.c.account)
        .outerjoin(
            readings,
            sa.and_(
                readings.c.account == mandates.c.account,
                readings.c.at == last.correlate(mandates).scalar_subquery(),
            ),
        )
        .outerjoin(looks, looks.c.account == mandates.c.account)
    )
    query = (
        sa.select(mandates, accounts, readings, looks)
        .select_from(rows)
        .where(mandates.c.account > sa.bindparam("beyond", type_=sa.String))
        .order_by(mandates.c.account)
        .limit(PAGE)
        .set_label_style(sa.LABEL_STYLE_TABLENAME_PLUS_COL)
    )
    beyond: str | None = ""
    with Stopwatch() as watch:
        while beyond is not None:
            cursor = {"beyond": beyond}
            page = store.run_now(lambda tx, cursor=cursor: tx.conn.execute(query, cursor).all())
            beyond = page[-1].mandates_account if page else None
    return watch


# --- ours -------------------------------------------------------------------------------------------------------------


class Meters:
    """A biller that knows every number, and how long it was asked."""

    def __init__(self) -> None:
        self.spent = self.cpu = 0.0
        self.day = 0
        self.rss = 0.0
        self._quotes = 0

    async def balances(self, biller: BillerId, numbers: Sequence[str]) -> dict[str, Quote | GatewayError]:
        """What the meters say on this day."""
        begun, cpu = time.perf_counter(), time.process_time()
        told: dict[str, Quote | GatewayError] = {number: self._quote(number) for number in numbers}
        self.rss = max(self.rss, _rss())
        self.spent += time.perf_counter() - begun
        self.cpu += time.process_time() - cpu
        return told

    def _quote(self, number: str) -> Quote:
        self._quotes += 1
        low = int(number) % 1_000 < LOW_IN_A_THOUSAND
        return Quote(
            QuoteId(f"q{self.day}-{self._quotes}"), _BILLER, "王*", ZERO, (), _RULE, _AT + timedelta(days=9),
            balance=Money((_LOW if low and self.day else _FULL) - 100 * self.day), daily_use=Money(100),
        )  # fmt: skip


class Timed(Sweep):
    """A sweep that knows how long its careful looks took."""

    def __init__(self, store: Store, size: int) -> None:
        self.meters, self.clock, self.mandates = Meters(), VirtualClock(_AT), size
        billers: Any = self.meters
        super().__init__(store, billers, self.clock, load(), Limits(), pace=Pace(None), owner="bench")
        self._spent = self._cpu = 0.0
        self._looks = 0

    async def _act_on(self, asked: Asked, quote: Quote) -> tuple[PaymentId, ...]:
        self._looks += 1
        if self._looks > _SAMPLE:
            return ()
        with Stopwatch() as watch:
            made = await super()._act_on(asked, quote)
        self._spent += watch.ms / 1e3
        self._cpu += watch.cpu_ms / 1e3
        return made

    def measured(self, after: timedelta) -> _Cost:
        """One round, so long after the last."""
        self.clock.advance(after)
        self.meters.day += after >= timedelta(days=1)
        self.meters.spent = self.meters.cpu = self.meters.rss = self._spent = self._cpu = 0.0
        self._looks, before = 0, _rss()
        with Stopwatch() as watch:
            swept = asyncio.run(self.run())
        assert swept.read == self.mandates, swept.read
        return self._cost(watch, swept, before)

    def _cost(self, watch: Stopwatch, swept: Swept, before: float) -> _Cost:
        ours = watch.ms / 1e3 - self.meters.spent
        each, done = 1e6 / self.mandates, max(min(self._looks, _SAMPLE), 1)
        return _Cost(
            pages=(ours - self._spent) * each,
            cpu=(watch.cpu_ms / 1e3 - self.meters.cpu - self._cpu) * each,
            careful=self._spent * 1e3 / done,
            careful_cpu=self._cpu * 1e3 / done,
            looks=self._looks,
            payments=len(swept.payments),
            seconds=ours - self._spent + self._spent * self._looks / done,
            rss_mb=self.meters.rss,
            grew_mb=self.meters.rss - before,
        )


def _rss() -> float:
    """Megabytes of memory we hold now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


# --- a town of so many households -------------------------------------------------------------------------------------


def settle(store: Store, size: int) -> None:
    """Writes the households past SQLAlchemy: a million of them would take it half an hour."""
    store.run_now(lambda tx: _common(tx))
    for begin in range(0, size, _PIECE):
        some = range(begin, min(begin + _PIECE, size))
        store.run_now(lambda tx, some=some: _settle(tx, some))
    analyze = "ANALYZE" if store.engine.dialect.name == "sqlite" else "VACUUM ANALYZE"
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql(analyze)


def _common(tx: Tx) -> None:
    person = {"id": "p", "name": b"", "role": "family", "created_at": _AT}
    tx.conn.execute(sa.insert(people), person)
    act = {
        "id": "act", "kind": "mandate", "state": "confirmed", "proposer": "p", "payer": "p", "confirmer": "p",
        "channel": "web", "digest": "", "strength": "code", "created_at": _AT, "expires_at": _AT,
    }  # fmt: skip
    tx.conn.execute(sa.insert(acts), act)


def _settle(tx: Tx, some: Iterable[int]) -> None:
    for table, columns, rows in _tables(tx.seal, list(some)):
        _copy(tx, table, columns, rows)


Values = tuple[Any, ...]


def _tables(seal: Sealer, some: list[int]) -> Iterator[tuple[sa.Table, str, Iterator[Values]]]:
    """The rows of some households, table by table."""
    day, until = shanghai(_AT).date(), _AT + timedelta(days=400)
    ids = [(n, f"p{n:08d}", _account(n), f"pm{n:08d}", f"man{n:08d}") for n in some]
    yield (
        people,
        "id name role locale elder low_sight smartphone created_at",
        ((person, b"", "family", "zh", False, False, True, _AT) for _, person, _, _, _ in ids),
    )
    yield accounts, "id biller utility number number_ix holder holder_masked created_at", (
        (
            account, _BILLER, "electricity", seal.seal("accounts.number", account, f"{n:010d}"),
            n.to_bytes(16, "big"), person, "王*", _AT,
        )
        for n, person, account, _, _ in ids
    )  # fmt: skip
    yield (
        instruments,
        "id owner rail token created_at",
        (
            (purse, person, "bench", seal.seal("instruments.token", purse, "t"), _AT)
            for _, person, _, purse, _ in ids
        ),
    )
    yield mandates, _MANDATE, (
        (
            mandate, "act", "top_up", "active", account, _BILLER, person, purse, _BELOW, 10_000, 10_000, 60_000,
            1, until, 0, _AT, _AT, _AT,
        )
        for _, person, account, purse, mandate in ids
    )  # fmt: skip
    yield (
        consents,
        "id person mandate channel event words wording digest factor at",
        (
            (f"con{mandate}", person, mandate, "web", "e", b"", "w", "d", "code", _AT)
            for n, person, _, _, mandate in ids
            if n % 1_000 < LOW_IN_A_THOUSAND
        ),
    )
    yield (
        readings,
        "account at balance_fen daily_use_fen received_at",
        ((account, _AT, _FULL, 100, _AT) for _, _, account, _, _ in ids),
    )
    yield looks, "account noted_on", ((account, day) for _, _, account, _, _ in ids)


_MANDATE = (
    "id act kind state account biller payer instrument below_fen amount_fen per_charge_fen per_month_fen"
    " per_day valid_until failures created_at active_at updated_at"
)


def _account(n: int) -> AccountId:
    """Ids lie as if thrown by dice, as those of `fresh` do."""
    return AccountId(f"acc_{(n * 0x9E3779B97F4A7C15) % 2**64:016x}")


def _copy(tx: Tx, table: sa.Table, columns: str, rows: Iterable[Values]) -> None:
    names = columns.split()
    raw = tx.conn.connection.cursor()
    if tx.conn.dialect.name == "postgresql":
        with raw.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:  # type: ignore[attr-defined]
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join("?" * len(names))
    plain = (tuple(_plain(value) for value in row) for row in rows)
    raw.executemany(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})", plain)


def _plain(value: Any) -> Any:
    """A value as SQLAlchemy would have written it to SQLite."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value) if isinstance(value, dict) else value
