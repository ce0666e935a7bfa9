"""The drawer everything lies in: one function at a time goes in, and either all it wrote is there or nothing.

A transaction is ONE ordinary function. It cannot await, so it cannot ask anybody outside while it holds the store.
SQLite has one writer, therefore one thread owns its connection; PostgreSQL has a pool.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from data.store import audit, keyring, mandates, payments, people, post, talks
from data.store.migrations import HEAD
from data.store.schema import metadata
from data.store.sealing import Sealer

__all__ = ["Remembered", "Sealer", "Store", "Tx"]

T = TypeVar("T")

# Every room's tables, in one list: what is not imported would be missing from the store.
ROOMS = (people, payments, mandates, talks, post, audit, keyring)

_WAIT_MS = 30_000  # for another process's transaction
# A process that was frozen in the middle of a transaction holds the whole house's numbered chains. Nobody who works is
# silent for so long between two statements, and whoever waits for him must outlast it.
_SILENT_MS = 10_000
_SWITCHES = 100  # tries, 20 ms apart, to turn a new file to write-ahead logging
_POOL = 8  # connections, and as many threads
_TRIES = 5
_TRY_AGAIN = {"40001", "40P01"}  # PostgreSQL: serialization failure, deadlock; both rolled back for certain
_STATEMENTS = 2_000  # remembered in their compiled form; the house has some hundreds for each database
_ALONE = 0x62616E67  # one lock for all numbered chains, so that two chains cannot wait for each other


_LIMITS = f"-c lock_timeout={_WAIT_MS} -c idle_in_transaction_session_timeout={_SILENT_MS}"
_SERVERS: dict[sa.URL, sa.engine.Dialect] = {}

# A statement costs ten times more to compile than to run, so stores of one dialect share what is compiled:
# a store opened anew finds it done. The keys carry the dialect; the cache locks itself against threads.
_COMPILED: sa.util.LRUCache[Any, Any] = sa.util.LRUCache(_STATEMENTS)


@dataclass(frozen=True, slots=True)
class Tx:
    """What a transaction function gets: the connection, and the sealer of its columns. Valid inside it only."""

    conn: sa.Connection
    seal: Sealer

    def alone(self, about: str = "") -> None:
        """From here to the end of the transaction nobody else passes this line.

        Call it before taking the next number of a chain (audit, ledger): no `about`, one lock for all chains.
        With `about`, only those about the same thing wait for each other. On SQLite a transaction is alone anyway.
        """
        if self.conn.dialect.name == "postgresql":
            key = _lock_key(about) if about else _ALONE
            self.conn.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))

    def put_new(self, table: sa.Table, **values: Any) -> bool:
        """Writes a row unless one with the same unique value is there; False then.

        On PostgreSQL it waits for another transaction that is just writing the same row, and then sees it.
        """
        return self.conn.execute(_insert_new(self.conn.dialect.name, table), values).first() is not None

    def put_many_new(self, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """The same for many rows of one shape, in one statement; those that are there already stay as they are."""
        if rows:
            kind = self.conn.dialect.name
            # To PostgreSQL many rows go as one statement only where something is to come back.
            many = _insert_new if kind == "postgresql" else _insert_missing
            self.conn.execute(many(kind, table), rows)


class Remembered(Exception):
    """A mistake that takes its transaction back and must not be forgotten with it."""

    def remember(self, tx: Tx) -> None:
        """What stays of it; run in a transaction of its own."""
        raise NotImplementedError


class Store:
    """The one store. Make it with `open` or `in_memory`."""

    def __init__(self, engine: sa.Engine, sealer: Sealer, threads: int) -> None:
        self.engine = engine
        self._sealer = sealer
        self._kept: sa.Connection | None = None
        self._inside = threading.local()
        self._threads = ThreadPoolExecutor(threads, "store") if threads else None

    @classmethod
    def open(cls, url: str, sealer: Sealer) -> Store:
        """A store at `sqlite:///FILE` or `postgresql+psycopg://…`. Raises ValueError for any other kind."""
        kind = sa.engine.make_url(url).get_backend_name()
        if kind == "sqlite":
            return cls(_sqlite(url), sealer, threads=1)
        if kind == "postgresql":
            return cls(_postgresql(url), sealer, threads=_POOL)
        raise ValueError("the store is SQLite or PostgreSQL")

    @classmethod
    def in_memory(cls, sealer: Sealer, image: bytes | None = None) -> Store:
        """A SQLite store in memory, tables already there, run inline in the caller's thread.

        With the `image` of another one it begins where that one stood: a town is enrolled once, played often.
        """
        store = cls(_sqlite("sqlite://"), sealer, threads=0)
        store._raw().deserialize(image or _empty_image())
        return store

    def image(self) -> bytes:
        """Everything a store in memory holds. Raises ValueError for a store that is elsewhere."""
        if self._threads is not None:
            raise ValueError("only a store in memory has an image")
        return self._raw().serialize()

    async def run(self, fn: Callable[[Tx], T]) -> T:
        """Runs `fn` in ONE transaction in the store's thread; what it raises rolls everything back."""
        if self._threads is None:
            return self._transact(fn)
        return await asyncio.wrap_future(self._submit(fn))

    def run_now(self, fn: Callable[[Tx], T]) -> T:
        """The same for callers without an event loop (command line, simulator)."""
        if self._threads is None or self._pooled:
            return self._transact(fn)
        return self._submit(fn).result()

    def migrate(self) -> None:
        """Brings the tables to this program's version; quick and without effect when they are."""
        if self.revision() == HEAD:
            return
        from data.store import migrating  # Alembic costs 0.2 s to import: only when there is work

        self.run_now(lambda tx: migrating.upgrade(tx.conn))

    def take_up_keys(self) -> None:
        """Goes on with the stamp key that was kept when the secret changed. Raises BrokenSeal with a wrong secret."""
        self._sealer = self.run_now(keyring.taken_up)

    def revision(self) -> str | None:
        """Which version the tables have; None for an empty database."""
        return self.run_now(_revision)

    def close(self) -> None:
        """Waits for running transactions, then lets the database go."""
        if self._threads is not None:
            self._threads.submit(self._let_go).result()
            self._threads.shutdown()
        else:
            self._let_go()
        self.engine.dispose()

    # --- one transaction ----------------------------------------------------------------------------------------

    @property
    def _pooled(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    def _submit(self, fn: Callable[[Tx], T]) -> Future[T]:
        assert self._threads is not None
        # The only thread would wait for itself for ever.
        if getattr(self._inside, "busy", False):
            raise RuntimeError("a transaction was asked for inside a transaction")
        return self._threads.submit(self._transact, fn)

    def _transact(self, fn: Callable[[Tx], T]) -> T:
        if getattr(self._inside, "busy", False):
            raise RuntimeError("a transaction was asked for inside a transaction")
        self._inside.busy = True
        try:
            return self._attempt(fn)
        except Remembered as mistake:
            self._attempt(mistake.remember)
            raise
        finally:
            self._inside.busy = False

    def _attempt(self, fn: Callable[[Tx], T]) -> T:
        return self._tried(fn) if self._pooled else self._once(self._connection(), fn)

    def _tried(self, fn: Callable[[Tx], T]) -> T:
        for left in reversed(range(_TRIES)):
            try:
                with self.engine.connect() as conn:
                    return self._once(conn, fn)
            except DBAPIError as error:
                if left == 0 or getattr(error.orig, "sqlstate", None) not in _TRY_AGAIN:
                    raise
            # At once it would often take its first lock before the other one has woken, and meet it again.
            time.sleep(random.uniform(0.02, 0.1))  # noqa: S311
        raise AssertionError("unreachable")

    def _once(self, conn: sa.Connection, fn: Callable[[Tx], T]) -> T:
        with conn.begin():
            return fn(Tx(conn, self._sealer))

    def _connection(self) -> sa.Connection:
        """SQLite: the one connection, kept open by the thread that owns it."""
        if self._kept is None:
            self._kept = self.engine.connect()
        return self._kept

    def _raw(self) -> sqlite3.Connection:
        return cast("sqlite3.Connection", self._connection().connection.dbapi_connection)

    def _let_go(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None


@cache
def _insert_new(dialect: str, table: sa.Table) -> sa.Insert:
    # A returned row says for certain that it was written; psycopg's row count does not.
    return _insert_missing(dialect, table).returning(*table.primary_key)


@cache
def _insert_missing(dialect: str, table: sa.Table) -> sa.Insert:
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert  # 60 ms to import, for nothing on SQLite
    else:
        from sqlalchemy.dialects.sqlite import insert as insert  # type: ignore[assignment]
    return insert(table).on_conflict_do_nothing()


def _lock_key(about: str) -> int:
    return int.from_bytes(hashlib.sha256(about.encode()).digest()[:8], "big", signed=True)


def _revision(tx: Tx) -> str | None:
    if not sa.inspect(tx.conn).has_table("alembic_version"):
        return None
    found: str | None = tx.conn.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found


# --- the two databases ------------------------------------------------------------------------------------------


def _sqlite(url: str) -> sa.Engine:
    dialect, address = _sqlite_dialect(), sa.engine.make_url(url)
    args, more = dialect.create_connect_args(address)
    # StaticPool: the store itself keeps the one connection in the thread that owns it.
    pool = sa.pool.StaticPool(
        lambda: dialect.connect(*args, **{**more, "check_same_thread": False}), dialect=dialect
    )
    engine = _engine(pool, dialect, address)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_immediate)
    return engine


@cache
def _sqlite_dialect() -> sa.engine.Dialect:
    """One for all: what it learns from its first connection belongs to the library, not to a file."""
    engine = sa.create_engine("sqlite://")
    with engine.connect():
        pass
    engine.dispose()
    return engine.dialect


def _engine(pool: sa.Pool, dialect: sa.engine.Dialect, address: sa.URL) -> sa.Engine:
    # hide_parameters: an error's text must not carry what was being written.
    return sa.Engine(
        pool, dialect, address, hide_parameters=True, execution_options={"compiled_cache": _COMPILED}
    )


def _prepare_sqlite(raw: sqlite3.Connection, _record: Any) -> None:
    raw.isolation_level = None  # BEGIN is ours, see below
    raw.execute(f"PRAGMA busy_timeout={_WAIT_MS}")
    _write_ahead(raw)
    # NORMAL may lose the last commits at a power cut; a payment number must not be lost.
    raw.execute("PRAGMA synchronous=FULL")
    raw.execute("PRAGMA foreign_keys=ON")


def _write_ahead(raw: sqlite3.Connection) -> None:
    # The switch to WAL does not wait by itself when another program is just making it (busy_timeout is not asked).
    for left in reversed(range(_SWITCHES)):
        try:
            raw.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if left == 0:
                raise
            time.sleep(0.02)


def _begin_immediate(conn: sa.Connection) -> None:
    # A transaction that reads first and then writes would otherwise fail when another process wrote in between.
    conn.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql(url: str) -> sa.Engine:
    address = sa.engine.make_url(url)
    dialect = _postgresql_dialect(address)
    args, more = dialect.create_connect_args(address)
    pool = sa.QueuePool(
        lambda: dialect.connect(*args, **{**more, "options": _LIMITS}),
        pool_size=_POOL,
        max_overflow=2,
        pre_ping=True,  # a restarted server costs one new connection, not one failed payment
        dialect=dialect,
    )
    engine = _engine(pool, dialect, address)
    sa.event.listen(engine, "connect", partial(_prepare_postgresql, dialect))
    return engine


def _postgresql_dialect(address: sa.URL) -> sa.engine.Dialect:
    """One for all databases of a server: it asks the server, once, what that can do."""
    server = address.set(database=None)
    if server not in _SERVERS:
        engine = sa.create_engine(address, poolclass=sa.NullPool, connect_args={"options": _LIMITS})
        with engine.connect():
            _SERVERS[server] = engine.dialect
    return _SERVERS[server]


def _prepare_postgresql(dialect: sa.engine.Dialect, raw: Any, _record: Any) -> None:
    if prepare := dialect.on_connect():
        prepare(raw)
    dialect.set_isolation_level(raw, "READ COMMITTED")


@cache
def _empty_image() -> bytes:
    """An empty store as a SQLite image: thousands of simulated worlds begin with a copy of it."""
    raw = sqlite3.connect(":memory:", isolation_level=None)
    engine = sa.create_engine("sqlite://", creator=partial(_same, raw), poolclass=sa.pool.StaticPool)
    with engine.begin() as conn:
        metadata.create_all(conn)
        conn.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        conn.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (HEAD,))
    image = raw.serialize()
    engine.dispose()
    raw.close()
    return image


def _same(raw: sqlite3.Connection) -> sqlite3.Connection:
    return raw
