"""No question is asked the same way for ever, whatever makes us ask it again: once as it was, then by keys, then a person."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nlu.commands import (
    Affirm,
    Bigger,
    CannotHandle,
    Choose,
    Clarify,
    Command,
    CorrectSlot,
    Deny,
    Doubt,
    DoubtfulDigits,
    Explain,
    Greet,
    Human,
    Refuse,
    Repeat,
    Resume,
    SetSlot,
    Skip,
    StartFlow,
)
from tests.dialogues.talking import NUMBER, Talk, at_amount, at_read_back


def at_kind(*, spoken: bool = False) -> Talk:
    return Talk(spoken=spoken).say(StartFlow("pay"))


def at_number() -> Talk:
    return Talk(spoken=True).say(StartFlow("pay", {"kind": "power"}))


def at_resume() -> Talk:
    return at_kind().say(Human()).serve().say(Greet())


QUESTIONS: dict[str, Callable[[], Talk]] = {
    "kind": at_kind,
    "number": at_number,
    "amount": at_amount,
    "read-back": at_read_back,
    "code": lambda: at_read_back("code").say(Affirm()),
    "go on?": at_resume,
}
AGAIN: dict[str, Command] = {
    "repeat": Repeat(),
    "resume": Resume(),
    "the same wish": StartFlow("pay"),
    "hello": Greet(),
    "larger": Bigger(),
    "skip": Skip(),
    "why": Explain("why"),
    "how": Explain("how"),
    "which of these": Clarify(("pay", "look")),
    "the same value": CorrectSlot("kind", "power"),
    "a value of no use": CorrectSlot("nickname", "auntie"),
    "wrong, but not what": CorrectSlot("amount", None),
    "what is wrong": CannotHandle("what_is_wrong"),
    "a card": Refuse("card_number"),
}
_AT_RESUME_GOES_ON = {
    "resume",
    "the same wish",
}  # taken up again: the question below comes, and is counted there


@pytest.mark.parametrize("again", AGAIN)
@pytest.mark.parametrize("place", QUESTIONS)
def test_a_person_comes_before_a_question_is_asked_the_same_way_three_times(place: str, again: str) -> None:
    talk = QUESTIONS[place]()
    asked: list[str] = [talk.asked[0]]
    for _ in range(5):
        talk.say(AGAIN[again]).serve()
        if "propose" in talk.phase:
            talk.answer("proposed", act="act2", digest="d2", strength="code", method="零钱")
        if "utter_human_coming" in talk.said:
            break
        asked.append(talk.asked[0])
    assert talk.said[-1] == "utter_human_coming", asked
    if not (place == "go on?" and again in _AT_RESUME_GOES_ON):
        assert len(asked) <= 4, asked  # as it was, and at most three times more before the person


def test_a_question_is_repeated_as_it_was_then_by_keys_then_a_person_comes() -> None:
    talk = at_amount()
    assert talk.say(Repeat()).said == ["utter_ask_amount"]
    assert talk.say(Repeat()).said == ["utter_ask_amount_keys"]
    assert talk.say(Repeat()).said == []
    assert talk.serve().said == ["utter_human_coming"]


def test_the_same_wish_again_is_counted_alike() -> None:
    talk = at_kind()
    assert talk.say(StartFlow("pay")).said == ["utter_ask_kind"]
    assert talk.say(StartFlow("pay")).said == ["utter_ask_kind_keys"]
    assert talk.say(StartFlow("pay")).serve().said == ["utter_human_coming"]


def test_an_answer_begins_the_count_anew() -> None:
    talk = at_kind().say(Repeat()).say(Repeat()).say(Choose("power"))
    assert talk.asked == ("utter_ask_account", "account")
    assert talk.say(Repeat()).said == ["utter_ask_account"]
    assert talk.say(Repeat()).said == ["utter_ask_account_keys"]


def test_a_person_in_between_begins_the_count_anew() -> None:
    talk = at_kind()
    for _ in range(3):
        talk.say(Repeat()).serve()
    assert talk.phase == "resume"
    assert talk.say(Resume()).said == ["utter_ask_kind"]
    assert talk.say(Repeat()).said == ["utter_ask_kind"]


def test_a_result_may_be_heard_as_often_as_one_likes() -> None:
    talk = Talk().say(StartFlow("look", {"kind": "power", "account": NUMBER})).serve().say(Affirm()).serve()
    assert talk.phase == "open"
    assert {tuple(talk.say(Repeat()).said) for _ in range(6)} == {("utter_due",)}


@pytest.mark.parametrize(("slower", "louder"), [(True, False), (False, True), (True, True)])
def test_slower_and_louder_count_only_when_it_cannot_get_slower_or_louder(slower: bool, louder: bool) -> None:
    talk = at_kind(spoken=True)
    for _ in range(3):
        assert talk.say(Repeat(slower=slower, louder=louder)).said == ["utter_ask_kind"]
    assert talk.say(Repeat(slower=slower, louder=louder)).said == ["utter_ask_kind"]
    assert talk.say(Repeat(slower=slower, louder=louder)).said == ["utter_ask_kind_keys"]
    assert talk.say(Repeat(slower=slower, louder=louder)).serve().said == ["utter_human_coming"]


def test_the_same_doubtful_digit_again_is_asked_by_keys_and_then_a_person_comes() -> None:
    heard = DoubtfulDigits("account", "0319?012", (Doubt(4, ("4", "10")),))
    talk = at_number().say(heard)
    assert talk.asked == ("utter_digits_doubt", "choice")
    talk.say(heard).say(heard).say(heard).serve()
    assert talk.said == ["utter_human_coming"]


def test_an_unclear_wish_again_and_again_at_the_open_question_brings_a_person() -> None:
    talk = Talk()
    asked = [talk.say(Clarify(("pay", "look"))).serve().said[-1] for _ in range(3)]
    assert asked == ["utter_which_flow", "utter_which_flow", "utter_human_coming"]


# --- 不对 ---------------------------------------------------------------------------------------------------------------


def test_wrong_at_the_read_back_asks_what_and_gives_nothing_up() -> None:
    talk = at_read_back().guarded(CannotHandle("what_is_wrong"))
    assert talk.said == ["utter_what_is_wrong", "utter_confirm_pay_short"]
    assert talk.phase == "confirm"
    assert talk.copy().guarded(Affirm()).asked == ("utter_ask_code", "code")
    assert talk.copy().guarded(Deny()).said == ["utter_not_paid"]
    assert talk.copy().guarded(CorrectSlot("account", None)).asked == ("utter_ask_account", "account")
    assert talk.say(CannotHandle("what_is_wrong")).said[0] == "utter_what_is_wrong"
    assert talk.say(CannotHandle("what_is_wrong")).serve().said == ["utter_human_coming"]


# --- a card in parts ----------------------------------------------------------------------------------------------------


def test_the_parts_of_a_card_are_forgotten() -> None:
    talk = at_number().say(SetSlot("account", "6222021"))
    assert talk.expects.collected == "6222021"
    talk.say(Refuse("card_number"))
    assert talk.said == ["utter_refuse_card_number", "utter_ask_account"]
    assert talk.expects.collected == ""
    assert "6222021" not in str(talk.now)
    assert talk.now.top is not None
    assert "6222021" not in str(dict(talk.now.top.context))


def test_a_card_with_a_doubtful_digit_is_refused_when_the_digit_is_named() -> None:
    doubt = (Doubt(15, ("1", "7")),)
    talk = at_number().say(DoubtfulDigits("account", "411111111111111?", doubt)).say(Choose("1"))
    assert talk.said == ["utter_refuse_card_number", "utter_ask_account"]
    assert talk.now.top is not None
    assert "4111" not in str(dict(talk.now.top.context))


def test_a_question_that_was_not_understood_and_comes_back_has_been_asked_again_already() -> None:
    """Two failures, whatever they were, change the way of asking; that nobody understood him brings no person by itself."""
    talk = Talk().say(StartFlow("pay", {"kind": "power"})).say(CannotHandle())
    assert talk.asked == ("utter_ask_account", "account")
    talk.say(SetSlot("account", NUMBER)).serve(action_holder=("not_found", {}))
    assert talk.said == ["utter_not_found", "utter_ask_account_keys"]


def test_a_number_explained_twice_is_asked_for_by_keys() -> None:
    talk = Talk().say(StartFlow("pay", {"kind": "power"}))
    assert talk.say(Explain("how")).said == ["utter_where_printed", "utter_ask_account"]
    assert talk.say(Explain("how")).said == ["utter_where_printed", "utter_ask_account_keys"]
