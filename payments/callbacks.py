"""What the rail tells us by itself. It is verified, remembered and taken as a hint: then the rail is asked.

Nothing changes state here. A lost callback costs some seconds of polling, a forged one nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from data.clock import Clock
from data.ids import PaymentId, PersonId
from data.store import journal, letters
from data.store.engine import Store, Tx
from data.store.payments import callbacks, payments
from integrations.ports import BadSignature, CallbackEvent, PaymentRail
from payments import states
from payments.states import FINAL, Payment, State

log = logging.getLogger("bangjiao.payments")

_RAIL = PersonId("rail")
_NEGATIVE = frozenset({"failed", "closed"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rail is answered (an HTTP status), and what we made of it."""

    status: int
    kind: (
        str  # "forged" | "duplicate" | "unknown_order" | "amount_differs" | "conflicting" | "known" | "hint"
    )
    payment: PaymentId | None = None


class Callbacks:
    """The door for what gateways tell. `wake` is given each payment worth asking about, after it is written down."""

    def __init__(
        self, store: Store, rail: PaymentRail, clock: Clock, wake: Callable[[PaymentId], Awaitable[object]]
    ) -> None:
        self._store = store
        self._rail = rail
        self._clock = clock
        self._wake = wake

    async def receive(self, raw: bytes, headers: Mapping[str, str]) -> Verdict:
        """Answers one callback. The hint is durable before the answer: a crash here loses nothing."""
        at = self._clock.now()
        try:
            event = self._rail.parse_callback(raw, headers, at)
        except BadSignature:
            await self._store.run(partial(_refuse_forged, at))
            return Verdict(401, "forged")
        verdict = await self._store.run(partial(_judge, event, at))
        if verdict.kind == "hint" and verdict.payment is not None:
            await self._wake(verdict.payment)
        return verdict


def _refuse_forged(at: datetime, tx: Tx) -> None:
    log.warning("a callback with a wrong or stale signature was refused")
    journal.record(tx, kind="forged_callback_refused", person=_RAIL, actor=_RAIL, subject="callback", at=at)


def _judge(event: CallbackEvent, at: datetime, tx: Tx) -> Verdict:
    if _seen(tx, event):
        _note(tx, "duplicate_callback_ignored", event, at)
        return Verdict(200, "duplicate")
    row = tx.conn.execute(sa.select(payments).where(payments.c.number == event.order)).one_or_none()
    if row is None:
        return Verdict(404, "unknown_order")
    payment = states.of_row(row)
    if event.amount != payment.amount:
        return _another_amount(tx, event, payment, at)
    kind = _kind(event, payment)
    if not _remember(tx, event, kind, at):
        _note(tx, "duplicate_callback_ignored", event, at)
        return Verdict(200, "duplicate")
    if kind == "conflicting":
        _note(tx, "late_conflicting_callback", event, at)
    if kind == "hint":
        states.hint(tx, payment.id, at)
    return Verdict(200, kind, payment.id)


def _another_amount(tx: Tx, event: CallbackEvent, payment: Payment, at: datetime) -> Verdict:
    """Signed, and yet not what was agreed: never believed; the rail is asked, and a person of ours looks at it."""
    log.error("alarm: a callback's amount differs from the payment's: %s", payment.id)
    _note(tx, "forged_callback_refused", event, at)
    if _remember(tx, event, "amount_differs", at):
        letters.open_ticket(
            tx,
            kind="callback_amount",
            person=payment.payer,
            reason="amount_differs",
            summary=f"{payment.id} {payment.amount.yuan}元: the rail spoke of {event.amount.yuan}元",
            at=at,
            about=payment.id,
        )
        if payment.state not in FINAL:
            states.hint(tx, payment.id, at)
    return Verdict(422, "amount_differs", payment.id)


def _kind(event: CallbackEvent, payment: Payment) -> str:
    if payment.captured_at is not None and event.status in _NEGATIVE:
        return "conflicting"
    collected = payment.captured_at is not None and event.status in ("paid", "pending")
    if collected and payment.state is not State.REFUNDING:
        return "known"
    # Money spoken of after a bad end is exactly what must be asked about.
    ended = payment.state in FINAL and not (event.status == "paid" and payment.captured_at is None)
    return "known" if ended else "hint"


def _seen(tx: Tx, event: CallbackEvent) -> bool:
    return bool(
        tx.conn.scalar(
            sa.select(sa.func.count()).select_from(callbacks).where(callbacks.c.event_id == event.event_id)
        )
    )


def _remember(tx: Tx, event: CallbackEvent, verdict: str, at: datetime) -> bool:
    return tx.put_new(
        callbacks,
        event_id=event.event_id,
        number=event.order,
        status=event.status,
        amount_fen=event.amount.fen,
        verdict=verdict,
        received_at=at,
    )


def _note(tx: Tx, kind: str, event: CallbackEvent, at: datetime) -> None:
    journal.record(
        tx,
        kind=kind,
        person=_RAIL,
        actor=_RAIL,
        subject=event.order,
        at=at,
        body={"status": event.status, "fen": event.amount.fen},
    )
