"""What one process writes is seen at once on a page another one serves, and a lost Redis costs nothing but that."""

from __future__ import annotations

import asyncio

from bot.bells import Bells
from data.ids import PersonId

LIMIN = PersonId("limin")


async def _until(heard: list[PersonId], count: int) -> None:
    async with asyncio.timeout(5):
        while len(heard) < count:
            await asyncio.sleep(0.01)


async def test_a_ring_in_one_process_wakes_the_other_once(redis_url: str) -> None:
    here: list[PersonId] = []
    there: list[PersonId] = []
    one, other = Bells(redis_url, here.append), Bells(redis_url, there.append)
    one.start()
    other.start()
    try:
        async with asyncio.timeout(5):
            while not there:
                one.ring(LIMIN)
                await asyncio.sleep(0.05)
        rung, woken = len(here), len(there)
        one.ring(LIMIN)
        await _until(there, woken + 1)
        await asyncio.sleep(0.1)
        assert len(here) == rung + 1, "one's own ring is not heard a second time from abroad"
        assert set(there) == {LIMIN}
    finally:
        await one.close()
        await other.close()


async def test_without_redis_the_page_here_is_still_woken() -> None:
    heard: list[PersonId] = []
    bells = Bells("redis://127.0.0.1:1/0", heard.append)
    bells.start()
    try:
        bells.ring(LIMIN)
        await asyncio.sleep(0.05)
        assert heard == [LIMIN]
    finally:
        await bells.close()
