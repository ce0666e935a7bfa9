"""How often, and after which waits, a letter is tried again: what is urgent soon and not for long, the rest with patience."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import timedelta

from data.store.letters import Letter, News


@dataclass(frozen=True, slots=True)
class Schedule:
    """The first wait, the longest one, and after how many tries it is given up on this road."""

    first: timedelta
    longest: timedelta
    tries: int

    def wait(self, letter: Letter) -> timedelta:
        """Doubles with each try, up to the longest; a quarter more or less by the letter, so that an outage does not end in
        a rush. The same letter waits the same: a test and a second process reckon alike."""
        doubled = min(self.first * (1 << min(letter.tries - 1, 20)), self.longest)
        return doubled * (0.75 + (zlib.crc32(f"{letter.id}:{letter.tries}".encode()) % 1000) / 2000)


URGENT = Schedule(timedelta(seconds=15), timedelta(minutes=2), 6)  # some six minutes, then the next road
NOTICE = Schedule(timedelta(minutes=1), timedelta(hours=1), 12)  # about half a working day
# Somebody waits in the talk; it is nowhere else.
REPLY = Schedule(timedelta(minutes=1), timedelta(hours=2), 8)


def schedule_of(news: News | None) -> Schedule:
    """By what the letter tells: an answer in a talk has no news behind it."""
    if news is None:
        return REPLY
    return URGENT if news.body.get("urgent") or "warning" in news.body else NOTICE
