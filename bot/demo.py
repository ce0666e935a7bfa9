"""The demo town in one command: the sandbox as a second process, the application here, one address printed."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from bot.app import Application, build, enrol_town
from bot.settings import Settings
from data.ids import AccountId
from data.store.engine import Tx
from data.town import World, load_world
from integrations.sandbox.control import SandboxControl

_TICK_SECONDS = 0.5
_SWEEP_SECONDS = 2.0  # a visitor has two minutes
_DAYS_A_MINUTE = 1.0  # how fast a meter with automatic top-up uses up what is on it
_OURS = ".bangjiao-demo"  # marks a folder that may be emptied


@dataclass(frozen=True)
class TownClock:
    """The town's time: it begins at the world's start when the demo starts, and runs as fast as ours."""

    start: datetime
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        """The instant in the town."""
        return self.start + (datetime.now(UTC) - self.began)


@dataclass(frozen=True)
class Town:
    """A running sandbox."""

    url: str
    secret: str = field(repr=False)
    control_token: str = field(repr=False)
    pid: int = 0


@contextmanager
def sandbox(folder: Path, callback_url: str | None = None, clock: str = "virtual") -> Iterator[Town]:
    """The sandbox as a process of its own on a free port of this machine; ended on leaving."""
    command = [sys.executable, "-m", "integrations.sandbox", "--port", "0", "--clock", clock]
    command += ["--database", str(folder / "sandbox.db")]
    command += ["--callback-url", callback_url] if callback_url else []
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BANGJIAO_SANDBOX_")}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise SystemExit("The sandbox did not start; its message stands above.")
            ready = json.loads(line)
            yield Town(ready["url"], ready["secret"], ready["control_token"], process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            if process.poll() is None:
                process.kill()


def demo_settings(folder: Path, town: Town, settings: Settings) -> Settings:
    """The settings of the demo: its own database, the sandbox as gateway."""
    return settings.model_copy(
        update={
            "database_url": f"sqlite:///{folder / 'bangjiao.db'}",
            "gateway_url": town.url,
            "gateway_secret": SecretStr(town.secret),
            "gateway_control_token": SecretStr(town.control_token),
            "sweep_seconds": _SWEEP_SECONDS,
            "town": True,
        }
    )


def fresh_folder(folder: Path) -> Path:
    """An empty folder: every demo begins with the same morning and play money.

    Only a folder that an earlier demo made is emptied. Raises SystemExit for any other that holds something.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / _OURS).is_file():
        raise SystemExit(f"{folder} holds files that are not the demo's. Name an empty or a new folder.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / _OURS).touch()
    return folder


def listening(host: str, port: int) -> socket.socket:
    """A socket bound before anything starts, so that the sandbox knows where to call back. Raises SystemExit."""
    try:
        return socket.create_server((host, port))
    except OSError:
        raise SystemExit(f"Port {port} is taken. Try another one: BANGJIAO_PORT=8081 make demo") from None


def assembled(folder: Path, town: Town, settings: Settings) -> tuple[Application, World]:
    """The application of the demo with everybody enrolled."""
    world = load_world()
    clock = TownClock(world.start)
    application = build(demo_settings(folder, town, settings), clock=clock)
    enrol_town(application.store, world, clock.now())
    return application, world


async def keep_time(application: Application, world: World, town: Town) -> None:
    """Moves the sandbox's clock along with the town's, and lets its meters run."""
    control = SandboxControl(town.url, town.control_token)
    meters = Meters(application, world)
    try:
        while True:
            await control.set_clock(application.clock.now())
            for account, used in (await meters.used()).items():
                await control.change_account(account, used_fen=used)
            await asyncio.sleep(_TICK_SECONDS)
    finally:
        await control.aclose()


@dataclass
class Meters:
    """The town's prepaid meters. One whose automatic top-up was agreed to uses a day's worth a minute, before a visitor's eyes."""

    application: Application
    world: World
    running: dict[AccountId, datetime] = field(default_factory=dict)  # used up until then

    async def used(self) -> dict[AccountId, int]:
        """What each running meter used since it was looked at last, in whole fen."""
        now = self.application.clock.now()
        for account in await self.application.store.run(self._agreed):
            self.running.setdefault(account, now)
        found: dict[AccountId, int] = {}
        for account, since in self.running.items():
            daily = self.world.accounts[account].daily_use
            assert daily is not None, "only a meter with a known use runs"
            a_fen = timedelta(minutes=1) / (daily.fen * _DAYS_A_MINUTE)
            if used := (now - since) // a_fen:
                found[account] = used
                self.running[account] = since + used * a_fen
        return found

    def _agreed(self, tx: Tx) -> list[AccountId]:
        now, till = self.application.clock.now(), self.application.till
        meters = [
            a for a, meter in self.world.accounts.items() if meter.balance is not None and meter.daily_use
        ]
        return [account for account in meters if till.mandate_at(tx, account, now) is not None]
