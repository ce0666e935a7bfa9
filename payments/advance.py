"""One step of one payment: read the row, write what is about to be done, ask one question outside, write the answer.

Every write is one transaction: state, ledger, audit and news together. What was being done when a process dies is
found in the row by the next one, which asks before it repeats, always under the same number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from data.catalogue import Catalogue
from data.clock import Clock
from data.ids import PaymentId, fresh
from data.store.engine import Store, Tx
from data.store.payments import payments
from integrations.ports import BillerNetwork, PaymentRail
from payments import answers, debited, pausing, states
from payments.asking import Answer, Ask, Task, asked
from payments.giving_back import refund_number
from payments.hand import Hand
from payments.limits import Limits
from payments.news import tell
from payments.opening import purse_token, till_account
from payments.shift import Shift
from payments.states import FINAL, Payment, State

# Built once: building a statement costs more than running it.
_FREE_AND_DUE = sa.update(payments).where(
    payments.c.id == sa.bindparam("of_payment"),
    payments.c.next_at <= sa.bindparam("now"),
    sa.or_(payments.c.lease_until.is_(None), payments.c.lease_until <= sa.bindparam("now")),
)

_MOST_STEPS = 40  # a payment needs about four; more means two parties keep contradicting each other


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a step left a payment. `busy`: somebody else holds it, or it is not due; nothing was done."""

    payment: PaymentId
    state: State
    next_at: datetime | None
    busy: bool = False

    def waits(self, at: datetime) -> bool:
        """Whether nothing is to be done at this instant."""
        return self.busy or self.next_at is None or self.next_at > at


