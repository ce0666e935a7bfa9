"""Values rendered in every everyday way and read back, over their whole ranges: the same value, or a question."""

from __future__ import annotations

import calendar
import itertools
from datetime import date
from random import Random

import cn2an
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.money import Money
from nlu.asking import Ask
from nlu.dates import Month, parse_month
from nlu.digits import UNSURE, Digits, parse_digits
from nlu.mandate_terms import terms
from nlu.numerals import spoken_english
from nlu.rules import Rule, parse_rule
from tests.nlu.test_digits import SPOKEN

ZH = SPOKEN | {"1": SPOKEN["1"] + "腰"}
EN = {
    "0": ("zero", "oh", "o"), "1": ("one",), "2": ("two",), "3": ("three",), "4": ("four",), "5": ("five",), "6": ("six",),
    "7": ("seven",), "8": ("eight",), "9": ("nine", "niner"),
}  # fmt: skip
PAUSES_ZH = ("", "", " ", ",", "、", "……", "嗯", "，然后", "呃", "-")
PAUSES_EN = (" ", " ", ", ", " um ", " then ", " uh, ", " and ")
LEADS_ZH = ("", "户号是", "我的户号", "嗯,", "电费户号是", "那个,")
LEADS_EN = ("", "it's ", "my account number is ", "um, ", "the number is ")
CORRECTIONS_ZH = ("不对", ",错了,", ",不对不对,", ",说错了,", ",重新说,")
CORRECTIONS_EN = (" no wait ", ", sorry, ", ", scratch that, ", ", i mean ", ", let me start again, ")
NUMBERS = st.text("0123456789", min_size=1, max_size=18)
CHANCE = st.randoms(use_true_random=False)


def spoken_zh(number: str, chance: Random) -> str:
    """A number read out with the habits and pauses of a kitchen table."""
    return "".join(chance.choice(ZH[digit]) + chance.choice(PAUSES_ZH) for digit in number)


def spoken_en(number: str, chance: Random) -> str:
    """The same in English, two or three alike said as double and triple."""
    said, runs = "", [(digit, len(list(run))) for digit, run in itertools.groupby(number)]
    for digit, times in runs:
        word = chance.choice(EN[digit])
        if times in (2, 3) and chance.random() < 0.5:
            said += ("double " if times == 2 else "triple ") + word + chance.choice(PAUSES_EN)
        else:
            said += "".join(word + chance.choice(PAUSES_EN) for _ in range(times))
    return said


def _is_or_asks(said: str, locale: str, number: str, *, corrected: bool = False) -> None:
    heard = parse_digits(said, locale)
    if not isinstance(heard, Ask):
        assert (heard.value, heard.corrected) == (number, corrected), said


@settings(deadline=None)
@given(NUMBERS, CHANCE)
def test_a_number_with_pauses_and_habits_is_read_digit_by_digit(number: str, chance: Random) -> None:
    _is_or_asks(chance.choice(LEADS_ZH) + spoken_zh(number, chance), "zh", number)
    _is_or_asks(chance.choice(LEADS_EN) + spoken_en(number, chance), "en", number)


@settings(deadline=None)
@given(NUMBERS, CHANCE)
def test_the_plain_ways_are_understood_and_not_only_asked(number: str, chance: Random) -> None:
    assert parse_digits("".join(chance.choice(ZH[digit]) for digit in number)) == Digits(number)
    assert parse_digits(" ".join(EN[digit][0] for digit in number), "en") == Digits(number)
    size = chance.randint(2, 5)
    groups = [number[at : at + size] for at in range(0, len(number), size)]
    assert parse_digits(" ".join(groups)) == Digits(number)
    assert parse_digits("尾号" + number) == Digits(number, tail=True)


@settings(deadline=None)
@given(NUMBERS, NUMBERS, CHANCE)
def test_of_a_number_said_again_only_the_second_counts(wrong: str, right: str, chance: Random) -> None:
    said = spoken_zh(wrong, chance) + chance.choice(CORRECTIONS_ZH) + spoken_zh(right, chance)
    _is_or_asks(said, "zh", right, corrected=True)
    said = spoken_en(wrong, chance) + chance.choice(CORRECTIONS_EN) + spoken_en(right, chance)
    _is_or_asks(said, "en", right, corrected=True)


@settings(deadline=None)
@given(NUMBERS, NUMBERS)
def test_what_it_is_not_is_never_what_it_is(wrong: str, right: str) -> None:
    _is_or_asks(f"不是{wrong}", "zh", "")
    _is_or_asks(f"不是{wrong},是{right}", "zh", right, corrected=True)
    _is_or_asks(f"not {wrong}", "en", "")


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("0123456789"), st.integers(2, 9)), min_size=1, max_size=5))
def test_so_many_of_one_digit_are_so_many(runs: list[tuple[str, int]]) -> None:
    said = "".join(f"{'零一两三四五六七八九'[times]}个{ZH[digit][0]}" for digit, times in runs)
    _is_or_asks(said, "zh", "".join(digit * times for digit, times in runs))


@settings(deadline=None)
@given(NUMBERS, st.integers(0, 17))
def test_a_ten_among_digits_leaves_its_place_open(number: str, at: int) -> None:
    """四 and 十 are one sound: the place is doubtful, and every other digit stays."""
    at = min(at, len(number))
    heard = parse_digits(
        "".join(ZH[d][0] for d in number[:at]) + "十" + "".join(ZH[d][0] for d in number[at:])
    )
    assert isinstance(heard, Digits)
    assert heard.value == number[:at] + UNSURE + number[at:]
    assert [doubt.position for doubt in heard.doubtful] == [at]


# --- months: every month of three years, seen from every month of one ---------------------------------------------------

