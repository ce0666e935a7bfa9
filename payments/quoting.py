"""Asking billers for people: whose account is this, and what is to pay? The only place that does.

The holder's masked name comes before any amount, and an amount only to who may see the account (L6, L13).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from data.catalogue import Catalogue
from data.clock import Clock
from data.ids import AccountId, BillerId, PersonId, QuoteId
from data.model import Account, AmountRule, BillLine, Exactness, May, MonthUse, Quote, Utility
from data.money import Money
from data.store.engine import Store, Tx
from data.store.payments import payments, quotes
from integrations.ports import AccountHint, BillerNetwork, GatewayError, Reason
from payments.authority import access, lookups
from payments.usage import keep_use

ACCESS_REFUSED = "access_refused"
TOO_MANY_NUMBERS = "too_many_numbers"
NOT_IN_CATALOGUE = "biller_not_in_catalogue"


@dataclass(frozen=True, slots=True)
class HolderFound:
    """Whose account a number is, as far as it is shown before he says so himself."""

    biller: BillerId
    utility: Utility
    number: str = field(repr=False)
    holder_masked: str = ""


@dataclass(frozen=True, slots=True)
class Quoted:
    """What is payable at an account now."""

    quote: Quote
    account: Account


@dataclass(frozen=True, slots=True)
class Trouble:
    """No answer to give: a Reason of the biller's, `access_refused`, `too_many_numbers` or `biller_not_in_catalogue`."""

    reason: str


class Quoting:
    """Asks the biller network, for somebody, within what he may see."""

    def __init__(self, store: Store, billers: BillerNetwork, catalogue: Catalogue, clock: Clock) -> None:
        self._store = store
        self._billers = billers
        self._catalogue = catalogue
        self._clock = clock

    async def holder(self, person: PersonId, biller: BillerId, number: str) -> HolderFound | Trouble:
        """The masked name behind a typed number, and nothing else."""
        known = self._catalogue.rows.get(biller)
        if known is None:
            return Trouble(NOT_IN_CATALOGUE)
        at = self._clock.now()
        if not await self._store.run(lambda tx: lookups.may_ask(tx, person, biller, number, at)):
            return Trouble(TOO_MANY_NUMBERS)
        try:
            masked = await self._billers.holder(biller, number)
        except GatewayError as error:
            return Trouble(error.reason)
        return HolderFound(biller, known.utility, number, masked)

    async def find(self, person: PersonId, biller: BillerId, phone: str) -> list[AccountHint] | Trouble:
        """Accounts under a registered telephone number, where the biller offers that."""
        known = self._catalogue.rows.get(biller)
        if known is None:
            return Trouble(NOT_IN_CATALOGUE)
        if not known.can_find_accounts:
            return Trouble(Reason.CONFIG)
        try:
            return await self._billers.find_accounts(biller, phone)
        except GatewayError as error:
            return Trouble(error.reason)

    async def quote(self, person: PersonId, account_id: AccountId) -> Quoted | Trouble:
        """The open bill or the meter's balance, asked now and kept so that it can be paid as quoted."""
        asked_at = self._clock.now()
        account = await self._store.run(
            lambda tx: access.open_account(tx, person, May.BILLS, account_id, asked_at)
        )
        if account is None:
            return Trouble(ACCESS_REFUSED)
        if account.biller not in self._catalogue.rows:
            return Trouble(NOT_IN_CATALOGUE)
        try:
            answer = await self._billers.query(account.biller, account.number)
        except GatewayError as error:
            return Trouble(error.reason)
        quote = replace(answer, biller=account.biller)
        kept = await self._store.run(
            lambda tx: keep(tx, person, account.id, quote, asked_at, self._clock.now())
        )
        return Quoted(quote, account) if kept else Trouble(Reason.BILL_CHANGED)

    async def last_year(self, person: PersonId, account_id: AccountId) -> list[MonthUse] | Trouble:
        """What the account used in the last twelve months, kept for the dry run, for who may agree to pay it by itself."""
        return await self._told_use(person, account_id, May.MANDATE)

    async def used(self, person: PersonId, account_id: AccountId) -> list[MonthUse] | Trouble:
        """The same for somebody who wants to know it: only for the holder, or with his leave to see usage (L7)."""
        return await self._told_use(person, account_id, May.USAGE)

    async def _told_use(self, person: PersonId, account_id: AccountId, verb: May) -> list[MonthUse] | Trouble:
        at = self._clock.now()
        account = await self._store.run(lambda tx: access.open_account(tx, person, verb, account_id, at))
        if account is None:
            return Trouble(ACCESS_REFUSED)
        try:
            use = await self._billers.usage(account.biller, account.number)
        except GatewayError as error:
            return Trouble(error.reason)
        await self._store.run(lambda tx: keep_use(tx, account_id, use, at))
        return use


