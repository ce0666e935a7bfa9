"""Who sends more in a minute than anybody can mean is asked to tell one thing at a time; 停 and 人工 get through all the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from data.events import InboundEvent, InboundKind
from data.ids import PersonId
from nlu.commands import Expectation, Human, Stop, Utterance
from nlu.text import spoken_locale
from nlu.understand import Understanding

# By how many messages a person is beyond what one may send in this minute: 0 for nobody in a hurry, 1 for the first too many.
Pace = Callable[[PersonId], Awaitable[int]]

_COUNTED = frozenset({InboundKind.TEXT, InboundKind.VOICE, InboundKind.KEY, InboundKind.PHOTO})
_ALWAYS = frozenset({"0", "0#", "*"})  # keys: a person, and the end of everything


async def no_limit(_person: PersonId) -> int:
    """Nobody is counted."""
    return 0


async def beyond(pace: Pace, understanding: Understanding, event: InboundEvent) -> int:
    """By how many messages this one is too many; never for a call for help or an end, nor for a button we made ourselves."""
    if event.kind not in _COUNTED:
        return 0
    too_many = await pace(event.person)
    return too_many if too_many and not _must_be_heard(understanding, event) else 0


def _must_be_heard(understanding: Understanding, event: InboundEvent) -> bool:
    keys = event.text.strip() if event.kind is InboundKind.KEY else ""
    if keys:
        return keys in _ALWAYS
    words = Utterance(text=event.text, voice=event.kind is InboundKind.VOICE)
    commands = understanding.understand(words, Expectation(locale=spoken_locale(event.text, "zh")))
    return any(isinstance(c, Stop | Human) for c in commands)
