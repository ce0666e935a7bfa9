"""Whether all is well with the money of a story: the house's own invariants, and what only who sees both sides can know."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data.clock import shanghai
from data.ids import ActId, OrderNumber
from data.money import Money
from data.store.engine import Tx
from data.store.mandates import debits
from data.store.payments import acts, payments
from data.store.post import events, tickets
from payments.limits import GIVEN_BACK
from payments.simulation.household import House
from payments.simulation.scenes import LENT, TOP_UP, Ground
from payments.states import State

_ROWS = sa.select(
    payments.c.id,
    payments.c.number,
    payments.c.state,
    payments.c.amount_fen,
    payments.c.payer,
    payments.c.captured_at,
    payments.c.created_at,
    payments.c.act,
    acts.c.kind,
    acts.c.grant_id,
    acts.c.confirmer,
    payments.c.reason,
    payments.c.sent_at,
).join(acts, acts.c.id == payments.c.act)
_STANDING = sa.select(
    payments.c.number,
    payments.c.captured_at,
    payments.c.next_at,
    payments.c.lease_until,
    payments.c.state,
)
_NEWS = sa.select(events.c.person, events.c.kind, events.c.body)
_REFUNDS_LOOKED_AT = sa.select(tickets.c.person).where(
    tickets.c.kind == "refund", tickets.c.state != "closed"
)
_TOP_UPS = (
    sa.select(sa.func.count())
    .select_from(payments)
    .join(debits, debits.c.payment == payments.c.id)
    .where(payments.c.state.not_in(GIVEN_BACK))
)


class Judge:
    """Looks at the rows a story touched: its scene holds one household and nothing else."""

    def __init__(self, ground: Ground, house: House, *others: House, counts_lows: bool = True) -> None:
        self._ground = ground
        self._house = house
        self._processes = (house, *others)
        self._store = ground.stage
        self._written = ground.stage.written
        self.agreed: set[ActId] = set(ground.agreed)
        self.late: set[OrderNumber] = set()
        # When somebody had ended the automatic payment and was told so: what was sent until then, and when by its row.
        self._sent_before: dict[str, datetime] | None = None
        self._counts_lows = counts_lows and bool(ground.lows)
        self._low_times = ground.lows
        self._low = True
        self._standing: list[Any] = []
        self.breaches: list[str] = []

    # --- what the town knows ------------------------------------------------------------------------------------------

    def meter_says(self, balance: Money) -> None:
        """What is read: after a balance that was not low, a low one makes one more top-up right."""
        assert TOP_UP.below is not None
        low = balance < TOP_UP.below
        self._low_times += int(low and not self._low)
        self._low = low

    def it_ended(self) -> None:
        """The automatic payment is ended. Looked up in the rows: of two clocks nobody knows which is right."""
        if self._sent_before is None:
            rows = self._store.run_now(lambda tx: tx.conn.execute(_ROWS).all())
            self._sent_before = {r.id: r.sent_at for r in rows if r.sent_at is not None}

    def unheard(self) -> list[tuple[OrderNumber, Money]]:
        """What the rail took after it had said no, and the house does not know; notes when payments are due next.

        Of everything else the house must find out by asking: a callback may be lost for ever.
        """
        self._standing = self._store.run_now(lambda tx: list(tx.conn.execute(_STANDING)))
        known = {r.number for r in self._standing if r.captured_at is not None}
        return [taken for taken in self._house.town.captures if taken[0] in self.late - known]

    def next_due(self, watched: bool) -> datetime | None:
        """When a payment is due next; what a person watches is asked about for ever, and counts when `watched`."""
        waiting = [r for r in self._standing if r.next_at is not None]
        rows = [r for r in waiting if watched or r.state != State.NEEDS_HUMAN.value]
        # A hint may come while somebody holds the payment: then it waits until he lets go, or is seen to be dead.
        return min((max(r.next_at, r.lease_until or r.next_at) for r in rows), default=None)

    # --- looking --------------------------------------------------------------------------------------------------------

    def look(self) -> list[str]:
        """After each event, when anything was written."""
        if self._store.written != self._written:
            self._written = self._store.written
            self.breaches += self._store.run_now(lambda tx: self._breached(tx, at_rest=False))
        self._broke()
        return self.breaches

    def look_at_rest(self) -> list[str]:
        """When nothing is under way any more."""
        self.breaches += self._store.run_now(lambda tx: self._breached(tx, at_rest=True))
        self._broke()
        return self.breaches

    def _broke(self) -> None:
        if any(process.runner.mistakes for process in self._processes):
            self.breaches.append("a payment broke on its way")

    def _breached(self, tx: Tx, at_rest: bool) -> list[str]:
        rows = tx.conn.execute(_ROWS).all()
        found = self._house.breached(tx, at_rest)
        found += [f"L1 nobody said yes to it: {r.id}" for r in rows if self._is_not_agreed(r)]
        if self._ground.lent:
            found += _over_what_was_lent(rows)
        if self._counts_lows and (tx.conn.scalar(_TOP_UPS) or 0) > self._low_times:
            found.append("it was topped up more often than the meter was low")
        if self._sent_before is not None:
            found += [f"M-I12 sent after it was ended: {r.id}" for r in rows if self._is_too_late(r)]
        if at_rest:
            found += self._each_fen_is_somewhere(tx, rows) + _told(tx, rows)
        return found

    def _is_not_agreed(self, row: Any) -> bool:
        return row.kind == "pay" and row.act not in self.agreed

    def _is_too_late(self, row: Any) -> bool:
        assert self._sent_before is not None
        sent = row.kind == "debit" and row.sent_at is not None
        return bool(sent and self._sent_before.get(row.id) != row.sent_at)

    def _each_fen_is_somewhere(self, tx: Tx, rows: Any) -> list[str]:
        """What the rail kept is what billers wrote off, but for what a person is looking at."""
        town = self._house.town
        kept = sum(m.fen for _, m in town.captures) - sum(m.fen for _, m in town.refunds.values())
        posted = sum(m.fen for _, m in town.posts.values())
        taken = {number for number, _ in town.captures}
        looked_at = sum(r.amount_fen for r in rows if r.number in taken and _is_looked_at(tx, r))
        if kept == posted + looked_at:
            return []
        return [f"{kept} fen are kept, {posted} written off, {looked_at} looked at by a person"]


def _is_looked_at(tx: Tx, row: Any) -> bool:
    """A refund nobody knows the end of is never sent a second time: a person finds out, and a ticket says so."""
    if row.state == State.REFUNDING.value:
        return row.payer in set(tx.conn.scalars(_REFUNDS_LOOKED_AT))
    return bool(row.state == State.NEEDS_HUMAN.value)


def _over_what_was_lent(rows: Any) -> list[str]:
    """Added up here once more, by the wall clock of Shanghai, without the till's own arithmetic."""
    months: dict[str, int] = {}
    for row in rows:
        if row.grant_id is not None and row.state not in GIVEN_BACK:
            month = f"{shanghai(row.created_at):%Y-%m}"
            months[month] = months.get(month, 0) + row.amount_fen
    return [f"M-I11 {fen} fen of a lent purse in {m}" for m, fen in months.items() if fen > LENT.fen]


def _told(tx: Tx, rows: Any) -> list[str]:
    """Who said yes hears of money taken, and nobody hears that none was while it is kept (L2)."""
    news: dict[tuple[str, str], set[str]] = {}
    for person, kind, body in tx.conn.execute(_NEWS):
        news.setdefault((person, body.get("payment", "")), set()).add(kind)
    found = []
    for row in rows:
        if row.kind != "pay":
            continue
        heard = news.get((row.confirmer, row.id), set())
        taken = row.captured_at is not None and row.reason != "late_money"
        if taken != ("captured" in heard):
            found.append(f"L2 {row.id} was taken and not told, or told and not taken")
        kept = row.state in (State.SETTLED.value, State.PAID.value, State.POSTING.value)
        if kept and "refused" in heard:
            found.append(f"L2 {row.id} was told refused, and the money is kept")
    return found
