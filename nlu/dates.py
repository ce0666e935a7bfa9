"""Months as people name them: 上个月, 大上个月, 十月份, last month. Certain, or asked back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from nlu.asking import Ask
from nlu.numerals import everyday
from nlu.text import fold, tight


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month (Asia/Shanghai, like the `today` it was reckoned from)."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year}-{self.month:02d}"

    def plus(self, months: int) -> Month:
        """So many months later (earlier if negative)."""
        index = self.year * 12 + self.month - 1 + months
        return Month(index // 12, index % 12 + 1)


_MONTHS_ZH = {
    name: at
    for at, name in enumerate(
        ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"], start=1
    )
} | {"元": 1, "正": 0, "腊": 0, "冬": 0}
_MONTHS_EN = {
    name: at
    for at, name in enumerate(
        [
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
        ],
        start=1,
    )
}
_MONTHS_EN |= {name[:3]: at for name, at in _MONTHS_EN.items()} | {"sept": 9}
_BEFORE_ZH = re.compile(
    "(?P<year>去年|前年)?的?(?:(?P<far>上上+|大上|前)个?月|(?P<last>上一?个?月)|(?P<this>这个?月|本月|当月|这月|今月)|(?P<next>下+个?月))"
)
_NAMED_ZH = re.compile(
    "(?:(?P<year>今年|去年|前年|明年|(?:20)?[0-9]{2}年|20[0-9]{2}[-/.])的?)?(?<![0-9一二三四五六七八九十])(?P<month>1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九正腊冬]|(?<![百千])元)(?:月份?|(?<=[-/.][0-9])|(?<=[-/.][0-9]{2}))"
)
_VAGUE_ZH = re.compile(
    "(?<!是)不是(?=[上这下本今去前0-9一二三四五六七八九十])|大概|大约|差不多|可能|好像|左右|前后|[几多0-9两二三四五六七八九十半]+个月(?<!上一个月)|(?<!上)(?<!这)(?<!下)(?<!前)一个月|前[两三几]|月初|月底前|到.*月|和|至|跟|~|[0-9一二三四五六七八九十]、"
)
_NAMED_EN = re.compile(
    rf"\b(?:(?P<before>last year) )?(?:(?P<last>last|this) )?(?P<month>{'|'.join(sorted(_MONTHS_EN, key=len, reverse=True))})\b(?:,? (?P<year>20[0-9]{{2}}|last year|this year|next year))?"
)
_VAGUE_EN = re.compile(
    r"\b(?:not|around|about|roughly|maybe|perhaps|or so|before or after) (?:the |in )?(?=last|this|next|previous|month|[a-z]{3,9}\b)|\bor so\b|\b(?:before|after|until|till|since|by|next) (?:the )?(?:"
    rf"{'|'.join(_MONTHS_EN)})\b|\bonwards?\b|(?<!month) before last\b"
)
_RELATIVE_EN = {
    "month before last": -2,
    "last month but one": -2,
    "last month": -1,
    "previous month": -1,
    "this month": 0,
    "current month": 0,
    "next month": 1,
}


def parse_month(text: str, today: date, locale: str = "zh") -> Month | Ask:
    """The one month a text names, reckoned from `today`; a bare month that has not come yet is last year's."""
    folded = fold(text)
    months = _english(folded, today) if locale == "en" else _chinese(tight(everyday(folded)), today)
    if len(months) > 1:
        return Ask("several")
    return months.pop() if months else Ask("none")


def _chinese(said: str, today: date) -> set[Month | Ask]:
    if _VAGUE_ZH.search(said):
        return {Ask("ambiguous")}
    now = Month(today.year, today.month)
    found: set[Month | Ask] = set()
    for match in _BEFORE_ZH.finditer(said):
        found.add(_relative_chinese(match, now))
    for match in _NAMED_ZH.finditer(_BEFORE_ZH.sub("※", said)):
        found.add(_named_chinese(match, now))
    return found


def _relative_chinese(match: re.Match[str], now: Month) -> Month | Ask:
    now = now.plus({"去年": -12, "前年": -24}.get(match["year"], 0))
    if match["far"]:
        # 前个月 is the month before last to some and last month to others.
        return Ask("ambiguous") if match["far"] == "前" else now.plus(-max(2, match["far"].count("上")))
    return now.plus(-1 if match["last"] else (match["next"] or "").count("下"))


def _named_chinese(match: re.Match[str], now: Month) -> Month | Ask:
    month = int(match["month"]) if match["month"].isdigit() else _MONTHS_ZH[match["month"]]
    if not month:
        return Ask("ambiguous")  # 正月, 腊月 and 冬月 are months of the old calendar
    year = match["year"]
    if year is None:
        return _latest(month, now)
    years = {"今年": now.year, "去年": now.year - 1, "前年": now.year - 2, "明年": now.year + 1}
    digits = re.sub("[^0-9]", "", year)
    return Month(years[year] if year in years else int(digits[-2:]) + 2000, month)


def _latest(month: int, now: Month) -> Month:
    return Month(now.year if month <= now.month else now.year - 1, month)


def _english(said: str, today: date) -> set[Month | Ask]:
    if _VAGUE_EN.search(said):
        return {Ask("ambiguous")}
    now = Month(today.year, today.month)
    for words, distance in _RELATIVE_EN.items():
        if words in said:
            return {now.plus(distance)} | ({Ask("several")} if " and " in said else set())
    found: set[Month | Ask] = set()
    for match in _NAMED_EN.finditer(said):
        if match["month"] == "may" and not (
            match["last"] or match["year"] or said in {"may", "in may", "for may", "may please"}
        ):
            continue  # "may I ask"
        found.add(_named_english(match, now))
    return found


def _named_english(match: re.Match[str], now: Month) -> Month | Ask:
    month, year = _MONTHS_EN[match["month"]], match["year"] or match["before"]
    if match["last"] == "last" and month < now.month and year is None:
        return Ask("ambiguous")  # "last March" in November: this year's or the one before
    if year is None:
        return Month(now.year, month) if match["last"] == "this" else _latest(month, now)
    if year.isdigit():
        return Month(int(year), month)
    return Month(now.year + {"last year": -1, "this year": 0, "next year": 1}[year], month)
