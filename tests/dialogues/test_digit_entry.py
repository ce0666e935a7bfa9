"""An account number said in parts: kept, read back, and only the doubtful digit asked again."""

from __future__ import annotations

import pytest

from dialogues.model import Call, Say
from nlu.commands import (
    Affirm,
    CannotHandle,
    Choose,
    Command,
    Deny,
    Doubt,
    DoubtfulDigits,
    Repeat,
    SetSlot,
    StartFlow,
)
from tests.dialogues.talking import Talk


def at_number(*, spoken: bool = True) -> Talk:
    return Talk(spoken=spoken).say(StartFlow("pay", {"kind": "power"}))


def test_a_number_in_three_breaths() -> None:
    talk = at_number().say(SetSlot("account", "0319"))
    assert talk.asked == ("utter_digits_go_on", "account")
    assert talk.only(Say).values["digits"] == "0319"
    assert talk.expects.collected == "0319"
    assert talk.say(SetSlot("account", "031900")).asked == ("utter_digits_go_on", "account")
    assert talk.say(SetSlot("account", "03190012")).only(Call).action == "action_holder"
    assert talk.now.slots["account"] == "03190012"


def test_in_writing_a_number_is_taken_as_written() -> None:
    assert at_number(spoken=False).say(SetSlot("account", "0319")).only(Call).action == "action_holder"


@pytest.mark.parametrize("done", [Deny(), Affirm("spoken"), SetSlot("account", "0319")])
def test_nothing_more_to_come(done: Command) -> None:
    talk = at_number().say(SetSlot("account", "0319")).say(done)
    assert talk.only(Call).action == "action_holder"
    assert talk.now.slots["account"] == "0319"


def test_too_few_digits_are_not_a_number() -> None:
    talk = at_number().say(SetSlot("account", "031")).say(Deny())
    assert talk.said[-1] == "utter_digits_go_on"
    assert not talk.all(Call)


def test_only_the_doubtful_digit_is_asked_and_noted() -> None:
    doubt = DoubtfulDigits("account", "0319?012", (Doubt(4, ("4", "10")),))
    talk = at_number().say(doubt)
    assert talk.asked == ("utter_digits_doubt", "choice")
    assert talk.only(Say).values == {"position": 5, "before": "9", "first": "四", "second": "十"}
    assert talk.expects.choices == {"4": ("4", "四"), "10": ("10", "十")}
    assert talk.expects.digits == (1, 2)
    talk.guarded(Choose("4"))
    assert [call.action for call in talk.all(Call)] == ["action_note_digit_doubt", "action_holder"]
    assert talk.now.slots["account"] == "03194012"


def test_two_doubts_are_asked_one_after_the_other() -> None:
    doubts = (Doubt(1, ("3", "10")), Doubt(4, ("4", "10")))
    talk = at_number().say(DoubtfulDigits("account", "0?19?012345", doubts)).say(Choose("10"))
    assert talk.asked == ("utter_digits_doubt", "choice")
    assert talk.only(Say).values["position"] == 6
    talk.say(Choose("4"))
    assert talk.now.slots["account"] == "010194012345"


def test_a_doubt_in_a_part_leaves_the_rest_to_come() -> None:
    talk = (
        at_number()
        .say(SetSlot("account", "0319"))
        .say(DoubtfulDigits("account", "0319?0", (Doubt(4, ("4", "10")),)))
    )
    talk.say(Choose("4"))
    assert talk.asked == ("utter_digits_go_on", "account")
    assert talk.expects.collected == "031940"


def test_a_doubt_not_cleared_goes_up_the_ladder() -> None:
    talk = at_number().say(DoubtfulDigits("account", "0319?012", (Doubt(4, ("4", "10")),)))
    assert talk.say(Choose("7")).said == ["utter_not_understood", "utter_digits_doubt"]
    assert talk.say(Repeat()).said[-1] == "utter_digits_doubt"
    assert talk.say(CannotHandle()).said[-1] == "utter_digits_doubt"
    talk.say(CannotHandle())
    assert talk.now.stack[-1].flow == "human_help"


@pytest.mark.parametrize(
    "senseless",
    [
        DoubtfulDigits("account", "0319?012", ()),
        DoubtfulDigits("account", "0319?012", (Doubt(3, ("4", "10")),)),
        DoubtfulDigits("account", "0319?012", (Doubt(40, ("4", "10")),)),
        DoubtfulDigits("account", "0319?012", (Doubt(4, ("4",)),)),
        DoubtfulDigits("account", "????", tuple(Doubt(n, ("4", "10")) for n in range(4))),
        DoubtfulDigits("amount", "?", (Doubt(0, ("4", "10")),)),
    ],
)
def test_doubts_that_make_no_sense_are_a_miss(senseless: DoubtfulDigits) -> None:
    assert at_number().say(senseless).said == ["utter_not_understood", "utter_ask_account"]
