"""The mistakes a payment worker can make, each put into the real one: what the explorer must catch.

A suite that passes with one of these proves nothing about that mistake.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from data.ids import OrderNumber, fresh
from data.store.engine import Store
from data.store.payments import payments as table
from integrations.ports import NotFound
from payments import (
    advance,
    answers,
    asking,
    callbacks,
    collecting,
    confirming,
    ledger,
    proposing,
    states,
    till,
)
from payments.asking import Ask
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
        row = tx.conn.execute(sa.select(table).where(table.c.number == event.order)).one()
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
