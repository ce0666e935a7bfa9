"""What a meter said, and whether it is news: a reading that comes late, twice, or from before the last top-up is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from data.ids import AccountId
from data.money import Money
from data.store.engine import Tx
from data.store.mandates import readings
from data.store.payments import payments
from payments.quoting import last_quote

# So long a balance to the fen as before a top-up is taken for the old reading coming again.
ECHO = timedelta(hours=72)
_FRESH = timedelta(hours=24)  # a quote of the talk this old still says how the meter stands


class Taken(StrEnum):
    """What a reading was."""

    NEW = "new"
    REPEATED = "repeated"  # the same balance as last: the meter is heard of, and nothing has changed
    STALE = "stale"  # late, or from before the last top-up: it says nothing


@dataclass(frozen=True, slots=True)
class Reading:
    """What a meter said and when."""

    account: AccountId
    at: datetime
    balance: Money
    daily_use: Money | None
    received_at: datetime


def newest(tx: Tx, account: AccountId) -> Reading | None:
    """The last reading of an account."""
    return next(iter(latest(tx, account, 1)), None)


def latest(tx: Tx, account: AccountId, limit: int) -> list[Reading]:
    """The last readings of an account, the newest first."""
    query = sa.select(readings).where(readings.c.account == account)
    return [_reading(r) for r in tx.conn.execute(query.order_by(readings.c.at.desc()).limit(limit))]


def at(tx: Tx, account: AccountId, when: datetime) -> Reading | None:
    """The reading of this very instant."""
    same = sa.and_(readings.c.account == account, readings.c.at == when)
    row = tx.conn.execute(sa.select(readings).where(same)).one_or_none()
    return None if row is None else _reading(row)


def take(
    tx: Tx, account: AccountId, balance: Money, daily_use: Money | None, at: datetime, received_at: datetime
) -> Taken:
    """Writes a reading down when it says something new. `at` is when the meter was asked."""
    tx.alone(f"meter:{account}")
    last = newest(tx, account)
    if last is not None and at <= last.at:
        return Taken.STALE
    if last is not None and balance == last.balance:
        values = {"received_at": received_at, "daily_use_fen": daily_use.fen if daily_use else None}
        same = sa.and_(readings.c.account == account, readings.c.at == last.at)
        tx.conn.execute(sa.update(readings).where(same).values(**values))
        return Taken.REPEATED
    if _echo(tx, account, balance, at):
        return Taken.STALE
    _write(tx, Reading(account, at, balance, daily_use, received_at))
    return Taken.NEW


def remember_quote(tx: Tx, account: AccountId, at: datetime) -> None:
    """What a talk just heard of the meter counts as read: agreeing to a top-up acts on what comes after it."""
    told = last_quote(tx, account)
    if told is None or told.quote.balance is None or told.created_at < at - _FRESH:
        return
    take(tx, account, told.quote.balance, told.quote.daily_use, told.created_at, told.created_at)


def _echo(tx: Tx, account: AccountId, balance: Money, at: datetime) -> bool:
    """The same balance to the fen as one from before the last top-up: that reading again, under a new date."""
    topped_up = tx.conn.scalar(
        sa.select(sa.func.max(payments.c.posted_at)).where(
            payments.c.account == account, payments.c.state == "settled"
        )
    )
    if topped_up is None:
        return False
    before = sa.and_(
        readings.c.account == account,
        readings.c.balance_fen == balance.fen,
        readings.c.at <= topped_up,
        readings.c.at > at - ECHO,
    )
    return bool(tx.conn.scalar(sa.select(sa.exists().where(before))))


def write_many(tx: Tx, new: Iterable[Reading]) -> None:
    """Keeps what many meters said; one that is kept already stays as it is."""
    tx.put_many_new(readings, [_row(one) for one in new])


def _write(tx: Tx, reading: Reading) -> None:
    tx.conn.execute(sa.insert(readings).values(**_row(reading)))


def _row(reading: Reading) -> dict[str, Any]:
    return {
        "account": reading.account,
        "at": reading.at,
        "balance_fen": reading.balance.fen,
        "daily_use_fen": reading.daily_use.fen if reading.daily_use else None,
        "received_at": reading.received_at,
    }


def _reading(row: sa.Row[Any]) -> Reading:
    return Reading(
        AccountId(row.account),
        row.at,
        Money(row.balance_fen),
        None if row.daily_use_fen is None else Money(row.daily_use_fen),
        row.received_at,
    )
