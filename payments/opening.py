"""The account and the purse of a payment that was confirmed, opened for the counterparties and for nobody else.

Permission was checked where the act was confirmed; whoever shows an account to a person asks `authority.access`.
"""

from __future__ import annotations

import sqlalchemy as sa

from data.ids import AccountId
from data.model import Account
from data.store import people as tables
from data.store.engine import Tx
from payments.authority import access, numbers
from payments.states import Payment

_ACCOUNT = sa.select(tables.accounts).where(tables.accounts.c.id == sa.bindparam("account"))


def till_account(tx: Tx, account: AccountId) -> Account:
    """The account with its number."""
    row = tx.conn.execute(_ACCOUNT, {"account": account}).one()
    return numbers.opened(tx, row)


def purse_token(tx: Tx, payment: Payment) -> str:
    """The rail's token of the purse that pays; empty for a page."""
    if payment.instrument is None:
        return ""
    purse = access.instrument(tx, payment.instrument)
    # A purse taken away after the yes declines at the rail; it is never replaced by another.
    return purse.token if purse is not None and purse.owner == payment.payer else ""
