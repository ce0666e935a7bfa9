"""Rings at open pages of other processes too: what the worker writes appears at once on a page another process serves.

Redis carries the ringing and nothing else. When it is gone, pages look again by themselves a little later: it costs
comfort, never a word or a yuan (settled 9).
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog

from data.ids import PersonId

if TYPE_CHECKING:
    import redis.asyncio

log = structlog.get_logger("bangjiao.bells")

_CHANNEL = "bangjiao:bells"
_AGAIN_SECONDS = 2.0
_WAIT_SECONDS = 1.0  # for a ring to be taken; who hangs longer is rung at no more
_MOST_RINGING = 100  # rings under way: beyond them a page looks by itself a little later
_ALIVE = {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3}


class Bells:
    """Rings here, and through Redis in every other process of the house."""

    def __init__(self, url: str, wake: Callable[[PersonId], None]) -> None:
        self._url = url
        self._wake = wake
        self._me = secrets.token_hex(8)
        self._client: redis.asyncio.Redis | None = None
        self._listening: asyncio.Task[None] | None = None
        self._ringing: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begins to listen; needs a running event loop."""
        from redis.asyncio import Redis

        # A host that vanished says no word of it: the kernel has to ask, or we would listen to nobody for ever.
        alive: dict[str, Any] = (
            {}
            if self._url.startswith("unix:")
            else {"socket_keepalive": True, "socket_keepalive_options": _ALIVE}
        )
        self._client = Redis.from_url(self._url, socket_connect_timeout=2, **alive)
        self._listening = asyncio.create_task(self._listen_for_ever())

    def ring(self, person: PersonId) -> None:
        """Something of this person changed. Never waits, never fails."""
        self._wake(person)
        if self._client is not None and len(self._ringing) < _MOST_RINGING:
            task = asyncio.create_task(self._publish(person))
            self._ringing.add(task)
            task.add_done_callback(self._ringing.discard)

    @property
    def under_way(self) -> int:
        """Rings that nobody has taken yet."""
        return len(self._ringing)

    async def _publish(self, person: PersonId) -> None:
        from redis.exceptions import RedisError

        assert self._client is not None, "only a started bell is rung abroad"
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._client.publish(_CHANNEL, f"{self._me} {person}")
        except (RedisError, OSError, TimeoutError) as problem:
            log.warning("not rung abroad", problem=type(problem).__name__)

    async def _listen_for_ever(self) -> None:
        from redis.exceptions import RedisError

        while True:
            try:
                await self._listen()
            except (RedisError, OSError) as problem:
                log.warning("bells are silent for a while", problem=type(problem).__name__)
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _listen(self) -> None:
        assert self._client is not None, "started before it listens"
        async with self._client.pubsub() as heard:
            await heard.subscribe(_CHANNEL)
            async for message in heard.listen():
                if message["type"] == "message":
                    self._heard(message["data"].decode())

    def _heard(self, words: str) -> None:
        who, _, person = words.partition(" ")
        if who != self._me and person:
            self._wake(PersonId(person))

    async def close(self) -> None:
        """Stops listening and lets the connection go."""
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
        for task in list(self._ringing):
            task.cancel()
        if self._client is not None:
            await self._client.aclose()
