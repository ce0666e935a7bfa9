"""What counts in which state, and what is listened for."""

from __future__ import annotations

import pytest

from dialogues import wire
from dialogues.guard import allowed
from dialogues.model import Button, Said
from dialogues.wire import NotOurs
from nlu.commands import (
    Affirm,
    CancelFlow,
    CannotHandle,
    Choose,
    Code,
    Command,
    CorrectSlot,
    Deny,
    Human,
    SetSlot,
    StartFlow,
    Stop,
)  # fmt: skip
from tests.dialogues.talking import NUMBER, Talk, at_amount, at_read_back

STALE, NOTHING = (CannotHandle("nothing_to_confirm"),), (CannotHandle("not_expected"),)


def count(talk: Talk, *commands: Command, prompt: int | None = None) -> tuple[Command, ...]:
    return allowed(commands, talk.now, talk.expects, prompt)


def test_a_yes_counts_at_the_newest_read_back_only() -> None:
    talk = at_read_back()
    yes = Affirm("key")
    assert count(talk, yes) == (yes,)
    assert count(talk, yes, prompt=talk.now.prompt) == (yes,)
    assert count(talk, yes, prompt=talk.now.prompt - 1) == STALE
    assert count(Talk(), yes) == STALE
    assert count(talk.say(Stop()), yes) == STALE


@pytest.mark.parametrize(
    "against",
    [Deny(), CancelFlow(), Stop(), Human(), CorrectSlot("amount", 1), SetSlot("amount", 1), CannotHandle()],
)
def test_a_yes_that_is_taken_back_in_the_same_breath_is_none(against: Command) -> None:
    assert not any(isinstance(c, Affirm) for c in count(at_read_back(), Affirm("key"), against))


def test_a_yes_that_names_the_amount_read_back_is_a_yes() -> None:
    yes = Affirm("word")
    assert count(at_read_back(), yes, SetSlot("amount", 5000)) == (yes,)
    assert count(at_read_back(), yes, SetSlot("amount", 5001)) == (SetSlot("amount", 5001),)


def test_values_only_where_they_belong() -> None:
    amount = SetSlot("amount", 100)
    assert count(at_amount(), amount) == (amount,)
    assert count(at_read_back(), amount) == (amount,)
    assert count(Talk(), amount) == NOTHING
    assert count(Talk().say(StartFlow("pay")), amount) == NOTHING
    assert count(Talk(), StartFlow("pay"), amount) == (StartFlow("pay"), amount)


def test_codes_and_choices_only_where_asked_for() -> None:
    assert count(at_read_back(), Code("1234")) == NOTHING
    assert count(at_read_back(), Affirm(), Code("1234")) == (Affirm(), Code("1234"))
    assert count(at_read_back().say(Affirm()), Code("1234")) == (Code("1234"),)
    assert count(Talk().say(StartFlow("pay")), Choose("power"), Choose("gas")) == (Choose("power"),)


def test_a_no_with_the_right_value_is_a_correction() -> None:
    assert count(at_read_back(), Deny(), CorrectSlot("amount", 3000)) == (CorrectSlot("amount", 3000),)


def test_while_a_person_speaks_only_stop_counts() -> None:
    assert count(Talk(mode="human"), StartFlow("pay"), Stop()) == (Stop(),)


# --- what is listened for -----------------------------------------------------------------------------------------


def test_every_state_says_what_it_waits_for() -> None:
    talk = Talk()
    assert talk.expects.asks == "open"
    talk.say(StartFlow("pay"))
    assert (talk.expects.asks, talk.expects.slot, talk.expects.choices) == (
        "choice", "kind", {"power": ("电费", "1"), "water": ("水费", "2")},
    )  # fmt: skip
    talk.say(Choose("power"))
    assert (talk.expects.asks, talk.expects.slot_type, talk.expects.digits) == ("account", "account", (4, 12))
    assert talk.expects.in_flow == "pay"
    assert at_amount().expects.asks == "amount"
    assert set(at_read_back().expects.amounts) == {12345, 5000}
    assert at_read_back().say(Affirm()).expects.digits == (4, 6)
    assert at_read_back().say(StartFlow("look")).say(CancelFlow()).expects.asks == "choice"
    assert Talk().say(StartFlow("rename")).serve().expects.choices == {"east": ("东门",), "west": ("西门",)}


# --- on the wire --------------------------------------------------------------------------------------------------


def test_a_talk_survives_the_wire() -> None:
    talk = at_read_back().say(StartFlow("look"), StartFlow("rename", {"nickname": "auntie"}))
    assert talk.now.pending_wishes
    assert wire.load(wire.dump(talk.now)) == talk.now
    said = Said("utter_x", "付46.50元吗?", (Button("付", "tok"),), asks="confirm", large=True)
    assert wire.load_said(wire.dump_said(said)) == said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"$":"Said","response":"a","text":"b"}',
        '{"$":"os.system"}',
        '{"$":"Conversation"}',
    ],
)
def test_what_is_not_a_talk_is_refused(text: str) -> None:
    with pytest.raises(NotOurs):
        wire.load(text)
    if "Said" not in text:
        with pytest.raises(NotOurs):
            wire.load_said(text)


def test_numbers_stay_out_of_what_is_shown() -> None:
    assert NUMBER not in repr(at_amount().expects)
