"""Serve and worker as processes of their own on one PostgreSQL and one Redis: they start, answer, and end when told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.databases import Databases
from tests.servers import SandboxHandle, start_sandbox

ROOT = Path(__file__).parents[2]


@contextmanager
def _process(
    command: str, sandbox: SandboxHandle, database: str, redis: str
) -> Iterator[subprocess.Popen[str]]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BANGJIAO_")} | {
        "BANGJIAO_DATABASE_URL": database,
        "BANGJIAO_REDIS_URL": redis,
        "BANGJIAO_SECRET": "a secret of this test only, long enough",
        "BANGJIAO_GATEWAY_URL": sandbox.url,
        "BANGJIAO_GATEWAY_SECRET": sandbox.secret,
        "BANGJIAO_TOWN": "true",
    }
    line = [sys.executable, "-m", "bot", *command.split()]
    with subprocess.Popen(line, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def _ended(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(20)


@pytest.mark.crash
def test_serve_and_worker_share_one_house(databases: Databases, redis_url: str, tmp_path: Path) -> None:
    with start_sandbox(tmp_path) as sandbox, databases.store("postgresql") as store:
        database = store.engine.url.render_as_string(hide_password=False)
        with _process("serve --port 0 --json", sandbox, database, redis_url) as serving:
            assert serving.stdout is not None
            address = json.loads(serving.stdout.readline())["url"]
            with _process("worker", sandbox, database, redis_url) as working:
                assert httpx.get(f"{address}/healthz", timeout=10).text == "ok"
                assert httpx.get(address, timeout=10).status_code == 200
                assert working.stdout is not None
                assert json.loads(working.stdout.readline())["works"]
                assert _ended(working) == 0
            assert _ended(serving) == 0
