"""A page of accounts looked over at once: who may be read now and for whom, and of which nothing but a reading is expected.

What this page cannot decide plainly (an agreement about to end, a purse that is gone, a permission taken back) it leaves to
the careful look at a single account. It never allows what that look would refuse.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from data.clock import shanghai
from data.ids import AccountId, PersonId
from data.model import Account, May, Quote
from data.money import Money
from data.store import journal
from data.store.mandates import debits, looks, mandates, readings, unheard, warnings
from data.store.payments import payments, quotes
from data.store.people import accounts, instruments, saved_accounts
from data.store.post import events
from data.store.schema import Instant
from payments import looking_after, reminding
from payments.authority import access, numbers
from payments.debiting import Round
from payments.forecast import lasting
from payments.limits import Limits
from payments.mandates import LIVE
from payments.readings import ECHO, Reading
from payments.terms import MandateKind, MandateState

_LATER = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Known:
    """What the page knows of an account it may read. `quiet`: nothing is open that an answer might end."""

    kind: MandateKind | None  # of the agreement in force; None: nobody pays it by itself
    state: MandateState | None
    below: int | None
    balance: int | None  # of the last reading, in fen
    daily_use: int | None
    quiet: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """One account about to be read. `at` lies after everything that was known of it; without `known`: act with care."""

    account: Account = field(repr=False)
    at: datetime
    bill: bool = False  # one nobody pays by itself, read once a day
    known: Known | None = None
    missed: bool = False  # it could not be read before


@dataclass(frozen=True, slots=True)
class Look:
    """A page as it was found. `careful` are to be looked at one by one, `missed` cannot be read at all."""

    asked: tuple[Asked, ...] = ()
    careful: tuple[AccountId, ...] = ()
    missed: tuple[AccountId, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """Which accounts are meant: those of a page by its ends, or some by name."""

    after: str = ""
    upto: str = ""
    named: tuple[AccountId, ...] | None = None


def look_over(hand: Round, span: Span) -> Look:
    """Decides about all of them in a few statements, and writes down for whom each will be read (L13)."""
    agreed = _rows(hand, _agreed, span)
    live = {AccountId(row.id) for row in agreed}
    found = [_of_agreement(hand, row) for row in agreed]
    found += _of_watched(hand, span, live)
    readable = [one for one in found if isinstance(one, _Readable)]
    _note(hand, readable)
    return Look(
        tuple(one.asked for one in readable),
        tuple(one.account for one in found if isinstance(one, _Careful)),
        tuple(one.account for one in found if isinstance(one, _Missed)),
    )


def plain(asked: Asked, quote: Quote, limits: Limits) -> bool:
    """Whether this answer asks for nothing: it may at most be kept as a reading.

    Everything else is for the careful look, also where it would find nothing to do either.
    """
    known = asked.known
    if known is None or not known.quiet:
        return False
    if quote.balance is None:
        return not quote.due and known.kind is not MandateKind.TOP_UP
    if quote.balance.fen == known.balance and _fen(quote.daily_use) != known.daily_use:
        return False
    if known.kind is MandateKind.TOP_UP:
        full = known.below is not None and quote.balance.fen >= known.below
        return full and known.state is MandateState.ACTIVE
    if known.kind is not None or not quote.daily_use:
        return False
    lasts = lasting(quote.balance, quote.daily_use)
    return lasts is not None and lasts.days > limits.remind_days


def new_reading(asked: Asked, quote: Quote, received_at: datetime) -> Reading | None:
    """The reading this plain answer is, where it says something new."""
    assert asked.known is not None
    if quote.balance is None or quote.balance.fen == asked.known.balance:
        return None
    return Reading(asked.account.id, asked.at, quote.balance, quote.daily_use, received_at)


def _fen(money: Money | None) -> int | None:
    return None if money is None else money.fen


# --- what is found ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Readable:
    asked: Asked
    whom: PersonId
    why: str
    noted: bool  # the book has today's line


@dataclass(frozen=True, slots=True)
class _Careful:
    account: AccountId


@dataclass(frozen=True, slots=True)
class _Missed:
    account: AccountId


_Found = _Readable | _Careful | _Missed


def _of_agreement(hand: Round, row: Any) -> _Found:
    """An account with an agreement that is active, paused or suspended."""
    account = AccountId(row.id)
    if _may_have_changed(hand, row):
        return _Careful(account)
    if row.biller not in hand.catalogue.rows:
        return _Missed(account)
    known = Known(
        MandateKind(row.kind),
        MandateState(row.state),
        row.below_fen,
        row.balance_fen,
        row.daily_use_fen,
        quiet=row.episode is None and not (row.warned or row.asking or row.paid),
    )
    asked = Asked(
        numbers.opened(hand.tx, row),
        _after(hand.at, row.at, row.active_at),
        known=known,
        missed=row.missed is not None,
    )
    noted: bool = row.noted_on == shanghai(hand.at).date()
    return _Readable(asked, PersonId(row.payer), "mandate", noted)


def _may_have_changed(hand: Round, row: Any) -> bool:
    """What `health.examine` would have something to say about."""
    if row.valid_until <= hand.at or not (row.allowed or row.holder == row.payer):
        return True
    if row.missed is not None and _long_unheard(hand, row):
        return True
    if row.state != MandateState.ACTIVE.value:
        return False
    soon = row.valid_until - hand.at <= hand.limits.mandate_ends_soon
    return not row.purse or (soon and not row.told)


def _long_unheard(hand: Round, row: Any) -> bool:
    heard = max(filter(None, (row.since, row.read_at, row.active_at)), default=row.created_at)
    return bool(hand.at - heard >= hand.limits.mandate_unread)


def _of_watched(hand: Round, span: Span, live: Collection[AccountId]) -> list[_Found]:
    """Accounts without such an agreement, which somebody keeps or once let be paid by itself."""
    keepers: dict[AccountId, set[PersonId]] = {}
    for row in _rows(hand, _keepers, span):
        if row.account not in live:
            keepers.setdefault(AccountId(row.account), set()).add(PersonId(row.person))
    if not keepers:
        return []
    rows = _rows(hand, _watched, Span(named=tuple(keepers)))
    holders = {PersonId(row.holder) for row in rows if row.holder}
    hearing = access.takers_of(hand.tx, holders, May.NOTICES, hand.at)
    found = (_watched_one(hand, row, keepers[AccountId(row.id)], hearing) for row in rows)
    return [one for one in found if one is not None]


def _watched_one(
    hand: Round, row: Any, keepers: set[PersonId], hearing: Mapping[PersonId, list[PersonId]]
) -> _Found | None:
    if row.holder is None or row.biller not in hand.catalogue.rows:
        return None
    holder = PersonId(row.holder)
    first = reminding.first_told(holder, hearing)
    if not keepers & {holder, *first}:
        return None
    biller = hand.catalogue.rows[row.biller]
    meter = row.said["balance"] is not None if row.said else biller.prepaid
    if not meter and not looking_after.bill_is_due(row.bill_next, hand.at):
        return None
    known = Known(None, None, None, row.balance_fen, row.daily_use_fen, quiet=not (row.warned or row.paid))
    asked = Asked(
        numbers.opened(hand.tx, row), _after(hand.at, row.at), not meter, known, row.missed is not None
    )
    why = "own" if first[0] == holder else May.NOTICES.value
    return _Readable(asked, first[0], why, row.noted_on == shanghai(hand.at).date())


def _after(at: datetime, *known: datetime | None) -> datetime:
    """The instant of a question asked now: later than what we knew when we asked, also on a clock that stands."""
    return max([at, *(instant + _LATER for instant in known if instant is not None)])


def _note(hand: Round, readable: Iterable[_Readable]) -> None:
    """Today's line in the book for each that has none yet; and a bill is not read again before tomorrow."""
    new = [one for one in readable if not one.noted]
    bills = [one.asked.account.id for one in readable if one.asked.bill]
    tomorrow = looking_after.bill_again(hand.at, answered=True)
    looking_after.set_of_many(hand.tx, bills, bill_next=tomorrow)
    today = shanghai(hand.at).date()
    looking_after.set_of_many(hand.tx, [one.asked.account.id for one in new], noted_on=today)
    # Last: from here on every other line of the book waits for this transaction.
    lines = (looking_after.line(one.asked.account, one.whom, one.why, hand.at) for one in new)
    journal.record_many(hand.tx, lines)


