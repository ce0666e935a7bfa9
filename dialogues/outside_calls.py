"""What a turn wants to know from outside: written down before anybody asks, so that a crash only delays the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.events import InboundEvent
from data.ids import PersonId, fresh
from data.store.engine import Tx
from data.store.talks import calls
from dialogues.model import Call


@dataclass(frozen=True, slots=True)
class OutsideCall:
    """An action to run after the transaction."""

    id: str
    person: PersonId
    action: str
    arguments: Mapping[str, Any] = field(repr=False)
    deadline_seconds: float = 20.0


def begin(tx: Tx, event: InboundEvent, call: Call) -> OutsideCall:
    """The talk waits for this answer; what is asked is kept sealed, for account numbers may be among it."""
    waiting = OutsideCall(
        fresh("call"), event.person, call.action, dict(call.arguments), call.deadline_seconds
    )
    asked = json.dumps({"call": call.call_id, "arguments": dict(call.arguments)}, ensure_ascii=False)
    tx.conn.execute(
        sa.insert(calls).values(
            id=waiting.id,
            person=event.person,
            action=call.action,
            arguments=tx.seal.seal("calls.arguments", waiting.id, asked),
            state="waiting",
            started_at=event.at,
            deadline=event.at + timedelta(seconds=call.deadline_seconds),
        )
    )
    return waiting


def drop(tx: Tx, call: str) -> None:
    """Nobody waits for this answer any longer."""
    tx.conn.execute(sa.update(calls).where(calls.c.id == call).values(state="dropped"))


def left(tx: Tx, now: datetime) -> list[OutsideCall]:
    """What nobody answered in its time: the process that asked is dead, and asking again moves no money."""
    rows = tx.conn.execute(sa.select(calls).where(calls.c.state == "waiting", calls.c.deadline <= now)).all()
    found = []
    for row in rows:
        waiting = json.loads(tx.seal.open("calls.arguments", row.id, row.arguments))
        found.append(OutsideCall(row.id, PersonId(row.person), row.action, waiting["arguments"]))
    return found
