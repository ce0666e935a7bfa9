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
    sa.Index("ix_quotes_account_created_at", "account", "created_at"),
)

acts = sa.Table(
    "acts",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),  # pay | mandate | debit
    sa.Column("state", one_of("act_state", ACT_STATES), nullable=False),
    sa.Column("proposer", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("payer", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("confirmer", sa.ForeignKey("people.id"), nullable=False, index=True),
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
    # An account's payments are looked up at every quote, its last write-off by every round over the meters.
    sa.Index("ix_payments_account_posted_at", "account", "posted_at"),
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

# --- the operator -------------------------------------------------------------------------------------------------

PAUSE_SCOPES = ["all", "biller", "rail"]

# What somebody stopped for a while: nothing new is sent to the rail meanwhile. `subject` is "" for all, else an id.
pauses = sa.Table(
    "pauses",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("scope", one_of("pause_scope", PAUSE_SCOPES), nullable=False),
    sa.Column("subject", sa.String(40), nullable=False, default=""),
    sa.Column("reason", sa.String(200), nullable=False),
    sa.Column("paused_by", sa.String(40), nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("resumed_by", sa.String(40)),
    sa.Column("resumed_at", Instant),
    sa.Index(
        "uq_pauses_open",
        "scope",
        "subject",
        unique=True,
        sqlite_where=sa.text("resumed_at IS NULL"),
        postgresql_where=sa.text("resumed_at IS NULL"),
    ),
)

# A rail that did not answer: from the first time it was noticed until it answered again.
outages = sa.Table(
    "outages",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("rail", sa.String(40), nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),  # last time it did not answer
    sa.Column("over_at", Instant),
    sa.Index(
        "uq_outages_open",
        "rail",
        unique=True,
        sqlite_where=sa.text("over_at IS NULL"),
        postgresql_where=sa.text("over_at IS NULL"),
    ),
)

# 好了告诉我: whoever could not pay and is to be told, and asked again, when paying works.
waiting = sa.Table(
    "waiting",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("person", sa.ForeignKey("people.id"), nullable=False),
    sa.Column("account", sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("biller", sa.String(40), nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("over_at", Instant),  # he was told, or it was paid meanwhile
    sa.Index(
        "uq_waiting_open",
        "person",
        "account",
        unique=True,
        sqlite_where=sa.text("over_at IS NULL"),
        postgresql_where=sa.text("over_at IS NULL"),
    ),
)

# Something an operator has to know: raised once for each cause, over when it is no longer so.
alarms = sa.Table(
    "alarms",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("cause", sa.String(120), nullable=False),  # an id: payment, sweep, mandate, letter
    sa.Column("since", Instant, nullable=False),  # since when the matter itself stands
    sa.Column("raised_at", Instant, nullable=False),
    sa.Column("over_at", Instant),
    sa.Column("ticket", sa.String(40), nullable=False),
    sa.Index(
        "uq_alarms_open",
        "kind",
        "cause",
        unique=True,
        sqlite_where=sa.text("over_at IS NULL"),
        postgresql_where=sa.text("over_at IS NULL"),
    ),
)

# --- the book and the statements ------------------------------------------------------------------------------------

# Number and seal of the book's last line: lines taken from its end would leave no hole in the chain.
ledger_end = sa.Table(
    "ledger_end",
    metadata,
    sa.Column("book", sa.String(16), primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)

# What a party's file of one Shanghai day was when it was last taken. `final`: the day was over, it will not grow.
statements = sa.Table(
    "statements",
    metadata,
    sa.Column("party", sa.String(24), primary_key=True),  # rail | billers
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),  # of the rows; "" while no file has come
    sa.Column("lines", sa.Integer, nullable=False),
    sa.Column("final", sa.Boolean, nullable=False),
    sa.Column("tried_at", Instant, nullable=False),
    sa.Column("taken_at", Instant),
)

statement_rows = sa.Table(
    "statement_rows",
    metadata,
    sa.Column("party", sa.String(24), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True),
    sa.Column("number", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # capture | refund | post
    sa.Column("amount_fen", sa.BigInteger, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Index("ix_statement_rows_number", "number", "kind"),
)

# Something a statement and the book say differently: opened once for each matter, closed by what explains it.
differences = sa.Table(
    "differences",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),  # made of party, kind, number and detail
    sa.Column("party", sa.String(24), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("day", sa.Date, nullable=False),  # of the file that showed it
    sa.Column("number", sa.String(64), nullable=False),  # "" where it concerns a whole file
    sa.Column("detail", sa.String(80), nullable=False),
    sa.Column("payment", sa.ForeignKey("payments.id")),
    sa.Column("ours_fen", sa.BigInteger),
    sa.Column("theirs_fen", sa.BigInteger),
    sa.Column("ticket", sa.String(40), nullable=False),
    sa.Column("found_at", Instant, nullable=False),
    sa.Column("closed_at", Instant),
    sa.Column("closed_by", sa.String(40)),  # a person, or "" when a later file or event explained it
    sa.Column("why", sa.String(200)),
    sa.Index("ix_differences_payment", "payment"),
    sa.Index(
        "ix_differences_open",
        "found_at",
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    ),
)

# A first payment its payer let stand for a day, because no relative could agree to it (settled 5). The row pays nothing:
# it is why his own yes may be enough afterwards.
let_stand = sa.Table(
    "let_stand",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("person", sa.ForeignKey("people.id"), nullable=False),
    sa.Column("account", sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("amount_fen", sa.BigInteger, nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("ripe_at", Instant, nullable=False),
    sa.Column("until", Instant, nullable=False),  # after this it counts for nothing any more
    sa.Column("ended_at", Instant),  # one word ended it, or it was let stand anew
    sa.CheckConstraint("amount_fen > 0", name="amount_positive"),
    sa.Index(
        "uq_let_stand_open",
        "person",
        "account",
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    ),
)
