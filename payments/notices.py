"""One piece of news for one person: written once for ever, as he wished, and after whatever he was told of the same instant."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.ids import PersonId
from data.store import letters
from data.store.engine import Tx
from data.store.post import events
from payments.authority import wishes

_INSTANT = timedelta(milliseconds=1)
_LAST = sa.select(sa.func.max(events.c.created_at)).where(
    events.c.person == sa.bindparam("to"),
    events.c.created_at >= sa.bindparam("since"),
    events.c.created_at < sa.bindparam("until"),
)


def notice(tx: Tx, person: PersonId, kind: str, about: str, body: dict[str, Any], at: datetime) -> bool:
    """Writes it down; False when this person was told this very thing before. `about` is an id: payment, mandate …

    What he does not want to hear of is kept and not told; what he is told goes the road he wished for.
    """
    group = wishes.group_of(kind, body, person)
    wanted = wishes.of(tx, person) if group is not None else wishes.USUAL
    road = wishes.road_of(tx, person) if wanted.road else None
    return letters.put_news(
        tx,
        id=f"{kind}:{about}:{person}",
        person=person,
        kind=kind,
        body=body | {"on_channel": road} if road else body,
        at=_after_the_last(tx, person, at),
        unwanted=group in wanted.unwanted,
    )


def _after_the_last(tx: Tx, person: PersonId, at: datetime) -> datetime:
    """Two things of one instant (a clock that stands, a quick biller) are told in the order in which they happened."""
    same = {"to": person, "since": at, "until": at + _INSTANT}
    last: datetime | None = tx.conn.scalar(_LAST, same)
    return at if last is None else last + timedelta(microseconds=1)