# --- quotes as rows -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeptQuote:
    """A quote as it was told, and to which account it belongs."""

    quote: Quote
    account: AccountId
    created_at: datetime
    expires_at: datetime


def keep(
    tx: Tx, person: PersonId, account: AccountId, quote: Quote, asked_at: datetime, at: datetime
) -> bool:
    """Writes a quote down; False when a payment was written off while the biller was being asked."""
    if overtaken(tx, account, asked_at):
        return False
    facts = {
        "person": person,
        "biller": quote.biller,
        "body": body_of(quote),
        "created_at": at,
        "expires_at": quote.expires_at,
    }
    if tx.put_new(quotes, id=quote.id, account=account, **facts):
        return True
    # Some billers repeat the number of a quote that is still open; another account's number is never taken over.
    same = sa.update(quotes).where(quotes.c.id == quote.id, quotes.c.account == account)
    return tx.conn.execute(same.values(**facts)).rowcount == 1


def overtaken(tx: Tx, account: AccountId, asked_at: datetime) -> bool:
    """Whether a payment was written off after the biller was asked: what it answered is not so any more."""
    later = sa.select(sa.func.count()).where(payments.c.account == account, payments.c.posted_at > asked_at)
    return bool(tx.conn.scalar(later))


def last_quote(tx: Tx, account: AccountId) -> KeptQuote | None:
    """What the biller said last of an account, valid or not."""
    mine = sa.select(quotes.c.id).where(quotes.c.account == account)
    found = tx.conn.scalar(mine.order_by(quotes.c.created_at.desc(), quotes.c.id.desc()).limit(1))
    return None if found is None else kept_quote(tx, QuoteId(found))


def kept_quote(tx: Tx, quote: QuoteId) -> KeptQuote | None:
    """A quote that was told to somebody."""
    row = tx.conn.execute(sa.select(quotes).where(quotes.c.id == quote)).one_or_none()
    if row is None:
        return None
    told = quote_of(row.body, QuoteId(row.id), BillerId(row.biller), row.expires_at)
    return KeptQuote(told, AccountId(row.account), row.created_at, row.expires_at)


def end_quotes(tx: Tx, account: AccountId, at: datetime) -> None:
    """What was quoted before a payment was written off is not payable any more."""
    tx.conn.execute(
        sa.update(quotes).where(quotes.c.account == account, quotes.c.expires_at > at).values(expires_at=at)
    )


def body_of(quote: Quote) -> dict[str, Any]:
    """A quote as JSON, amounts in fen."""
    return {
        "holder_masked": quote.holder_masked,
        "due": quote.due.fen,
        "lines": [
            {
                "kind": line.kind,
                "fen": line.amount.fen,
                "days": line.days,
                "rate": line.rate,
                "rule": line.rule_version,
            }
            for line in quote.lines
        ],
        "rule": {
            "exactness": quote.rule.exactness.value,
            "minimum": quote.rule.minimum.fen,
            "maximum": quote.rule.maximum.fen,
            "step": quote.rule.step.fen,
        },
        "due_date": quote.due_date.isoformat() if quote.due_date else None,
        "balance": None if quote.balance is None else quote.balance.fen,
        "daily_use": None if quote.daily_use is None else quote.daily_use.fen,
    }


def quote_of(body: dict[str, Any], id: QuoteId, biller: BillerId, expires_at: datetime) -> Quote:
    """The quote that `body_of` wrote."""
    rule = body["rule"]
    return Quote(
        id=id,
        biller=biller,
        holder_masked=body["holder_masked"],
        due=Money(body["due"]),
        lines=tuple(
            BillLine(line["kind"], Money(line["fen"]), line["days"], line["rate"], line["rule"])
            for line in body["lines"]
        ),
        rule=AmountRule(
            Exactness(rule["exactness"]), Money(rule["minimum"]), Money(rule["maximum"]), Money(rule["step"])
        ),
        expires_at=expires_at,
        due_date=date.fromisoformat(body["due_date"]) if body["due_date"] else None,
        balance=_money(body["balance"]),
        daily_use=_money(body["daily_use"]),
    )


def _money(fen: int | None) -> Money | None:
    return None if fen is None else Money(fen)


def amount_fits(amount: Money, quote: Quote) -> bool:
    """Whether the biller takes this amount for what it quoted (the BBPS amount rule)."""
    rule = quote.rule
    match rule.exactness:
        case Exactness.EXACT:
            return amount == quote.due
        case Exactness.UP_TO:
            return rule.minimum <= amount <= quote.due or amount == quote.due
        case Exactness.RANGE:
            return rule.minimum <= amount <= rule.maximum and amount.fen % rule.step.fen == 0
