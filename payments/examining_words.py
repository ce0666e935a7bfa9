"""The doctor at what is written in the open: no whole account or card number in any record, news or evidence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import sqlalchemy as sa

from data.store.audit import audit
from data.store.engine import Tx
from data.store.mandates import warnings
from data.store.payments import acts, pauses, quotes
from data.store.post import events
from payments.authority import numbers
from payments.examining import Found, Look, Room, next_key

# A run of digits that stands by itself: our own ids have letters beside theirs.
_RUN = re.compile(r"(?<![0-9A-Za-z_.-])[0-9]{8,20}(?![0-9A-Za-z_])")
_CARD = range(16, 20)
# The issuers whose cards are carried about in this country.
_ISSUERS = ("62", "4", "51", "52", "53", "54", "55", "35", "34", "37")


def shows_a_number(tx: Tx, room: Room, text: str) -> bool:
    """Whether a whole number of an account known here, or of a card, stands in a text."""
    return any(_is_card(run) or _is_account(tx, room, run) for run in _runs(text))


def _runs(text: str) -> Iterator[str]:
    return (match.group() for match in _RUN.finditer(text))


def _is_card(run: str) -> bool:
    return len(run) in _CARD and run.startswith(_ISSUERS) and _luhn(run)


def _luhn(run: str) -> bool:
    doubled = [int(d) * (1 + place % 2) for place, d in enumerate(reversed(run))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _is_account(tx: Tx, room: Room, run: str) -> bool:
    return any(numbers.find_account(tx, biller, run) for biller in room.catalogue.rows)


def _records_page(
    table: sa.Table, key: str, column: str, tx: Tx, room: Room, after: Any
) -> tuple[list[Found], Any]:
    """Some rows of one table, their open column read as text."""
    at, held = table.c[key], table.c[column]
    query = sa.select(at.label("key"), held.label("held")).order_by(at).limit(room.page)
    if after != "":
        query = query.where(at > after)
    rows = list(tx.conn.execute(query))
    found = [
        ("M-I14", f"{table.name}:{row.key}") for row in rows if shows_a_number(tx, room, _text(row.held))
    ]
    return found, next_key(rows, lambda row: row.key, room.page)


def _text(held: Any) -> str:
    return held if isinstance(held, str) else json.dumps(held, ensure_ascii=False)


LOOKS: tuple[Look, ...] = tuple(
    partial(_records_page, table, key, column)
    for table, key, column in (
        (audit, "seq", "body"),
        (events, "id", "body"),
        (acts, "id", "evidence"),
        (quotes, "id", "body"),
        (warnings, "id", "body"),
        (pauses, "id", "reason"),
    )
)
