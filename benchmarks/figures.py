"""Figures with their noise, and the row in which one stands beside its peer and what was to be reached."""

from __future__ import annotations

import os
import platform
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Spread:
    """Many measurements of one thing in one unit. With fewer than a hundred, `p99` is the largest."""

    median: float
    p99: float
    least: float
    most: float
    count: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Raises ValueError when nothing was measured."""
        found = sorted(values)
        if not found:
            raise ValueError("nothing was measured")
        return cls(
            median(found), found[int(0.99 * (len(found) - 1) + 0.999)], found[0], found[-1], len(found)
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `ratio` is what `reach` speaks of; `met` is None where nothing is asked yet.

    `cpu_ms` is the processor time of our own process for one piece of the work: it hardly depends on who else is
    working on the machine.
    """

    work: str
    unit: str
    figure: Spread
    peer: str = ""
    peer_figure: Spread | None = None
    ratio: float | None = None
    reach: str = ""
    met: bool | None = None
    why: str = ""
    cpu_ms: float | None = None
    more: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The row as plain values."""
        return asdict(self)


class Stopwatch:
    """Wall and processor milliseconds of what happens inside `with`."""

    def __enter__(self) -> Stopwatch:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_error: object) -> None:
        self.ms = (time.perf_counter() - self._wall) * 1e3
        self.cpu_ms = (time.process_time() - self._cpu) * 1e3


def why_missed(cpu_ms: float, wall_ms: float) -> str:
    """How much of a processor we were given: on a machine others use, this is what a slow figure says first."""
    share = 100 * cpu_ms / wall_ms if wall_ms else 0.0
    return (
        f"our process ran {share:.0f} % of the time; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )


def machine() -> dict[str, Any]:
    """Machine state and versions, as they were when the run began."""
    return {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "load_before": [round(x, 2) for x in os.getloadavg()],
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "sqlalchemy": sa.__version__,
    }
