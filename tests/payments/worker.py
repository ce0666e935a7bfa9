"""A worker process for tests: `python -m tests.payments.worker` and one line of JSON on standard input (see `Wanted`).

It wakes due payments until it is killed or told to end, and says `up` when it begins.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import asdict, dataclass, field
from datetime import timedelta

from data.catalogue import load
from data.clock import SystemClock
from data.store.engine import Store
from data.store.presence import Presence
from integrations.sandbox.biller import SandboxBillers
from integrations.sandbox.rail import SandboxRail
from payments.advance import Advance
from payments.durable import VERSION, DurableRunner
from payments.limits import Limits
from payments.shift import Shift
from tests.databases import SEALER


@dataclass(frozen=True)
class Wanted:
    """What a worker is told on its first line. A short lease lets a test without peers go on quickly."""

    store: str
    waking: str
    name: str
    sandbox: str
    secret: str = field(repr=False)
    lease_seconds: float = 3.0
    scan_seconds: float = 0.2
    at_once: int = 8
    version: str = VERSION

    def line(self) -> str:
        return json.dumps(asdict(self)) + "\n"


async def main(wanted: Wanted) -> None:
    store = Store.open(wanted.store, SEALER)
    clock = SystemClock()
    limits = Limits(lease=timedelta(seconds=wanted.lease_seconds), polls=(timedelta(seconds=1),))
    presence = Presence(store, wanted.name)
    shift = Shift(lambda: presence.held)
    billers = SandboxBillers(wanted.sandbox, wanted.secret)
    rail = SandboxRail(wanted.sandbox, wanted.secret)
    advance = Advance(store, billers, rail, clock, load(), limits, shift)
    runner = DurableRunner(
        store,
        advance,
        clock,
        wanted.waking,
        wanted.name,
        scan_seconds=wanted.scan_seconds,
        at_once=wanted.at_once,
        shift=shift,
        version=wanted.version,
    )
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await presence.come()
    await runner.launch()
    sys.stdout.write("up\n")
    sys.stdout.flush()
    await ended.wait()
    await runner.stop()
    await presence.go()


if __name__ == "__main__":
    asyncio.run(main(Wanted(**json.loads(sys.stdin.readline()))))
