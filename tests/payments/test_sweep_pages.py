"""A round over many meters: one question to each biller, nothing written about those that say nothing new, and no one forgotten."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from data.ids import AccountId, BillerId
from data.model import Account, May, Quote, Utility
from data.money import Money
from data.store.engine import Tx
from data.store.mandates import mandates, readings, sweep_pages, unheard
from integrations.ports import GatewayError, OutcomeUnknown, Reason
from payments.authority import access, accounts, numbers
from payments.quoting import keep
from payments.simulation.dying import at_once
from payments.simulation.town import FakeBillers
from payments.sweep import Pace, Sweep, Swept
from tests.payments.automatic import agreed, allow, capped, told, took
from tests.payments.household import LIJG, LIMIN, House

CITY, COAST = BillerId("bj-electricity"), BillerId("gz-electricity")
FULL, LOW = 5_000, 1_500


class Asked(FakeBillers):
    """Billers that remember what they were asked, and of whom one may be down."""

    def __init__(self, house: House) -> None:
        super().__init__(house.town)
        self.asked: list[tuple[BillerId, tuple[str, ...]]] = []
        self.down: set[BillerId] = set()
        self.fails: type[BaseException] | None = None
        self.fails_at = 0

    async def balances(self, biller: BillerId, numbers: Sequence[str]) -> dict[str, Quote | GatewayError]:
        self.asked.append((biller, tuple(numbers)))
        if self.fails is not None and len(self.asked) == self.fails_at:
            raise self.fails
        await asyncio.sleep(0)  # another process may go on meanwhile
        if biller in self.down:
            raise OutcomeUnknown(Reason.BILLER_DOWN)
        return await super().balances(biller, numbers)

    @property
    def numbers(self) -> Counter[str]:
        return Counter(number for _, numbers in self.asked for number in numbers)


class Street:
    """So many meters of two billers, each topped up by itself, and a process that reads them by pages of four."""

    def __init__(self, house: House, count: int) -> None:
        self.house = house
        self.meters = [f"90000000{n:02}" for n in range(count)]
        self.billers = Asked(house)
        allow(house)
        for n, number in enumerate(self.meters):
            self._settle(n, number)
        self.sweep = self.process("one")

    def _settle(self, n: int, number: str) -> None:
        house, account = self.house, AccountId(f"M-{n:02}")
        biller = COAST if n % 2 else CITY
        new = Account(account, biller, Utility.ELECTRICITY, number, LIJG, "李*国")
        house.store.run_now(lambda tx: numbers.add_account(tx, new, house.now))
        house.town.holders[number] = "李*国"
        house.town.prepaid[number] = Money(FULL)
        house.town.daily_use[number] = Money(100)
        # Of the coast's power company one knows only from its own word that this meter is paid before.
        told = at_once(house.billers.query(biller, number))
        house.store.run_now(lambda tx: keep(tx, LIJG, account, told, house.now, house.now))
        agreed(house, capped(account=account, per_month=Money(60_000), per_day=3))

    def process(self, owner: str, **how: Any) -> Sweep:
        house, how = self.house, {"page": 4, "pace": Pace(None), **how}
        return Sweep(
            house.store, self.billers, house.clock, house.till.catalogue, house.limits, owner=owner, **how
        )

    def number(self, n: int) -> str:
        return self.meters[n]

    def says(self, n: int, fen: int) -> None:
        self.house.town.prepaid[self.meters[n]] = Money(fen)

    async def round(self, after: timedelta = timedelta(hours=1)) -> Swept:
        await self.house.later(after)
        swept = await self.sweep.run()
        await self.house.runner.advance_now(swept.payments)
        return swept

    def rows(self, query: sa.Select[Any]) -> list[Any]:
        return self.house.store.run_now(lambda tx: [tuple(r) for r in tx.conn.execute(query)])

    def missed(self) -> list[str]:
        return [r[0] for r in self.rows(sa.select(unheard.c.account).order_by(unheard.c.account))]


@pytest.fixture
def street(quick: House) -> Street:
    return Street(quick, 10)


async def test_a_round_asks_each_biller_once_a_page_and_every_number_once(street: Street) -> None:
    swept = await street.round()
    assert (swept.read, swept.payments) == (10, ())
    assert street.billers.numbers == Counter(street.meters)
    assert len(street.billers.asked) == 6  # pages of 4, 4 and 2 accounts, two billers in each
    assert not any(street.rows(sa.select(sweep_pages)))


async def test_meters_that_say_nothing_new_have_nothing_written(street: Street) -> None:
    await street.round()
    before = street.rows(sa.select(readings)), street.rows(sa.select(mandates))
    assert len(before[0]) == 10
    assert (await street.round()).read == 10
    assert (street.rows(sa.select(readings)), street.rows(sa.select(mandates))) == before


async def test_the_number_of_transactions_is_that_of_pages_not_of_meters(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    await street.round()
    ran: list[int] = []
    transact = street.house.store._transact

    def counted(fn: Any) -> Any:
        ran.append(1)
        return transact(fn)

    monkeypatch.setattr(street.house.store, "_transact", counted)
    counts = []
    for page in (2, 5):
        street.sweep = street.process("one", page=page)
        ran.clear()
        await street.sweep.run()
        counts.append(len(ran))
        street.house.clock.advance(timedelta(hours=1))
    # Two for each page, and a few for the round: 5 pages of two, 2 pages of five.
    assert counts[0] - counts[1] == 2 * (5 - 2)


async def test_only_the_low_ones_are_charged_and_each_once(street: Street) -> None:
    await street.round()
    for n in (1, 2, 7):
        street.says(n, LOW + n)
    assert len((await street.round()).payments) == 3
    assert took(street.house) == [10_000] * 3
    for _ in range(3):
        assert (await street.round()).payments == ()
    assert street.house.breaches() == []
    street.says(2, LOW)
    assert len((await street.round()).payments) == 1


async def test_a_round_cut_off_in_the_middle_goes_on_after_the_last_page_that_was_written(
    street: Street,
) -> None:
    for n in (0, 5, 9):
        street.says(n, LOW)
    street.billers.fails, street.billers.fails_at = KeyboardInterrupt, 4
    with pytest.raises(KeyboardInterrupt):
        await street.sweep.run()
    street.billers.fails = None
    first = {number for _, numbers in street.billers.asked[:2] for number in numbers}
    swept = await street.process("one").run()  # the same process, started again
    assert {n: c for n, c in street.billers.numbers.items() if n in first} == dict.fromkeys(first, 1)
    assert swept.read == 6
    await street.house.runner.due()
    assert took(street.house) == [10_000] * 3
    assert street.house.breaches() == []


async def test_a_page_in_the_hand_of_a_dead_process_is_taken_when_its_lease_is_over(street: Street) -> None:
    street.billers.fails, street.billers.fails_at = KeyboardInterrupt, 1
    with pytest.raises(KeyboardInterrupt):
        await street.sweep.run()
    street.billers.fails = None
    other = street.process("two")
    assert (await other.run()).read == 6  # not the page of the other, who may be slow
    assert (await other.run()).read == 0
    street.house.clock.advance(timedelta(minutes=2))
    assert (await other.run()).read == 4
    assert (await other.run(timedelta(minutes=5))) == Swept()  # and with it the round is over


@pytest.mark.parametrize("hands", [1, 3])
async def test_two_processes_share_a_round_and_charge_once(house: House, hands: int) -> None:
    street = Street(house, 7)
    for n in (0, 3, 6):
        street.says(n, LOW)
    house.clock.advance(timedelta(hours=1))
    both = [street.process(name, page=2, hands=hands) for name in ("one", "two")]
    swept = await asyncio.gather(*(sweep.run() for sweep in both))
    assert sum(s.read for s in swept) == 7
    assert street.billers.numbers == Counter(street.meters)
    await house.runner.advance_now(p for s in swept for p in s.payments)
    assert took(house) == [10_000] * 3
    assert house.breaches() == []


# --- a biller that does not answer, or was asked enough -----------------------------------------------------------------


async def test_a_biller_that_is_down_stops_only_its_own_accounts_which_are_taken_again(
    street: Street,
) -> None:
    street.billers.down = {COAST}
    street.says(0, LOW)
    street.says(1, LOW)
    swept = await street.round()
    assert (swept.read, swept.unreadable + swept.left) == (5, 5)
    assert street.missed() == [f"M-{n:02}" for n in (1, 3, 5, 7, 9)]
    # After the first question without an answer it is left in peace.
    assert [b for b, _ in street.billers.asked].count(COAST) == 1
    street.billers.down = set()
    street.billers.asked.clear()
    street.house.clock.advance(timedelta(minutes=15))
    again = await street.sweep.run(timedelta(hours=1))  # no new round is due
    assert (again.read, len(again.payments), street.missed()) == (5, 1, [])
    assert {biller for biller, _ in street.billers.asked} == {COAST}
    await street.house.runner.due()
    assert took(street.house) == [10_000] * 2


async def test_a_bad_number_is_missed_alone(street: Street) -> None:
    del street.house.town.holders[street.number(4)]
    swept = await street.round()
    assert (swept.read, swept.unreadable, street.missed()) == (9, 1, ["M-04"])


async def test_whoever_is_not_heard_of_for_two_days_is_told_and_nobody_else(street: Street) -> None:
    await street.round()
    street.billers.down = {COAST}
    for _ in range(9):
        await street.round(timedelta(hours=6))
    late = [b["account"] for b in told(street.house, LIMIN, "mandate_unread")]
    assert sorted(late) == [f"M-{n:02}" for n in (1, 3, 5, 7, 9)]
    street.billers.down = set()
    await street.round(timedelta(hours=6))
    await street.round(timedelta(hours=6))
    assert street.missed() == []
    await street.house.store.run(lambda tx: street.house.ladder.climb(tx, street.house.now))
    assert street.house.tickets() == []


async def test_an_account_that_may_not_be_read_any_more_is_not_tried_again(street: Street) -> None:
    street.billers.down = {COAST}
    await street.round()
    street.billers.down = set()
    street.house.store.run_now(lambda tx: access.revoke(tx, LIJG, LIMIN, street.house.now))
    await street.round()
    await street.round()
    assert street.missed() == []
    street.billers.asked.clear()
    await street.round()
    assert street.billers.asked == []  # nobody keeps them and no agreement stands


async def test_no_biller_is_asked_more_than_its_quota(street: Street) -> None:
    street.sweep = street.process("one", pace=Pace(per_second=1 / 60, burst=2))
    seen: list[tuple[datetime, int]] = []
    every = timedelta(hours=24)
    for _ in range(40):
        before = len([n for b, ns in street.billers.asked if b == CITY for n in ns])
        await street.sweep.run(every)
        after = len([n for b, ns in street.billers.asked if b == CITY for n in ns])
        seen.append((street.house.now, after - before))
        street.house.clock.advance(timedelta(seconds=30))
    assert street.billers.numbers == Counter(street.meters)  # all of them, each once
    for begin, _ in seen:
        span = [count for at, count in seen if begin <= at < begin + timedelta(minutes=2)]
        assert sum(span) <= 2 + 2  # what was saved up, and one a minute
    assert street.missed() == []


async def test_an_agreement_made_just_now_is_read_with_the_rest_of_its_page(street: Street) -> None:
    street.house.clock.advance(timedelta(hours=1))
    street._settle(10, "9000000010")
    swept = await street.process("one", page=20, pace=Pace()).run()
    assert (swept.read, swept.left) == (11, 0)


async def test_a_round_is_spread_over_its_time(street: Street) -> None:
    street.sweep = street.process("one", page=1)
    every, spread = timedelta(hours=2), timedelta(minutes=100)
    await street.sweep.run(every, spread)
    street.house.clock.advance(every)
    reads = []
    for _ in range(12):
        reads.append((await street.sweep.run(every, spread)).read)
        street.house.clock.advance(timedelta(minutes=10))
    assert sum(reads) == 10
    assert max(reads) <= 2


async def test_accounts_nobody_pays_by_themselves_are_on_the_pages_too(quick: House) -> None:
    street = Street(quick, 2)
    kept = AccountId("M-KEPT")
    new = Account(kept, CITY, Utility.ELECTRICITY, "9000000099", LIJG, "李*国")

    def keep(tx: Tx) -> None:
        numbers.add_account(tx, new, quick.now)
        accounts.save_for(tx, LIMIN, kept, "爸妈家", quick.now)

    quick.store.run_now(keep)
    quick.town.holders["9000000099"] = "李*国"
    quick.town.prepaid["9000000099"] = Money(900)
    quick.town.daily_use["9000000099"] = Money(320)
    assert (await street.round()).read == 3
    assert [b["account"] for b in told(quick, LIMIN, "low_balance")] == [kept]
    quick.town.prepaid["9000000099"] = Money(20_000)
    assert (await street.round()).read == 3
    quick.store.run_now(lambda tx: access.revoke(tx, LIJG, LIMIN, quick.now, [May.NOTICES]))
    assert (await street.round()).read == 2
