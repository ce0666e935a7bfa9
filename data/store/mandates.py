"""Tables of automatic payments: what was agreed, by whom and in which words, what meters said, and what came of it.

Read and written only by the payments package.
"""

from __future__ import annotations

import sqlalchemy as sa

from data.store.schema import Instant, RowNumber, Sealed, metadata, one_of

MANDATE_KINDS = ["top_up", "bill_debit"]
MANDATE_STATES = [
    "awaiting_payer",  # read back, no yes yet
    "active",
    "paused",
    "suspended",  # it could not pay several times, or the purse is gone: louder than one that pays
    "revoked",
    "expired",
]
DEBIT_STATES = [
    "announced",  # a bill debit was told 24 hours before; one word skips it
    "asking",  # unlike the past: the payer is asked first
    "skipped",
    "made",  # its payment row is written
    "not_made",  # over a cap, no purse, biller's rule: told loudly
]

# The yes to an automatic payment: who, on which event, in which words. Appended only.
consents = sa.Table(
    "consents",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("person", sa.ForeignKey("people.id"), nullable=False),
    sa.Column("mandate", sa.String(40), nullable=False, index=True),
    sa.Column("channel", sa.String(24), nullable=False),
    sa.Column("event", sa.String(120), nullable=False),
    sa.Column("words", Sealed, nullable=False),  # exactly what was read back
    sa.Column("wording", sa.String(80), nullable=False),  # response and flow release it was rendered from
    sa.Column("digest", sa.String(64), nullable=False),  # over the terms and the words
    sa.Column("factor", sa.String(16), nullable=False),
    sa.Column("at", Instant, nullable=False),
)

