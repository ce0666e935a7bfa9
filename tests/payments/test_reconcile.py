"""The daily statement beside the book: every difference is found and named once, none is invented, and none moves money."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from data.clock import SHANGHAI
from data.ids import OrderNumber
from data.money import Money
from data.store.engine import Tx
from integrations.ports import Reason, StatementRow
from payments import alarms, differences, statements
from payments.comparing import Kind, Party
from payments.states import State
from payments.till import PaymentView
from tests.payments.household import CHENGFS, CHENM, E_LI, E_ZHANG, LIMIN, W_CHENG, W_LI, House
from tests.payments.statements import TODAY, TOMORROW, Books, changed
from tests.simulation.town import ANSWER_LOST

NIGHT = timedelta(hours=27 - 9)  # from nine in the morning to three at night


@pytest.fixture
def books(quick: House) -> Books:
    return Books(quick)


# --- what is the same ---------------------------------------------------------------------------------------------------


async def test_a_quiet_day_has_no_difference(house: House) -> None:
    books = Books(house)
    await house.paid(LIMIN, E_LI, Money(5_000))
    house.town.refuses_posting = Reason.NOT_PAYABLE_ONLINE
    await house.paid(CHENM, E_ZHANG)
    done = await books.night_of()
    assert (done.opened, done.standing, done.over, done.complete) == ((), (), True, True)
    assert [f.lines for f in done.files] == [3, 1]
    assert [f.theirs for f in done.files] == [Money(5_000), Money(5_000)]


async def test_a_second_run_changes_nothing(house: House) -> None:
    books = Books(house)
    await house.paid(LIMIN, E_LI, Money(5_000))
    books.rail.instead[TODAY] = []
    assert len((await books.night_of()).opened) == 1
    before = books.state()
    assert (await books.night_of()).opened == ()
    assert books.state() == before


async def test_a_day_that_is_not_over_is_not_called_incomplete(books: Books) -> None:
    await books.house.paid(LIMIN, E_LI, Money(5_000))
    books.rail.instead[TODAY] = books.billers.instead[TODAY] = []
    assert (await books.comparison.run(TODAY)).opened == ()


async def test_a_payment_of_midnight_may_stand_on_either_side(books: Books) -> None:
    """The rail's clock is a little ahead: our last minute of the day is its first of the next."""
    books.house.clock.at = datetime(2026, 3, 10, 23, 59, 30, tzinfo=SHANGHAI).astimezone(UTC)
    await books.house.paid(LIMIN, E_LI, Money(5_000))
    town = books.house.town
    town.book[:] = [replace(row, at=row.at + timedelta(minutes=1)) for row in town.book]
    assert (await books.night_of()).opened == ()
    assert (await books.night_of(TOMORROW)).opened == ()
    assert books.open() == []


async def test_a_payment_of_midnight_that_is_in_no_file_is_found(books: Books) -> None:
    books.house.clock.at = datetime(2026, 3, 10, 23, 59, 30, tzinfo=SHANGHAI).astimezone(UTC)
    await books.house.paid(LIMIN, E_LI, Money(5_000))
    books.rail.instead = {TODAY: [], TOMORROW: []}
    assert (await books.night_of()).opened == ()
    assert [f.kind for f in (await books.night_of(TOMORROW)).opened] == [Kind.NOT_THERE]


# --- each way to differ ---------------------------------------------------------------------------------------------------


async def test_a_row_that_is_missing_is_named(books: Books) -> None:
    view = await books.house.paid(LIMIN, E_LI, Money(5_000))
    books.rail.instead[TODAY] = []
    (found,) = (await books.night_of()).opened
    assert (found.party, found.kind, found.payment) == (Party.RAIL, Kind.NOT_THERE, view.id)
    assert (found.ours, found.theirs) == (Money(5_000), None)


@pytest.mark.parametrize(
    ("fen", "kind"),
    [(5_001, Kind.AMOUNT), (4_999, Kind.AMOUNT), (500_000, Kind.YUAN_FEN), (50, Kind.YUAN_FEN)],
)
async def test_another_amount_is_named(books: Books, fen: int, kind: Kind) -> None:
    await books.house.paid(LIMIN, E_LI, Money(5_000))
    for files in (books.rail, books.billers):
        files.instead[TODAY] = [changed(row, fen) for row in files.true(TODAY)]
    await books.night_of()
    assert books.kinds() == [(Party.RAIL, kind), (Party.BILLERS, kind)] or books.kinds() == [
        (Party.BILLERS, kind),
        (Party.RAIL, kind),
    ]
    assert {(f.ours, f.theirs) for f in books.open()} == {(Money(5_000), Money(fen))}


