"""A talk whose flows are gone: what was said stays said, no yes survives, and a person or an end is one turn away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from dialogues import content, renewal
from dialogues.model import (
    Alarm,
    Answered,
    CancelAct,
    Commit,
    Flow,
    Heard,
    News,
    Propose,
    Release,
    Renewed,
    StopEverything,
)
from nlu.commands import (
    Affirm,
    Bye,
    CancelFlow,
    CannotHandle,
    Choose,
    Code,
    Command,
    CorrectSlot,
    Deny,
    Explain,
    Human,
    Refuse,
    SetSlot,
    Silence,
    StartFlow,
    Stop,
)
from tests.dialogues.talking import NUMBER, Talk, at_amount, at_read_back, shop


def without(*names: str) -> Release:
    """The shop without some of its flows or slots."""
    kept = {name: flow for name, flow in shop().flows.items() if name not in names}
    known = {name: slot for name, slot in shop().slots.items() if name not in names}
    return content.named(replace(shop(), flows=kept, slots=known))


def with_step(flow: str, step: str, **changes: Any) -> Release:
    """The shop with one step changed."""
    changed: Flow = shop().flows[flow]
    steps = {**changed.steps, step: replace(changed.steps[step], **changes)}
    return content.named(replace(shop(), flows={**shop().flows, flow: replace(changed, steps=steps)}))


def renamed(flow: str, step: str) -> Release:
    """The shop with a step under another name."""
    changed = shop().flows[flow]
    steps = {("other" if name == step else name): one for name, one in changed.steps.items()}
    steps["other"] = replace(steps["other"], id="other")
    for name, one in steps.items():
        targets = tuple(replace(b, target="other") if b.target == step else b for b in one.next)
        steps[name] = replace(one, next=targets)
    return content.named(replace(shop(), flows={**shop().flows, flow: replace(changed, steps=steps)}))


def in_flows(talk: Talk, release: Release, how: Any = "goes_on", **answers: Any) -> Talk:
    talk.release = release
    return talk.put(Renewed(how, answers)).serve()


NEW = with_step("pay", "amount", metadata={"asks": "amount"})


def test_what_was_read_back_is_read_back_anew_and_the_yes_of_before_is_none() -> None:
    talk = at_read_back("key", spoken=True)
    prompt = talk.now.prompt
    in_flows(talk, NEW)
    assert [one.act for one in talk.all(CancelAct)] == ["act1"]
    assert talk.said == [
        "utter_renewed",
        "utter_ask_name_ok",
    ]  # who the account belongs to is looked at again
    talk.say(Affirm()).serve()
    assert talk.only(Propose).arguments["amount"] == 5000
    talk.answer("proposed", act="act2", digest="d2", strength="key", method="零钱")
    assert not talk.copy().guarded(Affirm("key"), prompt=prompt).all(Commit)
    assert talk.guarded(Affirm("key"), prompt=talk.now.prompt).only(Commit).act == "act2"


def test_a_question_is_gone_on_with_and_its_answer_counts() -> None:
    talk = in_flows(at_amount(), NEW, amount=5000)
    assert talk.said == ["utter_renewed", "utter_ask_name_ok"]
    assert talk.say(Affirm()).serve().only(Propose).arguments["amount"] == 5000


def test_what_todays_slots_cannot_hold_is_asked_again_with_all_that_rests_on_it() -> None:
    kind = replace(shop().slots["kind"], values=("water", "gas"))
    talk = in_flows(at_amount(), content.named(replace(shop(), slots={**shop().slots, "kind": kind})))
    assert talk.asked == ("utter_ask_kind", "choice")
    assert not talk.now.slots.keys() & {"kind", "account", "holder", "due"}


@pytest.mark.parametrize("asks", ["confirm", "consent", "code"])
def test_a_yes_to_a_question_is_asked_for_again(asks: str) -> None:
    consent = with_step("rename", "nickname", metadata={"asks": asks})
    talk = Talk().say(StartFlow("rename", {"nickname": "auntie"})).serve()
    assert talk.phase == "ask"
    assert "nickname" in in_flows(talk.copy(), NEW).now.slots
    assert "nickname" not in in_flows(talk, consent).now.slots


def test_a_business_that_is_gone_is_said_so_and_the_one_below_is_offered() -> None:
    talk = at_amount().say(StartFlow("rename")).serve()
    in_flows(talk, without("rename"))
    assert talk.said == ["utter_business_gone", "utter_ask_continue"]
    talk.say(Affirm()).serve()
    assert talk.said == ["utter_renewed", "utter_ask_name_ok"]
    assert talk.now.slots["account"] == NUMBER


def test_a_business_below_that_is_gone_is_said_so_and_the_one_on_top_goes_on() -> None:
    talk = at_amount().say(StartFlow("rename")).serve()
    in_flows(talk, without("pay"))
    assert talk.said == ["utter_business_gone_below", "utter_renewed", "utter_ask_place"]
    assert [frame.flow for frame in talk.now.stack] == ["rename"]


def test_when_nothing_is_left_the_talk_is_open() -> None:
    talk = in_flows(at_read_back(), without("pay"))
    assert talk.asked == ("utter_business_gone", "open")
    assert [one.act for one in talk.all(CancelAct)] == ["act1"]
    assert (talk.phase, talk.now.slots, talk.now.release) == ("open", {}, without("pay").id)
    assert talk.say(Human()).serve().said == ["utter_human_coming"]


def test_money_on_its_way_comes_back_to_its_business() -> None:
    talk = at_read_back("key").say(Affirm("button")).answer("submitted")
    in_flows(talk, NEW)
    assert (talk.effects, talk.phase) == ((), "outcome")
    assert talk.news("paid", "act1", payment="pay1").said == ["utter_paid"]


@pytest.mark.parametrize("release", [renamed("pay", "commit"), without("pay")])
def test_money_on_its_way_is_told_by_its_news_where_its_business_is_gone(release: Release) -> None:
    talk = at_read_back("key").say(Affirm("button")).answer("submitted")
    in_flows(talk, release)
    assert (talk.effects, talk.now.stack) == ((), ())  # nothing is called off, nothing is asked
    assert talk.news("paid", "act1", payment="pay1").said == ["utter_paid"]


def test_what_another_began_is_not_called_off() -> None:
    talk = at_amount(amount=5000)
    talk.answer("proposed", act="act1", digest="d1", strength="key", method="零钱", lasting=True)
    assert not in_flows(talk, NEW).all(CancelAct)


def test_a_person_who_was_asked_for_is_not_asked_for_twice() -> None:
    talk = at_amount().say(Human())  # the ticket is being opened
    in_flows(talk, NEW)
    assert [frame.flow for frame in talk.now.stack] == ["pay"]
    assert talk.said == ["utter_ask_continue"]


def test_news_come_first_and_the_sentence_with_the_business() -> None:
    talk = in_flows(at_amount(), NEW, "waits")
    assert talk.said == []
    talk.news(payment="pay1")
    assert talk.said == ["utter_paid", "utter_ask_continue"]
    assert talk.say(Affirm()).serve().said == ["utter_renewed", "utter_ask_name_ok"]


def test_taken_up_again_and_again_ends_with_a_person() -> None:
    talk = at_amount()
    said = [in_flows(talk, release).said for release in (NEW, shop(), NEW)]
    assert said[:2] == [["utter_renewed", "utter_ask_name_ok"]] * 2
    assert said[2] == ["utter_human_coming"]


def test_a_wish_that_waited_is_served_where_there_is_such_a_business() -> None:
    talk = at_amount()
    talk.now = replace(talk.now, pending_wishes=(StartFlow("look"), StartFlow("rename")))
    in_flows(talk, without("look"))
    assert talk.now.pending_wishes == (StartFlow("rename"),)


# --- from every state, into every release ---------------------------------------------------------------------------


def states() -> Iterator[Talk]:
    """Talks standing at many places."""
    yield Talk().say(StartFlow("pay"))
    yield Talk().say(StartFlow("pay", {"kind": "power"}))
    yield (
        Talk().say(StartFlow("pay", {"kind": "power"})).say(SetSlot("account", "0319"))
    )  # digits come in parts
    yield Talk().say(StartFlow("pay", {"kind": "power", "account": NUMBER}))  # the holder is being looked up
    yield at_amount()
    yield at_amount().say(Explain("why"))
    yield at_read_back()
    yield at_read_back().say(Affirm())
    yield at_read_back().say(Affirm(), Code("1234"))
    yield at_read_back("key").say(Affirm("button")).answer("submitted")
    yield at_amount().say(StartFlow("rename")).serve()
    yield at_read_back().say(StartFlow("look")).serve()
    yield at_read_back("key").say(Affirm("button")).answer("submitted").say(StartFlow("rename")).serve()
    yield at_amount().say(StartFlow("rename")).serve().say(Human())
    yield at_read_back("key", spoken=True)


RELEASES = {
    "same words": NEW,
    "no paying": without("pay"),
    "no renaming": without("rename"),
    "no looking": without("look"),
    "nothing but a person": without("pay", "rename", "look"),
    "another commit": renamed("pay", "commit"),
}


@pytest.mark.parametrize("how", ["goes_on", "waits", "leaves"])
@pytest.mark.parametrize("name", RELEASES)
def test_from_everywhere_nothing_breaks_nothing_is_paid_and_a_person_is_one_turn_away(
    name: str, how: str
) -> None:
    for talk in states():
        proposed = {
            frame.context["act"]
            for frame in talk.now.stack
            if frame.context.get("act") and frame.phase not in ("commit", "outcome")
        }
        in_flows(talk, RELEASES[name], how)
        assert not talk.all(Alarm), talk.all(Alarm)
        assert not talk.all(Commit)
        assert {one.act for one in talk.all(CancelAct)} == proposed
        assert talk.now.release == RELEASES[name].id
        assert not talk.copy().say(Affirm("button")).all(Commit)
        assert "utter_human_coming" in talk.copy().say(Human()).serve().said
        assert talk.copy().say(Stop()).all(StopEverything)


# --- what an event means to it --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "how", "then"),
    [
        ([Affirm()], "goes_on", ()),
        ([Affirm(), Code("1234")], "goes_on", ()),
        ([CannotHandle("not_understood")], "goes_on", ()),
        ([Silence(8)], "goes_on", ()),
        ([Deny()], "leaves", (Deny(),)),
        ([CancelFlow()], "leaves", (CancelFlow(),)),
        ([Affirm(), Human()], "leaves", (Human(),)),
        ([Stop()], "leaves", (Stop(),)),
        ([Bye()], "leaves", (Bye(),)),
        ([Affirm(), StartFlow("look")], "waits", (StartFlow("look"),)),
        ([Refuse("card_number")], "waits", (Refuse("card_number"),)),
    ],
)
def test_what_words_at_a_read_back_mean(said: list[Command], how: str, then: tuple[Command, ...]) -> None:
    moves = renewal.moves([Heard(tuple(said))], at_read_back().now, shop(), NEW)
    assert moves is not None
    assert (moves.first.how, moves.then) == (how, (Heard(then),) if then else ())


@pytest.mark.parametrize(
    ("said", "answers"),
    [
        (SetSlot("amount", 5000), {"amount": 5000}),
        (SetSlot("amount", -1), {}),
        (SetSlot("nickname", "auntie"), {}),  # nobody asked
        (CorrectSlot("kind", "water"), {"kind": "water"}),
        (CorrectSlot("kind", None), {"kind": None}),
        (Affirm(), {}),
        (Deny(), {}),
    ],
)
def test_what_words_at_a_question_answer(said: Command, answers: dict[str, Any]) -> None:
    moves = renewal.moves([Heard((said,))], at_amount().now, shop(), NEW)
    assert moves is not None
    assert (moves.first.how, moves.first.answers) == ("goes_on", answers)


def test_a_choice_is_an_answer() -> None:
    talk = Talk().say(StartFlow("pay"))
    for value, answers in (("water", {"kind": "water"}), ("gold", {})):
        moves = renewal.moves([Heard((Choose(value),))], talk.now, shop(), NEW)
        assert moves is not None
        assert moves.first.answers == answers


@pytest.mark.parametrize(("spoken", "answers"), [(True, {}), (False, {"account": NUMBER})])
def test_a_number_is_an_answer_where_no_more_digits_were_to_come(
    spoken: bool, answers: dict[str, Any]
) -> None:
    talk = Talk(spoken=spoken).say(StartFlow("pay", {"kind": "power"}))
    moves = renewal.moves([Heard((SetSlot("account", NUMBER),))], talk.now, shop(), NEW)
    assert moves is not None
    assert moves.first.answers == answers


def test_an_answer_from_outside_is_asked_for_anew_by_whoever_waits_for_it() -> None:
    talk = Talk().say(StartFlow("pay", {"kind": "power", "account": NUMBER}))
    moves = renewal.moves([Answered(talk.waiting, "found")], talk.now, shop(), NEW)
    assert moves == renewal.Moves(Renewed("goes_on"))
    assert renewal.moves([Answered("9.9", "found")], talk.now, shop(), NEW) is None


def test_silence_of_the_house_changes_nothing() -> None:
    assert renewal.moves([], at_amount().now, shop(), NEW) is None


def test_only_what_the_flows_of_the_talk_never_heard_of_moves_it() -> None:
    there, today = without("look"), shop()
    assert renewal.unknown([Heard((StartFlow("look"),))], there, today)
    assert renewal.unknown([News("look")], there, today)
    assert not renewal.unknown([Heard((StartFlow("pay"),))], there, today)
    assert not renewal.unknown([Heard((StartFlow("nonsense"),))], there, today)
