"""Automatic payments as they stand: which there are, what they have spent, and what they may become (`states.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.clock import SHANGHAI, shanghai
from data.ids import AccountId, ActId, BillerId, InstrumentId, PersonId
from data.money import Money
from data.store.engine import Tx
from data.store.mandates import debits, mandates
from data.store.payments import acts as acts_table
from data.store.payments import payments
from payments import states
from payments.limits import GIVEN_BACK, month_start, next_month_start
from payments.terms import MandateKind, MandateState, Terms

M = MandateState
LIVE = frozenset({M.ACTIVE, M.PAUSED, M.SUSPENDED})


class NoSuchMandate(LookupError):
    """No automatic payment has this id."""


@dataclass(frozen=True, slots=True)
class Mandate:
    """One row of `mandates`, as read in a transaction. `episode`: the low reading acted on last; None: armed."""

    id: str
    act: ActId
    state: MandateState
    terms: Terms
    biller: BillerId
    payer: PersonId
    instrument: InstrumentId
    valid_until: datetime
    episode: str | None
    read_at: datetime | None
    failures: int
    replaces: str | None
    reason: str | None
    created_at: datetime
    active_at: datetime | None
    ended_at: datetime | None
    rests_until: datetime | None
    woken_at: datetime | None

    @property
    def account(self) -> AccountId:
        return self.terms.account


def end_of_day(day: date) -> datetime:
    """The instant at which this day is over in Shanghai."""
    local = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + timedelta(days=1)
    return local.astimezone(UTC)


def of_row(row: sa.Row[Any]) -> Mandate:
    """A row as a value."""
    terms = Terms(
        kind=MandateKind(row.kind),
        account=AccountId(row.account),
        per_charge=Money(row.per_charge_fen),
        per_month=Money(row.per_month_fen),
        valid_until=shanghai(row.valid_until - timedelta(seconds=1)).date(),
        below=None if row.below_fen is None else Money(row.below_fen),
        amount=None if row.amount_fen is None else Money(row.amount_fen),
        per_day=row.per_day,
        ask_above=row.ask_above,
    )
    return Mandate(
        id=row.id,
        act=ActId(row.act),
        state=MandateState(row.state),
        terms=terms,
        biller=BillerId(row.biller),
        payer=PersonId(row.payer),
        instrument=InstrumentId(row.instrument),
        **{name: getattr(row, name) for name in _AS_THEY_ARE},
    )


_AS_THEY_ARE = (
    "valid_until",
    "episode",
    "read_at",
    "failures",
    "replaces",
    "reason",
    "created_at",
    "active_at",
    "ended_at",
    "rests_until",
    "woken_at",
)


# --- reading ----------------------------------------------------------------------------------------------------

# Built once: building a statement costs more than running it, and these run for every reading and every charge.
_BY_ID = sa.select(mandates).where(mandates.c.id == sa.bindparam("wanted"))
_LIVE_AT = sa.select(mandates).where(
    mandates.c.account == sa.bindparam("wanted"), mandates.c.state.in_([s.value for s in LIVE])
)
_OF_ACT = sa.select(mandates).where(mandates.c.act == sa.bindparam("wanted"))
_HELD = {query: query.with_for_update() for query in (_BY_ID, _LIVE_AT, _OF_ACT)}


def read(tx: Tx, mandate: str, *, hold: bool = False) -> Mandate:
    """One mandate; `hold` keeps others from stopping it until the transaction ends. Raises NoSuchMandate."""
    found = _one(tx, _BY_ID, mandate, hold)
    if found is None:
        raise NoSuchMandate(mandate)
    return found


def live_at(tx: Tx, account: AccountId, *, hold: bool = False) -> Mandate | None:
    """The automatic payment of an account that is active, paused or suspended; there is at most one."""
    return _one(tx, _LIVE_AT, account, hold)


def of_act(tx: Tx, act: ActId) -> Mandate:
    """What an act of kind "mandate" agrees to. Raises NoSuchMandate."""
    found = _one(tx, _OF_ACT, act, True)
    if found is None:
        raise NoSuchMandate(act)
    return found


def lapsed_of(tx: Tx, payer: PersonId, since: datetime) -> list[Mandate]:
    """Those of a payer that ended by themselves since then and were not set up anew: a year was over, or leave taken back."""
    live = sa.select(mandates.c.account).where(is_live())
    query = sa.select(mandates).where(
        mandates.c.payer == payer,
        mandates.c.ended_at > since,
        mandates.c.active_at.is_not(None),
        mandates.c.reason.in_(["expired", "no_permission"]),
        mandates.c.account.not_in(live),
    )
    return [of_row(row) for row in tx.conn.execute(query.order_by(mandates.c.ended_at, mandates.c.id))]


def last_ended(tx: Tx, account: AccountId) -> Mandate | None:
    """The automatic payment that was in force at an account and ended last, whoever ended it."""
    query = sa.select(mandates).where(
        mandates.c.account == account, mandates.c.ended_at.is_not(None), mandates.c.active_at.is_not(None)
    )
    row = tx.conn.execute(query.order_by(mandates.c.ended_at.desc(), mandates.c.id).limit(1)).first()
    return None if row is None else of_row(row)


def _one(tx: Tx, query: sa.Select[Any], wanted: str, hold: bool) -> Mandate | None:
    row = tx.conn.execute(_HELD[query] if hold else query, {"wanted": wanted}).one_or_none()
    return None if row is None else of_row(row)


def is_live() -> sa.ColumnElement[bool]:
    """Active, paused or suspended."""
    return mandates.c.state.in_([s.value for s in LIVE])


# --- what it spent (M-I11) ----------------------------------------------------------------------------------------


def _charges(account: AccountId, payer: PersonId, since: datetime, until: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        mandates.c.account == account,
        mandates.c.payer == payer,
        payments.c.created_at >= since,
        payments.c.created_at < until,
        payments.c.state.not_in(GIVEN_BACK),
    )


def spent(tx: Tx, account: AccountId, payer: PersonId, since: datetime, until: datetime) -> tuple[int, Money]:
    """How often and how much was taken by itself in a span, money in flight included.

    Also under an earlier agreement of the same payer: a change does not begin the month anew.
    """
    row = tx.conn.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(payments.c.amount_fen), 0))
        .select_from(payments)
        .join(debits, debits.c.payment == payments.c.id)
        .join(mandates, mandates.c.id == debits.c.mandate)
        .where(_charges(account, payer, since, until))
    ).one()
    return int(row[0]), Money(int(row[1]))


def spent_this_month(tx: Tx, mandate: Mandate, at: datetime) -> tuple[int, Money]:
    """How often and how much in the Shanghai month of `at`."""
    return spent(tx, mandate.account, mandate.payer, month_start(at), next_month_start(at))


def times_today(tx: Tx, mandate: Mandate, at: datetime) -> int:
    """How often on the Shanghai day of `at`."""
    tomorrow = end_of_day(shanghai(at).date())
    return spent(tx, mandate.account, mandate.payer, tomorrow - timedelta(days=1), tomorrow)[0]


# --- changing ----------------------------------------------------------------------------------------------------


def move(tx: Tx, mandate: Mandate, to: MandateState, at: datetime, **columns: Any) -> bool:
    """Compare-and-set of the state; False when it stood elsewhere meanwhile. Raises IllegalMove."""
    states.refuse_illegal(mandates, mandate.id, mandate.state, to, at)
    if to in (M.REVOKED, M.EXPIRED):
        columns.setdefault("ended_at", not_before_its_charges(tx, mandate, at))
    same = sa.and_(mandates.c.id == mandate.id, mandates.c.state == mandate.state.value)
    changed = tx.conn.execute(
        sa.update(mandates).where(same).values(state=to.value, updated_at=at, **columns)
    )
    return changed.rowcount == 1


def not_before_its_charges(tx: Tx, mandate: Mandate, at: datetime) -> datetime:
    """An instant that lies after all this mandate did, also when the clock that gave `at` is behind another process's.

    Whoever compares the rows later must not find a charge younger than the end that came after it.
    """
    made = sa.select(sa.func.max(payments.c.created_at), sa.func.max(payments.c.sent_at))
    of_it = made.join(debits, debits.c.payment == payments.c.id).where(debits.c.mandate == mandate.id)
    last: list[datetime | None] = [mandate.active_at, *tx.conn.execute(of_it).one()]
    return max([at, *(instant for instant in last if instant is not None)])


def note(tx: Tx, mandate: str, **columns: Any) -> None:
    """Writes down what belongs to a mandate without changing its state."""
    tx.conn.execute(sa.update(mandates).where(mandates.c.id == mandate).values(**columns))


def agreed_on(tx: Tx, held: Mandate) -> str:
    """The channel on which it was agreed to."""
    channel: str = tx.conn.execute(
        sa.select(acts_table.c.channel).where(acts_table.c.id == held.act)
    ).scalar_one()
    return channel
