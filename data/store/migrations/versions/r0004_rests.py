"""Automatic payments that rest until a day, and when they went on; what a ticket is about; acts by who has a part in them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0004"
down_revision = "r0003"
branch_labels = None
depends_on = None

_PARTS = ("proposer", "payer", "confirmer")
_INSTANTS = ("rests_until", "woken_at")


def upgrade() -> None:
    """Adds the columns."""
    for name in _INSTANTS:
        op.add_column("mandates", sa.Column(name, sa.DateTime(timezone=True)))
    for part in _PARTS:
        op.create_index(f"ix_acts_{part}", "acts", [part])
    op.add_column("tickets", sa.Column("about", sa.String(80)))


def downgrade() -> None:
    """Takes them away."""
    op.drop_column("tickets", "about")
    for part in _PARTS:
        op.drop_index(f"ix_acts_{part}", "acts")
    for name in reversed(_INSTANTS):
        op.drop_column("mandates", name)
