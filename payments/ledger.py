"""The book of all money that moved: every transfer once, on two sides, each line sealed to the one before.

Nothing is ever changed or struck out; a correction is a new transfer. `credit` loses what `debit` gains:

    capture   rail owes us       gateway:NAME:receivable   ←  payer:clearing
    post      biller is owed     payer:clearing            ←  biller:ID:payable
    refund    rail owes us less  payer:clearing            ←  gateway:NAME:receivable

The book's end (number and seal of the last line) is kept beside it, so that lines taken from the end show as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from data.ids import BillerId, PaymentId
from data.money import ZERO, Money
from data.store.engine import Tx
from data.store.payments import ledger, ledger_end

CLEARING = "payer:clearing"
_START = "0" * 64
_BOOK = "till"  # there is one book; its end is one row

CHANGED = "it was changed"
MISSING = "it is missing"
INSERTED = "it was put in"
UNLINKED = "it does not follow the line before"
NO_END = "the mark of the last line is gone or was changed"
_MOST_NAMED = 50  # missing lines of one gap that are named one by one

# Built once: building a statement costs more than running it, and these run whenever money moves.
_BY_ID = sa.select(ledger).where(ledger.c.id == sa.bindparam("wanted"))
_LAST = sa.select(ledger.c.seq, ledger.c.hash).order_by(ledger.c.seq.desc()).limit(1)
_ADD = sa.insert(ledger)
_MOVE_END = (
    sa.update(ledger_end)
    .where(
        ledger_end.c.book == _BOOK,
        ledger_end.c.seq == sa.bindparam("from_seq"),
        ledger_end.c.hash == sa.bindparam("from_hash"),
    )
    .values(seq=sa.bindparam("to_seq"), at=sa.bindparam("to_at"), hash=sa.bindparam("to_hash"))
)


class TransferDiffers(Exception):
    """A transfer with this id is already in the book with other contents: a mistake of ours, nothing was written."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A line of the book that does not fit. `at` is its own time, or that of the nearest line when it is gone."""

    seq: int
    why: str
    at: datetime | None = None


def receivable(rail: str) -> str:
    """What a rail has collected and not yet paid out."""
    return f"gateway:{rail}:receivable"


def payable(biller: BillerId) -> str:
    """What a biller has written off and is to receive."""
    return f"biller:{biller}:payable"


# --- writing --------------------------------------------------------------------------------------------------------


def transfer(
    tx: Tx, *, id: str, payment: PaymentId, kind: str, debit: str, credit: str, amount: Money, at: datetime
) -> bool:
    """Enters a transfer. False when it is already there, word for word; raises TransferDiffers when it differs."""
    tx.alone()
    entry = {
        "id": id,
        "payment": payment,
        "kind": kind,
        "debit": debit,
        "credit": credit,
        "amount_fen": amount.fen,
    }
    known = tx.conn.execute(_BY_ID, {"wanted": id}).one_or_none()
    if known is not None:
        if any(known._mapping[k] != v for k, v in entry.items()):
            raise TransferDiffers(id)
        return False
    seq, previous = _last(tx)
    line = {**entry, "seq": seq + 1, "at": at, "previous": previous}
    _append(tx, {**line, "hash": line_hash(tx, line)})
    return True


def _last(tx: Tx) -> tuple[int, str]:
    last = tx.conn.execute(_LAST).one_or_none()
    return (last.seq, last.hash) if last else (0, _START)


def _append(tx: Tx, line: Mapping[str, Any]) -> None:
    tx.conn.execute(_ADD, dict(line))
    end = {"to_seq": line["seq"], "to_at": line["at"], "to_hash": line["hash"]}
    # Only from the line before: who cut the book short does not get its end put right by the next payment.
    before = {"from_seq": line["seq"] - 1, "from_hash": line["previous"]}
    moved = tx.conn.execute(_MOVE_END, end | before).rowcount
    if not moved and line["seq"] == 1:
        tx.put_new(ledger_end, book=_BOOK, seq=1, at=line["at"], hash=line["hash"])


