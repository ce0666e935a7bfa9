"""Who speaks rather than types is answered aloud too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0008"
down_revision = "r0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column; nobody who is here already asked for it.

    In place: on SQLite the table cannot be built anew while other rows refer to its people. The default stays, harmless.
    """
    op.add_column("people", sa.Column("voice_notes", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Takes it away."""
    op.drop_column("people", "voice_notes")
