"""The pages behind a socket: a server that lets its open pages go when it is told to stop."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

STOP_SECONDS = 3


class PagesServer(uvicorn.Server):
    """Ends the news streams first: a server waits for its open connections, and theirs would never end."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.app.state.streams.close()  # type: ignore[union-attr]
        await super().shutdown(sockets)

    @property
    def address(self) -> str:
        """Where it serves, once it has started; with port 0 the system chose the port."""
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"


def pages_server(app: FastAPI, host: str, port: int) -> PagesServer:
    """A server for `create_pages`. Its own access log stays off: addresses may hold what does not belong in a log."""
    return PagesServer(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            access_log=False,
            log_level="warning",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )
