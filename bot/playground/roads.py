"""Roads to people that a script may cut and mend: a channel that does not answer, or a person who has blocked us there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.channels import Delivery
from data.ids import PersonId
from dialogues.model import Said
from dialogues.testing.world import Unsupported

if TYPE_CHECKING:
    from bot.app import Application

_ANSWERS = {"up": Delivery.TAKEN, "down": Delivery.LATER, "blocked": Delivery.NEVER}
_NAMES = ("web", "sms", "sms_before", "telegram", "console", "voice")


@dataclass
class Road:
    """One channel, as the script left it."""

    name: str
    answers: Delivery = Delivery.TAKEN

    async def send(self, person: PersonId, said: Said) -> Delivery:
        """Takes the message, or not."""
        return self.answers


def _all() -> dict[str, Road]:
    return {name: Road(name) for name in _NAMES}


@dataclass
class Roads:
    """Every channel of a played town. Before the first cut nothing is carried: what is written counts as said."""

    cut: bool = False
    channels: dict[str, Road] = field(default_factory=_all)

    async def change(self, application: Application, value: Mapping[str, str]) -> None:
        """`{telegram: down}`: from now on. What was written until then has gone out."""
        if not self.cut:
            await application.carrier.deliver()
            self.cut = True
        for name, how in value.items():
            if name not in self.channels or how not in _ANSWERS:
                raise Unsupported(f"event.channel.{name}.{how}")
            self.channels[name].answers = _ANSWERS[how]

    async def carry(self, application: Application) -> None:
        """What a process of ours does all the time: letters out, and what comes of those that cannot go."""
        if self.cut:
            await application.carrier.deliver()
            if await application.desk.tell_news():
                await application.carrier.deliver()
