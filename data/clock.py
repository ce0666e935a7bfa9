"""What time it is, asked of one injected clock; days and months are those of Shanghai."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
# From nine in the evening to eight in the morning nobody is disturbed (L12).
QUIET_FROM, QUIET_TO = 21, 8


class Clock(Protocol):
    """Time source of the whole application."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class VirtualClock:
    """A clock that stands until it is moved: tests, the simulator and `bangjiao play`."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> datetime:
        """Moves forward; going backwards is a mistake of the caller."""
        if by < timedelta(0):
            raise ValueError("a clock does not go backwards")
        self.at += by
        return self.at


def shanghai(at: datetime) -> datetime:
    """The same instant on a Shanghai wall clock."""
    return at.astimezone(SHANGHAI)


def today(clock: Clock) -> date:
    """The date in Shanghai now."""
    return shanghai(clock.now()).date()


@dataclass(frozen=True, slots=True)
class Quiet:
    """From which hour of the evening to which of the morning somebody is left alone, on a Shanghai wall clock (L12)."""

    since: int = QUIET_FROM
    until: int = QUIET_TO

    def holds(self, at: datetime) -> bool:
        """Whether it is quiet at this instant."""
        return not self.until <= shanghai(at).hour < self.since

    def over(self, at: datetime) -> datetime:
        """When the next day of telling things begins."""
        local = shanghai(at)
        morning = local.replace(hour=self.until, minute=0, second=0, microsecond=0)
        return morning if local < morning else morning + timedelta(days=1)


# For whoever has not asked for other hours.
USUAL = Quiet()


def is_quiet(at: datetime) -> bool:
    """Whether people are left alone at this instant (L12)."""
    return USUAL.holds(at)


def next_morning(at: datetime) -> datetime:
    """The next eight o'clock in Shanghai."""
    return USUAL.over(at)
