"""What the operator and the auditor need: pauses, statements of the rail and what they showed, and other rows of the till's depth."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables."""
    _operator_tables()
    _book_tables()
    _first_payment_tables()
    op.create_table(
        "keyring",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keyring")),
    )


def downgrade() -> None:
    """Takes them away."""
    op.drop_table("keyring")
    op.drop_table("let_stand")
    for name in ("differences", "statement_rows", "statements", "ledger_end"):
        op.drop_table(name)
    for name in ("alarms", "waiting", "outages", "pauses"):
        op.drop_table(name)
    op.drop_index("ix_payments_account", "payments")


def _open_ones(name: str, table: str, columns: list[str], ended: str) -> None:
    """An index over what is not over yet, and unique there."""
    still = sa.text(f"{ended} IS NULL")
    op.create_index(name, table, columns, unique=True, sqlite_where=still, postgresql_where=still)


def _operator_tables() -> None:
    # An account's payments are looked up at every quote and reading.
    op.create_index("ix_payments_account", "payments", ["account"])
    instant = sa.DateTime(timezone=True)
    scopes = sa.Enum(
        "all", "biller", "rail", name="pause_scope", native_enum=False, create_constraint=True, length=24
    )
    op.create_table(
        "pauses",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("scope", scopes, nullable=False),
        sa.Column("subject", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("paused_by", sa.String(40), nullable=False),
        sa.Column("since", instant, nullable=False),
        sa.Column("resumed_by", sa.String(40)),
        sa.Column("resumed_at", instant),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pauses")),
    )
    _open_ones("uq_pauses_open", "pauses", ["scope", "subject"], "resumed_at")
    op.create_table(
        "outages",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("rail", sa.String(40), nullable=False),
        sa.Column("since", instant, nullable=False),
        sa.Column("seen_at", instant, nullable=False),
        sa.Column("over_at", instant),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outages")),
    )
    _open_ones("uq_outages_open", "outages", ["rail"], "over_at")
    op.create_table(
        "waiting",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("account", sa.String(40), nullable=False),
        sa.Column("biller", sa.String(40), nullable=False),
        sa.Column("since", instant, nullable=False),
        sa.Column("over_at", instant),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_waiting_person_people")),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_waiting_account_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting")),
    )
    _open_ones("uq_waiting_open", "waiting", ["person", "account"], "over_at")
    op.create_table(
        "alarms",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("cause", sa.String(120), nullable=False),
        sa.Column("since", instant, nullable=False),
        sa.Column("raised_at", instant, nullable=False),
        sa.Column("over_at", instant),
        sa.Column("ticket", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms")),
    )
    _open_ones("uq_alarms_open", "alarms", ["kind", "cause"], "over_at")


def _book_tables() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "ledger_end",
        sa.Column("book", sa.String(16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("book", name=op.f("pk_ledger_end")),
    )
    # A book that was begun before has an end already.
    op.execute(
        "INSERT INTO ledger_end (book, seq, at, hash)"
        " SELECT 'till', seq, at, hash FROM ledger ORDER BY seq DESC LIMIT 1"
    )
    op.create_table(
        "statements",
        sa.Column("party", sa.String(24), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("tried_at", instant, nullable=False),
        sa.Column("taken_at", instant),
        sa.PrimaryKeyConstraint("party", "day", name=op.f("pk_statements")),
    )
    op.create_table(
        "statement_rows",
        sa.Column("party", sa.String(24), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.PrimaryKeyConstraint("party", "day", "n", name=op.f("pk_statement_rows")),
    )
    op.create_index("ix_statement_rows_number", "statement_rows", ["number", "kind"])
    op.create_table(
        "differences",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("party", sa.String(24), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("detail", sa.String(80), nullable=False),
        sa.Column("payment", sa.String(40)),
        sa.Column("ours_fen", sa.BigInteger()),
        sa.Column("theirs_fen", sa.BigInteger()),
        sa.Column("ticket", sa.String(40), nullable=False),
        sa.Column("found_at", instant, nullable=False),
        sa.Column("closed_at", instant),
        sa.Column("closed_by", sa.String(40)),
        sa.Column("why", sa.String(200)),
        sa.ForeignKeyConstraint(["payment"], ["payments.id"], name=op.f("fk_differences_payment_payments")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_differences")),
    )
    op.create_index("ix_differences_payment", "differences", ["payment"])
    still = sa.text("closed_at IS NULL")
    op.create_index(
        "ix_differences_open", "differences", ["found_at"], sqlite_where=still, postgresql_where=still
    )


def _first_payment_tables() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "let_stand",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("account", sa.String(40), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("since", instant, nullable=False),
        sa.Column("ripe_at", instant, nullable=False),
        sa.Column("until", instant, nullable=False),
        sa.Column("ended_at", instant),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_let_stand_amount_positive")),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_let_stand_person_people")),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_let_stand_account_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_let_stand")),
    )
    _open_ones("uq_let_stand_open", "let_stand", ["person", "account"], "ended_at")
