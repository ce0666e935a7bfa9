"""From the read-back to the till: what counts as a yes, what a code does, and what cancels."""

from __future__ import annotations

import pytest

from dialogues.model import CancelAct, CheckFactor, Commit, IssueCode, Propose, Say
from nlu.commands import Affirm, CancelFlow, CannotHandle, Clarify, Code, CorrectSlot, Deny, Repeat, SetSlot
from tests.dialogues.talking import Talk, at_amount, at_read_back


def test_the_read_back_says_what_the_till_bound() -> None:
    read_back = at_read_back().only(Say)
    assert (read_back.response, read_back.asks) == ("utter_confirm_pay", "confirm")
    assert {"holder": "张*芳", "amount": 5000, "method": "零钱"}.items() <= read_back.values.items()


@pytest.mark.parametrize(
    ("strength", "spoken", "how", "pays"),
    [("key", True, "key", True), ("key", True, "spoken", False), ("key", True, "word", False), ("key", False, "button", True), ("code", False, "word", False)],
)  # fmt: skip
def test_how_a_yes_must_be_said(strength: str, spoken: bool, how: str, pays: bool) -> None:
    talk = at_read_back(strength, spoken=spoken).say(Affirm(how))
    assert bool(talk.all(Commit)) is pays


def test_a_word_on_the_telephone_is_told_which_key_and_then_a_person() -> None:
    talk = at_read_back("key", spoken=True)
    assert talk.say(Affirm("spoken")).asked == ("utter_press_key", "confirm")
    assert talk.say(Affirm("spoken")).asked == ("utter_confirm_pay_keys", "confirm")
    assert talk.say(Affirm("spoken")).now.top.flow == "human_help"  # type: ignore[union-attr]


def test_a_code_is_sent_only_after_the_yes() -> None:
    talk = at_read_back()
    assert not talk.all(IssueCode)
    assert talk.say(Affirm()).only(IssueCode).act == "act1"


def test_a_code_in_the_same_breath_is_checked_at_once() -> None:
    talk = at_read_back().say(Affirm(), Code("1234"))
    assert not talk.all(IssueCode)
    assert talk.only(CheckFactor).digits == "1234"


def test_a_code_alone_is_no_yes() -> None:
    talk = at_read_back().say(Code("1234"))
    assert not talk.all(CheckFactor)
    assert talk.asked == ("utter_confirm_pay_again", "confirm")


def test_wrong_codes_are_told_asked_by_keys_and_end_with_a_person() -> None:
    talk = at_read_back().say(Affirm())
    said = [talk.say(Code("1111")).answer("wrong", tries_left=left).said for left in (2, 1, 0)]
    assert said[:2] == [["utter_code_wrong"], ["utter_code_wrong", "utter_ask_code_keys"]]
    assert talk.now.top is not None
    assert talk.now.top.flow == "human_help"


def test_a_blocked_factor_cancels_and_the_flow_goes_on() -> None:
    talk = at_read_back().say(Affirm(), Code("1111")).answer("blocked")
    assert talk.only(CancelAct).act == "act1"
    assert talk.said == ["utter_code_blocked", "utter_not_paid"]
    assert talk.phase == "open"


def test_an_expired_code_is_replaced() -> None:
    talk = at_read_back().say(Affirm(), Code("1111")).answer("expired")
    assert talk.only(IssueCode).act == "act1"
    assert talk.asked == ("utter_code_expired", "code")


@pytest.mark.parametrize("no", [Deny(), CancelFlow()])
def test_no_cancels_the_act_and_takes_the_branch(no: Deny | CancelFlow) -> None:
    for talk in (at_read_back(), at_read_back().say(Affirm())):
        talk.say(no)
        assert talk.only(CancelAct).act == "act1"
        assert talk.said == ["utter_not_paid"]


def test_approval_is_told_and_nothing_is_paid() -> None:
    talk = at_read_back("approval").say(Affirm("key"))
    assert talk.said == ["utter_approval_needed"]
    assert talk.only(CancelAct).act == "act1"
    assert talk.phase == "open"


def test_a_refused_proposal_and_a_refused_yes_take_their_branches() -> None:
    talk = at_amount(amount=5000).answer("refused", reason="over_cap")
    assert talk.said == ["utter_not_allowed"]
    assert talk.only(Say).values["refusal"] == "over_cap"
    talk = at_read_back("key").say(Affirm("key")).answer("refused", reason="quote_expired")
    assert talk.said == ["utter_refused"]


def test_a_yes_counts_only_at_the_newest_question() -> None:
    talk = at_read_back("key").say(Clarify(("look", "rename")))
    assert talk.say(Affirm("key")).asked == ("utter_confirm_pay", "confirm")
    assert not talk.all(Commit)
    assert talk.say(Affirm("key")).all(Commit)


def test_a_second_yes_never_pays_twice() -> None:
    talk = at_read_back("key").say(Affirm("key"))
    first = talk.only(Commit)
    assert not talk.copy().say(Affirm("key")).all(Commit)
    talk.answer("submitted")
    assert talk.say(Affirm("key")).said == ["utter_already_sent"]
    assert first.act == "act1"


def test_repeating_the_read_back_keeps_its_facts_and_makes_it_the_newest() -> None:
    talk = at_read_back("key")
    old = talk.now.prompt
    talk.say(Repeat())
    assert talk.only(Say).prompt == old + 1
    assert talk.only(Say).values["amount"] == 5000
    assert not talk.all(Propose)
    assert not talk.guarded(Affirm("key"), prompt=old).all(Commit)
    assert talk.say(Repeat()).guarded(Affirm("key"), prompt=old + 2).all(CannotHandle) == []


def test_after_the_yes_nothing_can_be_put_right_and_pushing_brings_a_person() -> None:
    talk = at_read_back("key").say(Affirm("key")).answer("submitted")
    assert talk.say(CorrectSlot("amount", 1)).said == ["utter_already_sent"]
    assert talk.say(CancelFlow()).said == ["utter_already_sent_again"]
    talk.say(SetSlot("amount", 1))
    assert talk.now.stack[-1].flow == "human_help"
    assert talk.now.stack[0].phase == "outcome"


def test_the_outcome_decides_the_branch_once() -> None:
    for outcome, response in (
        ("paid", "utter_paid"),
        ("refused", "utter_refused"),
        ("checking", "utter_checking"),
    ):
        talk = Talk()
        talk = (
            at_read_back("key")
            .say(Affirm("key"))
            .answer("submitted")
            .news(outcome, "act1", amount=5000, payment="p")
        )
        assert talk.said == [response]
        assert not talk.all(CancelAct)
