"""A whole turn with an engine elsewhere: nothing is held meanwhile, nothing private reaches it, and it pays nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from nlu.engine import Parse
from nlu.engines.elsewhere import Elsewhere
from nlu.understand import OFFERED, Understanding
from tests.safety.real_town import RealTown

VAGUE = "那个家里头的事情麻烦给瞅瞅呗"


class Adviser:
    """Says what he is told, and remembers what he was asked."""

    name = "told"

    def __init__(self, intent: str, meanwhile: Callable[[], Awaitable[None]] | None = None) -> None:
        self._intent = intent
        self._meanwhile = meanwhile
        self.asked: list[str] = []

    def wanted(self, ours: Parse, locale: str) -> bool:
        return True

    async def advise(self, text: str, locale: str) -> Parse:
        self.asked.append(text)
        if self._meanwhile is not None:
            await self._meanwhile()
        return Parse(((self._intent, 0.99),), 0.99, True)

    async def healthy(self) -> bool:
        return True

    async def aclose(self) -> None:
        """Holds nothing."""


def beside(town: RealTown, adviser: Adviser, budget: float = 5.0) -> Adviser:
    """Lets the town's house ask this adviser besides."""
    desk = town.app.desk
    elsewhere = Elsewhere(adviser, desk.house.understanding.engine, budget_seconds=budget)
    begun = {flow.id for flow in desk.house.release.flows.values() if flow.intents}
    desk.house = replace(desk.house, understanding=Understanding(elsewhere, OFFERED | begun))
    return adviser


async def test_no_transaction_waits_for_an_engine(town: RealTown) -> None:
    """The store serves others while it is asked; inside a transaction its only thread would be held."""
    await town.open("limin")
    served = []

    async def meanwhile() -> None:
        async with asyncio.timeout(3):
            served.append(await town.app.store.run(lambda tx: "served"))

    adviser = beside(town, Adviser("check_balance", meanwhile))
    assert await town.says("limin", VAGUE)
    assert served == ["served"]
    assert adviser.asked == [VAGUE]


async def test_the_opinion_counts_and_is_asked_once_for_an_event(town: RealTown) -> None:
    await town.open("limin")
    adviser = beside(town, Adviser("who_sees"))
    event = town.message("limin", VAGUE)
    first = await town.do(event)
    talk = "\n".join(first)
    assert "看" in talk, "who sees my accounts was answered"
    assert await town.do(event) == []
    assert len(adviser.asked) == 1


async def test_a_slow_engine_costs_the_budget_and_no_more(town: RealTown) -> None:
    await town.open("limin")
    beside(town, Adviser("human_help", lambda: asyncio.sleep(60)), budget=0.1)
    began = time.monotonic()
    assert await town.says("limin", VAGUE)
    assert time.monotonic() - began < 10
    assert await town.asks("limin") == "open"


async def test_numbers_codes_pins_and_a_plain_yes_are_told_to_nobody(town: RealTown) -> None:
    await town.open("chenm", "limin")
    adviser = beside(town, Adviser("check_balance"))
    await town.says("chenm", "交电费", "0319001200345678", "是", "付", town.pin("chenm"))
    await town.says("limin", "给我爸妈家电费充一百二", "充", town.pin("limin"), "停", "人工")
    assert len(await town.captures()) == 2
    assert adviser.asked == []


async def test_an_engine_that_says_yes_everywhere_pays_nothing(town: RealTown) -> None:
    await town.open("limin")
    for intent in ("affirm", "confirm", "pay_bill", "code"):
        beside(town, Adviser(intent))
        await town.says("limin", "停", "交水费")
        assert await town.asks("limin") == "confirm"
        await town.says("limin", VAGUE, "你看着弄呗", "就那样子办嘛")
        assert await town.asks("limin") != "code"
    assert await town.captures() == []
    assert (await town.facts()).confirmations == []
