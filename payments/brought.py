"""Whether a notice on which money waits was brought to its reader: when, still on its way, or on no road at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from data.ids import PersonId
from data.store import letters
from data.store.engine import Tx
from data.store.post import events, outbox


@dataclass(frozen=True, slots=True)
class Brought:
    """`heard` with the instant at which a channel took it · `on_its_way` tried and not taken yet · `nowhere` given up on
    every road it went · `unknown` no channel was asked so far: nothing speaks against it."""

    how: Literal["heard", "on_its_way", "nowhere", "unknown"]
    at: datetime | None = None


def of(tx: Tx, person: PersonId, kind: str, about: Mapping[str, Any]) -> Brought:
    """What became of the news of this kind whose body says all of `about`, on whichever road they went."""
    found = sa.select(events.c.id, events.c.body, events.c.served_at)
    mine = tx.conn.execute(found.where(events.c.person == person, events.c.kind == kind)).all()
    same = [row for row in mine if about.items() <= row.body.items()]
    causes = [f"{letters.NEWS}:{row.id}" for row in same]
    written = sa.select(outbox.c.cause, outbox.c.state, outbox.c.tries, outbox.c.sent_at)
    of_these = written.where(outbox.c.person == person, outbox.c.cause.in_(causes))
    # The first letter on each road is the notice; a question that was open follows it.
    first: dict[str, Any] = {}
    for row in tx.conn.execute(of_these.order_by(outbox.c.seq)):
        first.setdefault(row.cause, row)
    return _of_letters(first.values(), waits=any(row.served_at is None for row in same))


def _of_letters(sent: Collection[Any], *, waits: bool) -> Brought:
    """`waits`: it is to be told on another road and was not yet."""
    if taken := [row.sent_at for row in sent if row.sent_at is not None]:
        return Brought("heard", min(taken))
    tried = [row for row in sent if row.tries or row.state not in _OPEN]
    if not tried:
        return Brought("unknown")
    open_still = waits or any(row.state in _OPEN for row in sent)
    return Brought("on_its_way" if open_still else "nowhere")


_OPEN = ("queued", "leased")
