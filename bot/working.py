"""The worker: wakes due payments durably, tells what became of them, and sends what is still waiting."""

from __future__ import annotations

import asyncio
import signal

import structlog

from bot.app import build
from bot.serving import announce_json
from bot.settings import Settings
from payments.durable import DurableRunner

log = structlog.get_logger("bangjiao.worker")


async def work(settings: Settings) -> None:
    """Works until SIGTERM or SIGINT."""
    application = build(settings)
    waking = DurableRunner(
        application.store, application.advance, application.clock, settings.waking_url, settings.executor
    )
    ended = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, ended.set)
    await waking.launch()
    announce_json(works=settings.executor)
    if settings.redis_url:
        application.bells.start()
    application.start_watching()
    try:
        while not ended.is_set():
            await application.tell()
            try:
                await asyncio.wait_for(ended.wait(), 1.0)
            except TimeoutError:
                continue
    finally:
        await waking.stop()
        await application.close()
