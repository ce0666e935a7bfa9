"""Two months of one household: bills, a meter paid by itself, a lent purse, daily files compared; by dice, with deaths."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import cache
from random import Random
from typing import Any

from data.clock import VirtualClock, shanghai
from data.ids import PersonId, thrown_by
from data.model import May
from data.money import Money
from data.store import letters
from integrations.ports import Reason
from payments import differences, mandates
from payments.acts import Confirmed, Proposed
from payments.authority import access
from payments.reconcile import Reconciliation
from payments.simulation import clocks
from payments.simulation import town as ways
from payments.simulation.clocks import OwnClock
from payments.simulation.dying import Crash, Fuse, Mortal, at_once
from payments.simulation.household import CHENM, E_LI, E_ZHANG, LIJG, LIMIN, W_LI, ZHANGGF, House, lend_purse
from payments.simulation.judging import Judge
from payments.simulation.scenes import BILL, LENT, METER, TOP_UP, WATER, Ground, ReadBack, Setting
from payments.simulation.telling import Teller
from payments.terms import Clauses

_MORNINGS = (24, 34)  # on which something happens; one to three days lie between them
_LOOKED_AT = 4  # every so many mornings all rows are looked at, and the daily files compared
_ELECTRICITY = "0319001200345678"
_HOURS = (9, 11, 14, 17, 19)
_TROUBLE = (0.0, 0.05, 0.25)
_USE = (260, 900, 1_400)  # fen a day; the quicker ones come to the cap of a month
_LOWERED = Clauses(per_month=Money(10_000))


@cache
def _home() -> Ground:
    with thrown_by(Random("months")):  # noqa: S311 - a story, no secret
        setting = Setting()
        setting.agree_to(TOP_UP)
        setting.agree_to(BILL)
        setting.house.store.run_now(lambda tx: lend_purse(tx, setting.clock.now(), per_month=LENT))
        setting.town.daily_use[METER] = Money(260)
    setting.ground.lent = True
    setting.stage.begin_here()
    return setting.ground


class Months:
    """One seed."""

    def __init__(self, seed: int, teller: Teller | None = None) -> None:
        self._dice = Random(seed)  # noqa: S311 - a story, no secret
        self._teller = teller
        home = _home()
        home.stage.again()
        self._store = home.stage
        self._clock = VirtualClock(home.town.clock.now())
        self._town = home.town.copied(self._clock)
        self._fuse = Fuse()
        # Two months stand for what goes on for long, so here no clock is put right before the end.
        mine, others, rails = (timedelta(seconds=off) for off in clocks.thrown(self._dice))
        self._clocks = OwnClock(self._clock, mine), OwnClock(self._clock, others)
        self._town.off = rails
        self._mortal = House.over(
            Mortal(self._store, self._fuse), self._clocks[0], self._town, owner="mortal"
        )
        self._other = House.over(self._store, self._clocks[1], self._town, owner="other")
        self._files = Reconciliation(
            self._store, self._other.rail, self._other.billers, self._clocks[1], self._other.limits
        )
        self._trouble = self._dice.choice(_TROUBLE)
        self._use = Money(self._dice.choice(_USE))
        self._read_back: list[ReadBack] = []
        self._town.fault, self._town.visit = self._fault, self._visit
        self._judge = Judge(home, self._other, self._mortal, counts_lows=False)

    def go(self) -> list[str]:
        """Every breach, as sentences; empty when all was well."""
        for n in range(self._dice.randint(*_MORNINGS)):
            self._morning(files=n % _LOOKED_AT == 0)
            if n % _LOOKED_AT == 0 and self._judge.look():
                return self._judge.breaches
        self._trouble = 0.0
        for clock in self._clocks:
            clock.off = timedelta(0)
        self._town.pending_polls, self._town.refuses_posting, self._town.declines = 0, None, None
        at_once(self._come_to_rest())
        self._judge.look_at_rest()
        return self._judge.breaches

    def _morning(self, files: bool) -> None:
        """One round over all accounts, sometimes the files of the days before, what else happens, and days pass."""
        self._happen(self._round)
        if files:
            self._happen(self._files_compared)
        for _ in range(self._dice.choice((0, 0, 1, 2))):
            self._happen(self._dice.choice(_HAPPENINGS))
        days = self._dice.choice((1, 2, 2, 3))
        left = self._town.prepaid[METER].fen - days * self._use.fen
        self._town.prepaid[METER] = Money(max(left, 0))
        morning = shanghai(self._clock.now()) + timedelta(days=days)
        nine = morning.replace(hour=self._dice.choice(_HOURS), minute=0, second=0, microsecond=0)
        self._town.pass_time(nine.astimezone(self._clock.now().tzinfo) - self._clock.now())

    def _happen(self, happening: Callable[..., Awaitable[None]]) -> None:
        self._fuse.set(self._dice.randint(1, 25) if self._dice.random() < 0.2 else 0)
        self._tell(_TOLD.get(happening.__name__, happening.__name__))
        try:
            at_once(self._call(happening))
        except Crash:
            self._tell("   The process dies.")
        self._fuse.set(0)

    async def _call(self, happening: Callable[..., Awaitable[None]]) -> None:
        if hasattr(happening, "__self__"):
            await happening()
        else:
            await happening(self)

    def _tell(self, what: str) -> None:
        if self._teller is not None:
            self._teller.tell(self._clock.now(), what)

    def _fault(self, operation: str) -> str:
        fault = self._dice.choice(ways.FAULTS) if self._dice.random() < self._trouble else ways.OK
        if fault != ways.OK:
            self._tell(f"   {operation}: {fault.replace('_', ' ')}")
        return fault

    async def _visit(self, _operation: str) -> None:
        if self._dice.random() < 0.05:
            await self._other.runner.due()
        self._fuse.point()

    # --- every day ----------------------------------------------------------------------------------------------------

    async def _round(self) -> None:
        swept = await self._mortal.sweeper.run()
        await self._mortal.runner.advance_now(swept.payments)
        await self._mortal.runner.due()

    async def _files_compared(self) -> None:
        await self._files.due()

    # --- what happens ---------------------------------------------------------------------------------------------------

    async def somebody_pays(self) -> None:
        person, account, amount = self._dice.choice(
            (
                (CHENM, E_ZHANG, None),
                (ZHANGGF, E_ZHANG, None),
                (LIJG, E_LI, Money(10_000)),
                (LIJG, W_LI, None),
            )
        )
        act = await self._mortal.propose(
            person,
            account,
            amount,
            channel="voice" if person == LIJG else "telegram",
            method=self._dice.choice(("auto", "auto", "hosted")),
        )
        if isinstance(act, Proposed):
            self._read_back.append(ReadBack(act.act, act.digest, act.confirmer))
            await self._says_yes(self._read_back[-1])

    async def taps_again(self) -> None:
        if self._read_back:
            await self._says_yes(self._dice.choice(self._read_back[-5:]))

    async def _says_yes(self, waits: ReadBack) -> None:
        self._judge.agreed.add(waits.act)
        done = await self._mortal.confirm(waits.act, waits.digest, waits.by, kind="key", factor="pin")
        if isinstance(done, Confirmed) and self._dice.random() < 0.8:
            await self._mortal.runner.advance_now(done.payments)

    async def time_passes(self) -> None:
        self._town.pass_time(timedelta(seconds=self._dice.choice((6, 20, 90, 400, 1_900, 7_200))))
        await self._dice.choice((self._mortal, self._other)).runner.due()

    async def rail_tells(self) -> None:
        said, self._town.told = self._town.told, []
        for event in said[-4:]:
            at = self._town.now().timestamp()
            old = {"at": at - clocks.OLD.total_seconds()}
            change = self._dice.choice(({}, {}, {"status": "failed"}, {"fen": 1}, old))
            event = event | {"at": at}
            told = {**event, **change, "id": f"{event['id']}-{self._dice.random()}"} if change else event
            signature = self._dice.choice(("right", "right", "wrong"))
            await self._mortal.callbacks.receive(json.dumps(told).encode(), {"signature": signature})

    async def somebody_stops(self) -> None:
        person = PersonId(self._dice.choice((CHENM, ZHANGGF, LIMIN, LIJG)))
        await self._mortal.store.run(lambda tx: self._mortal.till.stop(tx, person, self._mortal.now))

    async def pages_are_paid(self) -> None:
        for number in list(self._town.orders):
            if self._dice.random() < 0.5:
                self._town.pay_page(number)

    async def bills_come(self) -> None:
        due = (shanghai(self._clock.now()) + timedelta(days=12)).date()
        for number in (_ELECTRICITY, WATER):
            self._town.due[number] = Money(self._dice.randint(1_000, 12_000))
            self._town.due_dates[number] = due

    async def rail_changes(self) -> None:
        self._town.declines = self._dice.choice((None, None, Reason.INSUFFICIENT_FUNDS))
        self._town.pending_polls = self._dice.choice((0, 0, 3))

    async def biller_changes(self) -> None:
        reasons = (None, None, None, Reason.QUOTE_EXPIRED, Reason.BILLER_CLOSED, Reason.NOT_PAYABLE_ONLINE)
        self._town.refuses_posting = self._dice.choice(reasons)

    async def late_money_comes(self) -> None:
        """A rail that breaks its word."""
        for number, order in self._town.orders.items():
            if order.state in ("declined", "closed") and order.amount:
                self._town.late_capture(number)
                self._judge.late.add(number)
                break

    async def purse_changes_hands(self) -> None:
        def change(tx: Any) -> None:
            access.revoke(tx, LIMIN, LIJG, self._mortal.now, [May.CONFIRM_PAYMENT])
            if self._dice.random() < 0.8:
                lend_purse(tx, self._mortal.now, per_month=LENT)

        self._store.run_now(change)

    async def less_is_agreed(self) -> None:
        at, live = self._mortal.now, self._live()
        if live is not None:
            await self._mortal.store.run(
                lambda tx: self._mortal.till.take_less(tx, live, LIMIN, at, _LOWERED)
            )

    async def it_is_ended(self) -> None:
        at, live = self._mortal.now, self._live()
        if live is not None and self._dice.random() < 0.3:
            await self._mortal.store.run(lambda tx: self._mortal.till.stop_mandate(tx, live, LIMIN, at))

    def _live(self) -> str | None:
        account = self._dice.choice((E_LI, W_LI))
        found = self._store.run_now(lambda tx: mandates.live_at(tx, account))
        return None if found is None else found.id

    # --- at the end -----------------------------------------------------------------------------------------------------

    async def _come_to_rest(self) -> None:
        for pause in (10, 40, 180, 1_560, 1_560):
            self._town.pass_time(timedelta(minutes=pause))
            for number, amount in self._judge.unheard():
                again = f"again-{number}-{self._clock.now().isoformat()}"
                await self._other.tell(id=again, order=number, status="paid", fen=amount.fen)
            await self._other.runner.due()
        for _ in range(3):
            self._town.pass_time(timedelta(days=1))
            await self._files.due()
            await self._other.runner.due()
        self._judge.breaches += self._unexplained()

    def _unexplained(self) -> list[str]:
        """Differences of the files that neither the till nor a ticket explains when nothing is under way."""
        standing = self._store.run_now(differences.listed)
        looked_after = self._store.run_now(letters.tickets_open)
        return [] if looked_after else [f"the files differ: {d.kind}" for d in standing]


_HAPPENINGS: tuple[Callable[[Months], Awaitable[None]], ...] = (
    *(Months.somebody_pays,) * 4,
    *(Months.time_passes,) * 3,
    *(Months.rail_tells,) * 3,
    *(Months.bills_come,) * 2,
    Months.taps_again,
    Months.somebody_stops,
    Months.pages_are_paid,
    Months.rail_changes,
    Months.biller_changes,
    Months.late_money_comes,
    Months.purse_changes_hands,
    Months.less_is_agreed,
    Months.it_is_ended,
)
_TOLD = {
    "_round": "A round over meters and bills.",
    "_files_compared": "The daily files are compared with the book.",
    "somebody_pays": "Somebody asks for a payment and says yes.",
    "taps_again": "Somebody says yes once more.",
    "time_passes": "A worker carries on what is due.",
    "rail_tells": "The rail tells what happened, as far as its word arrives unchanged.",
    "somebody_stops": "Somebody says 停.",
    "pages_are_paid": "Open pages are paid.",
    "bills_come": "New bills come.",
    "rail_changes": "The purse is emptied or filled, the rail is slow or quick.",
    "biller_changes": "The biller changes its mind about what it writes off.",
    "late_money_comes": "The rail takes money for an order it had declined.",
    "purse_changes_hands": "The lent purse is taken back, or lent again.",
    "less_is_agreed": "The daughter lowers what may be taken in a month.",
    "it_is_ended": "The daughter ends an automatic payment.",
}


def live(seed: int, teller: Teller | None = None) -> list[str]:
    """The breaches of one seed's months."""
    with thrown_by(Random(seed)):  # noqa: S311 - a story, no secret
        months = Months(seed, teller)
        try:
            return months.go()
        except Exception as mistake:
            # A worker that breaks is a breach like any other.
            return [*months._judge.breaches, f"something broke: {type(mistake).__name__}: {mistake}"]
