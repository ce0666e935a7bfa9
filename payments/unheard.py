"""The exceptions of the rounds: accounts whose meter or bill could not be read, since when, and when they are tried again.

Nothing is written about an account that answers as ever. So being heard of costs no row, and only silence does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.ids import AccountId, BillerId
from data.store.engine import Tx
from data.store.mandates import biller_paces, sweeps, unheard

_LEASE = timedelta(minutes=2)  # whoever took some up and died lets them go after this


@dataclass(frozen=True, slots=True)
class Missed:
    """One account that was not heard of, and when it is to be asked again."""

    account: AccountId
    biller: BillerId
    again_at: datetime


def since(tx: Tx, account: AccountId) -> tuple[bool, datetime | None]:
    """Whether an account is not heard of, and when it last was (None: by no round)."""
    row = tx.conn.execute(sa.select(unheard.c.since).where(unheard.c.account == account)).first()
    return (False, None) if row is None else (True, row.since)


def missed(tx: Tx, accounts: Iterable[Missed], last_heard: datetime | None) -> None:
    """Writes down who was not heard of; who is there already keeps since when."""
    ones = list(accounts)
    tx.put_many_new(unheard, [_row(one, last_heard) for one in ones])
    if ones:
        tx.conn.execute(_TRIED, [{"of_account": one.account, "then": one.again_at} for one in ones])


def heard(tx: Tx, accounts: Collection[AccountId]) -> None:
    """They were heard of again."""
    if accounts:
        tx.conn.execute(sa.delete(unheard).where(unheard.c.account.in_(accounts)))


def take_up(tx: Tx, at: datetime, limit: int) -> list[AccountId]:
    """Some whose time has come, the longest waiting first; for two minutes nobody else takes them.

    Those of a biller that rests are left where they are, however many: one question shows whether it answers again.
    """
    awake = sa.or_(biller_paces.c.rests_until.is_(None), biller_paces.c.rests_until <= at)
    billers = list(tx.conn.scalars(sa.select(biller_paces.c.biller).where(awake)))
    due = sa.select(unheard.c.account).where(unheard.c.biller.in_(billers), unheard.c.again_at <= at)
    due = due.order_by(unheard.c.again_at, unheard.c.account).limit(limit)
    found = [AccountId(a) for a in tx.conn.scalars(due.with_for_update(skip_locked=True))]
    if found:
        mine = unheard.c.account.in_(found)
        tx.conn.execute(sa.update(unheard).where(mine).values(again_at=at + _LEASE))
    return sorted(found)


def last_heard(tx: Tx) -> datetime | None:
    """Since when everybody was heard of who is not an exception: the start of the last whole round; None: of none."""
    row = tx.conn.execute(sa.select(sweeps).order_by(sweeps.c.seq.desc()).limit(1)).first()
    if row is None:
        return None
    heard: datetime | None = row.started_at if row.finished_at is not None else row.heard_at
    return heard


def _row(one: Missed, last_heard: datetime | None) -> dict[str, Any]:
    return {
        "account": one.account,
        "biller": one.biller,
        "since": last_heard,
        "again_at": one.again_at,
        "tries": 0,
    }


_TRIED = (
    sa.update(unheard)
    .where(unheard.c.account == sa.bindparam("of_account"))
    .values(again_at=sa.bindparam("then"), tries=unheard.c.tries + 1)
)
