"""Clocks that are wrong: each process and the rail have one of their own, some hours off or set back in the middle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from data.clock import VirtualClock

# Seconds a clock may be off, 0 among them: one wrong clock alone shows something else than three.
OFF = (0, 20, -40, 250, -250, 580, -580, 3_000, -3_000, 18_000, -18_000)
_ALL_RIGHT = (0, 0, 0)
_RIGHT_OFTEN = 0.5
OLD = timedelta(days=30)  # of a callback that somebody kept

Off = tuple[int, int, int]  # the process of the story, the other one, the rail


@dataclass
class OwnClock:
    """A machine's own idea of the time: the right one, and how far it is off."""

    right: VirtualClock
    off: timedelta = timedelta(0)

    def now(self) -> datetime:
        """What this machine takes for now."""
        return self.right.at + self.off


def thrown(dice: Random) -> Off:
    """How far the clocks of a story are off; in half of all stories they are right."""
    if dice.random() < _RIGHT_OFTEN:
        return _ALL_RIGHT
    mine, others, towns = (OFF[int(dice.random() * len(OFF))] for _ in range(3))
    return mine, others, towns


def at_most(seconds: int, most: timedelta) -> timedelta:
    """So far off and no further, on either side."""
    return max(-most, min(most, timedelta(seconds=seconds)))
