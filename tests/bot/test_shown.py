"""What the page says of a letter: shown when the person's own page has it, read when he wrote beneath it; staff who look on change nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.playground import Playground
from bot.talks import WebTalks, history
from data.ids import PersonId
from data.store import letters
from dialogues.testing.world import Stage

WHO = PersonId("chengfs")


@pytest.fixture
async def world(pytestconfig: pytest.Config) -> AsyncIterator[Playground]:
    fresh: Playground = pytestconfig.hook.pytest_world_factory(config=pytestconfig)()
    await fresh.start(Stage(persona="chengfs"))
    await fresh.arrange({})
    yield fresh
    await fresh.close()


def states(world: Playground) -> list[str]:
    found = world.app.store.run_now(lambda tx: letters.letters_to(tx, WHO))
    return [letter.state for letter in found if letter.channel == "web"]


async def test_a_letter_is_sent_then_shown_then_read(world: Playground) -> None:
    talks = WebTalks(world.app)
    await talks.say(WHO, "您好", "1")
    assert set(states(world)) == {"sent"}
    world.app.store.run_now(lambda tx: history(tx, WHO))
    assert set(states(world)) == {"sent"}, "somebody of ours looked at the talk; he did not"
    first = len(states(world))
    await talks.history(WHO)
    assert set(states(world)) == {"delivered"}
    world.clock.at += (world.start_at - world.clock.at) / 100
    await talks.say(WHO, "您能做什么", "2")
    await talks.history(WHO)
    assert states(world)[:first] == ["read"] * first
    assert set(states(world)[first:]) == {"delivered"}
