"""The disk is full, the database is locked, the connection is lost in the commit: nothing was sent that is not written down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from sqlalchemy.exc import OperationalError

from data.ids import PaymentId
from data.money import Money
from data.store.engine import Store, Tx
from payments.acts import AlreadyConfirmed, Confirmed
from payments.states import State, read
from tests.payments.household import CHENM, E_ZHANG, House

T = TypeVar("T")

LOCKED, FULL, LOST = "locked", "disk full", "lost in the commit"
AMOUNT = Money(12_345)
_TRANSACTIONS = 4  # begin and end of collecting, begin and end of writing off


def _failure(what: str) -> OperationalError:
    return OperationalError(what, None, Exception(what))


class Failing:
    """Makes the n-th transaction of a store fail in one way; the others are left alone.

    LOCKED never begins, FULL is rolled back after all was written, LOST is kept although it says that it failed.
    """

    def __init__(self, store: Store, how: str, nth: int, times: int = 1) -> None:
        self._run, self._how, self._due = store.run, how, range(nth, nth + times)
        self.passed = 0
        store.run = self._failing  # type: ignore[method-assign]

    async def _failing(self, fn: Callable[[Tx], T]) -> T:
        self.passed += 1
        if self.passed not in self._due:
            return await self._run(fn)
        if self._how == LOST:
            await self._run(fn)
        if self._how == FULL:
            await self._run(lambda tx: _written_and_not_kept(tx, fn))
        raise _failure(self._how)


def _written_and_not_kept(tx: Tx, fn: Callable[[Tx], object]) -> None:
    fn(tx)
    raise _failure(FULL)


def _durable_before_sent(house: House, payment: PaymentId) -> None:
    """From now on every question to the outside finds its number and what is being done written down (L11)."""
    asked_in = {
        "charge": {State.SUBMITTED, State.UNKNOWN},
        "status": {State.SUBMITTED, State.UNKNOWN},
        "post": {State.POSTING, State.POST_UNKNOWN},
        "post_status": {State.POSTING, State.POST_UNKNOWN},
    }

    async def visit(operation: str) -> None:
        row = house.store.run_now(lambda tx: read(tx, payment))
        assert row.state in asked_in[operation]
        assert row.sent_at is not None
        assert not house.town.captures or house.town.captures[0][0] == row.number

    house.town.visit = visit


async def _transactions(house: House) -> int:
    """How many transactions one payment takes from its yes to its end."""
    payment = await house.confirmed(CHENM, E_ZHANG)
    counting = Failing(house.store, LOCKED, 0)
    await house.runner.advance_now([payment])
    assert house.view(payment).state is State.SETTLED
    return counting.passed


@pytest.mark.parametrize("how", [LOCKED, FULL, LOST])
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("nth", range(1, _TRANSACTIONS + 1))
async def test_whichever_transaction_fails_the_payment_is_made_once(
    quick: House, how: str, nth: int, times: int
) -> None:
    payment = await quick.confirmed(CHENM, E_ZHANG)
    _durable_before_sent(quick, payment)
    failing = Failing(quick.store, how, nth, times)
    await quick.runner.advance_now([payment])
    assert failing.passed >= nth
    if nth == 1 and how != LOST:
        assert (quick.town.captures, quick.view(payment).state) == ([], State.CONFIRMED)
    for _ in range(4):
        await _whatever_the_store_says(quick, timedelta(seconds=40))
    assert quick.view(payment).state is State.SETTLED
    assert [amount for _, amount in quick.town.captures] == [AMOUNT]
    assert quick.news(CHENM).count("captured") == quick.news(CHENM).count("posted") == 1
    assert quick.breaches() == []


async def _whatever_the_store_says(house: House, by: timedelta) -> None:
    """A round of the worker; one that the store breaks off is followed by the next."""
    try:
        await house.later(by)
    except OperationalError:
        pass


async def test_the_walk_above_reaches_every_transaction(quick: House) -> None:
    assert await _transactions(quick) == _TRANSACTIONS


@pytest.mark.parametrize("how", [LOCKED, FULL, LOST])
async def test_a_yes_whose_commit_fails_is_one_payment_when_it_is_said_again(quick: House, how: str) -> None:
    act = await quick.proposed(CHENM, E_ZHANG)
    Failing(quick.store, how, 1)
    with pytest.raises(OperationalError):
        await quick.confirm(act.act, act.digest, CHENM)
    assert quick.town.orders == {}
    again = await quick.confirm(act.act, act.digest, CHENM)
    assert isinstance(again, AlreadyConfirmed if how == LOST else Confirmed)
    await quick.runner.advance_now(again.payments)
    assert [amount for _, amount in quick.town.captures] == [AMOUNT]
    assert quick.breaches() == []


@pytest.mark.parametrize("how", [LOCKED, FULL, LOST])
async def test_a_callback_the_store_could_not_keep_is_not_acknowledged(quick: House, how: str) -> None:
    """The rail hears of the failure and tells again; what was kept all the same is known as a repetition."""
    payment = await quick.confirmed(CHENM, E_ZHANG)
    await quick.runner.advance_now([payment])
    said = {"id": "ev-1", "order": quick.town.captures[0][0], "status": "paid", "fen": AMOUNT.fen}
    Failing(quick.store, how, 1)
    with pytest.raises(OperationalError):
        await quick.tell(**said)
    assert (await quick.tell(**said)).kind == ("duplicate" if how == LOST else "known")
    assert quick.breaches() == []
