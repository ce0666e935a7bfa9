"""A page of accounts looked over at once: who may be read now and for whom, and of which nothing but a reading is expected.

What this page cannot decide plainly (an agreement about to end, a purse that is gone, a permission taken back) it leaves to
the careful look at a single account. It never allows what that look would refuse.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from data.clock import shanghai
from data.ids import AccountId, BillerId, PersonId
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


@dataclass(frozen=True, slots=True)
class Known:
    """What the page knows of an account it may read. `quiet`: nothing is open that an answer might end."""

    kind: MandateKind | None  # of the agreement in force; None: nobody pays it by itself
    active: bool
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
    missed: tuple[tuple[AccountId, BillerId], ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """Which accounts are meant: those of a page by its ends, or some by name."""

    after: str = ""
    upto: str = ""
    named: tuple[AccountId, ...] | None = None


def look_over(hand: Round, span: Span) -> Look:
    """Decides about all of them in a few statements, and writes down for whom each will be read (L13).

    What was known of an account lies before this instant; where it does not (a clock that stands), care is taken.
    """
    agreed = _rows(hand, _agreed, span)
    live = {AccountId(row.id) for row in agreed}
    found = [_of_agreement(hand, row) for row in agreed]
    found += _of_watched(hand, span, live)
    readable = [one for one in found if isinstance(one, _Readable)]
    _note(hand, readable)
    return Look(
        tuple(one.asked for one in readable),
        tuple(one.account for one in found if isinstance(one, _Careful)),
        tuple((one.account, one.biller) for one in found if isinstance(one, _Missed)),
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
        return known.active and known.below is not None and quote.balance.fen >= known.below
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
    biller: BillerId


_Found = _Readable | _Careful | _Missed


def _of_agreement(hand: Round, row: Any) -> _Found:
    """An account with an agreement that is active, paused or suspended."""
    if row.changed or row.fresh:
        return _Careful(AccountId(row.id))
    if row.biller not in hand.catalogue.rows:
        return _Missed(AccountId(row.id), BillerId(row.biller))
    quiet = row.episode is None and not (row.warned or row.asking or row.paid)
    known = Known(
        _KINDS[row.kind], row.state == _ACTIVE, row.below_fen, row.balance_fen, row.daily_use_fen, quiet
    )
    asked = Asked(numbers.opened(hand.tx, row), hand.at, known=known, missed=row.missed is not None)
    return _Readable(asked, PersonId(row.payer), "mandate", row.noted)


_KINDS = {kind.value: kind for kind in MandateKind}
_ACTIVE = MandateState.ACTIVE.value
_LIVE = sorted(state.value for state in LIVE)


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
    if row.fresh:
        return _Careful(AccountId(row.id))
    quiet = not (row.warned or row.paid)
    known = Known(None, False, None, row.balance_fen, row.daily_use_fen, quiet)
    asked = Asked(numbers.opened(hand.tx, row), hand.at, not meter, known, row.missed is not None)
    return _Readable(asked, first[0], "own" if first[0] == holder else May.NOTICES.value, row.noted)


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
_SOON: sa.BindParameter[datetime] = sa.bindparam("soon", type_=Instant)
_LONG_AGO: sa.BindParameter[datetime] = sa.bindparam("long_ago", type_=Instant)
_TODAY: sa.BindParameter[date] = sa.bindparam("today", type_=sa.Date)
_NAMED: sa.BindParameter[str] = sa.bindparam("named", expanding=True, type_=sa.String)


def _rows(hand: Round, of: Any, span: Span) -> list[sa.Row[Any]]:
    given: dict[str, Any] = {
        "now": hand.at,
        "since": hand.at - ECHO,
        "soon": hand.at + hand.limits.mandate_ends_soon,
        "long_ago": hand.at - hand.limits.mandate_unread,
        "today": shanghai(hand.at).date(),
    }
    given |= {"after": span.after, "upto": span.upto} if span.named is None else {"named": list(span.named)}
    query = of(span.named is not None)
    wanted = {name: given[name] for name in given if name in _names(query)}
    return list(hand.tx.conn.execute(query, wanted).all())  # at once: row by row costs a call each


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
    """Joined to an account: its last reading, what was noted of it, and whether it is among the unheard.

    Instants are compared by the database: each one read costs as much as four numbers.
    """
    r = readings.alias()
    last = sa.select(sa.func.max(r.c.at)).where(r.c.account == account).correlate(base).scalar_subquery()
    joined = (
        base.outerjoin(readings, sa.and_(readings.c.account == account, readings.c.at == last))
        .outerjoin(looks, looks.c.account == account)
        .outerjoin(unheard, unheard.c.account == account)
    )
    return joined, [
        readings.c.balance_fen,
        readings.c.daily_use_fen,
        sa.func.coalesce(looks.c.noted_on == _TODAY, sa.false()).label("noted"),
        unheard.c.account.label("missed"),
        sa.exists().where(warnings.c.account == account, warnings.c.over_at.is_(None)).label("warned"),
        sa.exists().where(payments.c.account == account, payments.c.posted_at > _SINCE).label("paid"),
    ]


@cache
def _agreed(named: bool) -> sa.Select[Any]:
    """Agreements in force with their accounts, and the little that `health.examine` asks for."""
    m = mandates.c
    base = mandates.join(accounts, accounts.c.id == m.account)
    joined, columns = _with_reading(m.account, base)
    asking = sa.and_(debits.c.mandate == m.id, sa.text("debits.state = 'asking'"))
    return (
        sa.select(
            *numbers.COLUMNS,
            m.kind,
            m.state,
            m.payer,
            m.below_fen,
            m.episode,
            *columns,
            sa.exists().where(asking).label("asking"),
            sa.or_(m.active_at >= _NOW, sa.func.coalesce(readings.c.at >= _NOW, sa.false())).label("fresh"),
            _may_have_changed().label("changed"),
        )
        .select_from(joined)
        .where(_meant(m.account, named), m.state.in_(_LIVE))
    )


def _may_have_changed() -> sa.ColumnElement[bool]:
    """What `health.examine` would have something to say about."""
    m = mandates.c
    owned = sa.exists().where(instruments.c.id == m.instrument, instruments.c.owner == m.payer)
    allowed = sa.or_(
        sa.func.coalesce(accounts.c.holder == m.payer, sa.false()),
        access.allows(accounts.c.holder, m.payer, May.MANDATE, _NOW),
    )
    ending = sa.literal("mandate_expiring:").concat(m.id).concat(":").concat(m.payer)
    untold = sa.and_(m.valid_until <= _SOON, ~sa.exists().where(events.c.id == ending))
    long_unheard = sa.and_(
        unheard.c.account.is_not(None),
        *(sa.or_(at.is_(None), at <= _LONG_AGO) for at in (unheard.c.since, m.read_at, m.active_at)),
    )
    return sa.or_(
        m.valid_until <= _NOW,
        m.rests_until.is_not(None),
        ~allowed,
        sa.and_(m.state == _ACTIVE, sa.or_(~owned, untold, long_unheard)),
    )


@cache
def _keepers(named: bool) -> sa.CompoundSelect[Any]:
    """Who keeps an account, or once let it be paid by itself."""
    kept = sa.select(saved_accounts.c.account, saved_accounts.c.person)
    once = sa.select(mandates.c.account, mandates.c.payer.label("person"))
    return sa.union_all(
        kept.where(_meant(saved_accounts.c.account, named)),
        once.where(
            _meant(mandates.c.account, named),
            mandates.c.active_at.is_not(None),
            mandates.c.state.not_in(_LIVE),
        ),
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
        sa.select(
            *numbers.COLUMNS,
            *columns,
            looks.c.bill_next,
            said.label("said"),
            sa.func.coalesce(readings.c.at >= _NOW, sa.false()).label("fresh"),
        )
        .select_from(joined)
        .where(_meant(accounts.c.id, named))
    )
