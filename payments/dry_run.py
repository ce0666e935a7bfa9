"""What an automatic top-up would have done last year: tried out day by day before anybody agrees to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from data.model import MonthUse
from data.money import ZERO, Money
from payments.terms import DryRun, MandateKind, Terms

START = Money(5_000)  # the meter begins with 50 yuan; where it begins hardly changes the count of a year


def dry_run(terms: Terms, use: Iterable[MonthUse], start: Money = START) -> DryRun | None:
    """The terms over these months, each month's use spread evenly over its days; None where no use is known.

    A bill debit would have been made once for each month with use, up to its caps.
    """
    months = sorted(use, key=lambda m: m.month)
    if not months:
        return None
    if terms.kind is MandateKind.BILL_DEBIT:
        return _bills(terms, months)
    assert terms.below is not None
    assert terms.amount is not None
    return _meter(terms, months, start, terms.below, terms.amount)


def _bills(terms: Terms, months: list[MonthUse]) -> DryRun:
    due = [m.used for m in months if m.used]
    paid = [d for d in due if d <= terms.per_charge and d <= terms.per_month]
    total = Money(sum(d.fen for d in paid))
    return DryRun(len(paid), total, 1 if paid else 0, len(due) - len(paid))


def _meter(terms: Terms, months: list[MonthUse], start: Money, below: Money, amount: Money) -> DryRun:
    balance, capped = start, 0
    times: Counter[date] = Counter()
    for day, used in _days(months):
        balance -= used
        month = day.replace(day=1)
        charged_today = 0
        while balance < below and charged_today < terms.per_day:
            if (times[month] + 1) * amount.fen > terms.per_month.fen:
                capped += 1
                break
            balance += amount
            times[month] += 1
            charged_today += 1
    count = times.total()
    return DryRun(count, amount * count, max(times.values(), default=0), capped)


def _days(months: list[MonthUse]) -> Iterator[tuple[date, Money]]:
    """Every day with its use; the fen that do not divide fall on the days evenly, and the month's sum is exact."""
    for month in months:
        first = month.month.replace(day=1)
        days = ((first + timedelta(days=32)).replace(day=1) - first).days
        so_far = ZERO
        for n in range(1, days + 1):
            until = Money(month.used.fen * n // days)
            yield first + timedelta(days=n - 1), until - so_far
            so_far = until
