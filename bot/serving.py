"""Serving the pages: one web server on one socket, with the rail's callbacks beside the talks."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI

from bot.app import Application
from bot.genuine import answers
from bot.metrics import figures
from bot.staff import StaffTalks
from bot.talks import WebTalks
from bot.web.pages import create_pages
from bot.web.serving import STOP_SECONDS, PagesServer
from data.town import World


def pages(application: Application, *, demo: bool, town: World | None = None) -> FastAPI:
    """The web application over the assembled house."""

    async def callback(raw: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        verdict = await application.callbacks.receive(raw, headers)
        await application.carrier.deliver()
        return verdict.status, verdict.kind

    async def healthy() -> bool:
        return (await application.rail.health()).up

    return create_pages(
        WebTalks(application, town),
        StaffTalks(application),
        secret=application.settings.secret.get_secret_value(),
        demo=demo,
        clock=application.clock,
        callbacks=callback,
        healthy=healthy,
        figures=figures(application.store, application.clock),
        figures_token=application.settings.metrics_token.get_secret_value(),
        figures_here=application.settings.metrics_loopback,
        receipts=answers(application.store, application.catalogue),
    )


class AnnouncingServer(PagesServer):
    """Says where it is once it really answers."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM and Ctrl-C end the serving, not the process: what is open behind it is still to be put away."""
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, self.handle_exit, sign, None)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts listening, then announces."""
        await super().startup(sockets)
        self._announce()


async def serve(
    application: Application, app: FastAPI, listening: socket.socket, announce: Callable[[], None]
) -> None:
    """Serves until SIGTERM or Ctrl-C, beating in the background, then puts everything away."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=STOP_SECONDS,
        server_header=False,
    )
    async with _open(application):
        await AnnouncingServer(config, announce).serve(sockets=[listening])


@asynccontextmanager
async def _open(application: Application) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        stack.push_async_callback(application.close)
        await application.come_in()
        application.start_beating()
        application.start_watching()
        yield


def announce_json(**facts: object) -> None:
    """One JSON line on standard output, for whoever started us as a process."""
    sys.stdout.write(json.dumps(facts, ensure_ascii=False) + "\n")
    sys.stdout.flush()
