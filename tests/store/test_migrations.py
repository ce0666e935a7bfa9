"""The tables as the program writes them and as the versions make them are the same, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from data.store import migrating
from data.store.engine import Sealer, Store, Tx
from data.store.migrations import HEAD
from data.store.schema import metadata
from data.town import load_world
from payments.authority.enrol import enrol_world
from tests.databases import KINDS, Databases


@pytest.fixture(params=KINDS)
def empty(request: pytest.FixtureRequest, databases: Databases, sealer: Sealer) -> Iterator[Store]:
    with databases.bare_url(request.param) as url:
        store = Store.open(url, sealer)
        yield store
        store.close()


def tables(tx: Tx) -> set[str]:
    return set(sa.inspect(tx.conn).get_table_names()) - {"alembic_version"}


def rules(tx: Tx) -> set[tuple[str, str]]:
    """Check constraints and indexes, which Alembic's comparison leaves out in part."""
    found = sa.inspect(tx.conn)
    checks = {(f"{t}.{c['name']}", c["sqltext"]) for t in tables(tx) for c in found.get_check_constraints(t)}
    return checks | {(t, str(i["name"])) for t in tables(tx) for i in found.get_indexes(t)}


def test_up_down_and_up_again(empty: Store) -> None:
    assert empty.revision() is None
    empty.migrate()
    assert (empty.revision(), empty.run_now(tables)) == (HEAD, set(metadata.tables))
    empty.run_now(lambda tx: migrating.downgrade(tx.conn))
    assert empty.run_now(tables) == set()
    empty.migrate()
    assert empty.run_now(lambda tx: migrating.differences(tx.conn)) == []


def test_a_house_that_is_lived_in_keeps_its_people_and_their_letters(empty: Store) -> None:
    """The newest versions are taken away and made again under a whole town: what refers to what stays in its place."""
    empty.migrate()
    empty.run_now(lambda tx: enrol_world(tx, load_world(), datetime(2026, 3, 10, tzinfo=UTC)))
    before = empty.run_now(everything)
    assert len(before["people"]) > 5
    assert before["addresses"]
    empty.run_now(lambda tx: migrating.downgrade(tx.conn, "r0005"))
    empty.migrate()
    assert empty.run_now(everything) == before


def everything(tx: Tx) -> dict[str, list[tuple[str, ...]]]:
    """Every row of every table, without those nobody keeps: the newest columns of a town begin as their defaults."""
    return {
        name: sorted(tuple(map(str, row)) for row in tx.conn.execute(sa.select(*_kept(table))))
        for name, table in metadata.tables.items()
    }


def _kept(table: sa.Table) -> list[sa.Column[Any]]:
    return [column for column in table.columns if column.name != "voice_notes"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_versions_make_what_the_program_writes(kind: str, databases: Databases, sealer: Sealer) -> None:
    with databases.bare_url(kind) as url, databases.store(kind) as migrated:
        written = Store.open(url, sealer)
        written.run_now(lambda tx: metadata.create_all(tx.conn))
        assert written.run_now(rules) == migrated.run_now(rules)
        written.close()


def test_a_missing_column_would_be_noticed(empty: Store) -> None:
    empty.migrate()
    empty.run_now(lambda tx: tx.conn.exec_driver_sql("ALTER TABLE tickets DROP COLUMN reason"))
    assert "reason" in repr(empty.run_now(lambda tx: migrating.differences(tx.conn)))


def test_the_head_the_program_expects_is_the_newest_version() -> None:
    assert migrating.newest() == HEAD


def test_migrating_again_changes_nothing(store: Store) -> None:
    store.migrate()
    assert store.revision() == HEAD


def test_several_programs_may_start_at_once(empty: Store, sealer: Sealer) -> None:
    url = empty.engine.url.render_as_string(hide_password=False)
    others = [Store.open(url, sealer) for _ in range(3)]
    failures: list[BaseException] = []

    def start(store: Store) -> None:
        try:
            store.migrate()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=start, args=(store,)) for store in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in others:
        store.close()
    assert failures == []
    assert empty.revision() == HEAD


def test_the_store_in_memory_has_the_same_tables(sealer: Sealer) -> None:
    store = Store.in_memory(sealer)
    assert store.run_now(lambda tx: migrating.differences(tx.conn)) == []
    assert store.revision() == HEAD
    store.close()
