"""Where the daily files are fetched, and the back door through which they are spoilt."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from integrations.sandbox.biller_routes import PROBLEMS
from integrations.sandbox.control_wire import Done, Side
from integrations.sandbox.gate import Gate
from integrations.sandbox.statement_wire import StatementFault, written
from integrations.sandbox.town import statements
from integrations.sandbox.town.faults import Subject
from integrations.sandbox.town.moment import Books, Moment
from integrations.sandbox.wire import Day

_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


def routes(gate: Gate) -> APIRouter:
    """The router of both parties' files."""
    router = APIRouter(tags=["statements"], responses=PROBLEMS)

    @router.get("/rail/statements/{day}", response_class=Response, responses=_CSV)
    async def of_rail(request: Request, day: Day) -> Response:
        return await _served(gate, request, Side.RAIL, day)

    @router.get("/statements/billers/{day}", response_class=Response, responses=_CSV)
    async def of_billers(request: Request, day: Day) -> Response:
        return await _served(gate, request, Side.BILLER, day)

    return router


async def _served(gate: Gate, request: Request, side: Side, day: Day) -> Response:
    def effect(moment: Moment, _verdict: str, _style: str) -> Response:
        rows = statements.file_of(moment, side, day)
        return Response("<html>" if rows is None else written(rows), media_type="text/csv")

    return await gate.serve(request, Subject(side, "statement"), effect)


def control(router: APIRouter, books: Books) -> None:
    """The back door: what shall be wrong with a file."""

    @router.post("/statement_faults")
    async def arrange(body: StatementFault) -> Done:
        with books.moment() as moment:
            statements.arrange(moment, body)
        return Done()
