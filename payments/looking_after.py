"""Why the round may read an account at this moment, how often, and the line in the book that says so (L13).

A meter or bill is read for whoever has a live agreement about it, or for those its holder lets hear of it, and for no
other reason. A line of kind "looked_after" once a day names for whom; it is no `data_read`: nobody saw anything.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.catalogue import Catalogue
from data.clock import shanghai
from data.ids import AccountId, PersonId
from data.model import Account, May
from data.store import journal
from data.store.engine import Tx
from data.store.mandates import looks, mandates, month_use
from payments import reminding
from payments.authority import access
from payments.mandates import LIVE, Mandate, live_at
from payments.opening import till_account
from payments.quoting import last_quote

_DAY_BEGINS, _DAY_ENDS = 8, 21  # between them people are told things (L12): a bill read at night helps nobody
_AGAIN = timedelta(hours=1)  # a bill that could not be read
_USE_AGES = timedelta(days=30)
_USE_AGAIN = timedelta(days=1)


def for_whom(tx: Tx, account: Account, held: Mandate | None, at: datetime) -> tuple[PersonId, str] | None:
    """On whose behalf the account may be read now, and by which right; None: it may not."""
    if held is not None and held.state in LIVE:
        return held.payer, "mandate"
    if not reminding.is_watched(tx, account, at):
        return None
    first = reminding.watchers(tx, account, at)[0]
    return first, "own" if first == account.holder else May.NOTICES.value


def note(tx: Tx, account: Account, whom: PersonId, why: str, at: datetime) -> None:
    """One line for each account and day of Shanghai, however often the round comes by."""
    today = shanghai(at).date()
    if _of(tx, account.id, "noted_on") == today:
        return
    _set(tx, account.id, noted_on=today)
    journal.record_many(tx, [line(account, whom, why, at)])


def line(account: Account, whom: PersonId, why: str, at: datetime) -> journal.Line:
    """The line itself, for one account."""
    return journal.Line("looked_after", account.holder or whom, whom, account.id, at, {"reason": why})


def set_of_many(tx: Tx, accounts: Collection[AccountId], **columns: Any) -> None:
    """The same column for many accounts of a page."""
    if not accounts:
        return
    theirs = sa.update(looks).where(looks.c.account.in_(accounts)).values(**columns)
    if tx.conn.execute(theirs).rowcount < len(accounts):  # on its first day an account has no row
        tx.put_many_new(looks, [{"account": account} for account in accounts])
        tx.conn.execute(theirs)


# --- bills nobody pays by themselves ---------------------------------------------------------------------------------


def is_meter(tx: Tx, account: Account, catalogue: Catalogue) -> bool:
    """Whether it is paid before: as its biller said last, else as it usually is."""
    told = last_quote(tx, account.id)
    return told.quote.prepaid if told else catalogue.biller(account.biller).prepaid


def bill_may_be_read(tx: Tx, account: AccountId, at: datetime) -> bool:
    """Once a day, and by day: what it says is told at once or not at all."""
    return bill_is_due(_of(tx, account, "bill_next"), at)


def bill_is_due(known: datetime | None, at: datetime) -> bool:
    """The same for who knows already when it may be read again (None: at any time)."""
    return _DAY_BEGINS <= shanghai(at).hour < _DAY_ENDS and (known is None or known <= at)


def bill_asked(tx: Tx, account: AccountId, at: datetime, *, answered: bool) -> None:
    """It was asked: again tomorrow morning, or in an hour when no answer came."""
    _set(tx, account, bill_next=bill_again(at, answered=answered))


def bill_again(at: datetime, *, answered: bool) -> datetime:
    """When a bill that was just asked for may be read again."""
    tomorrow = (shanghai(at) + timedelta(days=1)).replace(hour=_DAY_BEGINS, minute=0, second=0, microsecond=0)
    return tomorrow.astimezone(at.tzinfo) if answered else at + _AGAIN


# --- what earlier months used -----------------------------------------------------------------------------------------


def use_to_ask(tx: Tx, at: datetime) -> Account | None:
    """An account paid by itself whose use of earlier months was told longer than a month ago; asked at most daily."""
    told = (
        sa.select(month_use.c.account, sa.func.max(month_use.c.told_at).label("told_at"))
        .group_by(month_use.c.account)
        .subquery()
    )
    query = (
        sa.select(mandates.c.account)
        .join(told, told.c.account == mandates.c.account)
        .outerjoin(looks, looks.c.account == mandates.c.account)
        .where(
            mandates.c.state == "active",
            told.c.told_at <= at - _USE_AGES,
            sa.or_(looks.c.use_next.is_(None), looks.c.use_next <= at),
        )
        .order_by(told.c.told_at, mandates.c.account)
    )
    for account in tx.conn.scalars(query).all():
        held = live_at(tx, AccountId(account))
        if held is not None and access.may(tx, held.payer, May.MANDATE, held.account, at):
            found = till_account(tx, held.account)
            note(tx, found, held.payer, "mandate", at)
            _set(tx, held.account, use_next=at + _USE_AGAIN)
            return found
    return None


# --- rows -------------------------------------------------------------------------------------------------------------


def _of(tx: Tx, account: AccountId, column: str) -> Any:
    return tx.conn.scalar(sa.select(looks.c[column]).where(looks.c.account == account))


def _set(tx: Tx, account: AccountId, **columns: Any) -> None:
    if not tx.put_new(looks, account=account, **columns):
        tx.conn.execute(sa.update(looks).where(looks.c.account == account).values(**columns))