def line_hash(tx: Tx, line: Mapping[str, Any]) -> str:
    """The keyed hash of one line over everything in it and the hash before."""
    kept = {k: v for k, v in line.items() if k != "hash"}
    kept["at"] = line["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return tx.seal.stamp("ledger", json.dumps(kept, sort_keys=True))


# --- looking --------------------------------------------------------------------------------------------------------


def verify(tx: Tx) -> list[Broken]:
    """Every line that was changed, left out or put in by hand, by its number; empty when the book is whole."""
    broken: list[Broken] = []
    end = _end(tx)
    last = _Line({"seq": 0, "hash": _START}, None)
    for line in _lines(tx):
        broken += _gone(last.seq, line.seq, line.at)
        broken += _of_line(tx, line, last, end.seq if end else None)
        last = line
    known = any(b.seq == last.seq for b in broken)  # said once is enough
    return broken + [b for b in _of_end(end, last) if not (known and b.seq == last.seq)]


def verify_line(tx: Tx, seq: int) -> list[Broken]:
    """The same for one line alone, and for how it follows the one before it. A number not reached yet is whole."""
    end = _end(tx)
    if not 1 <= seq <= (end.seq if end else 0):
        return []
    near = {line.seq: line for line in _lines(tx, seq - 1, seq)}
    if seq not in near:
        return [Broken(seq, MISSING, near[seq - 1].at if seq - 1 in near else None)]
    before = near.get(seq - 1, _Line({"seq": seq - 1, "hash": _START if seq == 1 else ""}, None))
    return [*_of_line(tx, near[seq], before, None)]


@dataclass(frozen=True, slots=True)
class _Line:
    """A line as it is stored. `at` is None where nobody can read its time any more."""

    row: Mapping[str, Any]
    at: datetime | None

    @property
    def seq(self) -> int:
        return int(self.row["seq"])


def _lines(tx: Tx, first: int = 1, last: int | None = None) -> Iterator[_Line]:
    wanted = _in_order(tx.conn.dialect.name)
    if last is not None:
        wanted = wanted.where(ledger.c.seq.between(first, last))
    for row in tx.conn.execute(wanted):
        yield _read(row)


def _end(tx: Tx) -> _Line | None:
    row = tx.conn.execute(_mark(tx.conn.dialect.name)).one_or_none()
    return None if row is None else _read(row)


@cache
def _in_order(dialect: str) -> sa.Select[Any]:
    return _as_stored(dialect, ledger).order_by(ledger.c.seq)


@cache
def _mark(dialect: str) -> sa.Select[Any]:
    return _as_stored(dialect, ledger_end).where(ledger_end.c.book == _BOOK)


def _as_stored(dialect: str, table: sa.Table) -> sa.Select[Any]:
    """A kind or a time that was spoilt by hand must be told, not break the reading."""
    texts = {"kind"} if dialect == "postgresql" else {"kind", "at"}
    return sa.select(*(sa.type_coerce(c, sa.String).label(c.name) if c.name in texts else c for c in table.c))


def _read(row: sa.Row[Any]) -> _Line:
    values = dict(row._mapping)
    at = _instant(values["at"])
    return _Line(values | {"at": at}, at)


def _instant(stored: Any) -> datetime | None:
    if isinstance(stored, datetime):
        return stored
    try:
        return datetime.fromisoformat(str(stored)).replace(tzinfo=UTC)
    except ValueError:
        return None


def _gone(after: int, before: int, at: datetime | None) -> Iterator[Broken]:
    missing = range(after + 1, before)
    yield from (Broken(seq, MISSING, at) for seq in missing[:_MOST_NAMED])


def _of_line(tx: Tx, line: _Line, last: _Line, end: int | None) -> Iterator[Broken]:
    row = line.row
    if end is not None and line.seq > end:
        yield Broken(line.seq, INSERTED, line.at)
    elif line.at is None or row["hash"] != line_hash(tx, row):
        yield Broken(line.seq, CHANGED, line.at or last.at)
    elif line.seq == last.seq + 1 and row["previous"] != last.row["hash"]:
        yield Broken(line.seq, UNLINKED, line.at)


def _of_end(end: _Line | None, last: _Line) -> Iterator[Broken]:
    if end is None:
        if last.seq:
            yield Broken(last.seq, NO_END, last.at)
        return
    yield from _gone(last.seq, end.seq + 1, end.at)
    if end.seq == last.seq and (end.row["hash"], end.at) != (last.row["hash"], last.at):
        yield Broken(last.seq, NO_END, last.at)


def lines_in(tx: Tx) -> int:
    """How many lines the book has."""
    return tx.conn.scalar(sa.select(sa.func.count()).select_from(ledger)) or 0


def balances(tx: Tx) -> dict[str, Money]:
    """What stands on each account: debits less credits. They add up to zero."""
    sums: dict[str, Money] = {}
    for row in tx.conn.execute(sa.select(ledger.c.debit, ledger.c.credit, ledger.c.amount_fen)):
        amount = Money(row.amount_fen)
        sums[row.debit] = sums.get(row.debit, ZERO) + amount
        sums[row.credit] = sums.get(row.credit, ZERO) - amount
    return sums
