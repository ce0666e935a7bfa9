"""One payment, tried out in every way: a process that dies at any point, a network that fails, callbacks that lie,
hands that tap twice; then a new process, time, and the same question: was it collected once, and does the book agree?
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from typing import Any

from data.clock import VirtualClock
from data.money import Money
from data.store.engine import Store
from integrations.ports import Reason
from payments.acts import Confirmed, Proposed
from payments.limits import Limits
from payments.simulation import town as ways
from payments.simulation.dying import Crash, Fuse, Mortal
from payments.simulation.household import CHENM, E_ZHANG, ZHANGGF, House, enrol
from tests.databases import SEALER

START = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)
AMOUNT = Money(12_345)
# After the first hour everything that was late has arrived; after a day whoever waits for a person waits for one.
PAUSES = tuple(timedelta(seconds=s) for s in (6, 20, 60, 200, 480, 1_900, 7_200, 90_000))


@dataclass(frozen=True)
class Case:
    """What happens to a payment. `fault` strikes the first `on`."""

    fault: str = ways.OK
    on: str = "charge"
    tells: str = "never"  # never | once | twice_then_failed | failed_first
    hands: str = "one"  # one | double_tap | two_devices | twin (another process works at the same time)
    story: str = "plain"  # plain | refused_by_biller | late_money | stopped | forgetful


@cache
def _image() -> bytes:
    store = Store.in_memory(SEALER)
    store.run_now(lambda tx: enrol(tx, START))
    return bytes(_raw(store).serialize())


def _raw(store: Store) -> Any:
    return store._connection().connection.dbapi_connection


def fresh_store() -> Store:
    """An enrolled household in memory, copied in no time."""
    store = Store.in_memory(SEALER)
    _raw(store).deserialize(_image())
    return store


class Run:
    """One case, with one crash."""

    def __init__(self, case: Case, crash_at: int, prepare: Callable[[Store], None] | None = None) -> None:
        self.case = case
        self.store = fresh_store()
        if prepare is not None:
            prepare(self.store)
        self.clock = VirtualClock(START)
        self.fuse = Fuse(crash_at)
        self.house = House.over(self.store, self.clock)
        self.town = self.house.town
        self.town.fault = self._fault()
        self.town.visit = self._visit
        self.calls: list[str] = []
        self.mortal = self._process(Mortal(self.store, self.fuse), "first")
        self.twin = self._process(self.store, "twin")
        self.breaches: list[str] = []
        if case.story == "refused_by_biller":
            self.town.refuses_posting = Reason.NOTHING_DUE
        if case.story == "late_money":
            self.town.declines = Reason.INSUFFICIENT_FUNDS
        if case.story == "forgetful":
            self.town.memory = self.town.records = timedelta(minutes=5)

    def _process(self, store: Any, owner: str) -> House:
        return House.over(store, self.clock, self.town, limits=Limits(), owner=owner)

    def _fault(self) -> Callable[[str], str]:
        struck: list[str] = []

        def fault(operation: str) -> str:
            if self.case.story == "forgetful" and operation == "status" and len(struck) < 6:
                struck.append(operation)
                return ways.ANSWER_LOST
            if operation == self.case.on and operation not in struck:
                struck.append(operation)
                return self.case.fault
            return ways.OK

        return fault

    async def _visit(self, operation: str) -> None:
        if self.case.hands == "twin" and operation not in self.calls:
            self.calls.append(operation)
            await self.twin.runner.due()
        self.fuse.point()

    async def go(self) -> list[str]:
        """Plays it and gives every breach."""
        mine = await self.house.proposed(CHENM, E_ZHANG)
        hers = await self.house.proposed(ZHANGGF, E_ZHANG, method="hosted")
        try:
            await self._first_life(mine, hers)
        except Crash:
            pass  # what it left behind is looked at like any other moment
        self._look("when the first process ended")
        self.fuse.at = 0
        await self._second_life(mine)
        self._look("at the end", at_rest=True)
        self._look_at_money()
        return self.breaches

    async def _first_life(self, mine: Proposed, hers: Proposed) -> None:
        house = self.mortal
        for _ in range(2 if self.case.hands == "double_tap" else 1):
            done = await house.confirm(mine.act, mine.digest, CHENM)
            if isinstance(done, Confirmed):
                await house.runner.advance_now(done.payments)
        if self.case.hands == "two_devices":
            await house.confirm(hers.act, hers.digest, ZHANGGF)
            await house.runner.due()
            for number in list(self.town.orders):
                self.town.pay_page(number)
        if self.case.story == "stopped":
            house.stop(CHENM)
            await house.runner.due()

    async def _second_life(self, mine: Proposed) -> None:
        # He heard nothing before the crash, so he says yes again, to the same read-back.
        done = await self.twin.confirm(mine.act, mine.digest, CHENM)
        if isinstance(done, Confirmed):
            await self.twin.runner.advance_now(done.payments)
        for pause in PAUSES:
            await self._deliver()
            self.town.pass_time(pause)
            await self.twin.runner.due()
            if self.case.story == "late_money" and pause == PAUSES[2]:
                for number in list(self.town.orders):
                    if self.town.orders[number].state == "declined":
                        self.town.late_capture(number)
        await self._deliver()
        if self.case.story == "plain":
            await self._asks_again()
        for pause in PAUSES[:3]:
            self.town.pass_time(pause)
            await self.twin.runner.due()

    async def _asks_again(self) -> None:
        """Whoever hears that nothing was charged pays again."""
        views = self.store.run_now(lambda tx: self.twin.till.payments_of(tx, CHENM))
        if any(v.told != "refused" for v in views) or self.town.due["0319001200345678"] < AMOUNT:
            return
        await self.twin.paid(CHENM, E_ZHANG)

    async def _deliver(self) -> None:
        said, self.town.told = self.town.told, []
        tells = "once" if self.case.story == "late_money" else self.case.tells
        for event in said:
            if tells == "failed_first":
                await self.twin.tell(**{**event, "id": f"{event['id']}-no", "status": "failed"})
            if tells != "never":
                await self.twin.tell(**event)
            if tells == "twice_then_failed":
                await self.twin.tell(**event)
                await self.twin.tell(**{**event, "id": f"{event['id']}-no", "status": "failed"})

    # --- judging ----------------------------------------------------------------------------------------------------

    def _look(self, when: str, at_rest: bool = False) -> None:
        self.breaches += [f"{when}: {b}" for b in self.house.breaches(at_rest)]

    def _look_at_money(self) -> None:
        kept = sum(m.fen for _, m in self.town.captures) - sum(m.fen for _, m in self.town.refunds.values())
        refused = "refused" in self.house.news(CHENM)
        wanted = {
            "plain": {AMOUNT.fen},
            "refused_by_biller": {0},
            # Who was told that nothing was taken gets late money back; who was told that we look finds his bill paid.
            "late_money": {0} if refused else {AMOUNT.fen},
            "stopped": {0, AMOUNT.fen},
            # A rail that answers nothing for hours and never heard of it: nothing is sent again, a person looks.
            "forgetful": {AMOUNT.fen} if self.town.orders else {0},
        }
        if kept not in wanted[self.case.story]:
            self.breaches.append(f"the household is short of {kept} fen")
        if len(self.town.posts) > 1:
            self.breaches.append("the bill was written off twice")
        views = self.store.run_now(lambda tx: self.twin.till.payments_of(tx, CHENM))
        told = [k for k in self.house.news(CHENM) if k == "captured"]
        if len(told) != sum(v.captured_at is not None and v.reason != "late_money" for v in views):
            self.breaches.append("a collection was told too often or not at all")


def play(
    case: Case, crash_at: int = 0, prepare: Callable[[Store], None] | None = None
) -> tuple[list[str], int]:
    """Breaches of one case with a crash at one point (0: none), and how many points there were."""
    run = Run(case, crash_at, prepare)
    try:
        breaches = asyncio.run(run.go())
    except Exception as error:  # a worker that breaks is a breach like any other
        breaches = [*run.breaches, f"{type(error).__name__}: {error}"]
    if run.house.runner.mistakes + run.twin.runner.mistakes:
        breaches = [*breaches, "a payment broke on its way"]
    return breaches, run.fuse.passed


def cases() -> list[Case]:
    """Every case, without crashes: the plain ones first."""
    plain = [
        Case(fault, on, tells, hands)
        for fault, on, tells, hands in product(
            ways.FAULTS,
            ("charge", "post"),
            ("never", "once", "twice_then_failed", "failed_first"),
            ("one", "double_tap", "two_devices", "twin"),
        )
    ]
    others = [
        Case(fault, on, tells, "one", story)
        for fault, (on, story), tells in product(
            ways.FAULTS,
            (("refund", "refused_by_biller"), ("charge", "stopped"), ("charge", "late_money")),
            ("never", "twice_then_failed"),
        )
    ]
    return [*plain, *others, Case(ways.ANSWER_LOST, story="forgetful")]


def with_crashes(case: Case, prepare: Callable[[Store], None] | None = None) -> Iterator[list[str]]:
    """The case with a crash at each of its points in turn."""
    _, points = play(case, 0, prepare)
    for at in range(1, points + 1):
        yield play(case, at, prepare)[0]
