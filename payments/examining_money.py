"""The doctor at the payments and the book: collected once, on a yes, known, written down first, and booked as it happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from data.ids import BillerId, QuoteId
from data.model import Exactness
from data.money import Money
from data.store.engine import Tx
from data.store.payments import act_lines, acts, callbacks, differences, payments, quotes, statement_rows
from data.store.payments import ledger as book
from data.store.post import events, tickets
from payments import ledger
from payments.acts import ActLine, digest_of
from payments.examining import Found, Look, Room, next_key
from payments.quoting import quote_of
from payments.states import FINAL, State

S = State
_COLLECTED = frozenset({S.PAID, S.POSTING, S.POST_UNKNOWN, S.SETTLED, S.POST_FAILED, S.REFUNDING, S.REFUNDED})
_NOT_COLLECTED = frozenset({S.FAILED, S.CANCELLED})
_NEVER_SENT = frozenset({S.CONFIRMED, S.CANCELLED})
_RAIL = "rail"

Grouped = Mapping[str, list[sa.Row[Any]]]


@dataclass(frozen=True, slots=True)
class _Page:
    """Some payments with everything that is written about them, read at one moment."""

    room: Room
    rows: list[sa.Row[Any]]
    acts: Mapping[str, sa.Row[Any]]
    lines: Grouped  # by act
    book: Grouped  # by payment
    stated: Grouped  # what the rail's statement says, by number
    told: Grouped  # callbacks, by number
    quotes: Mapping[str, sa.Row[Any]]
    receipts: frozenset[str]
    looked_after: frozenset[str]  # people with an open ticket


def payments_page(tx: Tx, room: Room, after: str) -> tuple[list[Found], str | None]:
    """Some payments, each against everything that belongs to it."""
    query = sa.select(payments).where(payments.c.id > after).order_by(payments.c.id).limit(room.page)
    rows = list(tx.conn.execute(query))
    page = _read(tx, room, rows)
    found = [(invariant, row.id) for row in rows for invariant in _broken(page, row)]
    return found, next_key(rows, lambda row: row.id, room.page)


def _read(tx: Tx, room: Room, rows: list[sa.Row[Any]]) -> _Page:
    ids, numbers = [r.id for r in rows], [r.number for r in rows]
    act_ids = list({r.act for r in rows})
    told = [_receipt(kind, r) for r in rows for kind in ("posted", "auto_posted")]
    stated = sa.and_(statement_rows.c.party == _RAIL, statement_rows.c.number.in_(numbers))
    people = sa.select(tickets.c.person).where(
        tickets.c.state != "closed", tickets.c.person.in_({r.payer for r in rows})
    )
    return _Page(
        room,
        rows,
        {r.id: r for r in tx.conn.execute(sa.select(acts).where(acts.c.id.in_(act_ids)))},
        _by(tx, sa.select(act_lines).where(act_lines.c.act.in_(act_ids)).order_by("n"), "act"),
        _by(tx, sa.select(book).where(book.c.payment.in_(ids)), "payment"),
        _by(tx, sa.select(statement_rows).where(stated), "number"),
        _by(tx, sa.select(callbacks).where(callbacks.c.number.in_(numbers)), "number"),
        {r.id: r for r in tx.conn.execute(sa.select(quotes).where(quotes.c.id.in_({r.quote for r in rows})))},
        frozenset(tx.conn.scalars(sa.select(events.c.id).where(events.c.id.in_(told)))),
        frozenset(tx.conn.scalars(people)),
    )


def _by(tx: Tx, query: sa.Select[Any], column: str) -> Grouped:
    found: dict[str, list[sa.Row[Any]]] = {}
    for row in tx.conn.execute(query):
        found.setdefault(getattr(row, column), []).append(row)
    return found


def _receipt(kind: str, row: sa.Row[Any]) -> str:
    return f"{kind}:{row.id}:{row.payer}"


def _broken(page: _Page, row: sa.Row[Any]) -> Iterator[str]:
    return (invariant for invariant, broken in _CHECKS if broken(page, row))


# --- one payment ----------------------------------------------------------------------------------------------------


def _twice_or_unasked(page: _Page, row: sa.Row[Any]) -> bool:
    captures = [x for x in page.book.get(row.id, []) if x.kind == "capture"]
    stated = [x for x in page.stated.get(row.number, []) if x.kind == "capture"]
    more = any(x.amount_fen > row.amount_fen for x in stated)
    return len(captures) > 1 or len(stated) > 1 or more or not _confirmed(page, row)


def _confirmed(page: _Page, row: sa.Row[Any]) -> bool:
    """By the one whose yes was needed, as the act records it."""
    act = page.acts.get(row.act)
    return bool(act and act.state == "confirmed" and (act.evidence or {}).get("by") == act.confirmer)


def _collected_unknown(page: _Page, row: sa.Row[Any]) -> bool:
    if row.captured_at is not None or State(row.state) in _NOT_COLLECTED or row.state == S.NEEDS_HUMAN:
        return False
    heard = [x.received_at for x in page.told.get(row.number, []) if x.status == "paid"]
    stated = [x.at for x in page.stated.get(row.number, []) if x.kind == "capture"]
    return any(at < page.room.unheard for at in (*heard, *stated))


def _collected_after_a_no(page: _Page, row: sa.Row[Any]) -> bool:
    if State(row.state) not in _NOT_COLLECTED:
        return False
    booked = any(x.kind == "capture" for x in page.book.get(row.id, []))
    stated = any(x.kind == "capture" for x in page.stated.get(row.number, []))
    # Cancelled means that nothing ever left; failed, that somebody said a definite no.
    return booked or stated or (row.state == S.CANCELLED and row.sent_at is not None) or row.reason is None


def _sent_unwritten(page: _Page, row: sa.Row[Any]) -> bool:
    late = State(row.state) in (S.REFUNDING, S.REFUNDED)  # money that came after a cancel
    return row.sent_at is None and State(row.state) not in _NEVER_SENT and not late


def _another_order(page: _Page, row: sa.Row[Any]) -> bool:
    """The number stands for what the act says, in everything but the amount (that is M-I10's)."""
    line = _line(page, row)
    if line is None or row.number == row.refund_number:
        return True
    act = page.acts[row.act]
    same = (line.account, line.biller, line.method, line.instrument) == (
        row.account,
        row.biller,
        row.method,
        row.instrument,
    )
    return not same or act.payer != row.payer


def _line(page: _Page, row: sa.Row[Any]) -> sa.Row[Any] | None:
    return next((x for x in page.lines.get(row.act, []) if x.n == row.line), None)


def _times_differ(page: _Page, row: sa.Row[Any]) -> bool:
    state = State(row.state)
    collected = state in _COLLECTED or (state is S.NEEDS_HUMAN and row.captured_at is not None)
    return (
        (row.captured_at is not None) != collected
        or (row.posted_at is not None) != (state is S.SETTLED)
        or (row.refunded_at is not None) != (state is S.REFUNDED)
    )


def _booked_otherwise(page: _Page, row: sa.Row[Any]) -> bool:
    """The book has the lines of what happened, and no line of what did not."""
    moved = {"capture": row.captured_at, "post": row.posted_at, "refund": row.refunded_at}
    expected = {kind for kind, when in moved.items() if when is not None}
    return expected != {x.kind for x in page.book.get(row.id, [])} - _impossible(row)


def _impossible(row: sa.Row[Any]) -> set[str]:
    """Money booked against a plain no is named there (M-I4), not twice."""
    return {"capture"} if State(row.state) in _NOT_COLLECTED else set()


def _given_back_twice(page: _Page, row: sa.Row[Any]) -> bool:
    lines, stated = page.book.get(row.id, []), page.stated.get(row.number, [])
    booked = sum(x.amount_fen for x in lines if x.kind == "refund")
    paid_back = sum(abs(x.amount_fen) for x in stated if x.kind == "refund")
    return bool(max(booked, paid_back) > row.amount_fen)


def _another_amount(page: _Page, row: sa.Row[Any]) -> bool:
    line, act = _line(page, row), page.acts.get(row.act)
    if line is None or act is None:
        return False  # M-I6 names it
    booked = {x.amount_fen for x in page.book.get(row.id, [])}
    return bool(
        line.amount_fen != row.amount_fen
        or booked - {row.amount_fen}
        or _digest(page, act) != act.digest
        or _dearer_than_quoted(page, row)
    )


def _digest(page: _Page, act: sa.Row[Any]) -> str:
    """What was read back, made again from the lines as they stand."""
    lines = tuple(
        ActLine(x.account, x.biller, x.quote, Money(x.amount_fen), x.method, x.instrument)
        for x in page.lines.get(act.id, [])
    )
    return digest_of(act.proposer, act.payer, act.confirmer, lines)


def _dearer_than_quoted(page: _Page, row: sa.Row[Any]) -> bool:
    kept = page.quotes.get(row.quote)
    if kept is None:
        return False  # quotes are kept for a while only
    quote = quote_of(kept.body, QuoteId(kept.id), BillerId(kept.biller), kept.expires_at)
    exact = not quote.prepaid and quote.rule.exactness is Exactness.EXACT
    return bool(exact and quote.due.fen != row.amount_fen)


def _told_otherwise(page: _Page, row: sa.Row[Any]) -> bool:
    told = sum(_receipt(kind, row) in page.receipts for kind in ("posted", "auto_posted"))
    return told != (1 if row.posted_at is not None else 0)


def _waits_for_nobody(page: _Page, row: sa.Row[Any]) -> bool:
    if State(row.state) in FINAL or row.payer in page.looked_after:
        return False
    if row.next_at is None:
        return True
    leased = row.lease_until is not None and row.lease_until > page.room.overdue
    latest = page.room.at + page.room.limits.slow_poll * 2
    return (row.next_at < page.room.overdue and not leased) or row.next_at > latest


def _outside_catalogue(page: _Page, row: sa.Row[Any]) -> bool:
    return row.biller not in page.room.catalogue.rows


def _misjudged(page: _Page, row: sa.Row[Any]) -> bool:
    """A callback of another amount is believed by nobody, and a bad end told after money is a contradiction."""
    return any(
        (x.amount_fen != row.amount_fen) != (x.verdict == "amount_differs")
        for x in page.told.get(row.number, [])
    )


_CHECKS: tuple[tuple[str, Callable[[_Page, sa.Row[Any]], bool]], ...] = (
    ("M-I1", _twice_or_unasked),
    ("M-I3", _collected_unknown),
    ("M-I4", _collected_after_a_no),
    ("M-I5", _sent_unwritten),
    ("M-I6", _another_order),
    ("M-I7", _times_differ),
    ("M-I8", _booked_otherwise),
    ("M-I9", _given_back_twice),
    ("M-I10", _another_amount),
    ("M-I13", _told_otherwise),
    ("M-I15", _waits_for_nobody),
    ("M-I16", _outside_catalogue),
    ("M-I17", _misjudged),
)


# --- the book and the statement -------------------------------------------------------------------------------------


def book_page(tx: Tx, room: Room, after: Any) -> tuple[list[Found], Any]:
    """Some lines of the book: each sealed, each following the one before. `after` carries number and seal of the last."""
    seq, previous = after or (0, "0" * 64)
    try:
        rows = list(
            tx.conn.execute(sa.select(book).where(book.c.seq > seq).order_by(book.c.seq).limit(room.page))
        )
    except (LookupError, ValueError):
        return [("M-I8", f"ledger:{seq + 1}")], None  # a line that cannot even be read
    found: list[Found] = []
    for row in rows:
        whole = row.seq == seq + 1 and row.previous == previous
        if not whole or row.hash != ledger.line_hash(tx, dict(row._mapping)):
            found.append(("M-I8", f"ledger:{row.seq}"))
        seq, previous = row.seq, row.hash
    return found, next_key(rows, lambda row: (row.seq, row.hash), room.page)


def differences_page(tx: Tx, room: Room, after: str) -> tuple[list[Found], str | None]:
    """What a statement showed and nobody has explained yet."""
    unexplained = sa.and_(differences.c.closed_at.is_(None), differences.c.id > after)
    query = sa.select(differences.c.id).where(unexplained).order_by(differences.c.id).limit(room.page)
    rows = list(tx.conn.execute(query))
    return [("M-I8", f"difference:{row.id}") for row in rows], next_key(rows, lambda row: row.id, room.page)


def strangers_page(tx: Tx, room: Room, after: str) -> tuple[list[Found], str | None]:
    """Callbacks that were kept for an order that was never ours."""
    ours = sa.exists().where(payments.c.number == callbacks.c.number)
    query = sa.select(callbacks.c.event_id).where(callbacks.c.event_id > after, ~ours)
    rows = list(tx.conn.execute(query.order_by(callbacks.c.event_id).limit(room.page)))
    return [("M-I17", f"callback:{row.event_id}") for row in rows], next_key(
        rows, lambda row: row.event_id, room.page
    )


LOOKS: tuple[Look, ...] = (payments_page, book_page, differences_page, strangers_page)
