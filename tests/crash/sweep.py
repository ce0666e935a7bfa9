"""Which moments of a talk are worth dying at, and playing them all on two cores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from queue import SimpleQueue

from tests.crash.judge import breaches
from tests.crash.lane import Case, Lane, Told
from tests.crash.points import BEFORE, LOOKED, READ, WRITTEN


class Lanes:
    """Several lanes, each playing one case at a time."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._free: SimpleQueue[Lane] = SimpleQueue()
        self._count = len(lanes)
        for lane in lanes:
            self._free.put(lane)

    def rehearse(self, case: Case) -> Told:
        """The last life of a case, which must go well."""
        found, life = self._judged(case)
        assert not found, "\n".join(found)
        return life

    def broken(self, case: Case) -> list[str]:
        """What was wrong in one case."""
        return self._judged(case)[0]

    def play(self, cases: Iterable[Case]) -> list[str]:
        """Plays them all; everything that was wrong in any of them."""
        with ThreadPoolExecutor(self._count) as players:
            return [what for found, _ in players.map(self._judged, cases) for what in found]

    def _judged(self, case: Case) -> tuple[list[str], Told]:
        lane = self._free.get()
        try:
            with lane.played(case) as played:
                return breaches(played), played.lives[-1]
        finally:
            self._free.put(lane)


def every_moment(life: Told) -> list[int]:
    """All points of a life."""
    return list(range(1, len(life.all("point")) + 1))


def moments(life: Told) -> list[int]:
    """The points that differ: around everything that changes a row, and around every question to the outside.

    Between two of them the process only looks; what it would lose there, it loses at their neighbours.
    """
    names = life.all("point")
    return [n for n, name in enumerate(names, 1) if _differs(name, names[n] if n < len(names) else "")]


def _differs(name: str, following: str) -> bool:
    if name.startswith((LOOKED, READ)):
        return False
    asks = name.startswith((f"{BEFORE} GET", f"{BEFORE} POST"))
    return asks or following == WRITTEN or not name.startswith(BEFORE)


def point(life: Told, name: str) -> int:
    """The first point whose name begins so."""
    return next(n for n, found in enumerate(life.all("point"), 1) if found.startswith(name))


def spread(points: Sequence[int], count: int) -> list[int]:
    """So many of them, evenly, with the first and the last; all when they are no more."""
    if len(points) <= count:
        return list(points)
    step = (len(points) - 1) / (count - 1)
    return sorted({points[round(n * step)] for n in range(count)})


def killed(case: Case, points: Iterable[int]) -> list[Case]:
    """The case with one more crash, at each of these points."""
    return [replace(case, kills=(*case.kills, point)) for point in points]
