"""Putting a talk right: misses, silence, repeat, larger, why, cancel, stop, a person, hello and good-bye."""

from __future__ import annotations

import pytest

from dialogues.model import CancelAct, Commit, EndTalk, Say, SetPreference, StopEverything
from nlu.commands import (
    Affirm,
    Bigger,
    Bye,
    CancelFlow,
    CannotHandle,
    Choose,
    Clarify,
    Command,
    CorrectSlot,
    Deny,
    Explain,
    Greet,
    Human,
    Refuse,
    Repeat,
    Resume,
    SetSlot,
    Silence,
    Skip,
    StartFlow,
    Stop,
)  # fmt: skip
from tests.dialogues.talking import NUMBER, Talk, at_amount, at_read_back

NOTHING = CannotHandle()


def ways(talk: Talk, command: Command) -> list[list[str]]:
    """What is said the first, second and third time."""
    return [list(talk.say(command).serve().said) for _ in range(3)]


@pytest.mark.parametrize(
    "unusable", [NOTHING, SetSlot("amount", -5), SetSlot("amount", "many"), Deny(), Choose("x")]
)
def test_three_misses_are_three_ways_and_then_a_person(unusable: Command) -> None:
    first, second, third = ways(at_amount(), unusable)
    assert first == ["utter_ask_amount_again"]
    assert second == ["utter_ask_amount_keys"]
    assert third == ["utter_human_coming"]


def test_without_other_words_the_question_follows_the_excuse() -> None:
    assert ways(Talk().say(StartFlow("pay")), NOTHING)[:2] == [
        ["utter_not_understood", "utter_ask_kind"],
        ["utter_ask_kind_keys"],
    ]


def test_an_open_talk_has_its_own_ladder() -> None:
    assert ways(Talk(), NOTHING) == [
        ["utter_not_understood_open"],
        ["utter_not_understood_open_keys"],
        ["utter_human_coming"],
    ]


def test_a_usable_answer_forgives_the_misses() -> None:
    talk = Talk().say(StartFlow("pay")).say(NOTHING).say(NOTHING).say(Choose("power")).say(NOTHING)
    assert talk.said == ["utter_not_understood", "utter_ask_account"]


def test_a_rejected_value_says_why() -> None:
    talk = at_amount().say(SetSlot("amount", 99999))
    assert talk.said == ["utter_too_much", "utter_ask_amount"]
    assert talk.say(SetSlot("amount", 99999)).said == ["utter_too_much", "utter_ask_amount_keys"]


def test_a_flow_that_comes_back_to_its_question_does_not_ask_it_the_same_way_for_ever() -> None:
    talk = Talk().say(StartFlow("pay", {"kind": "power"}))
    asked = [talk.said[-1]]
    for _ in range(3):
        talk.say(SetSlot("account", NUMBER)).serve(action_holder=("not_found", {}))
        asked.append(talk.said[-1])
    assert asked == ["utter_ask_account", "utter_ask_account", "utter_ask_account_keys", "utter_human_coming"]


# --- silence ------------------------------------------------------------------------------------------------------


def test_silence_on_the_telephone_is_comforted_then_keyed_then_a_person() -> None:
    assert ways(Talk(spoken=True), Silence(8)) == [
        ["utter_silence_comfort"],
        ["utter_silence_keys"],
        ["utter_human_coming"],
    ]
    at_question = ways(Talk(spoken=True).say(StartFlow("pay")), Silence(8))
    assert at_question == [
        ["utter_silence_comfort", "utter_ask_kind"],
        ["utter_ask_kind_keys"],
        ["utter_human_coming"],
    ]


def test_the_keys_offered_in_silence_work() -> None:
    talk = Talk(spoken=True).say(Silence(8)).say(Silence(8))
    assert talk.expects.asks == "choice"
    assert talk.expects.choices == {"look": ("查费", "1"), "human": ("人工", "2")}
    assert talk.guarded(Choose("look")).asked == ("utter_ask_kind", "choice")


def test_a_chat_never_times_anybody_out_and_a_word_ends_the_silence() -> None:
    assert Talk().say(Silence(600)).effects == ()
    talk = Talk(spoken=True).say(Silence(8)).say(Silence(8)).say(Greet()).say(Silence(8))
    assert talk.said == ["utter_silence_comfort"]


