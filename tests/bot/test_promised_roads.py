"""Nobody is promised a notice on a road that this house does not go, and a notice on another road leaves the talk where it is."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.app import build
from bot.playground import Playground
from data.events import InboundEvent, InboundKind
from data.ids import PersonId
from data.store import letters
from dialogues import staffing
from dialogues.testing.world import Stage
from payments.authority import wishes
from payments.notices import notice

LIMIN = PersonId("limin")


async def asked_for(world: Playground, roads: frozenset[str], words: str) -> tuple[list[str], str | None]:
    """What is answered to a wish for a road where the house goes only these, and which one is kept."""
    await world.start(Stage(persona="limin"))
    desk = world.app.desk
    desk.house = replace(desk.house, roads=roads)
    event = InboundEvent("telegram", "1", LIMIN, InboundKind.TEXT, world.clock.now(), text=words)
    try:
        served = await desk.serve(event)
        wished = await world.app.store.run(lambda tx: wishes.of(tx, LIMIN))
        return [one.response for one in served.said], wished.road
    finally:
        await world.close()


@pytest.mark.parametrize(
    ("roads", "words", "response", "kept"),
    [
        ({"telegram", "sms"}, "以后打电话告诉我", "utter_notices_not_gone", None),
        ({"telegram", "sms", "voice"}, "以后打电话告诉我", "utter_notices_changed", "voice"),
        ({"telegram"}, "以后用短信通知我吧", "utter_notices_not_gone", None),
        ({"telegram", "sms"}, "以后用短信通知我吧", "utter_notices_changed", "sms"),
    ],
)
def test_only_a_road_that_is_gone_is_kept(
    request: pytest.FixtureRequest, roads: set[str], words: str, response: str, kept: str | None
) -> None:
    world = request.config.hook.pytest_world_factory(config=request.config)()
    assert asyncio.run(asked_for(world, frozenset(roads), words)) == ([response], kept)


@pytest.mark.parametrize(("town", "promised"), [(True, True), (False, False)])
def test_a_page_rings_nobody_up_and_only_the_towns_page_has_another_telephone(
    request: pytest.FixtureRequest, town: bool, promised: bool
) -> None:
    world = request.config.hook.pytest_world_factory(config=request.config)()

    async def promises() -> frozenset[str]:
        await world.start(Stage(persona="limin"))
        settings = world.app.settings.model_copy(update={"town": town})
        house = build(settings, clock=world.clock, words=world.words)
        try:
            return frozenset(house.desk.house.roads or ())
        finally:
            await house.close()
            await world.close()

    roads = asyncio.run(promises())
    assert ("sms" in roads, "voice" in roads, "web" in roads) == (promised, False, True)


def test_a_call_with_a_notice_does_not_take_the_talk_to_the_telephone(request: pytest.FixtureRequest) -> None:
    world = request.config.hook.pytest_world_factory(config=request.config)()
    low = {"account": "E-LI", "balance_fen": 1790, "days_left": 3}

    async def told() -> tuple[str, str]:
        await world.start(Stage(persona="limin"))
        app, at = world.app, world.clock.now()
        event = InboundEvent("telegram", "1", LIMIN, InboundKind.TEXT, at, text="以后打电话告诉我")
        try:
            await app.desk.serve(event)
            await app.store.run(lambda tx: notice(tx, LIMIN, "low_balance", "x", low, at))
            await app.desk.tell_news()
            written = await app.store.run(lambda tx: letters.letters_to(tx, LIMIN))
            talk = await app.store.run(lambda tx: staffing.peek(tx, LIMIN))
            assert talk is not None
            return written[-1].channel, talk.channel
        finally:
            await world.close()

    assert asyncio.run(told()) == ("voice", "telegram")
