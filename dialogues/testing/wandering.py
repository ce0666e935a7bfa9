"""Somebody who goes on elsewhere: the same talk, but each step of it on another of the channels he may use.

He writes, rings up, opens the page, and writes again, and the same money must move. What he does goes with him as far as
it can be done there:

* words are written, or said on the telephone, where a row of digits is keyed;
* a yes, a no, a person and a stop are a button, a key (1, 2, 0, *) or a word; any other button is what stands on it, said;
* an older button is pressed where it stands, so he goes back there;
* what a recogniser heard, silence, ringing up and hanging up belong to the telephone, and whoever begins on it stays on it:
  there a yes may be a key alone, which elsewhere is no yes; a code goes to another telephone than the one he speaks on,
  so there he proves himself by his PIN;
* between a yes and its code, and while a choice is open, nobody rings up: who rings is greeted, and has read to him anew
  what he is asked (a choice that was only offered is gone then, as it is for everybody who rings).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from dialogues.testing.script import Heard, Human, Press, Tap

if TYPE_CHECKING:
    from dialogues.testing.player import Player

VOICE = "voice"
_OF_THE_TELEPHONE = frozenset({"voice", "silence", "call_in", "hangup"})
_RINGS_AT = frozenset({"open", "account", "name_check", "amount", "confirm", "consent"})
_KEYS = {"affirm": "1", "deny": "2", "human": "0", "stop": "*"}
_DIGITS = re.compile(r"\d{4,16}|\{(?:valid|wrong)_(?:code|pin)\}")


class Wanderer:
    """One performance's wanderings; nobody's next step depends on chance."""

    def __init__(self) -> None:
        self._steps: Counter[str] = Counter()

    async def step(self, player: Player, step: Human, person: str) -> Human:
        """The step as it is done where he is now; before it he goes there."""
        ways = await player.world.ways(person)
        if len(ways) < 2:
            return step
        await player.world.go(person, await self._next(player, step, person, ways))
        return _carried(step, await player.world.here(person))

    async def _next(self, player: Player, step: Human, person: str, ways: tuple[str, ...]) -> str:
        """Where this step is done. The first stays where the script begins."""
        here, number = await player.world.here(person), self._steps[person]
        self._steps[person] += 1
        if step.kind in _OF_THE_TELEPHONE:
            return here if step.kind == "call_in" or VOICE not in ways else VOICE
        if (isinstance(step.value, Press) and step.value.back) or _is_of_staff(step):
            return ways[0]
        wanted = ways[number % len(ways)]
        if wanted == VOICE and here != VOICE and not _may_ring(player, person):
            return here
        return here if _keeps_him(player, person) else wanted


def _may_ring(player: Player, person: str) -> bool:
    talk = player.facts.talks.get(person)
    return talk is None or (talk.mode != "human" and talk.waits_for in _RINGS_AT)


def _keeps_him(player: Player, person: str) -> bool:
    """A code is typed where it was asked for."""
    talk = player.facts.talks.get(person)
    return talk is not None and talk.waits_for == "code"


def _is_of_staff(step: Human) -> bool:
    return isinstance(step.value, Tap) and step.value.command not in _KEYS


def _carried(step: Human, channel: str) -> Human:
    """The same step in the manner of a channel."""
    if channel != VOICE:
        return step
    match step.kind, step.value:
        case "say", str() as text:
            return _spoken(step, text.replace("_code}", "_pin}").strip())
        case "tap", Tap(command) if command in _KEYS:
            return replace(step, kind="key", value=_KEYS[command])
        case "press", Press(label):
            return _pressed_elsewhere(step, label)
    return step


def _spoken(step: Human, text: str) -> Human:
    if _DIGITS.fullmatch(text):
        return replace(step, kind="key", value=text)
    return replace(step, kind="voice", value=Heard((text,)))


def _pressed_elsewhere(step: Human, label: str) -> Human:
    if (key := _KEYS.get(label.removeprefix("/"))) is not None:
        return replace(step, kind="key", value=key)
    return replace(step, kind="voice", value=Heard((label,)))
