"""On which channels somebody of a playground may go on with his talk, and how he gets from one to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.events import InboundKind
from data.ids import PersonId
from dialogues.testing.wandering import VOICE

if TYPE_CHECKING:
    from bot.playground import Playground

_ONLY = frozenset({VOICE, "console"})  # whoever begins there has nothing else


def ways(world: Playground, person: str) -> tuple[str, ...]:
    """His own, the telephone he is registered with, and the page."""
    found = world.world.people.get(PersonId(person))
    own = world.homes.setdefault(person, world.channel_of(person))
    if found is None or own in _ONLY:
        return (own,)
    return tuple(dict.fromkeys((own, *((VOICE,) if found.phone else ()), "web")))


def ring(world: Playground, person: str) -> None:
    """He is on the telephone now."""
    world.homes.setdefault(person, world.channel_of(person))
    world.channels[person] = VOICE


def hang_up(world: Playground, person: str) -> None:
    """Back to where he began."""
    world.channels[person] = world.homes.get(person, world.channel_of(person))


async def go(world: Playground, person: str, channel: str) -> None:
    """He hangs up, rings up, or simply writes elsewhere."""
    if (here := world.channel_of(person)) == channel:
        return
    if here == VOICE:
        await world.serve(person, InboundKind.HANGUP)
    world.channels[person] = channel
    if channel == VOICE:
        await world.serve(person, InboundKind.CALL)
