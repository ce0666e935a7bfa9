"""What is proposed, read back and confirmed: by whom, for which accounts, with whose money, and how firm the yes must be.

An act is one row that two people may meet over. Its digest binds everything that was read back; any change makes a
new act. `proposing` writes it, `confirming` decides it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from data.ids import AccountId, ActId, BillerId, InstrumentId, PaymentId, PersonId, QuoteId
from data.money import Money
from data.store.engine import Tx
from data.store.payments import act_lines, acts, payments
from payments.states import ActState, move_act

VOICE = "voice"


class Strength(StrEnum):
    """What a yes must be: a tap or telephone key; a PIN or one-time code; a relative's approval."""

    KEY = "key"
    CODE = "code"
    APPROVAL = "approval"


@dataclass(frozen=True, slots=True)
class LineWish:
    """Pay this much at this account, as this quote said."""

    account: AccountId
    quote: QuoteId
    amount: Money


@dataclass(frozen=True, slots=True)
class ActLine:
    """One payment of an act."""

    account: AccountId
    biller: BillerId
    quote: QuoteId
    amount: Money
    method: str  # "purse" | "hosted"
    instrument: InstrumentId | None


@dataclass(frozen=True, slots=True)
class Question:
    """Something to ask once more before the yes: `unusual_amount`, with what is usual there."""

    kind: str
    account: AccountId
    usual: Money


@dataclass(frozen=True, slots=True)
class Proposed:
    """Ready to be read back. `payer_relation` is what the payer is to the confirmer: "self", "daughter", …"""

    act: ActId
    digest: str
    strength: Strength
    payer: PersonId
    confirmer: PersonId
    instrument: InstrumentId | None
    method: str
    lines: tuple[ActLine, ...]
    total: Money
    questions: tuple[Question, ...]
    payer_relation: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """Not possible, and why; `payment` names the unfinished one that is in the way.

    no_permission, biller_not_in_catalogue, quote_expired, nothing_due, amount_rule, over_cap, previous_unfinished,
    paused, rail_down, no_such_act, digest_changed, act_cancelled, act_superseded, act_expired, stronger_yes_needed, approval_needed.
    Of automatic payments also: no_purse, not_prepaid, cap_below_amount, bad_expiry, limits, mandate_exists (`mandate`
    names it), words_missing.
    """

    reason: str
    payment: PaymentId | None = None
    account: AccountId | None = None
    mandate: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """How the yes was given: on which event, by whom, by what, and which second factor passed with it."""

    event_id: str
    channel: str
    by: PersonId
    kind: str  # "word" | "key" | "button" | "spoken"
    factor: str | None = None  # "pin" | "code"
    words: str = field(default="", repr=False)  # exactly what was read back; an automatic payment needs it
    wording: str = ""  # which sentence of which release those words are

    def body(self, **more: Any) -> dict[str, Any]:
        """What is kept of it with the act; the words themselves are kept sealed, with the consent."""
        kept = {"event": self.event_id, "channel": self.channel, "by": self.by}
        return {**kept, "kind": self.kind, "factor": self.factor, **more}


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The payments are written down and may be sent."""

    payments: tuple[PaymentId, ...]


@dataclass(frozen=True, slots=True)
class AlreadyConfirmed:
    """It was confirmed before; these are the payments of that time."""

    payments: tuple[PaymentId, ...]


@dataclass(frozen=True, slots=True)
class ActView:
    """An act as it stands."""

    id: ActId
    state: ActState
    proposer: PersonId
    payer: PersonId
    confirmer: PersonId
    digest: str
    strength: Strength
    grant_id: str | None
    channel: str
    expires_at: datetime
    evidence: dict[str, Any] | None
    lines: tuple[ActLine, ...]
    payments: tuple[PaymentId, ...]
    kind: str = "pay"  # "mandate": to agree to an automatic payment; "debit": one that it made

    @property
    def total(self) -> Money:
        return Money(sum(line.amount.fen for line in self.lines))


# Built once: building a statement costs more than running it.
_ACT = sa.select(acts).where(acts.c.id == sa.bindparam("act"))
_ACT_HELD = _ACT.with_for_update()
_LINES = sa.select(act_lines).where(act_lines.c.act == sa.bindparam("of_act")).order_by(act_lines.c.n)
_PAYMENTS = sa.select(payments.c.id).where(payments.c.act == sa.bindparam("of_act")).order_by(payments.c.line)


class NoSuchAct(LookupError):
    """No act has this id."""


def digest_of(proposer: PersonId, payer: PersonId, confirmer: PersonId, lines: tuple[ActLine, ...]) -> str:
    """What was read back, as one value: whose money, how much, to whom, by which means."""
    facts = [
        proposer,
        payer,
        confirmer,
        [[x.account, x.biller, x.quote, x.amount.fen, x.method, x.instrument] for x in lines],
    ]
    return hashlib.sha256(json.dumps(facts, separators=(",", ":")).encode()).hexdigest()


def cancel(tx: Tx, act: ActId, by: PersonId, at: datetime) -> bool:
    """Takes a proposal back; False when it is decided already or `by` has no part in it. Never needs a factor (L3)."""
    found = view(tx, act)
    if by not in (found.proposer, found.payer, found.confirmer):
        return False
    return any(
        move_act(tx, act, waiting, ActState.CANCELLED, at)
        for waiting in (ActState.PROPOSED, ActState.APPROVAL_WAIT)
    )


def weak_yes(tx: Tx, found: ActView, evidence: Evidence, at: datetime) -> Refusal | None:
    """Why this yes does not decide an act that needs its confirmer's PIN or code; None: it does. A late one ends the act."""
    if found.state is not ActState.PROPOSED:
        return Refusal(f"act_{found.state.value}")
    if evidence.by != found.confirmer:
        return Refusal("no_permission")
    if found.expires_at <= at:
        move_act(tx, found.id, ActState.PROPOSED, ActState.EXPIRED, at)
        return Refusal("act_expired")
    return None if evidence.factor in ("pin", "code") else Refusal("stronger_yes_needed")


