"""The lives of a proposal, a payment and an automatic payment as three tables: which state may follow which, and why.

A payment:

    confirmed → submitted ⇄ unknown → paid → posting ⇄ post_unknown → settled
                    ↓           ↓                ↓
             awaiting_payer → closing → failed   post_failed → refunding → refunded

`failed` comes only from a definite decline or a confirmed close (L2), `cancelled` only when nothing was ever sent.
Money that arrives after either goes straight to `refunding`. `needs_human` still holds the account.

An automatic payment; going on after a pause without an end is a new agreement that replaces the old one, so it needs the
payer's second factor like the first. One that was to rest for some days goes on by itself; one that rests because a backup
was put back may also be let go on by an operator (`resting.py`):

    awaiting_payer → active → paused | suspended → revoked | expired

A step that no table knows is refused, written down and shown to a person, whoever tried it (L4).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from data.ids import AccountId, ActId, BillerId, InstrumentId, OrderNumber, PaymentId, PersonId, QuoteId
from data.money import Money
from data.store import journal, letters
from data.store.engine import Remembered, Tx
from data.store.mandates import mandates
from data.store.payments import OPEN_STATES, acts, payments

log = logging.getLogger("bangjiao.payments")
_PROGRAMME = PersonId("programme")


class State(StrEnum):
    """Where a payment stands. Said in the rail's and the biller's terms, never in hopes."""

    CONFIRMED = "confirmed"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    AWAITING_PAYER = "awaiting_payer"
    PAID = "paid"
    POSTING = "posting"
    POST_UNKNOWN = "post_unknown"
    SETTLED = "settled"
    CLOSING = "closing"
    FAILED = "failed"
    POST_FAILED = "post_failed"
    REFUNDING = "refunding"
    REFUNDED = "refunded"
    NEEDS_HUMAN = "needs_human"
    CANCELLED = "cancelled"


class ActState(StrEnum):
    """Where a proposal stands."""

    PROPOSED = "proposed"
    APPROVAL_WAIT = "approval_wait"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class MandateState(StrEnum):
    """Where an automatic payment stands."""

    AWAITING_PAYER = "awaiting_payer"
    ACTIVE = "active"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"


S, A, M = State, ActState, MandateState

# (from, to, what happened)
TRANSITIONS: frozenset[tuple[State, State, str]] = frozenset(
    {
        # collecting
        (S.CONFIRMED, S.SUBMITTED, "send"),
        (S.CONFIRMED, S.CANCELLED, "stopped before anything was sent"),
        (S.SUBMITTED, S.CONFIRMED, "certainly not sent"),
        (S.SUBMITTED, S.CANCELLED, "certainly not sent, given up"),
        (S.SUBMITTED, S.UNKNOWN, "no answer"),
        (S.UNKNOWN, S.SUBMITTED, "send again under the same number"),
        (S.SUBMITTED, S.AWAITING_PAYER, "the page is open"),
        (S.SUBMITTED, S.PAID, "collected"),
        (S.UNKNOWN, S.PAID, "collected"),
        (S.AWAITING_PAYER, S.PAID, "collected"),
        (S.SUBMITTED, S.FAILED, "declined"),
        (S.UNKNOWN, S.FAILED, "declined"),
        (S.AWAITING_PAYER, S.FAILED, "declined"),
        (S.SUBMITTED, S.CLOSING, "close the number"),
        (S.UNKNOWN, S.CLOSING, "close the number"),
        (S.AWAITING_PAYER, S.CLOSING, "close the number"),
        (S.CLOSING, S.FAILED, "closed for certain"),
        (S.CLOSING, S.PAID, "the money came first"),
        # writing off
        (S.PAID, S.POSTING, "post"),
        (S.POSTING, S.POST_UNKNOWN, "no answer"),
        (S.POST_UNKNOWN, S.POSTING, "asked or posted again under the same number"),
        (S.POSTING, S.SETTLED, "written off"),
        (S.POST_UNKNOWN, S.SETTLED, "written off"),
        (S.POSTING, S.POST_FAILED, "the biller refused"),
        (S.POST_UNKNOWN, S.POST_FAILED, "the biller refused"),
        # giving back
        (S.POST_FAILED, S.REFUNDING, "refund"),
        (S.FAILED, S.REFUNDING, "late money"),
        (S.CANCELLED, S.REFUNDING, "late money"),
        (S.REFUNDING, S.REFUNDED, "given back"),
        # somebody has to look
        (S.SUBMITTED, S.NEEDS_HUMAN, "unknown for too long"),
        (S.UNKNOWN, S.NEEDS_HUMAN, "unknown for too long"),
        (S.AWAITING_PAYER, S.NEEDS_HUMAN, "another amount was collected"),
        (S.CLOSING, S.NEEDS_HUMAN, "unknown for too long"),
        (S.POSTING, S.NEEDS_HUMAN, "not written off for too long"),
        (S.POST_UNKNOWN, S.NEEDS_HUMAN, "not written off for too long"),
        (S.NEEDS_HUMAN, S.PAID, "collected after all"),
        (S.NEEDS_HUMAN, S.FAILED, "declined or closed after all"),
        (S.NEEDS_HUMAN, S.SETTLED, "written off after all"),
        (S.NEEDS_HUMAN, S.POST_FAILED, "the biller refused after all"),
    }
)

ACT_TRANSITIONS: frozenset[tuple[ActState, ActState, str]] = frozenset(
    {
        (A.PROPOSED, A.CONFIRMED, "confirmed"),
        (A.PROPOSED, A.CANCELLED, "stopped"),
        (A.PROPOSED, A.EXPIRED, "too late"),
        (A.PROPOSED, A.SUPERSEDED, "proposed anew"),
        (A.PROPOSED, A.APPROVAL_WAIT, "a relative must approve"),
        (A.APPROVAL_WAIT, A.CONFIRMED, "approved"),
        (A.APPROVAL_WAIT, A.CANCELLED, "stopped"),
        (A.APPROVAL_WAIT, A.EXPIRED, "too late"),
    }
)

MANDATE_TRANSITIONS: frozenset[tuple[MandateState, MandateState, str]] = frozenset(
    {
        (M.AWAITING_PAYER, M.ACTIVE, "the payer agreed"),
        (M.AWAITING_PAYER, M.EXPIRED, "its proposal was stopped, too late or made anew"),
        (M.ACTIVE, M.PAUSED, "paused"),
        (M.ACTIVE, M.SUSPENDED, "it could not pay several times, or its purse is gone"),
        (M.ACTIVE, M.REVOKED, "stopped, changed or its permission taken back"),
        (M.ACTIVE, M.EXPIRED, "its time is over"),
        (M.PAUSED, M.ACTIVE, "the days it was to rest are over, or an operator let it go on after a backup"),
        (M.PAUSED, M.REVOKED, "stopped, taken up anew or its permission taken back"),
        (M.PAUSED, M.EXPIRED, "its time is over"),
        (M.SUSPENDED, M.REVOKED, "stopped, taken up anew or its permission taken back"),
        (M.SUSPENDED, M.EXPIRED, "its time is over"),
    }
)
# By the table whose rows it is about.
_LEGAL_IN: dict[str, frozenset[tuple[StrEnum, StrEnum]]] = {
    payments.name: frozenset((frm, to) for frm, to, _ in TRANSITIONS),
    acts.name: frozenset((frm, to) for frm, to, _ in ACT_TRANSITIONS),
    mandates.name: frozenset((frm, to) for frm, to, _ in MANDATE_TRANSITIONS),
}
_NEVER_AGREED = frozenset({A.CANCELLED, A.EXPIRED, A.SUPERSEDED})

FINAL = frozenset({S.SETTLED, S.FAILED, S.REFUNDED, S.CANCELLED})
# Sent or about to be asked about, money not known to have moved: what 停 may still close.
COLLECTING = frozenset({S.SUBMITTED, S.UNKNOWN, S.AWAITING_PAYER, S.CLOSING})


# Built once: building a statement costs more than running it, and these run in every step of every payment.
_ONE = sa.select(payments).where(payments.c.id == sa.bindparam("of_payment"))
_ONE_HELD = _ONE.with_for_update()
_NOTE = sa.update(payments).where(payments.c.id == sa.bindparam("of_payment"))
_MOVE = _NOTE.where(payments.c.state == sa.bindparam("from_state"))
_OPEN = sa.select(payments).where(
    payments.c.account == sa.bindparam("at_account"), payments.c.state.in_(OPEN_STATES)
)


class IllegalMove(Remembered):
    """A programme mistake: a state was to follow that may not. Nothing was written, and a person is told (L4)."""

    def __init__(self, table: sa.Table, id: str, frm: StrEnum, to: StrEnum, at: datetime) -> None:
        super().__init__(f"{table.name} {id}: {frm} -> {to}")
        self.table, self.id, self.frm, self.to, self.at = table, id, frm, to, at

    def remember(self, tx: Tx) -> None:
        """The alarm's line in the book and a ticket, after the transaction it came from was taken back."""
        payer = tx.conn.scalar(sa.select(self.table.c.payer).where(self.table.c.id == self.id))
        who = PersonId(payer or "nobody")
        journal.record(
            tx,
            kind="alarm_raised",
            person=who,
            actor=_PROGRAMME,
            subject=self.id,
            at=self.at,
            body={"alarm": "illegal_move", "from": self.frm.value, "to": self.to.value},
        )
        letters.open_ticket(
            tx,
            kind="illegal_move",
            person=who,
            reason=f"{self.frm}_to_{self.to}",
            summary=str(self),
            at=self.at,
        )


