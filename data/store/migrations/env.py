"""How Alembic runs here: on the store's own connection, inside its transaction."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from data.store import engine
from data.store.schema import Instant, metadata

assert engine.ROOMS  # every room's tables are known before they are compared


def _written_plainly(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    # A revision must not change when our own column types do.
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
    render_item=_written_plainly,
)
context.run_migrations()