NUMERALS = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")
NAMES = calendar.month_name[1:]
DAYS = [date(2026, month, 17) for month in range(1, 13)]


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_every_month_named_in_every_way_is_that_month(today: date) -> None:
    now = Month(today.year, today.month)
    for year, month in itertools.product((today.year - 2, today.year - 1, today.year), range(1, 13)):
        named = Month(year, month)
        for said in _in_chinese(named, today.year):
            assert parse_month(said, today) == named, said
        for said in _in_english(named, today.year):
            assert parse_month(said, today, "en") == named, said
    for distance, ways in _relative().items():
        for said in ways:
            assert parse_month(said, today, "en" if said.isascii() else "zh") == now.plus(distance), said


def _in_chinese(named: Month, year: int) -> list[str]:
    numeral, before = NUMERALS[named.month - 1], {0: "今年", 1: "去年", 2: "前年"}[year - named.year]
    return [
        f"{named.year}年{named.month}月", f"{named.year}年{numeral}月份的", f"{named.year % 100}年{named.month}月", str(named),
        f"{before}{numeral}月", f"{before}{named.month}月份", f"{before}的{numeral}月份的电费",
    ]  # fmt: skip


def _in_english(named: Month, year: int) -> list[str]:
    name = NAMES[named.month - 1]
    ways = [f"{name} {named.year}", f"{name[:3]} {named.year}", f"the {name}, {named.year} bill"]
    ways += {0: [f"{name} this year"], 1: [f"{name} last year"]}.get(year - named.year, [])
    return ways


def _relative() -> dict[int, list[str]]:
    return {
        -2: ["上上个月", "大上个月", "上上月", "the month before last", "last month but one"],
        -1: ["上个月", "上月的", "上一个月", "last month", "last month's bill"],
        0: ["这个月", "本月", "当月的水费", "this month", "the current month"],
        1: ["下个月", "下月", "next month"],
    }


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_a_bare_month_is_the_latest_one_of_that_name(today: date) -> None:
    for month, numeral in enumerate(NUMERALS, start=1):
        meant = Month(today.year if month <= today.month else today.year - 1, month)
        for said in (f"{numeral}月", f"{numeral}月份的", f"{month}月", f"{month:02d}月份"):
            assert parse_month(said, today) == meant, said
        if month != 5:  # "may" alone is mostly a question
            assert parse_month(f"the {NAMES[month - 1]} bill", today, "en") == meant


@settings(deadline=None)
@given(st.integers(13, 99), st.sampled_from(DAYS))
def test_there_is_no_thirteenth_month(month: int, today: date) -> None:
    assert isinstance(parse_month(f"{month}月", today), Ask)


# --- standing orders -----------------------------------------------------------------------------------------------------

YUAN = st.integers(1, 9_999)
CAPS = st.one_of(st.none(), st.integers(1, 9_999))


def _zh(yuan: int, chance: Random) -> str:
    formal = str(cn2an.an2cn(yuan))
    ways = [
        str(yuan),
        f"{yuan}块",
        f"{yuan}元",
        formal,
        f"{formal}块",
        f"{formal}块钱",
        formal.replace("二百", "两百") + "元",
    ]
    return chance.choice(ways)


def _en(yuan: int, chance: Random) -> str:
    return chance.choice(
        [
            str(yuan),
            f"{yuan} yuan",
            f"¥{yuan}",
            f"{yuan:,}",
            f"{spoken_english(yuan)} yuan",
            spoken_english(yuan),
        ]
    )


@settings(deadline=None)
@given(YUAN, YUAN, CAPS, CHANCE)
def test_a_rule_in_any_order_of_its_parts_is_that_rule(
    below: int, amount: int, cap: int | None, chance: Random
) -> None:
    rule = Rule(Money(below * 100), Money(amount * 100), None if cap is None else Money(cap * 100))
    for locale, said in (
        ("zh", _rule_zh(below, amount, cap, chance)),
        ("en", _rule_en(below, amount, cap, chance)),
    ):
        heard = parse_rule(said, locale)
        assert isinstance(heard, Ask) or heard == rule, said
        found = terms(said, locale)
        expected = {"below": below * 100, "amount": amount * 100, "per_month": (cap or 0) * 100}
        assert all(expected.get(name) == fen for name, fen in found.items()), (said, found)


def _rule_zh(below: int, amount: int, cap: int | None, chance: Random) -> str:
    low = chance.choice(["低于{}", "少于{}的时候", "不到{}", "余额不足{}"]).format(_zh(below, chance))
    pays = chance.choice(["就充{}", "自动充{}", "给它存{}", "就交{}"]).format(_zh(amount, chance))
    most = chance.choice(["一个月最多{}", "每个月别超过{}", "每月封顶{}", "一个月不超{}"]).format(
        _zh(cap or 0, chance)
    )
    parts = [f"{low},{pays}"] if chance.random() < 0.7 else [pays.removeprefix("就"), low]
    if cap is not None:
        parts.insert(chance.choice([0, len(parts)]), most)
    return ",".join(parts)


def _rule_en(below: int, amount: int, cap: int | None, chance: Random) -> str:
    low = chance.choice(["below {}", "when it is under {}", "if it falls to less than {}"]).format(
        _en(below, chance)
    )
    pays = chance.choice(["top up {}", "add {}", "put in {}"]).format(_en(amount, chance))
    most = chance.choice(["at most {} a month", "no more than {} a month", "up to {} per month"]).format(
        _en(cap or 0, chance)
    )
    parts = [low, pays] if chance.random() < 0.7 else [pays, low]
    if cap is not None:
        parts.append(most)
    return ", ".join(parts)
