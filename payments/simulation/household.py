"""A few people with their purses and accounts, and the money rooms around them: where stories of the till begin."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from data.catalogue import Catalogue, load
from data.clock import Clock, VirtualClock
from data.ids import AccountId, ActId, BillerId, InstrumentId, PaymentId, PersonId
from data.model import Account, Instrument, May, Person, Role, Utility
from data.money import Money
from data.store import journal, letters
from data.store.engine import Store, Tx
from integrations.ports import BillerNetwork, PaymentRail
from payments import invariants
from payments.acts import AlreadyConfirmed, Confirmed, Evidence, LineWish, Proposed, Refusal
from payments.advance import Advance
from payments.authority import access, accounts, numbers, people
from payments.callbacks import Callbacks, Verdict
from payments.limits import Limits
from payments.quoting import Quoted, Quoting
from payments.runner import InlineRunner
from payments.simulation.town import FakeBillers, FakeRail, Town
from payments.sweep import Sweep, Swept
from payments.till import PaymentView, Stopped, Till
from payments.warnings import Ladder

CHENM, ZHANGGF = PersonId("chenm"), PersonId("zhanggf")
LIMIN, LIJG = PersonId("limin"), PersonId("lijg")
CHENGFS, XIAOZHOU = PersonId("chengfs"), PersonId("xiaozhou")
E_ZHANG, E_LI, W_LI = AccountId("E-ZHANG"), AccountId("E-LI"), AccountId("W-LI")
W_CHENG = AccountId("W-CHENG")

_PEOPLE = (
    Person(CHENM, "陈明"),
    Person(ZHANGGF, "张桂芳", elder=True),
    Person(LIMIN, "李敏"),
    Person(LIJG, "李建国", elder=True, smartphone=False),
    Person(CHENGFS, "程福生", elder=True, low_sight=True),
    Person(XIAOZHOU, "周慧", role=Role.HELPER),
)
_ACCOUNTS = (
    Account(E_ZHANG, BillerId("gz-electricity"), Utility.ELECTRICITY, "0319001200345678", ZHANGGF, "张*芳"),
    Account(E_LI, BillerId("bj-electricity"), Utility.ELECTRICITY, "1100223344", LIJG, "李*国"),
    Account(W_LI, BillerId("bj-water"), Utility.WATER, "2200556677", LIJG, "李*国"),
    Account(W_CHENG, BillerId("sh-water"), Utility.WATER, "3200456701", CHENGFS, "程*生"),
)
_DUE = {"0319001200345678": Money(12_345), "2200556677": Money(4_650), "3200456701": Money(3_120)}


@cache
def catalogue() -> Catalogue:
    return load()


def enrol(tx: Tx, at: datetime) -> None:
    """The people, as they stood the day before."""
    then = at - timedelta(days=1)
    for person in _PEOPLE:
        people.add_person(tx, person, then)
    for account in _ACCOUNTS:
        numbers.add_account(tx, account, then)
    for owner in (CHENM, LIMIN, CHENGFS):
        purse = Instrument(InstrumentId(f"pm-{owner}"), owner, f"token-{owner}")
        access.add_instrument(tx, purse, then)
    accounts.save_for(tx, CHENM, E_ZHANG, "妈妈家", then)
    people.relate(tx, LIJG, LIMIN, "daughter")
    access.grant(tx, LIJG, LIMIN, [May.BILLS, May.PAY, May.NOTICES], then)
    access.grant(tx, CHENGFS, XIAOZHOU, [May.BILLS, May.START_PAYMENT], then)


def lend_purse(
    tx: Tx, at: datetime, per_payment: Money | None = Money(20_000), per_month: Money | None = Money(40_000)
) -> str:
    """The daughter lets her father spend from her purse by telephone."""
    return access.grant(
        tx,
        LIMIN,
        LIJG,
        [May.CONFIRM_PAYMENT],
        at,
        instrument=InstrumentId("pm-limin"),
        per_payment=per_payment,
        per_month=per_month,
    )[0]


def new_town(clock: VirtualClock) -> Town:
    """The counterparties of these people."""
    town = Town(clock)
    town.due = dict(_DUE)
    town.prepaid = {"1100223344": Money(1_860)}
    town.holders = {a.number: a.holder_masked for a in _ACCOUNTS}
    return town


@dataclass
class House:
    """The money rooms of one process over a store."""

    store: Store
    clock: Clock
    town: Town
    rail: PaymentRail
    billers: BillerNetwork
    limits: Limits
    till: Till
    advance: Advance
    runner: InlineRunner
    callbacks: Callbacks
    quoting: Quoting
    sweeper: Sweep
    ladder: Ladder

    @classmethod
    def over(
        cls,
        store: Store,
        clock: Clock,
        town: Town | None = None,
        *,
        limits: Limits | None = None,
        rail: PaymentRail | None = None,
        billers: BillerNetwork | None = None,
        owner: str = "house",
    ) -> House:
        if town is None:
            # Before a real sandbox the simulated town stands by unasked, with a clock of its own.
            town = new_town(clock if isinstance(clock, VirtualClock) else VirtualClock(clock.now()))
        limits = limits or Limits()
        rail = rail or FakeRail(town)
        billers = billers or FakeBillers(town)
        advance = Advance(store, billers, rail, clock, catalogue(), limits)
        runner = InlineRunner(store, advance, clock, owner)

        async def wake(payment: PaymentId) -> object:
            return await runner.advance_now([payment])

        callbacks = Callbacks(store, rail, clock, wake)
        quoting = Quoting(store, billers, catalogue(), clock)
        till = Till(catalogue(), limits)
        sweeper = Sweep(store, billers, clock, catalogue(), limits, owner=owner)
        return cls(
            store, clock, town, rail, billers, limits, till, advance, runner, callbacks, quoting,
            sweeper, Ladder(limits),
        )  # fmt: skip

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def enrol(self) -> None:
        self.store.run_now(lambda tx: enrol(tx, self.now))

    # --- doing ------------------------------------------------------------------------------------------------------

    async def quote(self, person: PersonId, account: AccountId) -> Quoted:
        found = await self.quoting.quote(person, account)
        assert isinstance(found, Quoted), found
        return found

    async def propose(
        self,
        person: PersonId,
        account: AccountId,
        amount: Money | None = None,
        *,
        channel: str = "telegram",
        method: str = "auto",
    ) -> Proposed | Refusal:
        quoted = await self.quoting.quote(person, account)
        if not isinstance(quoted, Quoted):
            return Refusal(quoted.reason)
        wish = LineWish(account, quoted.quote.id, amount or quoted.quote.due)
        return await self.store.run(
            lambda tx: self.till.propose(
                tx, proposer=person, wishes=[wish], channel=channel, method=method, at=self.now
            )
        )

    async def proposed(
        self, person: PersonId, account: AccountId, amount: Money | None = None, **how: str
    ) -> Proposed:
        found = await self.propose(person, account, amount, **how)
        assert isinstance(found, Proposed), found
        return found

    async def confirm(
        self,
        act: ActId,
        digest: str,
        by: PersonId,
        *,
        kind: str = "word",
        factor: str | None = "code",
        channel: str = "telegram",
    ) -> Confirmed | AlreadyConfirmed | Refusal:
        evidence = Evidence("ev", channel, by, kind, factor)
        return await self.store.run(
            lambda tx: self.till.confirm(tx, act=act, digest=digest, evidence=evidence, at=self.now)
        )

    async def confirmed(
        self, person: PersonId, account: AccountId, amount: Money | None = None, *, method: str = "auto"
    ) -> PaymentId:
        """A payment written down, nothing sent."""
        act = await self.proposed(person, account, amount, method=method)
        done = await self.confirm(act.act, act.digest, act.confirmer)
        assert isinstance(done, Confirmed), done
        return done.payments[0]

    async def paid(self, person: PersonId, account: AccountId, amount: Money | None = None) -> PaymentView:
        """A payment carried as far as it goes now."""
        payment = await self.confirmed(person, account, amount)
        await self.runner.advance_now([payment])
        return self.view(payment)

    async def later(self, by: timedelta) -> None:
        """Time passes in the town and here."""
        self.town.pass_time(by)
        await self.runner.due()

    async def sweep(self) -> Swept:
        """A round over the meters, what it wrote carried on, and warnings that are due."""
        swept = await self.sweeper.run()
        await self.runner.advance_now(swept.payments)
        await self.store.run(lambda tx: self.ladder.climb(tx, self.now))
        return swept

    def stop(self, person: PersonId) -> Stopped:
        return self.store.run_now(lambda tx: self.till.stop(tx, person, self.now))

    async def tell(self, signature: str = "right", **said: object) -> Verdict:
        """The rail tells us something."""
        return await self.callbacks.receive(json.dumps(said).encode(), {"signature": signature})

    # --- looking ----------------------------------------------------------------------------------------------------

    def view(self, payment: PaymentId) -> PaymentView:
        return self.store.run_now(lambda tx: self.till.outcome(tx, payment))

    def news(self, person: PersonId) -> list[str]:
        """Kinds of news for a person, oldest first."""
        far = self.now + timedelta(days=1000)
        return [n.kind for n in self.store.run_now(lambda tx: letters.news_due(tx, far, person, 500))]

    def audit(self) -> list[str]:
        return self.store.run_now(journal.kinds)

    def tickets(self) -> list[str]:
        return [t.kind for t in self.store.run_now(letters.tickets_waiting)]

    def breaches(self, at_rest: bool = True) -> list[str]:
        """Money invariants against the rail's own truth."""
        return self.store.run_now(lambda tx: self.breached(tx, at_rest))

    def breached(self, tx: Tx, at_rest: bool) -> list[str]:
        """The same for who is looking already."""
        town = self.town
        return invariants.check(
            tx, town.captures, rail_refunds=town.refunds, catalogue=catalogue(), at_rest=at_rest
        )
