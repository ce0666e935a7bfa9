"""What people say of automatic payments: the terms are read by the words round them, and stopping is never misread."""

from __future__ import annotations

from typing import Any

import pytest

from nlu.commands import Affirm, CancelFlow, Expectation, Human, StartFlow, Stop
from nlu.mandate_terms import terms
from nlu.mandates import asks_why, business, changes, said, wish
from nlu.sentence import slots, wishes
from nlu.text import fold

OPEN = Expectation()


def locale_of(text: str) -> str:
    return "en" if text.isascii() else "zh"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "我爸妈家电表老没电,低于20块就自动充100,一个月最多300,比去年同月多一倍先问我",
            {"below": 2000, "amount": 10000, "per_month": 30000, "ask_above": 2},
        ),
        ("水费自动扣,一次最多200", {"per_charge": 20000}),
        (
            "低于五十就充两百,比去年多两倍要先问我,每月最多五百",
            {"below": 5000, "amount": 20000, "per_month": 50000, "ask_above": 3},
        ),
        ("自动充一百,一天最多两次", {"amount": 10000, "per_day": 2}),
        ("每次最多两百,每月最多三百", {"per_charge": 20000, "per_month": 30000}),
        (
            "automatically top up 100 when it drops below 20, at most 300 a month",
            {"below": 2000, "amount": 10000, "per_month": 30000},
        ),
        ("pay the water bill automatically, at most 200 each time", {"per_charge": 20000}),
    ],
)
def test_the_terms_of_one_sentence(text: str, found: dict[str, int]) -> None:
    assert terms(fold(text), locale_of(text)) == found


@pytest.mark.parametrize("text", ["低于二十来块就自动充", "自动充几十块", "自动充两三百", "低了就自动充"])
def test_what_is_not_said_surely_is_left_to_be_asked(text: str) -> None:
    assert not {"below", "amount", "per_month"} & terms(fold(text), "zh").keys()


def test_a_cap_without_a_month_is_no_monthly_cap() -> None:
    assert "per_month" not in terms("低于20自动充100,最多300", "zh")


@pytest.mark.parametrize(
    ("text", "flow"),
    [
        ("低于20块就自动充100,一个月别超300", "set_mandate"),
        ("到期自动交", "set_mandate"),
        ("不想每次都弄,能不能自动交", "set_mandate"),
        ("恢复自动缴费", "set_mandate"),
        ("改成低于30充50", "change_mandate"),
        ("自动缴费上限改成200", "change_mandate"),
        ("改成自动缴费", "set_mandate"),
        ("把爸妈电费的自动缴费停了", "stop_mandate"),
        ("别自动充了", "stop_mandate"),
        ("自动缴费都停了", "stop_mandate"),
        ("自动缴费,停了吧", "stop_mandate"),
        ("自动缴费停了没有", "list_mandates"),
        ("我设了哪些自动缴费", "list_mandates"),
        ("自动缴费怎么停了", "list_mandates"),
        ("先暂停自动缴费", "pause_mandate"),
        ("stop the automatic top up", "stop_mandate"),
        ("don't top up automatically any more", "stop_mandate"),
        ("which automatic payments do I have", "list_mandates"),
        ("pause autopay for a while", "pause_mandate"),
        ("交电费", None),
        ("停电了怎么办", None),
        ("pay my water bill", None),
    ],
)
def test_which_business_a_sentence_begins(text: str, flow: str | None) -> None:
    assert business(fold(text), locale_of(text)) == flow


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("为什么扣我100块", True),
        ("这100块怎么回事", True),
        ("谁让扣的", True),
        ("怎么交电费", False),
        ("为什么要交滞纳金", False),
        ("why was I charged 100", True),
        ("why is my bill so high", False),
    ],
)
def test_why_asks_about_money_that_was_taken(text: str, asks: bool) -> None:
    assert asks_why(fold(text), locale_of(text)) is asks


def test_stopping_everything_that_is_automatic_names_them_all() -> None:
    assert wish("stop_mandate", "自动缴费都停了", {}, "zh") == StartFlow(
        "stop_mandate", {"mandate_choice": "all"}
    )


def test_a_change_says_that_it_is_one() -> None:
    assert changes("改成低于30充50", "zh")
    assert wishes("自动缴费改成低于30充50", "zh") == [
        StartFlow("change_mandate", {"below": 3000, "amount": 5000})
    ]


def _said(text: str, expectation: Expectation) -> list[Any]:
    folded, locale = fold(text), locale_of(text)
    return list(said(folded, expectation, locale, expectation.voice, slots(folded, locale)))


@pytest.mark.parametrize("asks", ["open", "confirm", "amount", "code", "choice"])
def test_the_automatic_payment_is_stopped_from_every_question(asks: str) -> None:
    flow = None if asks == "open" else "pay_bill"
    assert _said("别自动充了", Expectation(asks=asks, in_flow=flow)) == [StartFlow("stop_mandate", {})]
    setting = Expectation(asks=asks, in_flow="set_mandate")  # and what was being set up is given up with it
    assert _said("别自动充了", setting) == [CancelFlow(), StartFlow("stop_mandate", {})]


@pytest.mark.parametrize("text", ["人工", "停", "不弄了"])
def test_a_person_and_an_end_come_before_anything_else(text: str) -> None:
    from nlu import closed

    assert isinstance(closed.everywhere(text, "zh", False), Human | Stop)
    assert _said(text, Expectation(asks="amount", in_flow="set_mandate")) == []


