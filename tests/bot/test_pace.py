"""Too many messages at once: told so once, politely; 停 and 人工 get through; a Redis that is gone or hangs holds nobody up."""

from __future__ import annotations

import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import bot.pace
from bot.pace import Pace
from bot.playground import Playground
from data.ids import PersonId
from dialogues.testing.world import Stage
from tests.servers import start_valkey

LIMIN, CHENM = PersonId("limin"), PersonId("chenm")


@pytest.fixture(autouse=True)
def one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """The minute does not turn in the middle of a test."""
    monkeypatch.setattr(bot.pace, "_minute_now", lambda: 100)


async def test_each_person_is_counted_for_himself() -> None:
    pace = Pace(2)
    assert [await pace(LIMIN) for _ in range(4)] == [0, 0, 1, 2]
    assert await pace(CHENM) == 0


async def test_a_new_minute_begins_at_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pace = Pace(1)
    assert [await pace(LIMIN) for _ in range(2)] == [0, 1]
    monkeypatch.setattr(bot.pace, "_minute_now", lambda: 101)
    assert await pace(LIMIN) == 0


async def test_nobody_is_counted_where_no_number_is_set() -> None:
    pace = Pace(0)
    assert {await pace(LIMIN) for _ in range(100)} == {0}


async def test_two_processes_count_together(redis_url: str) -> None:
    one, other = Pace(2, redis_url), Pace(2, redis_url)
    try:
        assert [await one(LIMIN), await other(LIMIN), await one(LIMIN), await other(LIMIN)] == [0, 0, 1, 2]
    finally:
        await one.close()
        await other.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hanging"])
async def test_without_redis_each_process_counts_alone_and_hardly_waits(
    how: signal.Signals, tmp_path: Path
) -> None:
    with start_valkey(tmp_path) as valkey:
        pace = Pace(3, valkey.url)
        assert await pace(LIMIN) == 0
        valkey.send(how)
        began = time.monotonic()
        assert [await pace(LIMIN) for _ in range(4)] == [0, 0, 1, 2]
        assert time.monotonic() - began < 1, "asked once, and then not again for a while"
        await pace.close()


# --- at the door ----------------------------------------------------------------------------------------------------


@pytest.fixture
async def world(pytestconfig: pytest.Config, request: pytest.FixtureRequest) -> AsyncIterator[Playground]:
    """A talk of Li Min, who may send three messages in a minute."""
    fresh: Playground = pytestconfig.hook.pytest_world_factory(config=pytestconfig)()
    await fresh.start(Stage(persona="limin", locales={"limin": request.param}))
    await fresh.arrange({})
    fresh.app.desk.pace = Pace(3)
    yield fresh
    await fresh.close()


async def heard(world: Playground) -> list[str]:
    return [s.response for s in await world.sent() if s.person == "limin"]


@pytest.mark.parametrize(
    ("world", "words"), [("zh", "一条一条"), ("en", "one thing at a time")], indirect=["world"]
)
async def test_it_is_said_once_and_what_came_too_fast_begins_nothing(world: Playground, words: str) -> None:
    for _ in range(3):
        await world.say("limin", "你好")
    before = len(await heard(world))
    for _ in range(3):
        await world.say("limin", "交水费")
    assert (await heard(world))[before:] == ["utter_too_many"]
    assert words in (await world.sent())[-1].text


@pytest.mark.parametrize("world", ["zh"], indirect=True)
@pytest.mark.parametrize("words", ["停", "人工"])
async def test_an_end_and_a_person_are_always_heard(world: Playground, words: str) -> None:
    await world.say("limin", "交水费")
    for _ in range(5):
        await world.say("limin", "你好")
    before = len(await heard(world))
    await world.say("limin", words)
    assert len(await heard(world)) > before
    if words == "人工":
        assert any(t["kind"] == "human" for t in (await world.facts()).tickets)
    else:
        assert (await heard(world))[-1] == "utter_stopped"
