"""Neighbours are spoken of by family name and title; nobody takes 张阿姨 for an aunt, and a title alone names nobody."""

from __future__ import annotations

import pytest

from nlu.aliases import fits_name, person_name, relation
from nlu.commands import Expectation, StartFlow, Utterance
from nlu.understand import Understanding


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("程老伯的水费多少", "程老伯"), ("帮李大爷交电费", "李大爷"), ("王阿姨上个月交了多少", "王阿姨"), ("老程家水费", "老程"),
        ("给孙奶奶充电费", "孙奶奶"), ("我阿姨的电费", None), ("平常奶奶都是我交", None), ("钱老是不够", None), ("老方法", None),
    ],
)  # fmt: skip
def test_who_is_named_in_chinese(said: str, name: str | None) -> None:
    assert person_name(said) == name


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("pay mr cheng's water", "mr cheng"),
        ("auntie wang's power", "auntie wang"),
        ("pay the old bill", None),
    ],
)
def test_who_is_named_in_english(said: str, name: str | None) -> None:
    assert person_name(said, "en") == name


def test_a_title_is_no_kinship() -> None:
    assert relation("张阿姨水费多少") is None
    assert relation("我阿姨水费多少") == "aunt_uncle"
    assert relation("auntie wang's power", "en") is None
    assert relation("my aunt's power", "en") == "aunt_uncle"


@pytest.mark.parametrize(
    ("said", "masked", "fits"),
    [
        ("程老伯", "程*生", True), ("老程", "程*生", True), ("程福生", "程*生", True), ("mr cheng", "程*生", True),
        ("mrs zhang", "张*芳", True), ("王阿姨", "程*生", False), ("mr li", "程*生", False), ("程福", "程*生", False),
    ],
)  # fmt: skip
def test_a_name_as_it_is_said_and_as_it_is_shown(said: str, masked: str, fits: bool) -> None:
    assert fits_name(said, masked) is fits


@pytest.mark.parametrize(
    ("said", "slots"),
    [
        ("程老伯上个月交了多少", {"person_name": "程老伯"}),
        ("程福生上个月交了多少", {"person_name": "程福生"}),
        ("我爸上个月水费交了多少", {"relation": "father", "utility": "water"}),
        ("how much did Mr Cheng pay last month", {"person_name": "mr cheng"}),
    ],
)
def test_whose_payments_are_asked_after(
    understanding: Understanding, said: str, slots: dict[str, str]
) -> None:
    (wish,) = understanding.understand(Utterance(said), Expectation())
    assert isinstance(wish, StartFlow)
    assert (wish.flow, {k: v for k, v in wish.slots.items() if k != "look_words"}) == ("look_back", slots)