class Advance:
    """Carries payments forward. Any number of processes may hold one; a row is worked on by one of them at a time."""

    def __init__(
        self,
        store: Store,
        billers: BillerNetwork,
        rail: PaymentRail,
        clock: Clock,
        catalogue: Catalogue,
        limits: Limits,
        shift: Shift | None = None,
    ) -> None:
        self._store = store
        self._billers = billers
        self._rail = rail
        self._clock = clock
        self._catalogue = catalogue
        self._limits = limits
        self._shift = shift or Shift()

    async def run(self, payment: PaymentId, owner: str) -> Progress:
        """Steps until the payment waits or is done."""
        for _ in range(_MOST_STEPS):
            progress = await self.step(payment, owner)
            if progress.waits(self._clock.now()):
                break
        return progress

    async def step(self, payment: PaymentId, owner: str) -> Progress:
        """One step, under a lease of the row. `owner` names the process in the lease."""
        if not self._shift.begins:
            return await self._store.run(partial(self._standing, payment))
        with self._shift.step():
            return await self._step(
                payment, fresh(owner[:40])
            )  # a token: within a process nobody holds a row twice

    async def _step(self, payment: PaymentId, token: str) -> Progress:
        task = await self._store.run(partial(self._begin, payment, token))
        while isinstance(task, Task):
            if self._slept_through(task):
                return await self._store.run(partial(self._give_up, payment, token))
            answer = await asked(task, self._rail, self._billers)
            task = await self._store.run(partial(self._end, task, token, answer))
        return task

    def _slept_through(self, task: Task) -> bool:
        """Whether the lease may be somebody else's by now, run out or taken over: then we send nothing.

        A process that was stopped or cut off from the database goes on here (see payments/taking_over.py).
        """
        until = task.payment.lease_until
        return until is None or self._clock.now() >= until or not self._shift.sends

    # --- inside transactions ------------------------------------------------------------------------------------

    def _begin(self, payment: PaymentId, token: str, tx: Tx) -> Task | Progress:
        """Takes the lease and writes down what is about to be asked."""
        at = self._clock.now()
        if not self._leased(tx, payment, token, at):
            return self._progress(tx, payment, busy=True)
        held = states.read(tx, payment, hold=True)
        ask = self._intend(tx, held, at)
        if ask is None:
            return self._release(tx, payment)
        return self._task(tx, payment, ask)

    def _end(self, task: Task, token: str, answer: Answer, tx: Tx) -> Task | Progress:
        """Writes down what the answer means. Without our lease it is somebody else's turn to ask."""
        at = self._clock.now()
        held = states.read(tx, task.payment.id, hold=True)
        if held.lease_owner != token:
            return self._progress(tx, held.id, busy=True)
        hand = Hand(tx, at, self._limits, self._rail.name, self._rail.capabilities)
        then = answers.take(hand, held, task.ask, answer)
        if isinstance(then, Ask):
            return self._task(tx, held.id, then)
        # Somebody knocked while we were asking (a callback, 停): that must not be slept over.
        if held.next_at != held.lease_until:
            then = at
        states.note(tx, held.id, next_at=then)
        return self._release(tx, held.id)

    def _leased(self, tx: Tx, payment: PaymentId, token: str, at: datetime) -> bool:
        until = at + self._limits.lease
        # Due again when the lease ends: that is how a dead process's payment is found.
        lease = {"lease_owner": token, "lease_until": until, "next_at": until}
        taken = tx.conn.execute(_FREE_AND_DUE, {"of_payment": payment, "now": at, **lease})
        return taken.rowcount == 1

    def _release(self, tx: Tx, payment: PaymentId) -> Progress:
        states.note(tx, payment, lease_owner=None, lease_until=None)
        return self._progress(tx, payment)

    def _progress(self, tx: Tx, payment: PaymentId, busy: bool = False) -> Progress:
        row = states.read(tx, payment)
        return Progress(row.id, row.state, row.next_at, busy)

    def _give_up(self, payment: PaymentId, token: str, tx: Tx) -> Progress:
        """Nothing was sent. A lease that is still ours would keep others waiting for nobody."""
        if states.read(tx, payment, hold=True).lease_owner == token:
            states.note(tx, payment, lease_owner=None, lease_until=None, next_at=self._clock.now())
        return self._progress(tx, payment, busy=True)

    def _standing(self, payment: PaymentId, tx: Tx) -> Progress:
        return self._progress(tx, payment, busy=True)

    def _task(self, tx: Tx, payment: PaymentId, ask: Ask) -> Task:
        row = states.read(tx, payment)
        account = till_account(tx, row.account)
        biller = self._catalogue.biller(row.biller)
        return Task(
            ask=ask,
            payment=row,
            account_number=account.number,
            instrument_token=purse_token(tx, row),
            description=f"{biller.name['zh']} {account.tail}",
            page_lifetime=self._limits.page_lifetime,
        )

    def _intend(self, tx: Tx, held: Payment, at: datetime) -> Ask | None:
        """What this state asks for next; the state that says so is written before anything is sent."""
        match held.state:
            case State.CONFIRMED:
                return self._first_sending(tx, held, at)
            case State.SUBMITTED | State.UNKNOWN | State.AWAITING_PAYER:
                if not self._to_close(held, at):
                    return Ask.QUERY
                states.move(tx, held.id, held.state, State.CLOSING, at, attempt=0)
                return Ask.CLOSE
            case State.CLOSING:
                return Ask.CLOSE
            case State.PAID:
                states.move(tx, held.id, State.PAID, State.POSTING, at, attempt=0)
                return Ask.POST
            case State.POSTING | State.POST_UNKNOWN:
                return Ask.QUERY_POST
            case State.POST_FAILED:
                number = refund_number(held.number)
                states.move(tx, held.id, held.state, State.REFUNDING, at, attempt=1, refund_number=number)
                tell(tx, held, "refunding", at)
                return Ask.REFUND
            case State.REFUNDING:
                if held.attempt == 0:  # late money: the number is written, nothing was asked yet
                    states.note(tx, held.id, attempt=1)
                    return Ask.REFUND
                return Ask.QUERY_REFUND
            case State.NEEDS_HUMAN if held.captured_at is not None:
                return Ask.QUERY_POST
            case State.NEEDS_HUMAN:
                return Ask.CLOSE if held.stop_asked and self._can_close else Ask.QUERY
            case State.FAILED | State.CANCELLED:
                return Ask.QUERY  # a callback spoke of money after the end: the rail is asked, never ignored
            case _:
                assert held.state in FINAL
                states.note(tx, held.id, next_at=None)
                return None

    def _first_sending(self, tx: Tx, held: Payment, at: datetime) -> Ask | None:
        unsent = self._not_to_be_sent(tx, held, at)
        if unsent is None:
            # One statement decides both: whoever pauses at the same moment comes before it or after it.
            free = pausing.not_paused(held.biller, self._rail.name)
            if states.move(tx, held.id, State.CONFIRMED, State.SUBMITTED, at, only_if=free, sent_at=at):
                return Ask.COLLECT
            tell(tx, held, "held", at, reason=pausing.PAUSED)
            return None
        states.move(tx, held.id, State.CONFIRMED, State.CANCELLED, at, reason=unsent, next_at=None)
        tell(tx, held, "stopped" if held.stop_asked else "refused", at, reason=unsent)
        return None

    def _not_to_be_sent(self, tx: Tx, held: Payment, at: datetime) -> str | None:
        if held.stop_asked:
            return "stopped"
        if not debited.may_still_be_sent(tx, held.id, at):
            return "mandate_stopped"
        if held.biller not in self._catalogue.rows:
            return "biller_not_in_catalogue"
        if at - held.created_at > self._limits.send_within:
            return "too_late"
        return None

    def _to_close(self, held: Payment, at: datetime) -> bool:
        if not self._can_close:
            return False
        page_over = (
            held.state is State.AWAITING_PAYER and held.hosted_until is not None and held.hosted_until <= at
        )
        return held.stop_asked or page_over

    @property
    def _can_close(self) -> bool:
        return self._rail.capabilities.supports_close
