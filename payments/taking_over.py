"""What a dead process was carrying: let go at once, so that somebody who lives carries it on.

A lease names its holder. Whoever gets the lock of that name (data/store/presence.py) knows that the holder is gone, and need
not wait until the lease runs out. Why nothing happens twice although "gone" may be a process that was only cut off or stopped:

1. What is about to be asked is written before it is asked. Who takes a payment up finds it there, and asks what became of
   the number before he asks for anything.
2. Only the holder of the lease writes. The lease is a token of its own for every step; one that was let go is nobody's,
   and an answer that comes later is thrown away and asked for again.
3. Who was cut off sends nothing more: `Shift.sends` looks at the connection itself, and a lease that ran out meanwhile
   counts as well (`Advance._slept_through`).
4. What he had already sent goes on its way. It carries the payment's number like everything his successor sends, and a rail
   or a biller executes a number once and never after it confirmed that the number is closed (settled 10).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa

from data.clock import Clock
from data.ids import PaymentId
from data.store.engine import Store, Tx
from data.store.payments import payments
from data.store.presence import is_dead
from payments import states

log = logging.getLogger("bangjiao.payments")

# A leased payment is due again when its lease ends, or earlier: so the index on next_at finds them all.
_LEASED = (
    sa.select(payments.c.lease_owner)
    .where(payments.c.next_at <= sa.bindparam("soon"), payments.c.lease_until > sa.bindparam("now"))
    .limit(500)
)
_LONGEST_LEASE = timedelta(hours=1)
_LET_GO = (
    sa.update(payments)
    .where(payments.c.lease_owner.in_(sa.bindparam("tokens", expanding=True)))
    .values(lease_owner=None, lease_until=None, next_at=sa.bindparam("now"))
)


def holder_of(token: str) -> str:
    """The name of the process in a lease's token."""
    return token.rpartition("_")[0]


class TakingOver:
    """Looks after the payments of dead processes. `name` is our own: what stands under it is ours."""

    def __init__(self, store: Store, clock: Clock, name: str) -> None:
        self._store = store
        self._clock = clock
        self._name = name

    async def look(self) -> int:
        """Lets go of what dead processes held; gives how many payments are due because of it.

        On SQLite nothing: its one process looks at its own name when it starts.
        """
        if self._store.engine.dialect.name != "postgresql":
            return 0
        held = await self._store.run(partial(_held, at=self._clock.now()))
        count = 0
        for name, tokens in held.items():
            if name != self._name:
                count += await self._store.run(
                    partial(_of_the_dead, name=name, tokens=tokens, clock=self._clock)
                )
        return count

    async def let_go(self) -> int:
        """Lets go of what stands under our own name: at the start what our predecessor left, at the end what we leave."""
        at = self._clock.now()
        held = await self._store.run(partial(_held, at=at))
        return await self._store.run(partial(_let_go, tokens=held.get(self._name, ()), at=at))

    async def hand_on(self, payment: PaymentId) -> None:
        """Makes a payment we may not begin due anew, so that a peer is woken for it at once."""
        await self._store.run(partial(_handed_on, payment=payment, at=self._clock.now()))


def _held(tx: Tx, at: datetime) -> Mapping[str, Sequence[str]]:
    """The tokens of all leases that last, by the name of their holder."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for token in tx.conn.scalars(_LEASED, {"now": at, "soon": at + _LONGEST_LEASE}):
        found[holder_of(token)].append(token)
    return found


def _of_the_dead(tx: Tx, name: str, tokens: Sequence[str], clock: Clock) -> int:
    if not is_dead(tx, name):
        return 0
    count = _let_go(tx, tokens, clock.now())
    if count:
        log.warning("%s is gone; %d of its payments are carried on", name, count)
    return count


def _let_go(tx: Tx, tokens: Sequence[str], at: datetime) -> int:
    return tx.conn.execute(_LET_GO, {"tokens": list(tokens), "now": at}).rowcount if tokens else 0


def _handed_on(tx: Tx, payment: PaymentId, at: datetime) -> None:
    held = states.read(tx, payment, hold=True)
    if held.lease_owner is None and held.next_at is not None and held.next_at <= at:
        states.note(tx, payment, next_at=at)
