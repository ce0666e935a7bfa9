"""The files that rail and billers sent, kept row by row: a later file may explain what an earlier one left open."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa

from data.clock import SHANGHAI, shanghai
from data.ids import OrderNumber
from data.money import Money
from data.store.engine import Tx
from data.store.payments import statement_rows, statements
from integrations.ports import StatementRow
from payments.comparing import Party

DAY = timedelta(days=1)
# Two clocks may differ, and a request may be under way, when the day ends.
EDGE = timedelta(minutes=10)
_AT_ONCE = 500  # numbers looked up in one question


def day_of(at: datetime) -> date:
    """The Shanghai day of an instant."""
    return shanghai(at).date()


def begins(day: date) -> datetime:
    """The first instant of a Shanghai day, in UTC."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


def ends(day: date) -> datetime:
    """The first instant of the next one."""
    return begins(day + DAY)


def take(
    tx: Tx, party: Party, day: date, rows: Sequence[StatementRow], *, final: bool, at: datetime
) -> date | None:
    """Keeps a file in place of what was kept of that day. It is not kept when it is another day's: that day is given."""
    mark = digest(rows)
    again = _another_day(tx, party, day, mark) if any(_far_from(day, row.at) for row in rows) else None
    if again is not None:
        tried(tx, party, day, at)
        return again
    known = tx.conn.execute(sa.select(statements.c.digest).where(_of(party, day))).one_or_none()
    if known is None or known.digest != mark:
        _replace_rows(tx, party, day, rows)
    _note(tx, party, day, at, digest=mark, lines=len(rows), final=final, taken_at=at)
    return None


def tried(tx: Tx, party: Party, day: date, at: datetime) -> None:
    """A file was asked for and did not come."""
    _note(tx, party, day, at)


def digest(rows: Iterable[StatementRow]) -> str:
    """What makes two files the same, in whatever order their rows stand."""
    lines = sorted([row.order, row.kind, row.amount.fen, row.at.isoformat()] for row in rows)
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()


def _far_from(day: date, at: datetime) -> bool:
    return not begins(day) - EDGE <= at < ends(day) + EDGE


def _another_day(tx: Tx, party: Party, day: date, mark: str) -> date | None:
    same = sa.and_(statements.c.party == party, statements.c.day != day, statements.c.digest == mark)
    found: date | None = tx.conn.scalar(sa.select(statements.c.day).where(same).limit(1))
    return found


def _replace_rows(tx: Tx, party: Party, day: date, rows: Sequence[StatementRow]) -> None:
    of_day = sa.and_(statement_rows.c.party == party, statement_rows.c.day == day)
    tx.conn.execute(sa.delete(statement_rows).where(of_day))
    if rows:
        tx.conn.execute(
            sa.insert(statement_rows),
            [
                {
                    "party": party.value,
                    "day": day,
                    "n": n,
                    "number": row.order,
                    "kind": row.kind,
                    "amount_fen": row.amount.fen,
                    "at": row.at,
                }
                for n, row in enumerate(rows, start=1)
            ],
        )


def _note(tx: Tx, party: Party, day: date, at: datetime, **columns: object) -> None:
    blank = {"digest": "", "lines": 0, "final": False}
    tx.put_new(statements, party=party.value, day=day, **blank, tried_at=at)
    tx.conn.execute(sa.update(statements).where(_of(party, day)).values(tried_at=at, **columns))


def _of(party: Party, day: date) -> sa.ColumnElement[bool]:
    return sa.and_(statements.c.party == party.value, statements.c.day == day)


# --- looking --------------------------------------------------------------------------------------------------------


def final_days(tx: Tx, party: Party, first: date, last: date) -> set[date]:
    """Days whose file was taken after the day was over."""
    wanted = sa.and_(statements.c.party == party.value, statements.c.final.is_(True))
    within = statements.c.day.between(first, last)
    return set(tx.conn.scalars(sa.select(statements.c.day).where(wanted, within)))


def last_tried(tx: Tx, party: Party, day: date) -> datetime | None:
    """When the file of a day was asked for last."""
    found: datetime | None = tx.conn.scalar(sa.select(statements.c.tried_at).where(_of(party, day)))
    return found


def rows_of(tx: Tx, party: Party, numbers: Collection[OrderNumber]) -> Iterator[tuple[date, StatementRow]]:
    """Every row kept of these numbers, with the day of its file."""
    for some in _in_parts(numbers):
        wanted = sa.and_(statement_rows.c.party == party.value, statement_rows.c.number.in_(some))
        for row in tx.conn.execute(sa.select(statement_rows).where(wanted).order_by(statement_rows.c.at)):
            yield (
                row.day,
                StatementRow(OrderNumber(row.number), row.kind, Money(row.amount_fen), row.at),
            )


def numbers_stated(tx: Tx, party: Party, kind: str, numbers: Collection[OrderNumber]) -> set[OrderNumber]:
    """Which of these numbers some file tells of."""
    return {row.order for _, row in rows_of(tx, party, numbers) if row.kind == kind}


def _in_parts(numbers: Collection[OrderNumber]) -> Iterator[list[OrderNumber]]:
    every = sorted(set(numbers))
    for start in range(0, len(every), _AT_ONCE):
        yield every[start : start + _AT_ONCE]
