"""Who goes home begins nothing more; who may be taken for dead sends nothing; what the dead held is carried on at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from data.clock import SystemClock, VirtualClock
from data.ids import PaymentId
from data.store.engine import Tx
from data.store.presence import Presence
from payments import states
from payments.advance import Advance
from payments.durable import DurableRunner
from payments.shift import Shift
from payments.states import Payment, State
from payments.taking_over import TakingOver
from tests.databases import Databases
from tests.payments.household import CHENM, E_ZHANG, House, catalogue


def advance(house: House, shift: Shift) -> Advance:
    return Advance(house.store, house.billers, house.rail, house.clock, catalogue(), house.limits, shift)


def row(house: House, payment: PaymentId) -> Payment:
    return house.store.run_now(lambda tx: states.read(tx, payment))


class Comes:
    """Says of a process that it is present, so many times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self) -> bool:
        self.left -= 1
        return self.left >= 0


async def test_who_is_cut_off_between_the_writing_and_the_sending_sends_nothing(quick: House) -> None:
    payment = await quick.confirmed(CHENM, E_ZHANG)
    progress = await advance(quick, Shift(Comes(1))).step(payment, "cut")
    assert progress.busy
    assert quick.town.captures == []
    left = row(quick, payment)
    assert (left.state, left.lease_owner) == (State.SUBMITTED, None), (
        "nobody waits for a lease that serves nobody"
    )
    # Whoever carries it on finds what was about to be asked, and asks first what became of it.
    await quick.runner.due()
    assert quick.view(payment).state is State.SETTLED
    assert len(quick.town.captures) == 1
    assert quick.breaches() == []


async def test_a_late_hand_does_not_open_a_lease_that_is_another_ones(quick: House) -> None:
    payment = await quick.confirmed(CHENM, E_ZHANG)

    def taken_meanwhile(tx: Tx) -> None:
        states.note(tx, payment, lease_owner="other_x", lease_until=quick.now + timedelta(seconds=30))

    class Cut:
        asked = 0

        def __call__(self) -> bool:
            self.asked += 1
            if self.asked == 2:
                quick.store.run_now(taken_meanwhile)
            return self.asked == 1

    await advance(quick, Shift(Cut())).step(payment, "cut")
    assert row(quick, payment).lease_owner == "other_x"
    assert quick.town.captures == []


async def test_an_ended_shift_begins_nothing_and_waits_for_what_is_under_way(quick: House) -> None:
    first, shift = await quick.confirmed(CHENM, E_ZHANG), Shift()
    with shift.step():
        ending = asyncio.create_task(shift.end(60))
        await asyncio.sleep(0)
        assert not ending.done()
        assert (await advance(quick, shift).step(first, "ends")).busy
    assert await ending
    assert row(quick, first).state is State.CONFIRMED
    assert shift.sends, "what was under way may still be sent"


async def test_an_end_does_not_wait_for_ever() -> None:
    shift = Shift()
    with shift.step():
        assert not await shift.end(0.01)


async def test_what_stands_under_ones_own_name_is_let_go_at_the_start(quick: House) -> None:
    payment = await quick.confirmed(CHENM, E_ZHANG)
    quick.store.run_now(lambda tx: quick.advance._begin(payment, "serve_1", tx))
    stranger = TakingOver(quick.store, quick.clock, "worker")
    assert (await stranger.let_go(), await quick.runner.due()) == (0, 0)
    assert await TakingOver(quick.store, quick.clock, "serve").let_go() == 1
    await quick.runner.due()
    assert quick.view(payment).state is State.SETTLED
    assert len(quick.town.captures) == 1


@pytest.fixture
def shared(databases: Databases, clock: VirtualClock) -> Iterator[House]:
    with databases.store("postgresql") as store:
        house = House.over(store, clock)
        house.enrol()
        yield house


async def test_a_living_holders_lease_is_respected_and_a_dead_ones_is_not(shared: House) -> None:
    payment = await shared.confirmed(CHENM, E_ZHANG)
    holder = Presence(shared.store, "worker-a_1")
    await holder.come()
    shared.store.run_now(lambda tx: shared.advance._begin(payment, "worker-a_1_token", tx))
    peer = TakingOver(shared.store, shared.clock, "worker-b")
    assert await peer.look() == 0
    await holder.go()
    assert await peer.look() == 1
    assert (row(shared, payment).lease_owner, row(shared, payment).next_at) == (None, shared.now)
    assert await peer.look() == 0


async def test_wake_ups_are_thrown_away_after_their_time_and_no_payment_with_them(
    databases: Databases, clock: VirtualClock, tmp_path: Path
) -> None:
    with databases.store("sqlite") as store:
        house = House.over(store, clock)
        house.enrol()
        payment = await house.confirmed(CHENM, E_ZHANG)
        waking = DurableRunner(
            store, house.advance, clock, f"sqlite:///{tmp_path}/waking.db", "worker", scan_seconds=0.05
        )
        await waking.launch()
        try:
            async with asyncio.timeout(60):
                while house.view(payment).state is not State.SETTLED:
                    await asyncio.sleep(0.05)
            real = SystemClock().now()  # DBOS has a clock of its own
            assert await waking.clear_away(real - timedelta(days=30)) == 0
            assert await waking.clear_away(real + timedelta(days=1), batch=1) >= 1
            assert await waking.clear_away(real + timedelta(days=1)) == 0
        finally:
            await waking.stop()
        assert house.view(payment).state is State.SETTLED