mandates = sa.Table(
    "mandates",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("act", sa.ForeignKey("acts.id"), nullable=False, index=True),
    sa.Column("kind", one_of("mandate_kind", MANDATE_KINDS), nullable=False),
    sa.Column("state", one_of("mandate_state", MANDATE_STATES), nullable=False),
    sa.Column("account", sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("biller", sa.String(40), nullable=False),
    sa.Column("payer", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("instrument", sa.String(40), nullable=False),
    sa.Column("below_fen", sa.BigInteger),  # top_up: the trigger
    sa.Column("amount_fen", sa.BigInteger),  # top_up: the fixed amount
    sa.Column("per_charge_fen", sa.BigInteger, nullable=False),
    sa.Column("per_month_fen", sa.BigInteger, nullable=False),
    sa.Column("per_day", sa.Integer, nullable=False, default=1),
    sa.Column("ask_above", sa.Integer),  # times the same month of last year; None: never asked
    sa.Column("valid_until", Instant, nullable=False),
    # The low reading that was acted on last; None: armed. One charge for each low episode.
    sa.Column("episode", sa.String(80)),
    # When its meter or bill last said something that mattered; `unheard` tells whether it was heard of at all.
    sa.Column("read_at", Instant),
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("replaces", sa.String(40)),  # the mandate this one was a change of
    sa.Column("reason", sa.String(40)),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("active_at", Instant),
    sa.Column("ended_at", Instant),
    sa.Column("rests_until", Instant),  # paused: goes on by itself then; None: when the payer says so
    sa.Column("woken_at", Instant),  # when it last went on by itself after a rest
    sa.Column("updated_at", Instant, nullable=False),
    sa.CheckConstraint("per_charge_fen > 0 AND per_month_fen > 0", name="caps_positive"),
    sa.Index("ix_mandates_account", "account"),  # the order in which a round walks
    sa.Index(
        "uq_mandates_account",
        "account",
        unique=True,
        sqlite_where=sa.text("state IN ('active','paused','suspended')"),
        postgresql_where=sa.text("state IN ('active','paused','suspended')"),
    ),
)

# What the biller told of earlier months, kept to try terms out on and to notice what is unlike the past.
month_use = sa.Table(
    "month_use",
    metadata,
    sa.Column("account", sa.ForeignKey("accounts.id"), primary_key=True),
    sa.Column("month", sa.Date, primary_key=True),  # its first day
    sa.Column("used_fen", sa.BigInteger, nullable=False),
    sa.Column("told_at", Instant, nullable=False),
)

# What a meter said, and when; a reading that is not newer than the last is kept nowhere.
readings = sa.Table(
    "readings",
    metadata,
    sa.Column("account", sa.ForeignKey("accounts.id"), primary_key=True),
    sa.Column("at", Instant, primary_key=True),  # when the meter was read
    sa.Column("balance_fen", sa.BigInteger, nullable=False),
    sa.Column("daily_use_fen", sa.BigInteger),
    sa.Column("received_at", Instant, nullable=False),  # when the meter last said so
)

# One firing of a mandate: a low episode of a meter, or one bill. `cause` makes it happen once.
debits = sa.Table(
    "debits",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("mandate", sa.ForeignKey("mandates.id"), nullable=False, index=True),
    sa.Column("cause", sa.String(120), nullable=False),
    sa.Column("state", one_of("debit_state", DEBIT_STATES), nullable=False),
    sa.Column("amount_fen", sa.BigInteger, nullable=False),
    sa.Column("payment", sa.String(40)),
    sa.Column("reason", sa.String(40)),
    sa.Column("read_at", Instant),  # top-ups: the reading that was too low
    sa.Column("announced_at", Instant),  # bill debits: since when the payer could have said no to this amount
    sa.Column("not_before", Instant),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sa.UniqueConstraint("mandate", "cause"),
    sa.Index("ix_debits_due", "state", "not_before"),
    sa.Index(
        "ix_debits_asking",
        "mandate",
        sqlite_where=sa.text("state = 'asking'"),
        postgresql_where=sa.text("state = 'asking'"),
    ),
)

# A warning climbs from rung to rung (payer, elder, helper, operator) until somebody acknowledges it.
warnings = sa.Table(
    "warnings",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("account", sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("cause", sa.String(120), nullable=False, unique=True),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("rung", sa.Integer, nullable=False, default=0),
    sa.Column(
        "next_at", Instant
    ),  # since when the present rung has been given its time; None: nobody is next
    sa.Column("acknowledged_by", sa.String(40)),
    sa.Column("acknowledged_at", Instant),
    sa.Column(
        "over_at", Instant
    ),  # the meter is full again, the bill is paid: nobody need hear of it any more
    sa.Column("created_at", Instant, nullable=False),
    sa.Index("ix_warnings_due", "next_at"),
    sa.Index(
        "ix_warnings_open",
        "account",
        sqlite_where=sa.text("over_at IS NULL"),
        postgresql_where=sa.text("over_at IS NULL"),
    ),
)

# Where a round over all meters stands, so that it goes on after a stop and never reads a meter twice in one cycle.
sweeps = sa.Table(
    "sweeps",
    metadata,
    sa.Column("seq", RowNumber, primary_key=True, autoincrement=True),
    sa.Column("cycle", sa.String(40), nullable=False, unique=True),
    sa.Column("cursor", sa.String(40), nullable=False, default=""),  # the end of the last page that was taken
    sa.Column("pages", sa.Integer, nullable=False, default=0),  # taken so far
    sa.Column("expected", sa.Integer, nullable=False, default=0),  # pages of the round before; 0: not known
    # When the round before began: whoever is not in `unheard` was heard of since then.
    sa.Column("heard_at", Instant),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("moved_at", Instant),  # when a page was taken last
    sa.Column("finished_at", Instant),
)

# A page of accounts that somebody has in hand. It goes with the transaction that writes what the page said.
sweep_pages = sa.Table(
    "sweep_pages",
    metadata,
    sa.Column("cycle", sa.String(40), primary_key=True),
    sa.Column("after", sa.String(40), primary_key=True),  # accounts beyond this one …
    sa.Column("upto", sa.String(40), nullable=False),  # … up to and with this one
    sa.Column("owner", sa.String(64), nullable=False),
    sa.Column("lease_until", Instant, nullable=False),
)

# The exceptions of the rounds: accounts whose meter or bill could not be read, to be taken again before the next round.
unheard = sa.Table(
    "unheard",
    metadata,
    sa.Column("account", sa.ForeignKey("accounts.id"), primary_key=True),
    sa.Column("biller", sa.String(40), nullable=False),
    sa.Column("since", Instant),  # when it was last heard of; None: never by a round
    sa.Column("again_at", Instant, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, default=1),
    sa.Index("ix_unheard_due", "biller", "again_at"),  # those of a biller that rests are passed over unread
)

# How many questions a biller may still be asked: a bucket that fills with time, shared by all processes.
biller_paces = sa.Table(
    "biller_paces",
    metadata,
    sa.Column("biller", sa.String(40), primary_key=True),
    sa.Column("tokens", sa.Float, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("rests_until", Instant),  # it did not answer: nobody asks it before then
    sa.Column("failures", sa.Integer, nullable=False, default=0),  # in a row
)

# When the round may read a bill, or ask what a month used, again; and until when its reading stands in the book.
looks = sa.Table(
    "looks",
    metadata,
    sa.Column("account", sa.ForeignKey("accounts.id"), primary_key=True),
    sa.Column("bill_next", Instant),  # a bill nobody pays by itself is read once a day
    sa.Column("use_next", Instant),  # the use of earlier months once a month, once a day where that fails
    sa.Column("noted_on", sa.Date),  # the Shanghai day of the last line in the book
)
