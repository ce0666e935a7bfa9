"""For how long an automatic payment shall rest: a day that is said surely, said back, and no other."""

from __future__ import annotations

from datetime import date

import pytest

from nlu.commands import Expectation, StartFlow
from nlu.mandates import PAUSE, business, said, wish
from nlu.rests import ends_on, span
from nlu.text import fold

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("先停两个月", date(2027, 1, 22)),
        ("停到开春", date(2027, 3, 1)),
        ("自动缴费先停到三月", date(2027, 3, 1)),
        ("停到12月5号", date(2026, 12, 5)),
        ("先停半年", date(2027, 5, 22)),
        ("停十天吧", date(2026, 12, 2)),
        ("停到五月五号", date(2027, 5, 5)),
        ("停到十二月二十一日再说", date(2026, 12, 21)),
        ("别充了,下个月再开始", date(2026, 12, 1)),
        ("先不扣了,三月再接着扣", date(2027, 3, 1)),
        ("不要自动交了,五月十号再开始", date(2027, 5, 10)),
        ("歇一个星期", date(2026, 11, 29)),
        ("停到下个月", date(2026, 12, 1)),
        ("停到年底", date(2026, 12, 31)),
        ("pause it until March", date(2027, 3, 1)),
        ("pause it until the 5th of december", date(2026, 12, 5)),
        ("pause autopay for two months", date(2027, 1, 22)),
        ("pause it for a week", date(2026, 11, 29)),
        ("pause it until spring", date(2027, 3, 1)),
        ("停到2月30号", None),
        ("先停几天", None),
        ("停一阵", None),
        ("停到我说再开", None),
        ("一直停着", None),
        ("pause it until I say", None),
    ],
)
def test_the_day_it_goes_on(text: str, day: date | None) -> None:
    found = span(fold(text), "en" if text.isascii() else "zh")
    assert (ends_on(found, TODAY) if found else None) == day


def test_a_month_on_is_a_day_that_exists() -> None:
    assert ends_on("+1m", date(2027, 1, 31)) == date(2027, 2, 28)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("先停两个月", "+2m"),
        ("停到开春", "=3"),
        ("一直停着", "open"),
        ("pause it until March", "=3"),
        ("keep it paused", "open"),
        ("先停一停", None),
    ],
)
def test_what_is_said_begins_a_pause_with_its_end(text: str, found: str | None) -> None:
    locale = "en" if text.isascii() else "zh"
    (begun,) = said(fold(text), Expectation(), locale, False, {})
    assert isinstance(begun, StartFlow)
    assert (begun.flow, begun.slots.get("rest_span")) == (PAUSE, found)


def test_with_its_name_it_is_a_pause_too() -> None:
    text = fold("电费的自动缴费先停到三月")
    assert business(text, "zh") == PAUSE
    assert wish(PAUSE, text, {}, "zh").slots == {"rest_span": "=3"}


@pytest.mark.parametrize("text", ["停电到几点", "停水停到明天吗", "停到哪天"])
def test_a_supply_that_is_cut_is_no_pause(text: str) -> None:
    found = said(fold(text), Expectation(), "zh", False, {})
    assert not any(isinstance(one, StartFlow) and one.flow == PAUSE for one in found)
