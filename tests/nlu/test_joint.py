"""Several bills in one breath, changes to them while they are read back, and questions about what was paid."""

from __future__ import annotations

from typing import Any

import pytest

from nlu.commands import (
    Affirm,
    CancelFlow,
    Code,
    CorrectSlot,
    Expectation,
    Human,
    SetSlot,
    StartFlow,
    Stop,
    Utterance,
)
from nlu.understand import Understanding

OPEN = Expectation()
READ_BACK = Expectation("confirm", in_flow="pay_joint", amounts=(13_450,))


def joint(*kinds: str, **slots: Any) -> StartFlow:
    return StartFlow("pay_joint", ({"joint_kinds": list(kinds)} if kinds else {}) | slots)


def pay(utility: str, **slots: Any) -> StartFlow:
    return StartFlow("pay_bill", {"utility": utility, **slots})


@pytest.mark.parametrize(
    ("said", "wishes"),
    [
        ("家里的都交了", [joint(joint_home=True)]),
        ("所有的账单都付了", [joint()]),
        ("交水费、电费和燃气费", [joint("water", "electricity", "gas")]),
        ("帮程福生把水电费都交了", [joint("water", "electricity", person_name="程福生")]),
        ("pay all the bills for my parents", [joint(relation="parents")]),
        ("pay my parents' water, gas and electricity bills", [joint("water", "gas", "electricity", relation="parents")]),
        # Each with a verb of its own, or with an amount: one after the other, as before.
        ("交水费,再交电费", [pay("water"), pay("electricity")]),
        ("水费交了,电费充50", [pay("water"), pay("electricity", amount=5_000)]),
        ("交电费", [pay("electricity")]),
    ],
)  # fmt: skip
def test_several_bills_are_one_wish_when_they_are_said_together(
    understanding: Understanding, said: str, wishes: list[StartFlow]
) -> None:
    assert understanding.understand(Utterance(said), OPEN) == wishes


def changes(*done: tuple[str, str | None, int | None]) -> list[CorrectSlot]:
    return [CorrectSlot("joint_change", [{"do": do, "kind": kind, "fen": fen} for do, kind, fen in done])]


CHOOSES = [CorrectSlot("joint_change", [{"do": "choose"}])]


@pytest.mark.parametrize(
    ("said", "commands"),
    [
        ("电费也充50", changes(("add", "electricity", 5_000))),
        ("也充50", changes(("add", None, 5_000))),
        ("燃气先不交", changes(("drop", "gas", None))),
        ("先不交燃气费", changes(("drop", "gas", None))),
        ("水费不交,电费充100", changes(("drop", "water", None), ("add", "electricity", 10_000))),
        ("leave out the gas", changes(("drop", "gas", None))),
        ("add electricity 50", changes(("add", "electricity", 5_000))),
        ("把宽带也加上", changes(("add", "broadband", None))),
        ("算了,就交煤气", [CorrectSlot("joint_change", [{"do": "only", "kinds": ["gas"]}])]),
        ("just the gas", [CorrectSlot("joint_change", [{"do": "only", "kinds": ["gas"]}])]),
        ("改一改", CHOOSES),
        ("有的不交", CHOOSES),
        ("change the list", CHOOSES),
        ("确认 1234", [Affirm(), Code("1234")]),
        ("不交了", [CancelFlow()]),
        ("停", [Stop()]),
        ("电费不弄了,人工", [Human()]),
    ],
)
def test_a_joint_bill_is_changed_while_it_is_read_back(
    understanding: Understanding, said: str, commands: list[Any]
) -> None:
    assert understanding.understand(Utterance(said), READ_BACK) == commands


@pytest.mark.parametrize(
    ("said", "flow"),
    [
        ("上个月交了多少", "look_back"),
        ("这个月电费交了几次", "look_back"),
        ("how much did we pay last month", "look_back"),
        ("退款到哪了", "refund_state"),
        ("我的退款怎么还没到", "refund_state"),
        ("where is my refund", "refund_state"),
        ("这个月水费多少钱", "check_balance"),
        ("还欠多少", "check_all"),
    ],
)
def test_questions_about_the_past_are_told_from_questions_about_what_is_due(
    understanding: Understanding, said: str, flow: str
) -> None:
    (command,) = understanding.understand(Utterance(said), OPEN)
    assert isinstance(command, StartFlow)
    assert command.flow == flow


@pytest.mark.parametrize(
    ("said", "wishes"),
    [
        ("那就先把煤气交了吧,水费不要", [pay("gas")]),
        ("把爸妈家的都给我付了,不过电费先别充", [joint(relation="parents", joint_without=["electricity"])]),
        ("pay everything except the gas", [joint(joint_without=["gas"])]),
        ("水费不交", []),
        ("帮程老伯交电费,再交水费", [pay("electricity", person_name="程老伯"), pay("water", person_name="程老伯")]),
    ],
)  # fmt: skip
def test_what_is_not_to_be_paid_is_in_no_payment(
    understanding: Understanding, said: str, wishes: list[StartFlow]
) -> None:
    heard = understanding.understand(Utterance(said), OPEN)
    if wishes:
        assert heard == wishes
    else:
        assert not any(isinstance(c, StartFlow) and c.flow.startswith("pay") for c in heard)


@pytest.mark.parametrize(
    ("said", "slots"),
    [
        ("我还欠多少钱啊", {}),
        ("爸妈那边有没有要交的", {"relation": "parents"}),
        ("帮程老伯看看电费,再看看水费", {"joint_kinds": ["electricity", "water"], "person_name": "程老伯"}),
        ("what do I owe", {}),
    ],
)
def test_one_look_at_everything(understanding: Understanding, said: str, slots: dict[str, Any]) -> None:
    assert understanding.understand(Utterance(said), OPEN) == [StartFlow("check_all", slots)]


GOES_ON = Expectation("choice", choices={"yes": ("接着办", "1"), "no": ("不办了", "2")}, in_flow="pay_bill")


@pytest.mark.parametrize(
    ("said", "flow"),
    [
        ("退款到哪了", "refund_state"),
        ("我的退款怎么还没到", "refund_state"),
        ("为什么扣我钱", "why_charged"),
        ("还欠多少", "check_all"),
        ("户号在哪", "find_account"),
        ("谁能看我的账", "who_sees"),
        ("where is my refund", "refund_state"),
        ("why was I charged", "why_charged"),
        ("how much do I owe", "check_all"),
    ],
)
def test_a_short_question_is_heard_when_going_on_is_asked(
    understanding: Understanding, said: str, flow: str
) -> None:
    (command,) = understanding.understand(Utterance(said), GOES_ON)
    assert isinstance(command, StartFlow)
    assert command.flow == flow


@pytest.mark.parametrize(("keys", "commands"), [("3", CHOOSES), ("1", [Affirm("key")]), ("0", [Human()])])
def test_the_keys_at_a_list_that_was_read_back(
    understanding: Understanding, keys: str, commands: list[Any]
) -> None:
    assert understanding.understand(Utterance(keys=keys), READ_BACK) == commands


def test_an_amount_is_keyed_in_whole_yuan(understanding: Understanding) -> None:
    asked = Expectation("amount", "joint_amount", "money", digits=(1, 4), in_flow="pay_joint")
    assert understanding.understand(Utterance(keys="100#"), asked) == [SetSlot("joint_amount", 10_000)]