def refuse_illegal(table: sa.Table, id: str, frm: StrEnum, to: StrEnum, at: datetime) -> None:
    """Raises IllegalMove, loudly, when the table of this machine knows no such step."""
    if (frm, to) not in _LEGAL_IN[table.name]:
        log.error("alarm: illegal move refused: %s %s %s -> %s", table.name, id, frm, to)
        raise IllegalMove(table, id, frm, to, at)


class NoSuchPayment(LookupError):
    """No payment has this id."""


@dataclass(frozen=True, slots=True)
class Payment:
    """One row of `payments`, as read in a transaction. `updated_at` is when the state last changed."""

    id: PaymentId
    act: ActId
    line: int
    account: AccountId
    biller: BillerId
    quote: QuoteId
    payer: PersonId
    amount: Money
    method: str
    instrument: InstrumentId | None
    number: OrderNumber
    state: State
    reason: str | None
    attempt: int
    next_at: datetime | None
    lease_owner: str | None
    lease_until: datetime | None
    stop_asked: bool
    rail_reference: str | None
    post_reference: str | None
    refund_number: OrderNumber | None
    hosted_url: str | None = field(repr=False)
    hosted_until: datetime | None
    created_at: datetime
    sent_at: datetime | None
    captured_at: datetime | None
    posted_at: datetime | None
    refunded_at: datetime | None
    updated_at: datetime


