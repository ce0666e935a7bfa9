"""Several workers on one PostgreSQL and a street of households that all pay at once: who dies, is stopped or cut off is a test's choice."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from threading import Timer
from typing import Any

import sqlalchemy as sa

from benchmarks.paying import crowd
from data.clock import SystemClock
from data.ids import AccountId, PaymentId, PersonId
from data.money import Money
from data.store.engine import Store, Tx
from data.store.payments import payments
from data.town import World
from integrations.sandbox.biller import SandboxBillers
from integrations.sandbox.control import SandboxControl
from integrations.sandbox.rail import SandboxRail
from payments.authority.enrol import enrol_world
from payments.taking_over import holder_of
from tests.databases import SEALER, Databases
from tests.payments.household import House
from tests.payments.worker import Wanted
from tests.servers import ROOT, SandboxHandle, start_sandbox

AMOUNT = Money(1_000)
# So long that nobody in a test ever waits until a lease ends: what goes on sooner was taken over.
LEASE_SECONDS = 900.0
_START_SECONDS = 90
_LONGEST_SECONDS = 120.0
_LOOK_SECONDS = 0.1


@dataclass
class Worker:
    """One worker process."""

    name: str
    process: subprocess.Popen[str]

    def send(self, sign: signal.Signals) -> None:
        self.process.send_signal(sign)

    def dies(self) -> None:
        """`kill -9`, for good."""
        self.process.kill()
        self.process.wait(10)

    def ends(self, seconds: float = 60) -> int:
        """SIGTERM; how it ended."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


@contextmanager
def running(wanted: Wanted) -> Iterator[Worker]:
    """A worker at work; killed on leaving if it still lives."""
    command = [sys.executable, "-m", "tests.payments.worker"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        watchdog = Timer(_START_SECONDS, process.kill)
        watchdog.start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(wanted.line())
            process.stdin.flush()
            assert process.stdout.readline() == "up\n", f"{wanted.name} did not start"
            watchdog.cancel()
            yield Worker(wanted.name, process)
        finally:
            watchdog.cancel()
            process.kill()


@dataclass
class Street:
    """The households, the house that serves them, and what each side says of the money."""

    house: House
    control: SandboxControl
    town: SandboxHandle
    url: str
    world: World
    made: list[PaymentId] = field(default_factory=list)

    def wanted(self, name: str, **more: Any) -> Wanted:
        # Few at once, so that one worker alone never takes all there is.
        plain = Wanted(
            self.url,
            self.url,
            name,
            self.town.url,
            self.town.secret,
            LEASE_SECONDS,
            scan_seconds=0.5,
            at_once=2,
        )
        return replace(plain, **more)

    async def agree(self, count: int) -> list[PaymentId]:
        """So many households say yes; nothing is sent yet."""
        first = len(self.made)
        for n in range(first, first + count):
            owner, meter = PersonId(f"owner{n}"), AccountId(f"E-{n}")
            self.made.append(await self.house.confirmed(owner, meter, AMOUNT))
        return self.made[first:]

    async def slow_rail(self, seconds: float, charges: int) -> None:
        """The next charges are answered so late: whoever asked has them in his hands meanwhile."""
        await self.control.fault("rail", "slow", seconds=seconds, operation="charge", uses=charges)

    def held_by(self, name: str) -> int:
        """How many payments this process has in its hands."""
        return self.house.store.run_now(lambda tx: _holders(tx)).count(name)

    def idle(self, name: str) -> bool:
        return not self.held_by(name)

    def settled(self, some: list[PaymentId]) -> int:
        """How many of them are done."""
        query = sa.select(sa.func.count()).where(payments.c.id.in_(some), payments.c.state == "settled")
        return self.house.store.run_now(lambda tx: tx.conn.scalar(query) or 0)

    def cut(self, name: str) -> int:
        """The database hangs up on the line that holds this name; how many there were."""
        ended = sa.text(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = :name"
        )
        return self.house.store.run_now(lambda tx: tx.conn.scalar(ended, {"name": f"bangjiao {name}"}) or 0)

    async def all_end(self, some: list[PaymentId]) -> float:
        """Waits until each of them is settled; gives the seconds it took."""
        return await until(lambda: self.settled(some) == len(some), f"{len(some)} payments to end")

    async def judge(self) -> None:
        """Each payment was collected once and written off once, and nothing else was."""
        seen = await self.control.inspect()
        numbers = self.house.store.run_now(lambda tx: sorted(tx.conn.scalars(sa.select(payments.c.number))))
        assert sorted(c.order for c in seen.captures) == numbers
        assert sorted(p.order for p in seen.posts if p.state == "settled") == numbers
        assert {c.amount_fen for c in seen.captures} <= {AMOUNT.fen}


def _holders(tx: Tx) -> list[str]:
    return [holder_of(t) for t in tx.conn.scalars(sa.select(payments.c.lease_owner)) if t]


async def until(holds: Callable[[], bool], what: str, seconds: float = _LONGEST_SECONDS) -> float:
    """Waits for it; gives how many seconds that took."""
    began = time.monotonic()
    while not await asyncio.to_thread(holds):
        assert time.monotonic() - began < seconds, f"waited in vain for {what}"
        await asyncio.sleep(_LOOK_SECONDS)
    return time.monotonic() - began


@asynccontextmanager
async def street(databases: Databases, folder: Path, households: int) -> AsyncIterator[Street]:
    """A fresh town and a fresh PostgreSQL with everybody enrolled."""
    world = crowd(households)
    with start_sandbox(folder, clock="system") as town, databases.url("postgresql") as url:
        control = SandboxControl(town.url, town.control_token)
        await control.load_world(world, SystemClock().now())
        rail, billers = SandboxRail(town.url, town.secret), SandboxBillers(town.url, town.secret)
        store = Store.open(url, SEALER)
        house = House.over(store, SystemClock(), rail=rail, billers=billers)
        store.run_now(lambda tx: enrol_world(tx, world, house.now - timedelta(days=1)))
        try:
            yield Street(house, control, town, url, world)
        finally:
            for closing in (rail, billers, control):
                await closing.aclose()
            store.close()
