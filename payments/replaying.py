"""重放: what was decided about a payment is decided once more, by the same code, on the rows as they stood then.

Nothing is simulated: the household of that moment is laid out in memory (`rewinding`), and the rules of the house are asked
again whether this yes was strong enough, or whether this reading under this agreement would have charged this amount.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data.catalogue import Catalogue
from data.ids import ActId, PaymentId, PersonId
from data.model import Quote
from data.store.engine import Store, Tx
from data.store.mandates import debits, readings
from data.store.payments import act_lines, acts, payments
from payments import asked, bill_debits, confirming, mandates, proposing, topping_up
from payments.acts import Confirmed, Evidence, LineWish, Proposed, Refusal
from payments.acts import view as act_view
from payments.debiting import Round
from payments.limits import Limits
from payments.mandates import Mandate
from payments.quoting import kept_quote
from payments.readings import Reading
from payments.readings import at as reading_at
from payments.rewinding import Around, around, as_it_stood
from payments.states import Payment
from payments.states import read as read_payment
from payments.terms import MandateKind

_DEBIT = "debit"
_COMPARED = ("account", "payer", "amount_fen", "method", "instrument", "biller")


@dataclass(frozen=True, slots=True)
class Replay:
    """What came out the second time. `differences` is empty when everything was decided as it was recorded."""

    payment: PaymentId
    by_itself: bool
    decided: dict[str, Any]
    recorded: dict[str, Any]
    differences: tuple[str, ...]

    @property
    def same(self) -> bool:
        return not self.differences

    def as_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {
            "payment": self.payment,
            "by_itself": self.by_itself,
            "same": self.same,
            "decided": self.decided,
            "recorded": self.recorded,
            "differences": list(self.differences),
        }


class _Cannot(Exception):
    """A row the decision rested on is not there; the text names what."""


def replay(tx: Tx, payment: PaymentId, limits: Limits, catalogue: Catalogue) -> Replay:
    """Decides again what made this payment, and compares. Nothing is written. Raises NoSuchPayment."""
    held = read_payment(tx, payment)
    recorded = _facts(tx, payment)
    by_itself = tx.conn.scalar(sa.select(acts.c.kind).where(acts.c.id == held.act)) == _DEBIT
    try:
        again = _Again(tx, held, limits, catalogue)
        decided, found = again.debit() if by_itself else again.yes()
    except _Cannot as lacking:
        return Replay(payment, by_itself, {}, recorded, (str(lacking),))
    differences = [*found, *(n for n in recorded if not found and decided.get(n) != recorded[n])]
    return Replay(payment, by_itself, decided, recorded, tuple(differences))


def _facts(tx: Tx, payment: PaymentId) -> dict[str, Any]:
    row = tx.conn.execute(sa.select(payments).where(payments.c.id == payment)).one()
    return {name: getattr(row, name) for name in _COMPARED}


@dataclass(frozen=True, slots=True)
class _Again:
    """One decision being taken again."""

    tx: Tx
    held: Payment
    limits: Limits
    catalogue: Catalogue

    # --- a yes of a person --------------------------------------------------------------------------------------

    def yes(self) -> tuple[dict[str, Any], list[str]]:
        """The proposal as it would be made then, and the yes to it: firm enough, by the right person, within the caps."""
        row = self.tx.conn.execute(sa.select(acts).where(acts.c.id == self.held.act)).one()
        if row.evidence is None or row.decided_at is None:
            raise _Cannot("no_yes")
        of = around(self.tx, ActId(row.id))
        found = self._proposal(of, row)
        done, facts = self._confirmed(of, row)
        if not isinstance(done, Confirmed):
            found.append(done.reason if isinstance(done, Refusal) else "decided_twice")
        return facts, found

    def _proposal(self, of: Around, row: sa.Row[Any]) -> list[str]:
        lines = act_view(self.tx, ActId(row.id)).lines
        with _Copy(as_it_stood(self.tx, of, row.created_at)) as copy:
            made = copy.run_now(
                lambda tx: proposing.propose(
                    tx,
                    proposer=PersonId(row.proposer),
                    wishes=[LineWish(x.account, x.quote, x.amount) for x in lines],
                    channel=row.channel,
                    method="hosted" if lines[0].method == "hosted" else "auto",
                    at=row.created_at,
                    limits=self.limits,
                    catalogue=self.catalogue,
                )
            )
        if not isinstance(made, Proposed):
            return [f"proposal_{made.reason}"]
        differ = {"strength": made.strength.value != row.strength, "digest": made.digest != row.digest}
        return [name for name, is_so in differ.items() if is_so]

    def _confirmed(self, of: Around, row: sa.Row[Any]) -> tuple[Any, dict[str, Any]]:
        kept = dict(row.evidence)
        second = kept.pop("approved", None)
        waited = second is not None or row.confirmer != row.proposer
        before = {
            "state": "approval_wait" if waited else "proposed",
            "evidence": kept if second is not None else None,
            "decided_at": None,
        }
        with _Copy(as_it_stood(self.tx, of, row.decided_at)) as copy:
            _lay(copy, self.tx, ActId(row.id), before)
            done = copy.run_now(
                lambda tx: confirming.confirm(
                    tx,
                    act=ActId(row.id),
                    digest=row.digest,
                    evidence=_evidence(second or kept),
                    at=row.decided_at,
                    catalogue=self.catalogue,
                    limits=self.limits,
                )
            )
            made = done.payments[self.held.line] if isinstance(done, Confirmed) else None
            return done, copy.run_now(lambda tx: _facts(tx, made)) if made else {}

    # --- one that a mandate made --------------------------------------------------------------------------------

    def debit(self) -> tuple[dict[str, Any], list[str]]:
        """The reading or the bill under the agreement of then: would it have charged, and how much?"""
        row = self.tx.conn.execute(sa.select(debits).where(debits.c.payment == self.held.id)).one_or_none()
        if row is None:
            raise _Cannot("no_debit")
        act = self.tx.conn.execute(sa.select(acts).where(acts.c.id == self.held.act)).one()
        of, at = around(self.tx, ActId(act.id)), self.held.created_at
        quote = self._quote(ActId(act.id))
        with _Copy(as_it_stood(self.tx, of, at)) as copy:
            if (act.evidence or {}).get("kind") != "mandate":
                return self._asked(copy, act, row)
            held = copy.run_now(lambda tx: _standing(tx, row.mandate))
            made = copy.run_now(self._acting(held, row, quote, at))
            if made is None:
                why = copy.run_now(lambda tx: _why_not(tx, row))
                return {}, [why]
            return copy.run_now(lambda tx: _facts(tx, made)), []

    def _quote(self, act: ActId) -> Quote:
        line = self.tx.conn.scalar(
            sa.select(act_lines.c.quote).where(act_lines.c.act == act, act_lines.c.n == self.held.line)
        )
        kept = kept_quote(self.tx, line) if line else None
        if kept is None:
            raise _Cannot("no_quote")
        return kept.quote

    def _acting(self, held: Mandate, row: sa.Row[Any], quote: Quote, at: datetime) -> Any:
        if held.terms.kind is MandateKind.BILL_DEBIT:
            return lambda tx: self._bill(tx, held, row, quote, at)
        reading = self._reading(row, quote)
        return lambda tx: self._meter(tx, held, row, quote, reading)

    def _reading(self, row: sa.Row[Any], quote: Quote) -> Reading:
        found = reading_at(self.tx, self.held.account, row.read_at) if row.read_at else None
        if found is None:
            raise _Cannot("no_reading")
        # The pace is written over by later readings of the same balance; the quote kept that of this moment.
        return replace(found, daily_use=quote.daily_use or found.daily_use)

    def _meter(
        self, tx: Tx, held: Mandate, row: sa.Row[Any], quote: Quote, reading: Reading
    ) -> PaymentId | None:
        episode = row.cause.partition("#")[0] if "#" in row.cause else None
        held = replace(held, episode=episode)
        hand = Round(tx, self.held.created_at, self.limits, self.catalogue)
        there = sa.and_(readings.c.account == reading.account, readings.c.at == reading.at)
        if not tx.conn.scalar(sa.select(sa.exists().where(there))):
            tx.conn.execute(sa.insert(readings).values(**_reading_row(self.tx, reading)))
        return topping_up.act_on(hand, held, quote, reading, hand.at, new=True)

    def _bill(self, tx: Tx, held: Mandate, row: sa.Row[Any], quote: Quote, at: datetime) -> PaymentId | None:
        """The debit as it was announced: nothing skipped it, its day was over, and the bill was not more than told."""
        announced = {
            **row._mapping,
            "state": "announced",
            "payment": None,
            "reason": None,
            "updated_at": row.announced_at or row.created_at,
        }
        tx.conn.execute(sa.insert(debits).values(**announced))
        hand = Round(tx, at, self.limits, self.catalogue)
        return bill_debits.act_on(hand, held, quote, at)

    def _asked(self, copy: Store, act: sa.Row[Any], row: sa.Row[Any]) -> tuple[dict[str, Any], list[str]]:
        """One the payer was asked about first: his own yes to exactly this, under the caps of then."""
        waiting = {**row._mapping, "state": "asking", "payment": None, "reason": None}
        before = {"state": "proposed", "evidence": {"debit": row.id}, "decided_at": None}
        _lay(copy, self.tx, ActId(act.id), before)
        copy.run_now(lambda tx: tx.conn.execute(sa.insert(debits).values(**waiting)))
        done = copy.run_now(
            lambda tx: asked.agree(
                tx,
                act_view(tx, ActId(act.id)),
                act.digest,
                _evidence(act.evidence),
                act.decided_at,
                limits=self.limits,
                catalogue=self.catalogue,
            )
        )
        if not isinstance(done, Confirmed):
            return {}, [done.reason if isinstance(done, Refusal) else "decided_twice"]
        return copy.run_now(lambda tx: _facts(tx, done.payments[0])), []


class _Copy:
    """A laid-out household that is forgotten afterwards."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> Store:
        return self._store

    def __exit__(self, *_: object) -> None:
        self._store.close()