# --- again, slower, larger, why -----------------------------------------------------------------------------------


def test_again_slower_and_louder() -> None:
    talk = (
        Talk(spoken=True)
        .say(StartFlow("look", {"kind": "power", "account": NUMBER}))
        .serve()
        .say(Affirm())
        .serve()
    )
    talk.say(Repeat(slower=True, louder=True))
    assert talk.only(Say).response == "utter_due"
    assert talk.only(Say).slower
    assert talk.only(Say).values["due"] == 12345
    assert (talk.now.preferences.rate, talk.now.preferences.volume) == (0.85, 1.2)
    for _ in range(9):
        talk.say(Repeat(slower=True, louder=True))
    assert talk.only(SetPreference).preferences.rate == 0.55
    assert talk.only(Say).values["due"] == 12345


def test_all_that_was_said_is_repeated_and_a_question_gets_a_new_number() -> None:
    talk = at_amount().news(amount=100)
    before = talk.now.prompt
    talk.say(Repeat())
    assert talk.said == ["utter_ask_amount", "utter_paid", "utter_ask_amount"]
    assert talk.now.prompt == before + 2
    assert talk.now.top is not None
    assert talk.now.top.context["prompt"] == talk.now.prompt


def test_larger_print_stays_and_the_question_follows() -> None:
    talk = at_amount().say(Bigger())
    assert talk.now.preferences.large
    assert talk.said == ["utter_bigger", "utter_ask_amount"]


def test_why_is_answered_and_the_question_follows_in_short_at_a_read_back() -> None:
    assert at_amount().say(Explain("why")).said == ["utter_why_amount", "utter_ask_amount"]
    talk = at_read_back().say(Explain("why"))
    assert talk.said == ["utter_why_amount", "utter_confirm_pay_short"]
    assert talk.say(Affirm()).asked == ("utter_ask_code", "code")
    assert Talk().say(Explain()).asked == ("utter_no_explanation", "open")


def test_how_leads_through_a_flow_and_back() -> None:
    talk = Talk().say(StartFlow("pay", {"kind": "power"})).say(Explain("how"))
    assert talk.said == ["utter_where_printed", "utter_ask_account"]
    assert talk.say(SetSlot("account", NUMBER)).serve().asked == ("utter_ask_name_ok", "name_check")


# --- cancel, stop, a person ---------------------------------------------------------------------------------------


def test_cancel_names_the_business_with_all_it_called() -> None:
    talk = Talk().say(StartFlow("pay", {"kind": "power"})).say(CancelFlow())
    assert talk.asked == ("utter_flow_cancelled", "open")
    assert talk.only(Say).values["flow_name"] == "交费"
    assert Talk().say(CancelFlow()).asked == ("utter_nothing_to_cancel", "open")


def test_stop_drops_everything_and_says_what_became_of_it() -> None:
    talk = at_read_back().say(StartFlow("look")).say(Stop())
    assert talk.only(CancelAct).act == "act1"
    stop = talk.only(StopEverything)
    assert talk.now.stack == ()
    assert talk.now.slots == {}
    from dialogues.model import Answered

    assert talk.copy().put(Answered(stop.call_id, "nothing_sent")).asked == ("utter_stopped", "open")
    assert talk.copy().put(Answered(stop.call_id, "in_flight")).asked == ("utter_stopped_in_flight", "open")
    assert not talk.guarded(Affirm("key")).all(Commit)


def test_stop_does_not_cancel_what_was_said_yes_to() -> None:
    talk = at_read_back("key").say(Affirm("key")).answer("submitted").say(Stop())
    assert not talk.all(CancelAct)
    assert talk.only(StopEverything)


def test_a_person_comes_at_once_and_the_business_waits_silently() -> None:
    talk = at_read_back("key").say(Human()).serve()
    assert talk.said == ["utter_human_coming"]
    assert talk.phase == "resume"
    assert not talk.guarded(Affirm("key")).all(Commit)


def test_asking_for_a_person_twice_leaves_one_request() -> None:
    talk = at_amount().say(Human()).say(Human())
    assert [frame.flow for frame in talk.now.stack] == ["pay", "human_help"]


def test_while_a_person_speaks_the_bot_is_silent_but_can_be_stopped() -> None:
    talk = Talk(mode="human", staff="zhao")
    assert talk.say(StartFlow("pay")).effects == ()
    assert talk.say(Stop()).only(StopEverything)


