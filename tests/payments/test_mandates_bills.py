"""A bill that is paid by itself: told a whole day before, left out at one word, never more than was told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from data.money import Money
from integrations.ports import Reason
from payments import bill_debits
from tests.payments.automatic import BILL, WATER, agreed, allow, pass_and_look, stop, told, took
from tests.payments.household import CHENM, LIJG, LIMIN, W_LI, House

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def family(house: House) -> House:
    allow(house)
    agreed(house, BILL)
    return house


async def test_a_bill_is_told_a_day_before_and_then_paid(family: House) -> None:
    await pass_and_look(family, HOUR)
    (ahead,) = told(family, LIMIN, "debit_ahead")
    assert (ahead["amount_fen"], ahead["due_date"]) == (4_650, "2026-03-20")
    assert datetime.fromisoformat(ahead["not_before"]) == family.now + DAY
    await pass_and_look(family, DAY - HOUR)
    assert took(family) == []
    await pass_and_look(family, HOUR)
    assert took(family) == [4_650]
    assert family.news(LIMIN) == ["debit_ahead", "auto_started", "auto_posted"]
    assert family.news(LIJG) == ["mandate_set_for_you", "auto_for_you"]
    await pass_and_look(family, 3 * DAY)
    assert took(family) == [4_650]
    assert family.breaches() == []


async def test_one_word_skips_it_and_only_it(family: House) -> None:
    def skip(by: object) -> bool:
        return family.store.run_now(lambda tx: family.till.skip_debit(tx, W_LI, by, family.now))  # type: ignore[arg-type]

    assert not skip(LIMIN)
    await pass_and_look(family, HOUR)
    assert not skip(CHENM)
    assert skip(LIJG)
    await pass_and_look(family, 3 * DAY)
    assert took(family) == []
    # The next bill is another one.
    family.town.due[WATER], family.town.due_dates[WATER] = Money(5_000), date(2026, 5, 20)
    await pass_and_look(family, HOUR)
    assert len(told(family, LIMIN, "debit_ahead")) == 2
    await pass_and_look(family, DAY)
    assert took(family) == [5_000]
    assert family.breaches() == []


async def test_a_bill_that_became_dearer_is_told_anew_and_a_cheaper_one_is_paid(billed: House) -> None:
    await pass_and_look(billed, HOUR)
    billed.town.due[WATER] = Money(4_700)
    await pass_and_look(billed, DAY)
    assert took(billed) == []
    assert [b["amount_fen"] for b in told(billed, LIMIN, "debit_ahead")] == [4_650, 4_700]
    billed.town.due[WATER] = Money(4_600)
    await pass_and_look(billed, DAY)
    assert took(billed) == [4_600]
    assert billed.breaches() == []


async def test_at_night_the_day_is_counted_from_the_morning(billed: House) -> None:
    billed.town.pass_time(datetime(2026, 3, 10, 15, 0, tzinfo=UTC) - billed.now)  # 23:00 in Shanghai
    await billed.sweep()
    (ahead,) = told(billed, LIMIN, "debit_ahead")
    assert datetime.fromisoformat(ahead["not_before"]) == datetime(2026, 3, 12, 0, 0, tzinfo=UTC)


async def test_a_bill_above_the_cap_is_not_paid_and_that_is_loud(billed: House) -> None:
    billed.town.due[WATER] = Money(10_001)
    await pass_and_look(billed, HOUR)
    await pass_and_look(billed, 3 * DAY)
    assert took(billed) == []
    assert [b["reason"] for b in told(billed, LIMIN, "auto_not_made")] == ["over_charge_cap"]
    billed.town.due[WATER] = Money(9_000)  # the biller put it right
    await pass_and_look(billed, HOUR)
    await pass_and_look(billed, DAY)
    assert took(billed) == [9_000]
    assert billed.breaches() == []


async def test_a_declined_bill_is_tried_once_a_day_under_the_same_notice(billed: House) -> None:
    await pass_and_look(billed, HOUR)
    billed.town.declines = Reason.INSUFFICIENT_FUNDS
    await pass_and_look(billed, DAY)
    await pass_and_look(billed, HOUR)
    assert len(told(billed, LIMIN, "auto_failed")) == 1
    billed.town.declines = None
    await pass_and_look(billed, DAY)
    assert took(billed) == [4_650]
    assert len(told(billed, LIMIN, "debit_ahead")) == 1
    assert billed.breaches() == []


async def test_a_bill_unlike_last_year_is_asked_about(quick: House) -> None:
    allow(quick)
    quick.town.used[WATER] = quick.town.used["1100223344"]
    await quick.quoting.last_year(LIMIN, W_LI)
    quick.town.due[WATER] = Money(12_401)  # March last year: 62 yuan
    agreed(quick, replace(BILL, ask_above=2, per_charge=Money(20_000)))
    await pass_and_look(quick, HOUR)
    await pass_and_look(quick, 2 * DAY)
    assert took(quick) == []
    assert [b["usual_fen"] for b in told(quick, LIMIN, "auto_asks")] == [6_200]
    assert told(quick, LIMIN, "debit_ahead") == []


async def test_after_a_stop_what_was_announced_is_not_paid(billed: House) -> None:
    await pass_and_look(billed, HOUR)
    found = billed.store.run_now(lambda tx: billed.till.mandate_at(tx, W_LI, billed.now))
    assert found is not None
    assert stop(billed, found.id, LIJG)
    await pass_and_look(billed, 3 * DAY)
    assert took(billed) == []


async def test_the_invariants_see_a_bill_paid_without_its_notice(
    billed: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_once(hand, held, quote, row, asked_at):  # type: ignore[no-untyped-def]
        return bill_debits._pay(hand, held, quote, row.id, asked_at)

    monkeypatch.setattr(bill_debits, "_announced", at_once)
    await pass_and_look(billed, HOUR)
    await pass_and_look(billed, HOUR)
    assert took(billed) == [4_650]
    assert [b for b in billed.breaches() if "M-I12" in b]
