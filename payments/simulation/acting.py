"""One story, played: the steps of a plan happen in a scene, then the town comes to rest; judged after everything."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from datetime import timedelta
from random import Random
from typing import Any

from data.clock import VirtualClock
from data.ids import OrderNumber, thrown_by
from data.model import May
from data.money import Money
from integrations.ports import Reason
from payments.acts import AlreadyConfirmed, Confirmed, Proposed
from payments.authority import access
from payments.simulation import clocks
from payments.simulation import town as ways
from payments.simulation.clocks import OwnClock
from payments.simulation.dying import Crash, Fuse, Mortal, at_once
from payments.simulation.household import CHENM, E_LI, LIJG, LIMIN, W_LI, ZHANGGF, House
from payments.simulation.judging import Judge
from payments.simulation.plan import Plan, Step
from payments.simulation.scenes import METER, WATER, ReadBack, ground
from payments.simulation.telling import Teller
from payments.terms import Clauses

# Nothing further happens once so many transactions were made; what was begun still comes to rest.
_TRANSACTIONS = 12
_ROUNDS = 10  # of coming to rest
_WATCHED = 2  # of them, what a person looks at is asked about as well
_PATIENCE = timedelta(days=3)
_PAUSES = (1, 6, 20, 35, 90, 480, 1_900)


class Play:
    """A plan on its way."""

    def __init__(self, plan: Plan, teller: Teller | None = None) -> None:
        self._plan = plan
        self._teller = teller
        self._ground = ground(plan.scene)
        self._store = self._ground.stage
        self._store.again()
        self._clock = VirtualClock(self._ground.town.clock.now())
        self._town = self._ground.town.copied(self._clock)
        self._fuse = Fuse()
        # As much as two of ours may differ: what is sent again must still arrive while the rail remembers the number.
        self._most_off = (self._town.memory / 2 - self._town.delay) / 2
        mine, others, towns = plan.clocks
        self._my_clock = OwnClock(self._clock, clocks.at_most(mine, self._most_off))
        self._other_clock = OwnClock(self._clock, clocks.at_most(others, self._most_off))
        self._town.off += timedelta(seconds=towns)
        self._set_to: timedelta | None = None
        self._mortal = House.over(Mortal(self._store, self._fuse), self._my_clock, self._town, owner="mortal")
        self._other = House.over(self._store, self._other_clock, self._town, owner="other")
        self._read_back = list(self._ground.read_back)
        self._faults: list[str] = []
        self._calls = self._meets = 0
        self._town.fault, self._town.visit = self._fault, self._visit
        self.judge = Judge(self._ground, self._other, self._mortal)

    def go(self) -> list[str]:
        """Every breach, as sentences; empty when all was well."""
        for whose, seconds in zip(_WHOSE, self._plan.clocks, strict=True):
            if seconds:
                self._tell(f"The clock of {whose} is {_off(timedelta(seconds=seconds))}.")
        for n, step in enumerate(self._plan.steps):
            if self._store.transactions >= _TRANSACTIONS:
                break
            self._tell(f"{n + 1}. {_TOLD[step.what]}")
            self._happen(step)
            if self.judge.look():
                return self.judge.breaches
        self._tell("Then the network is well, nobody dies, our clocks are right, and time passes.")
        self._my_clock.off = self._other_clock.off = timedelta(0)
        at_once(self._come_to_rest())
        self.judge.look_at_rest()
        return self.judge.breaches

    def _happen(self, step: Step) -> None:
        self._faults, self._calls, self._meets = list(step.faults), 0, step.meets
        self._fuse.set(step.dies_at)
        try:
            at_once(_HAPPENINGS[step.what](self, step.die))
        except Crash:
            self._tell("   The process dies.")
        self._fuse.set(0)
        self._clock_is_right_now()

    def _tell(self, what: str) -> None:
        if self._teller is not None:
            self._teller.tell(self._clock.now(), what)

    # --- on the way to the counterparties -----------------------------------------------------------------------------

    def _fault(self, operation: str) -> str:
        fault = self._faults.pop(0) if self._faults else ways.OK
        self._tell(f"   {_ASKED[operation]}{_WENT[fault]}.")
        return fault

    async def _visit(self, _operation: str) -> None:
        self._calls += 1
        if self._calls == self._meets:
            self._tell("   Another process comes by and carries on what is due.")
            await self._other.runner.due()
        self._clock_is_right_now()
        self._fuse.point()

    def _clock_is_right_now(self) -> None:
        """What set the process's clock may do so while it waits for an answer."""
        if self._set_to is not None:
            self._my_clock.off, self._set_to = self._set_to, None
            self._tell(f"   The process's clock is set: it is {_off(self._my_clock.off)}.")

    # --- what happens -------------------------------------------------------------------------------------------------

    async def works(self, die: int) -> None:
        seconds = _PAUSES[die % len(_PAUSES)]
        self._town.pass_time(timedelta(seconds=seconds))
        self._tell(f"   {seconds} seconds have passed.")
        await self._mortal.runner.due()

    async def waits_long(self, die: int) -> None:
        minutes = (16, 31, 600, 1_500)[die % 4]
        self._town.pass_time(timedelta(minutes=minutes))
        self._tell(f"   {minutes} minutes have passed.")
        await self._mortal.runner.due()

    async def clock_is_set(self, die: int) -> None:
        """Forward or back, as the time service does it; half the time in the middle of a question."""
        self._set_to = clocks.at_most(clocks.OFF[die % len(clocks.OFF)], self._most_off)
        if die & 0x100:
            await self.works(die >> 4)

    async def yes(self, die: int) -> None:
        if not self._read_back:
            return
        waits = self._read_back[die % len(self._read_back)]
        self.judge.agreed.add(waits.act)  # he said it, whether or not it was heard
        self._tell(f"   It is {waits.by}.")
        done = await self._mortal.confirm(waits.act, waits.digest, waits.by, kind="key", factor="pin")
        if isinstance(done, Confirmed | AlreadyConfirmed) and die & 0x100:
            await self._mortal.runner.advance_now(done.payments)

    async def yes_to_something_else(self, die: int) -> None:
        if self._read_back:
            waits = self._read_back[die % len(self._read_back)]
            if waits.act not in self.judge.agreed:
                await self._mortal.confirm(waits.act, "0" * 64, waits.by, kind="key", factor="pin")

    async def asks_again(self, die: int) -> None:
        """The father asks for another top-up on his daughter's purse and says yes."""
        self._town.pass_time(timedelta(seconds=20))
        amount = Money((10_000, 20_000)[die % 2])
        act = await self._mortal.propose(LIJG, E_LI, amount, channel="voice")
        if isinstance(act, Proposed):
            self._read_back = [ReadBack(act.act, act.digest, act.confirmer)]
            await self.yes(die | 0x100)

    async def stops(self, die: int) -> None:
        person = (CHENM, ZHANGGF, LIMIN, LIJG)[die % 4] if self._ground.mandate else (CHENM, ZHANGGF)[die % 2]
        at = self._mortal.now
        await self._mortal.store.run(lambda tx: self._mortal.till.stop(tx, person, at))

    async def rail_tells(self, die: int) -> None:
        said, self._town.told = self._town.told, []
        for event in said[-2:]:
            for told, signature in _heard(event | {"at": self._town.now().timestamp()}, die):
                raw = json.dumps(told).encode()
                await self._mortal.callbacks.receive(raw, {"signature": signature})

    async def page_is_paid(self, _die: int) -> None:
        for number in list(self._town.orders):
            self._town.pay_page(number)

    async def bill_is_paid_elsewhere(self, _die: int) -> None:
        for number in self._town.due:
            self._town.due[number] = Money(0)

    async def bill_grows(self, _die: int) -> None:
        self._town.due[WATER] += Money(1_000)

    async def rail_declines(self, die: int) -> None:
        self._town.declines = Reason.INSUFFICIENT_FUNDS if die % 3 else None

    async def rail_is_slow(self, die: int) -> None:
        self._town.pending_polls = die % 4

    async def biller_refuses(self, die: int) -> None:
        reasons = (
            Reason.NOTHING_DUE,
            Reason.QUOTE_EXPIRED,
            Reason.BILLER_CLOSED,
            Reason.NOT_PAYABLE_ONLINE,
            None,
        )
        self._town.refuses_posting = reasons[die % len(reasons)]

    async def late_money(self, _die: int) -> None:
        """A rail that breaks its word."""
        for number, order in self._town.orders.items():
            if order.state in ("declined", "closed") and order.amount:
                self._town.late_capture(number)
                self.judge.late.add(number)
                break

    async def purse_is_taken_back(self, die: int) -> None:
        at = self._mortal.now
        await self._mortal.store.run(
            lambda tx: access.revoke(tx, LIMIN, LIJG, at, [May.CONFIRM_PAYMENT] if die % 2 else None)
        )

    # --- by itself ----------------------------------------------------------------------------------------------------

    async def meter_read(self, die: int) -> None:
        self._town.pass_time(timedelta(minutes=(5, 70, 1_500)[die % 3]))
        self.judge.meter_says(self._town.prepaid[METER])
        swept = await self._mortal.sweeper.read(E_LI)
        if die & 0x100:
            await self._mortal.runner.advance_now(swept.payments)

    async def meter_falls(self, die: int) -> None:
        self._town.prepaid[METER] = Money((1_900, 1_200, 2_500)[die % 3])

    async def bill_read(self, die: int) -> None:
        self._town.pass_time(timedelta(minutes=(5, 70, 1_500)[die % 3]))
        swept = await self._mortal.sweeper.read(W_LI)
        if die & 0x100:
            await self._mortal.runner.advance_now(swept.payments)

    async def ends_it(self, die: int) -> None:
        at, mandate = self._mortal.now, self._ground.mandate
        till = self._mortal.till
        end = till.stop_mandate if die % 2 else till.pause_mandate
        if await self._mortal.store.run(lambda tx: end(tx, mandate, LIMIN, at)):
            self.judge.it_ended()

    async def lowers_it(self, die: int) -> None:
        at, mandate = self._mortal.now, self._ground.mandate
        less = Clauses(per_month=Money((10_000, 15_000)[die % 2]))
        await self._mortal.store.run(lambda tx: self._mortal.till.take_less(tx, mandate, LIMIN, at, less))

    async def skips_it(self, _die: int) -> None:
        at = self._mortal.now
        await self._mortal.store.run(lambda tx: self._mortal.till.skip_debit(tx, W_LI, LIMIN, at))

    # --- at the end -----------------------------------------------------------------------------------------------------

    async def _come_to_rest(self) -> None:
        self._faults, self._meets = [], 0
        self._town.pending_polls, self._town.refuses_posting = 0, None
        until = self._clock.now() + _PATIENCE
        for n in range(_ROUNDS):
            await self._rail_is_heard()
            due = self.judge.next_due(watched=n < _WATCHED)
            late = self._town.next_late()
            soonest = min((at for at in (due, late) if at is not None), default=None)
            if soonest is None or soonest > until:
                break
            # What keeps being unclear is asked about for half an hour, then a person looks.
            at_least = timedelta(0) if n < _ROUNDS / 2 else timedelta(minutes=40)
            self._town.pass_time(max(soonest - self._clock.now(), at_least))
            await self._other.runner.due()

    async def _rail_is_heard(self) -> None:
        """It tells again what we do not know: a callback is only lost for a while."""
        unheard = self.judge.unheard()
        for number, amount in unheard:
            again = f"again-{number}-{self._clock.now().isoformat()}"
            await self._other.tell(id=again, order=number, status="paid", fen=amount.fen)
        if unheard:
            self.judge.unheard()


