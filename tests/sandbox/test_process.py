"""The town as a process: listens on this machine only, ends when asked, remembers after a restart, keeps quiet."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from data.ids import BillerId
from data.money import ZERO, Money
from integrations.ports import Settled
from integrations.sandbox.biller import SandboxBillers
from integrations.sandbox.control import SandboxControl
from tests.contracts.stage import SECRET, WORLD, SandboxStage, over_http, rail_case
from tests.contracts.test_biller_network import WATER, WATER_NUMBER
from tests.servers import ROOT, start_sandbox


async def test_a_restarted_town_remembers_what_it_collected(tmp_path: Path) -> None:
    with start_sandbox(tmp_path) as first:
        async with over_http(first) as town:
            case = rail_case(town)
            paid = await case.rail.charge(case.charge("o1"))
            await town.stage.advance(hours=5)
            then = await town.stage.now()
    with start_sandbox(tmp_path) as second:
        control = SandboxControl(second.url, second.control_token)
        stage = SandboxStage(control)
        assert isinstance(paid, Settled)
        assert await stage.captured("o1") == [Money(4_650)]
        assert await stage.now() == then
        await control.aclose()
        billers = SandboxBillers(second.url)
        assert (await billers.query(BillerId(WATER), WATER_NUMBER)).due != ZERO
        await billers.aclose()


def test_it_listens_here_only_ends_on_sigterm_and_tells_no_secret_it_was_given(tmp_path: Path) -> None:
    environment = os.environ | {
        "BANGJIAO_SANDBOX_SECRET": SECRET,
        "BANGJIAO_SANDBOX_CONTROL_TOKEN": "given-token",
    }
    command = [sys.executable, "-m", "integrations.sandbox", "--database", str(tmp_path / "t.db")]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        ready = json.loads(line)
        assert set(ready) == {"pid", "url", "control_url"}
        assert ready["pid"] == process.pid
        host, port = ready["url"].removeprefix("http://").split(":")
        assert host == "127.0.0.1"
        with socket.create_connection((host, int(port)), 5) as hanging:
            hanging.sendall(b"GET /billers HTTP/1.1\r\n")
            asked = time.monotonic()
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=20)
    assert time.monotonic() - asked < 15
    assert process.returncode in (0, -signal.SIGTERM)
    assert (out, err) == ("", "")


async def test_a_running_clock_runs_on_from_where_it_was_set_and_late_requests_come_by_themselves(
    tmp_path: Path,
) -> None:
    with start_sandbox(tmp_path, clock="system") as handle:
        async with over_http(handle) as town:
            case = rail_case(town)
            await town.stage.control.fault("rail", "timeout_then_paid_after", seconds=0.6)
            await case.impatient.charge(case.charge("o1"))
            async with asyncio.timeout(20):
                while not await town.stage.captured("o1"):
                    await asyncio.sleep(0.05)
            passed = await town.stage.now() - WORLD.start
    assert timedelta(seconds=0.6) <= passed < timedelta(seconds=60)
