"""One transaction at a time: all of it or nothing, on both databases, whoever else is writing."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from functools import partial

import pytest
import sqlalchemy as sa

from data.store.engine import Sealer, Store, Tx
from data.store.people import attempts, people, relations
from data.store.post import events
from tests.databases import KINDS, Databases

AT = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)


def note(tx: Tx, subject: str = "x") -> None:
    tx.conn.execute(attempts.insert().values(subject=subject, at=AT))


def count(tx: Tx) -> int:
    return tx.conn.scalar(sa.select(sa.func.count()).select_from(attempts)) or 0


def news(tx: Tx, id: str, **body: int) -> bool:
    return tx.put_new(events, id=id, person="limin", kind="captured", body=body, created_at=AT)


async def test_what_a_transaction_wrote_stays(store: Store) -> None:
    await store.run(note)
    assert await store.run(count) == 1


async def test_a_failing_transaction_leaves_nothing(store: Store) -> None:
    def half(tx: Tx) -> None:
        note(tx)
        raise LookupError("in the middle")

    with pytest.raises(LookupError):
        await store.run(half)
    assert store.run_now(count) == 0


async def test_a_transaction_inside_a_transaction_is_refused_instead_of_waiting_for_itself(
    store: Store,
) -> None:
    with pytest.raises(RuntimeError, match="inside a transaction"):
        await store.run(lambda _tx: store.run_now(count))
    assert await store.run(count) == 0


async def test_fifty_at_once_all_arrive(store: Store) -> None:
    await asyncio.gather(*(store.run(note) for _ in range(50)))
    assert store.run_now(count) == 50


def test_instants_come_back_aware_and_in_utc(store: Store) -> None:
    store.run_now(note)
    read = store.run_now(lambda tx: tx.conn.execute(sa.select(attempts.c.at)).scalar_one())
    assert (read, read.tzinfo) == (AT, UTC)


def test_an_instant_without_its_zone_is_refused(store: Store) -> None:
    naive = AT.replace(tzinfo=None)
    with pytest.raises(sa.exc.StatementError, match="time zone"):
        store.run_now(lambda tx: tx.conn.execute(attempts.insert().values(subject="x", at=naive)))


def test_a_row_that_is_there_already_is_no_error(store: Store) -> None:
    def twice(tx: Tx) -> tuple[bool, bool]:
        return news(tx, "a", n=1), news(tx, "a", n=2)

    assert store.run_now(twice) == (True, False)
    assert store.run_now(lambda tx: tx.conn.execute(sa.select(events.c.body)).scalar_one()) == {"n": 1}


async def test_of_many_who_claim_the_same_row_one_gets_it(store: Store) -> None:
    claimed = await asyncio.gather(*(store.run(lambda tx: news(tx, "same")) for _ in range(20)))
    assert sorted(claimed) == [False] * 19 + [True]


def test_a_row_about_nobody_is_refused(store: Store) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        store.run_now(
            lambda tx: tx.conn.execute(relations.insert().values(person="a", relative="b", kind="son"))
        )


def test_an_error_tells_nothing_of_what_was_written(store: Store) -> None:
    def twice(tx: Tx) -> None:
        row = {"id": "zhang", "name": b"1100223344", "role": "family", "locale": "zh", "created_at": AT}
        for _ in range(2):
            tx.conn.execute(people.insert().values(**row))

    with pytest.raises(sa.exc.IntegrityError) as caught:
        store.run_now(twice)
    assert "1100223344" not in str(caught.value)


async def test_alone_means_one_after_another(store: Store) -> None:
    def next_number(tx: Tx) -> int:
        tx.alone()
        number = count(tx) + 1
        note(tx, str(number))
        return number

    numbers = await asyncio.gather(*(store.run(next_number) for _ in range(30)))
    assert sorted(numbers) == list(range(1, 31))


async def test_two_who_wait_for_each_other_both_finish(databases: Databases) -> None:
    """PostgreSQL ends one of them; the store tries it again."""
    with databases.store("postgresql") as store:
        for name in ("a", "b"):
            store.run_now(partial(news, id=name))
        both_hold_one = threading.Barrier(2, timeout=20)
        tries: list[str] = []

        def crosswise(tx: Tx, first: str, second: str) -> None:
            tries.append(first)
            for name in (first, second):
                tx.conn.execute(events.update().where(events.c.id == name).values(kind="refused"))
                if len(tries) <= 2 and name == first:
                    both_hold_one.wait()

        await asyncio.gather(
            store.run(lambda tx: crosswise(tx, "a", "b")), store.run(lambda tx: crosswise(tx, "b", "a"))
        )
        assert len(tries) > 2
        assert store.run_now(lambda tx: set(tx.conn.scalars(sa.select(events.c.kind)))) == {"refused"}


def test_two_programs_write_one_sqlite_file(databases: Databases, sealer: Sealer) -> None:
    with databases.url("sqlite") as url:
        stores = [Store.open(url, sealer) for _ in range(2)]
        threads = [threading.Thread(target=lambda s=s: [s.run_now(note) for _ in range(25)]) for s in stores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert stores[0].run_now(count) == 50
        for store in stores:
            store.close()


def test_sqlite_keeps_every_commit_through_a_power_cut(sqlite_store: Store) -> None:
    def settings(tx: Tx) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return [tx.conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    assert sqlite_store.run_now(settings) == ["wal", 2, 1, 30_000]


def test_postgresql_reads_what_is_committed(databases: Databases) -> None:
    with databases.store("postgresql") as store:
        level = store.run_now(lambda tx: tx.conn.exec_driver_sql("SHOW transaction_isolation").scalar())
    assert level == "read committed"


def test_worlds_in_memory_know_nothing_of_each_other(sealer: Sealer) -> None:
    first, second = Store.in_memory(sealer), Store.in_memory(sealer)
    first.run_now(note)
    assert (first.run_now(count), second.run_now(count)) == (1, 0)
    first.close()
    second.close()


def test_a_world_in_memory_begins_where_another_stood(sealer: Sealer, sqlite_store: Store) -> None:
    first = Store.in_memory(sealer)
    first.run_now(note)
    second = Store.in_memory(sealer, first.image())
    second.run_now(note)
    assert (first.run_now(count), second.run_now(count)) == (1, 2)
    with pytest.raises(ValueError, match="in memory"):
        sqlite_store.image()
    first.close()
    second.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_opened_anew_finds_its_statements_compiled(databases: Databases, kind: str) -> None:
    used = []
    for _ in range(2):
        with databases.store(kind) as opened:
            sa.event.listen(opened.engine, "before_cursor_execute", lambda *a: used.append(a[4].compiled))
            assert opened.run_now(count) == 0
    first, second = (compiled for compiled in used if compiled is not None)  # the other is SQLite's BEGIN
    assert first is second


def test_other_databases_are_refused(sealer: Sealer) -> None:
    with pytest.raises(ValueError, match="SQLite or PostgreSQL"):
        Store.open("mysql://x/y", sealer)
