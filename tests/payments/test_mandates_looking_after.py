"""The round reads an account only for somebody who may have it read at that moment, seldom, and says so in the book (L13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from data.clock import shanghai
from data.ids import PersonId
from data.model import May
from data.money import Money
from data.store.audit import audit
from data.store.mandates import month_use, sweeps
from payments.authority import access, accounts
from payments.authority.looks import looked_at
from payments.sweep import Swept
from tests.payments.automatic import LAST_YEAR, METER, TOP_UP, agreed, allow, meter, stop, told
from tests.payments.household import CHENM, LIJG, LIMIN, W_LI, House

DAY = timedelta(days=1)


@pytest.fixture
def lis(quick: House) -> House:
    """The daughter keeps her father's water bill, due on 20 March, and he lets her hear of it."""
    allow(quick)
    quick.store.run_now(lambda tx: accounts.save_for(tx, LIMIN, W_LI, "爸妈家", quick.now))
    return quick


async def _until(house: House, day: date, hour: int = 9) -> None:
    local = shanghai(house.now)
    then = local.replace(year=day.year, month=day.month, day=day.day, hour=hour, minute=0, second=0)
    await house.later(then - local)


async def test_a_bill_is_told_once_before_it_is_due_and_once_on_the_day(lis: House) -> None:
    for day in range(10, 24):
        for hour in (9, 12, 20):
            if (day, hour) > (10, 12):
                await _until(lis, date(2026, 3, day), hour)
                await lis.sweep()
    before, today = told(lis, LIMIN, "bill_due")
    assert (before["today"], before["amount_fen"], before["due_date"]) == (False, 4_650, "2026-03-20")
    assert today["today"] is True
    assert shanghai(_at(before)).date() == date(2026, 3, 17)
    assert shanghai(_at(today)).date() == date(2026, 3, 20)
    assert told(lis, LIJG, "bill_due") == []  # he lets her hear of it: she is told, not both
    assert lis.tickets() == []


def _at(body: dict[str, Any]) -> Any:
    from datetime import datetime

    return datetime.fromisoformat(body["read_at"])


async def test_a_paid_bill_is_not_spoken_of_on_its_day(lis: House) -> None:
    await _until(lis, date(2026, 3, 18))
    await lis.sweep()
    await lis.paid(LIMIN, W_LI)
    await _until(lis, date(2026, 3, 20))
    await lis.sweep()
    assert [b["today"] for b in told(lis, LIMIN, "bill_due")] == [False]


async def test_such_a_bill_is_read_once_a_day_and_never_at_night(lis: House) -> None:
    reads = []
    for hour in (9, 10, 20, 22):
        await _until(lis, date(2026, 3, 11), hour)
        reads.append((await lis.sweep()).read)
    await _until(lis, date(2026, 3, 12), 3)
    reads.append((await lis.sweep()).read)
    await _until(lis, date(2026, 3, 12), 8)
    reads.append((await lis.sweep()).read)
    assert reads == [1, 0, 0, 0, 0, 1]


async def test_a_bill_that_was_not_told_is_asked_for_again_in_an_hour(lis: House) -> None:
    await _until(lis, date(2026, 3, 11), 9)
    lis.town.silent = True
    assert (await lis.sweep()).unreadable == 1
    assert await lis.sweep() == Swept()
    lis.town.silent = False
    await lis.later(timedelta(hours=1))
    assert (await lis.sweep()).read == 1


async def test_taking_the_leave_back_ends_the_reading(lis: House) -> None:
    await _until(lis, date(2026, 3, 11))
    assert (await lis.sweep()).read == 1
    lis.store.run_now(lambda tx: access.revoke(tx, LIJG, LIMIN, lis.now, [May.NOTICES]))
    await _until(lis, date(2026, 3, 18))
    assert await lis.sweep() == Swept()
    assert told(lis, LIMIN, "bill_due") == []


async def test_a_neighbour_who_keeps_a_number_has_nothing_read(lis: House) -> None:
    lis.store.run_now(lambda tx: access.revoke(tx, LIJG, LIMIN, lis.now))
    lis.store.run_now(lambda tx: accounts.save_for(tx, CHENM, W_LI, "", lis.now))
    await _until(lis, date(2026, 3, 18))
    assert await lis.sweep() == Swept()


async def test_a_stopped_agreement_reads_on_only_with_leave_to_hear_of_it(quick: House) -> None:
    allow(quick)
    live = agreed(quick)
    await meter(quick, 5_000)
    assert stop(quick, live.id)
    assert (await quick.sweep()).read == 1
    quick.store.run_now(lambda tx: access.revoke(tx, LIJG, LIMIN, quick.now, [May.NOTICES]))
    assert await quick.sweep() == Swept()


async def test_the_book_has_one_line_a_day_that_is_nobodys_look(lis: House) -> None:
    agreed(lis)
    for _ in range(3):
        await meter(lis, 5_000)
    await lis.later(DAY)
    await lis.sweep()
    assert _lines(lis, "E-LI") == [(LIJG, LIMIN, {"reason": "mandate"})] * 2
    assert [person for person, _, _ in _lines(lis, "W-LI")] == [LIJG] * 2
    assert lis.store.run_now(lambda tx: looked_at(tx, LIJG, lis.now)) == []


def _lines(house: House, account: str) -> list[tuple[PersonId, PersonId, dict[str, Any]]]:
    query = sa.select(audit.c.person, audit.c.actor, audit.c.body).where(
        audit.c.kind == "looked_after", audit.c.subject == account
    )
    return [
        (r.person, r.actor, r.body)
        for r in house.store.run_now(lambda tx: tx.conn.execute(query.order_by(audit.c.seq)).all())
    ]


async def test_rounds_that_are_over_are_not_kept(lis: House) -> None:
    for _ in range(5):
        await meter(lis, 5_000)
    count = sa.select(sa.func.count()).select_from(sweeps)
    assert lis.store.run_now(lambda tx: tx.conn.scalar(count)) == 1
    # What is left still says when the last round was.
    assert await lis.sweeper.run(timedelta(minutes=1)) == Swept()


async def test_what_months_used_is_asked_anew_after_a_month_and_only_once_a_day(house: House) -> None:
    allow(house)
    await house.quoting.last_year(LIMIN, TOP_UP.account)
    agreed(house, replace(TOP_UP, ask_above=2))
    house.town.used[METER] = [
        *LAST_YEAR[1:],
        replace(LAST_YEAR[-1], month=date(2026, 3, 1), used=Money(7_700)),
    ]
    asked = []
    usage = house.billers.usage

    async def counted(*args: Any) -> Any:
        asked.append(args)
        return await usage(*args)

    house.billers.usage = counted  # type: ignore[method-assign]
    await meter(house, 5_000, 29 * DAY)
    assert asked == []
    known = house.town.used.pop(METER)
    await meter(house, 4_900, DAY)
    await meter(house, 4_800)
    assert len(asked) == 1  # it told nothing: not again today
    house.town.used[METER] = known
    await meter(house, 4_700, DAY)
    await meter(house, 4_600, DAY)
    assert len(asked) == 2
    march = sa.select(month_use.c.used_fen).where(month_use.c.month == date(2026, 3, 1))
    assert house.store.run_now(lambda tx: tx.conn.scalar(march)) == 7_700
