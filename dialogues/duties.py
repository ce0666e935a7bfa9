"""What only those who work here may wish: heard in their own words, and from nobody else."""

from __future__ import annotations

from data.events import InboundEvent, InboundKind
from data.store.engine import Tx
from nlu import auditing, bookkeeping
from nlu.commands import Command
from nlu.text import fold
from payments import tracing


def wish(tx: Tx, event: InboundEvent) -> list[Command]:
    """An auditor's wish; [] when it is none, or when somebody else says these words."""
    if event.kind is not InboundKind.TEXT:
        return []
    said = fold(event.text)
    found = (auditing.wish(said) or bookkeeping.wish(said)) if said else None
    return [found] if found is not None and tracing.allowed(tx, event.person) else []