# --- the rest -----------------------------------------------------------------------------------------------------


def test_what_we_never_take_is_refused_and_does_not_loop() -> None:
    assert ways(at_amount(), Refuse("card_number")) == [
        ["utter_refuse_card_number", "utter_ask_amount"],
        ["utter_refuse_card_number", "utter_ask_amount_keys"],
        ["utter_human_coming"],
    ]


def test_hello_asks_again_and_reads_back_anew() -> None:
    assert Talk().say(Greet()).asked == ("utter_greet", "open")
    assert at_amount().say(Greet()).said == ["utter_greet", "utter_ask_amount"]
    assert at_read_back().say(Greet()).only(CancelAct).act == "act1"


def test_good_bye() -> None:
    assert Talk().say(Bye()).only(EndTalk)
    talk = at_amount().say(Bye())
    assert talk.said == ["utter_bye_pending"]
    assert talk.say(Greet()).said == ["utter_greet", "utter_ask_continue"]
    assert not Talk().say(Bye(), StartFlow("pay")).all(EndTalk)


def test_which_of_these_and_the_choice_begins_it() -> None:
    talk = Talk().say(Clarify(("pay", "look", "gone")))
    assert talk.asked == ("utter_which_flow", "choice")
    assert talk.expects.choices == {"pay": ("交费", "1"), "look": ("查费", "2")}
    assert talk.guarded(Choose("look")).asked == ("utter_ask_kind", "choice")


def test_only_what_a_flow_can_do_without_is_skipped() -> None:
    talk = Talk().say(StartFlow("rename")).serve().say(Skip())
    assert talk.asked == ("utter_ask_nickname", "choice")
    assert talk.say(Skip()).said == ["utter_cannot_skip", "utter_ask_nickname"]


def test_going_on_where_nothing_was_interrupted_asks_again() -> None:
    assert at_amount().say(Resume()).said == ["utter_ask_amount"]


# --- correction ---------------------------------------------------------------------------------------------------


def test_a_correction_asks_again_only_what_depended_on_it() -> None:
    talk = at_read_back().say(CorrectSlot("kind", "water"))
    assert talk.only(CancelAct).act == "act1"
    assert talk.asked == ("utter_ask_account", "account")
    assert talk.now.slots == {"kind": "water"}
    talk.say(SetSlot("account", NUMBER)).serve().say(Affirm()).serve()
    assert talk.asked == ("utter_ask_amount", "amount")


def test_a_new_amount_at_the_read_back_is_read_back_anew() -> None:
    talk = at_read_back().guarded(SetSlot("amount", 2000))
    assert talk.all(CancelAct)[0].act == "act1"
    talk.serve()
    assert talk.at == ("pay", "commit")
    assert "amount" in talk.now.slots
    assert talk.now.slots["amount"] == 2000


def test_a_value_said_to_be_wrong_is_asked_again() -> None:
    talk = at_read_back().say(CorrectSlot("account", None))
    assert talk.asked == ("utter_ask_account", "account")


def test_the_same_value_again_is_no_correction() -> None:
    talk = at_read_back().say(CorrectSlot("amount", 5000))
    assert not talk.all(CancelAct)
    assert talk.asked == ("utter_confirm_pay", "confirm")


def test_a_yes_with_a_correction_is_no_yes() -> None:
    talk = at_read_back("key").guarded(Affirm("key"), CorrectSlot("amount", 100))
    assert not talk.all(Commit)
    assert talk.serve().at == ("pay", "commit")


def test_nothing_to_correct_is_said() -> None:
    assert Talk().say(CorrectSlot("kind", "water")).asked == ("utter_nothing_to_correct", "open")
    assert at_amount().say(CorrectSlot("nickname", "x")).said == [
        "utter_nothing_to_correct",
        "utter_ask_amount",
    ]
    assert at_amount().say(CorrectSlot("kind", "gas")).said == ["utter_ask_amount_again"]


def test_a_correction_may_overtake_an_action() -> None:
    talk = (
        Talk()
        .say(StartFlow("pay", {"kind": "power", "account": NUMBER}))
        .say(CorrectSlot("account", "99999999"))
    )
    assert talk.serve().asked == ("utter_ask_name_ok", "name_check")
    assert talk.now.slots["account"] == "99999999"
