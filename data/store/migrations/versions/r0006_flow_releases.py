"""The flows that talks under way are in are kept, so that every program can go on in them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0006"
down_revision = "r0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table, and an index over the talks under way."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "flow_releases",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("first_at", instant, nullable=False),
        sa.Column("seen_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_releases")),
    )
    under_way = sa.text("release != ''")
    op.create_index(
        "ix_conversations_release",
        "conversations",
        ["release"],
        sqlite_where=under_way,
        postgresql_where=under_way,
    )


def downgrade() -> None:
    """Takes them away; talks under way begin anew at their first open question."""
    op.drop_index("ix_conversations_release", "conversations")
    op.drop_table("flow_releases")
