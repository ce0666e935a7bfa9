"""What people ask in passing is answered as such, at every question, and nothing else is taken for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.app import release
from nlu.commands import (
    CancelFlow,
    CannotHandle,
    Command,
    CorrectSlot,
    Expectation,
    Explain,
    Human,
    Refuse,
    StartFlow,
    Utterance,
)
from nlu.passing import TOPICS
from nlu.understand import Understanding

STATES = [
    Expectation(),
    Expectation("account", "account", digits=(8, 16), in_flow="pay_bill"),
    Expectation("name_check", in_flow="pay_bill"),
    Expectation("amount", "amount", "amount", in_flow="pay_bill"),
    Expectation("confirm", in_flow="pay_bill", amounts=(12345,)),
    Expectation("code", digits=(4, 6), in_flow="pay_bill"),
]
ENGLISH = StartFlow("change_preferences", {"preference": "english"})
CHINESE = StartFlow("change_preferences", {"preference": "chinese"})

ASKED: dict[str, list[str]] = {
    "wait": ["等一下", "等我一下", "稍等", "等一下我去拿单子", "我去找眼镜", "哦,等等,我拿账单",
             "wait a minute", "one moment please", "hang on", "let me get my glasses", "hold on"],
    "discount": ["能便宜点吗", "有没有优惠", "有优惠吗", "打折吗", "能不能少交点", "老年人有优惠吗",
                 "is there a discount", "can I get a discount?", "any senior discount", "is it cheaper"],
    "fee": ["要手续费吗", "收不收手续费", "收费吗", "怎么收费", "do you charge a fee", "is there a fee", "is this free"],
    "who": ["你是谁", "你是机器人吗", "你是人吗", "你叫什么名字", "who are you", "are you a robot", "what's your name"],
    "safety": ["安全吗", "你是骗子吗", "靠谱吗", "钱会不会丢", "is this safe", "are you a scam", "can I trust you"],
    "later": ["能不能晚点交", "我没钱", "可以过两天交吗", "can I pay later", "I have no money"],
    "parts": ["可以分期吗", "能分两次付吗", "can I pay in instalments"],
    "cutoff": ["不交会停电吗", "会不会停水", "will they cut off my power"],
    "outage": ["家里停电了", "停水了怎么办", "the power is out", "there is a power cut"],
    "means": ["可以用微信付吗", "用支付宝行吗", "能刷卡吗", "can I use wechat pay", "can I pay by card"],
    "hours": ["几点下班", "你们几点上班", "晚上能交吗", "what are your hours", "are you open at night"],
    "reminders": ["没电了会提醒我吗", "到期提醒我一下就行", "什么时候提醒", "快到期了会提醒吗", "will you remind me when it is due", "just remind me before it is due"],
    "invited": ["让我妈邀请我怎么弄", "怎么才能看我妈的账", "how can I see my mum's bills"],
    "others_leave": ["谁能看他的账", "谁能看我爸妈的账", "who can see her bills"],
    "dialect": ["会说上海话吗", "听得懂广东话吗"],
    "sorry": ["笨蛋", "气死我了", "你怎么这么笨", "you are useless", "I'm confused"],
    "danger": ["煤气泄漏了", "家里有煤气味", "电表着火了", "救命", "I smell gas", "there's a gas leak in the kitchen and I am afraid"],
}  # fmt: skip


def understood(understanding: Understanding, said: str, state: Expectation) -> list[Command]:
    return understanding.understand(Utterance(said), replace(state, locale="en" if said.isascii() else "zh"))


@pytest.mark.parametrize(("topic", "said"), [(topic, said) for topic, all_ in ASKED.items() for said in all_])
def test_it_is_answered_whatever_is_going_on(understanding: Understanding, topic: str, said: str) -> None:
    for state in STATES:
        assert understood(understanding, said, state) == [Explain(topic)], state.asks


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("speak chinese please", CHINESE), ("do you speak english", ENGLISH), ("can you speak mandarin", CHINESE), ("english please", ENGLISH),
        ("chinese", CHINESE), ("I don't speak english", CHINESE), ("could we talk in chinese", CHINESE),
        ("我想说英语", ENGLISH), ("说英文", ENGLISH), ("讲中文好吗", CHINESE), ("会说英语吗", ENGLISH), ("换成中文", CHINESE),
        ("中文", CHINESE), ("说普通话", CHINESE), ("我看不懂英文", CHINESE), ("不要英文", CHINESE),
    ],
)  # fmt: skip
def test_another_language_is_never_a_person_nor_nonsense(
    understanding: Understanding, said: str, language: StartFlow
) -> None:
    for state in STATES:
        assert understood(understanding, said, state) == [language], state.asks


@pytest.mark.parametrize(
    "said", ["能打电话吗", "你们电话多少", "给我打个电话", "can you call me", "what's your phone number"]
)
def test_who_wants_to_be_called_gets_a_person(understanding: Understanding, said: str) -> None:
    assert understood(understanding, said, STATES[0]) == [Human()]


@pytest.mark.parametrize("said", ["现在几点", "今天星期几", "what time is it", "what's the date today"])
def test_the_time_of_day_is_not_ours(understanding: Understanding, said: str) -> None:
    assert understood(understanding, said, STATES[0]) == [CannotHandle("out_of_scope")]


CONFIRM = STATES[4]


@pytest.mark.parametrize(
    ("said", "state", "commands"),
    [
        ("等会儿再付", CONFIRM, [CancelFlow()]),
        ("明天再付", CONFIRM, [CancelFlow()]),
        ("那帮我按8折交", STATES[0], [Refuse("scam")]),
        ("代缴电费打折吗", STATES[0], [Refuse("scam")]),
        ("为什么这么贵", CONFIRM, [Explain("why")]),
        ("不对,是水费", CONFIRM, [CorrectSlot("utility", "water")]),
        ("翻译一句英语", STATES[0], [CannotHandle("out_of_scope")]),
        ("我不知道户号", STATES[1], [Explain("how")]),
        ("充电费", STATES[0], [StartFlow("pay_bill", {"utility": "electricity"})]),
        ("水费多少", STATES[0], [StartFlow("check_balance", {"utility": "water"})]),
    ],
)
def test_what_only_sounds_like_it_is_not(
    understanding: Understanding, said: str, state: Expectation, commands: list[Command]
) -> None:
    assert understood(understanding, said, state) == commands


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_there_are_words_for_each(locale: str) -> None:
    assert set(ASKED) == TOPICS
    assert {f"utter_about_{topic}" for topic in TOPICS} <= release().responses[locale].keys()
