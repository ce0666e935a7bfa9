"""The ground a played town stands on: where its databases lie, and how long its spans of time last."""

from __future__ import annotations

import os
from pathlib import Path


def in_memory() -> str | None:
    """Where a played town lies: in memory where the machine offers it. It is forgotten afterwards; no disk need hear of it."""
    memory = Path("/dev/shm")  # noqa: S108
    return str(memory) if os.access(memory, os.W_OK) else None


def seconds(words: str) -> float:
    """How long `90s`, `5m`, `2h` or `3d` lasts, in seconds."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    return float(words[:-1]) * units[words[-1]]
