"""What a statement and the book say differently, one row and one ticket for each, until something explains it.

A row is found by its matter (party, kind, number, detail), so the same file read again opens nothing again. Nothing here
moves money: the till asks, and what the counterparty answers explains the difference or leaves it to a person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from data.ids import OrderNumber, PaymentId, PersonId, TicketId
from data.money import Money
from data.store import journal, letters
from data.store.engine import Tx
from data.store.payments import differences, payments
from integrations.ports import StatementRow
from payments import statements
from payments.comparing import Difference, Kind, Party

_TICKET = "statement"  # the kind of the ticket
_LETTERS = str.maketrans("0123456789", "ghijkmnpqr")

# Built once: it is asked whenever money moves.
_ANY_OPEN = sa.select(
    sa.exists().where(differences.c.payment == sa.bindparam("payment"), differences.c.closed_at.is_(None))
)


@dataclass(frozen=True, slots=True)
class Found:
    """A difference as it is kept. `closed_by` is a person, "" when a later file or event explained it."""

    id: str
    party: Party
    kind: Kind
    day: date
    number: OrderNumber
    detail: str
    payment: PaymentId | None
    ours: Money | None
    theirs: Money | None
    ticket: TicketId
    found_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    why: str | None


def open_difference(tx: Tx, found: Difference, day: date, at: datetime) -> Found | None:
    """Writes it down with a ticket; None when it stands there already, or a person has closed this very matter."""
    key = _key(found)
    known = tx.conn.execute(sa.select(differences).where(differences.c.id == key)).one_or_none()
    if known is not None and (known.closed_at is None or known.closed_by):
        return None
    if known is not None:  # explained once, and here again: a file that was right is wrong again
        tx.conn.execute(sa.delete(differences).where(differences.c.id == key))
    tx.conn.execute(
        sa.insert(differences).values(
            id=key,
            party=found.party.value,
            kind=found.kind.value,
            day=day,
            number=found.number,
            detail=found.detail,
            payment=found.payment,
            ours_fen=found.ours.fen if found.ours else None,
            theirs_fen=found.theirs.fen if found.theirs else None,
            ticket=_open_ticket(tx, found, at),
            found_at=at,
        )
    )
    _record(tx, "difference_found", key, found.party, at)
    return _read(tx, key)


def _record(tx: Tx, kind: str, key: str, actor: str, at: datetime) -> None:
    opened = _read(tx, key)
    person = PersonId(_payer(tx, opened.payment) or opened.party)
    facts = {"kind": opened.kind.value, "payment": opened.payment, "day": opened.day.isoformat()}
    journal.record(tx, kind=kind, person=person, actor=PersonId(actor), subject=key, at=at, body=facts)


def _payer(tx: Tx, payment: PaymentId | None) -> str | None:
    return tx.conn.scalar(sa.select(payments.c.payer).where(payments.c.id == payment))


def _key(found: Difference) -> str:
    matter = "|".join((found.party, found.kind, found.number, found.detail))
    # In letters only: a run of digits would be masked wherever it is shown.
    return "dif_" + hashlib.sha256(matter.encode()).hexdigest()[:24].translate(_LETTERS)


def _open_ticket(tx: Tx, found: Difference, at: datetime) -> TicketId:
    figures = f"ours {found.ours or '-'}, theirs {found.theirs or '-'}"
    return letters.open_ticket(
        tx,
        kind=_TICKET,
        person=PersonId(_payer(tx, found.payment) or found.party.value),
        reason=found.kind.value,
        summary=f"{found.party} {found.kind}: {found.payment or found.number or found.detail}, {figures}",
        at=at,
        single=False,
    )


def close(tx: Tx, id: str, by: str, why: str, at: datetime) -> bool:
    """A person looked at it and says why it may rest. False when it was closed before, or never was."""
    still = sa.and_(differences.c.id == id, differences.c.closed_at.is_(None))
    closed = tx.conn.execute(
        sa.update(differences).where(still).values(closed_at=at, closed_by=by, why=why[:200])
    )
    if closed.rowcount != 1:
        return False
    letters.close_ticket(tx, _read(tx, id).ticket, at)
    _record(tx, "difference_closed", id, by or "statement", at)
    return True


def concerns(tx: Tx, payment: PaymentId) -> bool:
    """Whether something about this payment is open."""
    return bool(tx.conn.scalar(_ANY_OPEN, {"payment": payment}))


def explain(tx: Tx, at: datetime, payment: PaymentId | None = None) -> list[Found]:
    """Closes what a later file or event has explained (of one payment, where one is given); gives what was closed."""
    return [
        f for f in listed(tx, payment=payment) if _explained(tx, f) and close(tx, f.id, "", "explained", at)
    ]


def listed(
    tx: Tx, *, payment: PaymentId | None = None, day: date | None = None, closed: bool = False
) -> list[Found]:
    """Open differences (and closed ones), in the order in which they were found."""
    query = sa.select(differences).order_by(differences.c.found_at, differences.c.id)
    if not closed:
        query = query.where(differences.c.closed_at.is_(None))
    if payment is not None:
        query = query.where(differences.c.payment == payment)
    if day is not None:
        query = query.where(differences.c.day == day)
    return [_of_row(row) for row in tx.conn.execute(query)]


def _read(tx: Tx, id: str) -> Found:
    return _of_row(tx.conn.execute(sa.select(differences).where(differences.c.id == id)).one())


def _of_row(row: sa.Row[Any]) -> Found:
    values = dict(row._mapping)
    ours, theirs = values.pop("ours_fen"), values.pop("theirs_fen")
    values |= {"party": Party(row.party), "kind": Kind(row.kind)}
    return Found(
        **values,
        ours=None if ours is None else Money(ours),
        theirs=None if theirs is None else Money(theirs),
    )


# --- what explains what ---------------------------------------------------------------------------------------------


def _explained(tx: Tx, found: Found) -> bool:
    rows = [row for _, row in statements.rows_of(tx, found.party, [found.number])] if found.number else []
    moved = [row for row in rows if row.kind == found.detail.partition(" ")[0]]
    times = _times(tx, found.payment)
    return _WHEN[found.kind](_Evidence(tx, found, moved, times))


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What is known now: rows of this movement in any file, and when our book says the payment's movements happened."""

    tx: Tx
    found: Found
    rows: list[StatementRow]
    times: dict[str, datetime | None]


