"""An engine that does not keep what it promises is found, too: each variant breaks one promise, and only the walk sees it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dialogues import business, commit, listening, questions, repair
from dialogues.exploring import promises
from dialogues.model import StopEverything
from dialogues.moment import Moment, emit, next_id, step_of, with_context, with_talk, with_top
from dialogues.questions import ask_again
from tests.explore.faulty import Shop, does, first


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop.copied(tmp_path)


def test_a_question_that_swallows_the_wish_for_a_person(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    brings = listening.bring_human

    def swallowed(m: Moment, reason: str) -> Moment:
        forced = m.phase == "ask" and step_of(m, m.top).force_slot_filling
        return repair.miss(m) if forced and reason == "asked" else brings(m, reason)

    monkeypatch.setattr(listening, "bring_human", swallowed)
    found = first(report := shop.explored("rename"), promises.PERSON)
    assert (found.flow, found.step) == ("rename", "nickname")
    assert does(found)[-1] == "asks for a person"
    assert len(found.conversation) == 3
    assert report.max_turns_to_human > 1


def test_a_payment_without_a_read_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    reads_back = commit.proposed

    def at_once(m: Moment, outcome: str, answer: Mapping[str, Any]) -> Moment:
        if outcome != "proposed":
            return reads_back(m, outcome, answer)
        m = with_context(m, act=answer["act"], digest=answer["digest"], strength="key", how="word")
        return commit._commit(m, "")

    monkeypatch.setattr(commit, "proposed", at_once)
    found = first(shop.explored("pay"), promises.READ_BACK)
    assert found.what == "a yes is sent to the till, and the act was not read back just before"
    assert len(found.conversation) == 7
    assert does(found)[-1].startswith("the till can do it")


def test_a_code_that_pays_what_was_put_aside(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted at the code, the talk goes on with the code: the amount was never read back again."""
    goes_on = business.go_on

    def with_the_code(m: Moment) -> Moment:
        if not m.top.context.get("act"):
            return goes_on(m)
        return ask_again(with_top(m, phase="code", misses=0))

    monkeypatch.setattr(listening, "go_on", with_the_code)
    found = first(shop.explored("pay", depth=2), promises.READ_BACK)
    assert does(found)[-1] == "the code is passed"


def test_a_question_that_never_changes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repair, "PATIENCE", 99)
    monkeypatch.setattr(repair, "KEYS", "")
    monkeypatch.setattr(questions, "_in_other_words", lambda m, response, form: response)
    found = first(shop.explored("look"), promises.LOOP)
    assert found.what == "utter_ask_kind is asked the same way 3 times"
    assert does(found) == ["wants look"] + ["says something nobody understands"] * 2


def test_a_cancelled_business_that_takes_itself_up_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def kept(m: Moment) -> Moment:
        return ask_again(with_top(m, phase="resume"))

    monkeypatch.setattr(listening, "cancel", kept)
    found = first(shop.explored("look"), promises.EXIT)
    assert found.what == "never mind leads back into look"
    assert does(found) == ["wants look", "says never mind"]


def test_a_stop_that_leaves_the_business_below(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def only_the_top(m: Moment) -> Moment:
        m = with_talk(m, stack=m.talk.stack[: business.base_of(m)] if m.talk.stack else (), slots={})
        return emit(m, StopEverything(next_id(m, business.STOPPING)))

    monkeypatch.setattr(listening, "stop_everything", only_the_top)
    found = first(shop.explored("pay", depth=2), promises.EXIT)
    assert found.what == "stop does not end it"
    assert does(found)[-1] == "says stop"
    assert len(found.conversation) == 3


def test_an_engine_that_raises(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(m: Moment) -> Moment:
        raise KeyError("nothing")

    monkeypatch.setattr(listening, "_deny", broken)
    found = first(shop.explored("pay"), promises.FAULT)
    assert found.what == "the engine raised KeyError: 'nothing'"
    assert does(found)[-1] == "says no"
    assert len(found.conversation) == 4
