"""Two programs with different flows serve one talk by turns, as in a deploy: each goes on where the other stopped, and it is paid once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle

import pytest

from bot.app import Application, Words, build
from bot.playground import Playground
from data.events import InboundEvent, InboundKind
from data.ids import PersonId
from dialogues.desk import Desk
from dialogues.model import Where
from dialogues.testing import deploys
from dialogues.testing.world import Stage

LIMIN = PersonId("limin")
NEW_WORDS = {"files": "../deploys/new_words"}
CHANGED = {**NEW_WORDS, "actions": {"action_last_paid": {"outcomes": ["known", "none", "several"]}}}


def beside(world: Playground, new: object) -> Application:
    """A newer program on the same store."""
    assert world.words is not None
    wanted = deploys.read(new, Where(__file__, 1))
    release, actions = deploys.newer(world.words.release, world.actions, wanted)
    other = build(world.app.settings, clock=world.clock, words=Words(release, world.words.understanding))
    other.desk.house = replace(other.desk.house, actions=actions)
    return other


async def said(desk: Desk, world: Playground, number: int, text: str) -> list[str]:
    event = InboundEvent("telegram", f"turn-{number}", LIMIN, InboundKind.TEXT, world.clock.now(), text=text)
    served = await desk.serve(event)
    await desk.rest()
    return [one.response for one in served.said]


async def talked(world: Playground, new: object) -> list[list[str]]:
    """A payment whose turns are served by the older and the newer program in turn."""
    await world.start(Stage(persona="limin"))
    other = beside(world, new)
    desks: Iterator[Desk] = cycle([world.app.desk, other.desk])
    heard = []
    try:
        for number in range(9):
            words = "交水费" if number == 0 else "付"
            if heard and "utter_ask_code" in heard[-1]:
                words = await world.second_factor("limin", "code")
            heard.append(await said(next(desks), world, number, words))
            if "utter_captured" in heard[-1]:
                break
        captures = (await world.facts()).captures
        assert captures is not None
        assert [(one.account, one.fen) for one in captures] in ([("W-LI", 4650)], [])
        heard.append([f"{len(captures)} captures"])
    finally:
        await other.close()
        await world.close()
    return heard


def test_by_turns_in_the_flows_it_began_with(request: pytest.FixtureRequest) -> None:
    world = request.config.hook.pytest_world_factory(config=request.config)()
    assert asyncio.run(talked(world, NEW_WORDS)) == [
        ["utter_confirm_pay"],
        ["utter_ask_code"],
        ["utter_captured"],
        ["1 captures"],
    ]


def test_where_the_python_differs_too_nothing_is_paid_on_a_yes_given_elsewhere(
    request: pytest.FixtureRequest,
) -> None:
    world = request.config.hook.pytest_world_factory(config=request.config)()
    heard = asyncio.run(talked(world, CHANGED))
    assert heard[1] == ["utter_renewed", "utter_confirm_pay"]
    assert heard[2] == ["utter_renewed", "utter_confirm_pay"]
    assert "utter_human_coming" in heard[3]  # three times is enough (L10)
    assert heard[-1] == ["0 captures"]  # every yes came to the other program
    assert not any("utter_trouble" in one for one in heard)
