"""How soon `bangjiao serve` answers its first question, and what it weighs: real processes, each beside a bare one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.figures import Row, Spread, why_missed
from tests.web.forms import form

_HERE = Path(__file__).parent.parent
_BARE = """
import json, socket, sys, httpx, sqlalchemy, sqlalchemy.dialects.postgresql, pydantic_settings, uvicorn
from fastapi import FastAPI
app = FastAPI()
app.get("/")(lambda: "hello")
listening = socket.create_server(("127.0.0.1", 0))
print(json.dumps({"url": f"http://127.0.0.1:{listening.getsockname()[1]}"}), flush=True)
uvicorn.Server(uvicorn.Config(app, log_config=None)).run(sockets=[listening])
"""
_TICK = os.sysconf("SC_CLK_TCK")


def first_answer(runs: int, tell: Callable[[str], None]) -> list[Row]:
    """From the start of the process to the first reply in a talk, seconds, and the memory then held, MB.

    The peer imports the same libraries and answers one request with a word: less a page of this kind cannot cost.
    """
    tell("starting the server, to its first answer")
    with tempfile.TemporaryDirectory(prefix="bangjiao-start-") as folder:
        first = _Start.of([_ours(Path(folder) / f"first{n}") for n in range(runs)])
        again = _Start.of([_ours(Path(folder) / "first0") for _ in range(runs)])
        bare = _Start.of([_bare() for _ in range(runs)])
    rows = [
        _seconds_row("start to first answer of `serve`", again, bare),
        _seconds_row("the same on an empty database (tables made, demo town enrolled)", first, bare),
    ]
    met = again.memory.median <= 250
    return [
        *rows,
        Row(
            "memory of `serve` after its first answer", "MB", again.memory, "the bare server", bare.memory,
            again.memory.median / bare.memory.median, "≤ 250 MB", met, "" if met else "holds more than it should",
        ),
    ]  # fmt: skip


class _Start:
    """Several starts of one kind."""

    def __init__(self, found: list[tuple[float, float, float]]) -> None:
        self.seconds = Spread.of(x[0] for x in found)
        self.memory = Spread.of(x[1] for x in found)
        self.cpu_ms = Spread.of(x[2] for x in found).median

    @classmethod
    def of(cls, found: list[tuple[float, float, float]]) -> _Start:
        """Seconds, MB and processor milliseconds of each."""
        return cls(found)


def _seconds_row(work: str, ours: _Start, bare: _Start) -> Row:
    met = ours.seconds.median <= 2
    return Row(
        work, "s", ours.seconds, "a bare FastAPI process with the same libraries", bare.seconds,
        ours.seconds.median / bare.seconds.median, "≤ 2 s", met,
        "" if met else why_missed(ours.cpu_ms, ours.seconds.median * 1e3), ours.cpu_ms,
    )  # fmt: skip


def _ours(folder: Path) -> tuple[float, float, float]:
    folder.mkdir(exist_ok=True)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BANGJIAO_")} | {
        "BANGJIAO_DATABASE_URL": f"sqlite:///{folder / 'bangjiao.db'}",
        "BANGJIAO_SECRET": "a secret of the benchmark only",
        "BANGJIAO_GATEWAY_URL": "http://127.0.0.1:9",
        "BANGJIAO_GATEWAY_SECRET": "whsec_" + "QUFB" * 10,
        "BANGJIAO_TOWN": "true",
        "BANGJIAO_LOG_LEVEL": "ERROR",
    }
    began = time.perf_counter()
    with _process([sys.executable, "-m", "bot", "serve", "--port", "0", "--json"], environment) as (pid, url):
        _first_reply(url)
        return time.perf_counter() - began, _resident_mb(pid), _cpu_ms(pid)


def _first_reply(url: str) -> None:
    with httpx.Client(base_url=url, trust_env=False, follow_redirects=True, timeout=60) as web:
        page = web.get("/").raise_for_status().text
        page = web.post("/choose", data=form(page, "/choose").hidden | {"person": "limin"}).text
        filled = form(page, "/talk/say").hidden | {"text": "你能做什么"}
        page = web.post("/talk/say", data=filled).raise_for_status().text
        assert "我能办这些" in page, "the house did not answer"


def _bare() -> tuple[float, float, float]:
    began = time.perf_counter()
    with _process([sys.executable, "-c", _BARE], dict(os.environ)) as (pid, url):
        httpx.get(url, trust_env=False, timeout=60).raise_for_status()
        return time.perf_counter() - began, _resident_mb(pid), _cpu_ms(pid)


@contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator[tuple[int, str]]:
    with subprocess.Popen(command, cwd=_HERE, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise SystemExit("The server to be measured did not start; its message stands above.")
            yield process.pid, str(json.loads(line)["url"])
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def _cpu_ms(pid: int) -> float:
    # The name in brackets may hold blanks; behind it the 12th and 13th are user and system ticks.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK * 1e3


def importing(runs: int, tell: Callable[[str], None]) -> Row:
    """Importing the house, beside importing only the libraries it stands on, in fresh interpreters, seconds."""
    tell("importing")
    ours, cpu = _imported("import bot.app, bot.serving", runs)
    libraries = "import fastapi, uvicorn, jinja2, httpx, sqlalchemy, sqlalchemy.dialects.postgresql, numpy, "
    libraries += "pydantic_settings, structlog, yaml, pypinyin, argon2, cryptography"
    theirs, _ = _imported(libraries, runs)
    ratio = ours.median / theirs.median
    return Row("importing the house", "s", ours, "importing its libraries alone", theirs, ratio, cpu_ms=cpu)


def _imported(what: str, runs: int) -> tuple[Spread, float]:
    found = []
    for _ in range(runs):
        before, began = os.times(), time.perf_counter()
        subprocess.run([sys.executable, "-c", what], cwd=_HERE, check=True)
        after = os.times()
        spent = after.children_user + after.children_system - before.children_user - before.children_system
        found.append((time.perf_counter() - began, spent * 1e3))
    return Spread.of(x[0] for x in found), Spread.of(x[1] for x in found).median


def cpu_of(pid: int) -> float:
    """Processor milliseconds a process has used so far."""
    return _cpu_ms(pid)
