"""Redis is killed or hangs in the middle of everything: talks and payments go on and nobody waits for it; later it rings again."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.bells import Bells
from bot.pace import Pace
from bot.playground import Playground
from data.ids import PersonId
from dialogues.testing.world import Stage
from tests.servers import ValkeyHandle, start_valkey

LIMIN = PersonId("limin")
# Redis is asked once in five seconds, for a tenth of a second; a busy machine may add its own.
LONGER_SECONDS = 1.0


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyHandle]:
    with start_valkey(tmp_path) as handle:
        yield handle


@pytest.fixture
async def world(pytestconfig: pytest.Config, valkey: ValkeyHandle) -> AsyncIterator[Playground]:
    """Li Min's talk in a house that rings and counts over Redis."""
    fresh: Playground = pytestconfig.hook.pytest_world_factory(config=pytestconfig)()
    await fresh.start(Stage(persona="limin"))
    await fresh.arrange({})
    app = fresh.app
    app.bells = Bells(valkey.url, app.web.wake)
    app.bells.start()
    app.desk._ring = app.bells.ring
    app.desk.pace = app.pace = Pace(60, valkey.url)
    yield fresh
    await fresh.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hanging"])
async def test_a_payment_goes_through_while_redis_is_gone(
    world: Playground, valkey: ValkeyHandle, how: signal.Signals
) -> None:
    await world.say("limin", "你好")
    valkey.send(how)
    began = time.monotonic()
    for _ in range(3):
        await world.app.desk.pace(LIMIN)
        world.app.bells.ring(LIMIN)
    assert time.monotonic() - began < LONGER_SECONDS
    for words in ("交水费", "付", "4071"):
        await world.say("limin", words)
    assert "posted" in [s.claims for s in await world.sent() if s.person == LIMIN]
    assert len((await world.facts()).captures) == 1


async def test_rings_that_nobody_takes_do_not_pile_up_and_later_ones_arrive(valkey: ValkeyHandle) -> None:
    here: list[PersonId] = []
    there: list[PersonId] = []
    one, other = Bells(valkey.url, here.append), Bells(valkey.url, there.append)
    one.start()
    other.start()
    try:
        async with asyncio.timeout(30):
            while not there:
                one.ring(LIMIN)
                await asyncio.sleep(0.05)
        valkey.send(signal.SIGSTOP)
        rung = len(here)
        for _ in range(1_000):
            one.ring(LIMIN)
        assert len(here) == rung + 1_000, "pages of this process are woken all the same"
        assert one.under_way <= 100
        valkey.send(signal.SIGCONT)
        woken = len(there)
        async with asyncio.timeout(30):
            while len(there) == woken:
                one.ring(LIMIN)
                await asyncio.sleep(0.05)
    finally:
        await one.close()
        await other.close()