async def test_a_row_once_more_is_named(books: Books) -> None:
    await books.house.paid(LIMIN, E_LI, Money(5_000))
    books.rail.instead[TODAY] = books.rail.true(TODAY) * 2
    await books.night_of()
    assert books.kinds() == [(Party.RAIL, Kind.TWICE)]


async def test_a_second_collection_under_the_same_number_is_named(books: Books) -> None:
    await books.house.paid(LIMIN, E_LI, Money(5_000))
    (row,) = books.rail.true(TODAY)
    books.rail.instead[TOMORROW] = [replace(row, at=row.at + timedelta(days=1))]
    await books.night_of()
    await books.night_of(TOMORROW)
    assert books.kinds() == [(Party.RAIL, Kind.TWICE)]


@pytest.mark.parametrize("kind", ["capture", "refund", "post"])
async def test_a_number_never_made_is_named(books: Books, kind: str) -> None:
    row = StatementRow(OrderNumber("nobodys"), kind, Money(8_800), books.house.now)
    files = books.billers if kind == "post" else books.rail
    files.instead[TODAY] = [row]
    await books.night_of()
    assert [(f.kind, f.number, f.theirs) for f in books.open()] == [
        (Kind.NEVER_MADE, "nobodys", Money(8_800))
    ]


async def test_a_refund_we_did_not_ask_for_is_named(books: Books) -> None:
    await books.house.paid(LIMIN, E_LI, Money(5_000))
    (row,) = books.rail.true(TODAY)
    books.rail.instead[TODAY] = [row, replace(row, kind="refund")]
    await books.night_of()
    assert books.kinds() == [(Party.RAIL, Kind.REFUND_NOT_OURS)]


async def test_a_posting_of_money_that_went_back_is_named(books: Books) -> None:
    books.house.town.refuses_posting = Reason.NOT_PAYABLE_ONLINE
    view = await books.house.paid(CHENM, E_ZHANG)
    assert view.state is State.REFUNDED
    row = books.rail.true(TODAY)[0]
    books.billers.instead[TODAY] = [replace(row, kind="post")]
    await books.night_of()
    assert books.kinds() == [(Party.BILLERS, Kind.POST_NOT_OURS)]


# --- what the till then does ------------------------------------------------------------------------------------------------


async def _unheard(books: Books) -> PaymentView:
    """The rail collected, its answer was lost, and nobody has asked again yet."""
    house = books.house
    house.town.fault = lambda operation: ANSWER_LOST if operation == "charge" else "ok"
    view = await house.paid(LIMIN, W_LI)
    house.town.fault = lambda _operation: "ok"
    assert view.state is State.UNKNOWN
    return view


async def test_money_the_file_knows_of_is_asked_about_and_never_assumed(house: House) -> None:
    books = Books(house)
    view = await _unheard(books)
    done = await books.night_of()
    assert [f.kind for f in done.opened] == [Kind.NOT_KNOWN]
    assert done.asked == (view.id,)
    assert house.view(view.id).state is State.UNKNOWN  # a file moves nothing
    await house.runner.due()
    assert house.view(view.id).captured_at is not None
    assert books.open() == []
    assert "statement" not in house.tickets()


async def test_a_file_that_lies_about_money_moves_none(books: Books) -> None:
    house = books.house
    house.town.fault = lambda operation: "request_lost" if operation == "charge" else "ok"
    view = await house.paid(LIMIN, W_LI)
    house.town.declines = Reason.INSUFFICIENT_FUNDS
    house.town.fault = lambda _operation: "ok"
    row = StatementRow(house.store.run_now(lambda tx: _number(tx, view)), "capture", view.amount, house.now)
    books.rail.instead[TODAY] = [row]
    await books.night_of()
    await house.runner.due()
    assert house.view(view.id).captured_at is None
    assert books.kinds() == [(Party.RAIL, Kind.NOT_KNOWN)]


def _number(tx: Tx, view: PaymentView) -> OrderNumber:
    found = tx.conn.exec_driver_sql("SELECT number FROM payments").scalar_one()
    assert view.id
    return OrderNumber(found)