# --- reading ------------------------------------------------------------------------------------------------------


def view(tx: Tx, act: ActId, *, hold: bool = False) -> ActView:
    """An act with its lines and payments; `hold` keeps others from deciding it meanwhile. Raises NoSuchAct."""
    row = tx.conn.execute(_ACT_HELD if hold else _ACT, {"act": act}).one_or_none()
    if row is None:
        raise NoSuchAct(act)
    return ActView(
        id=ActId(row.id),
        state=ActState(row.state),
        proposer=PersonId(row.proposer),
        payer=PersonId(row.payer),
        confirmer=PersonId(row.confirmer),
        digest=row.digest,
        strength=Strength(row.strength),
        grant_id=row.grant_id,
        channel=row.channel,
        expires_at=row.expires_at,
        evidence=row.evidence,
        lines=_lines(tx, act),
        payments=_payments(tx, act),
        kind=row.kind,
    )


def held_as(tx: Tx, act: ActId, kind: str) -> ActView | None:
    """The act, held, when it is of this kind."""
    of_kind = tx.conn.scalar(sa.select(acts.c.kind).where(acts.c.id == act)) == kind
    return view(tx, act, hold=True) if of_kind else None


def _lines(tx: Tx, act: ActId) -> tuple[ActLine, ...]:
    rows = tx.conn.execute(_LINES, {"of_act": act})
    return tuple(
        ActLine(
            AccountId(r.account),
            BillerId(r.biller),
            QuoteId(r.quote),
            Money(r.amount_fen),
            r.method,
            InstrumentId(r.instrument) if r.instrument else None,
        )
        for r in rows
    )


def _payments(tx: Tx, act: ActId) -> tuple[PaymentId, ...]:
    return tuple(PaymentId(p) for p in tx.conn.scalars(_PAYMENTS, {"of_act": act}))


def proposed_by(tx: Tx, person: PersonId) -> list[ActId]:
    """Proposals a person has a part in and that wait for a yes."""
    mine = sa.or_(acts.c.proposer == person, acts.c.payer == person, acts.c.confirmer == person)
    waiting = acts.c.state.in_([ActState.PROPOSED.value, ActState.APPROVAL_WAIT.value])
    return [ActId(a) for a in tx.conn.scalars(sa.select(acts.c.id).where(mine, waiting))]
