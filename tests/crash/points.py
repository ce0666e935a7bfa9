"""The moments at which a program may be killed: around every transaction and around every question to the outside."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import sqlalchemy as sa

from data.store.engine import Sealer, Store, Tx
from integrations.sandbox.http import Asker

T = TypeVar("T")

_ASK = Asker.send

# Of a transaction that changes something, and of one that only looks.
BEFORE, WRITTEN, KEPT = "before", "written, not kept", "kept"
LOOKED, READ = "looked", "read"


@dataclass
class Points:
    """Counts the moments this process passes and kills it, as `kill -9` does, at one of them (0: at none)."""

    kill_at: int
    note: Callable[[str], None]
    armed: bool = False
    passed: int = 0

    def reach(self, name: str) -> None:
        if not self.armed:
            return
        self.passed += 1
        self.note(name)
        if self.passed == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


class MortalStore(Store):
    """The store, of a process that may die before a transaction, when all is written but nothing kept, or after it."""

    points: Points
    _changed = 0

    @classmethod
    def opened(cls, url: str, sealer: Sealer, points: Points) -> MortalStore:
        store = cls.open(url, sealer)
        assert isinstance(store, MortalStore)
        store.points = points
        sa.event.listen(store.engine, "after_cursor_execute", store._executed)
        # SQLAlchemy tells this before it asks the database to commit.
        sa.event.listen(store.engine, "commit", store._about_to_commit)
        return store

    async def run(self, fn: Callable[[Tx], T]) -> T:
        self.points.reach(f"{BEFORE} {_name(fn)}")
        self._changed = 0
        done = await super().run(fn)
        self.points.reach(f"{KEPT if self._changed else READ} {_name(fn)}")
        return done

    def _executed(self, _conn: Any, cursor: Any, statement: str, *_rest: object) -> None:
        if statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
            self._changed += max(cursor.rowcount, 0)

    def _about_to_commit(self, _conn: Any) -> None:
        self.points.reach(WRITTEN if self._changed else LOOKED)


def _name(fn: Any) -> str:
    return str(getattr(getattr(fn, "func", fn), "__qualname__", "?")).replace(".<locals>.<lambda>", "")


def mind_the_outside(points: Points) -> None:
    """From now on every question to rail or biller is two such moments; the answer is there at the second, unused."""

    async def send(
        self: Asker, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        points.reach(f"before {method} {_without_numbers(path)}")
        try:
            return await _ASK(self, method, path, body)
        finally:
            points.reach(f"answered {method} {_without_numbers(path)}")

    Asker.send = send  # type: ignore[method-assign]


def _without_numbers(path: str) -> str:
    """The same question has the same name in every run."""
    return "/".join(part for part in path.split("/") if not any(c.isdigit() for c in part))