async def test_late_money_is_found_and_given_back(house: House) -> None:
    books = Books(house)
    house.town.declines = Reason.INSUFFICIENT_FUNDS
    view = await house.paid(CHENGFS, W_CHENG)
    assert view.state is State.FAILED
    house.town.late_capture(next(iter(house.town.orders)))
    done = await books.night_of()
    assert [f.kind for f in done.opened] == [Kind.LATE_MONEY]
    await house.runner.due()
    assert house.view(view.id).state is State.REFUNDED
    assert list(house.town.refunds.values()) == [(next(iter(house.town.orders)), Money(3_120))]
    assert books.open() == []
    assert (await books.night_of(TOMORROW)).opened == ()
    assert house.breaches() == []


async def test_money_taken_and_not_written_off_is_found_told_and_explained_by_the_biller(
    house: House,
) -> None:
    books = Books(house)
    house.town.refuses_posting = Reason.BILLER_DOWN
    view = await house.paid(CHENM, E_ZHANG)
    done = await books.night_of()
    assert [(f.party, f.kind, f.ours) for f in done.opened] == [
        (Party.BILLERS, Kind.NOT_POSTED, Money(12_345))
    ]
    assert "post_trouble" in house.news(CHENM)
    assert house.tickets().count("statement") == 1
    house.town.refuses_posting = None
    await house.runner.due()
    assert house.view(view.id).state is State.SETTLED
    assert books.open() == []
    assert "statement" not in house.tickets()


async def test_what_was_just_collected_is_not_yet_called_unposted(books: Books) -> None:
    books.house.town.refuses_posting = Reason.BILLER_DOWN
    await books.house.paid(CHENM, E_ZHANG)
    assert (await books.comparison.run(TODAY)).opened == ()
    books.house.clock.advance(timedelta(minutes=3))
    assert [f.kind for f in (await books.comparison.run(TODAY)).opened] == [Kind.NOT_POSTED]


# --- days by themselves -------------------------------------------------------------------------------------------------


def _breaks(day: date) -> AsyncIterator[StatementRow]:
    raise ValueError(f"no statement looks like this: {day}")


