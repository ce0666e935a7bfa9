"""Who may be paid, what their account numbers look like, and the dated rules that explain a bill.

Billers and rules are rows in YAML beside this file; adding one needs no code. The loader is strict: an unknown key, a
wrong example or a rule without its date and source is an error that names file and row, never a silent default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType

from data.catalogue.rows import BillerRow, BillersFile, CatalogueError, CityRow, RulesFile, read
from data.catalogue.rules import LateFee, Rule, late_fee, rule_from
from data.ids import BillerId
from data.model import AccountForm, AmountRule, Biller, Utility
from data.money import Money

HERE = Path(__file__).parent

__all__ = ["Catalogue", "CatalogueError", "City", "LateFee", "Rule", "UnknownBiller", "late_fee", "load"]


class UnknownBiller(KeyError):
    """Nobody of this id is in the catalogue, so nobody of this id can be paid (L9)."""


@dataclass(frozen=True, slots=True)
class City:
    """A city we serve; the area code is how a telephone number tells it."""

    id: str
    name: Mapping[str, str]
    area_code: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everybody who can be paid, and the rules in force."""

    cities: Mapping[str, City]
    rows: Mapping[BillerId, Biller]
    words: Mapping[Utility, Mapping[str, str]]  # what each utility's bill is called, by language
    rules: tuple[Rule, ...]

    def biller(self, biller: str) -> Biller:
        """The biller of this id. Raises UnknownBiller."""
        try:
            return self.rows[BillerId(biller)]
        except KeyError:
            raise UnknownBiller(biller) from None

    def billers(self, utility: Utility | str | None = None, city: str | None = None) -> tuple[Biller, ...]:
        """Billers of this utility and this city; None means any."""
        return tuple(
            b
            for b in self.rows.values()
            if (utility is None or b.utility == utility) and (city is None or b.city == city)
        )

    def candidates(self, digits: str) -> tuple[Biller, ...]:
        """Billers whose account form this run of digits fulfils; several cities share a length, so ask which."""
        return tuple(b for b in self.rows.values() if fits(b.form, digits))

    def rule(self, rule: str, on: date) -> Rule | None:
        """The newest version of a rule in force on that day (Shanghai), or None."""
        valid = [r for r in self.rules if r.id == rule and r.effective_from <= on]
        return max(valid, key=lambda r: r.effective_from, default=None)

    def late_fee(self, utility: Utility, arrears: Money, since: date, on: date) -> LateFee | None:
        """The fee for paying on `on` what was due on `since`; None when in time or no rule is known."""
        rule = self.rule(f"late_fee.{utility.value}.resident", on)
        return late_fee(rule, arrears, since, on) if rule else None

    def city_of_phone(self, phone: str) -> City | None:
        """The city whose area code this land line begins with."""
        return next((c for c in self.cities.values() if phone.startswith(c.area_code)), None)


def fits(form: AccountForm, digits: str) -> bool:
    """Whether these digits look like an account number of this form. No check digit: only the name check proves it."""
    return form.min_digits <= len(digits) <= form.max_digits and bool(re.fullmatch(form.pattern, digits))


@cache
def load(folder: Path = HERE) -> Catalogue:
    """Billers and rules of `folder`, read once a process. Raises CatalogueError naming file and row."""
    billers = read(folder / "billers.yml", BillersFile)
    rules = read(folder / "rules.yml", RulesFile)
    return Catalogue(
        cities=MappingProxyType({key: _city(key, row) for key, row in billers.cities.items()}),
        rows=MappingProxyType(_billers(folder / "billers.yml", billers)),
        words=MappingProxyType(billers.utilities),
        rules=tuple(rule_from(folder / "rules.yml", row) for row in rules.rules),
    )


def _city(key: str, row: CityRow) -> City:
    return City(key, row.name, row.area_code)


def _billers(file: Path, content: BillersFile) -> dict[BillerId, Biller]:
    found: dict[BillerId, Biller] = {}
    for row in content.billers:
        biller = _biller(row)
        if biller.id in found:
            raise CatalogueError(file, row.id, "the id is there twice")
        if biller.city not in content.cities:
            raise CatalogueError(file, row.id, f"city {biller.city!r} is not listed")
        if not fits(biller.form, biller.form.example):
            raise CatalogueError(file, row.id, "the example does not fit its own form")
        found[biller.id] = biller
    return found


def _biller(row: BillerRow) -> Biller:
    form, rule = row.form, row.rule
    return Biller(
        id=BillerId(row.id),
        name=row.name,
        utility=row.utility,
        city=row.city,
        form=AccountForm(form.name, form.pattern, form.min_digits, form.max_digits, form.example, form.where),
        rule=AmountRule(
            rule.exactness, Money(rule.minimum_fen), Money(rule.maximum_fen), Money(rule.step_fen)
        ),
        prepaid=row.prepaid,
        can_find_accounts=row.can_find_accounts,
    )
