"""A mistake written into a flow is found, under the promise it breaks, with the shortest conversation that shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialogues.exploring import promises
from dialogues.model import ActionSpec
from tests.explore.faulty import Shop, does, first


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop.copied(tmp_path)


def test_the_shop_as_it_is_keeps_every_promise(shop: Shop) -> None:
    report = shop.explored("pay", depth=2)
    assert not report.violations, "\n".join(map(str, report.violations))
    assert (report.max_turns_to_human, report.max_turns_to_exit) == (1, 1)


def test_a_person_who_comes_only_after_a_question(shop: Shop) -> None:
    """人工 is answered by asking what it is about: the collect swallows the wish."""
    shop.change(
        "flows.yml",
        "      - action: action_open_ticket\n",
        "      - collect: nickname\n"
        '        metadata: {asks: choice, choices: {auntie: {zh: [阿姨], en: [auntie], key: "1"}}}\n'
        "      - action: action_open_ticket\n",
    )
    found = first(report := shop.explored("pay"), promises.PERSON)
    assert found.what == "a person comes after 2 turns"
    assert report.max_turns_to_human == 2
    assert len(found.conversation) == 2
    assert does(found)[-1] == "asks for a person"
    assert found.flow in {"pay", "find"}


def test_a_branch_that_was_forgotten(shop: Shop) -> None:
    """The biller does not answer, nobody thought of it, and the talk goes on to an amount it does not know."""
    shop.change(
        "flows.yml",
        '          - if: context.outcome is "trouble"\n'
        "            then: [{action: utter_biller_trouble, next: END}]\n"
        "          - else: amount\n",
        "          - else: amount\n",
    )
    found = first(shop.explored("pay"), promises.FAULT)
    assert found.what == "utter_ask_amount cannot be said: {due} has no value to say"
    assert (found.flow, found.step) == ("pay", "quote")
    assert does(found)[-1] == "action_quote comes out as due, with nothing"
    assert len(found.conversation) == 5  # wish with a number, kind, holder, name, quote


def test_a_value_that_is_missing_on_one_way(shop: Shop) -> None:
    """Whoever leaves the amount's question by the short way hears a sentence that has none."""
    shop.change(
        "flows.yml",
        '      - id: which\n        call: find\n        next:\n          - if: slots.account is null\n            then: END\n          - else: quote\n      - id: quote\n        action: action_quote\n        next:\n          - if: context.outcome is "nothing_due"',
        '      - id: which\n        call: find\n        next:\n          - if: slots.account is null\n            then: [{action: utter_due, next: END}]\n          - else: quote\n      - id: quote\n        action: action_quote\n        next:\n          - if: context.outcome is "nothing_due"',
    )
    found = first(shop.explored("pay"), promises.FAULT)
    assert "utter_due cannot be said" in found.what
    assert (found.flow, found.step) == ("find", "name")
    assert does(found)[-1] == "says no"
    assert len(found.conversation) == 4


def test_a_sentence_nobody_wrote_in_english(shop: Shop) -> None:
    english = shop.folder / "responses" / "en.yml"
    lines = english.read_text("utf-8").splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if line.startswith("  utter_renamed:"))
    english.write_text("".join(lines[:at] + lines[at + 2 :]), "utf-8")
    found = first(shop.explored("rename"), promises.FAULT)
    assert found.what == "utter_renamed is not written in en"
    assert does(found) == ["wants rename with place 甲", "action_places comes out as listed", "chooses uncle"]


def test_a_question_that_no_key_answers(shop: Shop) -> None:
    shop.change(
        "flows.yml",
        ', choices: {auntie: {zh: [阿姨], en: [auntie], key: "1"}, uncle: {zh: [伯伯], en: [uncle], key: "2"}}}',
        "}",
    )
    found = first(shop.explored("rename"), promises.KEYS)
    assert found.what.startswith("no key leads on")
    assert (found.flow, found.step) == ("rename", "nickname")
    assert does(found)[:-1] == ["wants rename with place 甲", "action_places comes out as listed"]
    assert does(found)[-1] == "presses 1"


