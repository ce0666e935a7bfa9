"""Tables of the till: quotes, acts, payments and the ledger. Read and written only by the payments package."""

from __future__ import annotations

import sqlalchemy as sa

from data.store.schema import Instant, RowNumber, metadata, one_of

ACT_STATES = ["proposed", "approval_wait", "confirmed", "cancelled", "expired", "superseded"]
PAYMENT_STATES = [
    "confirmed",  # written, nothing sent
    "submitted",  # sent to the rail under its number
    "unknown",  # sent, result not known
    "awaiting_payer",  # hosted page open; the payer pays by himself
    "paid",  # the rail says so
    "posting",  # sent to the biller
    "post_unknown",
    "settled",  # the biller says so
    "closing",  # asked the rail to close the number
    "failed",  # a definite decline or a confirmed close
    "post_failed",  # money taken, bill not written off
    "refunding",
    "refunded",
    "needs_human",
    "cancelled",  # nothing was ever sent
]
# An open payment holds its account: a second one cannot begin. Money on its way back holds none: late money may have
# to be returned while the household is already paying anew, and the refund must never wait for that.
OPEN_STATES = [
    s for s in PAYMENT_STATES if s not in ("settled", "failed", "refunding", "refunded", "cancelled")
]

quotes = sa.Table(
    "quotes",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("person", sa.String(40), nullable=False),
    sa.Column("account", sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("biller", sa.String(40), nullable=False),
    sa.Column("body", sa.JSON, nullable=False),  # data.model.Quote without the account number
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
)

acts = sa.Table(
    "acts",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),  # pay | mandate | debit
    sa.Column("state", one_of("act_state", ACT_STATES), nullable=False),
    sa.Column("proposer", sa.ForeignKey("people.id"), nullable=False),
    sa.Column("payer", sa.ForeignKey("people.id"), nullable=False),
    sa.Column("confirmer", sa.ForeignKey("people.id"), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("strength", sa.String(16), nullable=False),
    sa.Column("grant_id", sa.String(40)),
    sa.Column("channel", sa.String(24), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("decided_at", Instant),
    sa.Column("evidence", sa.JSON),  # who, on which event, by what (word, key, button), which factor
)

act_lines = sa.Table(
    "act_lines",
    metadata,
    sa.Column("act", sa.ForeignKey("acts.id"), primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True),
    sa.Column("account", sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("biller", sa.String(40), nullable=False),
    sa.Column("quote", sa.ForeignKey("quotes.id"), nullable=False),
    sa.Column("amount_fen", sa.BigInteger, nullable=False),
    sa.Column("method", one_of("method", ["purse", "hosted"]), nullable=False),
    sa.Column("instrument", sa.String(40)),
    sa.CheckConstraint("amount_fen > 0", name="amount_positive"),
)

payments = sa.Table(
    "payments",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("act", sa.ForeignKey("acts.id"), nullable=False, index=True),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("account", sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("biller", sa.String(40), nullable=False),
    sa.Column("quote", sa.String(64), nullable=False),
    sa.Column("payer", sa.ForeignKey("people.id"), nullable=False),
    sa.Column("amount_fen", sa.BigInteger, nullable=False),
    sa.Column("method", sa.String(16), nullable=False),
    sa.Column("instrument", sa.String(40)),
    sa.Column("number", sa.String(64), nullable=False, unique=True),
    sa.Column("state", one_of("payment_state", PAYMENT_STATES), nullable=False),
    sa.Column("reason", sa.String(40)),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    sa.Column("next_at", Instant),
    sa.Column("lease_owner", sa.String(64)),
    sa.Column("lease_until", Instant),
    sa.Column("stop_asked", sa.Boolean, nullable=False, default=False),
    sa.Column("rail_reference", sa.String(80)),
    sa.Column("post_reference", sa.String(80)),
    sa.Column("refund_number", sa.String(64), unique=True),
    sa.Column("hosted_url", sa.String(300)),
    sa.Column("hosted_until", Instant),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("sent_at", Instant),
    sa.Column("captured_at", Instant),
    sa.Column("posted_at", Instant),
    sa.Column("refunded_at", Instant),
    sa.Column("updated_at", Instant, nullable=False),
    sa.UniqueConstraint("act", "line"),
    sa.CheckConstraint("amount_fen > 0", name="amount_positive"),
    sa.Index(
        "uq_payments_open_account",
        "account",
        unique=True,
        sqlite_where=sa.text("state NOT IN ('settled','failed','refunding','refunded','cancelled')"),
        postgresql_where=sa.text("state NOT IN ('settled','failed','refunding','refunded','cancelled')"),
    ),
    sa.Index("ix_payments_due", "next_at"),
)

ledger = sa.Table(
    "ledger",
    metadata,
    sa.Column("seq", RowNumber, primary_key=True, autoincrement=False),
    sa.Column(
        "id", sa.String(80), nullable=False, unique=True
    ),  # e.g. capture:pay_…: a transfer happens once
    sa.Column("payment", sa.ForeignKey("payments.id"), nullable=False),
    sa.Column("kind", one_of("transfer_kind", ["capture", "post", "refund"]), nullable=False),
    sa.Column("debit", sa.String(64), nullable=False),
    sa.Column("credit", sa.String(64), nullable=False),
    sa.Column("amount_fen", sa.BigInteger, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("previous", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.CheckConstraint("amount_fen > 0", name="amount_positive"),
)

callbacks = sa.Table(
    "callbacks",
    metadata,
    sa.Column("event_id", sa.String(80), primary_key=True),
    sa.Column("number", sa.String(64), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("amount_fen", sa.BigInteger, nullable=False),
    sa.Column("verdict", sa.String(32), nullable=False),
    sa.Column("received_at", Instant, nullable=False),
)
