"""The sandbox town's rail behind the `PaymentRail` port: charge, hosted page, close, refund, statement, callbacks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta
from hmac import compare_digest

import httpx
from pydantic import ValidationError
from standardwebhooks import Webhook

from data.ids import OrderNumber
from data.money import Money
from integrations.ports import (
    BadSignature,
    CallbackEvent,
    Capabilities,
    Charge,
    Closed,
    GatewayError,
    Health,
    NotSent,
    Outcome,
    OutcomeUnknown,
    Reason,
    Refund,
    Settled,
    Started,
    StartPayment,
    StatementRow,
    Unknown,
)
from integrations.sandbox.control_wire import Side
from integrations.sandbox.http import Asker, looking, moving, outcome_of
from integrations.sandbox.statement_wire import read
from integrations.sandbox.wire import CallbackBody, HealthReply, OutcomeReply, StartedReply

TOLERANCE = timedelta(seconds=300)  # a callback older (or newer) than this is refused
_STAMP_DIGITS = 10  # seconds since 1970 until the year 2286: more digits are a time no calendar has


class SandboxRail:
    """Talks to the town's rail. `secrets` verify its answers and its callbacks; two while a key is being changed."""

    def __init__(
        self,
        base_url: str,
        *secrets: str,
        timeout_seconds: float = 10.0,
        client: httpx.AsyncClient | None = None,
        name: str = "sandbox",
    ) -> None:
        self._town = Asker(base_url, timeout_seconds, client, secrets)
        self._keys = tuple(Webhook(secret) for secret in secrets)
        self._name = name

    @property
    def name(self) -> str:
        """How ledger and statement call this rail."""
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        """The town never forgets a number; a year is what the books promise."""
        return Capabilities(idempotency_window=timedelta(days=365))

    async def charge(self, request: Charge) -> Outcome:
        """Collect from a purse. Raises Refused(DUPLICATE_NUMBER) for a number used with other content."""
        body = {
            "order": request.order,
            "instrument": request.instrument,
            "token": request.token,
            "amount_fen": request.amount.fen,
            "payee": request.payee,
        }
        return await moving(self._town.ask("POST", "/rail/charges", OutcomeReply, body), request.order)

    async def start(self, request: StartPayment) -> Started:
        """Open a hosted page. Raises NotSent, Refused, OutcomeUnknown; asking again opens the same page."""
        body = {
            "order": request.order,
            "amount_fen": request.amount.fen,
            "payee": request.payee,
            "description": request.description,
            "lifetime_seconds": int(request.lifetime.total_seconds()),
        }
        reply = await self._town.ask("POST", "/rail/orders", StartedReply, body)
        if reply.order != request.order:
            raise OutcomeUnknown(Reason.UNKNOWN, "an answer about another number")
        return Started(reply.url, reply.expires_at)

    async def status(self, order: OrderNumber) -> Outcome:
        """What became of an order. NotFound is no proof of failure."""
        return await looking(self._town.ask("GET", f"/rail/orders/{order}", OutcomeReply), order)

    async def close(self, order: OrderNumber) -> Closed | Settled | Unknown:
        """Close a number for ever; Settled when the money came first. Raises Refused for a malformed number."""
        try:
            reply = await self._town.ask("POST", f"/rail/orders/{order}/close", OutcomeReply)
        except NotSent as error:
            return Unknown(str(error), sent=False)
        except OutcomeUnknown as error:
            return Unknown(str(error))
        if reply.number == order and reply.state == "closed":
            return Closed()
        came = outcome_of(reply, order)
        return came if isinstance(came, Settled) else Unknown("neither closed nor collected")

    async def refund(self, request: Refund) -> Outcome:
        """Give back. Raises Refused(DUPLICATE_NUMBER) for a refund number used with other content."""
        body = {"refund": request.refund, "order": request.order, "amount_fen": request.amount.fen}
        return await moving(self._town.ask("POST", "/rail/refunds", OutcomeReply, body), request.refund)

    async def refund_status(self, refund: OrderNumber) -> Outcome:
        """What became of a refund."""
        return await looking(self._town.ask("GET", f"/rail/refunds/{refund}", OutcomeReply), refund)

    def parse_callback(self, raw: bytes, headers: Mapping[str, str], now: datetime) -> CallbackEvent:
        """Verify and read a callback; pure. Raises BadSignature for a forged, tampered, stale or unreadable one."""
        given = {key.lower(): value for key, value in headers.items()}
        event_id = given.get("webhook-id", "")
        self._verify(raw, event_id, given, now)
        try:
            body = CallbackBody.model_validate_json(raw, extra="ignore")
        except ValidationError:
            raise BadSignature(Reason.SIGNATURE, "unreadable callback") from None
        said = body.data
        return CallbackEvent(event_id, OrderNumber(said.order), said.status, Money(said.amount_fen), said.at)

    def _verify(self, raw: bytes, event_id: str, headers: Mapping[str, str], now: datetime) -> None:
        """By the injected clock: the library would compare with the machine's own."""
        stamp = headers.get("webhook-timestamp", "")
        if not event_id or not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _STAMP_DIGITS):
            raise BadSignature(Reason.SIGNATURE, "a header of the signature is missing")
        at = datetime.fromtimestamp(int(stamp), UTC)
        if abs(now - at) > TOLERANCE:
            raise BadSignature(Reason.SIGNATURE, "stale callback")
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            raise BadSignature(Reason.SIGNATURE, "unreadable callback") from None
        right = [key.sign(event_id, at, text).encode() for key in self._keys]
        offered = headers.get("webhook-signature", "").encode().split()
        if not any(compare_digest(one, other) for one in right for other in offered):
            raise BadSignature(Reason.SIGNATURE, "wrong signature")

    async def statement(self, day: date) -> AsyncIterator[StatementRow]:
        """Captures and refunds of a Shanghai day. Raises NotSent, Refused, OutcomeUnknown before the first row."""
        response = await self._town.send("GET", f"/rail/statements/{day.isoformat()}")
        for row in read(response.text, Side.RAIL):
            yield row

    async def health(self) -> Health:
        """Whether the rail answers now."""
        try:
            reply = await self._town.ask("GET", "/health/rail", HealthReply)
        except GatewayError as error:
            return Health(False, error.reason.value)
        return Health(reply.up, reply.detail)

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._town.close()