def of_row(row: sa.Row[Any]) -> Payment:
    """A row as a value."""
    columns = dict(row._mapping)
    columns["amount"] = Money(columns.pop("amount_fen"))
    columns["state"] = State(columns["state"])
    return Payment(**columns)


def read(tx: Tx, payment: PaymentId, *, hold: bool = False) -> Payment:
    """The payment as it stands; `hold` keeps others from changing it until the transaction ends. Raises NoSuchPayment."""
    row = tx.conn.execute(_ONE_HELD if hold else _ONE, {"of_payment": payment}).one_or_none()
    if row is None:
        raise NoSuchPayment(payment)
    return of_row(row)


def move(
    tx: Tx,
    payment: PaymentId,
    frm: State,
    to: State,
    at: datetime,
    *,
    only_if: sa.ColumnElement[bool] | None = None,
    **columns: Any,
) -> bool:
    """Compare-and-set of the state. False: the payment stood elsewhere meanwhile, or not `only_if`; nothing was written.

    Raises IllegalMove, loudly, when the table knows no such step.
    """
    refuse_illegal(payments, payment, frm, to, at)
    where = {"of_payment": payment, "from_state": frm.value}
    moving = _MOVE if only_if is None else _MOVE.where(only_if)
    changed = tx.conn.execute(moving, {**where, "state": to.value, "updated_at": at, **columns})
    return changed.rowcount == 1


def move_act(tx: Tx, act: ActId, frm: ActState, to: ActState, at: datetime, **columns: Any) -> bool:
    """The same for a proposal."""
    refuse_illegal(acts, act, frm, to, at)
    changed = tx.conn.execute(
        sa.update(acts)
        .where(acts.c.id == act, acts.c.state == frm)
        .values(state=to.value, decided_at=at, **columns)
    )
    if changed.rowcount == 1 and to in _NEVER_AGREED:
        # An automatic payment that was only proposed goes with its proposal.
        proposed = sa.and_(mandates.c.act == act, mandates.c.state == M.AWAITING_PAYER.value)
        tx.conn.execute(
            sa.update(mandates)
            .where(proposed)
            .values(state=M.EXPIRED.value, reason=f"act_{to.value}", ended_at=at, updated_at=at)
        )
    return changed.rowcount == 1


def note(tx: Tx, payment: PaymentId, **columns: Any) -> None:
    """Writes down what belongs to a payment without changing its state."""
    tx.conn.execute(_NOTE, {"of_payment": payment, **columns})


def hint(tx: Tx, payment: PaymentId, at: datetime) -> None:
    """Makes a payment due now. It changes nothing by itself: whoever advances it asks the rail."""
    note(tx, payment, next_at=at)


def open_at(tx: Tx, account: AccountId) -> Payment | None:
    """The unfinished payment that holds an account, if any."""
    row = tx.conn.execute(_OPEN, {"at_account": account}).one_or_none()
    return None if row is None else of_row(row)
