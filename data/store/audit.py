"""The record of who did and saw what: appended only, each row chained to the one before."""

from __future__ import annotations

import sqlalchemy as sa

from data.store.schema import Instant, RowNumber, metadata

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", RowNumber, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("kind", sa.String(40), nullable=False, index=True),
    sa.Column("person", sa.String(40), nullable=False),  # whom it concerns
    sa.Column("actor", sa.String(40), nullable=False),  # who did it
    sa.Column("subject", sa.String(80), nullable=False),  # an id: act, payment, account, ticket
    sa.Column("body", sa.JSON, nullable=False),  # masked facts only
    sa.Column("previous", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)
