"""The worker: wakes due payments durably, tells what became of them, and sends what is still waiting."""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta

import structlog

from bot.app import Application, build
from bot.serving import announce_json
from bot.settings import Settings
from data.store.retention import clear_away, forget_releases
from payments.durable import DurableRunner

log = structlog.get_logger("bangjiao.worker")

_CLEAR_SECONDS = 6 * 3600.0
# A process writes down every hour that its flows are in use; one that was silent for days has nobody in them.
_KEEP_RELEASES = timedelta(days=2)


async def work(settings: Settings) -> None:
    """Works until SIGTERM or SIGINT."""
    application = build(settings)
    settings = application.settings
    waking = DurableRunner(
        application.store,
        application.advance,
        application.clock,
        settings.waking_url,
        settings.executor,
        shift=application.shift,
    )
    ended = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, ended.set)
    try:
        await application.come_in()
        await waking.launch()
    except BaseException:
        await application.close()
        raise
    announce_json(works=settings.executor)
    if settings.redis_url:
        application.bells.start()
    application.start_watching()
    clearing = asyncio.create_task(
        keep_clear(application, settings.keep_days, waking=waking, wakings_days=settings.keep_wakings_days)
    )
    try:
        while not ended.is_set():
            await application.tell()
            try:
                await asyncio.wait_for(ended.wait(), 1.0)
            except TimeoutError:
                continue
    finally:
        clearing.cancel()
        await waking.stop()
        await application.close()


async def keep_clear(
    application: Application,
    days: int,
    every: float = _CLEAR_SECONDS,
    waking: DurableRunner | None = None,
    wakings_days: int = 30,
) -> None:
    """Throws old talks, letters and wake-ups away from time to time, until it is cancelled; several workers do no harm."""
    while True:
        try:
            now = application.clock.now()
            gone = await clear_away(application.store, now - timedelta(days=days))
            gone["releases"] = await forget_releases(application.store, now - _KEEP_RELEASES)
            if waking is not None:
                gone["wakings"] = await waking.clear_away(now - timedelta(days=wakings_days))
            log.info("old talks and letters are gone", **gone)
        except Exception:
            log.exception("clearing away failed; the next round tries again")
        await asyncio.sleep(every)
