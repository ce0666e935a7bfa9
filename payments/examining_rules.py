"""The doctor at what was agreed: one settlement a bill, caps, and money taken by itself."""

from __future__ import annotations

from collections import Counter
from typing import Any

import sqlalchemy as sa

from data.clock import shanghai
from data.ids import AccountId, BillerId, QuoteId
from data.model import Exactness
from data.store.engine import Tx
from data.store.mandates import debits, mandates
from data.store.payments import acts, payments, quotes
from data.store.people import grants
from payments import invariants_of_mandates
from payments.examining import Found, Look, Room, next_key
from payments.limits import GIVEN_BACK, spent_under
from payments.quoting import quote_of

_ACCOUNTS = 50  # of one page: each may have years of payments


def bills_page(tx: Tx, room: Room, after: str) -> tuple[list[Found], str | None]:
    """Accounts with several settled payments: never two of one bill."""
    settled = sa.and_(payments.c.state == "settled", payments.c.account > after)
    several = sa.select(payments.c.account).where(settled).group_by(payments.c.account)
    several = several.having(sa.func.count() > 1).order_by(payments.c.account).limit(_ACCOUNTS)
    rows = list(tx.conn.execute(several))
    found: list[Found] = []
    for row in rows:
        found += [("M-I2", p) for p in _twice(tx, row.account)]
    return found, next_key(rows, lambda row: row.account, _ACCOUNTS)


def _twice(tx: Tx, account: str) -> list[str]:
    """Every settled payment of a bill that another one had settled before it."""
    query = (
        sa.select(payments.c.id, payments.c.quote, payments.c.amount_fen, payments.c.biller, quotes.c.body)
        .outerjoin(quotes, quotes.c.id == payments.c.quote)
        .where(payments.c.account == account, payments.c.state == "settled")
        .order_by(payments.c.posted_at, payments.c.id)
    )
    bills: Counter[Any] = Counter()
    again = []
    for row in tx.conn.execute(query):
        bill = _bill_of(row)
        if bills[bill]:
            again.append(row.id)
        bills[bill] += 1
    return again


def _bill_of(row: Any) -> Any:
    """A bill by its day and amount where it is paid whole; else what was quoted once can be paid once."""
    if row.body is not None:
        # When it was valid until says nothing here.
        quote = quote_of(row.body, QuoteId(row.quote), BillerId(row.biller), None)  # type: ignore[arg-type]
        whole = not quote.prepaid and quote.rule.exactness is Exactness.EXACT
        if whole and quote.due_date is not None:
            return quote.due_date, row.amount_fen
    return row.quote


def purses_page(tx: Tx, room: Room, after: str) -> tuple[list[Found], str | None]:
    """Leaves to spend another's money: single payments and Shanghai months within their caps."""
    capped = sa.or_(grants.c.per_month_fen.is_not(None), grants.c.per_payment_fen.is_not(None))
    query = sa.select(grants).where(grants.c.id > after, capped).order_by(grants.c.id).limit(_ACCOUNTS)
    rows = list(tx.conn.execute(query))
    found = [("M-I11", row.id) for row in rows if _over(tx, row)]
    return found, next_key(rows, lambda row: row.id, _ACCOUNTS)


def _over(tx: Tx, grant: sa.Row[Any]) -> bool:
    query = (
        sa.select(payments.c.created_at, payments.c.amount_fen)
        .join(acts, acts.c.id == payments.c.act)
        .where(acts.c.grant_id == grant.id, payments.c.state.not_in(GIVEN_BACK))
        .order_by(payments.c.created_at)
    )
    rows = list(tx.conn.execute(query))
    once, month = grant.per_payment_fen, grant.per_month_fen
    if once is not None and any(row.amount_fen > once for row in rows):
        return True
    last_of_month = {f"{shanghai(row.created_at):%Y-%m}": row.created_at for row in rows}
    return month is not None and any(
        spent_under(tx, grant.id, last, until=last).fen > month for last in last_of_month.values()
    )


def mandates_page(tx: Tx, room: Room, after: str) -> tuple[list[Found], str | None]:
    """Accounts that are or were paid by themselves: each charge against its agreement, consent, notice and caps."""
    query = sa.select(mandates.c.account).where(mandates.c.account > after).distinct()
    rows = list(tx.conn.execute(query.order_by(mandates.c.account).limit(_ACCOUNTS)))
    found: list[Found] = []
    for row in rows:
        for breach in invariants_of_mandates.breaches(tx, AccountId(row.account)):
            found.append((breach.split()[0], breach.rpartition(": ")[2]))
    return found, next_key(rows, lambda row: row.account, _ACCOUNTS)


def orphans_page(tx: Tx, room: Room, after: str) -> tuple[list[Found], str | None]:
    """Payments that say they rest on an agreement and are named by none of its debits."""
    query = (
        sa.select(payments.c.id)
        .join(acts, acts.c.id == payments.c.act)
        .outerjoin(debits, debits.c.payment == payments.c.id)
        .where(acts.c.kind == "debit", debits.c.id.is_(None), payments.c.id > after)
    )
    rows = list(tx.conn.execute(query.order_by(payments.c.id).limit(room.page)))
    return [("M-I12", row.id) for row in rows], next_key(rows, lambda row: row.id, room.page)


LOOKS: tuple[Look, ...] = (bills_page, purses_page, mandates_page, orphans_page)
