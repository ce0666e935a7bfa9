"""Where grammar and engine differ at the start of a talk: the surer one is heard, an end is never turned into a beginning."""

from __future__ import annotations

import pytest

from nlu.commands import Affirm, CannotHandle, Clarify, Command, Expectation, Explain, StartFlow, Utterance
from nlu.engine import OUT_OF_SCOPE, Parse
from nlu.second_opinion import contested, instead
from nlu.understand import FLOWS, OFFERED, Understanding


class Sure:
    """An engine of one opinion; counts how often it is asked."""

    def __init__(self, best: str, p: float, other: str = "greet", in_scope: bool = True) -> None:
        self.opinion = Parse(((best, p), (other, 1 - p)), p, in_scope)
        self.asked = 0

    def parse(self, text: str, locale: str = "zh") -> Parse:
        self.asked += 1
        return self.opinion


def heard(engine: Sure, text: str, state: Expectation | None = None) -> list[Command]:
    return Understanding(engine, OFFERED).understand(Utterance(text), state or Expectation())


def test_a_surer_engine_is_heard_and_the_values_stay_the_person_s_own() -> None:
    asked = "自动交水费的封顶是几百"
    assert heard(Sure("list_mandates", 0.8), asked) == [StartFlow("list_mandates", {"utility": "water"})]


def test_an_unsure_engine_leaves_the_grammar_its_word() -> None:
    (begun,) = heard(Sure("list_mandates", 0.4, "set_mandate"), "帮我妈交电费")
    assert begun == StartFlow("pay_bill", {"utility": "electricity", "relation": "mother"})


def test_what_is_surely_none_of_ours_begins_nothing() -> None:
    strange = Sure(OUT_OF_SCOPE, 0.9, in_scope=False)
    assert heard(strange, "燃气热水器打不着") == [CannotHandle("out_of_scope")]


def test_an_end_is_taken_and_a_beginning_against_a_word_of_ending_is_asked() -> None:
    assert heard(Sure("stop_mandate", 0.9), "解掉燃气的代扣") == [
        StartFlow("stop_mandate", {"utility": "gas"})
    ]
    (asked,) = heard(Sure("set_mandate", 0.9), "把燃气的自动缴费停了")
    assert asked == Clarify(("stop_mandate", "set_mandate"))


def test_who_speaks_of_not_paying_begins_no_payment() -> None:
    assert not any(
        isinstance(c, StartFlow) and c.flow == "pay_bill"
        for c in heard(Sure("pay_bill", 0.99), "电费我上礼拜已经交过了,还有多少")
    )


@pytest.mark.parametrize(
    ("said", "best", "begun"),
    [
        ("查一下3100456712", OUT_OF_SCOPE, "check_balance"),
        ("恢复自动缴费", "list_mandates", "set_mandate"),
        ("水费也交", "pay_joint", "pay_bill"),
        ("登记", OUT_OF_SCOPE, "enrol"),
        ("现在交费", OUT_OF_SCOPE, "pay_bill"),
        ("水费", "pay_bill", "check_balance"),
    ],
)
def test_what_names_its_business_keeps_it(said: str, best: str, begun: str) -> None:
    (command,) = heard(Sure(best, 0.95, in_scope=best != OUT_OF_SCOPE), said)
    assert isinstance(command, StartFlow)
    assert command.flow == begun


def test_no_business_begins_without_a_word_of_it() -> None:
    begun = StartFlow("check_balance", {"utility": "water"})
    parse = Sure("take_back", 0.99).opinion
    assert instead(begun, parse, "水费还有多少", "zh", FLOWS) == begun


def test_in_the_middle_of_something_nobody_is_asked_for_a_second_opinion() -> None:
    engine = Sure("look_back", 0.99)
    state = Expectation("confirm", in_flow="pay_bill", amounts=(5000,))
    heard(engine, "查一下水费", state)
    assert engine.asked == 0


@pytest.mark.parametrize(
    ("commands", "is_contested"),
    [
        ([StartFlow("pay_bill")], True),
        ([StartFlow("pay_bill"), StartFlow("check_balance")], False),
        ([StartFlow("pause_mandate")], False),
        ([Explain("why")], True),
        ([Affirm()], False),
        ([CannotHandle("not_offered")], True),
        ([CannotHandle()], False),
    ],
)
def test_what_is_looked_at_twice(commands: list[Command], is_contested: bool) -> None:
    assert contested(commands) is is_contested


@pytest.mark.parametrize(
    ("said", "flow"),
    [
        ("自动充的每月顶多扣几百来着", "list_mandates"),
        ("去年一年的煤气费拢共花了多少", "look_back"),
        ("取消我外甥查我水费的权", "take_back"),
        ("能代我付钱的一共有谁", "who_sees"),
        ("答应退给我的钱还得几天才到", "refund_state"),
        ("who is able to pay with my money", "who_sees"),
        ("what did all of last year's gas come to", "look_back"),
        ("my brother should be able to pay on my behalf", "invite"),
    ],
)
def test_sentences_whose_words_belong_to_something_else(
    understanding: Understanding, said: str, flow: str
) -> None:
    (begun,) = understanding.understand(Utterance(said), Expectation())
    assert isinstance(begun, StartFlow)
    assert begun.flow == flow
