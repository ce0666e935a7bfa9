"""An engine elsewhere: asked outside the turn, within its budget, left alone while it is ill, and never missed."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.clock import VirtualClock
from nlu.engine import OUT_OF_SCOPE, Parse
from nlu.engines import ahead
from nlu.engines.ahead import Unasked, heard, within
from nlu.engines.elsewhere import Breaker, Elsewhere, NoOpinion, opinion

OURS = Parse((("check_balance", 0.6), ("pay_bill", 0.4)), 0.6, True)
THEIRS = Parse((("pay_bill", 0.9),), 0.9, True)
KNOWN = frozenset({"check_balance", "pay_bill", OUT_OF_SCOPE})


class House:
    """Our own engine, of one opinion."""

    def parse(self, text: str, locale: str = "zh") -> Parse:
        return OURS


class Told:
    """An adviser who does what he is told; counts how often he was asked."""

    name = "told"

    def __init__(self, *behaviour: Any, well: bool = True) -> None:
        self.behaviour = list(behaviour)
        self.well = well
        self.asked: list[str] = []
        self.looked_after = 0

    def wanted(self, ours: Parse, locale: str) -> bool:
        return locale == "zh"

    async def advise(self, text: str, locale: str) -> Parse:
        self.asked.append(text)
        does = self.behaviour.pop(0) if len(self.behaviour) > 1 else self.behaviour[0]
        if isinstance(does, float):
            await asyncio.sleep(does)
            return THEIRS
        if isinstance(does, BaseException):
            raise does
        return does  # type: ignore[no-any-return]

    async def healthy(self) -> bool:
        self.looked_after += 1
        return self.well

    async def aclose(self) -> None:
        """Holds nothing."""


@pytest.fixture
def at_nine() -> VirtualClock:
    return VirtualClock(datetime(2026, 3, 10, 1, tzinfo=UTC))


async def test_the_opinion_is_asked_once_and_taken_at_the_second_try() -> None:
    adviser = Told(THEIRS)
    engine = Elsewhere(adviser, House())
    assert await heard(lambda: engine.parse("那个事办一下")) == THEIRS
    assert adviser.asked == ["那个事办一下"]


def test_where_nobody_would_ask_the_house_decides_alone() -> None:
    adviser = Told(THEIRS)
    assert Elsewhere(adviser, House()).parse("那个事办一下") == OURS
    assert adviser.asked == []


def test_an_opinion_is_of_one_sentence_in_one_language() -> None:
    engine = Elsewhere(Told(THEIRS), House())
    opinions = {("电费", "zh"): THEIRS}
    assert within(opinions, lambda: engine.parse("电费")) == THEIRS
    with pytest.raises(Unasked):
        within(opinions, lambda: engine.parse("水费"))
    assert within(opinions, lambda: engine.parse("电费", "en")) == OURS
    assert ahead.known() is None, "opinions stay with their turn"


def test_what_is_raised_shows_no_word_of_the_person() -> None:
    shown = Unasked(Elsewhere(Told(THEIRS), House()), "我的户号3100456712", "zh")
    assert "3100456712" not in f"{shown} {shown!r} {shown.args}"


@pytest.mark.parametrize(
    "trouble",
    [NoOpinion("x"), OSError("gone"), ValueError("ours"), RecursionError(), TimeoutError(), 5.0],
    ids=lambda trouble: type(trouble).__name__,
)
async def test_whatever_goes_wrong_outside_the_house_answers(trouble: Any) -> None:
    engine = Elsewhere(Told(trouble), House(), budget_seconds=0.05)
    assert await heard(lambda: engine.parse("电费")) == OURS


async def test_a_talk_waits_no_longer_than_the_budget() -> None:
    engine = Elsewhere(Told(30.0), House(), budget_seconds=0.1)
    began = time.monotonic()
    assert await engine.ask("电费", "zh") == OURS
    assert time.monotonic() - began < 2


async def test_an_ending_program_is_not_held_up() -> None:
    task = asyncio.create_task(Elsewhere(Told(30.0), House(), budget_seconds=30).ask("电费", "zh"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_after_three_failures_nobody_waits_for_half_a_minute(at_nine: VirtualClock) -> None:
    adviser = Told(NoOpinion("x"), NoOpinion("x"), NoOpinion("x"), THEIRS)
    engine = Elsewhere(adviser, House(), clock=at_nine)
    for _ in range(10):
        assert await heard(lambda: engine.parse("电费")) == OURS
    assert len(adviser.asked) == 3
    at_nine.advance(timedelta(seconds=31))
    assert await heard(lambda: engine.parse("电费")) == THEIRS
    assert adviser.looked_after == 1, "it is first asked whether it is well"
    assert await heard(lambda: engine.parse("电费")) == THEIRS
    assert adviser.looked_after == 1


async def test_while_it_is_ill_no_sentence_is_spent_on_it(at_nine: VirtualClock) -> None:
    adviser = Told(NoOpinion("x"), well=False)
    engine = Elsewhere(adviser, House(), clock=at_nine)
    for _ in range(5):
        await heard(lambda: engine.parse("电费"))
        at_nine.advance(timedelta(seconds=31))
    assert len(adviser.asked) == 3
    assert adviser.looked_after == 2
    assert not await engine.healthy()


def test_the_breaker_says_once_that_a_rest_begins(at_nine: VirtualClock) -> None:
    breaker = Breaker(failures=2)
    assert [breaker.failed(at_nine.now()) for _ in range(4)] == [False, True, False, False]
    breaker.answered()
    assert breaker.lets_through(at_nine.now())
    assert not breaker.failed(at_nine.now()), "failures are counted in a row"


anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.lists(st.integers(), max_size=2),
    st.sampled_from(sorted(KNOWN)),
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.tuples(anything, anything), max_size=6), st.booleans())
def test_of_whatever_is_said_outside_only_our_intents_with_real_probabilities_stay(
    pairs: Any, sure: bool
) -> None:
    parse = opinion(pairs, KNOWN, in_scope=sure)
    probabilities = [p for _, p in parse.ranking]
    assert {intent for intent, _ in parse.ranking} <= KNOWN
    assert len({intent for intent, _ in parse.ranking}) == len(parse.ranking)
    assert all(type(p) is float and 0 <= p <= 1 for p in probabilities)
    assert probabilities == sorted(probabilities, reverse=True)
    assert parse.in_scope == bool(sure and parse.ranking and parse.best != OUT_OF_SCOPE)