async def test_a_day_that_breaks_everything_stops_no_other_day(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = books.house
    await house.paid(LIMIN, E_LI, Money(5_000))
    house.clock.advance(timedelta(days=3))
    whole = books.comparison._compare
    monkeypatch.setattr(
        books.comparison,
        "_compare",
        lambda day, *more: _breaks(day) if day == TODAY else whole(day, *more),
    )
    others = [TODAY + n * timedelta(days=1) for n in (-1, 1, 2)]
    assert [done.day for done in await books.comparison.due()] == others
    assert await books.comparison.due() == []  # in an hour again, not at every look
    house.clock.advance(timedelta(hours=1))
    monkeypatch.undo()
    assert [done.day for done in await books.comparison.due()] == [TODAY]


async def test_one_partys_unreadable_file_is_no_trouble_of_the_others(books: Books) -> None:
    await books.house.paid(LIMIN, E_LI, Money(5_000))
    books.billers.statement = _breaks  # type: ignore[method-assign]
    books.rail.instead[TODAY] = []
    done = await books.night_of()
    assert [f.trouble for f in done.files] == ["", "unreadable"]
    assert [f.kind for f in done.opened] == [Kind.NOT_THERE]


async def test_a_day_nobody_could_compare_sounds_until_it_was_compared(books: Books) -> None:
    house = books.house
    await house.paid(LIMIN, E_LI, Money(5_000))
    books.rail.late = {TODAY}
    look = lambda: house.store.run_now(lambda tx: alarms.look(tx, house.now))  # noqa: E731
    house.clock.advance(timedelta(hours=24))
    await books.comparison.due()
    assert "uncompared" not in {c.kind for c in look().raised}
    house.clock.advance(timedelta(hours=36))
    await books.comparison.due()
    assert ("uncompared", TODAY.isoformat()) in {(c.kind, c.cause) for c in look().raised}
    house.clock.advance(timedelta(days=20))  # nobody asks for that file any more, and it is no less missing
    await books.comparison.due()
    look()
    assert house.store.run_now(alarms.still_open)["uncompared"] >= 1
    books.rail.late = set()
    await books.comparison.run(TODAY)
    open_before = house.store.run_now(alarms.still_open)["uncompared"]
    look()
    assert house.store.run_now(alarms.still_open)["uncompared"] == open_before - 1


# --- files ------------------------------------------------------------------------------------------------------------------


async def test_a_late_file_is_taken_when_it_comes(house: House) -> None:
    books = Books(house)
    await house.paid(LIMIN, E_LI, Money(5_000))
    books.rail.late = {TODAY}
    done = await books.night_of()
    assert (done.complete, done.opened) == (False, ())
    house.clock.advance(timedelta(hours=10))  # one o'clock in the afternoon
    (again,) = [r for r in await books.comparison.due() if r.day == TODAY]
    assert [f.kind for f in again.opened] == [Kind.FILE_LATE]
    books.rail.late = set()
    assert not any(r.day == TODAY for r in await books.comparison.due()), "asked again within the hour"
    house.clock.advance(timedelta(hours=1))
    (taken,) = [r for r in await books.comparison.due() if r.day == TODAY]
    assert (taken.complete, books.open()) == (True, [])
    house.clock.advance(timedelta(hours=2))
    assert not any(r.day == TODAY for r in await books.comparison.due())


async def test_a_late_row_explains_itself(books: Books) -> None:
    """A row that the next day's file brings."""
    await books.house.paid(LIMIN, E_LI, Money(5_000))
    rows = books.rail.true(TODAY)
    books.rail.instead = {TODAY: [], TOMORROW: rows}
    assert len((await books.night_of()).opened) == 1
    done = await books.night_of(TOMORROW)
    assert [f.kind for f in done.closed] == [Kind.NOT_THERE]
    assert books.open() == []


async def test_yesterdays_file_under_todays_name_is_not_taken(books: Books) -> None:
    await books.house.paid(LIMIN, E_LI, Money(5_000))
    await books.night_of()
    books.house.clock.at = datetime(2026, 3, 11, 9, tzinfo=SHANGHAI).astimezone(UTC)
    await books.house.paid(LIMIN, E_LI, Money(2_000))
    books.rail.instead[TOMORROW] = books.rail.true(TODAY)
    await books.night_of(TOMORROW)
    assert books.kinds() == [(Party.RAIL, Kind.FILE_AGAIN)]
    del books.rail.instead[TOMORROW]
    await books.night_of(TOMORROW)
    assert books.open() == []


async def test_a_corrected_file_explains_and_a_wrong_one_again_is_found_again(books: Books) -> None:
    await books.house.paid(LIMIN, E_LI, Money(5_000))
    wrong = [changed(row, 5_001) for row in books.rail.true(TODAY)]
    for _ in range(2):
        books.rail.instead[TODAY] = wrong
        await books.night_of()
        assert books.kinds() == [(Party.RAIL, Kind.AMOUNT)]
        del books.rail.instead[TODAY]
        await books.night_of()
        assert books.open() == []


async def test_what_a_person_has_closed_stays_closed(books: Books) -> None:
    await books.house.paid(LIMIN, E_LI, Money(5_000))
    books.rail.instead[TODAY] = []
    (found,) = (await books.night_of()).opened
    house = books.house
    assert house.store.run_now(
        lambda tx: differences.close(tx, found.id, "zhao", "the rail sent a letter", house.now)
    )
    assert (await books.night_of()).opened == ()
    assert house.tickets() == []


async def test_a_file_nobody_can_read_takes_nothing_away(books: Books) -> None:
    await books.house.paid(LIMIN, E_LI, Money(5_000))
    books.rail.unreadable = {TODAY}
    done = await books.night_of()
    assert (done.complete, done.opened) == (False, ())
    assert await _days(books) == []


async def _days(books: Books) -> list[date]:
    return sorted(
        books.house.store.run_now(lambda tx: statements.final_days(tx, Party.RAIL, TODAY, TOMORROW))
    )


async def test_the_night_compares_each_day_once(books: Books) -> None:
    await books.house.paid(LIMIN, E_LI, Money(5_000))
    assert [r.day for r in await books.comparison.due()] == [TODAY - timedelta(days=1)]
    books.house.clock.advance(NIGHT)
    assert [r.day for r in await books.comparison.due()] == [TODAY]
    assert await books.comparison.due() == []


async def test_a_house_without_payments_asks_for_no_file(books: Books) -> None:
    assert await books.comparison.due() == []


async def test_every_difference_has_one_ticket_and_two_lines_in_the_audit(books: Books) -> None:
    await books.house.paid(LIMIN, E_LI, Money(5_000))
    books.rail.instead[TODAY], books.billers.instead[TODAY] = [], []
    await books.night_of()
    assert books.house.tickets() == ["statement", "statement"]
    assert books.house.audit().count("difference_found") == 2
    books.rail.instead, books.billers.instead = {}, {}
    await books.night_of()
    assert books.house.tickets() == []
    assert books.house.audit().count("difference_closed") == 2
