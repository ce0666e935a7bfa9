"""A worker process for tests: `python -m tests.payments.worker STORE_URL WAKING_URL EXECUTOR SANDBOX_URL SECRET`.

It wakes due payments until it is killed, and says `up` when it begins.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

from data.catalogue import load
from data.clock import SystemClock
from data.store.engine import Store
from integrations.sandbox.biller import SandboxBillers
from integrations.sandbox.rail import SandboxRail
from payments.advance import Advance
from payments.durable import DurableRunner
from payments.limits import Limits
from tests.databases import SEALER

# A dead process's payments are found quickly, so that a test need not wait half a minute.
LIMITS = Limits(lease=timedelta(seconds=3), polls=(timedelta(seconds=1),))


async def main(store_url: str, waking_url: str, executor: str, sandbox: str, secret: str) -> None:
    store = Store.open(store_url, SEALER)
    clock = SystemClock()
    advance = Advance(store, SandboxBillers(sandbox), SandboxRail(sandbox, secret), clock, load(), LIMITS)
    runner = DurableRunner(store, advance, clock, waking_url, executor, scan_seconds=0.2)
    await runner.launch()
    sys.stdout.write("up\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
