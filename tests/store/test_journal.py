"""A line of the book that was changed, removed or put in by hand is found."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial

import pytest
import sqlalchemy as sa

from data.ids import PersonId
from data.store import journal
from data.store.audit import audit
from data.store.engine import Sealer, Store, Tx

AT = datetime(2026, 3, 10, 1, 0, 0, 123456, tzinfo=UTC)
LIMIN = PersonId("limin")


def line(tx: Tx, kind: str = "confirmed", subject: str = "act_1") -> None:
    body = {"amount_fen": 4650, "method": "purse", "为": "水费"}
    journal.record(tx, kind=kind, person=LIMIN, actor=LIMIN, subject=subject, at=AT, body=body)


@pytest.fixture
def book(store: Store) -> Store:
    def three(tx: Tx) -> None:
        for kind in ("confirmed", "captured", "posted"):
            line(tx, kind)

    store.run_now(three)
    return store


def test_an_untouched_book_is_whole(book: Store) -> None:
    assert book.run_now(journal.verify) == []
    assert book.run_now(journal.kinds) == ["confirmed", "captured", "posted"]
    assert book.run_now(lambda tx: journal.kinds(tx, since_seq=2)) == ["posted"]
    assert book.run_now(journal.newest) == 3


def test_an_empty_book_is_whole(store: Store) -> None:
    assert (store.run_now(journal.verify), store.run_now(journal.newest)) == ([], 0)


@pytest.mark.parametrize(
    "change",
    [
        {"body": {"amount_fen": 4651, "method": "purse", "为": "水费"}},
        {"actor": "chenm"},
        {"person": "chenm"},
        {"subject": "act_2"},
        {"kind": "refunded"},
        {"at": datetime(2026, 3, 10, 1, 0, tzinfo=UTC)},
        {"hash": "0" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_line_is_found(book: Store, change: dict[str, object]) -> None:
    book.run_now(lambda tx: tx.conn.execute(audit.update().where(audit.c.seq == 2).values(**change)))
    assert 2 in book.run_now(journal.verify)


def test_a_removed_line_is_found_at_the_next(book: Store) -> None:
    book.run_now(lambda tx: tx.conn.execute(audit.delete().where(audit.c.seq == 2)))
    assert book.run_now(journal.verify) == [3]


def test_a_chain_closed_again_without_the_key_is_found(book: Store, sealer: Sealer) -> None:
    """Who has the database and this program, but not the key, rewrites the book from the second line on."""

    def forge(tx: Tx) -> None:
        tx.conn.execute(audit.delete().where(audit.c.seq > 1))
        line(Tx(tx.conn, Sealer.from_secret("a secret of the forger")), "refunded")

    book.run_now(forge)
    assert book.run_now(journal.verify) == [2]


def test_a_misspelt_kind_is_refused_and_nothing_is_written(store: Store) -> None:
    with pytest.raises(ValueError, match="confirmd"):
        store.run_now(lambda tx: line(tx, "confirmd"))
    assert store.run_now(journal.newest) == 0


async def test_lines_written_at_the_same_time_make_one_chain(store: Store) -> None:
    await asyncio.gather(*(store.run(partial(line, subject=f"act_{n}")) for n in range(30)))
    assert store.run_now(journal.verify) == []
    subjects = store.run_now(lambda tx: set(tx.conn.scalars(sa.select(audit.c.subject))))
    assert subjects == {f"act_{n}" for n in range(30)}