def _times(tx: Tx, payment: PaymentId | None) -> dict[str, datetime | None]:
    row = tx.conn.execute(
        sa.select(payments.c.captured_at, payments.c.posted_at, payments.c.refunded_at).where(
            payments.c.id == payment
        )
    ).one_or_none()
    if row is None:
        return {"capture": None, "post": None, "refund": None}
    return {"capture": row.captured_at, "post": row.posted_at, "refund": row.refunded_at}


def _corrected(e: _Evidence) -> bool:
    """No file says it any more."""
    return not any(row.amount == e.found.theirs for row in e.rows)


def _happened(e: _Evidence) -> bool:
    return e.times[e.found.detail] is not None or _corrected(e)


def _ended_well(e: _Evidence) -> bool:
    return e.times["post"] is not None or e.times["refund"] is not None


def _file_came(e: _Evidence) -> bool:
    day = date.fromisoformat(e.found.detail.partition(" ")[0])
    return day in statements.final_days(e.tx, e.found.party, day, day)


def _once_again(e: _Evidence) -> bool:
    """The doubled row is gone: told once, or word for word in two days' files."""
    in_one_file = sum(1 for row in e.rows if row == e.rows[0]) if e.rows else 0
    days = {day for day, row in statements.rows_of(e.tx, e.found.party, [e.found.number]) if row in e.rows}
    return len(set(e.rows)) <= 1 and in_one_file <= len(days)


_WHEN: dict[Kind, Callable[[_Evidence], bool]] = {
    Kind.NOT_THERE: lambda e: bool(e.rows),
    Kind.NEVER_MADE: _corrected,
    Kind.TWICE: _once_again,
    Kind.AMOUNT: _corrected,
    Kind.YUAN_FEN: _corrected,
    Kind.NOT_KNOWN: _happened,
    Kind.LATE_MONEY: lambda e: e.times["refund"] is not None or _corrected(e),
    Kind.REFUND_NOT_OURS: lambda e: e.times["refund"] is not None or _corrected(e),
    Kind.POST_NOT_OURS: lambda e: e.times["post"] is not None or _corrected(e),
    Kind.NOT_POSTED: _ended_well,
    Kind.FILE_AGAIN: _file_came,
    Kind.FILE_LATE: _file_came,
}
