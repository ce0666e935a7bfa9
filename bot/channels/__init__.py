"""The roads on which people reach us and we reach them: a browser, a terminal, a messenger."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from data.ids import PersonId
from dialogues.model import Said


class Delivery(StrEnum):
    """What became of one message that was handed to a channel."""

    TAKEN = "taken"  # the channel has it: never send it again
    SHOWN = "shown"  # and the person has it before his eyes, as the channel knows at once
    LATER = "later"  # it could not be handed over now: try again
    NEVER = "never"  # this person cannot be reached here any more


class Channel(Protocol):
    """One road to people. It knows no dialogue, no timers and no money."""

    @property
    def name(self) -> str:
        """The adapter's name as it stands in inbox and outbox rows: web, console, telegram …"""

    async def send(self, person: PersonId, said: Said) -> Delivery:
        """Hands one message over. Trouble on the way is an answer (LATER, NEVER), not an exception."""
