"""How many messages one person sends in a minute, counted over all processes of the house.

Redis adds up what the processes count. When it is gone or does not answer at once, each counts for itself: a little more
gets through, and nobody waits for it (settled 9).
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog

from data.ids import PersonId

if TYPE_CHECKING:
    import redis.asyncio

log = structlog.get_logger("bangjiao.pace")

_MINUTE = 60
_WAIT_SECONDS = 0.1  # for one answer of Redis; a turn takes longer
_REST_SECONDS = 5.0  # after a silence it is not asked again so soon


class Pace:
    """Counts messages. `most` of one person are served in a minute; 0 means any number."""

    def __init__(self, most: int, redis_url: str = "") -> None:
        self._most = most
        self._url = redis_url
        self._client: redis.asyncio.Redis | None = None
        self._minute = 0
        self._counted: dict[PersonId, int] = {}
        self._asked_again_at = 0.0

    async def __call__(self, person: PersonId) -> int:
        """Counts one message; by how many it is beyond what a minute holds."""
        if not self._most:
            return 0
        minute = _minute_now()
        here = self._count_here(person, minute)
        everywhere = await self._count_everywhere(person, minute)
        return max(0, max(here, everywhere) - self._most)

    def _count_here(self, person: PersonId, minute: int) -> int:
        if minute != self._minute:
            self._minute, self._counted = minute, {}
        self._counted[person] = self._counted.get(person, 0) + 1
        return self._counted[person]

    async def _count_everywhere(self, person: PersonId, minute: int) -> int:
        if not self._url or time.monotonic() < self._asked_again_at:
            return 0
        from redis.exceptions import RedisError

        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                return await self._counted_by_redis(f"bangjiao:pace:{minute}:{person}")
        except (RedisError, OSError, TimeoutError) as problem:
            log.warning("counting alone for a while", problem=type(problem).__name__)
            self._asked_again_at = time.monotonic() + _REST_SECONDS
            return 0

    async def _counted_by_redis(self, key: str) -> int:
        if self._client is None:
            self._client = _client(self._url)
        async with self._client.pipeline(transaction=False) as line:
            line.incr(key)
            line.expire(key, 2 * _MINUTE)
            return int((await line.execute())[0])

    async def close(self) -> None:
        """Lets the connection go."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def _minute_now() -> int:
    return int(time.time()) // _MINUTE


def _client(url: str) -> redis.asyncio.Redis:
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    # Asked once: what is tried again by itself keeps a person waiting.
    return Redis.from_url(
        url, socket_timeout=_WAIT_SECONDS, socket_connect_timeout=_WAIT_SECONDS, retry=Retry(NoBackoff(), 0)
    )
