"""The real Rasa, where `make rasa` built it: a server with a model of ours, asked as the house asks it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from nlu.classifier import Embedded
from nlu.commands import Expectation, StartFlow, Utterance
from nlu.engines import rasa_building as building
from nlu.engines.ahead import heard
from nlu.engines.elsewhere import Elsewhere
from nlu.engines.rasa import Rasa
from nlu.understand import Understanding
from tests.nlu.engines.record import SENTENCES

MODELS = building.HOME / "models"
BUILT = (building.HOME / "venv" / "bin" / "python").exists() and (MODELS / "light-zh.tar.gz").exists()


@contextmanager
def serving(model: Path) -> Iterator[str]:
    """A real server with this model on a free port; ends with the block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        str(building.python()),
        "-m",
        "rasa",
        "run",
        "--enable-api",
        "-i",
        "127.0.0.1",
        "-p",
        str(port),
        "-m",
        str(model),
    ]
    environment = os.environ | {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3"}
    quiet = subprocess.DEVNULL
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=quiet, stderr=quiet) as server,
    ):
        try:
            _wait_for(f"http://127.0.0.1:{port}/status", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(60)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 300
    while time.monotonic() < until and server.poll() is None:
        try:
            if httpx.get(url, trust_env=False, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise AssertionError("the server did not come up")


async def _asked(url: str, engine: Embedded) -> None:
    rasa = Elsewhere(Rasa({"zh": url}, engine.intents), engine, budget_seconds=5)
    assert await rasa.healthy()
    parses = [await rasa.ask(text, "zh") for text in SENTENCES["zh"]]
    assert {intent for parse in parses for intent, _ in parse.ranking} <= engine.intents
    assert [parse.in_scope for parse in parses] == [True] * (len(parses) - 1) + [False]
    understanding = Understanding(rasa)
    said = Utterance("帮我看看这个月用了多少")
    (command,) = await heard(lambda: understanding.understand(said, Expectation()))
    assert isinstance(command, StartFlow)
    await rasa.aclose()


@pytest.mark.prove
@pytest.mark.timeout(900)
def test_a_real_server_answers_as_the_house_expects(
    engine: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a built Rasa nothing is proven here, and the run says so."""
    if not BUILT:
        with capsys.disabled():
            print(
                "\nNOT PROVEN: no Rasa server was asked. `make rasa` builds one; a server that speaks its contract was asked instead."
            )
        return
    with serving(MODELS / "light-zh.tar.gz") as url:
        asyncio.run(_asked(url, engine))
