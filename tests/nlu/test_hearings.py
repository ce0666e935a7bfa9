"""Several hearings of one sentence: agreement makes surer, conflict asks, and what only another hearing holds never pays."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlu.classifier import Embedded
from nlu.commands import (
    Affirm,
    CancelFlow,
    CannotHandle,
    Clarify,
    Code,
    Command,
    CorrectSlot,
    Expectation,
    Human,
    Repeat,
    SetSlot,
    StartFlow,
    Stop,
    Utterance,
)
from nlu.engine import Parse
from nlu.hearings import opinion, others, pooled
from nlu.understand import Understanding

OPEN = Expectation(voice=True)
AMOUNT = Expectation("amount", "amount", in_flow="pay_bill", voice=True)
CONFIRM = Expectation("confirm", in_flow="pay_bill", amounts=(5000,), voice=True)
CODE = Expectation("code", in_flow="pay_bill", voice=True)


def heard(understanding: Understanding, state: Expectation, *texts: str) -> list[Command]:
    """What is understood of these hearings, the best first."""
    return understanding.understand(Utterance(texts[0], nbest=texts, voice=True), state)


def parse(best: str, p: float, other: str, in_scope: bool = True) -> Parse:
    return Parse(((best, p), (other, 1 - p)), p, in_scope)


def test_hearings_that_agree_are_surer_than_one() -> None:
    one = parse("pay_bill", 0.6, "check_balance")
    both = pooled(one, [parse("pay_bill", 0.7, "check_balance")])
    assert both.best == "pay_bill"
    assert both.ranking[0][1] > 0.65
    assert both.score >= one.score


def test_hearings_that_differ_are_less_sure_than_one() -> None:
    one = parse("pay_bill", 0.6, "check_balance")
    both = pooled(one, [parse("check_balance", 0.6, "pay_bill")])
    assert both.ranking[0][1] < 0.6


def test_a_second_hearing_brings_a_sentence_home_that_alone_was_turned_away() -> None:
    weak = parse("pay_bill", 0.6, "check_balance", in_scope=False)
    assert pooled(weak, [parse("pay_bill", 0.9, "check_balance")]).in_scope
    assert not pooled(weak, [parse("pay_bill", 0.9, "check_balance", in_scope=False)]).in_scope


def test_hearings_that_together_are_sure_of_another_wish_are_believed() -> None:
    first = parse("pay_bill", 0.55, "check_balance")
    sure = parse("check_balance", 0.99, "pay_bill")
    both = pooled(first, [sure, sure])
    assert (both.best, both.in_scope) == ("check_balance", True)
    strange = parse("check_balance", 0.99, "pay_bill", in_scope=False)
    assert not pooled(first, [strange, strange]).in_scope


def test_with_one_hearing_an_engine_s_opinion_stays_as_it_is(engine: Embedded) -> None:
    text = "帮我看看这个月用了多少"
    assert opinion(engine, text, (), "zh") == engine.parse(text)


def test_the_same_hearing_twice_is_one() -> None:
    assert others(Utterance("好的", nbest=("好的", " 好的 ", "号的", "", "号的"))) == ("号的",)


def test_agreement_of_recognised_hearings_raises_the_guess(engine: Embedded) -> None:
    said, again = "我的户号哪一个啊", "我家户号是哪一个呀"
    alone, together = engine.parse(said), opinion(engine, said, (again,), "zh")
    assert together.best == alone.best == "find_account"
    assert together.ranking[0][1] > alone.ranking[0][1]


@pytest.mark.parametrize(
    "texts",
    [("充五十", "充十五"), ("五十", "四十"), ("一百二", "一百")],
)
def test_an_amount_heard_in_two_ways_is_asked_again(
    understanding: Understanding, texts: tuple[str, ...]
) -> None:
    assert heard(understanding, AMOUNT, *texts) == [CannotHandle("heard_two_ways")]


def test_an_amount_that_all_hearings_hold_stands(understanding: Understanding) -> None:
    assert heard(understanding, AMOUNT, "充五十", "冲五十", "五十块") == [SetSlot("amount", 5000)]


def test_a_wish_keeps_what_all_hearings_say_and_loses_what_they_do_not(understanding: Understanding) -> None:
    (begun,) = heard(understanding, OPEN, "帮我妈交电费五十块", "帮我妈交电费十五块")
    assert begun == StartFlow("pay_bill", {"utility": "electricity", "relation": "mother"})
    (begun,) = heard(understanding, OPEN, "给我爸交水费", "给我爸交税费")
    assert begun == StartFlow("pay_bill", {"utility": "water", "relation": "father"})


def test_a_code_heard_in_two_ways_costs_no_try(understanding: Understanding) -> None:
    assert heard(understanding, CODE, "四八二九", "四八二九") == [Code("4829")]
    assert heard(understanding, CODE, "四八二九", "十八二九", "四八二六") == [CannotHandle("code_not_heard")]


@pytest.mark.parametrize("other", ["不对,是水费", "交给我妈的", "说慢一点", "没听清"])
def test_a_yes_beside_a_hearing_with_something_else_to_say(understanding: Understanding, other: str) -> None:
    (command,) = heard(understanding, CONFIRM, "好的", other)
    if other == "交给我妈的":
        assert command == Affirm("spoken"), "whose bill it is was read back, and is no no"
    else:
        assert command == CannotHandle("heard_two_ways")


@pytest.mark.parametrize(
    ("texts", "command"),
    [
        (("呼噜哇啦", "转人工"), Human()), (("呼噜哇啦", "不弄了"), Stop()), (("呼噜哇啦", "再说一遍"), Repeat()),
        (("转仁公",), Human()), (("布弄了",), Stop()), (("去消",), CancelFlow()), (("在说一便",), Repeat()),
    ],
)  # fmt: skip
def test_a_person_and_an_end_are_heard_by_sound_or_in_another_hearing(
    understanding: Understanding, texts: tuple[str, ...], command: Command
) -> None:
    for state in (OPEN, CONFIRM):
        assert heard(understanding, state, *texts) == [command]


@pytest.mark.parametrize(
    "texts", [("呼噜哇啦", "好的"), ("呼噜哇啦", "确认付款"), ("浩的",), ("四的",), ("却认",)]
)
def test_a_yes_is_never_taken_by_its_sound_nor_from_another_hearing(
    understanding: Understanding, texts: tuple[str, ...]
) -> None:
    assert not any(isinstance(c, Affirm) for c in heard(understanding, CONFIRM, *texts))


def test_what_hearings_make_doubtful_is_asked_and_not_chosen(engine: Embedded) -> None:
    class Torn:
        def parse(self, text: str, locale: str = "zh") -> Parse:
            first = text == "那个事体办一下"
            return (
                parse("find_account", 0.6, "look_back") if first else parse("look_back", 0.7, "find_account")
            )

    torn = Understanding(Torn())
    alone = torn.understand(Utterance("那个事体办一下", voice=True), OPEN)
    assert alone == [StartFlow("find_account")]
    (asked,) = heard(torn, OPEN, "那个事体办一下", "那个师弟办一下")
    assert isinstance(asked, Clarify)
    assert set(asked.flows) == {"find_account", "look_back"}


WORDS = st.sampled_from(
    [
        "好的",
        "是",
        "付",
        "确认",
        "不对",
        "取消",
        "停",
        "五十",
        "十五",
        "一百",
        "1234",
        "4829",
        "转人工",
        "交电费",
        "充五十",
        "嗯",
        "水费",
        "那个",
    ]
)
STATES = st.sampled_from([OPEN, AMOUNT, CONFIRM, CODE])


@settings(deadline=None)
@given(WORDS, st.lists(WORDS, max_size=4), STATES)
def test_no_other_hearing_ever_adds_a_yes_a_code_or_a_value(
    understanding: Understanding, first: str, besides: list[str], state: Expectation
) -> None:
    alone = heard(understanding, state, first)
    together = heard(understanding, state, first, *besides)
    for command in together:
        if isinstance(command, Affirm | Code | SetSlot | CorrectSlot):
            assert command in alone
        if isinstance(command, StartFlow):
            assert not {"amount", "account"} & (command.slots.keys() - _values(alone))


def _values(commands: list[Command]) -> set[str]:
    return {slot for c in commands if isinstance(c, StartFlow) for slot in c.slots}
