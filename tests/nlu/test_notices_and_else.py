"""A sentence that wants a person, an end, a payment, or speaks of swindlers and secrets never changes what one is told."""

from __future__ import annotations

import pytest

from nlu.commands import Expectation, Human, StartFlow, Stop, Utterance
from nlu.notice_wishes import FLOW
from nlu.understand import Understanding

OTHER_FIRST = (
    "停,别再发消息了", "停,别烦我", "不弄了,别吵", "人工,别再发短信了", "叫个真人来,别发短信了", "别打电话了,给我转人工",
    "a person please, and stop texting me", "get me a human and stop messaging me", "stop, don't send anything",
)  # fmt: skip
NO_SETTING = (
    "把自动缴费停了,也别再给我发短信了", "停掉自动缴费,也别再通知我了", "自动充的别充了,也别通知我了", "别充了,别再给我发短信", "别再扣我的钱了也别发消息",
    "取消这笔付款,别通知了", "别催我,先不交了", "充一百电费,别发短信", "交电费,付成了发短信给我", "交电费,不用通知我", "五点之前帮我付掉,付完发短信",
    "帮我妈交电费,别告诉她", "水电气都交了,别告诉我妈", "每月自动交,交了不用告诉我",
    "不要告诉别人密码", "别告诉他我的密码", "别告诉我女儿我忘了密码", "我手机号换了,别发旧的", "别发到旧号码", "骗子让我别告诉家里人", "客服让我别告诉女儿",
    "他让我不要告诉我妈", "有人叫我付钱还说别告诉儿子", "我被骗了别通知我儿子", "不要打电话给我要钱", "骗子,别再打电话", "你们是骗子吧别再发短信", "取消短信验证码",
    "验证码别发给我女儿", "不用找零钱",
    "stop the automatic payments and stop texting me", "stop the autopay and don't text me", "i don't want any reminders, just pay it automatically",
    "don't send the money", "don't send any money", "never send money without asking me", "don't send it", "don't charge me without telling me",
    "never charge me without telling me first", "don't pay until i call you", "don't pay unless i tell you", "don't pay anything unless i say so",
    "don't pay unless the bill is under 100", "top up only when it runs out", "pay only if it is overdue", "i was never told about this", "why was i never told about the bill",
    "you never told me you charged me", "i never got told about this charge", "i don't know who to call", "i don't want to call anybody", "never mind, don't bother",
    "skip the gas and text me", "cut out the gas bill and tell me the rest", "don't tell anyone my pin", "please call me after 6 pm", "can a person call me before 10 am",
)  # fmt: skip
STILL_WISHES = (
    "付成了不用告诉我", "自动充成功了不用告诉我", "每次扣款都发短信太烦了,别发了", "八点以后别打扰我", "晚上九点以后别打电话", "没充成的话发短信告诉我", "该交费的时候打电话提醒我",
    "缴费成功的通知不要了", "只有出问题了才告诉我", "充值提醒都关掉", "以后短信通知我",
    "don't tell me when a payment goes through", "only tell me when something is wrong", "no messages after 9 pm please", "don't call me after eight in the evening",
    "stop sending me texts", "text me instead", "turn off the payment notifications",
)  # fmt: skip
WHERE = (
    Expectation(),
    Expectation(asks="choice", in_flow="check_balance"),
    Expectation(asks="open", in_flow="pay_bill"),
)


@pytest.mark.parametrize("said", OTHER_FIRST)
@pytest.mark.parametrize("expectation", WHERE, ids=lambda e: e.asks + str(e.in_flow))
def test_a_person_and_an_end_come_first(
    understanding: Understanding, said: str, expectation: Expectation
) -> None:
    commands = understanding.understand(Utterance(said), expectation)
    assert any(isinstance(command, Human | Stop) for command in commands), commands


@pytest.mark.parametrize("said", NO_SETTING)
def test_what_is_something_else_changes_no_setting(understanding: Understanding, said: str) -> None:
    commands = understanding.understand(Utterance(said), Expectation())
    # Without a value the flow only asks what is meant.
    assert not any(isinstance(c, StartFlow) and c.flow == FLOW and c.slots for c in commands), commands


@pytest.mark.parametrize("said", STILL_WISHES)
def test_a_wish_about_notices_is_one_still(understanding: Understanding, said: str) -> None:
    (command,) = understanding.understand(Utterance(said), Expectation())
    assert isinstance(command, StartFlow)
    assert command.flow == FLOW
