"""Who calls `advance`, and when: at once for what somebody just confirmed, and again whenever a payment is due.

The rows say what is due. Whoever wakes them holds no fact, no number and no timer of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from data.clock import Clock
from data.ids import PaymentId
from data.store.engine import Store, Tx
from data.store.payments import payments
from payments.advance import Advance, Progress

log = logging.getLogger("bangjiao.payments")

# Built once: it runs at every look for what is due.
_DUE = (
    sa.select(payments.c.id, payments.c.next_at)
    .where(
        payments.c.next_at <= sa.bindparam("now"),
        sa.or_(payments.c.lease_until.is_(None), payments.c.lease_until <= sa.bindparam("now")),
    )
    .order_by(payments.c.next_at, payments.c.created_at, payments.c.line)
    .limit(sa.bindparam("most"))
)

_ROUNDS = 200  # of one `due`: more means that payments keep waking each other, a mistake of ours


def due_payments(tx: Tx, at: datetime, limit: int = 200) -> list[tuple[PaymentId, datetime]]:
    """Payments whose time has come and that nobody is working on, the longest waiting first."""
    rows = tx.conn.execute(_DUE, {"now": at, "most": limit})
    return [(PaymentId(row.id), row.next_at) for row in rows]


class InlineRunner:
    """Advances in the caller's own task: the process that confirmed, the tests, the simulator, `bangjiao play`."""

    def __init__(self, store: Store, advance: Advance, clock: Clock, owner: str = "inline") -> None:
        self._store = store
        self._advance = advance
        self._clock = clock
        self._owner = owner
        self.mistakes = 0  # payments that broke on the way; each is also an alarm in the log

    async def advance_now(self, ids: Iterable[PaymentId]) -> list[Progress]:
        """Each payment as far as it goes without waiting. One that breaks is left for later and holds up no other."""
        return [p for payment in ids if (p := await self._advanced(payment)) is not None]

    async def due(self, at: datetime | None = None) -> int:
        """Every due payment to its next wait; gives how many were taken up."""
        count = 0
        broken: set[PaymentId] = set()
        for _ in range(_ROUNDS):
            moment = at or self._clock.now()
            due = await self._store.run(partial(due_payments, at=moment))
            found = [payment for payment, _ in due if payment not in broken]
            progress = {payment: await self._advanced(payment) for payment in found}
            broken |= {payment for payment, p in progress.items() if p is None}
            if all(p is None or p.busy for p in progress.values()):
                break
            count += len(found)
        return count

    async def _advanced(self, payment: PaymentId) -> Progress | None:
        try:
            return await self._advance.run(payment, self._owner)
        except Exception as mistake:
            # Of ours, or the database's: the row says what is due, and the next round tries again.
            self.mistakes += 1
            log.error("alarm: %s could not be carried on: %s", payment, type(mistake).__name__)
            return None
