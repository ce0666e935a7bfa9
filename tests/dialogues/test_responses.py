"""The same meaning always gives the same words, amounts and dates are said as people say them, and nothing is left open."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from data.ids import PersonId
from data.money import Money
from dialogues.model import ButtonSpec, Conversation, Facts, Preferences, Release, Say, Slot, Variation, Where
from dialogues.predicate import parse
from dialogues.responses import CannotSay, Rendered, placeholders, render, value_names
from tests.dialogues.talking import NOON

NOWHERE = Where("x.yml", 1)
SLOTS = {
    name: Slot(name, kind)
    for name, kind in {"amount": "money", "account": "account", "day": "date", "n": "float"}.items()
}


def variation(text: str, **more: Any) -> Variation:
    return replace(Variation(text, (), None, None, {}, NOWHERE), **more)


def said(
    *variations: Variation, spoken: bool = False, locale: str = "zh", slower: bool = False, **values: Any
) -> Rendered:
    release = Release("r", {}, SLOTS, {"zh": {"utter_x": variations}}, {})
    talk = Conversation(PersonId("p"), "r", preferences=Preferences(locale=locale))
    facts = Facts(NOON, "web", spoken, {"person_name": "李敏"})
    (found,) = render(release, Say("utter_x", values, slower=slower), talk, facts)
    return found


@pytest.mark.parametrize(
    ("text", "values", "zh", "en"),
    [
        ("{amount}", {"amount": 4650}, "46.50元", "46.50 yuan"),
        ("{amount}", {"amount": 120000}, "1200元", "1200 yuan"),
        ("{amount.yuan}", {"amount": 4650}, "46.50", "46.50"),
        ("{total}", {"total": Money(5)}, "0.05元", "0.05 yuan"),
        ("{account}", {"account": "0319001200345678"}, "尾号5678", "ending 5678"),
        ("{account.groups}", {"account": "0319001200345678"}, "0319 0012 0034 5678", "0319 0012 0034 5678"),
        ("{day}", {"day": "2026-03-25"}, "3月25日", "25 March"),
        ("{day}", {"day": date(2025, 12, 1)}, "2025年12月1日", "1 December 2025"),
        ("{day}", {"day": "2026-03-25T20:00:00+00:00"}, "3月26日", "26 March"),
        ("{n}", {"n": 20.0}, "20", "20"),
        ("{names}", {"names": ["电费", "水费"]}, "电费、水费", "电费, 水费"),
        ("{choices.list}", {"choices": {"e": ["东门", "1"], "w": ["西门"]}}, "东门、西门", "东门, 西门"),
        ("{person_name}", {}, "李敏", "李敏"),
    ],
)
def test_values_are_said_by_what_they_are(text: str, values: dict[str, Any], zh: str, en: str) -> None:
    assert said(variation(text), **values).text == zh
    assert said(variation(text), locale="en", **values).text == en


@pytest.mark.parametrize(
    ("text", "values"),
    [("{amount}", {}), ("{amount}", {"amount": None}), ("{ok}", {"ok": True}), ("{amount}", {"amount": "46.50"}), ("{amount}", {"amount": 46.5}),
     ("{day}", {"day": "soon"}), ("{n}", {"n": ""}), ("{n.shout}", {"n": "x"})],
)  # fmt: skip
def test_what_cannot_be_said_is_an_error_and_never_none(text: str, values: dict[str, Any]) -> None:
    with pytest.raises(CannotSay):
        said(variation(text), **values)


VOICE, CHAT = {"channel": "voice"}, {"channel": "chat"}
BIG = {"condition": parse("slots.n > 5")}


@pytest.mark.parametrize(
    ("spoken", "n", "wanted"),
    [(True, 9, "big voice"), (True, 1, "voice"), (False, 9, "big"), (False, 1, "plain")],
)
def test_the_most_fitting_variation_is_chosen(spoken: bool, n: int, wanted: str) -> None:
    all_of_them = (
        variation("plain"), variation("plain too"), variation("big", **BIG), variation("voice", **VOICE), variation("big voice", **VOICE, **BIG),
    )  # fmt: skip
    assert {said(*all_of_them, spoken=spoken, n=n).text for _ in range(20)} == {wanted}


def test_no_fitting_variation_is_an_error() -> None:
    with pytest.raises(CannotSay, match="no variation fits"):
        said(variation("x", **VOICE))


def test_fewer_words_when_asked_to_speak_slower() -> None:
    one = variation("很长的一句", metadata={"slower_text": "短句{n}"})
    assert said(one, n=3).text == "很长的一句"
    assert said(one, n=3, slower=True).text == "短句3"


def test_a_language_that_lacks_a_sentence_borrows_ours() -> None:
    assert said(variation("你好"), locale="fr").text == "你好"


def test_choices_known_only_in_the_talk_become_buttons() -> None:
    release = Release("r", {}, SLOTS, {"zh": {"utter_x": (variation("哪里?"),)}}, {})
    say = Say("utter_x", {"choices": {"e": ["东门", "1"], "w": ["西门"]}}, "choice", 1)
    (found,) = render(release, say, Conversation(PersonId("p"), "r"), Facts(NOON, "web", False))
    assert found.buttons == (ButtonSpec("东门", '/choose{"e"}'), ButtonSpec("西门", '/choose{"w"}'))


def test_all_values_any_variation_needs_are_known() -> None:
    two = (
        variation("{a.yuan} {b}", buttons=(ButtonSpec("{c}", "x"),)),
        variation("{a}", condition=parse("slots.d is null")),
    )
    release = Release("r", {}, {}, {"zh": {"utter_x": two}}, {})
    assert set(value_names(release, "utter_x", "zh")) == {"a", "b", "c", "d"}
    assert placeholders("{a} {b.yuan} {a}") == ("a", "b")
