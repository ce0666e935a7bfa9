"""A page and the single look are one and the same: whatever happens to a house, reading it either way comes to the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from data.clock import VirtualClock
from data.ids import AccountId
from data.model import May
from data.money import Money
from data.store.audit import audit
from data.store.engine import Store
from data.store.mandates import debits, readings, warnings
from data.store.mandates import mandates as mandates_table
from data.store.people import instruments
from integrations.ports import Reason
from payments.authority import access, accounts
from payments.sweep import Pace, Sweep
from tests.databases import SEALER
from tests.payments.automatic import BILL, METER, WATER, agreed, allow, at, capped, stop, took
from tests.payments.household import CHENM, E_LI, E_ZHANG, LIJG, LIMIN, W_LI, House

READ = (E_LI, E_ZHANG, W_LI)
BEGUN = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)


def settled() -> House:
    house = House.over(Store.in_memory(SEALER), VirtualClock(BEGUN))
    house.enrol()
    allow(house)
    house.store.run_now(lambda tx: accounts.save_for(tx, LIMIN, W_LI, "爸妈家", house.now))
    return house


@dataclass
class Twins:
    """Two houses to which the same things happen."""

    pages: House
    single: House

    def __post_init__(self) -> None:
        h = self.pages
        pace = Pace(None, rest=timedelta(0))  # the single look does not wait for a biller that rests
        h.sweeper = Sweep(
            h.store, h.billers, h.clock, h.till.catalogue, h.limits, pace=pace, owner="one", page=2
        )

    def both(self, happen: Callable[[House], object]) -> None:
        for house in (self.pages, self.single):
            happen(house)

    async def pass_time(self, by: timedelta) -> None:
        for house in (self.pages, self.single):
            await house.later(by)
        await self.pages.sweep()
        swept = [await self.single.sweeper.read(account) for account in READ]
        await self.single.runner.advance_now(p for one in swept for p in one.payments)
        await self.single.store.run(lambda tx: self.single.ladder.climb(tx, self.single.now))


def seen(house: House) -> dict[str, Any]:
    """All that people and billers notice, and what later rounds go by; ids left out."""

    def rows(*columns: Any, of: sa.FromClause | None = None) -> list[str]:
        query = sa.select(*columns) if of is None else sa.select(*columns).select_from(of)
        return sorted(map(repr, house.store.run_now(lambda tx: [tuple(r) for r in tx.conn.execute(query)])))

    fired = debits.join(mandates_table, mandates_table.c.id == debits.c.mandate)
    return {
        "taken": took(house),
        "news": {p: sorted(house.news(p)) for p in (LIMIN, LIJG, CHENM)},  # in one instant, in any order
        "tickets": house.tickets(),
        "readings": rows(readings.c.account, readings.c.balance_fen, readings.c.daily_use_fen),
        "agreements": rows(mandates_table.c.account, mandates_table.c.state, mandates_table.c.failures),
        "debits": rows(
            mandates_table.c.account, debits.c.state, debits.c.reason, debits.c.amount_fen, of=fired
        ),
        "warnings": rows(warnings.c.account, warnings.c.kind, warnings.c.over_at, warnings.c.rung),
        "book": rows(audit.c.kind, audit.c.at, audit.c.person, audit.c.actor),
    }


def _purse_gone(house: House) -> None:
    mine = sa.delete(instruments).where(instruments.c.owner == LIMIN)
    house.store.run_now(lambda tx: tx.conn.execute(mine))


def _stopped(account: AccountId) -> Callable[[House], object]:
    def happen(house: House) -> None:
        live = at(house, account)
        if live is not None:
            stop(house, live.id)

    return happen


def _revoked(verb: May) -> Callable[[House], object]:
    return lambda house: house.store.run_now(lambda tx: access.revoke(tx, LIJG, LIMIN, house.now, [verb]))


def _set(**town: Any) -> Callable[[House], object]:
    return lambda house: [setattr(house.town, name, value) for name, value in town.items()]


def _meter(fen: int) -> Callable[[House], object]:
    return lambda house: house.town.prepaid.update({METER: Money(fen)})


def _used(fen: int | None) -> Callable[[House], object]:
    def happen(house: House) -> None:
        house.town.daily_use.pop(METER, None)
        if fen is not None:
            house.town.daily_use[METER] = Money(fen)

    return happen


def _bill(fen: int) -> Callable[[House], object]:
    return lambda house: house.town.due.update({WATER: Money(fen)})


def _happening(dice: Random) -> Callable[[House], object]:
    """Something: mostly that a meter or bill says something, sometimes that a permission or a purse goes."""
    usual = [
        _meter(dice.choice((1_200, 1_790, 1_990, 2_000, 2_500, 5_000, 11_790, 12_000))),
        _meter(dice.randrange(0, 13_000)),
        _bill(dice.choice((0, 4_650, 6_000))),
        _used(dice.choice((None, 100, 320, 900))),
        lambda house: None,
    ]
    rare = [
        _set(silent=True), _set(silent=False), _set(silent=False),
        _set(declines=Reason.INSUFFICIENT_FUNDS), _set(declines=None), _set(declines=None),
        _purse_gone, _stopped(E_LI), _stopped(W_LI), _revoked(May.MANDATE), _revoked(May.NOTICES),
    ]  # fmt: skip
    return dice.choice(rare if dice.random() < 0.3 else usual)


@pytest.mark.parametrize("seed", range(12))
async def test_the_same_comes_of_either_way_of_reading(seed: int) -> None:
    dice = Random(seed)
    twins = Twins(settled(), settled())
    until = date(2026, 4, dice.choice((2, 20, 30)))
    twins.both(lambda house: agreed(house, capped(per_day=2, valid_until=until)))
    if seed % 3:
        twins.both(lambda house: agreed(house, replace(BILL, valid_until=until)))
    for _ in range(12):
        happening = _happening(dice)
        twins.both(happening)
        await twins.pass_time(timedelta(minutes=dice.choice((20, 90, 600, 1_440, 3_000))))
        assert seen(twins.pages) == seen(twins.single), seed
    assert twins.pages.breaches() == []
