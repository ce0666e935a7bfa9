"""Rounds over the meters walk by pages: who has which page, who was not heard of, how fast a biller may be asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0005"
down_revision = "r0004"
branch_labels = None
depends_on = None

_ADDED = ("pages", "expected", "heard_at", "moved_at")


def upgrade() -> None:
    """Adds tables, columns and the indexes a page is read by."""
    _tables()
    instant = sa.DateTime(timezone=True)
    with op.batch_alter_table("sweeps") as sweeps:
        sweeps.add_column(sa.Column("pages", sa.Integer(), nullable=False, server_default="0"))
        sweeps.add_column(sa.Column("expected", sa.Integer(), nullable=False, server_default="0"))
        sweeps.add_column(sa.Column("heard_at", instant))
        sweeps.add_column(sa.Column("moved_at", instant))
    with op.batch_alter_table("sweeps") as sweeps:
        sweeps.alter_column("pages", server_default=None)
        sweeps.alter_column("expected", server_default=None)
    op.create_index("ix_saved_accounts_account", "saved_accounts", ["account"])
    op.create_index("ix_mandates_account", "mandates", ["account"])
    op.create_index("ix_quotes_account_created_at", "quotes", ["account", "created_at"])
    op.create_index("ix_payments_account_posted_at", "payments", ["account", "posted_at"])
    op.drop_index("ix_payments_account", "payments")
    _of_some("ix_debits_asking", "debits", "mandate", "state = 'asking'")
    _of_some("ix_warnings_open", "warnings", "account", "over_at IS NULL")


def downgrade() -> None:
    """Takes them away."""
    op.drop_index("ix_warnings_open", "warnings")
    op.drop_index("ix_debits_asking", "debits")
    op.create_index("ix_payments_account", "payments", ["account"])
    op.drop_index("ix_payments_account_posted_at", "payments")
    op.drop_index("ix_quotes_account_created_at", "quotes")
    op.drop_index("ix_mandates_account", "mandates")
    op.drop_index("ix_saved_accounts_account", "saved_accounts")
    with op.batch_alter_table("sweeps") as sweeps:
        for name in _ADDED:
            sweeps.drop_column(name)
    for name in ("biller_paces", "unheard", "sweep_pages"):
        op.drop_table(name)


def _of_some(name: str, table: str, column: str, those: str) -> None:
    """An index over the few rows that are meant."""
    where = sa.text(those)
    op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)


def _tables() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "sweep_pages",
        sa.Column("cycle", sa.String(40), nullable=False),
        sa.Column("after", sa.String(40), nullable=False),
        sa.Column("upto", sa.String(40), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("lease_until", instant, nullable=False),
        sa.PrimaryKeyConstraint("cycle", "after", name=op.f("pk_sweep_pages")),
    )
    op.create_table(
        "unheard",
        sa.Column("account", sa.String(40), nullable=False),
        sa.Column("biller", sa.String(40), nullable=False),
        sa.Column("since", instant),
        sa.Column("again_at", instant, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_unheard_account_accounts")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_unheard")),
    )
    op.create_index("ix_unheard_due", "unheard", ["biller", "again_at"])
    op.create_table(
        "biller_paces",
        sa.Column("biller", sa.String(40), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("rests_until", instant),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("biller", name=op.f("pk_biller_paces")),
    )
