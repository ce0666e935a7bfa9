"""The town's public address, which can be shut: then whoever calls is refused before anything leaves his machine."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Protocol

HOST = "127.0.0.1"


class Door(Protocol):
    """Where the application comes in. The control port has a door of its own."""

    async def shut(self) -> None: ...

    async def open(self) -> None: ...


class FrontDoor:
    """The public listening socket of a server process.

    While it is shut, a bound socket that does not listen keeps the port: callers are refused, and no other program
    of this machine is given it meanwhile.
    """

    def __init__(self, listening: socket.socket) -> None:
        self.port: int = listening.getsockname()[1]
        self._listening: socket.socket | None = listening
        self._kept: socket.socket | None = None
        self._serving: asyncio.Server | None = None
        self._protocol: Callable[[], asyncio.Protocol] | None = None
        self._connections: Callable[[], list[Any]] = list

    async def serve(
        self, protocol: Callable[[], asyncio.Protocol], connections: Callable[[], list[Any]]
    ) -> None:
        """Begin to listen. `connections` gives the transports open at a moment, of every door."""
        self._protocol, self._connections = protocol, connections
        await self.open()

    async def shut(self) -> None:
        """Nobody listens any more, and whoever is inside is put out."""
        if self._serving is None:
            return
        self._serving.close()
        self._serving = None
        for transport in self._connections():
            if transport.get_extra_info("sockname")[1] == self.port:
                transport.abort()
        self._kept = socket.socket()
        self._kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._kept.bind((HOST, self.port))

    async def open(self) -> None:
        """Listen (again) at the same address."""
        ready = self._listening or self._kept
        self._listening = self._kept = None
        if ready is None or self._protocol is None:
            return
        ready.listen(socket.SOMAXCONN)
        self._serving = await asyncio.get_running_loop().create_server(self._protocol, sock=ready)
