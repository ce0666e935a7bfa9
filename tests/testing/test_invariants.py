"""Each promise of every talk: kept it is silent, broken it says so, and unknown it is left out by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dialogues.testing import invariants as laws
from dialogues.testing.invariants import Stopped, Turn, View, check
from dialogues.testing.world import DataRead, GatewayCall, Movement, Secret, Sent, Talk, WorldFacts

NOW = datetime(2026, 3, 10, 1, tzinfo=UTC)  # nine in the morning
YES = Movement("W-LI", 4650, "limin", NOW - timedelta(minutes=1))
TAKEN = Movement("W-LI", 4650, "limin", NOW, "p1")


def _view(*sent: Sent, new: int = 0, turns: tuple[Turn, ...] = (), **facts: Any) -> View:
    return View(WorldFacts(NOW, **facts), sent, new, turns)


def _sent(text: str, person: str = "limin", **more: Any) -> Sent:
    return Sent(person, text, more.pop("at", NOW), **more)


# --- S-I1, S-I2 ---


def test_a_capture_has_an_earlier_yes_for_the_same_account_amount_and_payer() -> None:
    assert laws.captures_were_confirmed(_view(captures=(TAKEN,), confirmations=(YES,))) == []
    for other in (
        Movement("E-LI", 4650, "limin", YES.at),
        Movement("W-LI", 4651, "limin", YES.at),
        Movement("W-LI", 4650, "lijg", YES.at),
        Movement("W-LI", 4650, "limin", NOW + timedelta(seconds=1)),
    ):
        assert laws.captures_were_confirmed(_view(captures=(TAKEN,), confirmations=(other,)))


def test_one_yes_is_good_for_one_capture() -> None:
    twice = (TAKEN, Movement("W-LI", 4650, "limin", NOW, "p2"))
    assert laws.captures_were_confirmed(_view(captures=twice, confirmations=(YES,)))
    assert laws.captures_were_confirmed(_view(captures=twice, confirmations=(YES, YES))) == []


def test_what_the_world_began_with_needs_no_yes() -> None:
    given = Movement("W-LI", 4650, "limin", NOW, "p0", given=True)
    assert laws.captures_were_confirmed(_view(captures=(given,), confirmations=())) == []


def test_an_intent_is_captured_once() -> None:
    assert laws.captured_once(_view(captures=(TAKEN,))) == []
    assert laws.captured_once(_view(captures=(TAKEN, TAKEN)))


# --- S-I3 ---


@pytest.mark.parametrize(
    ("message", "fine"),
    [
        (_sent("已扣款46.50元", claims="captured", payment="p1"), True),
        (_sent("已扣款46.50元"), True),
        (_sent("已扣款46.50元", claims="captured", payment="p2"), False),
        (_sent("水费已销账"), False),
        (_sent("水费已到账", claims="posted", payment="p1"), False),
        (_sent("水费还没销账，还没到账"), True),
        (_sent("钱是否已到账还不知道"), True),
        (_sent("已退给您", claims="refunded", payment="p1"), False),
        (_sent("水费已销账", speaker="小赵"), True),
    ],
)
def test_nobody_is_told_what_did_not_happen(message: Sent, fine: bool) -> None:
    found = laws.told_only_what_happened(_view(message, captures=(TAKEN,), posted=()))
    assert (found == []) is fine


def test_words_about_money_before_any_money_are_a_lie() -> None:
    assert laws.told_only_what_happened(_view(_sent("已扣款46.50元"), captures=(), posted=()))


# --- S-I4, S-I5 ---


def test_books_balance() -> None:
    assert laws.books_balance(_view(ledger_ok=True)) == []
    assert laws.books_balance(_view(ledger_ok=False))
    assert laws.books_balance(_view(ledger_ok=True, broken=("M-I4 debit without credit",)))


SECRETS = (Secret("account", "1100223344", frozenset({"limin"})), Secret("code", "808153"))


@pytest.mark.parametrize(
    ("facts", "message", "fine"),
    [
        ({"logs": "paid ****3344"}, _sent("尾号3344"), True),
        ({"logs": "paid 1100223344"}, _sent("尾号3344"), False),
        ({"logs": "code 808153"}, _sent("尾号3344"), False),
        ({"logs": ""}, _sent("户号1100223344"), True),
        ({"logs": ""}, _sent("户号1100223344", "lijg"), False),
        ({"logs": ""}, _sent("户号 1100 2233 44", "lijg"), False),
        ({"logs": "order 99110022334455"}, _sent("尾号3344"), True),
    ],
)
def test_secrets_stay(facts: dict[str, Any], message: Sent, fine: bool) -> None:
    assert (laws.secrets_stay(_view(message, secrets=SECRETS, **facts)) == []) is fine


def test_what_somebody_just_wrote_may_be_read_back_to_him() -> None:
    message = _sent("您说的是 1100 2233 44", "chenm")
    facts = WorldFacts(NOW, secrets=SECRETS, logs="")
    assert laws.secrets_stay(View(facts, (message,), spoken={"chenm": "1100223344"})) == []
    assert laws.secrets_stay(View(facts, (message,), spoken={"chenm": "1100"}))


# --- S-I6 ---


def test_asking_for_a_person_reaches_one_in_that_turn() -> None:
    turn = Turn("lijg", NOW, 0, "human")
    waiting = WorldFacts(NOW, tickets=(), talks={"lijg": Talk(mode="waiting")})
    ticket = WorldFacts(NOW, tickets=({"kind": "human", "person": "lijg"},))
    nobody = WorldFacts(NOW, tickets=(), talks={"lijg": Talk(mode="bot")})
    assert laws.person_in_one_turn(View(waiting, (), fresh_turn=turn)) == []
    assert laws.person_in_one_turn(View(ticket, (), fresh_turn=turn)) == []
    assert laws.person_in_one_turn(View(nobody, (), fresh_turn=turn))


def test_after_a_stop_nothing_goes_to_the_rail_without_a_new_yes() -> None:
    stop = (Stopped("lijg", charged=1, confirmed=1),)
    first, second = GatewayCall("pay", "n1"), GatewayCall("pay", "n2")
    fine = WorldFacts(NOW, gateway_calls=(first, first, GatewayCall("status", "n1")), confirmations=(YES,))
    anew = WorldFacts(NOW, gateway_calls=(first, second), confirmations=(YES, YES))
    deaf = WorldFacts(NOW, gateway_calls=(first, second), confirmations=(YES,))
    assert laws.stop_ends_it(View(fine, (), stops=stop)) == []
    assert laws.stop_ends_it(View(anew, (), stops=stop)) == []
    assert laws.stop_ends_it(View(deaf, (), stops=stop))


def test_a_stop_is_answered() -> None:
    turn = Turn("limin", NOW, 0, "stop")
    facts = WorldFacts(NOW, gateway_calls=(), confirmations=())
    assert laws.stop_ends_it(View(facts, (_sent("都停了"),), fresh_turn=turn)) == []
    assert laws.stop_ends_it(View(facts, (_sent("都停了", "lijg"),), fresh_turn=turn))


# --- S-I7, S-I8 ---


def test_the_same_sentence_never_comes_three_times_in_a_row() -> None:
    def talk(*texts: str) -> View:
        return _view(*(_sent(text, cause=str(n)) for n, text in enumerate(texts)))

    assert laws.never_three_times(talk("户号是多少？", "户号是多少？", "请按键。")) == []
    assert laws.never_three_times(talk("好", "户号是多少？", "户号是多少？", "户号是多少？"))


def test_a_question_hidden_behind_another_sentence_counts_too() -> None:
    sent = [
        _sent(text, cause=str(n))
        for n, lead in enumerate(("没听懂", "没听清", "还是没懂"))
        for text in (lead, "户号是多少？")
    ]
    assert laws.never_three_times(_view(*sent))


@pytest.mark.parametrize(
    ("message", "fine"),
    [
        (_sent("交吗？按1确认，按2不交，按0人工。", channel="voice"), True),
        (_sent("按1交电费，按2交水费，按3交燃气费，按4交电话费。", channel="voice"), False),
        (_sent("一" * 40 + "，" + "二" * 40, channel="voice"), True),
        (_sent("一" * 41, channel="voice"), False),
        (_sent("一" * 41, channel="telegram"), True),
        (_sent("一" * 41, channel="voice", spoken="一" * 20 + "，" + "一" * 21), True),
        (_sent("水费", card=("水费", "46.50元", "尾号6677")), True),
        (_sent("水费", card=("水费 46.50元",)), False),
        (_sent("水费", card=("一", "二", "三", "四", "五", "六")), False),
    ],
)
def test_easy_to_take_in(message: Sent, fine: bool) -> None:
    assert (laws.easy_to_take_in(_view(message)) == []) is fine


# --- S-I9, S-I10 ---


def test_households_stay_apart() -> None:
    assert laws.households_apart(_view(reads=(DataRead("limin", "E-LI", True),))) == []
    assert laws.households_apart(_view(reads=(DataRead("chenm", "E-LI", False),)))


def test_nights_are_quiet() -> None:
    night = datetime(2026, 3, 10, 14, tzinfo=UTC)  # ten in the evening
    asked = (Turn("limin", night - timedelta(minutes=29), 0),)
    long_ago = (Turn("limin", night - timedelta(minutes=31), 0),)
    message = _sent("余额不足", at=night)
    assert laws.nights_are_quiet(_view(message))
    assert laws.nights_are_quiet(_view(message, turns=long_ago))
    assert laws.nights_are_quiet(_view(message, turns=asked)) == []
    assert laws.nights_are_quiet(_view(_sent("要停电了", at=night, urgent=True))) == []
    assert laws.nights_are_quiet(_view(_sent("余额不足", at=NOW))) == []
    assert laws.nights_are_quiet(_view(_sent("早", at=datetime(2026, 3, 9, 23, 59, tzinfo=UTC))))


# --- together ---


def test_what_was_looked_at_before_is_not_held_against_a_talk_again() -> None:
    late = _sent("已销账", at=NOW)
    assert laws.told_only_what_happened(_view(late, new=1, captures=(), posted=())) == []


def test_check_names_each_law_and_what_it_could_not_judge() -> None:
    broken, unknown = check(_view(captures=(TAKEN, TAKEN), ledger_ok=False))
    assert {b.split(":")[0] for b in broken} == {"S-I2", "S-I4"}
    assert unknown == {"S-I1", "S-I3", "S-I5", "S-I6", "S-I9"}
