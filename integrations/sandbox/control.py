"""The key to the town's back door: moves its clock, arranges faults, changes bills and purses, asks what happened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal

import httpx
from pydantic import TypeAdapter

from data.money import Money
from data.town import World
from integrations.sandbox.control_wire import (
    AccountChange,
    AckMode,
    AckRequest,
    Address,
    CallbackFired,
    CallbackRequest,
    ClockReply,
    ClockRequest,
    FaultRequest,
    Funds,
    Inspection,
    SeedRequest,
    Side,
)
from integrations.sandbox.fault_kinds import FaultKind
from integrations.sandbox.http import verification
from integrations.sandbox.statement_wire import StatementFault, StatementFaultKind
from integrations.sandbox.town.world import world_request
from integrations.sandbox.wire import Shape

_DURATION = re.compile(r"^(\d+)(s|m|h|d)$")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class ControlError(Exception):
    """The control port refused: a mistake of the test or the script, told in its words."""


class SandboxControl:
    """Client of the control port. Every method returns when its effect is there."""

    def __init__(self, base_url: str, token: str, client: httpx.AsyncClient | None = None) -> None:
        self._client = client or httpx.AsyncClient(trust_env=False, timeout=30, verify=verification(base_url))
        self._base = base_url.rstrip("/") + "/control"
        self._headers = {"Authorization": f"Bearer {token}"}

    async def load_world(self, world: World, now: datetime | None = None) -> None:
        """Forget everything and start with this town, at `now` or at the world's own start."""
        request = world_request(world)
        await self._post("/world", request.model_copy(update={"now": now}) if now else request)

    async def set_clock(self, at: datetime) -> datetime:
        """Move the clock to an instant; never backwards. What is due meanwhile has happened on return."""
        return await self._clock(ClockRequest(at=at))

    async def advance(self, by: timedelta) -> datetime:
        """Move the clock forward. What is due meanwhile has happened, and its callbacks were tried, on return."""
        return await self._clock(ClockRequest(seconds=by.total_seconds()))

    async def fault(
        self,
        side: Side | Literal["biller", "rail"],
        kind: FaultKind | str,
        *,
        seconds: float = 0,
        account: str | None = None,
        order: str | None = None,
        operation: str | None = None,
        uses: int | None = None,
    ) -> None:
        """Arrange a fault for an account, an order, or (neither) the next call; see FaultRequest."""
        request = FaultRequest(
            side=Side(side),
            kind=FaultKind(kind),
            seconds=seconds,
            account=account,
            order=order,
            operation=operation,
            uses=uses,
        )
        await self._post("/faults", request)

    async def plan(self, side: Side | Literal["biller", "rail"], operation: str, *kinds: str) -> None:
        """What strikes the next calls of one operation, in this order; "none" lets one pass."""
        for kind in kinds:
            await self.fault(side, kind, operation=operation, uses=1)

    async def seed_faults(self, seed: int, *kinds: FaultKind | str, percent: int = 25) -> None:
        """Let chance make trouble: the same seed, kinds and calls always make the same. No kinds: all it may choose."""
        chosen = tuple(FaultKind(kind) for kind in kinds)
        await self._post("/seed", SeedRequest(seed=seed, percent=percent, kinds=chosen))

    async def known_faults(self) -> dict[str, str]:
        """Every fault that can be asked for, and what it means."""
        return {row["kind"]: row["meaning"] for row in await self._ask("GET", "/faults")}

    async def clear_faults(self, side: Side | Literal["biller", "rail"] | None = None) -> None:
        """Everything (of one side) works again."""
        query = {"side": Side(side).value} if side else None
        await self._ask("DELETE", "/faults", params=query)

    async def statement_fault(
        self,
        side: Side | Literal["biller", "rail"],
        day: date,
        kind: StatementFaultKind | str,
        *,
        order: str | None = None,
        until: datetime | None = None,
    ) -> None:
        """Arrange what is wrong with one party's file of a day: `order` says whose row, without it the first one."""
        fault = StatementFault(
            side=Side(side), day=day, kind=StatementFaultKind(kind), order=order, until=until
        )
        await self._post("/statement_faults", fault)

    async def change_account(self, account: str, **change: Any) -> None:
        """Keys of AccountChange: due_fen, due_date, balance_fen, daily_use_fen, paid_elsewhere_fen, used_fen, acks."""
        await self._post(f"/accounts/{account}", AccountChange(**change))

    async def set_funds(self, purse: str, funds: Money) -> None:
        """What is in a purse from now on."""
        await self._post(f"/purses/{purse}", Funds(funds_fen=funds.fen))

    async def acks(self, mode: Literal["immediate", "manual"]) -> None:
        """When billers acknowledge: at once, or when `acknowledge` says so."""
        await self._post("/ack_mode", AckMode(acks=mode))

    async def callbacks_to(self, url: str | None) -> None:
        """Where the rail tells the application what happened; None = keep the messages."""
        await self._post("/callback_url", Address(url=url))

    async def acknowledge(self, account: str, amount: Money) -> None:
        """The biller acknowledges a withheld posting. Raises ControlError when none waits."""
        await self._post("/acks", AckRequest(account=account, amount_fen=amount.fen))

    async def capture(self, order: str) -> None:
        """The rail collects a pending, put-off or hosted order now, and sends its callback."""
        await self._ask("POST", f"/orders/{order}/capture")

    async def callback(self, order: str, status: str = "paid", **how: Any) -> CallbackFired:
        """Fire a callback; further keys of CallbackRequest: signature, amount_fen, age_seconds, event_id, deliver."""
        request = CallbackRequest.model_validate({"order": order, "status": status, **how})
        return CallbackFired.model_validate(await self._post("/callbacks", request))

    async def inspect(self) -> Inspection:
        """What the town testifies."""
        return TypeAdapter(Inspection).validate_python(await self._ask("GET", "/inspect"))

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._client.aclose()

    async def _clock(self, request: ClockRequest) -> datetime:
        return ClockReply.model_validate(await self._post("/clock", request)).now

    async def _post(self, path: str, body: Shape) -> Any:
        return await self._ask("POST", path, body.model_dump(mode="json", exclude_unset=True))

    async def _ask(
        self, method: str, path: str, body: Any = None, params: Mapping[str, str] | None = None
    ) -> Any:
        response = await self._client.request(
            method, self._base + path, json=body, params=params, headers=self._headers
        )
        if not response.is_success:
            raise ControlError(f"{response.status_code} {response.text[:200]}")
        return response.json()


def read_fault(words: str | Mapping[str, str]) -> tuple[FaultKind, float]:
    """A fault as acceptance scripts write it ("declined", {"slow": "20s"}): its kind and its seconds. Raises ValueError."""
    if isinstance(words, str):
        return FaultKind(words), 0.0
    ((kind, length),) = words.items()
    match = _DURATION.match(length)
    if match is None:
        raise ValueError(f"not a length of time: {length!r}")
    return FaultKind(kind), float(int(match[1]) * _UNIT_SECONDS[match[2]])