# --- what is read -------------------------------------------------------------------------------------------------

_NOW: sa.BindParameter[datetime] = sa.bindparam("now", type_=Instant)
_SINCE: sa.BindParameter[datetime] = sa.bindparam("since", type_=Instant)
_NAMED: sa.BindParameter[str] = sa.bindparam("named", expanding=True, type_=sa.String)


def _rows(hand: Round, of: Any, span: Span) -> list[sa.Row[Any]]:
    given: dict[str, Any] = {"now": hand.at, "since": hand.at - ECHO}
    given |= {"after": span.after, "upto": span.upto} if span.named is None else {"named": list(span.named)}
    query = of(span.named is not None)
    return list(hand.tx.conn.execute(query, {name: given[name] for name in given if name in _names(query)}))


@cache
def _names(query: sa.Select[Any]) -> frozenset[str]:
    return frozenset(query.compile().params)


def _meant(column: sa.Column[Any], named: bool) -> sa.ColumnElement[bool]:
    if named:
        return column.in_(_NAMED)
    after, upto = sa.bindparam("after", type_=sa.String), sa.bindparam("upto", type_=sa.String)
    return sa.and_(column > after, column <= upto)


def _with_reading(
    account: sa.Column[Any], base: sa.FromClause
) -> tuple[sa.FromClause, list[sa.ColumnElement[Any]]]:
    """Joined to an account: its last reading, what was noted of it, and whether it is among the unheard."""
    r = readings.alias()
    last = sa.select(sa.func.max(r.c.at)).where(r.c.account == account).correlate(base).scalar_subquery()
    joined = (
        base.outerjoin(readings, sa.and_(readings.c.account == account, readings.c.at == last))
        .outerjoin(looks, looks.c.account == account)
        .outerjoin(unheard, unheard.c.account == account)
    )
    return joined, [
        readings.c.at,
        readings.c.balance_fen,
        readings.c.daily_use_fen,
        looks.c.noted_on,
        looks.c.bill_next,
        unheard.c.account.label("missed"),
        unheard.c.since,
        sa.exists().where(warnings.c.account == account, warnings.c.over_at.is_(None)).label("warned"),
        sa.exists().where(payments.c.account == account, payments.c.posted_at > _SINCE).label("paid"),
    ]


