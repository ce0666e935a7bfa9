"""The town's front: billers, rail and pay page over HTTP, as its OpenAPI contract says, with a control port beside it.

`create_app` builds the whole of it on one database. It keeps nothing in memory that a restart would lose.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.routing import Match

from data import catalogue
from data.town import World
from integrations.ports import Reason
from integrations.sandbox import biller_routes, control_routes, rail_routes, statement_routes
from integrations.sandbox.answer_seal import AnswerSeal
from integrations.sandbox.front_door import Door
from integrations.sandbox.gate import Gate
from integrations.sandbox.spoiling import problem
from integrations.sandbox.town import delayed
from integrations.sandbox.town import world as residents
from integrations.sandbox.town.callbacks import Postman
from integrations.sandbox.town.moment import Books, ClockMode
from integrations.sandbox.town.tables import open_books

_TICK_SECONDS = 0.5


def create_app(
    database_url: str,
    secret: str,
    clock_mode: ClockMode = "system",
    *,
    control_token: str,
    callback_url: str | None = None,
    world: World | None = None,
    hold_seconds: float = 60.0,
    door: Door | None = None,
) -> FastAPI:
    """The sandbox as an ASGI application.

    `secret` signs callbacks (whsec_…), `control_token` opens the control port. `world` settles an empty town only.
    With a virtual clock the town starts at the world's instant; a running clock shows the real time until it is set.
    Without a `door` nobody can be refused a connection.
    """
    books = Books(open_books(database_url), catalogue.load(), clock_mode)
    postman = Postman(books.moment, secret, books.callback_url(callback_url))
    wake = _Waker(postman)
    if world is not None:
        _settle(books, world)
    gate = Gate(books.moment, wake, wake.now, AnswerSeal(secret), hold_seconds)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        ticker = asyncio.create_task(_tick(books, postman))
        yield
        ticker.cancel()
        await postman.close()
        books.engine.dispose()

    app = FastAPI(
        title="bangjiao sandbox",
        version="1.0",
        description="Billers and a payment rail of an invented town.",
        lifespan=lifespan,
    )
    app.include_router(biller_routes.routes(gate))
    app.include_router(rail_routes.routes(gate))
    app.include_router(statement_routes.routes(gate))
    backstairs = control_routes.routes(books, postman, control_token, door)
    app.state.control_contract = lambda: _control_contract(backstairs)
    app.include_router(backstairs, include_in_schema=False)
    _answer_in_problems(app, gate)
    app.openapi = lambda: _contract(app)  # type: ignore[method-assign]
    return app


def _settle(books: Books, world: World) -> None:
    with books.moment() as moment:
        if not residents.settled(moment):
            residents.load(books, moment, residents.world_request(world), set_clock=books.mode == "virtual")


class _Waker:
    """Sends the postman on a round without waiting for him."""

    def __init__(self, postman: Postman) -> None:
        self._postman = postman
        self._rounds: set[asyncio.Task[None]] = set()

    def __call__(self) -> None:
        if self._postman.url is not None:
            task = asyncio.get_running_loop().create_task(self._postman.deliver_due())
            self._rounds.add(task)
            task.add_done_callback(self._rounds.discard)

    async def now(self) -> None:
        """Sends him and waits until he is back."""
        if self._postman.url is not None:
            await self._postman.deliver_due()


async def _tick(books: Books, postman: Postman) -> None:
    """What becomes due by the clock alone happens although nobody asks."""
    while True:
        await asyncio.sleep(_TICK_SECONDS)
        with books.moment() as moment:
            delayed.run_due(moment)
        await postman.deliver_due()


def _answer_in_problems(app: FastAPI, gate: Gate) -> None:
    """Every refusal, even a misspelt address, has the published form."""

    async def bad_request(request: Request, wrong: Exception) -> Response:
        assert isinstance(wrong, RequestValidationError)
        # Where it is wrong, not what was sent: that may be an account number.
        where = ", ".join(".".join(str(part) for part in error["loc"]) for error in wrong.errors())
        answer = problem(Reason.CONFIG, f"The request does not fit the contract: {where}", 422)
        return gate.sealed(request, answer)

    async def http_error(request: Request, wrong: Exception) -> Response:
        assert isinstance(wrong, HTTPException)
        answer = problem(Reason.CONFIG, str(wrong.detail), wrong.status_code)
        answer.headers.update(wrong.headers or {})
        if wrong.status_code == 405:
            answer.headers["allow"] = ", ".join(_methods(app, request))
        return gate.sealed(request, answer)

    app.add_exception_handler(RequestValidationError, bad_request)
    app.add_exception_handler(HTTPException, http_error)


def _methods(app: FastAPI, request: Request) -> list[str]:
    """Every method of an address; the framework names those of its first route only."""
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE")
    asked = [{**request.scope, "method": method} for method in methods]
    return [
        scope["method"]
        for scope in asked
        if any(route.matches(scope)[0] is Match.FULL for route in app.router.routes)
    ]


def _contract(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document; refusals are published under their own media type."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        for path in schema["paths"].values():
            for operation in path.values():
                _as_problems(operation["responses"])
        app.openapi_schema = schema
    return app.openapi_schema


def _control_contract(router: APIRouter) -> dict[str, Any]:
    """The same for the back door, whose addresses are no part of the published contract."""
    schema = get_openapi(title="bangjiao sandbox, control port", version="1.0", routes=router.routes)
    for path in schema["paths"].values():
        for operation in path.values():
            _as_problems(operation["responses"])
    return schema


def _as_problems(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if status >= "400" and "application/json" in response.get("content", {}):
            response["content"] = {"application/problem+json": response["content"]["application/json"]}
