"""Business on the stack: what is asked in which order, what interrupts what, and that whatever fails brings a person."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dialogues.model import (
    ActionSpec,
    Alarm,
    Answered,
    Call,
    CancelAct,
    Commit,
    EndTalk,
    Propose,
    Release,
    Say,
)
from nlu.commands import Affirm, CancelFlow, Choose, Code, Deny, Human, Resume, SetSlot, Skip, StartFlow, Stop
from tests.dialogues.talking import NUMBER, Talk, at_amount, at_read_back, shop


def test_a_payment_from_the_first_question_to_the_money() -> None:
    talk = Talk().say(StartFlow("pay"))
    assert talk.asked == ("utter_ask_kind", "choice")
    assert talk.say(Choose("power")).asked == ("utter_ask_account", "account")
    assert talk.say(SetSlot("account", NUMBER)).serve().asked == ("utter_ask_name_ok", "name_check")
    assert talk.say(Affirm()).serve().asked == ("utter_ask_amount", "amount")
    proposal = talk.say(SetSlot("amount", 5000)).only(Propose)
    assert proposal.act == "pay"
    assert {"holder": "张*芳", "amount": 5000, "account": NUMBER}.items() <= proposal.arguments.items()
    talk.answer("proposed", act="a", digest="d", strength="code", method="零钱")
    assert talk.asked == ("utter_confirm_pay", "confirm")
    assert talk.say(Affirm("word")).asked == ("utter_ask_code", "code")
    talk.say(Code("1234")).answer("passed", factor="pin")
    commit = talk.only(Commit)
    assert (commit.act, commit.digest, commit.how, commit.factor) == ("a", "d", "word", "pin")
    talk.answer("submitted")
    assert talk.phase == "outcome"
    assert talk.said == []
    talk.news("paid", "a", amount=5000, payment="pay1")
    assert talk.asked == ("utter_paid", "open")
    assert talk.now.stack == ()
    assert talk.now.slots == {}


def test_what_came_with_the_wish_is_not_asked() -> None:
    talk = Talk().say(StartFlow("pay", {"kind": "water"}), SetSlot("account", NUMBER)).serve()
    assert talk.asked == ("utter_ask_name_ok", "name_check")


def test_a_question_marked_so_is_asked_even_when_its_answer_is_known() -> None:
    talk = Talk().say(StartFlow("pay", {"kind": "water", "account": NUMBER, "name_ok": True})).serve()
    assert talk.asked == ("utter_ask_name_ok", "name_check")


def test_a_called_flow_comes_back_to_its_caller() -> None:
    talk = Talk().say(StartFlow("pay", {"kind": "power"}))
    assert [frame.flow for frame in talk.now.stack] == ["pay", "find"]
    talk.say(SetSlot("account", NUMBER)).serve().say(Deny()).serve()
    assert talk.now.stack == ()  # the number was refused, so the payment ends


def test_branches_follow_the_outcome_of_the_action() -> None:
    talk = Talk().say(StartFlow("pay", {"kind": "power", "account": NUMBER})).serve()
    assert talk.say(Affirm()).serve(action_quote=("nothing_due", {})).said == ["utter_nothing_due"]
    assert talk.phase == "open"


# --- actions ------------------------------------------------------------------------------------------------------


def test_an_action_gets_what_it_reads_and_must_keep_what_it_promised() -> None:
    call = Talk().say(StartFlow("pay", {"kind": "power", "account": NUMBER})).only(Call)
    assert call.arguments["kind"] == "power"
    assert call.arguments["account"] == NUMBER
    assert set(call.arguments) == {"kind", "account", "context"}


@pytest.mark.parametrize(("outcome", "slots"), [("eaten", {}), ("found", {"due": 3})])
def test_an_action_that_breaks_its_promise_brings_a_person(outcome: str, slots: dict[str, Any]) -> None:
    talk = Talk().say(StartFlow("pay", {"kind": "power", "account": NUMBER})).answer(outcome, **slots)
    assert "never promised" in talk.only(Alarm).what
    assert talk.said == ["utter_trouble"]
    assert talk.only(Call).action == "action_open_ticket"
    talk.serve()
    assert talk.phase == "resume"  # kept for when the person is done


def test_an_answer_nobody_waits_for_changes_nothing() -> None:
    talk = Talk().say(StartFlow("pay", {"kind": "power", "account": NUMBER}))
    late = talk.waiting
    talk.say(Stop())
    before = talk.now
    talk.put(Answered(late, "found", {"holder": "x"}))
    assert talk.effects == ()
    assert replace(talk.now, turn=before.turn) == before


def test_a_person_overtakes_a_slow_action_which_is_asked_anew_later() -> None:
    talk = Talk().say(StartFlow("pay", {"kind": "power", "account": NUMBER}))
    slow = talk.waiting
    talk.say(Human())
    assert talk.only(Call).action == "action_open_ticket"
    person = talk.waiting
    assert talk.put(Answered(slow, "found", {"holder": "张*芳"})).effects == ()
    talk.put(Answered(person, "opened", {}))
    assert talk.said == ["utter_human_coming"]
    assert talk.say(Resume()).only(Call).action == "action_holder"


def test_an_answer_for_the_business_below_waits_with_it() -> None:
    talk = at_read_back("key").say(Affirm("key"))
    till = talk.waiting
    talk.news(amount=100).put(Answered(till, "submitted", {}))
    assert talk.phase == "outcome"
    talk = at_read_back("key").say(Affirm("key"))
    till = talk.waiting
    talk.say(Human())
    person = talk.waiting
    talk.put(Answered(till, "submitted", {}))
    assert talk.put(Answered(person, "opened", {})).phase == "outcome"


def test_call_ids_are_never_used_twice() -> None:
    talk, seen = at_amount(), []
    for _ in range(5):
        talk.say(StartFlow("rename")).serve().say(CancelFlow())
        seen += [effect.call_id for effect in talk.all(Call)]
        talk.say(Resume())
    assert len(set(seen)) == len(seen)


# --- interruption -------------------------------------------------------------------------------------------------


def test_another_wish_interrupts_and_the_first_is_offered_again_by_name() -> None:
    talk = at_amount().say(StartFlow("look", {"kind": "water", "account": "00000000"})).serve()
    assert talk.asked == ("utter_ask_name_ok", "name_check")
    talk.say(Affirm()).serve(action_quote=("due", {"due": 99}))
    assert talk.said[-2:] == ["utter_due", "utter_ask_continue"]
    assert talk.all(Say)[-1].values["flow_name"] == "交费"
    assert talk.say(Affirm()).asked == ("utter_ask_amount", "amount")
    assert talk.now.slots["kind"] == "power"
    assert talk.now.slots["account"] == NUMBER
    assert talk.now.slots["due"] == 12345


def test_an_interrupted_payment_may_be_left() -> None:
    talk = at_amount().say(StartFlow("look")).say(CancelFlow())
    assert talk.said == ["utter_flow_cancelled", "utter_ask_continue"]
    assert talk.say(Deny()).asked == ("utter_flow_cancelled", "open")
    assert talk.now.stack == ()


def test_after_an_interruption_prices_are_read_back_anew() -> None:
    talk = at_read_back().say(StartFlow("rename")).serve().say(CancelFlow()).say(Affirm())
    assert talk.only(CancelAct).act == "act1"
    assert talk.only(Propose).arguments["amount"] == 5000


def test_what_an_interruption_found_out_helps_where_it_fits() -> None:
    talk = (
        Talk()
        .say(StartFlow("pay", {"kind": "power"}))
        .say(StartFlow("look", {"kind": "power", "account": NUMBER}))
        .serve()
    )
    talk.say(Affirm()).serve()
    assert talk.say(Resume()).serve().asked == ("utter_ask_name_ok", "name_check")
    assert talk.now.slots["account"] == NUMBER


def test_a_number_of_another_bill_never_slips_into_a_payment() -> None:
    talk = (
        Talk()
        .say(StartFlow("pay", {"kind": "power"}))
        .say(StartFlow("look", {"kind": "water", "account": NUMBER}))
        .serve()
    )
    talk.say(Affirm()).serve()
    assert talk.say(Resume()).serve().asked == ("utter_ask_account", "account")
    assert talk.now.slots == {"kind": "power"}


def test_several_wishes_are_served_one_after_the_other() -> None:
    talk = Talk().say(StartFlow("look", {"kind": "power", "account": NUMBER}), StartFlow("rename")).serve()
    talk.say(Affirm()).serve()
    assert talk.said == ["utter_due", "utter_ask_place"]


def test_the_same_wish_again_asks_the_question_again_and_new_values_correct_it() -> None:
    talk = at_amount()
    assert talk.say(StartFlow("pay")).said == ["utter_ask_amount"]
    talk.say(StartFlow("pay", {"kind": "water"}))
    assert talk.now.slots["kind"] == "water"
    assert talk.asked == ("utter_ask_account", "account")


def test_a_wish_taken_up_again_comes_to_the_top() -> None:
    talk = at_amount().say(StartFlow("look")).say(StartFlow("pay"))
    assert talk.asked == ("utter_ask_amount", "amount")
    assert [frame.flow for frame in talk.now.stack] == ["look", "pay"]


def test_a_question_that_must_be_answered_is_not_interrupted() -> None:
    talk = Talk().say(StartFlow("rename")).serve().say(Choose("east")).say(StartFlow("look"))
    assert talk.said == ["utter_ask_nickname"]
    assert talk.say(Stop()).now.stack == ()


def test_a_linked_flow_takes_the_place_with_what_is_kept() -> None:
    talk = Talk().say(StartFlow("rename")).serve().say(Skip()).say(Choose("auntie"))
    assert [frame.flow for frame in talk.now.stack] == ["look"]
    assert talk.said == ["utter_renamed", "utter_ask_kind"]
    assert talk.now.slots == {"nickname": "auntie"}


def test_a_flow_for_calls_only_cannot_be_wished_for() -> None:
    assert Talk().say(StartFlow("find")).said == ["utter_not_offered"]
    assert Talk().say(StartFlow("no_such_flow")).said == ["utter_not_offered"]


# --- news ---------------------------------------------------------------------------------------------------------


def test_news_interrupts_nothing_and_the_question_is_asked_again() -> None:
    talk = at_amount()
    prompt = talk.now.prompt
    talk.news(amount=3120, payment="pay9", bill="x")
    assert talk.said == ["utter_paid", "utter_ask_amount"]
    assert talk.now.prompt == prompt + 1
    assert talk.now.slots["due"] == 12345
    assert "payment" not in talk.now.slots


def test_news_at_a_read_back_reads_it_back_anew() -> None:
    talk = at_read_back().news(amount=3120)
    assert talk.all(CancelAct)[0].act == "act1"
    assert talk.all(Propose)


def test_news_for_a_payment_below_another_business_is_told_and_the_other_goes_on() -> None:
    talk = at_read_back("key").say(Affirm("key")).answer("submitted").say(StartFlow("look"))
    assert talk.asked == ("utter_ask_kind", "choice")
    talk.news("paid", "act1", amount=5000, payment="pay1")
    assert talk.said == ["utter_paid", "utter_ask_kind"]
    assert [frame.flow for frame in talk.now.stack] == ["look"]
    assert talk.now.slots == {}


def test_news_of_something_else_does_not_decide_this_payment() -> None:
    talk = at_read_back("key").say(Affirm("key")).answer("submitted").news("paid", "other", amount=1)
    assert talk.said == ["utter_paid"]
    assert talk.phase == "outcome"


# --- failing closed -----------------------------------------------------------------------------------------------


def with_flows(text_by_step: dict[str, Any], **actions: ActionSpec) -> Release:
    """The shop with steps of `pay` replaced."""
    release = shop()
    pay = release.flows["pay"]
    steps = {name: replace(step, **text_by_step.get(name, {})) for name, step in pay.steps.items()}
    return replace(
        release,
        flows={**release.flows, "pay": replace(pay, steps=steps)},
        actions={**release.actions, **actions},
    )


@pytest.mark.parametrize(
    "broken",
    [{"kind": {"kind": "action", "action": "action_nobody_wrote"}}, {"kind": {"utter": "utter_nobody_wrote"}}, {"kind": {"kind": "call", "flow": "gone"}}],
)  # fmt: skip
def test_what_is_missing_at_run_time_brings_a_person(broken: dict[str, Any]) -> None:
    talk = Talk(release=with_flows(broken)).say(StartFlow("pay"))
    assert len(talk.all(Alarm)) == 1
    assert talk.said == ["utter_trouble"]
    assert talk.only(Call).action == "action_open_ticket"


def test_a_condition_that_cannot_be_decided_is_never_the_else_branch() -> None:
    talk = at_amount()
    talk.now = replace(talk.now, slots={**talk.now.slots, "due": "many"})
    talk.say(SetSlot("amount", 5000))
    assert "cannot be decided" in talk.only(Alarm).what
    assert not talk.all(Propose)


def test_a_flow_that_runs_in_a_circle_is_broken_off() -> None:
    release = with_flows(
        {
            "kind": {
                "kind": "noop",
                "collect": "",
                "next": (replace(shop().flows["pay"].steps["kind"].next[0], target="kind"),),
            }
        }
    )
    talk = Talk(release=release).say(StartFlow("pay"))
    assert "circle" in talk.only(Alarm).what
    assert talk.only(Call).action == "action_open_ticket"


def test_a_flow_that_only_calls_in_a_circle_is_broken_off_too() -> None:
    loop = (replace(shop().flows["pay"].steps["kind"].next[0], target="quote"),)
    talk = Talk(
        release=with_flows({"kind": {"kind": "noop", "collect": "", "next": loop}, "quote": {"next": loop}})
    ).say(StartFlow("pay"))
    for _ in range(40):
        if talk.all(Alarm):
            break
        talk.answer("due", due=1)
    assert "circles" in talk.only(Alarm).what


def test_when_even_the_person_cannot_be_fetched_the_talk_is_left_clean() -> None:
    release = replace(shop(), actions={})
    talk = Talk(release=release).say(Human())
    assert talk.said == ["utter_trouble"]
    assert len(talk.all(Alarm)) == 2
    assert talk.now.stack == ()


# --- purity -------------------------------------------------------------------------------------------------------


def test_numbers_and_names_never_show_in_a_representation() -> None:
    talk = at_read_back()
    for thing in (talk.now, *talk.effects, Code("4321"), talk.expects):
        assert NUMBER not in repr(thing)
        assert "4321" not in repr(thing)


def test_the_end_of_a_talk_keeps_no_question_open() -> None:
    from nlu.commands import Bye

    talk = at_read_back().say(Bye())
    assert talk.said == ["utter_bye_pending"]
    assert talk.only(EndTalk) == EndTalk()
    assert talk.say(Affirm("key")).only(Propose).act == "pay"  # read back anew, not paid
