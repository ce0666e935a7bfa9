"""Household business as it is really said: rambling, put right, in dialect; and no guess ends, sends or pays anything."""

from __future__ import annotations

import pytest

from nlu.commands import (
    Affirm,
    CancelFlow,
    CannotHandle,
    Choose,
    Command,
    CorrectSlot,
    Expectation,
    Explain,
    Human,
    Repeat,
    StartFlow,
    Utterance,
)
from nlu.guessing import may_begin
from nlu.understand import Understanding

OPEN = Expectation()
LISTED = Expectation("confirm", in_flow="pay_joint", amounts=(13450,))
AGREEING = Expectation("confirm", in_flow="set_mandate")
INVITING = Expectation("confirm", in_flow="invite")
WHO = Expectation(
    "choice", "invite_who", in_flow="invite", choices={"daughter": ("女儿", "闺女"), "son": ("儿子",)}
)
OFFER = Expectation("choice", "pay_now", in_flow="check_balance")
CODE = Expectation("code", "join_code", in_flow="join")
ELDERS = Expectation(
    "choice",
    "account_choice",
    in_flow="pay_bill",
    choices={"a": ("6712", "1", "程*生"), "b": ("0001", "2", "何*芬")},
)


def start(flow: str, **slots: object) -> list[Command]:
    return [StartFlow(flow, dict(slots))]


SAID: list[tuple[str, Expectation, list[Command]]] = [
    # a list that was read back
    ("都交了吧", LISTED, [Affirm("word")]),
    ("好,都付了吧", LISTED, [Affirm("word")]),
    ("一共多少来着", LISTED, [Repeat()]),
    ("what's the total again?", LISTED, [Repeat()]),
    ("全都不要了", LISTED, [CancelFlow()]),
    (
        "不要水费了",
        LISTED,
        [CorrectSlot("joint_change", [{"do": "drop", "kind": "water", "fen": None}])],
    ),
    ("算了 太麻烦", LISTED, [CancelFlow()]),
    # a slip of the tongue
    ("帮我把爸妈家的水费 哎不对 是燃气费交了", OPEN, start("pay_bill", utility="gas", relation="parents")),
    # asked, not wished for
    ("刚才都交上了吗", OPEN, start("look_back", look_words="这个月")),
    ("三月份燃气费交过没有", OPEN, start("check_balance", utility="gas")),
    ("刚刚交的水费到账了伐", OPEN, start("check_balance", utility="water")),
    ("上礼拜交的电费退钱了没", OPEN, start("refund_state")),
    # automatic payments
    ("我爸那边电表老是没电 能不能它自己充啊", OPEN, start("set_mandate", utility="electricity", relation="father")),
    ("算了我不设了", AGREEING, [CancelFlow()]),
    ("哎呀不好 我按错了 不设了", AGREEING, [CancelFlow()]),
    ("好额", AGREEING, [Affirm("word")]),
    # letting somebody help, and not
    ("甭让我闺女看了", WHO, start("take_back", relation="daughter")),
    ("只看账", INVITING, [CorrectSlot("invite_may", "see")]),
    ("帮我交费 用我的钱", INVITING, [CorrectSlot("invite_may", "spend")]),
    ("用她自己的钱", INVITING, [CorrectSlot("invite_may", "pay")]),
    ("just look", INVITING, [CorrectSlot("invite_may", "see")]),
    ("没有邀请码", CODE, [Explain("how")]),
    ("谁能看我爸的账啊", OPEN, [Explain("others_leave")]),
    # the rest
    ("付", OFFER, [Affirm("word")]),
    ("好 交掉", OFFER, [Affirm("word")]),
    ("程福生的", ELDERS, [Choose("a")]),
    ("不是程福生的", ELDERS, []),
    ("把电话转给人", LISTED, [Human()]),
    ("把电话转给人", OPEN, [Human()]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expectation", "wanted"), SAID, ids=[said for said, _, _ in SAID])
def test_household_business_as_it_is_said(
    understanding: Understanding, text: str, expectation: Expectation, wanted: list[Command]
) -> None:
    heard = understanding.understand(Utterance(text), expectation)
    if wanted:
        assert heard == wanted
    else:
        assert not any(isinstance(command, Choose) for command in heard)


@pytest.mark.parametrize("text", ["都交了", "都付了吗", "不都付", "都交了没"])
def test_what_may_say_that_it_is_done_is_no_yes(understanding: Understanding, text: str) -> None:
    assert not any(isinstance(c, Affirm) for c in understanding.understand(Utterance(text), LISTED))


@pytest.mark.parametrize("text", ["都交了吧", "都付了吧"])
def test_a_yes_to_a_list_is_no_yes_to_one_bill(understanding: Understanding, text: str) -> None:
    one = Expectation("confirm", in_flow="pay_bill", amounts=(4650,))
    assert not any(isinstance(c, Affirm) for c in understanding.understand(Utterance(text), one))


@pytest.mark.parametrize(
    ("intent", "text"),
    [
        ("take_back", "那她看过没"),
        ("take_back", "反悔了还是让她看吧"),
        ("take_back", "不是我让她办的"),
        ("take_back", "帮他交"),
        ("stop_mandate", "都不要了太麻烦"),
        ("pay_joint", "再发一次"),
        ("invite", "我闺女咋看的"),
        ("change_preferences", "你帮我提醒我闺女一声"),
        ("look_back", "付"),
    ],
)
def test_no_guess_begins_what_was_not_said(understanding: Understanding, intent: str, text: str) -> None:
    assert not may_begin(intent, text)
    heard = understanding.understand(Utterance(text), OPEN)
    assert not any(isinstance(c, StartFlow) and c.flow == intent for c in heard)
    assert heard != [CannotHandle("nothing_said")]
