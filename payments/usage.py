"""What an account used in earlier months, as its biller told it: for trying terms out, and for noticing what is unusual."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import sqlalchemy as sa

from data.clock import shanghai
from data.ids import AccountId
from data.model import MonthUse
from data.money import Money
from data.store.engine import Tx
from data.store.mandates import month_use


def keep_use(tx: Tx, account: AccountId, use: Iterable[MonthUse], at: datetime) -> None:
    """Writes down what the biller told; a month told anew replaces what was told before."""
    for month in use:
        key = {"account": account, "month": month.month.replace(day=1)}
        if not tx.put_new(month_use, **key, used_fen=month.used.fen, told_at=at):
            same = sa.and_(month_use.c.account == account, month_use.c.month == key["month"])
            tx.conn.execute(sa.update(month_use).where(same).values(used_fen=month.used.fen, told_at=at))


def use_of(tx: Tx, account: AccountId, at: datetime) -> list[MonthUse]:
    """The twelve whole months before that of `at`, as far as they were told, the oldest first."""
    this = shanghai(at).date().replace(day=1)
    query = sa.select(month_use.c.month, month_use.c.used_fen).where(
        month_use.c.account == account,
        month_use.c.month >= this.replace(year=this.year - 1),
        month_use.c.month < this,
    )
    return [
        MonthUse(row.month, Money(row.used_fen)) for row in tx.conn.execute(query.order_by(month_use.c.month))
    ]


def same_month_last_year(tx: Tx, account: AccountId, day: date) -> Money | None:
    """What the account used in this calendar month a year ago; None when nobody told."""
    month = day.replace(day=1)
    wanted = sa.select(month_use.c.used_fen).where(
        month_use.c.account == account, month_use.c.month == month.replace(year=month.year - 1)
    )
    fen = tx.conn.scalar(wanted)
    return None if fen is None else Money(fen)
