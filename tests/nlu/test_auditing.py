"""What an auditor asks is understood in both languages, and nothing else is taken for it."""

from __future__ import annotations

from datetime import date

import pytest

from data.model import Utility
from data.money import Money
from nlu import auditing
from nlu.dates import Month
from nlu.text import fold

TODAY = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("words", "flow"),
    [
        ("李建国电表 2026-03-10 的100元是谁让扣的", auditing.TRACE),
        ("3月9号程福生的水费是谁同意付的？", auditing.TRACE),
        ("程福生那笔水费的来龙去脉", auditing.TRACE),
        ("who approved the 100 yuan for 李建国's electricity on 2026-03-10?", auditing.TRACE),
        ("trace pay_abcdefghijkl", auditing.TRACE),
        ("重放", auditing.REPLAY),
        ("再算一遍", auditing.REPLAY),
        ("please replay it", auditing.REPLAY),
        ("抽20条上月的对话", auditing.SAMPLE),
        ("抽查五十段二月的谈话", auditing.SAMPLE),
        ("draw 5 conversations from February, seed 9", auditing.SAMPLE),
        ("交电费", None),
        ("为什么扣了我100块", None),
        ("再说一遍", None),
        ("why was I charged", None),
        ("抽个时间再说", None),
        ("say it again", None),
    ],
)
def test_what_is_wished(words: str, flow: str | None) -> None:
    found = auditing.wish(fold(words))
    assert (found.flow if found else None) == flow


@pytest.mark.parametrize(
    ("words", "day", "fen", "utility"),
    [
        ("李建国电表 2026-03-10 的100元是谁让扣的", date(2026, 3, 10), 10_000, Utility.ELECTRICITY),
        ("程福生昨天的水费是谁同意付的", date(2026, 3, 9), None, Utility.WATER),
        ("李建国12月31日的123.45元是谁让扣的", date(2025, 12, 31), 12_345, None),
        ("李建国2026年2月30日的100元是谁让扣的", None, 10_000, None),
        (
            "who approved the 31.20 yuan for 程福生's water on 2026-03-10",
            date(2026, 3, 10),
            3_120,
            Utility.WATER,
        ),
    ],
)
def test_which_payment_is_meant(
    words: str, day: date | None, fen: int | None, utility: Utility | None
) -> None:
    found = auditing.asked_about(fold(words), TODAY)
    assert (found.day, found.utility) == (day, utility)
    assert found.amount == (None if fen is None else Money(fen))


@pytest.mark.parametrize(
    ("words", "month", "count", "seed"),
    [
        ("抽20条上月的对话", Month(2026, 2), 20, None),
        ("抽对话", Month(2026, 2), 20, None),
        ("抽五十条一月的对话，种子7", Month(2026, 1), 50, 7),
        ("draw 5 conversations from january, seed 9", Month(2026, 1), 5, 9),
        ("sample 30 talks of last month", Month(2026, 2), 30, None),
    ],
)
def test_which_sample_is_meant(words: str, month: Month, count: int, seed: int | None) -> None:
    found = auditing.drawn_from(fold(words), TODAY)
    assert (found.month, found.count, found.seed) == (month, count, seed)
