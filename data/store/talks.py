"""Tables of the talks: one conversation a person, every turn of it, its buttons, what it asks outside, and the flows it is in."""

from __future__ import annotations

import sqlalchemy as sa

from data.store.schema import Instant, RowNumber, Sealed, metadata, one_of

conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("person", sa.String(40), primary_key=True),
    sa.Column("state", Sealed, nullable=False),  # dialogues.model.Conversation as JSON
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("release", sa.String(64), nullable=False),  # the flows a talk under way is in; "" at rest
    sa.Column("updated_at", Instant, nullable=False),
)
# Few talks are under way at a time; who asks which flows somebody is in reads those only.
_under_way = conversations.c.release != ""
sa.Index(
    "ix_conversations_release",
    conversations.c.release,
    sqlite_where=_under_way,
    postgresql_where=_under_way,
)

flow_releases = sa.Table(
    "flow_releases",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),  # the hash of the content
    sa.Column("content", sa.LargeBinary, nullable=False),  # flows, slots and sentences: compressed JSON
    sa.Column("first_at", Instant, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),  # when a talk was last written down in it, to the hour
)

turns = sa.Table(
    "turns",
    metadata,
    sa.Column("seq", RowNumber, primary_key=True, autoincrement=True),
    sa.Column("person", sa.String(40), nullable=False, index=True),
    sa.Column("channel", sa.String(24), nullable=False),
    sa.Column("event_id", sa.String(80), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("heard", Sealed, nullable=False),  # masked text of the person
    sa.Column("said", Sealed, nullable=False),  # masked texts of the reply, JSON
    sa.Column("commands", sa.JSON, nullable=False),  # names only
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("at", Instant, nullable=False),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("token", sa.String(40), primary_key=True),
    sa.Column("person", sa.String(40), nullable=False, index=True),
    sa.Column("prompt", sa.Integer, nullable=False),  # a confirmation counts only for the newest prompt
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("title", sa.String(60), nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
)

calls = sa.Table(
    "calls",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("person", sa.String(40), nullable=False, index=True),
    sa.Column("action", sa.String(60), nullable=False),
    sa.Column("arguments", Sealed, nullable=False),
    sa.Column("state", one_of("call_state", ["waiting", "answered", "dropped"]), nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("deadline", Instant, nullable=False),
)
