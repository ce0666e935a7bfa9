"""How long an automatic payment shall rest: 停两个月, 停到开春, until March. A date is said surely, or it is none."""

from __future__ import annotations

import re
from datetime import date, timedelta

from nlu import numerals

OPEN = "open"  # until somebody says so

_DIGITS = {"一": 1, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_N = "(?P<n>[0-9]{1,2}|[一二两三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九])"
_DAY = "(?P<day>[0-9]{1,2}|[二三]?十[一二三四五六七八九]?|[一二三四五六七八九])"
_FOR_ZH = re.compile(f"(?:停|歇|缓|过)(?:它)?(?:个)?{_N}个?(?P<unit>月|天|周|星期|礼拜|年)")
_HALF_ZH = re.compile("(?:停|歇|缓|过)(?:它|个)?半年")
_UNTIL_ZH = re.compile(
    f"(?:停|歇|缓)(?:它|用)?[到至](?:了)?(?P<next>明年)?(?:{_N}月(?:份)?(?:{_DAY}[号日])?)"
)
_NAMED_ZH = re.compile("(?:停|歇|缓)(?:它|用)?[到至](?:了)?(?P<what>开春|春天|下个?月|年底|明年)")
# 别充了,下个月再开始: not now, and from then on again.
_AGAIN_ZH = re.compile(
    f"(?:别|不要|不用|甭|先不|暂时不)(?:再)?(?:自动)?(?:[充交缴扣]|付)(?:费|值|钱)?(?:了)?[,。 ]*(?:先)?(?:等|到|等到|过了)?(?:(?P<what>开春|春天|下个?月|年底|明年)|{_N}月(?:份)?(?:{_DAY}[号日])?)(?:以?后)?(?:再|才)(?:开始|接着|恢复|继续|[充交缴扣开付])"
)
_OPEN_ZH = re.compile("一直(?:停|歇)|停到我(?:说|叫|让|讲)|(?:等|到)我(?:说|叫|让|讲)(?:了)?再")
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_NUMBERS = {word: number for number, word in enumerate(numerals.ONES[1:13], 1)}
_FOR_EN = re.compile(
    rf"\bfor (?:the next )?(?P<n>an?|[0-9]{{1,2}}|{'|'.join(_NUMBERS)}) (?P<unit>day|week|month|year)s?\b"
)
_UNTIL_EN = re.compile(
    rf"\b(?:until|till|to) (?:the )?(?:(?P<first>[0-9]{{1,2}})(?:st|nd|rd|th)?(?: of)? )?(?P<month>{'|'.join(_MONTHS)})(?: (?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?)?\b"
)
_NAMED_EN = re.compile(r"\b(?:until|till) (?P<what>spring|next month|next year|the end of the year)\b")
_OPEN_EN = re.compile(r"\b(?:until|till) i (?:say|tell)\b|\bindefinitely\b|\bkeep it paused\b")
_NAMED = {
    **dict.fromkeys(("开春", "春天", "spring"), "=3"),  # the first of March, when heating is nearly over
    **dict.fromkeys(("下月", "next month"), ">1"),
    **dict.fromkeys(("年底", "the end of the year"), "=12-31"),
    **dict.fromkeys(("明年", "next year"), "=1"),
}


def rests_open(text: str, locale: str) -> bool:
    """一直停着: no end is wanted."""
    return bool((_OPEN_EN if locale == "en" else _OPEN_ZH).search(text))


def span(text: str, locale: str) -> str | None:
    """What a folded text says of the end, to be reckoned from the day it was said; None: nothing, or nothing sure.

    "open", "+2m", "+10d", ">1" (the first of the next month), or "=3" (the next first of March) and "=3-15".
    """
    if rests_open(text, locale):
        return OPEN
    return _english(text) if locale == "en" else _chinese(text)


def ends_on(span: str, today: date) -> date | None:
    """The first day on which it goes on; None without an end, or for a day that is none."""
    if span == OPEN:
        return None
    if span.startswith("="):
        month, _, day = span[1:].partition("-")
        return _next(int(month), int(day or 1), today)
    if span.startswith(">"):
        return _months_on(today.replace(day=1), int(span[1:]))
    count, unit = int(span[1:-1]), span[-1]
    return today + timedelta(days=count) if unit == "d" else _months_on(today, count)


def _chinese(text: str) -> str | None:
    if _HALF_ZH.search(text):
        return "+6m"
    if said := _UNTIL_ZH.search(text):
        return _day_of(said)
    if said := _AGAIN_ZH.search(text):
        return _NAMED[said["what"].replace("下个月", "下月")] if said["what"] else _day_of(said)
    if said := _NAMED_ZH.search(text):
        return _NAMED[said["what"].replace("下个月", "下月")]
    said = _FOR_ZH.search(text)
    return _for(_count(said["n"]), said["unit"]) if said else None


def _english(text: str) -> str | None:
    if said := _UNTIL_EN.search(text):
        return _on(_MONTHS.index(said["month"]) + 1, said["first"] or said["day"])
    if said := _NAMED_EN.search(text):
        return _NAMED[said["what"]]
    said = _FOR_EN.search(text)
    if said is None:
        return None
    count = 1 if said["n"] in ("a", "an") else _NUMBERS.get(said["n"]) or int(said["n"])
    return _for(count, said["unit"])


def _day_of(said: re.Match[str]) -> str | None:
    return _on(_count(said["n"]), str(_count(said["day"])) if said["day"] else None)


def not_until(text: str) -> bool:
    """别充了,五月再开始: a rest with its end, said without a word for resting."""
    return _AGAIN_ZH.search(text) is not None


def _on(month: int, day: str | None) -> str | None:
    return (f"={month}-{day}" if day else f"={month}") if 1 <= month <= 12 else None


def _for(count: int, unit: str) -> str | None:
    days = {"天": 1, "day": 1, "周": 7, "星期": 7, "礼拜": 7, "week": 7}.get(unit)
    months = {"月": 1, "month": 1, "年": 12, "year": 12}.get(unit)
    if not count:
        return None
    return f"+{count * days}d" if days else f"+{count * (months or 1)}m"


def _count(said: str) -> int:
    if said.isascii():
        return int(said)
    tens, ten, ones = said.rpartition("十")
    return (_DIGITS.get(tens, 1) * 10 if ten else 0) + _DIGITS.get(ones, 0)


def _months_on(day: date, count: int) -> date:
    month = day.month - 1 + count
    first = date(day.year + month // 12, month % 12 + 1, 1)
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return min(first.replace(day=min(day.day, last.day)), last)


def _next(month: int, day: int, today: date) -> date | None:
    for year in (today.year, today.year + 1):
        try:
            found = date(year, month, day)
        except ValueError:
            return None
        if found > today:
            return found
    return None
