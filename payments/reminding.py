"""A meter or bill nobody pays by itself: whoever looks after it hears in time, and is not nagged.

Of a meter by how long it still lasts, once an episode; of a bill once some days before it is due and once on the day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data.clock import shanghai
from data.ids import AccountId, PersonId
from data.model import Account, May, Quote
from data.store.engine import Tx
from data.store.mandates import mandates as mandates_table
from data.store.people import saved_accounts
from payments import forecast, mandates, states, warnings
from payments.authority import access
from payments.debiting import Round
from payments.forecast import Lasting
from payments.notices import notice
from payments.readings import Reading

LOW, SOON_DARK, BILL_DUE = "low_balance", "low_balance_urgent", "bill_due"
_KINDS = frozenset({LOW, SOON_DARK})


def look(hand: Round, account: Account, reading: Reading) -> None:
    """Reminds when the meter is low for want of an automatic payment; lets the reminder rest when it no longer is."""
    lasts = forecast.of(hand.tx, account.id)
    if not _is_low(hand, reading, lasts):
        warnings.over(hand.tx, account.id, hand.at, _KINDS)
        return
    kind = SOON_DARK if lasts is not None and lasts.urgent else LOW
    told = warnings.is_open(hand.tx, account.id, kind) or (
        kind == LOW and warnings.is_open(hand.tx, account.id, SOON_DARK)
    )
    first = watchers(hand.tx, account, hand.at)
    if told or not first:
        return
    before = mandates.live_at(hand.tx, account.id) or mandates.last_ended(hand.tx, account.id)
    body = {
        "biller": account.biller,
        "holder": account.holder,
        "balance_fen": reading.balance.fen,
        "read_at": reading.at.isoformat(),
        "mandate": before.id if before else None,
        "mandate_state": before.state.value if before else None,
        **forecast.told(lasts),
    }
    warnings.warn(
        hand.tx,
        kind=kind,
        news=LOW,
        account=account.id,
        cause=f"{kind}:{account.id}:{reading.at.isoformat()}",
        first=first,
        body=body,
        at=hand.at,
    )


def look_at_bill(hand: Round, account: Account, quote: Quote) -> None:
    """A bill nobody pays by itself: told once some days before it is due, and once on the day; never climbing, never again."""
    if not quote.due or quote.due_date is None or states.open_at(hand.tx, account.id) is not None:
        return
    left = (quote.due_date - shanghai(hand.at).date()).days
    if not 0 <= left <= hand.limits.remind_bill_days:
        return
    when = "before" if left else "today"
    body = {
        "account": account.id,
        "biller": account.biller,
        "holder": account.holder,
        "amount_fen": quote.due.fen,
        "due_date": quote.due_date.isoformat(),
        "today": left == 0,
        "read_at": hand.at.isoformat(),
    }
    for person in watchers(hand.tx, account, hand.at):
        notice(hand.tx, person, BILL_DUE, f"{account.id}:{quote.due_date}:{when}", body, hand.at)


def _is_low(hand: Round, reading: Reading, lasts: Lasting | None) -> bool:
    if lasts is None:
        return reading.balance < hand.limits.remind_below
    return lasts.days <= hand.limits.remind_days


def watchers(tx: Tx, account: Account, at: datetime) -> list[PersonId]:
    """Who is told of this account first: those its holder lets hear of it; without any, the holder."""
    if account.holder is None:
        return []
    return first_told(account.holder, access.takers_of(tx, [account.holder], May.NOTICES, at))


def first_told(holder: PersonId, hearing: Mapping[PersonId, list[PersonId]]) -> list[PersonId]:
    """The same for who knows already whom the holders let hear."""
    return hearing.get(holder) or [holder]


def is_watched(tx: Tx, account: Account, at: datetime) -> bool:
    """Whether somebody keeps it, or let it be paid by itself, who may hear of it: its holder, or one he lets hear of it."""
    if account.holder is None:
        return False
    keepers = {PersonId(p) for p in tx.conn.scalars(_keepers(account.id))}
    return bool(keepers & {account.holder, *watchers(tx, account, at)})


def _keepers(account: AccountId) -> sa.CompoundSelect[Any]:
    agreed = sa.and_(mandates_table.c.account == account, mandates_table.c.active_at.is_not(None))
    return sa.union(
        sa.select(saved_accounts.c.person).where(saved_accounts.c.account == account),
        sa.select(mandates_table.c.payer).where(agreed),
    )
