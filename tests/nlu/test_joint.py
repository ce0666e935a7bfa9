"""Several bills in one breath, changes to them while they are read back, and questions about what was paid."""

from __future__ import annotations

from typing import Any

import pytest

from nlu.commands import Affirm, CancelFlow, Code, CorrectSlot, Expectation, Human, StartFlow, Stop, Utterance
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
        ("家里的都交了", [joint()]),
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
        ("还欠多少", "check_balance"),
    ],
)
def test_questions_about_the_past_are_told_from_questions_about_what_is_due(
    understanding: Understanding, said: str, flow: str
) -> None:
    (command,) = understanding.understand(Utterance(said), OPEN)
    assert isinstance(command, StartFlow)
    assert command.flow == flow
