"""Automatic payments as they may be told: which there are, what they spent, what hinders them, and why each charge was made."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.ids import AccountId, PaymentId, PersonId
from data.model import May
from data.money import Money
from data.store.engine import Tx
from data.store.mandates import debits, mandates
from data.store.payments import payments
from data.store.people import accounts
from payments import readings
from payments.authority import access
from payments.mandates import (
    Mandate,
    agreed_on,
    is_live,
    lapsed_of,
    live_at,
    of_row,
    read,
    spent_this_month,
)
from payments.opening import till_account
from payments.rising import terms_at
from payments.terms import Charge, MandateView

_LATELY = timedelta(days=31)  # so long one that ended by itself is still told of


def view(tx: Tx, mandate: Mandate, at: datetime) -> MandateView:
    """A mandate as it may be told to its payer and to the account's holder."""
    account = till_account(tx, mandate.account)
    times, money = spent_this_month(tx, mandate, at)
    return MandateView(
        id=mandate.id,
        state=mandate.state,
        terms=mandate.terms,
        biller=mandate.biller,
        utility=account.utility,
        tail=account.tail,
        holder=account.holder,
        holder_masked=account.holder_masked,
        payer=mandate.payer,
        instrument=mandate.instrument,
        active_at=mandate.active_at,
        reason=mandate.reason,
        spent_this_month=money,
        times_this_month=times,
        counting=terms_at(tx, mandate, at),
        hindered=_hindered(tx, mandate, at),
    )


def _hindered(tx: Tx, mandate: Mandate, at: datetime) -> str | None:
    """What would keep it from paying, before a round over all accounts has found that out."""
    if access.may(tx, mandate.payer, May.MANDATE, mandate.account, at) is None:
        return "no_permission"
    kept = any(i.id == mandate.instrument for i in access.instruments_of(tx, mandate.payer))
    return None if kept else "no_purse"


def views_of(tx: Tx, person: PersonId, at: datetime) -> list[MandateView]:
    """The live mandates a person pays for, then those on his own accounts that somebody else pays for."""
    query = sa.select(mandates).join(accounts, accounts.c.id == mandates.c.account)
    mine = sa.or_(mandates.c.payer == person, accounts.c.holder == person)
    rows = tx.conn.execute(
        query.where(mine, is_live()).order_by(mandates.c.payer != person, mandates.c.created_at)
    )
    return [view(tx, of_row(row), at) for row in rows]


def view_at(tx: Tx, account: AccountId, at: datetime) -> MandateView | None:
    """The live mandate of an account."""
    found = live_at(tx, account)
    return None if found is None else view(tx, found, at)


def lapsed_views(tx: Tx, payer: PersonId, at: datetime) -> list[MandateView]:
    """Those of a payer that ended by themselves lately and were not set up anew: silence would look like service."""
    return [view(tx, ended, at) for ended in lapsed_of(tx, payer, at - _LATELY)]


def charges(
    tx: Tx, at: datetime, person: PersonId | None = None, account: AccountId | None = None, limit: int = 10
) -> list[Charge]:
    """What was taken by itself, the newest first: of one account, or all this person pays for or holds."""
    query = (
        sa.select(
            payments.c.id, payments.c.created_at, payments.c.amount_fen, debits.c.mandate, debits.c.read_at
        )
        .join(debits, debits.c.payment == payments.c.id)
        .join(accounts, accounts.c.id == payments.c.account)
        .where(payments.c.captured_at.is_not(None), payments.c.created_at <= at)
    )
    if account is not None:
        query = query.where(payments.c.account == account)
    if person is not None:
        query = query.where(sa.or_(payments.c.payer == person, accounts.c.holder == person))
    rows = tx.conn.execute(query.order_by(payments.c.created_at.desc(), payments.c.id).limit(limit))
    return [_charge(tx, row) for row in rows]


def _charge(tx: Tx, row: Any) -> Charge:
    held = read(tx, row.mandate)
    assert held.active_at is not None, "only an agreed one charges"
    found = readings.at(tx, held.account, row.read_at) if row.read_at else None
    return Charge(
        payment=PaymentId(row.id),
        mandate=held.id,
        account=held.account,
        amount=Money(row.amount_fen),
        at=row.created_at,
        payer=held.payer,
        terms=held.terms,
        balance=found.balance if found else None,
        read_at=found.at if found else None,
        agreed_at=held.active_at,
        channel=agreed_on(tx, held),
    )
