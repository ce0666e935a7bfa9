"""What an auditor asks: who let this yuan be taken, decide it once more, draw a sample of talks. Heard from auditors only.

The same words from anybody else mean what they mean to everybody; who speaks is known to the talk, not here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from data.model import Utility
from data.money import Money
from nlu import aliases
from nlu.asking import Ask
from nlu.commands import StartFlow
from nlu.dates import Month, parse_month
from nlu.numbers import Found, find_amount
from nlu.numerals import NotANumber, chinese, everyday

TRACE, REPLAY, SAMPLE = "audit_trace", "audit_replay", "audit_sample"

_TRACE_ZH = re.compile(
    "谁(?:让|叫|同意|批准|点头|许可|授权)[^,。]{0,6}(?:扣|充|交|缴|付|划|收)|(?:扣|充|交|缴|付|划)[^,。]{0,8}(?:凭什么|凭据|依据|谁同意|谁让|谁点)|来龙去脉|(?:追|溯)(?:踪|源|查)|^查一?下?pay_"
)
_TRACE_EN = re.compile(
    r"\bwho (?:approved|allowed|authori[sz]ed|agreed|said yes|let)\b|\bon whose (?:word|authority|consent)\b|\btrace\b|\bwhere did .{0,30}\b(?:yuan|payment|money)\b.{0,20}\bcome from\b"
)
_REPLAY_ZH = re.compile(
    "^(?:请|再|给我|帮我)*(?:重放|重算|重演|复算|(?:再|重新)(?:算|放|判|决定)(?:一遍|一次|一下)?)(?:一遍|一次|一下|吧|这笔|那笔|它们?)*$"
)
_REPLAY_EN = re.compile(
    r"^(?:please )?(?:replay|recompute|decide)(?: (?:it|them|that|this|these|all|once more|again))*$"
)
_SAMPLE_ZH = re.compile(
    "抽(?:样|查|取|选|出|个)*(?P<count>[0-9]{1,4}|[一二两三四五六七八九十百]{1,5})?(?:条|个|段|次|通|份)?[^,。]{0,10}(?:对话|谈话|会话|聊天|通话|记录)"
)
_SAMPLE_EN = re.compile(
    r"\b(?:sample|draw|pick)\b.{0,12}?(?:\b(?P<count>[0-9]{1,4}) (?:\w+ ){0,2})?(?:talks?|conversations?|dialogues?|chats?)\b"
)
_SEED = re.compile(r"(?:种子|seed)(?:是|为|用|=|:| )*(?P<seed>[0-9]{1,9})")
_PAYMENT = re.compile(r"\bpay_[a-z0-9]{6,36}\b")
_END = re.compile(r"[?!。.,，？！ ]+$")
_USUAL = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question about money names: the very payment, or a day, and perhaps an amount and a kind of bill."""

    payment: str | None
    day: date | None
    amount: Money | None
    utility: Utility | None


@dataclass(frozen=True, slots=True)
class Drawn:
    """The sample that is wished: which month, how many talks, and the seed when one was named."""

    month: Month
    count: int
    seed: int | None


def wish(text: str) -> StartFlow | None:
    """What a folded sentence wishes when an auditor says it; None when it is something else.

    A Chinese name stands in English questions too, so both languages are tried.
    """
    said = _END.sub("", text)
    if _REPLAY_ZH.search(said) or _REPLAY_EN.search(said):
        return StartFlow(REPLAY)
    if _drawn(said):
        return StartFlow(SAMPLE, {"audit_words": said[:120]})
    if _TRACE_ZH.search(said) or _TRACE_EN.search(said):
        return StartFlow(TRACE, {"audit_words": said[:120]})
    return None


def asked_about(words: str, today: date) -> Asked:
    """Which payment a question is about."""
    payment = _PAYMENT.search(words)
    day, rest = _day(words, today)
    locale = "en" if _TRACE_EN.search(words) else "zh"
    found = find_amount(rest, locale)
    amount = found.amount if isinstance(found, Found) and isinstance(found.amount, Money) else None
    kinds = aliases.utilities(rest, locale)
    return Asked(payment[0] if payment else None, day, amount, kinds[0] if len(kinds) == 1 else None)


def drawn_from(words: str, today: date) -> Drawn:
    """Which sample: without a month the last one, without a count twenty."""
    match = _drawn(words)
    count = _number(match["count"]) if match and match["count"] else _USUAL
    seed = _SEED.search(words)
    month = parse_month(_SEED.sub("", words), today, "en" if _SAMPLE_EN.search(words) else "zh")
    last = Month(today.year, today.month).plus(-1)
    return Drawn(
        last if isinstance(month, Ask) else month, max(count, 1), int(seed["seed"]) if seed else None
    )


def _number(said: str) -> int:
    try:
        return int(said) if said.isascii() else chinese(said)
    except NotANumber:
        return _USUAL


def _drawn(words: str) -> re.Match[str] | None:
    return _SAMPLE_EN.search(words) or _SAMPLE_ZH.search(everyday(words))


# --- days -----------------------------------------------------------------------------------------------------------

_FULL = re.compile(r"(?P<y>20[0-9]{2})[-/.年] ?(?P<m>[0-9]{1,2})[-/.月] ?(?P<d>[0-9]{1,2})[日号]?")
_SHORT_ZH = re.compile("(?P<m>[0-9]{1,2})月(?P<d>[0-9]{1,2})[日号]")
_AGO = {"今天": 0, "昨天": 1, "昨日": 1, "前天": 2, "today": 0, "yesterday": 1}


def _day(words: str, today: date) -> tuple[date | None, str]:
    """The day a sentence names, and the sentence without it; a day without its year is the last one that was."""
    for pattern in (_FULL, _SHORT_ZH):
        if match := pattern.search(words):
            year = int(match["y"]) if pattern is _FULL else None
            found = _made(year, int(match["m"]), int(match["d"]), today)
            return found, words[: match.start()] + " " + words[match.end() :]
    for word, days in _AGO.items():
        if word in words:
            return today - timedelta(days=days), words.replace(word, " ")
    return None, words


def _made(year: int | None, month: int, day: int, today: date) -> date | None:
    try:
        found = date(year or today.year, month, day)
        return found.replace(year=found.year - 1) if year is None and found > today else found
    except ValueError:
        return None
