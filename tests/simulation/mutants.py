"""The mistakes a till can make, each put into the real one: what the explorer and the simulator must catch.

A suite that passes with one of these proves nothing about that mistake.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from data.ids import OrderNumber, fresh
from data.money import Money
from data.store.engine import Store
from data.store.payments import acts
from data.store.payments import payments as table
from integrations.ports import NotFound, Settled
from payments import (
    advance,
    answers,
    asking,
    bill_debits,
    callbacks,
    collecting,
    confirming,
    debited,
    debiting,
    ledger,
    limits,
    mandates,
    proposing,
    runner,
    states,
    stopping,
    till,
    topping_up,
    writing_off,
)
from payments.acts import view
from payments.asking import Ask
from payments.hand import Hand
from payments.states import State

Patch = pytest.MonkeyPatch


def new_number_for_each_attempt(patch: Patch) -> None:
    right = asking._collect

    def wrong(task: Any, rail: Any) -> Any:
        if task.ask is Ask.COLLECT_AGAIN:
            task = replace(task, payment=replace(task.payment, number=OrderNumber(fresh("bj", 24))))
        return right(task, rail)

    patch.setattr(asking, "_collect", wrong)


def no_answer_taken_for_failure(patch: Patch) -> None:
    patch.setattr(collecting, "_no_answer", lambda hand, held: collecting._ended(hand, held, "timeout"))


def not_found_taken_for_failure(patch: Patch) -> None:
    right = collecting.asked_rail

    def wrong(hand: Any, held: Any, answer: Any) -> Any:
        if isinstance(answer, NotFound):
            return collecting._ended(hand, held, "not_found")
        return right(hand, held, answer)

    patch.setattr(collecting, "asked_rail", wrong)


def sent_before_it_is_written(patch: Patch) -> None:
    right = answers.take

    def wrong(hand: Any, held: Any, ask: Ask, answer: Any) -> Any:
        if held.state is State.CONFIRMED:
            states.move(hand.tx, held.id, State.CONFIRMED, State.SUBMITTED, hand.at, sent_at=hand.at)
            held = states.read(hand.tx, held.id)
        return right(hand, held, ask, answer)

    patch.setattr(advance.Advance, "_first_sending", lambda self, tx, held, at: Ask.COLLECT)
    patch.setattr(answers, "take", wrong)


def no_lock_on_the_account(patch: Patch) -> None:
    patch.setattr(proposing, "open_at", lambda tx, account: None)
    patch.setattr(confirming, "open_at", lambda tx, account: None)


def callback_believed(patch: Patch) -> None:
    right = callbacks._judge

    def wrong(event: Any, at: Any, tx: Any) -> Any:
        verdict = right(event, at, tx)
        row = tx.conn.execute(sa.select(table).where(table.c.number == event.order)).one_or_none()
        if row is None:
            return verdict
        payment = states.of_row(row)
        if event.status == "failed" and payment.captured_at is None:
            states.note(tx, payment.id, state=State.FAILED.value, next_at=None)
            return callbacks.Verdict(200, "known", payment.id)
        return verdict

    patch.setattr(callbacks, "_judge", wrong)


def late_failure_overrides_success(patch: Patch) -> None:
    right = callbacks._judge

    def wrong(event: Any, at: Any, tx: Any) -> Any:
        verdict = right(event, at, tx)
        if verdict.kind == "conflicting":
            states.note(tx, verdict.payment, state=State.FAILED.value)
        return verdict

    patch.setattr(callbacks, "_judge", wrong)


def two_processes_on_one_payment(patch: Patch) -> None:
    right = advance.Advance._end

    def leased(self: Any, tx: Any, payment: Any, token: str, at: Any) -> bool:
        until = at + self._limits.lease
        due = sa.update(table).where(
            table.c.id == payment, sa.or_(table.c.next_at > at, table.c.next_at <= at)
        )
        taken = tx.conn.execute(due.values(lease_owner=token, lease_until=until, next_at=until))
        return taken.rowcount == 1

    def end(self: Any, task: Any, token: str, answer: Any, tx: Any) -> Any:
        states.note(tx, task.payment.id, lease_owner=token)
        return right(self, task, token, answer, tx)

    def every(tx: Any, at: Any, limit: int = 200) -> Any:
        rows = tx.conn.execute(sa.select(table.c.id, table.c.next_at).where(table.c.next_at.is_not(None)))
        return [(row.id, row.next_at) for row in rows]

    patch.setattr(advance.Advance, "_leased", leased)
    patch.setattr(advance.Advance, "_end", end)
    patch.setattr("payments.runner.due_payments", every)


def lease_not_looked_at(patch: Patch) -> None:
    right = advance.Advance._end

    def leased(self: Any, tx: Any, payment: Any, token: str, at: Any) -> bool:
        until = at + self._limits.lease
        states.note(tx, payment, lease_owner=token, lease_until=until, next_at=until)
        return True

    def end(self: Any, task: Any, token: str, answer: Any, tx: Any) -> Any:
        states.note(tx, task.payment.id, lease_owner=token)
        return right(self, task, token, answer, tx)

    def due(tx: Any, at: Any, limit: int = 200) -> Any:
        mine = sa.or_(table.c.next_at <= at, table.c.lease_until > at)
        return [(row.id, row.next_at) for row in tx.conn.execute(sa.select(table).where(mine))]

    patch.setattr(advance.Advance, "_leased", leased)
    patch.setattr(advance.Advance, "_end", end)
    patch.setattr(runner, "due_payments", due)


def state_and_book_in_two_commits(patch: Patch) -> None:
    waiting: list[dict[str, Any]] = []
    right_step, right_transfer = advance.Advance.step, ledger.transfer

    async def step(self: Any, payment: Any, owner: str) -> Any:
        progress = await right_step(self, payment, owner)
        while waiting:
            entry = waiting.pop()
            await self._store.run(lambda tx, entry=entry: right_transfer(tx, **entry))
        return progress

    patch.setattr(ledger, "transfer", lambda tx, **entry: waiting.append(entry))
    patch.setattr(advance.Advance, "step", step)


def sent_again_after_the_rail_forgot(patch: Patch) -> None:
    patch.setattr(
        collecting, "_may_send_again", lambda hand, held: held.state in (State.SUBMITTED, State.UNKNOWN)
    )


def new_refund_number_each_time(patch: Patch) -> None:
    right = asking._request

    def wrong(task: Any, rail: Any, billers: Any) -> Any:
        if task.ask is Ask.REFUND:
            number = OrderNumber(fresh("rf", 24))
            task = replace(task, payment=replace(task.payment, refund_number=number))
        return right(task, rail, billers)

    patch.setattr(asking, "_request", wrong)


def late_money_ignored(patch: Patch) -> None:
    patch.setattr(collecting, "after_the_end", lambda hand, held, answer: None)


def stop_forgets_what_was_sent(patch: Patch) -> None:
    def wrong(tx: Any, payment: Any, at: Any) -> bool:
        states.note(tx, payment.id, state=State.CANCELLED.value, next_at=None)
        return True

    patch.setattr(till, "_cancel_unsent", wrong)


# --- what only a story with more than one payment, or with a mandate, can show ------------------------------------------


def unknown_never_asked_again(patch: Patch) -> None:
    far = timedelta(days=3_650)
    patch.setattr(collecting, "_still_open", lambda hand, held, poll_after: hand.at + far)


def cap_without_money_in_flight(patch: Patch) -> None:
    right = limits.spent_under

    def wrong(tx: Any, grant_id: str, at: Any, until: Any = None) -> Money:
        flying = (
            sa.select(sa.func.coalesce(sa.func.sum(table.c.amount_fen), 0))
            .join(acts, acts.c.id == table.c.act)
            .where(acts.c.grant_id == grant_id, table.c.state != State.SETTLED.value)
        )
        return right(tx, grant_id, at, until) - Money(int(tx.conn.scalar(flying)))

    patch.setattr(limits, "spent_under", wrong)


def amount_from_the_callback(patch: Patch) -> None:
    right = callbacks._another_amount

    def wrong(tx: Any, event: Any, payment: Any, at: Any) -> Any:
        states.note(tx, payment.id, amount_fen=event.amount.fen)
        return right(tx, event, payment, at)

    patch.setattr(callbacks, "_another_amount", wrong)


def posted_again_under_a_new_number(patch: Patch) -> None:
    right = asking._request

    def wrong(task: Any, rail: Any, billers: Any) -> Any:
        if task.ask in (Ask.POST, Ask.POST_AGAIN, Ask.QUERY_POST):
            again = replace(task.payment, number=OrderNumber(fresh("bj", 24)))
            return right(replace(task, ask=Ask.POST, payment=again), rail, billers)
        return right(task, rail, billers)

    patch.setattr(asking, "_request", wrong)


def yes_not_bound_to_what_was_read(patch: Patch) -> None:
    right = till.confirm

    def wrong(tx: Any, *, act: Any, digest: str, **how: Any) -> Any:
        return right(tx, act=act, digest=view(tx, act).digest, **how)

    patch.setattr(till, "confirm", wrong)


def taken_after_it_was_ended(patch: Patch) -> None:
    patch.setattr(debited, "may_still_be_sent", lambda tx, payment, at: True)
    patch.setattr(stopping, "_call_back_payments", lambda tx, held, at: None)


def month_by_the_clock_of_greenwich(patch: Patch) -> None:
    patch.setattr(limits, "month_start", lambda at: datetime(at.year, at.month, 1, tzinfo=UTC))


def low_reading_not_remembered(patch: Patch) -> None:
    def wrong(hand: Any, held: Any, quote: Any, amount: Any, reading: Any, asked_at: Any, new: bool) -> Any:
        return topping_up._begin(hand, held, quote, amount, reading, asked_at) if new else None

    patch.setattr(topping_up, "_again", wrong)


def caps_of_a_mandate_forgotten(patch: Patch) -> None:
    right = debiting.obstacle

    def wrong(hand: Any, held: Any, quote: Any, amount: Any) -> str | None:
        why = right(hand, held, quote, amount)
        return None if why in ("over_month_cap", "over_day_cap") else why

    patch.setattr(topping_up, "obstacle", wrong)


def more_than_was_told(patch: Patch) -> None:
    def wrong(hand: Any, held: Any, quote: Any, row: Any, asked_at: Any) -> Any:
        return bill_debits._pay(hand, held, quote, row.id, asked_at)

    patch.setattr(bill_debits, "_announced", wrong)


def refused_by_the_biller_and_kept(patch: Patch) -> None:
    def wrong(hand: Any, held: Any, reason: Any) -> Any:
        return writing_off._written_off(hand, held, Settled("", held.amount, hand.at))

    patch.setattr(writing_off, "_not_taken", wrong)


# --- what only wrong clocks can show ------------------------------------------------------------------------------------


def lease_believed_by_the_clock(patch: Patch) -> None:
    """Whose lease has not run out by his own clock takes the payment for his, whoever holds it meanwhile."""

    def wrong(self: Any, task: Any, token: str, answer: Any, tx: Any) -> Any:
        if self._clock.now() >= task.payment.lease_until:
            return self._progress(tx, task.payment.id, busy=True)
        hand = Hand(tx, self._clock.now(), self._limits, self._rail.name, self._rail.capabilities)
        then = answers.take(hand, replace(task.payment), task.ask, answer)
        if isinstance(then, Ask):
            return self._task(tx, task.payment.id, then)
        states.note(tx, task.payment.id, next_at=then)
        return self._release(tx, task.payment.id)

    patch.setattr(advance.Advance, "_end", wrong)


def month_by_the_clock_of_the_rail(patch: Patch) -> None:
    """A payment belongs to the month in which the rail says that it took the money."""
    right = collecting._captured

    def captured(hand: Any, held: Any, settled: Settled) -> Any:
        then = right(hand, held, settled)
        states.note(hand.tx, held.id, captured_at=settled.at)
        return then

    def spent(tx: Any, grant_id: str, at: Any, until: Any = None) -> Money:
        when = sa.func.coalesce(table.c.captured_at, table.c.created_at, type_=table.c.created_at.type)
        fen = (
            sa.select(sa.func.coalesce(sa.func.sum(table.c.amount_fen), 0))
            .join(acts, acts.c.id == table.c.act)
            .where(
                acts.c.grant_id == grant_id,
                when >= limits.month_start(at),
                when < limits.next_month_start(at),
                table.c.state.not_in(limits.GIVEN_BACK),
            )
        )
        return Money(int(tx.conn.scalar(fen)))

    patch.setattr(collecting, "_captured", captured)
    patch.setattr(limits, "spent_under", spent)


def ended_before_what_it_did(patch: Patch) -> None:
    """An end is written with the clock of whoever ended it, however far that is behind."""
    patch.setattr(mandates, "not_before_its_charges", lambda tx, mandate, at: at)


def _without_locks(store: Store) -> None:
    store.run_now(lambda tx: tx.conn.exec_driver_sql("DROP INDEX uq_payments_open_account"))


# What a mistake needs besides its code: the database, too, must have forgotten its constraint.
MUTANTS: dict[str, tuple[Callable[[Patch], None], Callable[[Store], None] | None]] = {
    made.__name__: (made, None)
    for made in (
        new_number_for_each_attempt,
        no_answer_taken_for_failure,
        not_found_taken_for_failure,
        sent_before_it_is_written,
        callback_believed,
        late_failure_overrides_success,
        two_processes_on_one_payment,
        state_and_book_in_two_commits,
        sent_again_after_the_rail_forgot,
        new_refund_number_each_time,
        late_money_ignored,
        stop_forgets_what_was_sent,
    )
} | {"no_lock_on_the_account": (no_lock_on_the_account, _without_locks)}

# Only the simulator has the purses, months and mandates these need.
MONEY_MUTANTS = {k: v for k, v in MUTANTS.items() if k != "two_processes_on_one_payment"} | {
    made.__name__: (made, None)
    for made in (
        lease_not_looked_at,
        unknown_never_asked_again,
        cap_without_money_in_flight,
        amount_from_the_callback,
        posted_again_under_a_new_number,
        yes_not_bound_to_what_was_read,
        taken_after_it_was_ended,
        month_by_the_clock_of_greenwich,
        low_reading_not_remembered,
        caps_of_a_mandate_forgotten,
        more_than_was_told,
        refused_by_the_biller_and_kept,
        lease_believed_by_the_clock,
        month_by_the_clock_of_the_rail,
        ended_before_what_it_did,
    )
}
