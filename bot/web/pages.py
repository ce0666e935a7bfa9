"""All pages together: the first page, the talk, the staff desk, the check of receipts, the gateway's callbacks, health and figures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from bot.web import edge, front, measuring, receipt, staff, talk
from bot.web.house import House, Refused, see_other, templates
from bot.web.live import Streams
from bot.web.measuring import Figures
from bot.web.ports import StaffDesk, Talks
from bot.web.visitors import Seals
from bot.web.wording import Wording
from data.clock import Clock, SystemClock

Callbacks = Callable[[bytes, Mapping[str, str]], Awaitable[tuple[int, str]]]
Health = Callable[[], Awaitable[bool]]

_STATIC = Path(__file__).parent / "static"
_CALM = {404: "not_found", 405: "not_found", 413: "too_big", 500: "trouble"}


def create_pages(
    talks: Talks,
    staff_desk: StaffDesk,
    *,
    secret: str,
    demo: bool,
    clock: Clock | None = None,
    callbacks: Callbacks | None = None,
    healthy: Health | None = None,
    figures: Figures | None = None,
    figures_token: str = "",
    figures_here: bool = False,
    receipts: receipt.Receipts | None = None,
) -> FastAPI:
    """The web application.

    `secret` signs cookies, forms and event ids (16 characters at least). `callbacks` receives the rail's raw body and
    headers at POST /callbacks/rail; `healthy` decides /healthz; `figures` is what /metrics shows to who brings
    `figures_token`, or to this machine where `figures_here`; `receipts` answers /receipt. What is not given has no address.
    """
    streams = Streams()
    house = House(
        talks,
        staff_desk,
        Seals(secret),
        clock or SystemClock(),
        Wording.of_the_house(),
        demo,
        templates(),
        streams,
        receipts is not None,
    )
    app = FastAPI(
        title="bangjiao", docs_url=None, redoc_url=None, openapi_url=None, middleware=_middleware(house)
    )
    for router in (front.routes(house), talk.routes(house), staff.routes(house)):
        app.include_router(router)
    app.include_router(_machines(callbacks, healthy))
    if receipts is not None:
        app.include_router(receipt.routes(house, receipts))
    if figures is not None:
        app.include_router(measuring.routes(figures, figures_token, figures_here))
    app.mount("/static", Kept(directory=_STATIC))
    app.state.streams = streams  # whoever ends the server closes them: bot/web/serving.py
    _calm_answers(app, house)
    return app


def _middleware(house: House) -> list[Middleware]:
    async def instead(request: Request, status: int) -> Response:
        if status == 413:
            return await talk.too_big(house, request)
        return house.notice(request, status, _CALM[status])

    return [Middleware(edge.Headers), Middleware(edge.Guard, answer=instead)]


def _machines(callbacks: Callbacks | None, healthy: Health | None) -> APIRouter:
    """Addresses that machines ask."""
    router = APIRouter()

    @router.get("/healthz")
    async def health() -> Response:
        fine = await healthy() if healthy else True
        return PlainTextResponse("ok" if fine else "not ready", 200 if fine else 503)

    if callbacks is not None:
        receive = callbacks

        @router.post("/callbacks/rail")
        async def callback(request: Request) -> Response:
            status, body = await receive(await request.body(), request.headers)
            return PlainTextResponse(body, status)

    return router


def _calm_answers(app: FastAPI, house: House) -> None:
    """No person ever meets a bare error."""

    @app.exception_handler(Refused)
    async def refused(request: Request, problem: Refused) -> Response:
        return house.notice(request, problem.status, problem.key)

    @app.exception_handler(HTTPException)
    async def http(request: Request, problem: HTTPException) -> Response:
        return house.notice(request, problem.status_code, _CALM.get(problem.status_code, "bad"))

    @app.exception_handler(staff.SignInFirst)
    async def sign_in_first(request: Request, problem: staff.SignInFirst) -> Response:
        if request.method == "GET" and not request.headers.get("hx-request"):
            return see_other("/staff/sign-in")
        return house.notice(request, 401, "stale")


class Kept(StaticFiles):
    """Files that never change under their name; browsers may keep them for a day."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "public, max-age=86400"
        return response
