"""A process that dies in the middle of what it does, and a store that outlives it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from data.store.engine import Store, Tx

T = TypeVar("T")


class Crash(BaseException):
    """The process is gone: nobody catches this but who tells the story."""


@dataclass
class Fuse:
    """Counts the points at which a process may die, and dies at one of them (0: at none)."""

    at: int = 0
    passed: int = 0

    def point(self) -> None:
        """A moment between two effects. Raises Crash."""
        self.passed += 1
        if self.passed == self.at:
            raise Crash

    def set(self, at: int) -> None:
        """Counts anew."""
        self.at, self.passed = at, 0


class Mortal(Store):
    """A store in memory whose process may die before or after any transaction."""

    def __init__(self, store: Store, fuse: Fuse) -> None:
        vars(self).update(vars(store))
        self._store, self._fuse = store, fuse

    async def run(self, fn: Callable[[Tx], T]) -> T:
        """As `Store.run`."""
        self._fuse.point()
        done = await self._store.run(fn)
        self._fuse.point()
        return done

    def run_now(self, fn: Callable[[Tx], T]) -> T:
        """As `Store.run_now`."""
        return self._store.run_now(fn)


def at_once(doing: Coroutine[Any, Any, T]) -> T:
    """What a coroutine gives that waits for nobody: here the store is in memory and the town answers on the spot.

    Raises RuntimeError for one that would wait.
    """
    try:
        doing.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    doing.close()
    raise RuntimeError("nothing waits in a simulated town")
