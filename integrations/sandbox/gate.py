"""The gate every request of the application passes: it is written down, and a fault may strike it there.

One request is one transaction in the event loop's own thread, so no two of them ever interleave.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import insert

from integrations.ports import Reason
from integrations.sandbox.control_wire import FaultKind, Side
from integrations.sandbox.town import delayed, faults
from integrations.sandbox.town import tables as t
from integrations.sandbox.town.delayed import Mover
from integrations.sandbox.town.faults import Fault, Subject
from integrations.sandbox.town.moment import Moment, Refusal
from integrations.sandbox.wire import Problem

Reply = BaseModel | Response
# Does the work; told the reason to decline with ("" for none) and how to spoil the callback.
Effect = Callable[[Moment, str, str], Reply]
DROP = "bangjiao.drop"  # ASGI extension of our own server process: cut the connection
_HEARTBEAT_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets requests in. `hold_seconds` is how long an answer is withheld at most from a client that never gives up."""

    moment: Callable[[], AbstractContextManager[Moment]]
    after: Callable[[], None]  # wakes the postman
    hold_seconds: float = 60.0

    async def serve(
        self, request: Request, subject: Subject, effect: Effect, mover: Mover | None = None
    ) -> Response:
        """One call: find the fault that strikes it, do (or do not do) its work, answer (or do not answer)."""
        with self.moment() as moment:
            delayed.run_due(moment)
            fault = faults.take(moment, subject)
        try:
            return await self._struck(request, subject, effect, mover, fault)
        finally:
            self.after()

    async def _struck(
        self, request: Request, subject: Subject, effect: Effect, mover: Mover | None, fault: Fault | None
    ) -> Response:
        if fault is None:
            return self._work(subject, effect)
        match fault.kind:
            case FaultKind.DOWN:
                return self._failed(subject, _down_reason(subject.side), 503, "down")
            case FaultKind.ERROR_500:
                return self._failed(subject, Reason.UNKNOWN, 500, "error")
            case FaultKind.TIMEOUT_NEVER_PAID:
                self._note(subject, "never")
                return await self._hold(request)
            case FaultKind.TIMEOUT_THEN_PAID_AFTER:
                self._put_off(subject, mover, fault)
                return await self._hold(request)
            case FaultKind.SLOW:
                answer = self._work(subject, effect)
                return await self._hold(request, fault.seconds, answer)
            case kind if kind in faults.CALLBACK_STYLES:
                return self._work(subject, effect, style=kind.value)
            case FaultKind.PENDING:
                return self._work(subject, effect, verdict="pending")
            case kind if kind in faults.VERDICTS:
                return self._work(subject, effect, verdict=faults.VERDICTS[kind].value)
            case _:
                return _spoilt(fault.kind, self._work(subject, effect))

    def _work(self, subject: Subject, effect: Effect, verdict: str = "", style: str = "") -> Response:
        try:
            with self.moment() as moment:
                reply = effect(moment, verdict, style)
                note(moment, subject, str(getattr(reply, "state", "answered")))
        except Refusal as refusal:
            return self._failed(
                subject, refusal.reason, refusal.status, refusal.reason.value, refusal.message
            )
        if isinstance(reply, Response):
            return reply
        return JSONResponse(reply.model_dump(mode="json"))

    def _failed(
        self, subject: Subject, reason: Reason, status: int, outcome: str, message: str = ""
    ) -> Response:
        self._note(subject, outcome)
        return problem(reason, message or "The sandbox was told to fail here.", status)

    def _note(self, subject: Subject, outcome: str) -> None:
        with self.moment() as moment:
            note(moment, subject, outcome)

    def _put_off(self, subject: Subject, mover: Mover | None, fault: Fault) -> None:
        with self.moment() as moment:
            note(moment, subject, "put_off")
            if mover is not None:
                until = moment.now + timedelta(seconds=fault.seconds)
                delayed.put_off(moment, mover, subject.key, subject.biller, until)

    async def _hold(
        self, request: Request, seconds: float | None = None, answer: Response | None = None
    ) -> Response:
        """Withhold the answer until the client gives up, or until the town's clock has moved on by `seconds`."""
        waiting = asyncio.get_running_loop().time() + self.hold_seconds
        with self.moment() as moment:
            until = moment.now + timedelta(seconds=seconds) if seconds is not None else None
        while not await request.is_disconnected():
            if asyncio.get_running_loop().time() >= waiting:
                break
            with self.moment() as moment:
                if until is not None and moment.now >= until:
                    break
            await asyncio.sleep(_HEARTBEAT_SECONDS)
        return answer or problem(Reason.UNKNOWN, "No answer in time.", 504)


def _spoilt(kind: FaultKind, answer: Response) -> Response:
    """The work is done; what comes back is no usable answer."""
    match kind:
        case FaultKind.ERROR_500_AFTER:
            return problem(Reason.UNKNOWN, "An error after the work was done.", 500)
        case FaultKind.GARBLED_ANSWER:
            return Response(b"<html>gateway busy</html>", media_type="text/html")
        case FaultKind.HALF_ANSWER:
            return HalfAnswer(bytes(answer.body))
        case _:
            return NoAnswer()


def _down_reason(side: Side) -> Reason:
    return Reason.RAIL_DOWN if side is Side.RAIL else Reason.BILLER_DOWN


def note(moment: Moment, subject: Subject, outcome: str) -> None:
    """Write a call down; account numbers are not part of it."""
    moment.db.execute(
        insert(t.calls).values(
            at=moment.now,
            side=subject.side.value,
            operation=subject.operation,
            key=subject.key,
            outcome=outcome,
        )
    )


def problem(reason: Reason, message: str, status: int) -> JSONResponse:
    """A refusal or a failure in the published form."""
    content = Problem(title=reason.value, status=status, reason=reason, message=message)
    return JSONResponse(
        content.model_dump(mode="json"), status_code=status, media_type="application/problem+json"
    )


class NoAnswer(Response):
    """Cuts the connection without a word. Needs the real server: in-process there is no connection to cut."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        drop = scope.get("extensions", {}).get(DROP)
        if drop is None:
            raise RuntimeError("a lost answer needs the sandbox's own server process")
        drop()
        while (await receive())["type"] != "http.disconnect":
            pass  # the rest of a body nobody wants


class HalfAnswer(Response):
    """The first half of an answer whose header promises all of it; the server then cuts the connection."""

    media_type = "application/json"

    async def __call__(self, scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
