"""The rail's addresses: charge, hosted page, status, close, refund; and the page on which a payer pays himself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path as File
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader
from sqlalchemy import Row

from data.money import Money
from integrations.sandbox.biller_routes import PROBLEMS, OrderKey
from integrations.sandbox.control_wire import Side
from integrations.sandbox.gate import Gate, Reply
from integrations.sandbox.spoiling import problem
from integrations.sandbox.town import delayed, rail
from integrations.sandbox.town.delayed import Mover
from integrations.sandbox.town.faults import Subject
from integrations.sandbox.town.moment import Moment, Refusal
from integrations.sandbox.wire import (
    ChargeRequest,
    HealthReply,
    OutcomeReply,
    RefundRequest,
    StartedReply,
    StartRequest,
)

_PAGES = Environment(loader=FileSystemLoader(File(__file__).parent / "templates"), autoescape=True)
PageKey = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{10,40}$")]


def routes(gate: Gate) -> APIRouter:
    """The router of the rail and its pay page."""
    router = APIRouter(tags=["rail"], responses=PROBLEMS)
    _collect(router, gate)
    _orders(router, gate)
    _refunds(router, gate)
    _reports(router, gate)
    router.include_router(_pages(gate), include_in_schema=False)
    return router


def _collect(router: APIRouter, gate: Gate) -> None:
    @router.post("/rail/charges", response_model=OutcomeReply)
    async def charge(request: Request, body: ChargeRequest) -> Response:
        def effect(moment: Moment, verdict: str, style: str) -> Reply:
            return rail.charge(moment, body, verdict, style)

        subject = Subject(Side.RAIL, "charge", body.payee, key=body.order)
        return await gate.serve(request, subject, effect, body)

    @router.post("/rail/orders", response_model=StartedReply)
    async def start(request: Request, body: StartRequest) -> Response:
        def effect(moment: Moment, verdict: str, style: str) -> Reply:
            return _started(request, rail.start(moment, body, style))

        subject = Subject(Side.RAIL, "start", body.payee, key=body.order)
        return await gate.serve(request, subject, effect, body)


def _orders(router: APIRouter, gate: Gate) -> None:
    @router.get("/rail/orders/{order}", response_model=OutcomeReply)
    async def status(request: Request, order: OrderKey) -> Response:
        return await _ask(gate, request, "status", lambda moment: rail.status(moment, order), order)

    @router.post("/rail/orders/{order}/close", response_model=OutcomeReply)
    async def close(request: Request, order: OrderKey) -> Response:
        return await _ask(gate, request, "close", lambda moment: rail.close(moment, order), order)


def _refunds(router: APIRouter, gate: Gate) -> None:
    @router.post("/rail/refunds", response_model=OutcomeReply)
    async def refund(request: Request, body: RefundRequest) -> Response:
        return await _ask(
            gate, request, "refund", lambda moment: rail.refund(moment, body), body.refund, body
        )

    @router.get("/rail/refunds/{refund}", response_model=OutcomeReply)
    async def refund_status(request: Request, refund: OrderKey) -> Response:
        return await _ask(
            gate, request, "refund_status", lambda moment: rail.refund_status(moment, refund), refund
        )


def _reports(router: APIRouter, gate: Gate) -> None:
    @router.get("/health/rail", response_model=HealthReply)
    async def health(request: Request) -> Response:
        return await _ask(gate, request, "health", lambda moment: HealthReply(up=True))


async def _ask(
    gate: Gate,
    request: Request,
    operation: str,
    work: Callable[[Moment], Reply],
    key: str = "",
    mover: Mover | None = None,
) -> Response:
    """A call about a number, with no payee and no verdict of its own."""
    subject = Subject(Side.RAIL, operation, key=key)
    return await gate.serve(request, subject, lambda moment, verdict, style: work(moment), mover)


def _pages(gate: Gate) -> APIRouter:
    """The hosted page. It works without JavaScript; what it does to the order, a callback tells the application."""
    router = APIRouter()

    @router.get("/pay/{key}")
    async def show(key: PageKey) -> Response:
        with gate.moment() as moment:
            delayed.run_due(moment)
            try:
                return _page(moment, rail.page(moment, key))
            except Refusal as refusal:
                return problem(refusal.reason, refusal.message, refusal.status)

    @router.post("/pay/{key}")
    async def decide(key: PageKey, action: Annotated[Literal["pay", "cancel"], Form()]) -> Response:
        with gate.moment() as moment:
            try:
                order = rail.page(moment, key).number
            except Refusal as refusal:
                return problem(refusal.reason, refusal.message, refusal.status)
            if action == "pay":
                rail.capture(moment, order)
            else:
                rail.close(moment, order)
        gate.after()
        return RedirectResponse(f"/pay/{key}", status_code=303)

    return router


def _page(moment: Moment, row: Row[Any]) -> Response:
    words = moment.book.biller(row.payee).name
    amount = Money(row.amount)
    html = _PAGES.get_template("pay.html").render(row=row, payee=words, amount=amount)
    return HTMLResponse(html, status_code=410 if row.state == "closed" else 200)


def _started(request: Request, row: Row[Any]) -> Reply:
    url = str(request.base_url).rstrip("/") + f"/pay/{row.page}"
    return StartedReply(order=row.number, url=url, expires_at=row.expires_at)