def _lay(copy: Store, tx: Tx, act: ActId, before: dict[str, Any]) -> None:
    """Puts the act itself into the copy, as it stood before its yes."""
    row = tx.conn.execute(sa.select(acts).where(acts.c.id == act)).one()._mapping
    lines = tx.conn.execute(sa.select(act_lines).where(act_lines.c.act == act)).mappings().all()

    def write(there: Tx) -> None:
        there.conn.execute(sa.insert(acts).values(**{**row, **before}))
        there.conn.execute(sa.insert(act_lines), [dict(line) for line in lines])

    copy.run_now(write)


def _standing(tx: Tx, mandate: str) -> Mandate:
    try:
        return mandates.read(tx, mandate)
    except mandates.NoSuchMandate:
        raise _Cannot("no_mandate") from None


def _why_not(tx: Tx, row: sa.Row[Any]) -> str:
    """What the rules said instead of charging, in their own word where they wrote one down."""
    same = sa.and_(debits.c.mandate == row.mandate, debits.c.cause == row.cause)
    made = tx.conn.execute(sa.select(debits.c.state, debits.c.reason).where(same)).first()
    return "would_not_charge" if made is None else str(made.reason or f"would_be_{made.state}")


def _reading_row(tx: Tx, reading: Reading) -> dict[str, Any]:
    same = sa.and_(readings.c.account == reading.account, readings.c.at == reading.at)
    return dict(tx.conn.execute(sa.select(readings).where(same)).one()._mapping)


def _evidence(body: dict[str, Any]) -> Evidence:
    return Evidence(
        str(body["event"]), str(body["channel"]), PersonId(body["by"]), str(body["kind"]), body.get("factor")
    )
