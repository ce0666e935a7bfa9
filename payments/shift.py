"""The time a process is at work: while it lasts payments may be begun, and its end waits for what is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Shift:
    """Asked before every step and before everything that is sent. `present`: whether this process's name is its own."""

    def __init__(self, present: Callable[[], bool] = lambda: True) -> None:
        self._present = present
        self._over = False
        self._steps = 0
        self._rest = asyncio.Event()
        self._rest.set()

    @property
    def begins(self) -> bool:
        """Whether a step may begin: not while we are going home, nor when peers may take us for dead."""
        return not self._over and self._present()

    @property
    def sends(self) -> bool:
        """Whether what was begun may still be sent."""
        return self._present()

    @contextmanager
    def step(self) -> Iterator[None]:
        """One step under way."""
        self._steps += 1
        self._rest.clear()
        try:
            yield
        finally:
            self._steps -= 1
            if not self._steps:
                self._rest.set()

    async def end(self, seconds: float) -> bool:
        """Begins nothing more, and waits for what is under way, this long at most; whether all of it ended."""
        self._over = True
        try:
            async with asyncio.timeout(seconds):
                await self._rest.wait()
        except TimeoutError:
            return False
        return True
