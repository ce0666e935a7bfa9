"""Careless, slow, angry and confused people say and press anything in any order: no law is broken, and there is always a way out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.dialogues.careless import tempers
from tests.dialogues.careless.doing import CASTS, Doing
from tests.dialogues.careless.house import CarelessHouse
from tests.dialogues.careless.watching import Watch

STEPS = 200


class CarelessPeople(RuleBasedStateMachine):
    """One talk: two people of the town, what they do drawn from a temper, the laws looked at after each thing."""

    temper: ClassVar[Mapping[str, int]] = tempers.CARELESS
    reached: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.watch: Watch | None = None

    @initialize(cast=st.integers(0, len(CASTS) - 1), chance=st.integers(0, 999))
    def begin(self, cast: int, chance: int) -> None:
        self.watch = Watch(Doing.of(CarelessHouse(Random(chance)), cast))

    def teardown(self) -> None:
        if self.watch is None:
            return
        try:
            if not self.watch.failed:
                self.watch.at_the_end()
            self.reached.update(self.watch.happened)
        finally:
            self.watch.doing.house.close()

    @rule(who=st.sampled_from((0, 0, 0, 1)), deed=st.data(), pick=st.integers(0, 9_999))
    def somebody_does_something(self, who: int, deed: st.DataObject, pick: int) -> None:
        assert self.watch is not None
        what = deed.draw(st.sampled_from(_weighted(self.temper)))
        self.watch.after(self.watch.doing.act(who, what, pick))


def _weighted(temper: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(what for what, weight in temper.items() for _ in range(weight))
