"""How fast a biller is asked: a bucket of questions that fills with time, and a rest for one that does not answer.

The buckets are rows, so a biller's quota holds over all processes and over their restarts. Time is the injected clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.ids import BillerId
from data.store.engine import Tx
from data.store.mandates import biller_paces as paces

_MOST_DOUBLINGS = 6


@dataclass(frozen=True, slots=True)
class Pace:
    """What one biller is asked at most. `per_second` None: as much as there is (our own billers of a demo town)."""

    per_second: float | None = 50.0
    burst: int = 1_000  # questions that may be asked at once after a quiet time
    rest: timedelta = timedelta(
        minutes=1
    )  # after a question without an answer; doubled each time, to an hour or so

    def rest_after(self, failures: int) -> timedelta:
        """How long nobody asks after so many failures in a row."""
        doublings = min(max(failures - 1, 0), _MOST_DOUBLINGS)
        return self.rest * int(2**doublings)


@dataclass(frozen=True, slots=True)
class Leave:
    """How many of the questions `wanted` may be asked now, and when the others may be tried."""

    now: int
    again_at: datetime
    wanted: int

    def __add__(self, other: Leave) -> Leave:
        return Leave(self.now + other.now, max(self.again_at, other.again_at), self.wanted + other.wanted)


def leaves(tx: Tx, pace: Pace, wanted: Mapping[BillerId, int], at: datetime) -> dict[BillerId, Leave]:
    """Takes questions out of each biller's bucket; none while it rests. Others wait until this transaction ends."""
    rows = _held(tx, pace, wanted, at)
    found = {biller: _granted(pace, rows[biller], wanted[biller], at) for biller in wanted}
    spent = [
        {"of_biller": biller, "left": tokens, "then": max(at, rows[biller].at)}
        for biller, (_, tokens) in found.items()
        if tokens is not None
    ]
    if spent:
        tx.conn.execute(_SPENT, spent)
    return {biller: leave for biller, (leave, _) in found.items()}


def _granted(pace: Pace, row: Any, wanted: int, at: datetime) -> tuple[Leave, float | None]:
    """What may be asked, and what is then left in the bucket (None: it stays as it is)."""
    if row.rests_until is not None and row.rests_until > at:
        return Leave(0, row.rests_until, wanted), None
    if pace.per_second is None:
        return Leave(wanted, at, wanted), None
    passed = max((at - row.at).total_seconds(), 0.0)
    tokens = min(float(pace.burst), row.tokens + passed * pace.per_second)
    granted = min(wanted, int(tokens))
    missing = max((wanted - granted) / pace.per_second, 1.0)
    return Leave(granted, at + timedelta(seconds=missing), wanted), tokens - granted


def answered(tx: Tx, billers: Collection[BillerId]) -> None:
    """They answer (again): what they did before is forgotten."""
    if billers:
        ill = sa.and_(paces.c.biller.in_(sorted(billers)), paces.c.failures > 0)
        tx.conn.execute(sa.update(paces).where(ill).values(failures=0, rests_until=None))


def silent(tx: Tx, pace: Pace, biller: BillerId, at: datetime) -> None:
    """It did not answer: nobody asks it for a while."""
    failures = _held(tx, pace, [biller], at)[biller].failures + 1
    values = {"failures": failures, "rests_until": at + pace.rest_after(failures)}
    tx.conn.execute(sa.update(paces).where(paces.c.biller == biller).values(**values))


def _held(tx: Tx, pace: Pace, billers: Collection[BillerId], at: datetime) -> dict[BillerId, sa.Row[Any]]:
    """Their rows, kept from others; in one order for everybody, so that no two processes wait for each other."""
    wanted = {"of_billers": sorted(billers)}
    rows = {BillerId(row.biller): row for row in tx.conn.execute(_HELD, wanted)}
    if len(rows) < len(billers):
        full = [{"biller": b, "tokens": float(pace.burst), "at": at, "failures": 0} for b in sorted(billers)]
        tx.put_many_new(paces, full)
        rows = {BillerId(row.biller): row for row in tx.conn.execute(_HELD, wanted)}
    return rows


_HELD = (
    sa.select(paces)
    .where(paces.c.biller.in_(sa.bindparam("of_billers", expanding=True)))
    .order_by(paces.c.biller)
    .with_for_update()
)
_SPENT = (
    sa.update(paces)
    .where(paces.c.biller == sa.bindparam("of_biller"))
    .values(tokens=sa.bindparam("left"), at=sa.bindparam("then"))
)


# --- a round spread over its interval -----------------------------------------------------------------------------


def page_due(started_at: datetime, cycle: str, page: int, expected: int, spread: timedelta) -> datetime:
    """When a page of a round is taken, counted from 0: evenly over `spread`, each moved a little by chance.

    The first is taken at once. The chance is that of the round's name, so that every process reckons alike.
    """
    if page == 0 or expected <= 1:
        return started_at
    return started_at + spread * min(1.0, (page - 1 + jitter(f"{cycle}:{page}")) / expected)


def jitter(name: str) -> float:
    """A number from 0 to 1 that belongs to a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32
