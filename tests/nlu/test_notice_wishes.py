"""What people say of notices: telling is never taken for paying, and what money waits for is never taken for a wish."""

from __future__ import annotations

from typing import Any

import pytest

from nlu.commands import Expectation, StartFlow, Utterance
from nlu.notice_wishes import FLOW, asked, slots
from nlu.text import fold
from nlu.understand import Understanding

OPEN = Expectation()


def locale_of(text: str) -> str:
    return "en" if text.isascii() else "zh"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("付成了不用告诉我了", {"notice_do": "off", "notice_what": "paid"}),
        ("自动充成功了不用通知我", {"notice_do": "off", "notice_what": "paid"}),
        ("账单到期别提醒了", {"notice_do": "off", "notice_what": "bills"}),
        ("自动缴费改了也不用告诉我", {"notice_do": "off", "notice_what": "changes"}),
        ("没付成的也别告诉我", {"notice_do": "off", "notice_what": "trouble"}),
        ("快没电了不用提醒我", {"notice_do": "off", "notice_what": "trouble"}),
        ("别发了", {"notice_do": "off"}),
        ("都告诉我", {"notice_do": "all"}),
        ("只在出事的时候告诉我", {"notice_do": "only_trouble"}),
        ("欠费了才告诉我", {"notice_do": "only_trouble"}),
        ("改回来", {"notice_do": "undo"}),
        ("晚上别打电话", {"notice_do": "quiet"}),
        ("八点以后别打扰", {"notice_do": "quiet", "quiet_from": 20}),
        ("晚上八点到早上九点别打扰", {"notice_do": "quiet", "quiet_from": 20, "quiet_to": 9}),
        ("早上九点以后再提醒", {"notice_do": "quiet", "quiet_to": 9}),
        ("半夜也可以发给我", {"notice_do": "quiet", "quiet_from": 23}),
        ("电话里告诉我就行", {"notice_do": "road", "notice_road": "voice"}),
        ("别打电话,发短信就行", {"notice_do": "road", "notice_road": "sms"}),
        ("别打电话了", {"notice_do": "road", "notice_road": "chat"}),
        ("提醒发我女儿手机", {"notice_do": "also", "relation": "daughter"}),
        ("别给我妈发了", {"notice_do": "others", "relation": "mother"}),
        ("通知设置", {"notice_do": "look"}),
        ("don't tell me when it is paid", {"notice_do": "off", "notice_what": "paid"}),
        ("only tell me if something goes wrong", {"notice_do": "only_trouble"}),
        ("tell me everything", {"notice_do": "all"}),
        ("no messages after 8 pm", {"notice_do": "quiet", "quiet_from": 20}),
        ("don't disturb me from 8pm to 9am", {"notice_do": "quiet", "quiet_from": 20, "quiet_to": 9}),
        ("text me instead", {"notice_do": "road", "notice_road": "sms"}),
        ("call me instead of texting", {"notice_do": "road", "notice_road": "voice"}),
        ("send the reminders to my daughter", {"notice_do": "also", "relation": "daughter"}),
        ("don't tell my mother", {"notice_do": "others", "relation": "mother"}),
        ("change it back", {"notice_do": "undo"}),
    ],
)
def test_one_sentence_and_its_wish(text: str, found: dict[str, Any]) -> None:
    heard = asked(fold(text), OPEN, locale_of(text))
    assert heard == StartFlow(FLOW, found)


@pytest.mark.parametrize(
    "text",
    [
        "以后只提醒,不要自动交",
        "不要再自动扣了",
        "先不自动,等我通知",
        "不用了",
        "不要叫我爷爷",
        "有人打电话说我涉案",
        "不要发图片,流量不够",
        "告诉我电费多少",
        "tell me how much I owe",
        "only remind me, do not pay",
        "don't call me grandpa",
        "send my daughter a thousand",
        "stop",
        "停",
    ],
)
def test_what_is_no_wish_about_notices(text: str) -> None:
    assert asked(fold(text), OPEN, locale_of(text)) is None


@pytest.mark.parametrize("asks", ["confirm", "code", "consent", "amount", "name_check"])
@pytest.mark.parametrize("text", ["别发了", "都告诉我", "改回来", "no messages please", "change it back"])
def test_where_an_answer_is_awaited_nothing_is_taken_for_a_wish(text: str, asks: str) -> None:
    assert asked(fold(text), Expectation(asks, in_flow="pay_bill"), locale_of(text)) is None


@pytest.mark.parametrize(
    "text", ["充成功就别再发消息给我了", "自动扣好了不用通知", "no need to text me when autopay went through"]
)
def test_that_telling_ends_ends_no_automatic_payment(understanding: Understanding, text: str) -> None:
    heard = understanding.understand(Utterance(text), OPEN)
    assert [c.flow for c in heard if isinstance(c, StartFlow)] == [FLOW]


@pytest.mark.parametrize(
    "text", ["把通知的事给我调一调", "那些提醒能不能改一改", "I'd like to sort out my alerts"]
)
def test_what_is_only_guessed_changes_nothing_by_itself(understanding: Understanding, text: str) -> None:
    for command in understanding.understand(Utterance(text), OPEN):
        if isinstance(command, StartFlow) and command.flow == FLOW:
            assert command.slots.get("notice_do") in (None, "look")


def test_hours_are_read_as_hours() -> None:
    assert slots("晚七点以后别响", "zh") == {"notice_do": "quiet", "quiet_from": 19}
    assert slots("上午十点以前不要打电话", "zh") == {"notice_do": "quiet", "quiet_to": 10}
