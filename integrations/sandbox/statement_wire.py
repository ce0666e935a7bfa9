"""The daily file as it travels: yuan, as rails write their files although their interfaces count in fen; and its faults."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from data.ids import OrderNumber
from data.money import BadAmount, Money
from integrations.ports import OutcomeUnknown, Reason, StatementRow
from integrations.sandbox.control_wire import Side
from integrations.sandbox.wire import Day, Instant, Order, Shape

HEADERS = ("order", "kind", "amount_yuan", "at")
KINDS = {Side.RAIL: ("capture", "refund"), Side.BILLER: ("post",)}


class StatementFaultKind(StrEnum):
    """What can be wrong with a file."""

    ROW_MISSING = "row_missing"
    ROW_TWICE = "row_twice"  # one row stands there once more
    FEN_OFF = "fen_off"  # one fen too much
    YUAN_FOR_FEN = "yuan_for_fen"  # an amount a hundred times too high
    NEVER_MADE = "never_made"  # a row for a number nobody ever sent
    REFUND_UNASKED = "refund_unasked"  # a refund row for an order nobody asked to give back
    NEXT_DAY = "next_day"  # one row stands in the next day's file instead
    BOTH_DAYS = "both_days"  # one row stands in the next day's file as well
    FILE_AGAIN = "file_again"  # the day before's file under this day's name
    FILE_LATE = "file_late"  # no file before `until`
    FILE_UNREADABLE = "file_unreadable"


class StatementFault(Shape):
    """A fault of one party's file of one day. `order` says whose row; without it, the first row of the file."""

    side: Side
    day: Day
    kind: StatementFaultKind
    order: Order | None = None
    until: Instant | None = None


def written(rows: Iterable[StatementRow]) -> str:
    """Rows as a file."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADERS)
    for row in rows:
        yuan = f"{row.amount.fen // 100}.{row.amount.fen % 100:02d}"
        writer.writerow((row.order, row.kind, yuan, row.at.isoformat()))
    return text.getvalue()


def read(text: str, side: Side) -> list[StatementRow]:
    """All of the file or none of it: half a statement would look like missing money. Raises OutcomeUnknown."""
    reader = csv.DictReader(io.StringIO(text), restval="")
    if tuple(reader.fieldnames or ()) != HEADERS:
        raise OutcomeUnknown(Reason.UNKNOWN, "not a statement")
    try:
        return [_row(row, side) for row in reader]
    except (BadAmount, ValueError, KeyError):
        raise OutcomeUnknown(Reason.UNKNOWN, "an unreadable line in the statement") from None


def _row(row: dict[str, str], side: Side) -> StatementRow:
    at = datetime.fromisoformat(row["at"])
    if row["kind"] not in KINDS[side] or at.tzinfo is None or not row["order"]:
        raise ValueError("not a line of such a statement")
    return StatementRow(OrderNumber(row["order"]), row["kind"], Money.parse(row["amount_yuan"]), at)
