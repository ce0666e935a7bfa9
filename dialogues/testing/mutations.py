"""The same talk with misbehaving technique or a sudden wish: it must still move the same money, or none more.

redelivery  every input of a person arrives a second time under the same event id
double_tap  every button and single key is pressed twice
restart     the application dies and starts again after every step
channel     the person goes on elsewhere at every step: writes, rings up, opens the page (the rules stand in wandering.py)
together    all of these at every step: one performance that costs a quarter of four
human       at every step somebody asks for a person instead of going on: one turn, and there is one
stop        at every step somebody says stop instead of going on: nothing further is sent to the rail
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from dialogues.testing.player import Player
from dialogues.testing.script import Advance, Check, Disturb, Event, Expect, Human, Race, Script, Step
from dialogues.testing.wandering import Wanderer

CHANNEL = "channel"
_AFTER_A_STEP = ("redelivery", "double_tap", "restart")
DISTURBING = (*_AFTER_A_STEP, CHANNEL)
ASKING = {"human": "人工", "stop": "停"}
TOGETHER = "together"
MUTATIONS = (*DISTURBING, TOGETHER, *ASKING)


def disturber(mutation: str) -> Callable[[Player, Step], Awaitable[None]] | None:
    """What a player does after each step of a disturbed run."""
    return _DISTURBERS.get(mutation)


def wanderer(mutation: str) -> Wanderer | None:
    """Who takes each step of a disturbed run elsewhere."""
    return Wanderer() if mutation in (CHANNEL, TOGETHER) else None


async def _redeliver(player: Player, step: Step) -> None:
    if isinstance(step, Human):
        await player.disturb("redeliver", step.person or player.script.persona)


async def _double_tap(player: Player, step: Step) -> None:
    if isinstance(step, Human):
        await player.disturb("double_tap", step.person or player.script.persona)


async def _restart(player: Player, step: Step) -> None:
    if isinstance(step, (Human, Race, Advance, Event, Disturb)):
        await player.disturb("restart", player.script.persona)


async def _everything(player: Player, step: Step) -> None:
    for mutation in _AFTER_A_STEP:
        await _DISTURBERS[mutation](player, step)


_DISTURBERS: Mapping[str, Callable[[Player, Step], Awaitable[None]]] = {
    "redelivery": _redeliver,
    "double_tap": _double_tap,
    "restart": _restart,
    TOGETHER: _everything,
}

_PRESSED = frozenset({"press", "tap", "key"})


def disturbs(mutation: str, scripts: Iterable[Script]) -> bool:
    """Whether it can change anything in these talks: where no button or key is pressed, none is pressed twice."""
    return mutation != "double_tap" or any(_pressed(s) for one in scripts for s in one.steps)


def _pressed(step: Step) -> bool:
    if isinstance(step, Race):
        return any(map(_pressed, step.steps))
    return isinstance(step, Human) and step.kind in _PRESSED


def cut_short(script: Script, mutation: str) -> Iterator[Script]:
    """The talk broken off after each human step of the persona, who then asks for a person or says stop.

    A while later the clock moves, because what must not happen after a stop would happen late.
    """
    words, done = ASKING[mutation], list[Step]()
    for step in script.steps:
        if isinstance(step, (Expect, Check)):
            continue
        done.append(step)
        if isinstance(step, Human) and step.kind != "hangup":
            ask = Human(step.where, "say", words, step.person)
            wait = Advance(step.where, timedelta(minutes=5))
            yield replace(script, steps=(*done, ask, wait), then={})
