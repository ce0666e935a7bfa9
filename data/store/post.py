"""The letter boxes: what came in, what must go out, news for people, and tickets for those who help."""

from __future__ import annotations

import sqlalchemy as sa

from data.store import delivery
from data.store.schema import Instant, RowNumber, Sealed, metadata, one_of

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("channel", sa.String(24), primary_key=True),
    sa.Column("event_id", sa.String(80), primary_key=True),
    sa.Column("person", sa.String(40), nullable=False),
    sa.Column("reply", Sealed),  # what was answered, for a repeated delivery
    sa.Column("received_at", Instant, nullable=False),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("seq", RowNumber, primary_key=True, autoincrement=True),  # the order of sending
    sa.Column("id", sa.String(40), nullable=False, unique=True),
    sa.Column("person", sa.String(40), nullable=False, index=True),
    sa.Column("channel", sa.String(24), nullable=False),
    sa.Column("body", Sealed, nullable=False),  # dialogues.model.Said as JSON
    sa.Column("cause", sa.String(120), nullable=False),  # the inbound event it answers, or the news it tells
    sa.Column("state", one_of("outbox_state", list(delivery.STATES)), nullable=False),
    sa.Column("dedupe", sa.String(120), unique=True),
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column(
        "doubts", sa.Integer, nullable=False, default=0
    ),  # times its carrier died: it may have gone out
    sa.Column("not_before", Instant),
    sa.Column("lease_until", Instant),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("sent_at", Instant),
    sa.Column("told_at", Instant),  # when the channel said that it was shown, or read
    sa.Column("ended_at", Instant),  # when it was failed, given up or superseded
    # Old letters are many and waiting ones few: the search for the latter must not grow with the former.
    sa.Index(
        "ix_outbox_waiting",
        "seq",
        sqlite_where=sa.text("state IN ('queued','leased')"),
        postgresql_where=sa.text("state IN ('queued','leased')"),
    ),
    # What did not arrive, for whoever looks after it: few among many.
    sa.Index(
        "ix_outbox_lost",
        "ended_at",
        sqlite_where=sa.text("state IN ('failed','given_up')"),
        postgresql_where=sa.text("state IN ('failed','given_up')"),
    ),
)

# One row for each person to be told; the desk serves it like any inbox row (settled 29).
events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.String(120), primary_key=True),  # e.g. captured:pay_…:limin: told once
    sa.Column("person", sa.String(40), nullable=False, index=True),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("not_before", Instant),
    sa.Column("served_at", Instant),
    # Why nothing was said of it: the person did not want to hear such things, or it was no longer so.
    sa.Column("untold", sa.String(16)),  # unwanted, superseded
    sa.Index(
        "ix_events_waiting",
        "created_at",
        sqlite_where=sa.text("served_at IS NULL"),
        postgresql_where=sa.text("served_at IS NULL"),
    ),
)

tickets = sa.Table(
    "tickets",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("person", sa.String(40), nullable=False, index=True),
    sa.Column("reason", sa.String(60), nullable=False, default=""),
    sa.Column("about", sa.String(80)),  # the payment or account it is about, where it is about one
    sa.Column("summary", Sealed, nullable=False),
    sa.Column("state", one_of("ticket_state", ["waiting", "taken", "closed"]), nullable=False),
    sa.Column("owner", sa.String(40)),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("taken_at", Instant),
    sa.Column("closed_at", Instant),
)
