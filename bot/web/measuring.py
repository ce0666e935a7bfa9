"""The address a monitoring program asks: answered to who brings the token, or to this machine where that was asked for."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

Figures = Callable[[], bytes]

_HERE = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
# Behind a proxy everybody seems to be this machine.
_PASSED_ON = ("x-forwarded-for", "forwarded", "x-real-ip")


def routes(figures: Figures, token: str, loopback: bool) -> APIRouter:
    """/metrics. With a token only who brings it is answered, this machine too; without, this machine if `loopback` says so.

    Nobody is answered without either: behind a proxy that adds no header the whole world seems to be this machine.
    """
    router = APIRouter()

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        if not _may_ask(request, token, loopback):
            return PlainTextResponse("not for you", 403)
        told = await run_in_threadpool(figures)
        return Response(told, media_type="text/plain; version=0.0.4; charset=utf-8")

    return router


def _may_ask(request: Request, token: str, loopback: bool) -> bool:
    if token:
        shown = request.headers.get("authorization", "").encode()
        return hmac.compare_digest(shown, f"Bearer {token}".encode())
    passed_on = any(name in request.headers for name in _PASSED_ON)
    return loopback and not passed_on and request.client is not None and request.client.host in _HERE
