"""How many days a meter still lasts: from what its biller says and from what we saw it use, with an honest range."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from data.ids import AccountId
from data.money import Money
from data.store.engine import Tx
from payments import readings
from payments.readings import Reading

_MANY = 40
_WINDOW = timedelta(days=14)
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Lasting:
    """Whole days, rounded down. `days` at the biller's rate (else at the one seen), `low` to `high` at all rates known."""

    days: int
    low: int
    high: int

    @property
    def urgent(self) -> bool:
        """Whether it may be dark within a day."""
        return self.low < 1


def lasting(balance: Money, *daily: Money | None) -> Lasting | None:
    """The forecast at these daily uses, the first known one leading; None where nothing is known of the use."""
    rates = [d.fen for d in daily if d is not None and d.fen > 0]
    if not rates:
        return None
    left = max(balance.fen, 0)
    days = [left // rate for rate in rates]
    return Lasting(days[0], min(days), max(days))


def of(tx: Tx, account: AccountId) -> Lasting | None:
    """The forecast for a meter from its last readings; None where nothing is known."""
    last = readings.latest(tx, account, _MANY)
    if not last:
        return None
    return lasting(last[0].balance, last[0].daily_use, seen_daily(last))


def seen_daily(newest_first: list[Reading]) -> Money | None:
    """What a day used by our own readings of the last two weeks, top-ups left out; None for less than a day of them."""
    since = newest_first[0].at - _WINDOW if newest_first else None
    used, span = 0, timedelta(0)
    for later, earlier in pairwise(newest_first):
        if since is None or earlier.at < since or later.balance > earlier.balance:
            continue
        used += earlier.balance.fen - later.balance.fen
        span += later.at - earlier.at
    return Money(int(used / (span / _A_DAY))) if span >= _A_DAY and used else None


def told(lasts: Lasting | None) -> dict[str, int | bool | None]:
    """The forecast as facts of a piece of news."""
    if lasts is None:
        return {"days_left": None, "days_low": None, "days_high": None, "urgent": False}
    return {
        "days_left": lasts.days,
        "days_low": lasts.low,
        "days_high": lasts.high,
        "urgent": lasts.urgent,
    }
