"""The drawer of account numbers: each sealed in its row, found by its blind index. The gate is `access`, not this."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data.ids import AccountId, BillerId, PersonId, fresh
from data.model import Account, Utility
from data.store.engine import Tx
from data.store.people import accounts

_PLACE = "accounts"  # of the blind index

# What `opened` must be given of a row, for whoever reads many accounts at once.
COLUMNS = (
    accounts.c.id,
    accounts.c.biller,
    accounts.c.utility,
    accounts.c.number,
    accounts.c.holder,
    accounts.c.holder_masked,
)


def add_account(tx: Tx, account: Account, at: datetime) -> AccountId:
    """Keeps an account and gives its id: the one it already has when biller and number are known.

    A holder is filled in where none was known, and never replaced.
    """
    account_id = account.id or AccountId(fresh("acc"))
    index = _index(tx, account.biller, account.number)
    _found_anew(tx, account.biller, account.number)
    new = tx.put_new(
        accounts,
        id=account_id,
        biller=account.biller,
        utility=account.utility.value,
        number=tx.seal.seal("accounts.number", account_id, account.number),
        number_ix=index,
        holder=account.holder,
        holder_masked=account.holder_masked,
        created_at=at,
    )
    if new:
        return account_id
    known = sa.and_(accounts.c.biller == account.biller, accounts.c.number_ix == index)
    if account.holder is not None:  # somebody typed the number before its holder was enrolled
        unheld = sa.and_(known, accounts.c.holder.is_(None))
        tx.conn.execute(accounts.update().where(unheld).values(holder=account.holder))
    return AccountId(tx.conn.execute(sa.select(accounts.c.id).where(known)).scalar_one())


def find_account(tx: Tx, biller: BillerId, number: str) -> AccountId | None:
    """The id of a number, found without opening any; None when we do not know it. Says nothing about access."""
    known = tx.seal.blinds(_PLACE, biller, number)
    same = sa.and_(accounts.c.biller == biller, accounts.c.number_ix.in_(known))
    found = tx.conn.scalar(sa.select(accounts.c.id).where(same))
    return None if found is None else AccountId(found)


def opened(tx: Tx, row: Any) -> Account:
    """A row of accounts as the account, its number unsealed. Only for those the gate has let through."""
    return Account(
        id=AccountId(row.id),
        biller=BillerId(row.biller),
        utility=Utility(row.utility),
        number=tx.seal.open("accounts.number", row.id, row.number),
        holder=PersonId(row.holder) if row.holder else None,
        holder_masked=row.holder_masked,
    )


def _index(tx: Tx, biller: BillerId, number: str) -> bytes:
    return tx.seal.blind(_PLACE, biller, number)


def _found_anew(tx: Tx, biller: BillerId, number: str) -> None:
    """While the secret is being changed: a number known under the key before must not come in twice."""
    if older := tx.seal.older(_PLACE, biller, number):
        known = sa.and_(accounts.c.biller == biller, accounts.c.number_ix.in_(older))
        tx.conn.execute(accounts.update().where(known).values(number_ix=_index(tx, biller, number)))
