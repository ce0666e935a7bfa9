"""The town's daily files, and each way in which they can be wrong on request."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from data.clock import shanghai
from data.money import Money
from integrations.ports import OutcomeUnknown, Reason, Refused
from tests.contracts.stage import RailCase, Town, rail_case


@pytest.fixture
async def case(town: Town) -> RailCase:
    """Two collections today."""
    made = rail_case(town)
    for order, fen in (("o1", 4_650), ("o2", 1_000)):
        await made.rail.charge(made.charge(order, fen=fen))
        await made.stage.advance(minutes=1)
    return made


async def _today(case: RailCase) -> date:
    return shanghai(await case.stage.now()).date()


async def _file(case: RailCase, day: date) -> list[tuple[str, str, int]]:
    return [(row.order, row.kind, row.amount.fen) async for row in case.rail.statement(day)]


TRUE = [("o1", "capture", 4_650), ("o2", "capture", 1_000)]


@pytest.mark.parametrize(
    ("kind", "order", "told"),
    [
        ("row_missing", "o2", [TRUE[0]]),
        ("row_twice", "o2", [*TRUE, TRUE[1]]),
        ("fen_off", "o2", [TRUE[0], ("o2", "capture", 1_001)]),
        ("yuan_for_fen", "o2", [TRUE[0], ("o2", "capture", 100_000)]),
        ("never_made", "strange", [*TRUE, ("strange", "capture", 8_800)]),
        ("refund_unasked", "o2", [*TRUE, ("o2", "refund", 1_000)]),
        ("row_missing", "nobody", TRUE),
    ],
)
async def test_a_file_is_spoilt_as_asked(case: RailCase, kind: str, order: str, told: list) -> None:
    day = await _today(case)
    assert await _file(case, day) == TRUE
    await case.stage.control.statement_fault("rail", day, kind, order=order)
    assert sorted(await _file(case, day)) == sorted(told)
    assert await case.stage.captured("o2") == [Money(1_000)], "the truth stays"


async def test_without_an_order_the_first_row_is_meant(case: RailCase) -> None:
    day = await _today(case)
    await case.stage.control.statement_fault("rail", day, "row_missing")
    assert await _file(case, day) == [TRUE[1]]


@pytest.mark.parametrize(("kind", "here"), [("next_day", [TRUE[0]]), ("both_days", TRUE)])
async def test_a_row_may_slip_into_the_next_days_file(case: RailCase, kind: str, here: list) -> None:
    day = await _today(case)
    await case.stage.control.statement_fault("rail", day, kind, order="o2")
    await case.stage.advance(hours=24)
    assert await _file(case, day) == here
    assert await _file(case, day + timedelta(days=1)) == [TRUE[1]]


async def test_yesterdays_file_may_come_again(case: RailCase) -> None:
    day = await _today(case)
    await case.stage.control.statement_fault("rail", day + timedelta(days=1), "file_again")
    await case.stage.advance(hours=24)
    await case.rail.charge(case.charge("o3", fen=500))
    assert await _file(case, day + timedelta(days=1)) == TRUE


async def test_a_file_may_be_late(case: RailCase) -> None:
    day = await _today(case)
    until = await case.stage.now() + timedelta(hours=30)
    await case.stage.control.statement_fault("rail", day, "file_late", until=until)
    await case.stage.advance(hours=29)
    with pytest.raises(Refused) as refused:
        await _file(case, day)
    assert refused.value.reason is Reason.NOT_READY
    await case.stage.advance(hours=1)
    assert await _file(case, day) == TRUE


async def test_a_file_may_be_unreadable(case: RailCase) -> None:
    day = await _today(case)
    await case.stage.control.statement_fault("rail", day, "file_unreadable")
    with pytest.raises(OutcomeUnknown):
        await _file(case, day)


async def test_the_billers_file_is_not_spoilt_with_the_rails(case: RailCase, town: Town) -> None:
    day = await _today(case)
    await case.stage.control.statement_fault("biller", day, "never_made", order="strange")
    assert await _file(case, day) == TRUE
