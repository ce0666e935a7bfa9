"""The real till against the real town over HTTP: told by callbacks through a small server, judged by what the town testifies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from data.clock import VirtualClock
from data.ids import AccountId, OrderNumber, PaymentId, PersonId
from data.money import Money
from data.store.engine import Store
from data.town import load_world
from integrations.sandbox.biller import SandboxBillers
from integrations.sandbox.control import SandboxControl
from integrations.sandbox.control_wire import Inspection
from integrations.sandbox.rail import SandboxRail
from payments import invariants
from payments.authority.enrol import enrol_world
from payments.callbacks import Callbacks
from payments.limits import Limits
from payments.states import FINAL, Payment, State, read
from tests.databases import SEALER
from tests.payments.household import LIMIN, W_LI, House, catalogue
from tests.servers import SandboxHandle

WATER = Money(4_650)
PATIENCE_SECONDS = 0.2  # how long an answer is waited for: a withheld one costs this much of a test's time
WORLD = load_world()


@dataclass
class Counter:
    """The money rooms with the town as counterparty."""

    house: House
    control: SandboxControl
    verdicts: list[str]

    async def paid(self, person: PersonId = LIMIN, account: AccountId = W_LI) -> PaymentId:
        """A payment carried as far as it goes now."""
        payment = await self.house.confirmed(person, account)
        await self.house.runner.advance_now([payment])
        return payment

    async def later(self, **by: float) -> None:
        """Time passes in town and here; callbacks due meanwhile were tried, and what is due was carried on."""
        self.house.clock.at += timedelta(**by)
        await self.control.advance(timedelta(**by))
        await self.house.runner.due()

    async def settle(self) -> None:
        """As much time as every wait of the till and of the town needs, and then some more."""
        for minutes in (0.2, 2, 5, 31):
            if all(self.row(p).state in FINAL for p in self._payments()):
                break
            await self.later(minutes=minutes)
        await self.later(minutes=7)

    def row(self, payment: PaymentId) -> Payment:
        return self.house.store.run_now(lambda tx: read(tx, payment))

    async def told(self, count: int = 1) -> Inspection:
        """What the town testifies, as soon as it has tried that many callbacks."""
        async with asyncio.timeout(10):
            while True:
                seen = await self.control.inspect()
                if sum(c.attempts for c in seen.callbacks) >= count:
                    return seen
                await asyncio.sleep(0.01)

    async def judge(self, *, at_rest: bool = False) -> Inspection:
        """Nothing taken twice, nothing said that is not so, and nothing left without a next step."""
        seen = await self.control.inspect()
        captures = [(OrderNumber(c.order), Money(c.amount_fen)) for c in seen.captures]
        refunds = {OrderNumber(r.refund): (OrderNumber(r.order), Money(r.amount_fen)) for r in seen.refunds}
        breaches = self.house.store.run_now(
            lambda tx: invariants.check(
                tx, captures, rail_refunds=refunds, catalogue=catalogue(), at_rest=at_rest
            )
        )
        assert breaches == []
        self._judge_words(seen)
        return seen

    def _judge_words(self, seen: Inspection) -> None:
        """What the payer was told is what the town testifies (L2)."""
        collected = {c.order for c in seen.captures}
        returned = {r.order for r in seen.refunds}
        written = {p.order for p in seen.posts if p.state == "settled"}
        for payment in self._payments():
            row, told = self.row(payment), self._told(payment)
            if "captured" in told:
                assert row.number in collected
            if "posted" in told:
                assert row.number in written
            if "refunded" in told:
                assert row.number in returned
            if row.state in (State.FAILED, State.CANCELLED):
                assert "captured" not in told
            assert row.state in FINAL or row.next_at is not None

    def _payments(self) -> list[PaymentId]:
        from data.store.payments import payments

        return [
            PaymentId(r.id)
            for r in self.house.store.run_now(lambda tx: tx.conn.execute(payments.select()).all())
        ]

    def _told(self, payment: PaymentId) -> set[str]:
        from data.store.post import events

        rows = self.house.store.run_now(lambda tx: tx.conn.execute(events.select()).all())
        return {r.kind for r in rows if r.body.get("payment") == payment}


@cache
def _enrolled() -> bytes:
    store = Store.in_memory(SEALER)
    store.run_now(lambda tx: enrol_world(tx, WORLD, WORLD.start - timedelta(days=1)))
    image = store.image()
    store.close()
    return image


@asynccontextmanager
async def counter(
    handle: SandboxHandle, *, told: bool = True, limits: Limits | None = None, store: Store | None = None
) -> AsyncIterator[Counter]:
    """The till and a fresh town; `told`: the town's callbacks come in."""
    control = SandboxControl(handle.control_url, handle.control_token)
    await control.clear_faults()
    await control.callbacks_to(None)
    await control.load_world(WORLD)
    rail = SandboxRail(handle.url, handle.secret, timeout_seconds=PATIENCE_SECONDS)
    billers = SandboxBillers(handle.url, handle.secret, timeout_seconds=PATIENCE_SECONDS)
    clock = VirtualClock((await control.inspect()).now)
    house = House.over(
        store or Store.in_memory(SEALER, _enrolled()), clock, rail=rail, billers=billers, limits=limits
    )
    verdicts: list[str] = []
    async with _letter_box(house.callbacks, verdicts) as url:
        await control.callbacks_to(url if told else None)
        yield Counter(house, control, verdicts)
        await control.clear_faults()
        await control.callbacks_to(None)
    for closing in (rail, billers, control):
        await closing.aclose()


@asynccontextmanager
async def _letter_box(callbacks: Callbacks, verdicts: list[str]) -> AsyncIterator[str]:
    """The smallest server that gives callbacks to the till in the test's own event loop."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        fields = [line.split(": ", 1) for line in head[1:] if line]
        headers = {name.lower(): value for name, value in fields}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        verdict = await callbacks.receive(body, headers)
        verdicts.append(verdict.kind)
        writer.write(
            f"HTTP/1.1 {verdict.status} told\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callbacks"
    server.close()
    await server.wait_closed()
