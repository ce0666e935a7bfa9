"""Starts the town as a process of its own: `python -m integrations.sandbox --port 0 --database FILE`.

When it is ready it prints one JSON line with its address, and with one more at which the control port answers even while
the first one refuses connections. The key that signs callbacks and the control token come from
BANGJIAO_SANDBOX_SECRET and BANGJIAO_SANDBOX_CONTROL_TOKEN; what is missing there is made up and told in that line.
It listens on 127.0.0.1 only and ends on SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import secrets
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from data.town import load_world
from integrations.sandbox.front_door import HOST, FrontDoor
from integrations.sandbox.server import create_app
from integrations.sandbox.spoiling import DROP


class CuttableConnection(H11Protocol):
    """Lets the application cut its connection, which plain ASGI cannot: that is what a lost answer looks like."""

    def connection_made(self, transport: Any) -> None:
        inner = self.app

        async def with_drop(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[DROP] = transport.abort
            await inner(scope, receive, send)

        self.app = with_drop
        super().connection_made(transport)


class AnnouncingServer(uvicorn.Server):
    """Says where it is once it really answers. uvicorn's own socket is the control port's; the front door is beside it."""

    def __init__(self, config: uvicorn.Config, announcement: dict[str, Any], door: FrontDoor) -> None:
        super().__init__(config)
        self._announcement = announcement
        self._door = door

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        await self._door.serve(self._protocol, self._transports)
        sys.stdout.write(json.dumps(self._announcement) + "\n")
        sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._door.shut()
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        return CuttableConnection(self.config, self.server_state, self.lifespan.state)

    def _transports(self) -> list[Any]:
        return [c.transport for c in self.server_state.connections if isinstance(c, CuttableConnection)]


def main(arguments: list[str] | None = None) -> None:
    """Run until SIGTERM."""
    options = _options(arguments)
    announcement: dict[str, Any] = {"pid": os.getpid()}
    secret = _from_environment("SECRET", announcement)
    token = _from_environment("CONTROL_TOKEN", announcement)
    door = FrontDoor(socket.create_server((HOST, options.port)))
    app = create_app(
        f"sqlite:///{options.database}",
        secret,
        options.clock,
        control_token=token,
        callback_url=options.callback_url,
        world=load_world(options.world),
        door=door,
    )
    backstairs = socket.create_server((HOST, 0))
    announcement["url"] = f"http://{HOST}:{door.port}"
    announcement["control_url"] = f"http://{HOST}:{backstairs.getsockname()[1]}"
    config = uvicorn.Config(
        app,
        http=CuttableConnection,
        log_level="critical",  # faults are made on purpose here; the call log of the town tells them
        access_log=False,
        timeout_graceful_shutdown=1,
        # Longer than any client keeps a connection: otherwise both may let go of it at once, and a question is lost.
        timeout_keep_alive=75,
    )
    AnnouncingServer(config, announcement, door).run(sockets=[backstairs])


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m integrations.sandbox",
        description="Billers and a payment rail of an invented town, over HTTP on this machine.",
        epilog="example: python -m integrations.sandbox --port 0 --database town.db --clock virtual",
    )
    parser.add_argument("--port", type=int, default=0, help="0 = any free port")
    parser.add_argument("--database", type=Path, required=True, help="the town's own SQLite file")
    parser.add_argument("--world", type=Path, help="a town's YAML (default: the one that ships)")
    parser.add_argument("--callback-url", help="where the rail tells the application what happened")
    parser.add_argument("--clock", choices=["system", "virtual"], default="system")
    return parser.parse_args(arguments)


def _from_environment(name: str, announcement: dict[str, Any]) -> str:
    given = os.environ.get(f"BANGJIAO_SANDBOX_{name}")
    if given:
        return given
    fresh = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    announcement[name.lower()] = fresh
    return fresh


if __name__ == "__main__":
    main()
