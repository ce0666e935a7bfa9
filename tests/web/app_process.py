"""Where the pages run while a browser looks at them: in a thread of the test, or as the real demo in its own process."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from bot.web.serving import PagesServer, pages_server

START_SECONDS = 90
STOP_SECONDS = 20
_PROJECT = Path(__file__).parents[2]


@dataclass
class ServedPages:
    """Pages behind a real socket on 127.0.0.1."""

    address: str
    loop: asyncio.AbstractEventLoop

    def do(self, act: Callable[..., object], *args: object) -> None:
        """Does something in the server's own thread, and waits until it is done."""
        done = threading.Event()

        def act_here() -> None:
            act(*args)
            done.set()

        self.loop.call_soon_threadsafe(act_here)
        assert done.wait(5)


@contextmanager
def served(app: FastAPI) -> Iterator[ServedPages]:
    """Serves `app` on a free port until the block ends."""
    server = pages_server(app, "127.0.0.1", 0)
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    try:
        yield ServedPages(_address(server, thread), loops[0])
    finally:
        server.should_exit = True
        thread.join(10)
    assert not thread.is_alive()


def _address(server: PagesServer, thread: threading.Thread) -> str:
    pause = threading.Event()
    while not server.started:
        assert thread.is_alive(), "the pages did not start"
        pause.wait(0.01)
    return server.address


@contextmanager
def demo_process(folder: Path, *arguments: str) -> Iterator[str]:
    """The address of a real `bangjiao demo` with its data in `folder`.

    The demo prints one line of JSON with its address once it serves: {"url": "http://127.0.0.1:…", …}.
    """
    command = [sys.executable, "-m", "bot", "demo", "--port", "0", "--folder", str(folder / "town"), "--json"]
    with (folder / "demo.log").open("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [*command, *arguments], cwd=_PROJECT, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        try:
            yield _announced(process, folder)
        finally:
            _stop(process)


def _announced(process: subprocess.Popen[str], folder: Path) -> str:
    """Reads standard output until the address is printed."""
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.start()
    assert process.stdout
    try:
        for line in process.stdout:
            if line.startswith("{") and "url" in (said := json.loads(line)):
                return str(said["url"]).rstrip("/")
    finally:
        watchdog.cancel()
    tail = (folder / "demo.log").read_text("utf-8")[-3000:]
    raise AssertionError(f"the demo ended or was silent for {START_SECONDS} seconds:\n{tail}")


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()
