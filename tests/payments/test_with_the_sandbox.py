"""The money rooms against the real sandbox town, over HTTP: paid once, written off once, told truly."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from data.clock import SystemClock, VirtualClock
from data.ids import AccountId, PaymentId, PersonId
from data.money import Money
from data.store.engine import Store
from data.town import load_world
from integrations.sandbox.biller import SandboxBillers
from integrations.sandbox.control import SandboxControl
from integrations.sandbox.rail import SandboxRail
from payments.acts import Confirmed, Proposed
from payments.authority import access
from payments.authority.enrol import enrol_world
from payments.quoting import HolderFound
from payments.states import State, read
from tests.databases import KINDS, SEALER, Databases
from tests.payments.household import CHENGFS, CHENM, E_ZHANG, LIMIN, W_LI, House
from tests.payments.worker import Wanted
from tests.servers import SandboxHandle, start_sandbox

WORLD = load_world()
GZ = WORLD.accounts[E_ZHANG]


@dataclass
class Real:
    """The money rooms over a store, with the sandbox as counterparty."""

    house: House
    control: SandboxControl

    async def later(self, **by: float) -> None:
        self.house.clock.at = (await self.control.advance(timedelta(**by))).astimezone(
            self.house.clock.at.tzinfo
        )
        await self.house.runner.due()

    async def captured(self) -> list[int]:
        return [c.amount_fen for c in (await self.control.inspect()).captures]

    async def posted(self) -> list[tuple[str, int]]:
        return [
            (p.account, p.amount_fen) for p in (await self.control.inspect()).posts if p.state == "settled"
        ]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    with start_sandbox(tmp_path_factory.mktemp("town")) as handle:
        yield handle


@pytest.fixture
async def real(sandbox: SandboxHandle, store: Store) -> AsyncIterator[Real]:
    control = SandboxControl(sandbox.url, sandbox.control_token)
    await control.load_world(WORLD)
    rail = SandboxRail(sandbox.url, sandbox.secret, timeout_seconds=0.5)
    billers = SandboxBillers(sandbox.url, timeout_seconds=5)
    clock = VirtualClock((await control.inspect()).now)
    house = House.over(store, clock, rail=rail, billers=billers)
    store.run_now(lambda tx: enrol_world(tx, WORLD, clock.now() - timedelta(days=1)))
    yield Real(house, control)
    await rail.aclose()
    await billers.aclose()
    await control.aclose()


async def _name_checked(real: Real, person: PersonId = CHENM) -> AccountId:
    """He types his mother's number and says that the masked name is right."""
    found = await real.house.quoting.holder(person, GZ.biller, GZ.number)
    assert isinstance(found, HolderFound)
    assert "张" in found.holder_masked
    assert GZ.number not in repr(found)
    return real.house.store.run_now(
        lambda tx: access.name_confirmed(
            tx, person, GZ.biller, GZ.utility, GZ.number, found.holder_masked, real.house.now
        )
    )


async def test_a_typed_number_is_name_checked_paid_once_and_written_off_once(real: Real) -> None:
    account = await _name_checked(real)
    view = await real.house.paid(CHENM, account)
    assert (view.state, view.amount) == (State.SETTLED, Money(12_345))
    assert await real.captured() == [12_345]
    assert await real.posted() == [("E-ZHANG", 12_345)]
    assert real.house.news(CHENM) == ["captured", "posted"]


async def test_a_wrong_number_tells_no_amount_and_pays_nothing(real: Real) -> None:
    trouble = await real.house.quoting.holder(CHENM, GZ.biller, "0319001200340000")
    assert trouble.reason == "account_not_found"


async def test_a_rail_that_answers_after_90_seconds_collects_once(real: Real) -> None:
    account = await _name_checked(real)
    await real.control.fault("rail", "timeout_then_paid_after", seconds=90)
    payment = await real.house.confirmed(CHENM, account)
    await real.house.runner.advance_now([payment])
    assert real.house.view(payment).told == "checking"
    again = await real.house.propose(CHENM, account)
    assert (again.reason, again.payment) == ("previous_unfinished", payment)
    await real.later(seconds=120)
    assert real.house.view(payment).state is State.SETTLED
    assert await real.captured() == [12_345]
    assert real.house.news(CHENM) == ["checking", "captured", "posted"]


@pytest.mark.parametrize(
    "kind",
    ["error_500", "error_500_after", "lost_answer", "half_answer", "garbled_answer", "timeout_never_paid"],
)
async def test_a_fault_of_the_rail_costs_time_and_never_money(real: Real, kind: str) -> None:
    await real.control.fault("rail", kind)
    payment = await real.house.confirmed(LIMIN, W_LI)
    await real.house.runner.advance_now([payment])
    await real.later(seconds=10)
    await real.later(seconds=60)
    assert real.house.view(payment).state is State.SETTLED
    assert await real.captured() == [4_650]


