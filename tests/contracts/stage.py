"""What a contract suite needs around an adapter: purses to fill, bills to change, a clock to move, faults to arrange."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from data.ids import BillerId, InstrumentId, OrderNumber
from data.money import Money
from data.town import load_world
from integrations.ports import BillerNetwork, Charge, PaymentRail, StartPayment
from integrations.sandbox.biller import SandboxBillers
from integrations.sandbox.control import SandboxControl
from integrations.sandbox.rail import SandboxRail
from integrations.sandbox.server import create_app
from tests.servers import SandboxHandle

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # the published example key of Standard Webhooks
TOKEN = "contract-control-token"
WORLD = load_world()
LIMIN = WORLD.instruments[InstrumentId("pm-limin")]
PATIENT_SECONDS = 20.0
IMPATIENT_SECONDS = 0.4  # where a suite withholds the answer


@dataclass(frozen=True)
class SandboxStage:
    """The sandbox's back door in the words of the suites."""

    control: SandboxControl

    async def now(self) -> datetime:
        return (await self.control.inspect()).now

    async def advance(self, **by: float) -> None:
        await self.control.advance(timedelta(**by))

    async def captured(self, order: str) -> list[Money]:
        """What was really collected under this number, one entry a collection."""
        seen = await self.control.inspect()
        return [Money(c.amount_fen) for c in seen.captures if c.order == order]

    async def written_off(self, account: str) -> Money:
        """What the biller has written off for this account."""
        seen = await self.control.inspect()
        return Money(sum(p.amount_fen for p in seen.posts if p.account == account and p.state == "settled"))

    async def callback(self, order: str, **how: Any) -> tuple[bytes, Mapping[str, str]]:
        """A callback as the counterparty would sign it; not delivered."""
        fired = await self.control.callback(order, deliver=False, **how)
        return fired.body.encode(), fired.headers


@dataclass(frozen=True)
class Town:
    """A sandbox in a fresh world and a client that reaches it."""

    url: str
    secret: str
    client: httpx.AsyncClient
    stage: SandboxStage


@dataclass(frozen=True)
class RailCase:
    """One rail with everything its suite needs."""

    rail: PaymentRail
    impatient: PaymentRail  # the same, with a short time-out
    stage: SandboxStage
    nowhere: Callable[[], PaymentRail]  # the same adapter where nobody listens
    purse: InstrumentId
    token: str
    funds: Money
    payee: BillerId

    def charge(self, order: str, fen: int = 4_650) -> Charge:
        return Charge(OrderNumber(order), self.purse, self.token, Money(fen), self.payee)

    def page(self, order: str, fen: int = 4_650, minutes: int = 15) -> StartPayment:
        return StartPayment(
            OrderNumber(order), Money(fen), self.payee, "水费 尾号6677", timedelta(minutes=minutes)
        )


@dataclass(frozen=True)
class BillerCase:
    """One biller network with everything its suite needs."""

    network: BillerNetwork
    impatient: BillerNetwork  # the same, with a short time-out
    stage: SandboxStage
    nowhere: Callable[[], BillerNetwork]  # the same adapter where nobody listens


@asynccontextmanager
async def in_process() -> AsyncIterator[Town]:
    """The sandbox as an ASGI application: quick, but without time-outs and cut connections."""
    app = create_app("sqlite://", SECRET, "virtual", control_token=TOKEN, world=WORLD)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as client:
        yield Town("http://town", SECRET, client, SandboxStage(SandboxControl("http://town", TOKEN, client)))


@asynccontextmanager
async def over_http(handle: SandboxHandle) -> AsyncIterator[Town]:
    """The sandbox as a process of its own, its world put back to the beginning."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        control = SandboxControl(handle.url, handle.control_token, client)
        await control.load_world(WORLD)
        yield Town(handle.url, handle.secret, client, SandboxStage(control))


def silent_address() -> str:
    """An address of this machine where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def rail_case(town: Town) -> RailCase:
    def rail(url: str, seconds: float, client: httpx.AsyncClient | None) -> SandboxRail:
        return SandboxRail(url, town.secret, client=client, timeout_seconds=seconds)

    return RailCase(
        rail(town.url, PATIENT_SECONDS, town.client),
        rail(town.url, IMPATIENT_SECONDS, town.client),
        town.stage,
        lambda: rail(silent_address(), PATIENT_SECONDS, None),
        purse=LIMIN.instrument.id,
        token=LIMIN.instrument.token,
        funds=LIMIN.funds,
        payee=BillerId("bj-water"),
    )


def biller_case(town: Town) -> BillerCase:
    return BillerCase(
        SandboxBillers(town.url, town.secret, client=town.client, timeout_seconds=PATIENT_SECONDS),
        SandboxBillers(town.url, town.secret, client=town.client, timeout_seconds=IMPATIENT_SECONDS),
        town.stage,
        lambda: SandboxBillers(silent_address(), timeout_seconds=PATIENT_SECONDS),
    )
