"""Waking payments durably: DBOS scans the rows that are due and spreads them over the processes of a house.

It holds no fact, no number and no timer of its own (settled 20): a lost workflow is a payment whose lease ends and which
the next scan finds. SQLite serves one process; several share one PostgreSQL, and carry on what a dead one was carrying.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from data.clock import Clock
from data.ids import PaymentId
from data.store.engine import Store
from data.store.presence import is_dead
from payments.advance import Advance
from payments.runner import due_payments
from payments.shift import Shift
from payments.taking_over import TakingOver

if TYPE_CHECKING:
    from dbos import DBOS

log = logging.getLogger("bangjiao.payments")

_QUEUE = "payments"
_AGAIN_SECONDS = 60  # a wake-up that came to nothing is repeated after this long
_DRAIN_SECONDS = 10.0  # longer than an answer of the gateway is waited for
_SILENT_SECONDS = 10.0  # as in our own store: a frozen process must not hold what the others wait for
_MOST_LEFT = 200  # wake-ups of the dead that are taken up at once
# One version for ever: a wake-up names a row, so any program may serve any wake-up, and a deploy or a rollback
# strands none. Whoever changes it strands the wake-ups of the other version, which then come anew within a minute.
VERSION = "1"


class DurableRunner:
    """Wakes due payments until it is stopped. `executor` must differ between live processes of one house."""

    def __init__(
        self,
        store: Store,
        advance: Advance,
        clock: Clock,
        url: str,
        executor: str,
        *,
        scan_seconds: float = 1.0,
        at_once: int = 8,
        shift: Shift | None = None,
        version: str = VERSION,
    ) -> None:
        """`shift` is the one `advance` asks as well: it ends when `stop` begins."""
        self._store = store
        self._advance = advance
        self._clock = clock
        self._url = url
        self._executor = executor
        self._scan_seconds = scan_seconds
        self._at_once = at_once
        self._shift = shift or Shift()
        self._version = version
        self._taking_over = TakingOver(store, clock, executor)
        self._dbos: type[DBOS] | None = None
        self._scanning: asyncio.Task[None] | None = None
        self._wake: Any = None
        self._queued: set[str] = set()  # of the last scan: what waits its turn is not queued every second

    async def launch(self) -> None:
        """Starts DBOS, takes up what this executor left behind, and begins to scan."""
        # 0.4 s to import: only the worker pays for it.
        from dbos import DBOS

        _prepare(self._url)
        DBOS(
            config={
                "name": "bangjiao",
                "system_database_url": self._url,
                "executor_id": self._executor,
                "application_version": self._version,
                "sys_db_idle_transaction_timeout_sec": _SILENT_SECONDS,
                "log_level": "ERROR",
            }
        )
        self._wake = DBOS.workflow(name="wake_payment")(self._wake_up())
        self._dbos = DBOS
        DBOS.launch()
        # After a rollback the older version must be the latest again, or what is queued without one waits for ever.
        await DBOS.set_latest_application_version_async(self._version)
        await DBOS.register_queue_async(
            _QUEUE, worker_concurrency=self._at_once, polling_interval_sec=min(self._scan_seconds, 1.0)
        )
        self._scanning = asyncio.create_task(self._scan_for_ever())

    async def stop(self) -> None:
        """Begins nothing more, lets running steps end within ten seconds, and leaves the rest due at once for peers."""
        if self._scanning is not None:
            self._scanning.cancel()
            with suppress(asyncio.CancelledError):
                await self._scanning
        await self._shift.end(_DRAIN_SECONDS)
        if self._dbos is not None:
            await asyncio.to_thread(
                self._dbos.destroy, workflow_completion_timeout_sec=2, destroy_registry=True
            )
            self._dbos = None
        await self._taking_over.let_go()

    async def scan(self) -> int:
        """Queues one wake-up for each due payment; gives how many were due."""
        at = self._clock.now()
        due = {self._wake_up_id(p, n, at): p for p, n in await self._store.run(partial(due_payments, at=at))}
        for wake_up in await self._not_queued(due.keys() - self._queued):
            await self._enqueue(wake_up, due[wake_up])
        self._queued = set(due)
        return len(due)

    async def _not_queued(self, wake_ups: set[str]) -> set[str]:
        """Those that no process has queued yet: one question costs less than queuing each of them again."""
        from dbos import DBOS

        if not wake_ups:
            return wake_ups
        known = await DBOS.list_workflows_async(
            workflow_ids=list(wake_ups), load_input=False, load_output=False
        )
        return wake_ups - {w.workflow_id for w in known}

    def _wake_up_id(self, payment: PaymentId, next_at: datetime, at: datetime) -> str:
        """One wake-up for each wait of a payment, from however many processes; a failed one comes again next minute."""
        minute = int(at.timestamp()) // _AGAIN_SECONDS
        return f"{payment}:{int(next_at.timestamp() * 1000)}:{minute}:{self._version}"

    async def take_over(self) -> int:
        """Carries on what dead processes were carrying: payments and wake-ups; gives how many of both."""
        if not self._shift.begins:
            return 0
        return await self._taking_over.look() + await self._wake_ups_of_the_dead()

    async def _wake_ups_of_the_dead(self) -> int:
        """A wake-up that died with its process would be repeated by nobody but a process of the same name."""
        from dbos import DBOS

        begun = await DBOS.list_workflows_async(
            status="PENDING", limit=_MOST_LEFT, load_input=False, load_output=False
        )
        others = {w.executor_id for w in begun if w.executor_id and w.executor_id != self._executor}
        dead = {name for name in others if await self._store.run(partial(is_dead, name=name))}
        left = [w.workflow_id for w in begun if w.executor_id in dead]
        if left:
            await DBOS.resume_workflows_async(left, queue_name=_QUEUE)
        return len(left)

    async def clear_away(self, before: datetime, batch: int = 200) -> int:
        """Removes wake-ups begun before `before`, in batches; gives how many.

        Those that never ended as well: a payment that is still due has long been woken by a newer one.
        """
        from dbos import DBOS

        count = 0
        while True:
            old = await DBOS.list_workflows_async(
                end_time=before.isoformat(), limit=batch, load_input=False, load_output=False
            )
            if not old:
                return count
            await DBOS.delete_workflows_async([w.workflow_id for w in old])
            count += len(old)

    async def _enqueue(self, wake_up: str, payment: PaymentId) -> None:
        from dbos import DBOS, SetWorkflowID

        with SetWorkflowID(wake_up):
            await DBOS.enqueue_workflow_async(_QUEUE, self._wake, payment)

    def _wake_up(self) -> Callable[[str], Awaitable[str]]:
        # A plain function: DBOS would take a bound method for a step of a class it does not know.
        async def wake_payment(payment: str) -> str:
            # Everything durable is in the row; repeating this after a crash asks again under the same number.
            progress = await self._advance.run(PaymentId(payment), self._executor)
            if progress.busy and not self._shift.begins:
                await self._taking_over.hand_on(progress.payment)
            return progress.state.value

        return wake_payment

    async def _scan_for_ever(self) -> None:
        while True:
            try:
                await self.take_over()
                await self.scan()
            except Exception as error:  # a database that restarts must not end the waking
                log.error("scan for due payments failed: %s", type(error).__name__)
            await asyncio.sleep(self._scan_seconds)


def _prepare(url: str) -> None:
    """DBOS does not switch its SQLite file to WAL by itself; without it readers and writers block each other."""
    parts = sa.engine.make_url(url)
    if parts.get_backend_name() == "sqlite" and parts.database:
        raw = sqlite3.connect(parts.database)
        raw.execute("PRAGMA journal_mode=WAL")
        raw.close()
