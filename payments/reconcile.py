"""The nightly comparison: what rail and billers say of a day, beside our book, by our own numbers.

Files are fetched outside of any transaction and judged in one. What differs is opened once and told to the operators;
where the till can ask, it is woken and asks. Running it again changes nothing; a late file is taken when it comes. A day
that cannot be compared is no other day's trouble, and an alarm when it lasts (`uncompared`).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Protocol

import sqlalchemy as sa

from data.clock import Clock, shanghai
from data.ids import OrderNumber, PaymentId, PersonId
from data.model import Role
from data.money import Money, total
from data.store.engine import Store, Tx
from data.store.payments import payments
from integrations.ports import GatewayError, StatementRow
from payments import comparing, differences, statements, states
from payments.authority import people
from payments.comparing import Difference, Kind, Ours, Party
from payments.differences import Found
from payments.limits import Limits
from payments.news import tell
from payments.notices import notice
from payments.statements import DAY, EDGE, day_of, ends
from payments.states import State

log = logging.getLogger("bangjiao.payments")

NEWS = "differences"  # the kind of the news operators get
_MOVEMENTS = {Party.RAIL: ("capture", "refund"), Party.BILLERS: ("post",)}
_WHEN = {"capture": payments.c.captured_at, "refund": payments.c.refunded_at, "post": payments.c.posted_at}
_COLLECTED = [s.value for s in (State.PAID, State.POSTING, State.POST_UNKNOWN, State.NEEDS_HUMAN)]

# By night, when the files are there and few people pay; again every hour for a file that is late.
NIGHT = timedelta(hours=3)
_AGAIN = timedelta(hours=1)
_MISSED_AFTER = timedelta(hours=12)  # after the end of its day: a rail's file is there at ten in the morning
_LOOK_BACK = 7  # days a file may be late and is still asked for


class Files(Protocol):
    """Whoever sends a daily file: a rail or a biller network."""

    def statement(self, day: date) -> AsyncIterator[StatementRow]: ...


@dataclass(frozen=True, slots=True)
class FileSeen:
    """What a party's file of the day was. `trouble` says why there is none; sums are of what was collected or posted."""

    party: Party
    lines: int = 0
    theirs: Money = Money(0)
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What one comparison did. `over`: the day was over, so missing rows were looked for as well."""

    day: date
    over: bool
    files: tuple[FileSeen, ...]
    opened: tuple[Found, ...]
    closed: tuple[Found, ...]
    standing: tuple[Found, ...]  # everything still open afterwards
    asked: tuple[PaymentId, ...]  # payments that are due now because a file said more than we know

    @property
    def complete(self) -> bool:
        """Whether both files came."""
        return not any(f.trouble for f in self.files)


Fetched = dict[Party, list[StatementRow] | str]


class Reconciliation:
    """Compares days. Any number of processes may do it at once."""

    def __init__(self, store: Store, rail: Files, billers: Files, clock: Clock, limits: Limits) -> None:
        self._store = store
        self._sources = {Party.RAIL: rail, Party.BILLERS: billers}
        self._clock = clock
        self._limits = limits

    async def run(self, day: date, by: PersonId | None = None) -> Reconciled:
        """Takes the files of one Shanghai day and compares them with the book; `by` asked and is answered himself."""
        fetched: Fetched = {party: await _fetched(source, day) for party, source in self._sources.items()}
        return await self._store.run(partial(self._compare, day, fetched, by))

    async def due(self) -> list[Reconciled]:
        """Every past day whose files were not both taken, once a night, and hourly while one is late."""
        each = [await self._by_itself(day) for day in await self._store.run(self._days_due)]
        return [done for done in each if done is not None]

    async def _by_itself(self, day: date) -> Reconciled | None:
        """None: it could not be compared, whatever broke; it is tried again as a file that is late."""
        try:
            return await self.run(day)
        except Exception:
            log.exception("the day %s could not be compared; it is tried again in an hour", day)
            await self._store.run(partial(_tried, day, self._clock.now()))
            return None

    def _days_due(self, tx: Tx) -> list[date]:
        at = self._clock.now()
        newest = day_of(at - NIGHT) - DAY
        days = [newest - n * DAY for n in reversed(range(_LOOK_BACK))]
        return [day for day in days if any(_wanted(tx, p, day, at) for p in Party) and _anything_by(tx, day)]

    # --- inside the transaction ---------------------------------------------------------------------------------

    def _compare(self, day: date, fetched: Fetched, by: PersonId | None, tx: Tx) -> Reconciled:
        tx.alone("statements")
        at = self._clock.now()
        over = at >= ends(day)
        found = [d for party, rows in fetched.items() for d in _of_file(tx, party, day, rows, over, at)]
        found += [d for party in Party for d in _not_there(tx, party, day)]
        if not isinstance(fetched[Party.BILLERS], str):
            found += _not_posted(tx, min(ends(day), at - self._limits.post_patience))
        opened = [f for d in found if (f := differences.open_difference(tx, d, day, at)) is not None]
        closed = differences.explain(tx, at)
        asked = [p for p in dict.fromkeys(f.payment for f in opened) if p is not None]
        asked = [p for p in asked if _ask_about(tx, p, opened, at)]
        _tell_operators(tx, day, opened, by, at)
        for difference in opened:
            log.error("alarm: a statement differs: %s %s", difference.kind, difference.id)
        return Reconciled(
            day,
            over,
            tuple(_seen(party, rows) for party, rows in fetched.items()),
            tuple(opened),
            tuple(closed),
            tuple(differences.listed(tx)),
            tuple(asked),
        )


async def _fetched(source: Files, day: date) -> list[StatementRow] | str:
    """All rows of a file, or why there are none."""
    try:
        return [row async for row in source.statement(day)]
    except GatewayError as error:
        log.info("the statement of %s could not be fetched: %s", day, error.reason)
        return error.reason.value
    except Exception as problem:  # whatever breaks there, the other party's file is compared
        log.error("the statement of %s could not be read: %s", day, type(problem).__name__)
        return "unreadable"


def _tried(day: date, at: datetime, tx: Tx) -> None:
    for party in Party:
        statements.tried(tx, party, day, at)


def uncompared(tx: Tx, before: datetime, besides: Iterable[date] = ()) -> list[date]:
    """Days over by `before` whose files were not both compared, of those that are still tried and of `besides`."""
    newest = day_of(before) - DAY
    days = {newest - n * DAY for n in range(_LOOK_BACK)} | set(besides)
    # The day before the first payment is compared too, for what happened at midnight; nobody need be called for it.
    return sorted(day for day in days if _anything_by(tx, day - DAY) and not _compared(tx, day))


def _compared(tx: Tx, day: date) -> bool:
    return all(statements.final_days(tx, party, day, day) for party in Party)


def _anything_by(tx: Tx, day: date) -> bool:
    """Whether anything was paid by the end of the next day; before the first payment there is nothing to compare."""
    return bool(tx.conn.scalar(sa.select(sa.exists().where(payments.c.created_at < ends(day + DAY)))))


def _wanted(tx: Tx, party: Party, day: date, at: datetime) -> bool:
    if statements.final_days(tx, party, day, day):
        return False
    tried = statements.last_tried(tx, party, day)
    return tried is None or at - tried >= _AGAIN or tried < ends(day) <= at


def _seen(party: Party, rows: list[StatementRow] | str) -> FileSeen:
    if isinstance(rows, str):
        return FileSeen(party, trouble=rows)
    back = [row.amount for row in rows if row.kind == "refund"]
    there = [row.amount for row in rows if row.kind != "refund"]
    return FileSeen(party, len(rows), total(there) - total(back))


# --- finding --------------------------------------------------------------------------------------------------------


def _of_file(
    tx: Tx, party: Party, day: date, rows: list[StatementRow] | str, over: bool, at: datetime
) -> Iterator[Difference]:
    nobody = OrderNumber("")
    if isinstance(rows, str):
        statements.tried(tx, party, day, at)
        if at >= ends(day) + _MISSED_AFTER and not statements.final_days(tx, party, day, day):
            yield Difference(party, Kind.FILE_LATE, nobody, detail=day.isoformat())
        return
    again = statements.take(tx, party, day, rows, final=over, at=at)
    if again is not None:
        yield Difference(party, Kind.FILE_AGAIN, nobody, detail=f"{day.isoformat()} {again.isoformat()}")
        return
    numbers = {row.order for row in rows}
    elsewhere = [row for other, row in statements.rows_of(tx, party, numbers) if other != day]
    yield from comparing.of_rows(party, rows, _ours(tx, payments.c.number, numbers), elsewhere)


def _ours(tx: Tx, column: sa.Column[str], numbers: Iterable[OrderNumber]) -> dict[OrderNumber, Ours]:
    found: dict[OrderNumber, Ours] = {}
    every = sorted(set(numbers))
    for start in range(0, len(every), 500):
        some = column.in_(every[start : start + 500])
        found |= {ours.number: ours for ours in _payments(tx, some)}
    return found


_COLUMNS = sa.select(
    payments.c.id,
    payments.c.number,
    payments.c.amount_fen,
    payments.c.state,
    payments.c.sent_at,
    payments.c.captured_at,
    payments.c.posted_at,
    payments.c.refunded_at,
)


def _payments(tx: Tx, where: sa.ColumnElement[bool]) -> Iterator[Ours]:
    for row in tx.conn.execute(_COLUMNS.where(where)).all():
        values = dict(row._mapping)
        amount = Money(values.pop("amount_fen"))
        yield Ours(**values | {"state": State(row.state)}, amount=amount)


def _not_posted(tx: Tx, before: datetime) -> list[Difference]:
    collected = sa.and_(payments.c.captured_at < before, payments.c.state.in_(_COLLECTED))
    waiting = list(_payments(tx, collected))
    numbers = {ours.number for ours in waiting}
    posted = statements.numbers_stated(tx, Party.BILLERS, "post", numbers)
    return list(comparing.not_posted(waiting, posted))


def _not_there(tx: Tx, party: Party, day: date) -> Iterator[Difference]:
    """Movements of the book that no file tells of, as far as every file that could tell of them has come.

    Also of the day before and of later days: what waited for this file is decided by it.
    """
    first, last = day - DAY, day + _LOOK_BACK * DAY
    final = statements.final_days(tx, party, first - _LOOK_BACK * DAY, last + DAY)
    if day not in final:
        return
    for kind in _MOVEMENTS[party]:
        when = _WHEN[kind]
        within = sa.and_(when >= ends(first) - EDGE, when < ends(last))
        moved = [o for o in _payments(tx, within) if _decided(o, kind, day, final)]
        stated = statements.numbers_stated(tx, party, kind, {o.number for o in moved})
        yield from comparing.not_there(party, kind, moved, stated)


def _decided(ours: Ours, kind: str, day: date, final: set[date]) -> bool:
    """Whether the file of `day` is the last one needed to say that this movement is in none."""
    happened, begun = ours.happened(kind), ours.begun(kind)
    assert happened is not None
    last = day_of(happened + EDGE)
    first = max(day_of((begun or happened) - EDGE), last - _LOOK_BACK * DAY)
    needed = {first + n * DAY for n in range((last - first).days + 1)}
    return day in needed and needed <= final


# --- what follows ---------------------------------------------------------------------------------------------------


def _ask_about(tx: Tx, payment: PaymentId, opened: list[Found], at: datetime) -> bool:
    """Wakes the till where it can ask; who paid hears that his money is looked after."""
    kinds = {f.kind for f in opened if f.payment == payment}
    if Kind.NOT_POSTED in kinds:
        tell(tx, states.read(tx, payment), "post_trouble", at)
    if not kinds & comparing.ASKED_ABOUT:
        return False
    states.hint(tx, payment, at)
    return True


def _tell_operators(tx: Tx, day: date, opened: list[Found], by: PersonId | None, at: datetime) -> None:
    if not opened:
        return
    matter = hashlib.sha256("|".join(sorted(f"{f.id} {f.ticket}" for f in opened)).encode()).hexdigest()[:16]
    body = {"day": day.isoformat(), "differences": [f.id for f in opened]}
    for person in people.of_role(tx, Role.OPERATOR):
        if person.id != by:
            notice(tx, person.id, NEWS, f"{day.isoformat()}:{matter}", body, at)


def yesterday(at: datetime) -> date:
    """The Shanghai day before."""
    return shanghai(at).date() - DAY
