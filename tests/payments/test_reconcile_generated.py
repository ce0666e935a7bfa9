"""Generated days of payments with generated faults of the files: every fault is found, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from data.clock import SHANGHAI, VirtualClock, shanghai
from data.ids import OrderNumber
from data.money import Money
from data.store.engine import Store
from integrations.ports import Reason, StatementRow
from payments import statements
from payments.comparing import Kind, Party
from tests.databases import SEALER
from tests.payments.household import E_LI, LIMIN, House
from tests.payments.statements import TODAY, Books, Files, changed

_FAULTS = ("none", "none", "missing", "twice", "fen_off", "yuan_for_fen", "next_day", "both_days")
_EXPECTED = {
    "missing": Kind.NOT_THERE,
    "twice": Kind.TWICE,
    "fen_off": Kind.AMOUNT,
    "yuan_for_fen": Kind.YUAN_FEN,
}
_MINUTES = st.one_of(st.integers(1, 2 * 1440 - 1), st.sampled_from([1, 1435, 1439, 1440, 1441, 2875, 2879]))
_PAYMENTS = st.lists(
    st.tuples(_MINUTES, st.sampled_from(["settled", "settled", "refunded"]), st.integers(1, 5)),
    min_size=1,
    max_size=5,
)
_DAYS = [TODAY + timedelta(days=n) for n in range(-1, 4)]


async def _lived(payments: Iterable[tuple[int, str, int]], skew: int) -> Books:
    """Two days of payments, by a rail whose clock is some seconds off."""
    start = datetime(2026, 3, 10, tzinfo=SHANGHAI).astimezone(UTC)
    clock = VirtualClock(start)
    house = House.over(Store.in_memory(SEALER), clock)
    house.enrol()
    for minute, outcome, tens in sorted(payments):
        clock.at = max(clock.at, start + timedelta(minutes=minute))
        house.town.refuses_posting = Reason.NOT_PAYABLE_ONLINE if outcome == "refunded" else None
        view = await house.paid(LIMIN, E_LI, Money(1_000 * tens))
        assert view.state == outcome
    house.town.book[:] = [replace(row, at=row.at + timedelta(seconds=skew)) for row in house.town.book]
    return Books(house)


def _at_midnight(at: datetime) -> bool:
    return shanghai(at).date() != shanghai(at + statements.EDGE).date()


def _spoil(files: Files, day: date, row: StatementRow, fault: str) -> None:
    here = files.instead.setdefault(day, files.true(day))
    after = day + timedelta(days=1)
    if fault in ("missing", "next_day", "fen_off", "yuan_for_fen"):
        here.remove(row)
    if fault == "twice":
        here.append(row)
    if fault == "fen_off":
        here.append(changed(row, row.amount.fen + 1))
    if fault == "yuan_for_fen":
        here.append(changed(row, row.amount.fen * 100))
    if fault in ("next_day", "both_days"):
        files.instead.setdefault(after, files.true(after)).append(row)


@settings(max_examples=25, deadline=None, phases=(Phase.reuse, Phase.generate))
@given(
    payments=_PAYMENTS,
    skew=st.integers(-90, 90),
    never_made=st.booleans(),
    order=st.permutations(range(len(_DAYS))),
    data=st.data(),
)
async def test_every_fault_of_generated_days_is_found_and_nothing_else(
    payments: list[tuple[int, str, int]], skew: int, never_made: bool, order: list[int], data: st.DataObject
) -> None:
    """In whatever order the files come."""
    books = await _lived(payments, skew)
    expected = set()
    for party, files in ((Party.RAIL, books.rail), (Party.BILLERS, books.billers)):
        for day in _DAYS[:3]:
            for row in files.true(day):
                fault = data.draw(st.sampled_from(_FAULTS))
                if fault == "both_days" and not _at_midnight(row.at):
                    continue  # a file that tells the day before only is another day's file, and named so
                _spoil(files, day, row, fault)
                if fault in _EXPECTED:
                    expected.add((party, _EXPECTED[fault], row.order))
    if never_made:
        stray = StatementRow(OrderNumber("nobodys"), "capture", Money(100), books.house.now)
        books.rail.instead.setdefault(TODAY, books.rail.true(TODAY)).append(stray)
        expected.add((Party.RAIL, Kind.NEVER_MADE, stray.order))
    books.house.clock.at = datetime(2026, 3, 14, 4, tzinfo=SHANGHAI).astimezone(UTC)
    for n in order:
        await books.comparison.run(_DAYS[n])
    assert {(f.party, f.kind, f.number) for f in books.open()} == expected
    before = books.state()
    for day in _DAYS:
        assert (await books.comparison.run(day)).opened == ()
    assert books.state() == before
    await books.house.runner.due()
    assert books.house.breaches() == [], "a file moved money"
