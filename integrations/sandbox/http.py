"""Asking the sandbox over HTTP, and saying truly what came of it: not sent, refused, or nobody knows.

A refusal counts only in the published form. A 404 or 409 by something in between is no answer at all.
"""

from __future__ import annotations

import logging
import secrets
import ssl
import sys
from collections.abc import Awaitable, Mapping
from datetime import timedelta
from importlib.util import find_spec
from typing import Any, TypeVar, cast

import httpx
from pydantic import TypeAdapter, ValidationError

from data.money import Money
from integrations.ports import (
    BadSignature,
    Declined,
    GatewayError,
    NotFound,
    NotSent,
    Outcome,
    OutcomeUnknown,
    Pending,
    Reason,
    Refused,
    Settled,
    Unknown,
)
from integrations.sandbox.answer_seal import ASKED, AnswerSeal
from integrations.sandbox.wire import OutcomeReply, Problem

log = logging.getLogger("bangjiao.sandbox")
Reply = TypeVar("Reply")
_CONNECT_SECONDS = 2.0
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

# The HTTP library asks for this optional module several times a call; one that is not there is looked for on the whole
# path each time, which is a tenth of what a payment costs. Known to be missing, it is not looked for.
if "sniffio" not in sys.modules and find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]


def verification(base_url: str) -> ssl.SSLContext | bool:
    """Certificates are loaded where they are needed: for an http address that is 0.1 s for nothing."""
    return True if base_url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Asker:
    """One HTTP client for one counterparty. With keys, an answer that is not signed for this very question is none."""

    def __init__(
        self,
        base_url: str,
        timeout_seconds: float,
        client: httpx.AsyncClient | None = None,
        keys: tuple[str, ...] = (),
    ) -> None:
        self._seal = AnswerSeal(*keys)
        # The sandbox stands on this machine: a proxy of the environment has no business between.
        self._client = client or httpx.AsyncClient(trust_env=False, verify=verification(base_url))
        self._base = base_url.rstrip("/")
        self._readers: dict[type, TypeAdapter[Any]] = {}
        # Only the answer is waited for shortly: a machine that stalls while a connection is made has refused nothing.
        made = max(timeout_seconds, _CONNECT_SECONDS)
        self._timeout = httpx.Timeout(timeout_seconds, connect=made, pool=made)

    async def ask(
        self, method: str, path: str, shape: type[Reply], body: Mapping[str, Any] | None = None
    ) -> Reply:
        """The answer in its shape; fields a later contract may add are passed over. Raises NotSent, Refused, OutcomeUnknown."""
        response = await self.send(method, path, body)
        try:
            return self._reader(shape).validate_json(response.content, extra="ignore")
        except ValidationError:
            raise OutcomeUnknown(Reason.UNKNOWN, "an answer that is none") from None

    async def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """A 2xx response. Raises NotSent, Refused or OutcomeUnknown (BadSignature among them)."""
        question = secrets.token_hex(8)
        try:
            response = await self._client.request(
                method, self._base + path, json=body, timeout=self._timeout, headers={ASKED: question}
            )
        except _NEVER_LEFT as error:
            raise NotSent(Reason.NOT_SENT, type(error).__name__) from None
        except httpx.HTTPError as error:
            raise OutcomeUnknown(Reason.UNKNOWN, type(error).__name__) from None
        self._verify(question, response)
        if response.is_success:
            return response
        raise _refusal(response)

    def _reader(self, shape: type[Reply]) -> TypeAdapter[Reply]:
        """Made once for each shape."""
        if shape not in self._readers:
            self._readers[shape] = TypeAdapter(shape)
        return cast("TypeAdapter[Reply]", self._readers[shape])

    def _verify(self, question: str, response: httpx.Response) -> None:
        """A yes and a no count only when they are signed; what says neither needs no signature to be nothing."""
        says_something = response.is_success or _problem(response) is not None
        if not self._seal or not says_something:
            return
        try:
            self._seal.verify(question, response.status_code, response.headers, response.content)
        except BadSignature:
            log.error("alarm: an answer that the counterparty did not sign")
            raise

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()


def _refusal(response: httpx.Response) -> Refused | OutcomeUnknown:
    problem = _problem(response)
    if problem is None:
        return OutcomeUnknown(Reason.UNKNOWN, f"HTTP {response.status_code}")
    definite = 400 <= response.status_code < 500 and response.status_code != 429
    return (Refused if definite else OutcomeUnknown)(problem.reason, f"HTTP {response.status_code}")


def _problem(response: httpx.Response) -> Problem | None:
    if response.headers.get("content-type", "").split(";")[0] != "application/problem+json":
        return None
    try:
        return Problem.model_validate_json(response.content, extra="ignore")
    except ValidationError:
        return None


def outcome_of(reply: OutcomeReply, number: str) -> Outcome:
    """A reply about this number as an outcome; a reply about another number is no answer."""
    if reply.number != number:
        return Unknown("an answer about another number")
    match reply.state:
        case "settled" if reply.at is not None and reply.reference and reply.amount_fen > 0:
            return Settled(reply.reference, Money(reply.amount_fen), reply.at)
        case "pending":
            return Pending(timedelta(seconds=reply.poll_after_seconds))
        case "declined" if reply.reason is not None:
            return Declined(reply.reason)
        case "closed":
            return Declined(Reason.CLOSED)
        case "not_found":
            return NotFound()
        case _:
            return Unknown("an answer that says nothing definite")


async def moving(asked: Awaitable[OutcomeReply], number: str) -> Outcome:
    """The outcome of a call that moves money or writes off. Raises Refused only for a number used with other content.

    That one is our own mistake, and says nothing about what the number did before.
    """
    try:
        return outcome_of(await asked, number)
    except NotSent as error:
        return Unknown(str(error), sent=False)
    except OutcomeUnknown as error:
        return Unknown(str(error))
    except Refused as refused:
        if refused.reason is Reason.DUPLICATE_NUMBER:
            raise
        return Declined(refused.reason)


async def looking(asked: Awaitable[OutcomeReply], number: str) -> Outcome:
    """The outcome of a question about a number: what is refused here says nothing about the number."""
    try:
        return outcome_of(await asked, number)
    except GatewayError as error:
        return Unknown(str(error), sent=not isinstance(error, NotSent))
