"""Tells an open page that there is something new; the page then reads it in the ordinary way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import StreamingResponse

HEARTBEAT_SECONDS = 15.0
# A stream ends after this time and the browser opens the next one: a forgotten page holds nothing for ever.
LIFETIME_SECONDS = 600.0
_NEWS = "event: news\ndata: 1\n\n"


class Streams:
    """All open streams of this program, so that it can end: a server waits for its open connections."""

    def __init__(self) -> None:
        self._open: set[asyncio.Event] = set()
        self._closed = False

    def stream(
        self,
        changes: AsyncIterator[None],
        heartbeat: float = HEARTBEAT_SECONDS,
        lifetime: float = LIFETIME_SECONDS,
    ) -> StreamingResponse:
        """Server-sent events without content: what changed is read with the page's own rights."""
        return StreamingResponse(
            self.beats(changes, heartbeat, lifetime),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},
        )

    def close(self) -> None:
        """Ends every stream, and those that are asked for from now on."""
        self._closed = True
        for over in self._open:
            over.set()

    async def beats(
        self, changes: AsyncIterator[None], heartbeat: float, lifetime: float
    ) -> AsyncIterator[str]:
        """First "look", because something may have come between page and stream; then one "look" a change."""
        loop = asyncio.get_running_loop()
        until = loop.time() + lifetime
        over = asyncio.Event()
        self._open.add(over)
        ended = asyncio.ensure_future(over.wait())
        pending = asyncio.ensure_future(_next(changes))
        try:
            yield "retry: 2000\n" + _NEWS
            while not self._closed and (left := until - loop.time()) > 0:
                await asyncio.wait(
                    {pending, ended}, timeout=min(heartbeat, left), return_when=asyncio.FIRST_COMPLETED
                )
                if not pending.done():
                    yield ": still here\n\n"
                elif pending.result():
                    pending = asyncio.ensure_future(_next(changes))
                    yield _NEWS
                else:
                    return
        finally:
            self._open.discard(over)
            await _end(changes, pending, ended)


async def _next(changes: AsyncIterator[None]) -> bool:
    """True for a change, False when there will be none."""
    async for _ in changes:
        return True
    return False


async def _end(changes: AsyncIterator[None], *waits: asyncio.Future[Any]) -> None:
    for wait in waits:
        wait.cancel()
    await asyncio.wait(waits)
    if hasattr(changes, "aclose"):
        await changes.aclose()
