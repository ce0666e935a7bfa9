"""An automatic payment that could not pay, or soon cannot: told louder than one that did, until somebody answers."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from data.ids import InstrumentId
from data.model import May
from data.store.people import instruments
from integrations.ports import Reason
from payments.authority import access
from payments.terms import MandateState
from tests.payments.automatic import agreed, at, capped, meter, told, took
from tests.payments.household import LIJG, LIMIN, XIAOZHOU, House

DAY = timedelta(days=1)


# --- it could not pay: louder than one that paid --------------------------------------------------------------------


async def test_a_decline_is_told_at_once_and_tried_once_a_day(family: House) -> None:
    agreed(family)
    family.town.declines = Reason.INSUFFICIENT_FUNDS
    await meter(family, 1_790)
    (failed,) = told(family, LIMIN, "auto_failed")
    assert (failed["reason"], failed["days_left"], failed["failures"]) == ("insufficient_funds", 5, 1)
    assert family.news(LIMIN) == ["auto_started", "auto_failed"]
    await meter(family, 1_780)
    assert len(told(family, LIMIN, "auto_failed")) == 1
    family.town.declines = None
    await meter(family, 1_770, DAY)
    assert took(family) == [10_000]
    assert family.breaches() == []


async def test_after_three_failures_it_rests_and_says_so(lis: House) -> None:
    agreed(lis)
    lis.town.declines = Reason.INSUFFICIENT_FUNDS
    for day, fen in enumerate((1_790, 1_780, 1_770, 1_760)):
        await meter(lis, fen, DAY * (1 if day else 0) + timedelta(minutes=5))
    assert len(told(lis, LIMIN, "auto_failed")) == 3
    found = at(lis)
    assert found is not None
    assert (found.state, found.reason) == (MandateState.SUSPENDED, "insufficient_funds")
    assert len(told(lis, LIMIN, "mandate_suspended")) == 1
    assert "mandate_suspended" in lis.audit()
    # Going on is a new agreement, and then it pays.
    lis.town.declines = None
    agreed(lis, replaces=found.id)
    await meter(lis, 1_700, DAY)
    assert took(lis) == [10_000]


async def test_a_warning_climbs_from_payer_to_elder_to_helper_to_operator(lis: House) -> None:
    agreed(lis)
    lis.store.run_now(lambda tx: access.grant(tx, LIJG, XIAOZHOU, [May.BILLS], lis.now))
    lis.town.declines = Reason.INSUFFICIENT_FUNDS
    await meter(lis, 1_790)

    async def passes() -> tuple[int, int, int]:
        await lis.later(timedelta(hours=12))
        await lis.store.run(lambda tx: lis.ladder.climb(tx, lis.now))
        return len(told(lis, LIJG, "warning")), len(told(lis, XIAOZHOU, "warning")), len(lis.tickets())

    assert await passes() == (1, 0, 0)
    assert await passes() == (1, 1, 0)
    assert await passes() == (1, 1, 1)
    assert await passes() == (1, 1, 1)
    (elder,) = told(lis, LIJG, "warning")
    assert (elder["of"], elder["payer"], elder["days_left"], elder["rung"]) == ("auto_failed", LIMIN, 5, 1)
    assert lis.tickets() == ["could_not_pay"]


@pytest.mark.parametrize("how", ["answered", "full_again"])
async def test_a_warning_somebody_answered_or_that_is_over_climbs_no_further(lis: House, how: str) -> None:
    agreed(lis)
    lis.town.declines = Reason.INSUFFICIENT_FUNDS
    await meter(lis, 1_790)
    if how == "answered":
        assert (
            lis.store.run_now(lambda tx: lis.till.acknowledge(tx, LIJG, lis.now)) == 0
        )  # not told of it yet
        assert lis.store.run_now(lambda tx: lis.till.acknowledge(tx, LIMIN, lis.now)) == 1
    else:
        await meter(lis, 9_000)
    for _ in range(4):
        await lis.later(timedelta(hours=12))
        await lis.store.run(lambda tx: lis.ladder.climb(tx, lis.now))
    assert told(lis, LIJG, "warning") == []
    assert lis.tickets() == []


async def test_a_warning_of_a_meter_that_is_nearly_dark_climbs_faster_and_may_ring_at_night(
    lis: House,
) -> None:
    agreed(lis)
    lis.town.declines = Reason.INSUFFICIENT_FUNDS
    await meter(lis, 200)
    assert told(lis, LIMIN, "auto_failed")[0]["urgent"] is True
    await lis.later(timedelta(hours=2))
    await lis.store.run(lambda tx: lis.ladder.climb(tx, lis.now))
    assert [b["urgent"] for b in told(lis, LIJG, "warning")] == [True]


async def test_money_taken_and_not_written_off_goes_back_and_counts_as_not_paid(lis: House) -> None:
    agreed(lis)
    lis.town.refuses_posting = Reason.ACCOUNT_NOT_FOUND
    await meter(lis, 1_790)
    await lis.later(timedelta(minutes=5))
    assert "auto_posted" not in lis.news(LIMIN)
    assert {"auto_failed", "refunding", "refunded"} <= set(lis.news(LIMIN))
    assert lis.breaches() == []


# --- its health -----------------------------------------------------------------------------------------------------


async def test_a_purse_that_is_gone_is_told(lis: House) -> None:
    agreed(lis)
    lis.store.run_now(
        lambda tx: tx.conn.execute(sa.delete(instruments).where(instruments.c.id == InstrumentId("pm-limin")))
    )
    await meter(lis, 5_000)
    assert [b["reason"] for b in told(lis, LIMIN, "mandate_suspended")] == ["no_purse"]


async def test_a_meter_nobody_can_read_for_two_days_is_told_once(lis: House) -> None:
    agreed(lis)
    lis.town.silent = True
    for _ in range(3):
        await lis.later(timedelta(hours=20))
        await lis.sweep()
    assert len(told(lis, LIMIN, "mandate_unread")) == 1
    lis.town.silent = False
    await meter(lis, 5_000)
    for _ in range(3):
        await lis.later(timedelta(hours=12))
        await lis.store.run(lambda tx: lis.ladder.climb(tx, lis.now))
    assert lis.tickets() == []


async def test_an_end_that_is_near_is_told_and_after_it_nothing_is_paid(lis: House) -> None:
    agreed(lis, capped(valid_until=datetime(2026, 3, 30).date()))
    await meter(lis, 9_000)
    assert told(lis, LIMIN, "mandate_expiring") == []
    await meter(lis, 8_000, 7 * DAY)
    await meter(lis, 7_000, DAY)
    assert len(told(lis, LIMIN, "mandate_expiring")) == 1
    await meter(lis, 1_000, 13 * DAY)
    assert took(lis) == []
    assert at(lis) is None
    assert len(told(lis, LIMIN, "mandate_expired")) == 1
    assert len(told(lis, LIMIN, "low_balance")) == 1
