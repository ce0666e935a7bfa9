"""Changing the key: everything sealed is opened with the one before and sealed with the new one, while the house goes on serving.

In small batches, each of which is done or not done; after a kill it goes on with what is left. At the end nothing needs the
key before any more, and `leftovers` proves it by opening everything without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa

from data.store import keyring, mandates, people, post, talks
from data.store.engine import Sealer, Store, Tx
from data.store.sealing import BrokenSeal

_Row = Any
BATCH = 200  # rows a transaction: some ten milliseconds, so that nobody at the door waits for it


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """One column that is sealed: where it stands, what its seal is bound to, and what finds a row by it."""

    column: sa.Column[Any]
    bound_to: Callable[[_Row], str]
    index: sa.Column[Any] | None = None
    index_parts: Callable[[_Row, str], tuple[str, ...]] = field(default=lambda row, text: ())

    @property
    def table(self) -> sa.Table:
        table = self.column.table
        assert isinstance(table, sa.Table)
        return table

    @property
    def place(self) -> str:
        return f"{self.table.name}.{self.column.name}"

    @property
    def order(self) -> list[sa.Column[Any]]:
        """Rows in which order: those found by the same index come together, so that nobody is half found."""
        keys = list(self.table.primary_key)
        return keys if self.index is None else [self.index, *keys]


def _by(name: str) -> Callable[[_Row], str]:
    return lambda row: str(getattr(row, name))


def _event(row: _Row) -> str:
    return f"{row.channel}:{row.event_id}"


# Every sealed column of the house, in one list; a test holds it against the tables.
COLUMNS = (
    SealedColumn(keyring.keyring.c.key, _by("id")),
    SealedColumn(people.people.c.name, _by("id")),
    SealedColumn(
        people.addresses.c.external_id,
        _by("id"),
        people.addresses.c.external_ix,
        lambda row, text: (row.channel, text),
    ),
    SealedColumn(
        people.accounts.c.number,
        _by("id"),
        people.accounts.c.number_ix,
        lambda row, text: (row.biller, text),
    ),
    SealedColumn(people.instruments.c.token, _by("id")),
    SealedColumn(people.enrolments.c.phone, _by("talker")),
    SealedColumn(mandates.consents.c.words, _by("id")),
    SealedColumn(post.tickets.c.summary, _by("id")),
    SealedColumn(talks.conversations.c.state, _by("person")),
    SealedColumn(talks.calls.c.arguments, _by("id")),
    SealedColumn(post.inbox.c.reply, _event),
    SealedColumn(post.outbox.c.body, _by("id")),
    SealedColumn(talks.turns.c.heard, _event),
    SealedColumn(talks.turns.c.said, _event),
)


def rekey(store: Store, batch: int = BATCH, after: Callable[[str, int], None] | None = None) -> int:
    """Seals everything with the present key; gives how many values were sealed anew. Call it again after a kill.

    The store holds both keys, and so does every process of the house while this runs. `after(place, values)` is called
    after each batch. Raises BrokenSeal for a value that neither key opens.
    """
    # First of all: with this row nothing stamped before depends on the secret before.
    store.run_now(keyring.keep)
    total = 0
    # Once more from the beginning until nothing is left: what was written meanwhile may stand before where we were.
    while sealed := sum(_column(store, one, batch, after) for one in COLUMNS):
        total += sealed
    return total


def _column(store: Store, one: SealedColumn, batch: int, after: Callable[[str, int], None] | None) -> int:
    done, last = 0, None
    while True:
        last, sealed = store.run_now(partial(_batch, one=one, after=last, limit=batch))
        done += sealed
        if after is not None and sealed:
            after(one.place, sealed)
        if last is None:
            return done


def _batch(
    tx: Tx, one: SealedColumn, after: tuple[Any, ...] | None, limit: int
) -> tuple[tuple[Any, ...] | None, int]:
    """The next values that are sealed with another key; where it stopped (None: nothing is left), and how many."""
    query = sa.select(one.table).where(_stale(tx.seal, one)).order_by(*one.order).limit(limit)
    if after is not None:
        query = query.where(_beyond(one.order, after))
    rows = tx.conn.execute(query).all()
    if not rows:
        return None, 0
    found = [*rows, *_found_with(tx, one, rows)]
    sealed = sum(_seal_anew(tx, one, row) for row in found)
    return tuple(getattr(rows[-1], column.name) for column in one.order), sealed


def _stale(seal: Sealer, one: SealedColumn) -> sa.ColumnElement[bool]:
    return sa.func.substr(one.column, 1, 1) != sa.literal(seal.mark, sa.LargeBinary)


def _beyond(columns: list[sa.Column[Any]], after: tuple[Any, ...]) -> sa.ColumnElement[bool]:
    if len(columns) == 1:
        only: sa.ColumnElement[bool] = columns[0] > after[0]
        return only
    values = [sa.literal(value, column.type) for column, value in zip(columns, after, strict=True)]
    return sa.tuple_(*columns) > sa.tuple_(*values)


def _found_with(tx: Tx, one: SealedColumn, rows: list[_Row] | Any) -> list[_Row]:
    """The rest of those that are found together with these, where the batch cut them apart."""
    if one.index is None:
        return []
    shared = {getattr(rows[-1], one.index.name)}
    keys = list(one.table.primary_key)
    have = {tuple(getattr(row, key.name) for key in keys) for row in rows}
    query = sa.select(one.table).where(one.index.in_(shared), _stale(tx.seal, one))
    others = tx.conn.execute(query).all()
    return [row for row in others if tuple(getattr(row, key.name) for key in keys) not in have]


def _seal_anew(tx: Tx, one: SealedColumn, row: _Row) -> bool:
    """One value. What somebody wrote meanwhile stays: that is sealed with the new key already."""
    before, bound_to = getattr(row, one.column.name), one.bound_to(row)
    text = tx.seal.open(one.place, bound_to, before)
    values: dict[str, Any] = {one.column.name: tx.seal.seal(one.place, bound_to, text)}
    if one.index is not None:
        values[one.index.name] = tx.seal.blind(one.table.name, *one.index_parts(row, text))
    same = [key == getattr(row, key.name) for key in one.table.primary_key]
    changed = sa.update(one.table).where(*same, one.column == before).values(**values)
    return tx.conn.execute(changed).rowcount == 1


# --- the proof ------------------------------------------------------------------------------------------------------


def leftovers(store: Store, seal: Sealer, batch: int = 1_000) -> Iterator[str]:
    """What this sealer alone cannot open or find: place and row, nothing of what is in it. Nothing: the old key may go.

    `seal` is made from the present secret only, and takes the stamp key from the keyring, as a new start would.
    """
    try:
        alone = store.run_now(lambda tx: keyring.taken_up(Tx(tx.conn, seal)))
    except BrokenSeal:
        yield f"{keyring.PLACE} {keyring.STAMP}"
        return
    for one in COLUMNS:
        yield from _unread(store, one, alone, batch)


def _unread(store: Store, one: SealedColumn, seal: Sealer, batch: int) -> Iterator[str]:
    last: tuple[Any, ...] | None = None
    while True:
        query = sa.select(one.table).where(one.column.is_not(None)).order_by(*one.order).limit(batch)
        if last is not None:
            query = query.where(_beyond(one.order, last))
        rows = store.run_now(lambda tx, query=query: tx.conn.execute(query).all())  # type: ignore[misc]
        if not rows:
            return
        yield from (f"{one.place} {one.bound_to(row)}" for row in rows if not _reads(one, row, seal))
        last = tuple(getattr(rows[-1], column.name) for column in one.order)


def _reads(one: SealedColumn, row: _Row, seal: Sealer) -> bool:
    sealed = getattr(row, one.column.name)
    try:
        text = seal.open(one.place, one.bound_to(row), sealed)
    except BrokenSeal:
        return False
    if seal.is_stale(sealed):
        return False
    if one.index is None:
        return True
    return bool(getattr(row, one.index.name) == seal.blind(one.table.name, *one.index_parts(row, text)))
