"""停 and 人工 overtake whoever is slow: answered at once, and the late answer changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.safety.real_town import RealTown, Towns

AT_ONCE_SECONDS = 5  # of this machine's time, while the biller's answer takes 20 of the town's


@pytest.fixture
async def patient(make_town: Towns) -> AsyncIterator[RealTown]:
    """A town where nobody gives up waiting for an answer, and 正在查 comes quickly."""
    made = make_town(patience_seconds=0.05, gateway_seconds=30.0)
    yield made
    await made.close()


async def _slow_biller(town: RealTown) -> RealTown:
    await town.open("limin")
    await town.control.fault("biller", "slow", seconds=20, account="W-LI", operation="query", uses=1)
    await town.app.desk.serve(town.message("limin", "交水费"))
    assert [s.response for s in await town.heard_by("limin")] == ["utter_looking"]
    return town


async def _at_last(town: RealTown) -> None:
    """The biller's answer arrives."""
    await town.move_to(town.clock.now() + timedelta(seconds=21))
    async with asyncio.timeout(AT_ONCE_SECONDS):
        await town.settle()


@pytest.mark.parametrize("second_process", [False, True])
async def test_stop_overtakes_a_slow_biller(patient: RealTown, second_process: bool) -> None:
    town = await _slow_biller(patient)
    process = town.another_process() if second_process else town.app
    async with asyncio.timeout(AT_ONCE_SECONDS):
        served = await process.desk.serve(town.message("limin", "停"))
    assert [s.response for s in served.said] == ["utter_stopped"]
    before = await town.sent()
    await _at_last(town)
    assert await town.sent() == before
    assert await town.asks("limin") == "open"
    # What was stopped cannot be said yes to afterwards.
    await town.says("limin", "确认", town.pin("limin"))
    assert await town.captures() == []


async def test_a_person_overtakes_a_slow_biller(patient: RealTown) -> None:
    town = await _slow_biller(patient)
    async with asyncio.timeout(AT_ONCE_SECONDS):
        served = await town.app.desk.serve(town.message("limin", "人工"))
    assert [s.response for s in served.said] == ["utter_human_coming"]
    assert [t["person"] for t in (await town.facts()).tickets or ()] == ["limin"]
    before = await town.heard_by("limin")
    await _at_last(town)
    assert await town.heard_by("limin") == before
    # The business is kept: taken up again, it goes on with a fresh read-back and not before.
    assert "46.50元" in (await town.says("limin", "接着办"))[-1]
    assert await town.captures() == []


async def test_stop_while_the_rail_is_slow_promises_nothing_untrue(patient: RealTown) -> None:
    town = await patient.open("limin")
    await town.says("limin", "交水费", "确认")
    await town.control.fault("rail", "slow", seconds=20, operation="charge")
    await town.app.desk.serve(town.message("limin", town.pin("limin")))
    assert [s.response for s in await town.heard_by("limin")][-1] == "utter_working"
    async with asyncio.timeout(AT_ONCE_SECONDS):
        stopped = await town.app.desk.serve(town.message("limin", "停"))
    assert [s.response for s in stopped.said] == ["utter_stopped_in_flight"]
    assert "没有扣" not in stopped.said[0].text
    await _at_last(town)
    # The rail had taken it: nothing else may be said than that, and it stays one payment.
    assert await town.captures() == [("W-LI", 4_650)]
    assert any(s.claims == "captured" for s in await town.heard_by("limin"))
    assert await town.broken() == []


async def test_stop_before_anything_was_sent_sends_nothing(patient: RealTown) -> None:
    """The yes is written down, and the process that should carry it out is not there."""
    town = await patient.open("limin")
    await town.says("limin", "交水费", "确认")

    async def nobody(payments: object) -> None:
        """A process that died right after the yes."""

    town.app.desk._carry_out = nobody
    await town.app.desk.serve(town.message("limin", town.pin("limin")))
    heard = await town.says("limin", "停")
    assert any("没有扣" in text for text in heard)
    await town.later_by(timedelta(minutes=10))
    assert await town.captures() == []
    assert [c for c in (await town.facts()).gateway_calls or () if c.action == "pay"] == []
    assert await town.broken() == []
