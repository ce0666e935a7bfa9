"""Rules of the trade with the day they came into force and where that is written; they explain, the biller decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from types import MappingProxyType

from data.catalogue.rows import CatalogueError, RuleRow
from data.model import BillLine
from data.money import Money


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of a rule. "illustration" = not confirmed at its source: it may explain, never decide (settled 13)."""

    id: str
    value: Mapping[str, str | int]
    effective_from: date
    source: str
    status: str

    @property
    def version(self) -> str:
        """What a receipt or an audit row names: the rule and the day of its version."""
        return f"{self.id}@{self.effective_from.isoformat()}"


@dataclass(frozen=True, slots=True)
class LateFee:
    """What being late costs: `days` from the day after the due date to the day of payment, both counted."""

    amount: Money
    days: int
    rate: str
    rule_version: str

    def line(self) -> BillLine:
        """The fee as its own line of a bill."""
        return BillLine("late_fee", self.amount, self.days, self.rate, self.rule_version)


def rule_from(file: Path, row: RuleRow) -> Rule:
    """A rule from its row. Raises CatalogueError for a late-fee rate that is no number."""
    if row.rule.startswith("late_fee."):
        try:
            Decimal(str(row.value["per_day"]))
        except (KeyError, InvalidOperation):
            raise CatalogueError(file, row.rule, "a late fee needs per_day, e.g. 0.001") from None
    return Rule(row.rule, MappingProxyType(dict(row.value)), row.effective_from, row.source, row.status)


def late_fee(rule: Rule, arrears: Money, since: date, on: date) -> LateFee | None:
    """The fee under one rule; None when nothing is owed or `on` is not after `since`."""
    days = (on - since).days
    if days <= 0 or arrears.fen <= 0:
        return None
    per_day = Decimal(str(rule.value["per_day"]))
    # Rounded once, over the whole time: rounding day by day would drift from the biller's figure.
    exact = (arrears.fen * per_day * days).quantize(Decimal(1), ROUND_HALF_UP)
    amount = Money(max(int(exact), int(rule.value.get("minimum_fen", 0))))
    return LateFee(amount, days, f"{(per_day * 100).normalize():f}%", rule.version)
