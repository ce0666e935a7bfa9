"""A rail that breaks its word: money on a number it had declined or closed is found, and goes back, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from data.clock import shanghai
from payments.reconcile import Reconciliation
from payments.states import State
from tests.payments.household import LIMIN
from tests.sandbox.counter import WATER, Counter, counter
from tests.servers import SandboxHandle


@pytest.fixture
async def late(sandbox: SandboxHandle) -> AsyncIterator[Counter]:
    async with counter(sandbox) as made:
        yield made


async def _failed(late: Counter, how: str) -> str:
    """A payment that ended for certain, as the rail said; an hour later it collects all the same."""
    if how == "declined":
        await late.control.fault("rail", "money_after_the_end", seconds=3_600)
        payment = await late.paid()
    else:
        await late.control.fault("rail", "pending")
        await late.control.fault("rail", "money_after_the_end", operation="close", seconds=3_600)
        payment = await late.paid()
        late.house.stop(LIMIN)
        await late.house.runner.due()
    assert late.row(payment).state is State.FAILED
    assert (await late.judge(at_rest=True)).captures == ()
    return payment


async def _given_back(late: Counter, payment: str) -> None:
    row = late.row(payment)  # type: ignore[arg-type]
    assert (row.state, row.reason) == (State.REFUNDED, "late_money")
    seen = await late.judge(at_rest=True)
    assert [c.amount_fen for c in seen.captures] == [WATER.fen]
    assert [r.amount_fen for r in seen.refunds] == [WATER.fen]
    assert late.house.news(LIMIN)[-2:] == ["refunding", "refunded"]
    assert "captured" not in late.house.news(LIMIN)  # it was never the payment that was agreed to


@pytest.mark.parametrize("how", ["declined", "closed"])
async def test_a_callback_tells_of_it(late: Counter, how: str) -> None:
    payment = await _failed(late, how)
    await late.later(minutes=61)
    await late.later(seconds=1)
    assert "hint" in late.verdicts
    await _given_back(late, payment)


@pytest.mark.parametrize("how", ["declined", "closed"])
async def test_without_a_callback_the_statement_tells_of_it(late: Counter, how: str) -> None:
    await late.control.fault("rail", "no_callback", operation="charge")
    payment = await _failed(late, how)
    await late.later(minutes=61)
    assert late.row(payment).state is State.FAILED  # type: ignore[arg-type]
    await _compare(late)
    await _given_back(late, payment)
    await _compare(late)  # and once more: nothing new
    await _given_back(late, payment)


async def _compare(late: Counter) -> None:
    """The night's comparison of the day before, over HTTP."""
    house = late.house
    await late.later(hours=20)
    books = Reconciliation(house.store, house.rail, house.billers, house.clock, house.limits)  # type: ignore[arg-type]
    await books.run((shanghai(house.now) - timedelta(days=1)).date())
    await house.runner.due()


async def test_a_refund_that_is_lost_on_the_way_is_not_made_twice(late: Counter) -> None:
    payment = await _failed(late, "declined")
    await late.control.fault("rail", "lost_answer", operation="refund")
    await late.later(minutes=61)
    await late.settle()
    await _given_back(late, payment)
