"""The files the town's rail and billers send every day, and what is arranged to be wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from sqlalchemy import Column, Date, Integer, String, Table, insert, select

from data.clock import shanghai
from data.ids import OrderNumber
from data.money import Money
from integrations.ports import Reason, StatementRow
from integrations.sandbox.control_wire import Side
from integrations.sandbox.statement_wire import StatementFault, StatementFaultKind
from integrations.sandbox.town import rail
from integrations.sandbox.town import tables as t
from integrations.sandbox.town.moment import Moment, Refusal

K = StatementFaultKind
_DAY = timedelta(days=1)

faults = Table(
    "statement_faults",
    t.metadata,
    Column("id", Integer, primary_key=True),
    Column("side", String, nullable=False),
    Column("day", Date, nullable=False),
    Column("kind", String, nullable=False),
    Column("order", String),
    Column("until", t.Instant),
)


def arrange(moment: Moment, fault: StatementFault) -> None:
    """Remember a fault of a file; it stays until the town is settled anew."""
    moment.db.execute(
        insert(faults).values(
            side=fault.side.value, day=fault.day, kind=fault.kind.value, order=fault.order, until=fault.until
        )
    )


def file_of(moment: Moment, side: Side, day: date) -> list[StatementRow] | None:
    """A party's file of a Shanghai day as it is sent; None for one nobody can read.

    Raises Refusal(NOT_READY) for a day to come, and while a late file is not written.
    """
    known = _faults(moment, side, day)
    late = any(f.kind is K.FILE_LATE and (f.until is None or moment.now < f.until) for f in known)
    if late or day > shanghai(moment.now).date():
        raise Refusal(Reason.NOT_READY, "The file of this day is not written yet.", 404)
    if any(f.kind is K.FILE_UNREADABLE for f in known):
        return None
    before = _faults(moment, side, day - _DAY)
    if any(f.kind is K.FILE_AGAIN for f in known):
        known, day = before, day - _DAY
        before = _faults(moment, side, day - _DAY)
    rows = [*_moved_here(moment, side, day, before), *_true_rows(moment, side, day)]
    for fault in known:
        rows = _spoilt(moment, rows, fault)
    return rows


def _faults(moment: Moment, side: Side, day: date) -> list[StatementFault]:
    wanted = select(faults).where(faults.c.side == side.value, faults.c.day == day).order_by(faults.c.id)
    return [
        StatementFault(
            side=Side(r.side), day=r.day, kind=StatementFaultKind(r.kind), order=r.order, until=r.until
        )
        for r in moment.db.execute(wanted)
    ]


def _true_rows(moment: Moment, side: Side, day: date) -> list[StatementRow]:
    if side is Side.RAIL:
        return [
            StatementRow(OrderNumber(order), kind, Money(fen), datetime.fromisoformat(at))
            for order, kind, fen, at in rail.statement(moment, day)
        ]
    rows = moment.db.execute(select(t.posts).where(t.posts.c.state == "settled").order_by(t.posts.c.at))
    return [
        StatementRow(OrderNumber(r.order), "post", Money(r.amount), r.at)
        for r in rows
        if shanghai(r.at).date() == day
    ]


def _moved_here(
    moment: Moment, side: Side, day: date, before: list[StatementFault]
) -> Iterator[StatementRow]:
    """What the file of the day before left to this one."""
    theirs = _true_rows(moment, side, day - _DAY)
    for fault in before:
        if fault.kind in (K.NEXT_DAY, K.BOTH_DAYS):
            yield from _concerned(theirs, fault)


def _concerned(rows: list[StatementRow], fault: StatementFault) -> list[StatementRow]:
    """The row a fault is about; nothing in a file without such a row."""
    found = [row for row in rows if fault.order in (None, row.order)]
    return found[:1]


def _spoilt(moment: Moment, rows: list[StatementRow], fault: StatementFault) -> list[StatementRow]:
    it = _concerned(rows, fault)
    rest = [row for row in rows if row not in it]
    match fault.kind:
        case K.ROW_MISSING | K.NEXT_DAY:
            return rest
        case K.ROW_TWICE:
            return [*it, *rows]
        case K.FEN_OFF:
            return [*rest, *(_with(row, row.amount.fen + 1) for row in it)]
        case K.YUAN_FOR_FEN:
            return [*rest, *(_with(row, row.amount.fen * 100) for row in it)]
        case K.NEVER_MADE:
            kind = "capture" if fault.side is Side.RAIL else "post"
            number = OrderNumber(fault.order or f"nobodys{fault.day:%Y%m%d}")
            return [*rows, StatementRow(number, kind, Money(8_800), moment.now)]
        case K.REFUND_UNASKED:
            return [*rows, *(StatementRow(row.order, "refund", row.amount, row.at) for row in it)]
        case _:
            return rows


def _with(row: StatementRow, fen: int) -> StatementRow:
    return StatementRow(row.order, row.kind, Money(fen), row.at)
