"""The real `bangjiao serve` as a process that is killed and started again, and a person at its page who is patient with it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from threading import Event, Timer

import httpx

from tests.servers import ROOT, SandboxHandle
from tests.web.forms import form

_START_SECONDS = 90
_ENTRY = re.compile(r'<li id="[^"]*" class="turn (\w+).*?</li>', re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_LOOK_SECONDS = 0.3
# A dead process's lease of a payment ends after half a minute; who hears nothing much longer says it again.
_PATIENCE_SECONDS = 45.0


@dataclass
class Server:
    """One `bangjiao serve` on a port that stays the same over its lives."""

    database_url: str
    town: SandboxHandle
    log: Path
    port: int = 0
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it, and returns when it answers."""
        command = [sys.executable, "-m", "bot", "serve", "--port", str(self.port), "--json"]
        with self.log.open("a", encoding="utf-8") as errors:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment(), stdout=subprocess.PIPE, stderr=errors, text=True
            )
        watchdog = Timer(_START_SECONDS, self.process.kill)
        watchdog.start()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        watchdog.cancel()
        assert line, f"it did not start:\n{self.log.read_text('utf-8')[-2000:]}"
        self.port = int(json.loads(line)["url"].rpartition(":")[2])

    def kill(self) -> None:
        """`kill -9`."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        assert self.process.wait(10) == -signal.SIGKILL
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None

    def _environment(self) -> dict[str, str]:
        ours = {k: v for k, v in os.environ.items() if not k.startswith("BANGJIAO_")}
        return ours | {
            "BANGJIAO_GATEWAY_URL": self.town.url,
            "BANGJIAO_GATEWAY_SECRET": self.town.secret,
            "BANGJIAO_DATABASE_URL": self.database_url,
            "BANGJIAO_SECRET": "of the crash tests, for nobody",
            "BANGJIAO_TOWN": "true",
        }


@contextmanager
def served(database_url: str, town: SandboxHandle, folder: Path) -> Iterator[Server]:
    """A running server; ended on leaving, whatever life it is in."""
    server = Server(database_url, town, folder / "serve.log", free_port())
    server.start()
    try:
        yield server
    finally:
        if server.process is not None:
            server.kill()


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@dataclass
class Visitor:
    """A person at the page, without scripts: sends a form again when no answer came, and reads what the page shows."""

    web: httpx.Client
    person: str
    pin: str
    wish: str
    about_to: dict[str, Event] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)  # seconds, by what was said
    wishes: int = 0
    shown: list[str] = field(default_factory=list)

    def comes_in(self) -> None:
        """Chooses who to be."""
        front = self.web.get("/").text
        self.web.post("/choose", data=form(front, "/choose").hidden | {"person": self.person})

    def pays(self, amount: str, seconds: float) -> None:
        """Talks until the page says that this amount is written off. Raises AssertionError when it never does."""
        until, quiet_since, answered = time.monotonic() + seconds, 0.0, ""
        self.wishes = 0
        while time.monotonic() < until:
            heard = self.reads()
            if any(amount in text and "已销账" in text for text in heard):
                return
            newest = heard[-1] if heard else ""
            words = self._words(newest) if newest != answered else ""
            if not self.wishes or (not words and time.monotonic() - quiet_since > _PATIENCE_SECONDS):
                words, self.wishes = self.wish, self.wishes + 1
            if words:
                answered, quiet_since = newest, time.monotonic()
                self._says(words)
            else:
                time.sleep(_LOOK_SECONDS)
        raise AssertionError(f"the page never said what became of {amount}: {self.reads()[-4:]}")

    def _words(self, newest: str) -> str:
        if "要付吗" in newest:
            return "付"
        return self.pin if "付款密码" in newest else ""

    def _says(self, words: str) -> None:
        """Fills in the form, and sends the same form until it is answered: a browser's reload."""
        step = {"付": "yes", self.pin: "pin"}.get(words, "wish")
        filled = form(self._get("/talk"), "/talk/say").hidden | {"text": words}
        begun = time.monotonic()
        self.about_to.get(step, Event()).set()
        while True:
            try:
                self.web.post("/talk/say", data=filled).raise_for_status()
                break
            except httpx.TransportError:
                time.sleep(_LOOK_SECONDS)
        self.took[step] = time.monotonic() - begun

    def reads(self) -> list[str]:
        """What the bot has said, as the page shows it now."""
        page = self._get("/talk")
        self.shown = [unescape(_TAG.sub(" ", m[0])) for m in _ENTRY.finditer(page) if m[1] == "bot"]
        return self.shown

    def _get(self, path: str) -> str:
        while True:
            try:
                return self.web.get(path).raise_for_status().text
            except httpx.TransportError:
                time.sleep(_LOOK_SECONDS)
