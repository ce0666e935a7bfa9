"""Careless, slow, angry and confused people say and press anything in any order: no law is broken, and there is always a way out.

A failure shows the talk as it was, who said what and what was answered, up to the moment that broke a promise.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from random import Random
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.dialogues.careless import tempers
from tests.dialogues.careless.doing import CASTS, Doing
from tests.dialogues.careless.house import CarelessHouse
from tests.dialogues.careless.mistakes import MISTAKES, Mistake
from tests.dialogues.careless.watching import Broken, Watch

STEPS = 200
FEW, MANY = 5, 150  # talks of each temper: in every run of the tests, and as a proof
_MOST = 25  # talks until a mistake must have shown


class CarelessPeople(RuleBasedStateMachine):
    """One talk: two people of the town, what they do drawn from a temper, the laws looked at after each thing."""

    temper: ClassVar[str] = "careless"
    reached: ClassVar[Counter[str]] = Counter()
    tried: ClassVar[set[Any]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.watch: Watch | None = None

    @initialize(cast=st.integers(0, len(CASTS) - 1), chance=st.integers(0, 999))
    def begin(self, cast: int, chance: int) -> None:
        self.watch = Watch(Doing.of(CarelessHouse(Random(chance)), cast), tried=self.tried)

    @rule(who=st.sampled_from((0, 0, 0, 1)), deed=st.integers(0, 9_999), pick=st.integers(0, 9_999))
    def somebody_does_something(self, who: int, deed: int, pick: int) -> None:
        assert self.watch is not None
        often = weighted(self.temper)
        self.watch.step(who, often[deed % len(often)], pick)

    def teardown(self) -> None:
        if self.watch is None:
            return
        try:
            if not self.watch.failed:
                self.watch.at_the_end()
            self.reached.update(self.watch.happened)
        finally:
            self.watch.doing.house.close()


@cache
def weighted(temper: str) -> tuple[str, ...]:
    """Each deed as often as this temper does it."""
    return tuple(what for what, times in tempers.TEMPERS[temper].items() for _ in range(times))


def talks(temper: str, count: int) -> type[CarelessPeople]:
    """So many talks of people of this temper. Raises Broken with the first that breaks a promise."""
    people = type(
        f"{temper.title()}People",
        (CarelessPeople,),
        {"temper": temper, "reached": Counter(), "tried": set()},
    )
    run_state_machine_as_test(
        people,
        settings=settings(
            max_examples=count,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return people


@pytest.mark.parametrize("temper", tempers.TEMPERS)
def test_whatever_they_do_no_law_is_broken(temper: str) -> None:
    assert talks(temper, FEW).tried


@pytest.mark.prove
@pytest.mark.parametrize("temper", tempers.TEMPERS)
def test_whatever_very_many_of_them_do_no_law_is_broken(temper: str) -> None:
    people = talks(temper, MANY)
    # Talks that never get anywhere prove nothing: many of them are so careful as to pay in the end.
    assert people.reached["paid"] > MANY / 10
    assert len(people.tried) > 100


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
def test_a_house_that_makes_this_mistake_is_found_out(
    mistake: Mistake, monkeypatch: pytest.MonkeyPatch
) -> None:
    temper, words = MISTAKES[mistake]
    mistake(monkeypatch)
    with pytest.raises(Broken, match=words):
        talks(temper, _MOST)


def test_a_failure_shows_the_talk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Watch, "_never_taken_twice", lambda watch: watch._broken("a law") if watch.steps > 9 else None
    )
    with pytest.raises(Broken) as found:
        talks("slow", 1)
    what, *talk = str(found.value).splitlines()
    assert what == "a law"
    assert sum(" 说: " in line for line in talk) >= 1
    assert sum("    -> " in line for line in talk) >= 1
