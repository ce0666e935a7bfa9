"""The catalogue is data: every utility is there, and a row without its date, source or right shape is refused by name."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from data import catalogue
from data.catalogue import CatalogueError, UnknownBiller
from data.model import Exactness, Utility
from data.money import Money

BOOK = catalogue.load()


def test_every_utility_has_a_biller_and_the_three_big_ones_have_one_in_every_city() -> None:
    assert {b.utility for b in BOOK.billers()} == set(Utility)
    for city in ("beijing", "shanghai", "guangzhou"):
        for utility in (Utility.ELECTRICITY, Utility.WATER, Utility.GAS):
            assert len(BOOK.billers(utility, city)) == 1


def test_amount_rules_are_those_of_the_town() -> None:
    assert BOOK.biller("sh-water").rule.exactness is Exactness.UP_TO
    assert BOOK.biller("sh-electricity").rule.exactness is Exactness.EXACT
    meter = BOOK.biller("bj-electricity")
    assert meter.prepaid
    assert (meter.rule.minimum, meter.rule.maximum, meter.rule.step) == (
        Money(1_000),
        Money(500_000),
        Money(1_000),
    )


def test_digits_tell_which_billers_they_may_belong_to() -> None:
    sixteen = {b.id for b in BOOK.candidates("0319001200345678")}
    assert sixteen == {"gz-electricity", "sh-cable_tv"}
    assert {"bj-electricity", "sh-electricity"} <= {b.id for b in BOOK.candidates("3100456712")}
    assert BOOK.candidates("123") == ()
    assert BOOK.candidates("３１００４５６７１２") == ()  # full-width digits are normalised before, not here


def test_nobody_outside_the_catalogue_is_a_biller() -> None:
    with pytest.raises(UnknownBiller):
        BOOK.biller("my-nephew")


def test_a_telephone_number_tells_its_city() -> None:
    city = BOOK.city_of_phone("02155503333")
    assert city is not None
    assert city.name["zh"] == "上海"
    assert BOOK.city_of_phone("13800000000") is None


@pytest.mark.parametrize(
    ("arrears", "due", "paid", "fee"),
    [
        (12_345, date(2026, 2, 18), date(2026, 3, 10), 247),  # 20 days: 246.9 fen, rounded once
        (12_345, date(2026, 2, 18), date(2026, 2, 18), None),  # on the day: in time
        (12_345, date(2026, 2, 18), date(2026, 2, 19), 100),  # 12 fen: charged as one yuan
        (100_000, date(2026, 2, 18), date(2026, 2, 19), 100),  # exactly one yuan
        (100_500, date(2026, 2, 18), date(2026, 2, 19), 101),  # 100.5 fen: half a fen goes up
        (0, date(2026, 2, 18), date(2026, 3, 10), None),
    ],
)
def test_the_late_fee_follows_its_rule(arrears: int, due: date, paid: date, fee: int | None) -> None:
    found = BOOK.late_fee(Utility.ELECTRICITY, Money(arrears), due, paid)
    assert (found.amount.fen if found else None) == fee


def test_no_fee_is_invented_where_no_rule_is_known() -> None:
    long_late = (Money(12_345), date(2026, 2, 18), date(2026, 3, 10))
    assert BOOK.late_fee(Utility.WATER, *long_late) is None


def copy_with(tmp_path: Path, file: str, old: str, new: str) -> Path:
    for name in ("billers.yml", "rules.yml"):
        shutil.copy(catalogue.HERE / name, tmp_path)
    text = (tmp_path / file).read_text("utf-8")
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1), "utf-8")
    return tmp_path


def test_a_newer_rule_takes_over_on_its_day(tmp_path: Path) -> None:
    newer = """rules:
  - rule: late_fee.electricity.resident
    value: {per_day: "0.0005", minimum_fen: 0}
    effective_from: 2026-03-01
    source: an invented notice for this test
    status: illustration
"""
    book = catalogue.load(copy_with(tmp_path, "rules.yml", "rules:\n", newer))
    late = (Utility.ELECTRICITY, Money(10_000), date(2026, 2, 18))
    before = book.late_fee(*late, date(2026, 2, 28))
    after = book.late_fee(*late, date(2026, 3, 10))
    assert before is not None
    assert after is not None
    assert (before.amount, before.rate) == (Money(100), "0.1%")
    assert (after.amount, after.rate) == (Money(100), "0.05%")
    assert after.rule_version.endswith("@2026-03-01")


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("rules.yml", "    effective_from: 1996-10-08\n", "", "rules.0.effective_from"),
        ("rules.yml", "effective_from: 1996-10-08", "effective_from: soon", "rules.0.effective_from"),
        ("rules.yml", "status: illustration", "status: certain", "rules.0.status"),
        ("rules.yml", '{per_day: "0.001", minimum_fen: 100}', "{per_day: some}", "late_fee.electricity"),
        ("billers.yml", "    city: beijing\n", "    city: atlantis\n", "bj-electricity"),
        ("billers.yml", 'example: "1100000018"', 'example: "110"', "bj-electricity"),
        ("billers.yml", "id: bj-water", "id: bj-electricity", "bj-electricity"),
        ("billers.yml", "prepaid: true", "pre_paid: true", "billers.0.pre_paid"),
        ("billers.yml", "{zh: 京城电力, en: Jingcheng Power}", "{zh: 京城电力}", "billers.0.name"),
        ("billers.yml", "pattern: '[0-9]{10}'", "pattern: '[0-9'", "billers.0.form"),
        ("billers.yml", "billers:", "billers: [", "yaml"),
    ],
)
def test_a_wrong_row_is_refused_by_file_and_place(
    tmp_path: Path, file: str, old: str, new: str, told: str
) -> None:
    with pytest.raises(CatalogueError, match=f"{file}: .*{told}"):
        catalogue.load(copy_with(tmp_path, file, old, new))


def test_a_rule_needs_its_source(tmp_path: Path) -> None:
    text = (catalogue.HERE / "rules.yml").read_text("utf-8").splitlines(keepends=True)
    without = "".join(line for line in text if "source:" not in line)
    shutil.copy(catalogue.HERE / "billers.yml", tmp_path)
    (tmp_path / "rules.yml").write_text(without, "utf-8")
    with pytest.raises(CatalogueError, match=r"rules\.0\.source"):
        catalogue.load(tmp_path)