def test_a_refusal_that_asks_for_ever_the_same_way(shop: Shop) -> None:
    """Each round begins the flow anew, so that the engine never sees that it has asked before."""
    shop.add_flow(
        """
  pick_place:
    name: 选地方
    translation: {en: {name: picking a place}}
    description: asks until somebody is content
    steps:
      - id: place
        collect: nickname
        metadata: {asks: choice, choices: {auntie: {zh: [阿姨], en: [auntie], key: "1"}}}
      - id: once_more
        link: pick_again

  pick_again:
    description: begins anew
    if: False
    steps:
      - link: pick_place
"""
    )
    found = first(shop.explored("pick_place"), promises.LOOP)
    assert found.what == "utter_ask_nickname is asked the same way 3 times"
    assert does(found) == ["wants pick_place", "chooses auntie", "chooses auntie"]


def test_an_action_that_is_called_for_ever(shop: Shop) -> None:
    shop.change(
        "flows.yml",
        "      - id: places\n        action: action_places\n",
        "      - id: places\n        action: action_places\n        next: places\n",
    )
    found = first(shop.explored("rename"), promises.LOOP)
    assert found.what == "it goes round without asking anybody"
    assert does(found) == ["wants rename"]


def test_steps_that_run_in_a_circle(shop: Shop) -> None:
    shop.change(
        "flows.yml",
        '      - id: pay_after\n        noop: true\n        next:\n          - if: slots.nickname is "auntie"\n            then: [{link: look}]\n          - else: END',
        "      - id: pay_after\n        noop: true\n        next: pay_after",
    )
    found = first(shop.explored("rename"), promises.LOOP)
    assert found.what == "a flow runs in a circle"
    assert len(found.conversation) == 3


def test_a_no_that_leads_back_to_the_same_question(shop: Shop) -> None:
    shop.change(
        "flows.yml",
        '          - if: context.outcome is "cancelled"\n            then: [{action: utter_not_paid, next: END}]\n',
        '          - if: context.outcome is "cancelled"\n            then: [{set_slots: [{amount: null}], next: amount}]\n',
    )
    found = first(shop.explored("pay"), promises.EXIT)
    assert found.what == "never mind leads back into pay"
    assert (found.flow, found.step) == ("pay", "commit")
    assert does(found)[-1] == "says never mind"
    assert (
        len(found.conversation) == 8
    )  # number, kind, holder, name, quote, amount, the till's answer, never mind


def test_a_question_that_takes_no_answer(shop: Shop) -> None:
    """Every amount is refused: people can only give up, and the business has no end."""
    shop.change("flows.yml", "if: slots.amount > slots.due", "if: slots.amount >= 0")
    found = first(shop.explored("pay"), promises.KEYS)
    assert (found.flow, found.step) == ("pay", "amount")


def test_a_business_without_an_end(shop: Shop) -> None:
    shop.add_flow(
        """
  wait_for_word:
    name: 等消息
    translation: {en: {name: waiting}}
    description: goes from one question to the other
    steps:
      - id: first
        collect: nickname
        metadata: {asks: choice, choices: {auntie: {zh: [阿姨], en: [auntie], key: "1"}}}
      - id: forget
        set_slots: [{nickname: null}]
      - id: second
        collect: kind
        metadata: {asks: choice, choices: {power: {zh: [电费], en: [power], key: "1"}}}
      - id: forget_both
        set_slots: [{nickname: null}, {kind: null}]
        next: first
"""
    )
    found = first(shop.explored("wait_for_word"), promises.DEAD_END)
    assert found.what == "no way leads to its end"
    assert does(found) == ["wants wait_for_word"]


def test_an_outcome_that_nobody_handles(shop: Shop) -> None:
    """An action promises a second way of coming out; the flow goes on as if the first had come."""
    spec = ActionSpec("action_holder", ("found", "not_found", "moved"), ("kind", "account"), ("holder",))
    shop.change(
        "flows.yml",
        '          - if: context.outcome is "found"\n            then: name\n          - else:\n              - action: utter_not_found\n              - set_slots: [{account: null}]\n                next: number\n',
        '          - if: context.outcome is "not_found"\n            then:\n              - action: utter_not_found\n              - set_slots: [{account: null}]\n                next: number\n          - else: name\n',
    )
    found = first(shop.explored("pay", spec), promises.FAULT)
    assert found.what == "utter_ask_name_ok cannot be said: {holder} has no value to say"
    assert does(found) == [
        "wants pay with kind power",
        "answers 031900123456",
        "action_holder comes out as found, with nothing",
    ]
