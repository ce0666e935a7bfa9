"""Tables of people, where they can be reached, their accounts, and who may do what for whom. Read only by payments.authority."""

from __future__ import annotations

import sqlalchemy as sa

from data.store.schema import BlindIndex, Instant, RowNumber, Sealed, metadata, one_of

people = sa.Table(
    "people",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("name", Sealed, nullable=False),
    sa.Column("role", one_of("role", ["family", "helper", "operator", "auditor"]), nullable=False),
    sa.Column("locale", sa.String(8), nullable=False, default="zh"),
    sa.Column("elder", sa.Boolean, nullable=False, default=False),
    sa.Column("low_sight", sa.Boolean, nullable=False, default=False),
    sa.Column("smartphone", sa.Boolean, nullable=False, default=True),
    sa.Column("voice_notes", sa.Boolean, nullable=False, default=False),
    sa.Column("created_at", Instant, nullable=False),
)

# Several people may share one telephone: (channel, external_ix) is not unique, the order is by `rank`.
addresses = sa.Table(
    "addresses",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("person", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("channel", sa.String(24), nullable=False),
    sa.Column("external_id", Sealed, nullable=False),
    sa.Column("external_ix", BlindIndex, nullable=False),
    sa.Column("rank", sa.Integer, nullable=False, default=0),
    sa.Column("verified_at", Instant),
    sa.Column("changed_at", Instant, nullable=False),
    sa.UniqueConstraint("person", "channel", "external_ix"),
    sa.Index("ix_addresses_lookup", "channel", "external_ix"),
)

relations = sa.Table(
    "relations",
    metadata,
    sa.Column("person", sa.ForeignKey("people.id"), primary_key=True),
    sa.Column("relative", sa.ForeignKey("people.id"), primary_key=True),
    # what the relative is to the person: father, mother, daughter, son, spouse, elder_served …
    sa.Column("kind", sa.String(24), nullable=False),
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("biller", sa.String(40), nullable=False),
    sa.Column("utility", sa.String(16), nullable=False),
    sa.Column("number", Sealed, nullable=False),
    sa.Column("number_ix", BlindIndex, nullable=False),
    sa.Column("holder", sa.ForeignKey("people.id")),
    sa.Column("holder_masked", sa.String(40), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.UniqueConstraint("biller", "number_ix"),
)

saved_accounts = sa.Table(
    "saved_accounts",
    metadata,
    sa.Column("person", sa.ForeignKey("people.id"), primary_key=True),
    sa.Column("account", sa.ForeignKey("accounts.id"), primary_key=True),
    sa.Column("label", sa.String(60), nullable=False, default=""),  # 妈妈家
    sa.Column("saved_at", Instant, nullable=False),
    sa.Index("ix_saved_accounts_account", "account"),
)

# A typed number whose masked name was confirmed: this one open bill, in this talk (settled 28).
talk_access = sa.Table(
    "talk_access",
    metadata,
    sa.Column("person", sa.ForeignKey("people.id"), primary_key=True),
    sa.Column("account", sa.ForeignKey("accounts.id"), primary_key=True),
    sa.Column("expires_at", Instant, nullable=False),
)

grants = sa.Table(
    "grants",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("giver", sa.ForeignKey("people.id"), nullable=False, index=True),  # whose accounts or purse
    sa.Column("taker", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("verb", sa.String(24), nullable=False),
    sa.Column("instrument", sa.String(40)),  # spending grants: whose purse
    sa.Column("per_payment_fen", sa.BigInteger),
    sa.Column("per_month_fen", sa.BigInteger),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant),
    sa.Column("revoked_at", Instant),
)

# A six-digit code that links a relative: whoever holds it and is known takes what its giver offers, once.
invitations = sa.Table(
    "invitations",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("giver", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),  # keyed hash of the code
    sa.Column("relation", sa.String(24), nullable=False),  # what the one invited is to the giver
    sa.Column("verbs", sa.JSON, nullable=False),
    sa.Column("per_payment_fen", sa.BigInteger),
    sa.Column("per_month_fen", sa.BigInteger),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("taken_by", sa.String(40)),
    sa.Column("taken_at", Instant),
)

instruments = sa.Table(
    "instruments",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("owner", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("rail", sa.String(24), nullable=False),
    sa.Column("token", Sealed, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)

pins = sa.Table(
    "pins",
    metadata,
    sa.Column("person", sa.ForeignKey("people.id"), primary_key=True),
    sa.Column("hash", sa.String(200), nullable=False),  # argon2
    sa.Column("wrong", sa.Integer, nullable=False, default=0),
    sa.Column("blocked_until", Instant),
    sa.Column("set_at", Instant, nullable=False),
)

# One-time codes: ours, bound to one act, amount and payee, sent to a second address of the same person.
codes = sa.Table(
    "codes",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("person", sa.ForeignKey("people.id"), nullable=False),
    sa.Column("act", sa.String(40), nullable=False, index=True),
    sa.Column("digest", sa.LargeBinary(32), nullable=False),  # keyed hash of code and act
    sa.Column("wrong", sa.Integer, nullable=False, default=0),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("used_at", Instant),
)

# A telephone number being proven, by somebody who is not enrolled yet or by a person who changed his: one row for each
# of them, whoever he is to his channel. It names no person, so it cannot tell whether the number is known here.
enrolments = sa.Table(
    "enrolments",
    metadata,
    sa.Column("talker", sa.String(40), primary_key=True),
    sa.Column("phone", Sealed, nullable=False),
    sa.Column("digest", sa.LargeBinary(32), nullable=False),  # keyed hash of code, talker and number
    sa.Column("wrong", sa.Integer, nullable=False, default=0),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("proven_at", Instant),
)

# What somebody wants to be told, where and at which hours. Appended only: the newest row of a person counts, the one before
# it is what a single word brings back.
notice_wishes = sa.Table(
    "notice_wishes",
    metadata,
    sa.Column("seq", RowNumber, primary_key=True, autoincrement=True),
    sa.Column("person", sa.ForeignKey("people.id"), nullable=False),
    sa.Column("unwanted", sa.JSON, nullable=False),  # groups of notices, by name
    sa.Column("quiet_from", sa.Integer, nullable=False),  # hours of a Shanghai day
    sa.Column("quiet_to", sa.Integer, nullable=False),
    sa.Column("road", sa.String(24)),  # a channel; None: where he talks with us
    sa.Column("changed_by", sa.String(40), nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Index("ix_notice_wishes_person_seq", "person", "seq"),
)

# Staff sign-in at the staff page.
staff_sessions = sa.Table(
    "staff_sessions",
    metadata,
    sa.Column("token_hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("person", sa.ForeignKey("people.id"), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
)

# Wrong attempts at anything that could be guessed (sign-in, account numbers), for rate limits without Redis.
attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("seq", RowNumber, primary_key=True, autoincrement=True),
    sa.Column("subject", sa.String(80), nullable=False, index=True),
    sa.Column("at", Instant, nullable=False),
)
