"""Every step a payment or a proposal may take, and that it takes no other."""

from __future__ import annotations

from itertools import product

import pytest

from data.store.engine import Store
from data.store.payments import ACT_STATES, OPEN_STATES, PAYMENT_STATES
from payments import states
from payments.states import (
    ACT_TRANSITIONS,
    FINAL,
    TRANSITIONS,
    ActState,
    IllegalMove,
    NoSuchPayment,
    State,
    move,
    move_act,
    read,
)
from tests.payments.household import CHENM, E_ZHANG, House

LEGAL = {(frm, to) for frm, to, _ in TRANSITIONS}
ACT_LEGAL = {(frm, to) for frm, to, _ in ACT_TRANSITIONS}


def test_the_table_speaks_of_the_states_that_are_stored() -> None:
    assert {s.value for s in State} == set(PAYMENT_STATES)
    assert {s.value for s in ActState} == set(ACT_STATES)


@pytest.mark.parametrize("frm", list(State))
async def test_each_step_from_a_state(frm: State, base: House) -> None:
    for to in State:
        _try_step(base, frm, to)


def _try_step(base: House, frm: State, to: State) -> None:
    payment = base.store.run_now(lambda tx: _placed(tx, frm))
    if (frm, to) in LEGAL:
        assert base.store.run_now(lambda tx: move(tx, payment, frm, to, base.now))
        assert base.store.run_now(lambda tx: read(tx, payment)).state is to
        return
    with pytest.raises(IllegalMove):
        base.store.run_now(lambda tx: move(tx, payment, frm, to, base.now))
    assert base.store.run_now(lambda tx: read(tx, payment)).state is frm


@pytest.fixture(scope="module")
def base() -> House:
    """One payment, set into each state in turn."""
    import asyncio
    from datetime import UTC, datetime

    from data.clock import VirtualClock
    from tests.databases import SEALER

    house = House.over(Store.in_memory(SEALER), VirtualClock(datetime(2026, 3, 10, 1, tzinfo=UTC)))
    house.enrol()
    with asyncio.Runner() as runner:
        runner.run(house.confirmed(CHENM, E_ZHANG))
    return house


def _placed(tx, state):
    import sqlalchemy as sa

    from data.store.payments import payments

    tx.conn.execute(sa.update(payments).values(state=state.value))
    return tx.conn.scalar(sa.select(payments.c.id))


async def test_a_move_from_a_state_left_meanwhile_writes_nothing(house: House) -> None:
    payment = await house.confirmed(CHENM, E_ZHANG)
    first = house.store.run_now(
        lambda tx: move(tx, payment, State.CONFIRMED, State.SUBMITTED, house.now, sent_at=house.now)
    )
    second = house.store.run_now(
        lambda tx: move(tx, payment, State.CONFIRMED, State.CANCELLED, house.now, reason="stopped")
    )
    assert (first, second) == (True, False)
    assert house.store.run_now(lambda tx: read(tx, payment)).reason is None


async def test_an_act_takes_only_its_own_steps(quick: House) -> None:
    act = (await quick.proposed(CHENM, E_ZHANG)).act
    for frm, to in product(ActState, ActState):
        if (frm, to) not in ACT_LEGAL:
            with pytest.raises(IllegalMove):
                quick.store.run_now(lambda tx, frm=frm, to=to: move_act(tx, act, frm, to, quick.now))


def test_what_failed_was_declined_or_closed_and_what_was_cancelled_was_never_sent() -> None:
    # L2: nothing that is merely unknown may end as failed or cancelled by the passing of time.
    reasons = {(frm, what) for frm, to, what in TRANSITIONS if to is State.FAILED}
    assert {what for _, what in reasons} == {
        "declined",
        "closed for certain",
        "declined or closed after all",
    }
    cancelled = {what for _, to, what in TRANSITIONS if to is State.CANCELLED}
    assert cancelled == {"stopped before anything was sent", "certainly not sent, given up"}


def test_a_settled_or_refunded_payment_goes_nowhere() -> None:
    assert {frm for frm, _ in LEGAL} & {State.SETTLED, State.REFUNDED} == set()


def test_only_ended_payments_and_returning_money_free_the_account() -> None:
    assert {State(s) for s in OPEN_STATES} == set(State) - FINAL - {State.REFUNDING}


def test_an_unknown_payment_is_said_to_be_unknown(base: House) -> None:
    with pytest.raises(NoSuchPayment):
        base.store.run_now(lambda tx: read(tx, states.PaymentId("pay_none")))