def _off(by: timedelta) -> str:
    if not by:
        return "right"
    return f"{abs(by)} {'fast' if by > timedelta(0) else 'slow'}"


def _heard(event: dict[str, object], die: int) -> list[tuple[dict[str, object], str]]:
    """What comes of one callback on its way: itself, itself twice, or something it never said."""
    other: dict[str, object] = {**event, "id": f"{event['id']}-{die}"}
    match die % 7:
        case 0:
            return [(event, "right"), (event, "right")]
        case 1:
            return [({**other, "status": "failed"}, "right"), (event, "right")]
        case 2:
            return [(event, "right"), ({**other, "status": "failed"}, "right")]
        case 3:
            return [({**other, "fen": 1}, "right")]
        case 4:
            return [({**other, "order": OrderNumber("nobody")}, "right"), (event, "wrong")]
        case 5:
            return [({**other, "status": "failed", "at": event["at"] - clocks.OLD.total_seconds()}, "right")]  # type: ignore[operator]
        case _:
            return [(event, "right")]


_HAPPENINGS: dict[str, Callable[[Play, int], Coroutine[Any, Any, None]]] = {
    made.__name__: made
    for made in (
        Play.works,
        Play.waits_long,
        Play.yes,
        Play.yes_to_something_else,
        Play.asks_again,
        Play.stops,
        Play.rail_tells,
        Play.page_is_paid,
        Play.bill_is_paid_elsewhere,
        Play.bill_grows,
        Play.rail_declines,
        Play.rail_is_slow,
        Play.biller_refuses,
        Play.late_money,
        Play.purse_is_taken_back,
        Play.meter_read,
        Play.meter_falls,
        Play.bill_read,
        Play.ends_it,
        Play.lowers_it,
        Play.skips_it,
        Play.clock_is_set,
    )
}
_TOLD = {
    "works": "A worker carries on what is due.",
    "waits_long": "Much later a worker carries on what is due.",
    "yes": "Somebody says yes to what was read back.",
    "yes_to_something_else": "Somebody's yes arrives for something that was not read back.",
    "asks_again": "The father asks for another top-up and says yes.",
    "stops": "Somebody says 停.",
    "rail_tells": "The rail tells what happened, as far as its word arrives unchanged.",
    "page_is_paid": "The page is paid.",
    "bill_is_paid_elsewhere": "Somebody pays the bill elsewhere.",
    "bill_grows": "The bill grows by ten yuan.",
    "rail_declines": "The purse is emptied, or filled again.",
    "rail_is_slow": "The rail takes its time.",
    "biller_refuses": "The biller changes its mind about what it writes off.",
    "late_money": "The rail takes money for an order it had declined.",
    "purse_is_taken_back": "The daughter takes her purse back.",
    "meter_read": "The meter is read.",
    "meter_falls": "The meter changes.",
    "bill_read": "The bill is read.",
    "ends_it": "The daughter ends the automatic payment, or lets it rest.",
    "lowers_it": "The daughter lowers what may be taken in a month.",
    "skips_it": "The daughter leaves this bill out.",
    "clock_is_set": "The process's clock is set by the time service.",
}
_WHOSE = ("the process", "the other process", "the rail")
_ASKED = {
    "charge": "The rail is asked to take the money",
    "start": "The rail is asked for a page",
    "status": "The rail is asked what became of it",
    "close": "The rail is asked to close the order",
    "refund": "The rail is asked to give the money back",
    "refund_status": "The rail is asked what became of the refund",
    "post": "The biller is asked to write it off",
    "post_status": "The biller is asked what became of it",
}
_WENT = {
    ways.OK: "",
    ways.REQUEST_LOST: "; the request is lost",
    ways.ANSWER_LOST: "; it is done, and the answer is lost",
    ways.DELAYED: "; the request is held up on the way for minutes, and nobody answers",
    ways.NOT_SENT: "; nothing leaves the house",
    ways.BROKEN: "; it is done, and the answer cannot be read",
}


def play(seed: int, plan: Plan, teller: Teller | None = None) -> list[str]:
    """The breaches of a plan. Ids are thrown by the seed."""
    with thrown_by(Random(seed)):  # noqa: S311 - a story, no secret
        played = Play(plan, teller)
        try:
            return played.go()
        except Exception as mistake:
            # A worker that breaks is a breach like any other.
            return [*played.judge.breaches, f"something broke: {type(mistake).__name__}: {mistake}"]
