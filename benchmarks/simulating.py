"""How fast the money simulator tells stories: a hundred thousand have to fit into ten minutes of two cores."""

from __future__ import annotations

import os
from collections.abc import Callable

import sqlalchemy as sa

from benchmarks.figures import Row, Spread, Stopwatch, why_missed
from data.store.engine import Tx
from data.store.payments import payments
from payments.simulation.running import simulate
from payments.simulation.scenes import MAY_HAPPEN, ground

Tell = Callable[[str], None]

SEEDS, MINUTES, CORES = 100_000, 10, 2
_MOST_MS = MINUTES * 60e3 * CORES / SEEDS  # of a processor for one story
_ONE = sa.select(payments).where(payments.c.id == sa.bindparam("of_payment"))


def stories(seeds: int, rounds: int, tell: Tell) -> list[Row]:
    """Processor milliseconds of a story, beside as many reads of one row as it makes statements."""
    tell("stories, the scenes")
    for name in MAY_HAPPEN:
        ground(name)
    made = _statements(range(seeds))
    ours, bare, wall = [], [], []
    for n in range(1, rounds + 1):
        tell(f"stories, round {n} of {rounds}")
        with Stopwatch() as watch:
            simulate(range(n * seeds, (n + 1) * seeds))
        ours.append(watch.cpu_ms / seeds)
        wall.append(watch.ms / seeds)
        bare.append(_reads(round(made * seeds)) / seeds)
    return [_row(Spread.of(ours), Spread.of(bare), Spread.of(wall), made)]


def _statements(seeds: range) -> float:
    """How many statements a story makes."""
    count = 0

    def counted(*_how: object) -> None:
        nonlocal count
        count += 1

    engines = [ground(name).stage.engine for name in MAY_HAPPEN]
    for engine in engines:
        sa.event.listen(engine, "before_cursor_execute", counted)
    simulate(seeds)
    for engine in engines:
        sa.event.remove(engine, "before_cursor_execute", counted)
    return count / len(seeds)


def _reads(count: int) -> float:
    """Processor milliseconds of so many reads of one payment."""
    stage = ground("taken").stage
    stage.again()

    def read(tx: Tx) -> None:
        for _ in range(count):
            tx.conn.execute(_ONE, {"of_payment": "pay"}).one_or_none()

    with Stopwatch() as watch:
        stage.run_now(read)
    return watch.cpu_ms


def _row(ours: Spread, bare: Spread, wall: Spread, statements: float) -> Row:
    met = ours.median <= _MOST_MS
    in_ten_minutes = MINUTES * 60e3 * CORES / ours.median
    return Row(
        "money simulator, one story", "ms", ours,
        "as many reads of one row through Core", bare, ours.median / bare.median,
        f"≥ {SEEDS:,} in {MINUTES} minutes on {CORES} cores, which is ≤ {_MOST_MS:.0f} ms of a processor", met,
        "" if met else why_missed(ours.median, wall.median), ours.median,
        {"statements": statements, "stories_in_ten_minutes": in_ten_minutes, "cores": float(os.cpu_count() or 1)},
    )  # fmt: skip
