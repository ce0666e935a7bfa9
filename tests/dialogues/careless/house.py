"""The whole house in memory: real desk, words, till and store, the town that ships with its billers and rail, a clock that is moved."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from bot.app import Words, read_words
from bot.playground import GIVEN_SINCE, START
from bot.playground.enrolled import shipped_world
from bot.settings import Settings
from data import ids
from data.clock import VirtualClock
from data.events import InboundEvent
from data.store.engine import Store, Tx
from data.store.payments import payments
from dialogues import turn
from dialogues.desk import Desk
from payments.authority import factors
from payments.authority.enrol import enrol_world
from payments.simulation.household import House, catalogue
from payments.simulation.town import ANSWER_LOST, DELAYED, NOT_SENT, OK, REQUEST_LOST, Town
from tests.databases import SEALER

_MISHAPS = (ANSWER_LOST, REQUEST_LOST, DELAYED, NOT_SENT)
_ROUNDS = 400  # of what becomes due in one pause; more is a house that cannot come to rest


@cache
def words() -> Words:
    """Flows and trained words are read once: no talk changes them."""
    return read_words(Settings())


@cache
def enrolled() -> bytes:
    """Everybody of the town known to a store, as they stood the day before."""
    with pytest.MonkeyPatch.context() as patch:
        # What a PIN costs to check is no matter here, and it is written into its hash.
        patch.setattr(factors, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        store = Store.in_memory(SEALER)
        store.run_now(lambda tx: enrol_world(tx, shipped_world(), GIVEN_SINCE))
        image = store.image()
        store.close()
    return image


def town(clock: VirtualClock) -> Town:
    """Billers and rail of the town that ships."""
    made = Town(clock)
    for account in shipped_world().accounts.values():
        made.holders[account.number] = account.account.holder_masked
        if account.balance is not None:
            made.prepaid[account.number] = account.balance
            made.daily_use[account.number] = account.daily_use
        elif not account.ic_card:
            made.due[account.number] = account.due
            made.due_dates[account.number] = account.due_date
    return made


class _Tried(Exception):
    """What was tried is taken back."""

    def __init__(self, result: Any) -> None:
        super().__init__("tried")
        self.result = result


class _Mistakes(logging.Handler):
    """Keeps every log line, and apart those that say that something of ours went wrong."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []
        self.wrong: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        self.lines.append(line)
        if record.levelno >= logging.ERROR:
            self.wrong.append(line)


@dataclass
class CarelessHouse:
    """One house for one talk. `chance` decides on mishaps on the way to the rail, when somebody asked for some."""

    chance: Random
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(START))
    store: Store = field(default_factory=lambda: Store.in_memory(SEALER, enrolled()))
    log: _Mistakes = field(default_factory=_Mistakes)
    mishaps: int = 0  # so many of the next calls to the rail go wrong on the way
    calls: int = 0
    _kept: ExitStack = field(default_factory=ExitStack)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def __post_init__(self) -> None:
        self._kept.enter_context(ids.thrown_by(Random(self.chance.random())))  # the same talk, the same rows
        self.town = town(self.clock)
        self.town.fault = self._fault
        self.rings = logging.getLogger()
        self.rings.addHandler(self.log)
        self.restart()

    def _fault(self, operation: str) -> str:
        self.calls += operation in ("charge", "start")
        if self.mishaps <= 0:
            return OK
        self.mishaps -= 1
        return self.chance.choice(_MISHAPS)

    def restart(self) -> None:
        """Built again on the same store: what was only in memory is gone."""
        self.money = House.over(self.store, self.clock, self.town)
        self.desk = Desk(
            self.store,
            turn.House(words().release, words().understanding, self.money.till, catalogue()),
            self.money.quoting,
            self.money.runner.advance_now,
            self.clock,
            ring=lambda _: None,
        )

    def close(self) -> None:
        self.rings.removeHandler(self.log)
        self.store.close()
        self._loop.close()
        self._kept.close()

    # --- what happens -------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def serve(self, event: InboundEvent) -> None:
        """One event, and all that follows from it at this instant."""
        self._loop.run_until_complete(self._served(event))

    def pass_time(self, by: timedelta) -> None:
        """Time passes; what becomes due happens in its order."""
        self._loop.run_until_complete(self._passed(by))

    def pay_page(self) -> bool:
        """Whoever was given a page to pay on pays there."""
        open_pages = [number for number, order in self.town.orders.items() if order.state == "page"]
        paid = bool(open_pages) and self.town.pay_page(open_pages[-1])
        self._loop.run_until_complete(self._settled())
        return paid

    async def _served(self, event: InboundEvent) -> None:
        await self.desk.serve(event)
        await self.desk.rest()
        await self.desk.tell_news()

    async def _passed(self, by: timedelta) -> None:
        until = self.now + by
        for _ in range(_ROUNDS):
            due = self._next_due()
            if due is None or due > until:
                break
            self.town.pass_time(max(due - self.now, timedelta(0)))
            await self._settled()
        self.town.pass_time(max(until - self.now, timedelta(0)))
        await self._settled()

    def _next_due(self) -> datetime | None:
        later = sa.select(payments.c.next_at).where(payments.c.next_at > self.now)
        found = self.store.run_now(lambda tx: tx.conn.scalar(later.order_by(payments.c.next_at).limit(1)))
        return min((at for at in (found, self.town.next_late()) if at is not None), default=None)

    async def _settled(self) -> None:
        """What is due now that time has passed."""
        await self.desk.rest()
        await self.money.runner.due()
        self.store.run_now(lambda tx: self.money.ladder.climb(tx, self.now))
        await self.desk.tell_news()

    # --- looking ------------------------------------------------------------------------------------------------

    def tried(self, event: InboundEvent, look: Callable[[Tx, turn.Taken], Any]) -> Any:
        """What `look` sees after this event's turn; the turn itself is taken back, as if nobody had said anything."""

        def attempt(tx: Tx) -> None:
            raise _Tried(look(tx, turn.take(tx, self.desk.house, event)))

        try:
            self.store.run_now(attempt)
        except _Tried as tried:
            return tried.result
        raise AssertionError("a trial is always taken back")
