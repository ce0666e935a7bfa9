"""上个月交了多少, 退款到哪了: questions about what was paid, and about money that is to come back."""

from __future__ import annotations

import re
from typing import Any

from nlu import aliases, mandates
from nlu.commands import Expectation, StartFlow

_HOW_MUCH_ZH = re.compile(
    "(?:交|缴|付|充|花)(?:了|过|掉)?(?:电费|水费|燃气费|的?费|的?钱)?(?:一?共|总共)?(?:是)?(?:多少|几次|几回|几笔|哪些)|(?:一共|总共)(?:交|缴|付|充|花)了?(?:多少|几)|(?:交|缴|付)费(?:记录|历史|明细)|(?:记录|明细|历史)"
)
_WHEN_ZH = re.compile(
    "上上?个?月|大上个?月|前个月|这个?月|本月|当月|去年|今年|[0-9一二三四五六七八九十正]{1,3}月(?!表)|记录|历史|明细"
)
# 上个月电费多少 asks what was paid then; 这个月电费多少 asks what is due.
_THAT_MONTH_ZH = re.compile("(?:上上?个?月|大上个?月|去年)[^,。]{0,8}(?:多少|几块|几钿)")
_OWES_ZH = re.compile("欠|该交|要交|没交|余额|还有|还剩|剩|用了|用电量|用水量")
_HOW_MUCH_EN = re.compile(
    r"\b(?:did|have|has) (?:i|we|she|he|they|my \w+) (?:ever )?(?:pay|paid|spend|spent|put)\b|\bpayment history\b|\bpayments? (?:last|this|in)\b|\b(?:i|we) paid\b.*\b(?:last|this) month\b|\bhow (?:much|many times|often) .{0,30}\bpaid\b"
)
_WHEN_EN = re.compile(
    r"\b(?:last|this|previous) (?:month|year)\b|\bmonth before\b|\bhistory\b|\bin (?:january|february|march|april|may|june|july|august|september|october|november|december)\b|\bso far\b"
)
_USED_ZH = re.compile("用了(?:多少|几|好多)|用(?:电|水|气)量|耗了多少|用掉(?:多少|几)")
_USED_EN = re.compile(
    r"\bhow much .{0,25}\b(?:did|have) (?:i|we|she|he|they|my \w+) (?:use|used)\b|\b(?:usage|consumption)\b"
)
_REFUND_ZH = re.compile("退款|退的?钱|退回|钱.{0,6}退|退(?:给|到)?(?:我|卡)")
_REFUND_STATE_ZH = re.compile(
    "到哪|到没|到了吗|到账|到了没|怎么样|怎样|怎么还|还没|什么时候|啥时候|几时|多久|进度|状态|查|哪去|退(?:钱|款)?了(?:没|吗|伐)|退好|好了吗|有没有|呢$|情况|下来"
)
_REFUND_EN = re.compile(r"\brefund(?:ed|s)?\b|\bmoney back\b")
_REFUND_STATE_EN = re.compile(
    r"\bwhere|\bwhen\b|\bstatus\b|\bhow (?:is|far|long)\b|\bhas\b|\bhave (?:i|you)\b|\bdid\b|\bis (?:my|the|there)\b|\bany news\b|\bstill\b|\bcheck\b|\barrived\b|\bcoming\b|\bwhat about\b|\bwhat happened\b"
)


# 刚才都交上了吗 asks whether it went through; it wishes for no payment.
_JUST_PAID = re.compile(
    r"(?:刚才|刚刚|刚|方才)[^,。]{0,4}(?:交|付|缴|充)(?:的|费)?(?:[^,。]{0,4})(?:了吗|了没|没有|了伐|上了|成功|到账)|^(?:都)?(?:交|付|缴)上了(?:吗|没|没有|伐)\??$|"
    r"\bdid (?:it|they|that|everything) (?:all )?(?:go through|get paid)\b|\b(?:is|are|was|were) (?:it|they) all paid\b"
)


def asked(text: str, locale: str) -> StartFlow | None:
    """The question about earlier payments or a refund that a folded text surely is; None when it is something else."""
    english = locale == "en"
    if (_REFUND_EN if english else _REFUND_ZH).search(text):
        state = (_REFUND_STATE_EN if english else _REFUND_STATE_ZH).search(text)
        return StartFlow("refund_state") if state else None
    if (_USED_EN if english else _USED_ZH).search(text) and aliases.utilities(text, locale):
        return StartFlow("look_back", slots(text, locale) | {"look_at": "usage"})
    if _JUST_PAID.search(text) and not aliases.utilities(text, locale):
        return StartFlow("look_back", {"look_words": "this month" if english else "这个月"})
    past = _past_en(text) if english else _past_zh(text)
    return StartFlow("look_back", slots(text, locale)) if past else None


def beside(text: str, expectation: Expectation, locale: str) -> StartFlow | None:
    """退款到哪了 and, where nothing is being read back, 为什么扣我钱: asked beside whatever question is open."""
    if (about := asked(text, locale)) is not None and about.flow == "refund_state":
        return about
    # 接着办吗, 现在交吗: a yes or no is waited for, and no amount that could be explained.
    if {"yes", "no"} <= expectation.choices.keys() and mandates.asks_why(text, locale):
        return StartFlow(mandates.WHY)
    return None


def _past_en(text: str) -> bool:
    return bool(_HOW_MUCH_EN.search(text) and _WHEN_EN.search(text))


def _past_zh(text: str) -> bool:
    if _OWES_ZH.search(text):
        return False
    return bool(_HOW_MUCH_ZH.search(text) and _WHEN_ZH.search(text)) or bool(_THAT_MONTH_ZH.search(text))


def slots(text: str, locale: str) -> dict[str, Any]:
    """Which bill, whose and which month: the month stays in words, because only the talk knows what day it is."""
    found: dict[str, Any] = {"look_words": text[:60]}
    if kinds := aliases.utilities(text, locale):
        found["utility"] = kinds[0].value
    return found | _whose(text, locale)


def _whose(text: str, locale: str) -> dict[str, Any]:
    """Whose bills are asked after; who paid 替我 is not the one."""
    name = aliases.person_name(text, locale) or (_asked_name(text) if locale == "zh" else None)
    named = {"relation": aliases.relation(text, locale), "person_name": name}
    return {slot: value for slot, value in named.items() if value}


def _asked_name(text: str) -> str | None:
    """程福生上个月交了多少 begins with the name."""
    match = _NAME_THEN_MONTH.search(text)
    return match["name"] if match and aliases.is_name(match["name"]) else None


_NAME_THEN_MONTH = re.compile(
    "^(?:帮我?|给我|替|查|看看|查查|查一?下)*(?P<name>[\u4e00-\u9fff]{2,3}?)(?:家里?)?的?(?=上上?个?月|这个?月|本月|去年|今年|[0-9一二三四五六七八九十]{1,3}月)"
)
