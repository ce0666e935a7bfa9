"""What somebody wants to be told; whether a letter was shown, refused or overtaken; why a piece of news was not told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from alembic.operations.base import BatchOperations

revision = "r0007"
down_revision = "r0006"
branch_labels = None
depends_on = None

_BEFORE = ["queued", "leased", "sent", "failed", "dropped"]
_NOW = ["queued", "leased", "sent", "delivered", "read", "failed", "given_up", "superseded", "dropped"]
_CHECK = "ck_outbox_outbox_state"
_NO_MORE = {"delivered": "sent", "read": "sent", "given_up": "failed", "superseded": "dropped"}


def upgrade() -> None:
    """Adds table, columns and states."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "notice_wishes",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("unwanted", sa.JSON(), nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=False),
        sa.Column("quiet_to", sa.Integer(), nullable=False),
        sa.Column("road", sa.String(24)),
        sa.Column("changed_by", sa.String(40), nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_notice_wishes_person_people")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_notice_wishes")),
    )
    op.create_index("ix_notice_wishes_person_seq", "notice_wishes", ["person", "seq"])
    op.add_column("events", sa.Column("untold", sa.String(16)))
    op.add_column("outbox", sa.Column("doubts", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("outbox", sa.Column("told_at", instant))
    op.add_column("outbox", sa.Column("ended_at", instant))
    with op.batch_alter_table("outbox") as outbox:
        outbox.alter_column("doubts", server_default=None)
        _states(outbox, _NOW)
    lost = sa.text("state IN ('failed','given_up')")
    op.create_index("ix_outbox_lost", "outbox", ["ended_at"], sqlite_where=lost, postgresql_where=lost)


def downgrade() -> None:
    """Takes them away; a state that is no more becomes the nearest one that was."""
    for gone, instead in _NO_MORE.items():
        change = sa.text("UPDATE outbox SET state = :instead WHERE state = :gone")
        op.execute(change.bindparams(instead=instead, gone=gone))
    op.drop_index("ix_outbox_lost", "outbox")
    with op.batch_alter_table("outbox") as outbox:
        _states(outbox, _BEFORE)
        for name in ("ended_at", "told_at", "doubts"):
            outbox.drop_column(name)
    op.drop_column("events", "untold")
    op.drop_index("ix_notice_wishes_person_seq", "notice_wishes")
    op.drop_table("notice_wishes")


def _states(outbox: BatchOperations, states: list[str]) -> None:
    """Another list of states."""
    listed = ", ".join(f"'{state}'" for state in states)
    outbox.drop_constraint(op.f(_CHECK), type_="check")
    outbox.create_check_constraint(op.f(_CHECK), sa.text(f"state IN ({listed})"))
