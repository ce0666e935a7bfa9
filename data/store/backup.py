"""A copy of the whole drawer, made while people are served, and put into an empty one again.

A backup is always a SQLite file with our tables, whichever database it was taken from; it can be put into either. What is sealed
stays sealed: without the secret of the house it tells nothing.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from data.store import keyring
from data.store.engine import Store, Tx
from data.store.migrations import HEAD
from data.store.people import people
from data.store.schema import metadata
from data.store.sealing import BrokenSeal

_ROWS = 500  # copied at a time


class CannotBackUp(Exception):
    """The copy was not made, and nothing was changed; the sentence says why."""


class CannotRestore(Exception):
    """Nothing was put back; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy holds: rows by table."""

    rows: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def back_up(store: Store, file: Path) -> Copied:
    """One moment of the store, as a file nobody else may read. Raises CannotBackUp; a file that is there is never touched."""
    if file.exists():
        raise CannotBackUp(f"{file} is there already; a backup is never written over")
    if store.engine.url.database is None:
        raise CannotBackUp("a store in memory is gone with its process; there is nothing to keep")
    if store.revision() != HEAD:
        raise CannotBackUp("the tables are not those of this program; start it once, then back up")
    part = file.with_name(file.name + ".part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
    except OSError as problem:
        raise CannotBackUp(f"{file} cannot be written: {problem.strerror}") from None
    try:
        if store.engine.dialect.name == "sqlite":
            _copy_file(store, part)
        else:
            _copy_rows(store, part)
        copied = Copied(_counted(part))
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)
    return copied


def _copy_file(store: Store, part: Path) -> None:
    """SQLite's own way. In one go: with write-ahead logging nobody waits for a reader, and one moment is copied."""
    source = sqlite3.connect(f"file:{store.engine.url.database}?mode=ro", uri=True)
    target = sqlite3.connect(part)
    try:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
    finally:
        target.close()
        source.close()


def _copy_rows(store: Store, part: Path) -> None:
    """Every row of one moment: the transaction sees what was there when it began, whoever writes meanwhile."""
    target = sa.create_engine(f"sqlite:///{part}", poolclass=sa.NullPool, hide_parameters=True)
    try:
        with target.begin() as there:
            metadata.create_all(there)
            there.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
            there.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (HEAD,))
            snapshot = store.engine.connect().execution_options(isolation_level="REPEATABLE READ")
            with snapshot as here, here.begin():
                here.exec_driver_sql("SET TRANSACTION READ ONLY")
                _pour(here, there)
    finally:
        target.dispose()


def _pour(here: sa.Connection, there: sa.Connection) -> None:
    for table in metadata.sorted_tables:
        for rows in _in_parts(here, table):
            there.execute(sa.insert(table), rows)


def _in_parts(conn: sa.Connection, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    query = sa.select(table).order_by(*table.primary_key).execution_options(yield_per=_ROWS)
    for part in conn.execute(query).partitions():
        yield [dict(row._mapping) for row in part]


def _counted(file: Path) -> dict[str, int]:
    conn = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        if conn.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise CannotBackUp("the copy is not whole")
        names = [table.name for table in metadata.sorted_tables]
        return {name: conn.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}  # noqa: S608
    finally:
        conn.close()


# --- and back -------------------------------------------------------------------------------------------------------


def _nothing(tx: Tx) -> None:
    """Rows alone, for whoever only compares them."""


def restore(file: Path, target: Store, then: Callable[[Tx], object] = _nothing) -> Copied:
    """Puts a backup into an empty store, brought to the tables of this program. Raises CannotRestore.

    `then` belongs to it: rows are there only together with what it did, such as `payments.taking_up` with what was under
    way. Whoever is killed between the two would leave rows that are served as if nothing had happened.
    """
    if not file.is_file():
        raise CannotRestore(f"{file} is not there")
    target.migrate()
    if not target.run_now(_is_empty):
        raise CannotRestore("there are rows in that database already; a backup goes into an empty one")
    with tempfile.TemporaryDirectory(prefix="bangjiao-restore-") as folder:
        copy = Path(folder) / "backup.db"
        shutil.copyfile(file, copy)  # an older one gets its newer tables there, not in the backup itself
        source = _opened(copy, target)
        try:
            return Copied(target.run_now(lambda tx: _filled(tx, source, then)))
        finally:
            source.close()


def _opened(copy: Path, target: Store) -> Store:
    seal = target.run_now(lambda tx: tx.seal)
    source = Store.open(f"sqlite:///{copy}", seal)
    try:
        source.migrate()
        source.take_up_keys()
        source.run_now(_opens)
    except BrokenSeal:
        source.close()
        raise CannotRestore("the secret does not open this backup; set the one the house had then") from None
    except sa.exc.DatabaseError:
        source.close()
        raise CannotRestore(f"{copy.name} is not a backup of this program") from None
    return source


def _opens(tx: Tx) -> None:
    """One name is opened, as a trial of the secret. Raises BrokenSeal."""
    row = tx.conn.execute(sa.select(people.c.id, people.c.name).limit(1)).first()
    if row is not None:
        tx.seal.open("people.name", row.id, row.name)


def _is_empty(tx: Tx) -> bool:
    return all(tx.conn.execute(sa.select(table).limit(1)).first() is None for table in metadata.sorted_tables)


def _filled(tx: Tx, source: Store, then: Callable[[Tx], object]) -> dict[str, int]:
    counts: dict[str, int] = {}

    def pour(from_: Tx) -> None:
        for table in metadata.sorted_tables:
            counts[table.name] = 0
            for rows in _in_parts(from_.conn, table):
                tx.conn.execute(sa.insert(table), rows)
                counts[table.name] += len(rows)

    source.run_now(pour)
    if tx.conn.dialect.name == "postgresql":
        _set_counters(tx)
    then(Tx(tx.conn, keyring.taken_up(tx)))  # what it stamps is stamped as all the rows before
    return counts


def _set_counters(tx: Tx) -> None:
    """PostgreSQL numbers new rows from a counter of its own, which knows nothing of rows that were put in."""
    for table in metadata.sorted_tables:
        numbered = table.autoincrement_column
        if numbered is not None:
            counter = sa.func.pg_get_serial_sequence(table.name, numbered.name)
            newest = sa.select(sa.func.coalesce(sa.func.max(numbered), 0) + 1).scalar_subquery()
            tx.conn.execute(sa.select(sa.func.setval(counter, newest, False)))
