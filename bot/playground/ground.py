"""The ground a played town stands on: where its databases lie, how long spans of time last, and what falls due in them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from data.store.engine import Store
from data.store.payments import payments


def in_memory() -> str | None:
    """Where a played town lies: in memory where the machine offers it. It is forgotten afterwards; no disk need hear of it."""
    memory = Path("/dev/shm")  # noqa: S108
    return str(memory) if os.access(memory, os.W_OK) else None


def seconds(words: str) -> float:
    """How long `90s`, `5m`, `2h` or `3d` lasts, in seconds."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    return float(words[:-1]) * units[words[-1]]


async def next_due(store: Store, now: datetime, until: datetime) -> datetime | None:
    """When the next payment is looked at after `now`; None when that is later than `until`."""
    soonest = sa.select(sa.func.min(payments.c.next_at)).where(payments.c.next_at > now)
    found: datetime | None = await store.run(lambda tx: tx.conn.scalar(soonest))
    at = found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found
    return at if at is not None and at <= until else None


async def poke(store: Store, now: datetime) -> None:
    """Payments that wait for a poll are asked now: a real biller would ring."""
    waiting = sa.update(payments).where(payments.c.next_at.is_not(None)).values(next_at=now)
    await store.run(lambda tx: tx.conn.execute(waiting))