_ACCOUNT = [
    accounts.c.id,
    accounts.c.biller,
    accounts.c.utility,
    accounts.c.number,
    accounts.c.holder,
    accounts.c.holder_masked,
]


@cache
def _agreed(named: bool) -> sa.Select[Any]:
    """Agreements in force with their accounts, and the little that `health.examine` asks for."""
    m = mandates.c
    base = mandates.join(accounts, accounts.c.id == m.account)
    joined, columns = _with_reading(m.account, base)
    owned = sa.and_(instruments.c.id == m.instrument, instruments.c.owner == m.payer)
    asking = sa.and_(debits.c.mandate == m.id, sa.text("debits.state = 'asking'"))
    ending = sa.literal("mandate_expiring:").concat(m.id).concat(":").concat(m.payer)
    return (
        sa.select(
            *_ACCOUNT,
            m.kind,
            m.state,
            m.payer,
            m.below_fen,
            m.valid_until,
            m.episode,
            m.read_at,
            m.created_at,
            m.active_at,
            *columns,
            sa.exists().where(owned).label("purse"),
            access.allows(accounts.c.holder, m.payer, May.MANDATE, _NOW).label("allowed"),
            sa.exists().where(asking).label("asking"),
            sa.exists().where(events.c.id == ending).label("told"),
        )
        .select_from(joined)
        .where(_meant(m.account, named), m.state.in_(sorted(s.value for s in LIVE)))
    )


@cache
def _keepers(named: bool) -> sa.CompoundSelect[Any]:
    """Who keeps an account, or once let it be paid by itself."""
    kept = sa.select(saved_accounts.c.account, saved_accounts.c.person)
    once = sa.select(mandates.c.account, mandates.c.payer.label("person"))
    return sa.union_all(
        kept.where(_meant(saved_accounts.c.account, named)),
        once.where(_meant(mandates.c.account, named), mandates.c.active_at.is_not(None)),
    )


@cache
def _watched(named: bool) -> sa.Select[Any]:
    """Accounts by themselves, with what their biller said last to somebody."""
    joined, columns = _with_reading(accounts.c.id, accounts)
    q = quotes.alias()
    said = (
        sa.select(q.c.body)
        .where(q.c.account == accounts.c.id)
        .order_by(q.c.created_at.desc(), q.c.id.desc())
        .limit(1)
        .correlate(accounts)
        .scalar_subquery()
    )
    return (
        sa.select(*_ACCOUNT, *columns, said.label("said"))
        .select_from(joined)
        .where(_meant(accounts.c.id, named))
    )
