"""Automatic payments as they stand: which there are, what they have spent, and how one word stops them at once.

    awaiting_payer → active ⇄ paused → revoked | expired
                        ↓
                    suspended (it could not pay several times, or its purse is gone)

Going on after a pause is a new agreement that replaces the old one, so it needs the payer's second factor like the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.clock import SHANGHAI, shanghai
from data.ids import AccountId, ActId, BillerId, InstrumentId, PaymentId, PersonId
from data.money import Money
from data.store.engine import Tx
from data.store.mandates import debits, mandates
from data.store.payments import acts as acts_table
from data.store.payments import payments
from data.store.people import accounts
from payments import readings, states
from payments.limits import GIVEN_BACK, month_start, next_month_start
from payments.opening import till_account
from payments.terms import Charge, MandateKind, MandateState, MandateView, Terms

M = MandateState
LIVE = frozenset({M.ACTIVE, M.PAUSED, M.SUSPENDED})
TRANSITIONS: frozenset[tuple[MandateState, MandateState]] = frozenset(
    {(M.AWAITING_PAYER, M.ACTIVE), (M.AWAITING_PAYER, M.EXPIRED)}
    | {(M.ACTIVE, to) for to in (M.PAUSED, M.SUSPENDED, M.REVOKED, M.EXPIRED)}
    | {(frm, to) for frm in (M.PAUSED, M.SUSPENDED) for to in (M.REVOKED, M.EXPIRED)}
)


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
)


# --- reading ----------------------------------------------------------------------------------------------------


def read(tx: Tx, mandate: str, *, hold: bool = False) -> Mandate:
    """One mandate; `hold` keeps others from stopping it until the transaction ends. Raises NoSuchMandate."""
    found = _one(tx, mandates.c.id == mandate, hold)
    if found is None:
        raise NoSuchMandate(mandate)
    return found


def live_at(tx: Tx, account: AccountId, *, hold: bool = False) -> Mandate | None:
    """The automatic payment of an account that is active, paused or suspended; there is at most one."""
    return _one(tx, sa.and_(mandates.c.account == account, _is_live()), hold)


def of_act(tx: Tx, act: ActId) -> Mandate:
    """What an act of kind "mandate" agrees to. Raises NoSuchMandate."""
    found = _one(tx, mandates.c.act == act, True)
    if found is None:
        raise NoSuchMandate(act)
    return found


def last_ended(tx: Tx, account: AccountId) -> Mandate | None:
    """The automatic payment that was in force at an account and ended last, whoever ended it."""
    query = sa.select(mandates).where(
        mandates.c.account == account, mandates.c.ended_at.is_not(None), mandates.c.active_at.is_not(None)
    )
    row = tx.conn.execute(query.order_by(mandates.c.ended_at.desc(), mandates.c.id).limit(1)).first()
    return None if row is None else of_row(row)


def _one(tx: Tx, where: sa.ColumnElement[bool], hold: bool) -> Mandate | None:
    query = sa.select(mandates).where(where)
    row = tx.conn.execute(query.with_for_update() if hold else query).one_or_none()
    return None if row is None else of_row(row)


def _is_live() -> sa.ColumnElement[bool]:
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


# --- caps in force ------------------------------------------------------------------------------------------------

RAISED_AFTER = timedelta(hours=72)  # a higher cap counts so long after the yes; nothing rises in a hurry


def caps_at(tx: Tx, held: Mandate, at: datetime) -> tuple[Money, Money]:
    """The caps of one charge and of a month that count at this moment: a raised one only 72 hours after it was agreed to.

    What the same payer let end at this account within those hours counts like a change: stopping and beginning anew
    makes nothing rise sooner.
    """
    charge, month = held.terms.per_charge, held.terms.per_month
    before = _before(tx, held) if held.active_at is not None and at < held.active_at + RAISED_AFTER else None
    if before is None:
        return charge, month
    old_charge, old_month = caps_at(tx, before, at)
    return min(charge, old_charge), min(month, old_month)


def charge_of(tx: Tx, held: Mandate, at: datetime) -> Money | None:
    """What a top-up takes now: the amount agreed to, and no more than the cap in force; None for a bill."""
    amount = held.terms.amount
    return None if amount is None else min(amount, caps_at(tx, held, at)[0])


def caps_before(
    tx: Tx, account: AccountId, payer: PersonId, kind: MandateKind, at: datetime
) -> tuple[Money, Money] | None:
    """The caps in force that a new agreement of this payer would begin from; None when nothing went before it."""
    live = live_at(tx, account)
    if live is None or live.payer != payer:
        live = last_ended(tx, account)
    if live is None or live.active_at is None or (live.payer, live.terms.kind) != (payer, kind):
        return None
    if live.ended_at is not None and live.ended_at <= at - RAISED_AFTER:
        return None
    return caps_at(tx, live, at)


def _before(tx: Tx, held: Mandate) -> Mandate | None:
    """The agreement of the same payer at this account that ended last, within the hours before this one began."""
    assert held.active_at is not None, "only one in force has a before"
    query = sa.select(mandates).where(
        mandates.c.account == held.account,
        mandates.c.payer == held.payer,
        mandates.c.kind == held.terms.kind.value,
        mandates.c.id != held.id,
        mandates.c.active_at < held.active_at,
        mandates.c.ended_at > held.active_at - RAISED_AFTER,
        mandates.c.ended_at <= held.active_at,
    )
    row = tx.conn.execute(query.order_by(mandates.c.ended_at.desc(), mandates.c.id).limit(1)).first()
    return None if row is None else of_row(row)


# --- views --------------------------------------------------------------------------------------------------------


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
    )


def views_of(tx: Tx, person: PersonId, at: datetime) -> list[MandateView]:
    """The live mandates a person pays for, then those on his own accounts that somebody else pays for."""
    query = sa.select(mandates).join(accounts, accounts.c.id == mandates.c.account)
    mine = sa.or_(mandates.c.payer == person, accounts.c.holder == person)
    rows = tx.conn.execute(
        query.where(mine, _is_live()).order_by(mandates.c.payer != person, mandates.c.created_at)
    )
    return [view(tx, of_row(row), at) for row in rows]


# --- changing ----------------------------------------------------------------------------------------------------


def move(tx: Tx, mandate: Mandate, to: MandateState, at: datetime, **columns: Any) -> bool:
    """Compare-and-set of the state; False when it stood elsewhere meanwhile. Raises IllegalMove."""
    if (mandate.state, to) not in TRANSITIONS:
        raise states.IllegalMove(f"mandate {mandate.state} -> {to}")
    if to in (M.REVOKED, M.EXPIRED):
        columns.setdefault("ended_at", at)
    same = sa.and_(mandates.c.id == mandate.id, mandates.c.state == mandate.state.value)
    changed = tx.conn.execute(
        sa.update(mandates).where(same).values(state=to.value, updated_at=at, **columns)
    )
    return changed.rowcount == 1


def note(tx: Tx, mandate: str, **columns: Any) -> None:
    """Writes down what belongs to a mandate without changing its state."""
    tx.conn.execute(sa.update(mandates).where(mandates.c.id == mandate).values(**columns))


def agreed_on(tx: Tx, held: Mandate) -> str:
    """The channel on which it was agreed to."""
    channel: str = tx.conn.execute(
        sa.select(acts_table.c.channel).where(acts_table.c.id == held.act)
    ).scalar_one()
    return channel


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
