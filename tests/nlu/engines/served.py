"""A small HTTP server of this machine that answers as it is told: rightly, slowly, without end, or not at all."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """One answer. `waits` seconds before it; `drips` seconds between its bytes; `breaks_off` after half of them."""

    body: bytes
    status: int = 200
    kind: str = "application/json"
    waits: float = 0.0
    drips: float = 0.0
    breaks_off: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Any, **more: Any) -> Reply:
        """The JSON of a value."""
        return cls(json.dumps(value, ensure_ascii=False).encode(), **more)


@dataclass(frozen=True)
class Question:
    """What was asked."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]


@dataclass
class Server:
    """A running server: where it is, and everything it was asked."""

    url: str
    asked: list[Question] = field(default_factory=list)


@contextmanager
def served(answer: Callable[[Question], Reply]) -> Iterator[Server]:
    """Serves on a free port of 127.0.0.1 until the block ends."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            written = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(written) if written else None
            question = Question(
                self.command, self.path, body, {k.lower(): v for k, v in self.headers.items()}
            )
            server.asked.append(question)
            reply = answer(question)
            over.wait(reply.waits)
            try:
                self._write(reply)
            except OSError:
                self.close_connection = True  # whoever asked has gone

        def _write(self, reply: Reply) -> None:
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.kind)
            self.send_header("Content-Length", str(len(reply.body)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if reply.drips:
                for at in range(len(reply.body)):
                    if over.wait(reply.drips):
                        break
                    self.wfile.write(reply.body[at : at + 1])
                    self.wfile.flush()
            else:
                self.wfile.write(reply.body[: len(reply.body) // 2] if reply.breaks_off else reply.body)
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Nothing is written of what is asked."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = Server(f"http://127.0.0.1:{listening.server_port}")
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        over.set()
        listening.shutdown()
        thread.join()
        listening.server_close()
