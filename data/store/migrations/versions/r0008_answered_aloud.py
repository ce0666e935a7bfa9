"""Who speaks rather than types is answered aloud too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0008"
down_revision = "r0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column; nobody who is here already asked for it."""
    op.add_column("people", sa.Column("voice_notes", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("people") as people:
        people.alter_column("voice_notes", server_default=None)


def downgrade() -> None:
    """Takes it away."""
    with op.batch_alter_table("people") as people:
        people.drop_column("voice_notes")