async def test_an_empty_purse_is_told_as_a_definite_no(real: Real) -> None:
    await real.control.set_funds("pm-limin", Money(100))
    view = await real.house.paid(LIMIN, W_LI)
    assert (view.state, view.told, view.reason) == (State.FAILED, "refused", "insufficient_funds")
    assert await real.captured() == []


async def test_a_bill_paid_elsewhere_before_it_is_written_off_comes_back(real: Real) -> None:
    await real.control.fault("rail", "timeout_then_paid_after", seconds=30)
    payment = await real.house.confirmed(LIMIN, W_LI)
    await real.house.runner.advance_now([payment])
    await real.control.change_account("W-LI", paid_elsewhere_fen=4_650)
    await real.later(seconds=40)
    await real.later(seconds=40)
    assert real.house.view(payment).state is State.REFUNDED
    assert "refunded" in real.house.news(LIMIN)


async def test_stopping_a_payment_without_an_answer_closes_its_number(real: Real) -> None:
    await real.control.fault("rail", "timeout_never_paid")
    payment = await real.house.confirmed(LIMIN, W_LI)
    await real.house.runner.advance_now([payment])
    real.house.stop(LIMIN)
    await real.house.runner.due()
    assert (real.house.view(payment).state, real.house.view(payment).reason) == (State.FAILED, "stopped")
    assert await real.captured() == []


async def test_a_signed_callback_hurries_and_a_forged_one_does_nothing(real: Real) -> None:
    await real.control.fault("rail", "lost_answer")
    payment = await real.house.confirmed(CHENGFS, AccountId("W-CHENG"))
    await real.house.runner.advance_now([payment])
    number = real.house.store.run_now(lambda tx: read(tx, payment)).number
    forged = await real.control.callback(number, status="paid", deliver=False, signature="wrong")
    assert (await real.house.callbacks.receive(forged.body.encode(), forged.headers)).status == 401
    assert real.house.view(payment).told == "checking"
    right = await real.control.callback(number, status="paid", deliver=False)
    assert (await real.house.callbacks.receive(right.body.encode(), right.headers)).kind == "hint"
    assert real.house.view(payment).state is State.SETTLED


# --- woken by DBOS in another process -------------------------------------------------------------------------------


@contextmanager
def _worker(wanted: Wanted) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.payments.worker"]
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(wanted.line())
            process.stdin.flush()
            assert process.stdout.readline() == "up\n"
            yield process
        finally:
            process.kill()


@pytest.mark.crash
@pytest.mark.parametrize("kind", KINDS)
async def test_a_killed_worker_is_followed_by_another_that_ends_what_was_begun(
    kind: str, databases: Databases, tmp_path: Path
) -> None:
    with start_sandbox(tmp_path, clock="system") as town, databases.url(kind) as url:
        waking = f"sqlite:///{tmp_path}/waking.db" if kind == "sqlite" else url
        wanted = Wanted(url, waking, "worker-1", town.url, town.secret)
        store = Store.open(url, SEALER)
        control = SandboxControl(town.url, town.control_token)
        rail, billers = SandboxRail(town.url, town.secret), SandboxBillers(town.url)
        house = House.over(store, SystemClock(), rail=rail, billers=billers)
        store.run_now(lambda tx: enrol_world(tx, WORLD, house.now - timedelta(days=1)))
        # The first order is executed, and its answer comes only after the worker is dead.
        await control.fault("rail", "slow", seconds=4)
        made = await _all_confirmed(house)
        with _worker(wanted) as first:
            await asyncio.sleep(1.5)
            first.kill()
        with _worker(wanted):
            await _until(lambda: all(house.view(p).state is State.SETTLED for p in made), 30)
        seen = await control.inspect()
        assert len(seen.captures) == len(made) == len([p for p in seen.posts if p.state == "settled"])
        for closing in (rail, billers, control):
            await closing.aclose()
        store.close()


async def _all_confirmed(house: House) -> list[PaymentId]:
    made = []
    for person, account in ((LIMIN, W_LI), (CHENGFS, AccountId("W-CHENG"))):
        act = await house.propose(person, account)
        assert isinstance(act, Proposed), act
        done = await house.confirm(act.act, act.digest, person)
        assert isinstance(done, Confirmed), done
        made += done.payments
    return made


async def _until(holds, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.2)
