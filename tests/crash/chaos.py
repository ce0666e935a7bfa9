"""A house of real processes on one database beside a real town: each can be killed, frozen and started again by name."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from benchmarks.paying import crowd
from data.clock import SystemClock
from data.store.engine import Store
from data.town import load_world
from integrations.sandbox.control import SandboxControl
from payments.authority.enrol import enrol_world
from tests.crash.labour import lines_of
from tests.crash.mortal_postgresql import MortalPostgreSQL
from tests.databases import SEALER
from tests.servers import ROOT

T = TypeVar("T")

_READY_SECONDS = 90.0
_END_SECONDS = 40.0
_LOOK_SECONDS = 0.02
KILLED = -signal.SIGKILL
_MIGRATING = Lock()  # two houses may be made at once, and Alembic does one thing at a time


class Cradle:
    """Client of tests.crash.cradle; several houses may share it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._one_at_a_time = Lock()

    def bear(self, spec: dict[str, Any]) -> int:
        """Puts a process into the world; its number."""
        return int(self._ask({"bear": spec})["pid"])

    def ended(self, pid: int) -> int | None:
        """How it ended; None while it lives."""
        found: int | None = self._ask({"ended": pid})["exit"]
        return found

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._one_at_a_time:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def cradle() -> Iterator[Cradle]:
    """A cradle until the block ends. Its arithmetic uses one thread, or it could not fork."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BANGJIAO_")}
    environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.crash.cradle"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Cradle(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(20)


@dataclass
class Process:
    """One place in the house and whoever holds it now. `lives` counts those who held it."""

    births: Cradle
    spec: dict[str, Any]
    pid: int = 0
    lives: int = 0

    @property
    def name(self) -> str:
        return str(self.spec["name"])

    def start(self) -> None:
        """Returns when it says that it is ready."""
        self.lives += 1
        self.spec["out"] = self._out
        self.pid = self.births.bear(self.spec)
        until = time.monotonic() + _READY_SECONDS
        while not os.path.exists(self._out) or "\n" not in Path(self._out).read_text("utf-8"):
            assert time.monotonic() < until, f"{self.name} did not start"
            time.sleep(_LOOK_SECONDS)
        assert self.alive, f"{self.name} did not start:\n{self.said}"

    @property
    def _out(self) -> str:
        return f"{self.spec['log']}.{self.lives}"

    @property
    def said(self) -> str:
        return Path(self._out).read_text("utf-8")[-3_000:]

    @property
    def alive(self) -> bool:
        return self.births.ended(self.pid) is None

    def kill(self) -> None:
        """`kill -9`."""
        os.kill(self.pid, signal.SIGKILL)
        assert self._end() == KILLED, f"{self.name} had ended by itself:\n{self.said}"

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> int:
        """Tells it to end, and gives how it did."""
        os.kill(self.pid, signal.SIGTERM)
        return self._end()

    def _end(self) -> int:
        until = time.monotonic() + _END_SECONDS
        while (found := self.births.ended(self.pid)) is None:
            assert time.monotonic() < until, f"{self.name} does not end"
            time.sleep(_LOOK_SECONDS)
        return found


@dataclass(frozen=True)
class Size:
    """How much is paid in a house: so many meters, so often each; which part is carried on by the counter itself."""

    homes: int
    rounds: int
    workers: int
    at_once: float = 0.3

    @property
    def payments(self) -> int:
        return self.homes * self.rounds


@dataclass
class House:
    """Town, counter and workers. `postgresql`: the server that may be killed, where there is one."""

    url: str
    size: Size
    town: Process
    counter: Process
    workers: list[Process]
    ahead: float
    postgresql: MortalPostgreSQL | None = None
    begun: float = field(default_factory=time.monotonic)

    @property
    def everybody(self) -> list[Process]:
        return [self.counter, *self.workers]

    def yeses(self) -> list[tuple[str, list[str], int]]:
        """Every act somebody was told is confirmed, its payments and its fen, in order."""
        return [tuple(line) for line in lines_of(self.counter.spec["log"], "yes")]

    def told(self) -> list[tuple[str, str, str]]:
        """Every letter that arrived: to whom, about which payment, saying what."""
        return [tuple(line) for one in self.everybody for line in lines_of(one.spec["log"], "told")]

    def town_do(self, what: Callable[[SandboxControl], Awaitable[T]]) -> T:
        """Something at the town's back door."""

        async def done() -> T:
            control = SandboxControl(self.town.spec["url"], self.town.spec["control_token"])
            try:
                return await what(control)
            finally:
                await control.aclose()

        return asyncio.run(done())


@contextmanager
def house(
    births: Cradle,
    folder: Path,
    url: str,
    size: Size,
    *,
    mutant: str = "",
    postgresql: MortalPostgreSQL | None = None,
) -> Iterator[House]:
    """A house that is open for business; whoever is left of it is killed on leaving."""
    folder.mkdir()
    with ExitStack() as kept:
        ports = [kept.enter_context(_kept_port()) for _ in range(2)]
        made = _planned(births, folder, url, size, mutant, ports, postgresql)
        for one in (made.town, *made.everybody):
            one.start()
            kept.callback(_end_for_good, one)
            if one is made.town:
                _settle(made)
        yield made


def _planned(
    births: Cradle,
    folder: Path,
    url: str,
    size: Size,
    mutant: str,
    ports: list[int],
    postgresql: MortalPostgreSQL | None,
) -> House:
    ahead = (load_world().start - SystemClock().now()).total_seconds()
    town_url = f"http://127.0.0.1:{ports[0]}"
    keys = {
        "gateway_secret": "whsec_" + b64encode(secrets.token_bytes(32)).decode(),
        "control_token": secrets.token_urlsafe(16),
    }
    common = {"database_url": url, "gateway_url": town_url, "ahead": ahead, "mutant": mutant, **keys}

    def place(role: str, name: str, **more: Any) -> Process:
        return Process(births, {**common, "role": role, "name": name, "log": str(folder / name), **more})

    town = place(
        "town",
        "town",
        url=town_url,
        port=ports[0],
        database=str(folder / "town.db"),
        callbacks=f"http://127.0.0.1:{ports[1]}/callbacks/rail",
    )
    people = {"homes": size.homes, "rounds": size.rounds, "at_once": size.at_once}
    counter = place("counter", "counter", port=ports[1], **people)
    workers = [place("worker", f"worker-{n}") for n in range(size.workers)]
    return House(url, size, town, counter, workers, ahead, postgresql)


def _settle(made: House) -> None:
    """The same people in our books and in the town's, and the same time on both clocks."""
    world = crowd(made.size.homes)
    made.town_do(lambda control: control.load_world(world))
    store = Store.open(made.url, SEALER)
    try:
        with _MIGRATING:
            store.migrate()
        store.run_now(lambda tx: enrol_world(tx, world, world.start))
    finally:
        store.close()


def _end_for_good(one: Process) -> None:
    if one.alive:  # asked of its parent: until that has looked, nobody else is given its number
        os.kill(one.pid, signal.SIGKILL)


@contextmanager
def _kept_port() -> Iterator[int]:
    """A free port that no other program is given while the one who listens there is dead."""
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        yield int(kept.getsockname()[1])
