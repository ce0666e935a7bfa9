"""L12: between 21:00 and 08:00 nobody is rung but for a cut-off within 24 hours or an answer to what he just asked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from data.clock import shanghai
from dialogues import desk
from tests.safety.real_town import RealTown

MANDATE = "我爸妈家电表老没电，低于20块就自动充100，一个月最多300"


async def breaches(town: RealTown, *, nearly_dark: bool = False) -> list[str]:
    """At half past ten in the evening a helper begins a payment, and a meter is topped up by itself."""
    await town.open("limin", "lijg", "xiaozhou", "chengfs")
    await town.says("limin", MANDATE, "确认", town.pin("limin"), "不用")
    await town.later_by(timedelta(hours=13, minutes=30))
    evening = town.clock.now()
    assert shanghai(evening).hour == 22
    before = len(await town.sent())
    await town.says("xiaozhou", "帮程福生交水费")
    if nearly_dark:
        await town.says("limin", "停掉自动缴费")
    await town.control.change_account("E-LI", balance_fen=150 if nearly_dark else 1_500)
    await town.app.sweep()
    await town.settle()
    await town.later_by(timedelta(hours=2))
    night = {s.person for s in (await town.sent())[before:]}
    if nearly_dark:
        return [] if night & {"limin", "lijg"} else ["nobody was told that it will be dark"]
    found = [f"{who} was rung at night" for who in sorted(night - {"xiaozhou"})]
    await town.later_by(timedelta(hours=9))
    morning = {s.person for s in (await town.sent())[before:]}
    return found + [f"{who} never heard of it" for who in sorted({"limin", "lijg"} - morning)]


async def test_news_wait_for_the_morning(town: RealTown) -> None:
    assert await breaches(town) == []
    assert await town.broken() == []


async def test_a_light_that_goes_out_does_not(town: RealTown) -> None:
    assert await breaches(town, nearly_dark=True) == []


async def test_a_breach_is_seen(town: RealTown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "may_ring", lambda *_: True)
    assert await breaches(town) != []
