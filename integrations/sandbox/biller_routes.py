"""The billers' addresses: form, look-up, name check, quote, write-off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from integrations.ports import Reason
from integrations.sandbox.control_wire import Side
from integrations.sandbox.gate import Effect, Gate, Reply
from integrations.sandbox.town import billers, faults
from integrations.sandbox.town.faults import Subject
from integrations.sandbox.town.moment import Moment, Refusal
from integrations.sandbox.wire import (
    BalancesReply,
    BillerReply,
    FindRequest,
    FormReply,
    HealthReply,
    HintReply,
    HolderReply,
    NumberRequest,
    NumbersRequest,
    OutcomeReply,
    PostRequest,
    Problem,
    QuoteReply,
    UsageReply,
    UsageRequest,
)

Biller = Annotated[str, Path(pattern=r"^[a-z_-]{3,40}$")]
OrderKey = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text}
    for status, text in (
        (400, "Not readable"),
        (404, "Not known here"),
        (409, "Refused for a reason"),
        (422, "Does not fit the contract or the amount rule"),
        (500, "Failed; whether it had its effect is not said"),
        (503, "Not in service"),
        (504, "No answer in time"),
    )
}


_REASONS = frozenset(reason.value for reason in faults.VERDICTS.values())


def routes(gate: Gate) -> APIRouter:
    """The router of the billers."""
    router = APIRouter(tags=["billers"], responses=PROBLEMS)
    _who_they_are(router, gate)
    _accounts(router, gate)
    _write_off(router, gate)
    return router


def _who_they_are(router: APIRouter, gate: Gate) -> None:
    @router.get("/health/billers", response_model=HealthReply)
    async def health(request: Request) -> Response:
        return await _ask(gate, request, Subject(Side.BILLER, "health"), lambda moment: HealthReply(up=True))

    @router.get("/billers", response_model=list[BillerReply])
    async def all_billers(request: Request) -> Response:
        return await _ask(gate, request, Subject(Side.BILLER, "billers"), _all)

    @router.get("/billers/{biller}/form", response_model=FormReply)
    async def form(request: Request, biller: Biller) -> Response:
        subject = Subject(Side.BILLER, "form", biller)
        return await _ask(
            gate, request, subject, lambda moment: billers.form_reply(billers.biller_of(moment, biller))
        )


def _accounts(router: APIRouter, gate: Gate) -> None:
    @router.post("/billers/{biller}/find", response_model=list[HintReply])
    async def find(request: Request, biller: Biller, body: FindRequest) -> Response:
        subject = Subject(Side.BILLER, "find", biller)
        return await _ask(gate, request, subject, lambda moment: _listed(billers.find(moment, biller, body)))

    @router.post("/billers/{biller}/holder", response_model=HolderReply)
    async def holder(request: Request, biller: Biller, body: NumberRequest) -> Response:
        subject = Subject(Side.BILLER, "holder", biller, body.number)
        return await _ask(gate, request, subject, lambda moment: billers.holder(moment, biller, body))

    @router.post("/billers/{biller}/quotes", response_model=QuoteReply)
    async def quote(request: Request, biller: Biller, body: NumberRequest) -> Response:
        subject = Subject(Side.BILLER, "query", biller, body.number)
        return await _ask(gate, request, subject, lambda moment: billers.quote(moment, biller, body))

    @router.post("/billers/{biller}/balances", response_model=BalancesReply)
    async def balances(request: Request, biller: Biller, body: NumbersRequest) -> Response:
        subject = Subject(Side.BILLER, "balances", biller)
        return await _ask(gate, request, subject, lambda moment: billers.balances(moment, biller, body))

    @router.post("/billers/{biller}/usage", response_model=UsageReply)
    async def usage(request: Request, biller: Biller, body: UsageRequest) -> Response:
        subject = Subject(Side.BILLER, "usage", biller, body.number)
        return await _ask(gate, request, subject, lambda moment: billers.usage(moment, biller, body))


def _write_off(router: APIRouter, gate: Gate) -> None:
    @router.post("/billers/{biller}/posts", response_model=OutcomeReply)
    async def post(request: Request, biller: Biller, body: PostRequest) -> Response:
        def effect(moment: Moment, verdict: str, style: str) -> Reply:
            told = Reason(verdict) if verdict in _REASONS else None
            return billers.post(moment, biller, body, withhold=verdict == "pending", verdict=told)

        subject = Subject(Side.BILLER, "post", biller, body.number, body.order)
        return await gate.serve(request, subject, effect, body)

    @router.get("/billers/{biller}/posts/{order}", response_model=OutcomeReply)
    async def post_status(request: Request, biller: Biller, order: OrderKey) -> Response:
        subject = Subject(Side.BILLER, "post_status", biller, key=order)
        return await _ask(gate, request, subject, lambda moment: billers.post_status(moment, biller, order))


async def _ask(gate: Gate, request: Request, subject: Subject, look: Callable[[Moment], Reply]) -> Response:
    """A question: nothing of it can be put off, and no callback follows."""
    return await gate.serve(request, subject, _heeding_verdicts(lambda moment, verdict, style: look(moment)))


def _heeding_verdicts(effect: Effect) -> Effect:
    """A biller told to decline refuses before it looks at anything."""

    def judged(moment: Moment, verdict: str, style: str) -> Reply:
        if verdict in _REASONS:
            raise Refusal(Reason(verdict), "This biller takes no payments now.", 409)
        return effect(moment, verdict, style)

    return judged


def _all(moment: Moment) -> Reply:
    return _listed(tuple(billers.biller_reply(b) for b in moment.book.billers()))


def _listed(rows: tuple[BillerReply, ...] | tuple[HintReply, ...]) -> Reply:
    return JSONResponse([row.model_dump(mode="json") for row in rows])
