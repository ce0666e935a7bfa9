"""The door when something of ours breaks: the person hears it plainly, a person looks, and the talk stands where it stood."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.playground import Playground
from dialogues.testing.world import Stage


class Broken:
    """An understanding that fails on every sentence."""

    engine = None

    def understand(self, *_: object) -> list[object]:
        raise RuntimeError("broken on purpose")


@pytest.fixture
async def world(pytestconfig: pytest.Config) -> AsyncIterator[Playground]:
    fresh: Playground = pytestconfig.hook.pytest_world_factory(config=pytestconfig)()
    await fresh.start(Stage(persona="chengfs"))
    await fresh.arrange({})
    yield fresh
    await fresh.close()


async def test_a_turn_that_breaks_is_answered_and_brings_a_person(world: Playground) -> None:
    await world.say("chengfs", "交水费")
    house = world.app.desk.house
    world.app.desk.house = replace(house, understanding=Broken())  # type: ignore[arg-type]
    await world.say("chengfs", "付")
    apology = [s for s in await world.sent() if s.person == "chengfs"][-1]
    assert apology.response == "utter_trouble"
    facts = await world.facts()
    (ticket,) = facts.tickets
    assert {"kind": "trouble", "person": "chengfs", "reason": "alarm"}.items() <= ticket.items()
    assert facts.captures == []


async def test_afterwards_the_talk_goes_on_where_it_stood(world: Playground) -> None:
    await world.say("chengfs", "交水费")
    house = world.app.desk.house
    world.app.desk.house = replace(house, understanding=Broken())  # type: ignore[arg-type]
    await world.say("chengfs", "付")
    world.app.desk.house = house
    await world.say("chengfs", "付")
    assert [s.asks for s in await world.sent() if s.person == "chengfs"][-1] == "code"


async def test_the_broken_delivery_repeated_is_not_answered_twice(world: Playground) -> None:
    house = world.app.desk.house
    world.app.desk.house = replace(house, understanding=Broken())  # type: ignore[arg-type]
    await world.say("chengfs", "交水费")
    once = len(await world.sent())
    await world.redeliver("chengfs")
    assert len(await world.sent()) == once
