"""Roads to people that a script may cut and mend: a channel that does not answer, or a person who has blocked us there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from bot.carrier import Carrier
from bot.channels import Delivery
from data.ids import PersonId
from dialogues.hearing import still_so
from dialogues.model import Said
from dialogues.testing.world import Unsupported

if TYPE_CHECKING:
    from bot.app import Application

_ANSWERS = {"up": Delivery.TAKEN, "down": Delivery.LATER, "blocked": Delivery.NEVER}
_NAMES = ("web", "sms", "telegram", "console", "voice")


@dataclass
class Road:
    """One channel, as the script left it."""

    name: str
    answers: Delivery = Delivery.TAKEN

    async def send(self, person: PersonId, said: Said) -> Delivery:
        """Takes the message, or not."""
        return self.answers


@dataclass
class Roads:
    """Every channel of a played town. Before the first cut nothing is carried: what is written counts as said."""

    cut: bool = False
    _roads: dict[str, Road] = field(default_factory=lambda: {name: Road(name) for name in _NAMES})

    async def change(self, application: Application, value: Mapping[str, str]) -> None:
        """`{telegram: down}`: from now on. What was written until then has gone out."""
        if not self.cut:
            await self._deliver(application)
            self.cut = True
        for name, how in value.items():
            if name not in self._roads or how not in _ANSWERS:
                raise Unsupported(f"event.channel.{name}.{how}")
            self._roads[name].answers = _ANSWERS[how]

    async def carry(self, application: Application) -> None:
        """What a process of ours does all the time: letters out, and what comes of those that cannot go."""
        if self.cut:
            await self._deliver(application)
            if await application.desk.tell_news():
                await self._deliver(application)

    async def _deliver(self, application: Application) -> None:
        holds = partial(still_so, application.desk.house)
        await Carrier(application.store, self._roads, application.clock, holds).deliver()
