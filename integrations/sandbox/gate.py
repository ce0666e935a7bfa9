"""The gate every request of the application passes: it is written down, and a fault may strike it there.

One request is one transaction in the event loop's own thread, so no two of them ever interleave.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import insert

from integrations.ports import Reason
from integrations.sandbox.answer_seal import ASKED, AnswerSeal
from integrations.sandbox.control_wire import Side
from integrations.sandbox.fault_kinds import FaultKind
from integrations.sandbox.spoiling import problem, spoilt
from integrations.sandbox.town import delayed, faults
from integrations.sandbox.town import tables as t
from integrations.sandbox.town.callbacks import another_hand
from integrations.sandbox.town.delayed import Mover
from integrations.sandbox.town.faults import Fault, Subject
from integrations.sandbox.town.moment import Moment, Refusal
from integrations.sandbox.wire import HealthReply

Reply = BaseModel | Response
# Does the work; told the reason to decline with ("" for none) and how to spoil the callback.
Effect = Callable[[Moment, str, str], Reply]
_HEARTBEAT_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Call:
    """One request: what it is about, what it does, what could be done later in its stead, how it is told about."""

    subject: Subject
    effect: Effect
    mover: Mover | None
    style: str


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets requests in. `hold_seconds` is how long an answer is withheld at most from a client that never gives up."""

    moment: Callable[[], AbstractContextManager[Moment]]
    after: Callable[[], None]  # wakes the postman
    deliver: Callable[[], Awaitable[None]]  # sends him on his way and waits for him
    seal: AnswerSeal
    hold_seconds: float = 60.0

    async def serve(
        self, request: Request, subject: Subject, effect: Effect, mover: Mover | None = None
    ) -> Response:
        """One call: find the faults that strike it, do (or do not do) its work, answer (or do not answer)."""
        with self.moment() as moment:
            delayed.run_due(moment)
            fault, told = faults.take(moment, subject)
        try:
            answer = await self._struck(
                request, Call(subject, effect, mover, told.style if told else ""), fault
            )
            if told is not None and told.kind is FaultKind.EARLY_CALLBACK:
                await self.deliver()
        finally:
            self.after()
        return self.sealed(
            request, answer, forged=bool(fault and fault.kind is FaultKind.WRONG_ANSWER_SIGNATURE)
        )

    def sealed(self, request: Request, answer: Response, *, forged: bool = False) -> Response:
        """The answer with the town's signature over it; `forged`, with somebody else's."""
        with self.moment() as moment:
            now = moment.now
        asked = request.headers.get(ASKED, "")
        for name, value in self.seal.sign(asked, answer.status_code, now, bytes(answer.body)).items():
            answer.headers[name] = another_hand(value) if forged and "," in value else value
        return answer

    async def _struck(self, request: Request, call: Call, fault: Fault | None) -> Response:
        if fault is None or fault.kind is FaultKind.NONE:
            return self._work(call)
        subject = call.subject
        match fault.kind:
            case FaultKind.DOWN:
                return self._failed(subject, _down_reason(subject.side), 503, "down")
            case FaultKind.HEALTH_DOWN:
                return JSONResponse(HealthReply(up=False, detail="told to say so").model_dump())
            case FaultKind.ERROR_500:
                return self._failed(subject, Reason.UNKNOWN, 500, "error")
            case FaultKind.RATE_LIMITED:
                return self._failed(subject, Reason.RATE_LIMITED, 429, "too many")
            case FaultKind.TIMEOUT_NEVER_PAID:
                self._note(subject, "never")
                return await self._hold(request)
            case FaultKind.TIMEOUT_THEN_PAID_AFTER:
                self._put_off(call, fault)
                return await self._hold(request)
            case FaultKind.SLOW:
                answer = self._work(call)
                return await self._hold(request, fault.seconds, answer)
            case FaultKind.MONEY_AFTER_THE_END:
                return self._breaks_its_word(call, fault)
            case FaultKind.PENDING:
                return self._work(call, verdict="pending")
            case kind if kind in faults.VERDICTS:
                return self._work(call, verdict=faults.VERDICTS[kind].value)
            case _:
                return spoilt(fault.kind, self._work(call))

    def _work(self, call: Call, verdict: str = "") -> Response:
        subject = call.subject
        try:
            with self.moment() as moment:
                reply = call.effect(moment, verdict, call.style)
                note(moment, subject, str(getattr(reply, "state", "answered")))
        except Refusal as refusal:
            if refusal.keep is not None:
                with self.moment() as moment:
                    refusal.keep(moment)
            return self._failed(
                subject, refusal.reason, refusal.status, refusal.reason.value, refusal.message
            )
        if isinstance(reply, Response):
            return reply
        return JSONResponse(reply.model_dump(mode="json"))

    def _breaks_its_word(self, call: Call, fault: Fault) -> Response:
        """A no now, and the money all the same later."""
        answer = self._work(call, verdict=Reason.DECLINED.value if call.subject.operation == "charge" else "")
        with self.moment() as moment:
            delayed.put_off_money(moment, call.subject.key, moment.now + timedelta(seconds=fault.seconds))
        return answer

    def _failed(
        self, subject: Subject, reason: Reason, status: int, outcome: str, message: str = ""
    ) -> Response:
        self._note(subject, outcome)
        return problem(reason, message or "The sandbox was told to fail here.", status)

    def _note(self, subject: Subject, outcome: str) -> None:
        with self.moment() as moment:
            note(moment, subject, outcome)

    def _put_off(self, call: Call, fault: Fault) -> None:
        subject = call.subject
        with self.moment() as moment:
            note(moment, subject, "put_off")
            if call.mover is not None:
                until = moment.now + timedelta(seconds=fault.seconds)
                delayed.put_off(moment, call.mover, subject.key, subject.biller, until, call.style)

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
