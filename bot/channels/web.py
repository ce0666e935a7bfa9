"""The road to a browser: the page reads the letters itself, so sending means telling open pages to look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot.channels import Delivery
from data.ids import PersonId
from dialogues.model import Said

if TYPE_CHECKING:
    from collections.abc import Iterator

# Key of those who watch everybody: the staff's queue.
_EVERYBODY = PersonId("")


class WebChannel:
    """Open pages of this process, by person. A page that is closed finds its letters when it is opened again."""

    name = "web"

    def __init__(self) -> None:
        self._open: dict[PersonId, set[asyncio.Event]] = {}

    async def send(self, person: PersonId, said: Said) -> Delivery:
        """The letter already lies where the page reads it; whoever has the page open is told to look."""
        self.wake(person)
        return Delivery.TAKEN

    def wake(self, person: PersonId) -> None:
        """Something of this person changed: a letter, a code on the other phone, a member of staff."""
        for bell in (*self._open.get(person, ()), *self._open.get(_EVERYBODY, ())):
            bell.set()

    def changes(self, person: PersonId) -> AsyncIterator[None]:
        """One item whenever something of this person changed; several changes at once are one item."""
        return self._ring(person)

    def all_changes(self) -> AsyncIterator[None]:
        """One item whenever anything of anybody changed: for the staff page."""
        return self._ring(_EVERYBODY)

    def watchers(self, person: PersonId) -> int:
        """How many pages of this person are open now."""
        return len(self._open.get(person, ()))

    async def _ring(self, person: PersonId) -> AsyncIterator[None]:
        with self._bell(person) as bell:
            while True:
                await bell.wait()
                bell.clear()
                yield None

    @contextmanager
    def _bell(self, person: PersonId) -> Iterator[asyncio.Event]:
        bell = asyncio.Event()
        self._open.setdefault(person, set()).add(bell)
        try:
            yield bell
        finally:
            self._open[person].discard(bell)
            if not self._open[person]:
                del self._open[person]
