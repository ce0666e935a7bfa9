"""Words that could as well be one thing as another are asked about, by name, and the answer begins it: whole talks in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from data.events import InboundKind
from nlu.engine import Parse
from nlu.understand import Understanding
from tests.dialogues.careless.doing import Doing
from tests.dialogues.careless.house import CarelessHouse, words


class OfTwoMinds:
    """An engine to which everything sounds as much like looking at a bill as like paying one."""

    def parse(self, text: str, locale: str = "zh") -> Parse:
        return Parse((("check_balance", 0.41), ("pay_bill", 0.40)), score=1.0, in_scope=True)


@pytest.fixture
def talk() -> Iterator[Doing]:
    house = CarelessHouse(Random(1))
    unsure = Understanding(OfTwoMinds(), words().understanding._flows)
    house.desk.house = replace(house.desk.house, understanding=unsure)
    yield Doing.of(house, 0)
    house.close()


def heard(talk: Doing, text: str) -> list[str]:
    """What the daughter is answered to these words."""
    screen = talk.screens[0]
    talk.says(screen, text)
    return [sent.text for sent in talk.house.store.run_now(screen.read)]


@pytest.mark.parametrize(
    ("locale", "vague", "names", "chosen", "asked"),
    [
        ("zh", "那边的事情弄一弄", ("查费", "交费"), "交费", "哪一样费"),
        (
            "en",
            "do the thing over there",
            ("checking a bill", "paying a bill"),
            "paying a bill",
            "Which bill",
        ),
    ],
)
def test_both_are_named_and_the_one_that_is_said_begins(
    talk: Doing, locale: str, vague: str, names: tuple[str, str], chosen: str, asked: str
) -> None:
    chosen_before = talk.event(talk.screens[0], InboundKind.PREFER, payload={"locale": locale})
    talk.house.serve(chosen_before)
    (which,) = heard(talk, vague)
    assert all(name in which for name in names)
    assert {button.title for button in talk.screens[0].newest()} == set(names)
    assert asked in heard(talk, chosen)[-1]


def test_whoever_cannot_say_which_gets_a_person(talk: Doing) -> None:
    for _ in range(2):
        heard(talk, "那边的事情弄一弄")
    assert "工作人员" in heard(talk, "那边的事情弄一弄")[-1]
