"""The town's own books: what its billers and its rail know, in a database of their own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Dialect,
    Engine,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.pool import StaticPool


class Instant(TypeDecorator[datetime]):
    """An aware instant as UTC text of fixed width, so that comparing texts compares instants."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return _utc(value).replace(tzinfo=None).isoformat(timespec="microseconds") if value else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return datetime.fromisoformat(value).replace(tzinfo=UTC) if value else None


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:  # the first or last day of all calendars, seen from elsewhere
        return value.replace(tzinfo=UTC)


metadata = MetaData()

# One row. `at` is the time of a standing clock; `offset` (seconds) moves a running one.
clock = Table(
    "clock",
    metadata,
    Column("at", Instant),
    Column("offset", Float),
    Column("acks", String),
    Column("callback_url", String),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", String, primary_key=True),
    Column("biller", String, nullable=False),
    Column("number", String, nullable=False),
    Column("holder", String, nullable=False),
    Column("phones", JSON, nullable=False),
    Column("due", Integer, nullable=False),
    Column("due_date", Date),
    Column("late_since", Date),  # from here late fees run; the due date until a part was paid late
    Column("balance", Integer),
    Column("daily_use", Integer),
    Column("ic_card", Boolean, nullable=False),
    Column("usage", JSON, nullable=False),  # first day of a month -> fen used in it
    Column(
        "version", Integer, nullable=False
    ),  # counts the changes of the bill: a quote holds for one version
    Column("acks", String, nullable=False),  # immediate | manual | default
)

quotes = Table(
    "quotes",
    metadata,
    Column("id", String, primary_key=True),
    Column("account", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("due", Integer, nullable=False),
    Column("fee", Integer, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

posts = Table(
    "posts",
    metadata,
    Column("order", String, primary_key=True),
    Column("biller", String, nullable=False),
    Column("account", String, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("fee", Integer, nullable=False),
    Column("state", String, nullable=False),  # pending | settled
    Column("reference", String, nullable=False),
    Column("at", Instant, nullable=False),
)

# A no to an order with a quote, which is said again whenever the two come again.
refused_posts = Table(
    "refused_posts",
    metadata,
    Column("order", String, primary_key=True),
    Column("quote", String, primary_key=True),
    Column("reason", String, nullable=False),
    Column("message", String, nullable=False),
    Column("status", Integer, nullable=False),
)

purses = Table(
    "purses",
    metadata,
    Column("id", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("token", String, nullable=False),
    Column("funds", Integer, nullable=False),
)

orders = Table(
    "orders",
    metadata,
    Column("number", String, primary_key=True),
    Column("kind", String, nullable=False),  # charge | hosted | number (closed before anything came)
    Column("fingerprint", String, nullable=False),
    Column("purse", String, nullable=False),
    Column("payee", String, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("description", String, nullable=False),
    Column("state", String, nullable=False),  # open | processing | paid | declined | closed
    Column("reason", String),
    Column("page", String, nullable=False),  # unguessable key of the hosted page
    Column("expires_at", Instant),
    Column("reference", String, nullable=False),
    Column("callback_style", String, nullable=False),
    Column("at", Instant, nullable=False),
)

refunds = Table(
    "refunds",
    metadata,
    Column("number", String, primary_key=True),
    Column("order", String, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("reference", String, nullable=False),
    Column("at", Instant, nullable=False),
)

# Requests that got no answer and will be executed later.
delayed = Table(
    "delayed",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("due_at", Instant, nullable=False),
    Column("operation", String, nullable=False),
    Column("key", String, nullable=False),
    Column("biller", String, nullable=False),
    Column("body", String, nullable=False),
)

faults = Table(
    "faults",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("side", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("biller", String),
    Column("number", String),
    Column("order", String),
    Column("operation", String),
    Column("uses", Integer),
)

# One row while chance makes trouble.
weather = Table(
    "weather",
    metadata,
    Column("seed", Integer, nullable=False),
    Column("percent", Integer, nullable=False),
    Column("kinds", JSON, nullable=False),
)

calls = Table(
    "calls",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("side", String, nullable=False),
    Column("operation", String, nullable=False),
    Column("key", String, nullable=False),
    Column("outcome", String, nullable=False),
)

callbacks = Table(
    "callbacks",
    metadata,
    Column("event_id", String, primary_key=True),
    Column("order", String, nullable=False),
    Column("status", String, nullable=False),
    Column("body", String, nullable=False),
    Column("style", String, nullable=False),  # "" or a callback fault, the clock's with its seconds
    Column("state", String, nullable=False),  # due | delivered | given_up | kept
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("last_http_status", Integer, nullable=False),
)


def open_books(database_url: str) -> Engine:
    """The town's database with its tables. One connection: the town is one process and serves one request at a time."""
    engine = create_engine(database_url, poolclass=StaticPool, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _durable(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    metadata.create_all(engine)
    return engine
