"""A bill that is late and paid in parts: the fee is charged once, and runs on for the rest only."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

from data import catalogue
from data.clock import shanghai
from integrations.sandbox.town import billers, world
from integrations.sandbox.town.moment import Books
from integrations.sandbox.town.tables import open_books
from integrations.sandbox.wire import NumberRequest, PostRequest, QuoteReply
from tests.contracts.stage import WORLD

WATER, NUMBER = "sh-water", "3200456701"
RULE = """rules:
  - rule: late_fee.water.resident
    value: {per_day: "0.001", minimum_fen: 100}
    effective_from: 2020-01-01
    source: an invented rule for this test
    status: illustration
"""


def books_with_water_fee(tmp_path: Path) -> Books:
    shutil.copy(catalogue.HERE / "billers.yml", tmp_path)
    (tmp_path / "rules.yml").write_text(RULE, "utf-8")
    books = Books(open_books("sqlite://"), catalogue.load(tmp_path), "virtual")
    with books.moment() as moment:
        world.load(books, moment, world.world_request(WORLD))
    return books


def quoted(books: Books) -> QuoteReply:
    with books.moment() as moment:
        return billers.quote(moment, WATER, NumberRequest(number=NUMBER))


def test_the_fee_is_charged_once_and_runs_on_for_the_rest_only(tmp_path: Path) -> None:
    books = books_with_water_fee(tmp_path)
    with books.moment() as moment:
        books.set_clock(moment, moment.now + timedelta(days=20))
    first = quoted(books)  # 31.20 due on 2026-03-25, five days late
    assert shanghai(WORLD.start + timedelta(days=20)).date() == date(2026, 3, 30)
    assert [(line.kind, line.amount_fen, line.days) for line in first.lines] == [
        ("arrears", 3_120, 0),
        ("late_fee", 100, 5),
    ]
    with books.moment() as moment:
        part = PostRequest(order="p1", number=NUMBER, quote=first.id, amount_fen=1_220)
        assert billers.post(moment, WATER, part).state == "settled"
    assert quoted(books).due_fen == 2_000  # 32.20 less 12.20, and no second fee today
    with books.moment() as moment:
        books.set_clock(moment, moment.now + timedelta(days=2))
    later = quoted(books)
    assert [(line.kind, line.amount_fen, line.days) for line in later.lines] == [
        ("arrears", 2_000, 0),
        ("late_fee", 100, 2),
    ]
