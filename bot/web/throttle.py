"""Slows down who guesses: five wrong passwords, or as many tries as the page says, then five minutes of rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from data.clock import Clock

TRIES = 5
REST = timedelta(minutes=5)
# Names are typed by anybody: the memory for them is bounded.
MOST_NAMES = 1000


@dataclass
class Throttle:
    """Counts wrong tries by name, in this process."""

    clock: Clock
    tries: int = TRIES
    _wrong: dict[str, list[datetime]] = field(default_factory=dict)

    def seconds_to_wait(self, name: str) -> float:
        """0 when another try is allowed."""
        recent = self._recent(name)
        return (
            (recent[-self.tries] + REST - self.clock.now()).total_seconds()
            if len(recent) >= self.tries
            else 0.0
        )

    def wrong(self, name: str) -> None:
        recent = [*self._recent(name), self.clock.now()]
        if name not in self._wrong and len(self._wrong) >= MOST_NAMES:
            self._wrong.pop(next(iter(self._wrong)))
        self._wrong[name] = recent

    def right(self, name: str) -> None:
        self._wrong.pop(name, None)

    def _recent(self, name: str) -> list[datetime]:
        now = self.clock.now()
        return [at for at in self._wrong.get(name, ()) if at > now - REST]
