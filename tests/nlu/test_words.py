"""Months, standing orders, and what people call their bills, relatives and cities."""

from __future__ import annotations

from datetime import date

import pytest

from data.model import Utility
from data.money import Money
from nlu.aliases import city, person_name, relation, utilities
from nlu.asking import Ask
from nlu.dates import Month, parse_month
from nlu.rules import Rule, parse_rule

MARCH = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("said", "month"),
    [
        ("上个月", Month(2026, 2)), ("上月的", Month(2026, 2)), ("大上个月", Month(2026, 1)), ("上上个月", Month(2026, 1)),
        ("这个月", Month(2026, 3)), ("下个月", Month(2026, 4)), ("十月份", Month(2025, 10)), ("10月份的水费", Month(2025, 10)),
        ("三月", Month(2026, 3)), ("十二月", Month(2025, 12)), ("去年三月", Month(2025, 3)), ("2025年10月", Month(2025, 10)), ("2025-10", Month(2025, 10)),
        ("前个月", Ask("ambiguous")), ("前几个月", Ask("ambiguous")), ("三个月", Ask("ambiguous")), ("腊月", Ask("ambiguous")),
        ("一月和二月", Ask("ambiguous")), ("一月二月", Ask("several")), ("水费", Ask("none")),
    ],
)  # fmt: skip
def test_the_month_that_is_meant(said: str, month: Month | Ask) -> None:
    assert parse_month(said, MARCH) == month


@pytest.mark.parametrize(
    ("said", "month"),
    [
        ("last month", Month(2026, 2)), ("the month before last", Month(2026, 1)), ("October", Month(2025, 10)), ("march 2025", Month(2025, 3)),
        ("october last year", Month(2025, 10)), ("last february", Ask("ambiguous")), ("may I ask", Ask("none")), ("in may", Month(2025, 5)),
    ],
)  # fmt: skip
def test_the_english_month(said: str, month: Month | Ask) -> None:
    assert parse_month(said, MARCH, "en") == month


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ("低于五十就充两百,一个月别超五百", Rule(Money(5_000), Money(20_000), Money(50_000))),
        (
            "我爸妈家电表老没电,低于20块就自动充100,一个月最多300",
            Rule(Money(2_000), Money(10_000), Money(30_000)),
        ),
        ("每个月不超过三百,少于三十块五充五十", Rule(Money(3_050), Money(5_000), Money(30_000))),
        ("一次充一百,剩不到二十的时候充", Rule(Money(2_000), Money(10_000), None)),
        ("低于五十就充两百,最多五百", Ask("ambiguous")),
        ("低于几十就充一百", Ask("approximate")),
        ("低于五十充一百充两百", Ask("several")),
        ("自动充一百", Ask("none")),
        ("below 50 top up 200, at most 500 a month", Rule(Money(5_000), Money(20_000), Money(50_000))),
        ("when it falls below fifty add a hundred", Rule(Money(5_000), Money(10_000), None)),
    ],
)
def test_a_rule_is_read_by_the_words_round_each_amount(said: str, rule: Rule | Ask) -> None:
    assert parse_rule(said, "en" if said.isascii() else "zh") == rule


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        ("火表", [Utility.ELECTRICITY]), ("自来火", [Utility.GAS]), ("闭路电视", [Utility.CABLE_TV]), ("座机", [Utility.LANDLINE]),
        ("暖气费", [Utility.HEATING]), ("网费", [Utility.BROADBAND]), ("水电煤", [Utility.WATER, Utility.ELECTRICITY, Utility.GAS]),
        ("先水费再电费", [Utility.WATER, Utility.ELECTRICITY]), ("停电了", []), ("今天天气好", []), ("买水果", []), ("打电话给我", []),
    ],
)  # fmt: skip
def test_everyday_names_of_bills(said: str, kinds: list[Utility]) -> None:
    assert utilities(said) == kinds


@pytest.mark.parametrize(
    ("said", "who"),
    [
        ("我妈的", "mother"),
        ("我爸妈家", "parents"),
        ("老伴的水费", "spouse"),
        ("丈母娘家", "mother_in_law"),
        ("交电费", None),
    ],
)
def test_relatives(said: str, who: str | None) -> None:
    assert relation(said) == who


def test_cities_and_names() -> None:
    assert city("帮我妈交电费,广州的") == "guangzhou"
    assert city("in guangzhou", "en") == "guangzhou"
    assert person_name("帮程福生交水费") == "程福生"
    assert person_name("程福生电费多少") == "程福生"
    assert [
        person_name(said) for said in ("帮我交水费", "查周末水费", "马上交电费", "给老伴交电费", "查余额水费")
    ] == [None] * 5