def test_terms_said_at_a_question_of_the_setup_complete_it() -> None:
    at_below = Expectation(asks="amount", slot="below", in_flow="set_mandate")
    assert _said("低于三十,充五十", at_below) == [StartFlow("set_mandate", {"below": 3000, "amount": 5000})]
    assert _said("三十", at_below) == []  # an answer like any other


@pytest.mark.parametrize(
    ("text", "flow"),
    [
        ("知道了", "acknowledge_warning"),
        ("收到", "acknowledge_warning"),
        ("跳过", "skip_debit"),
        ("这次不交", "skip_debit"),
    ],
)
def test_one_word_answers_a_warning_or_an_announcement(text: str, flow: str) -> None:
    assert [c.flow for c in _said(text, OPEN)] == [flow]
    assert _said(text, Expectation(asks="confirm", in_flow="pay_bill")) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("自动缴费上限改成200", {"cap": 20000}),
        ("一个月最多改成200", {"per_month": 20000}),
        ("改成充50", {"amount": 5000}),
        ("别充100了,充50", {"amount": 5000}),
        ("把爸妈的自动充值额度提到500", {"cap": 50000}),
        ("一次最多改成150", {"per_charge": 15000}),
        ("剩三十再充", {"below": 3000}),
        ("从300改成200", {"was": 30000, "cap": 20000}),
        ("自动充从100加到150", {"was": 10000, "cap": 15000}),
        ("don't charge more than 40 at a time", {"per_charge": 4000}),
        ("make it 50 when below 10", {"below": 1000, "amount": 5000}),
        ("lower the cap to 200", {"cap": 20000}),
        ("lower the monthly cap from 300 to 200", {"per_month": 20000}),
        ("top up 50 instead of 100", {"amount": 5000}),
        ("at most 150 each bill", {"per_charge": 15000}),
    ],
)
def test_single_terms_are_changed_in_few_words(text: str, found: dict[str, int]) -> None:
    (begun,) = _said(text, OPEN) or wishes(fold(text), locale_of(text))
    assert begun.flow == "change_mandate"
    assert {k: v for k, v in begun.slots.items() if k not in ("utility", "relation")} == found


@pytest.mark.parametrize("text", ["充50", "充50块就行", "一个月最多交了多少", "pay 50", "交水费"])
def test_a_payment_or_a_question_changes_no_term(text: str) -> None:
    assert _said(text, OPEN) == []


@pytest.mark.parametrize(
    ("text", "flow"),
    [
        ("pause it", "pause_mandate"),
        ("pause it for a month", "pause_mandate"),
        ("我是说停一个月,别全停了", "pause_mandate"),
        ("resume it", "set_mandate"),
        ("接着缴", "set_mandate"),
        ("那就继续缴吧", "set_mandate"),
        ("go on paying", "set_mandate"),
        ("我设了哪些", "list_mandates"),
        ("which ones have I set", "list_mandates"),
        ("我家那个电表现在还自动充不充", "list_mandates"),
        ("闺女给我弄的那个自动交电费的,一个月到底要扣我多少钱啊", "list_mandates"),
        ("谁给我设的", "list_mandates"),
        ("上次自动充是什么时候", "why_charged"),
        ("那个自动的,我不放心,先给我停了吧", "stop_mandate"),
        ("把那个限额给我弄小一点", "change_mandate"),
        ("自动充一次少一点行不行", "change_mandate"),
        ("这个月别自动充了,下个月再充", "pause_mandate"),
        ("turn the water one off for now", "pause_mandate"),
        ("turn it off", "stop_mandate"),
    ],
)
def test_how_people_speak_of_what_stands(text: str, flow: str) -> None:
    begun = _said(text, OPEN) or wishes(fold(text), locale_of(text))
    assert [c.flow for c in begun] == [flow]


@pytest.mark.parametrize("text", ["我设了哪些自动缴费", "我设了哪些", "what have I set up"])
@pytest.mark.parametrize("asks", ["choice", "amount", "confirm", "account", "code"])
def test_which_there_are_is_answered_at_every_question(text: str, asks: str) -> None:
    assert [c.flow for c in _said(text, Expectation(asks=asks, in_flow="pay_bill"))] == ["list_mandates"]


@pytest.mark.parametrize("text", ["要", "要设", "设吧", "要改", "改吧", "set it up", "change it"])
def test_a_yes_in_the_words_of_the_question(text: str) -> None:
    assert _said(text, Expectation(asks="confirm", in_flow="set_mandate")) == [Affirm("word")]
    assert _said(text, Expectation(asks="confirm", in_flow="pay_bill")) == []


@pytest.mark.parametrize("text", ["要设吗", "要不设了", "要设100的", "set it up?", "don't set it up"])
def test_what_only_holds_the_words_of_a_yes_is_none(text: str) -> None:
    assert Affirm("word") not in _said(text, Expectation(asks="confirm", in_flow="set_mandate"))


def test_a_plain_no_to_what_news_offered_is_taken_as_one() -> None:
    asked = Expectation(asks="choice", choices={"agree_to_debit": (), "skip_debit": (), "human": ()})
    low = Expectation(asks="choice", choices={"pay_bill": (), "human": ()})
    assert [c.flow for text in ("no", "不用", "先不充") for c in _said(text, asked)] == ["skip_debit"] * 3
    assert [c.flow for text in ("no", "不用了") for c in _said(text, low)] == ["decline_offer"] * 2
    assert _said("不用", OPEN) == []
