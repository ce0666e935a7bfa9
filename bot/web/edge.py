"""What holds for every page: nothing foreign is loaded, nothing too big is read, nothing private is logged."""

from __future__ import annotations

import time
import traceback
from collections.abc import Awaitable, Callable

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("web")

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
FORM_BYTES = 16 * 1024
SAY_BYTES = 256 * 1024  # what somebody wrote is read however long it is, so that it can be given back to him
CALLBACK_BYTES = 64 * 1024
# Read and thrown away before a form is refused: a browser that is still sending would show a broken connection instead.
_DRAINED_BYTES = 8 * 1024 * 1024

Answer = Callable[[Request, int], Awaitable[Response]]


class TooBig(Exception):
    """More bytes than this address takes."""


class Headers:
    """Puts our headers on every answer; pages are never kept by browsers or proxies, static files are."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, with_headers)


class Guard:
    """Counts bytes, catches what went wrong, and writes one line a request: route, status, milliseconds.

    Paths and exceptions may hold an account number that somebody put there; so the line names the route's pattern,
    and a mistake of ours is logged by its type and place, never by its text.
    """

    def __init__(self, app: ASGIApp, answer: Answer) -> None:
        self.app = app
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = time.perf_counter()
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._serve(scope, receive, watch, lambda: status)
        finally:
            log.info(
                "request",
                method=scope["method"],
                route=_route(scope),
                status=status,
                ms=round((time.perf_counter() - begun) * 1000, 1),
            )

    async def _serve(self, scope: Scope, receive: Receive, send: Send, status: Callable[[], int]) -> None:
        request = Request(scope)
        most = _most(scope["path"])
        try:
            if _declared(request) > most:
                raise TooBig
            await self.app(scope, _counted(receive, most), send)
        except TooBig:
            await _drained(receive, _declared(request))
            await self._instead(request, 413, send, status)
        except Exception as mistake:
            log.error("mistake", kind=type(mistake).__name__, place=_place(mistake), route=_route(scope))
            await self._instead(request, 500, send, status)

    async def _instead(self, request: Request, code: int, send: Send, status: Callable[[], int]) -> None:
        if status():  # the answer was under way already: the connection is simply closed
            return
        response = await self.answer(request, code)
        await response(request.scope, _nothing_more, send)


async def _nothing_more() -> Message:
    return {"type": "http.disconnect"}


def _most(path: str) -> int:
    if path.startswith("/callbacks/"):
        return CALLBACK_BYTES
    return SAY_BYTES if path == "/talk/say" else FORM_BYTES


async def _drained(receive: Receive, declared: int) -> None:
    """Takes what is still coming off the line, if it is not endless; nothing of it is kept."""
    if declared > _DRAINED_BYTES:
        return
    taken = 0
    while taken <= _DRAINED_BYTES:
        message = await receive()
        taken += len(message.get("body", b""))
        if not message.get("more_body", False):
            return


def _declared(request: Request) -> int:
    length = request.headers.get("content-length", "0")
    return int(length) if length.isdecimal() else 0


def _counted(receive: Receive, most: int) -> Receive:
    read = 0

    async def counted() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > most:
            raise TooBig
        return message

    return counted


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", "(none)")


def _place(mistake: Exception) -> str:
    frames = traceback.extract_tb(mistake.__traceback__)
    return f"{frames[-1].name}:{frames[-1].lineno}" if frames else ""
