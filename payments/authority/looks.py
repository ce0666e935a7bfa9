"""Who may see a person's bills, and who really looked: answered from the grants and from the audit's own lines (F3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from data.clock import shanghai
from data.ids import PersonId
from data.model import May
from data.store.audit import audit
from data.store.engine import Tx
from data.store.people import accounts, grants
from payments.authority import access

LOOKED_BACK = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Link:
    """What one person lets another do at this moment. `until` is the first of the ends, None for none."""

    giver: PersonId
    taker: PersonId
    verbs: frozenset[May]
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody read this person's bills on one day of Shanghai: which kinds."""

    actor: PersonId
    day: date
    utilities: tuple[str, ...]


def given_by(tx: Tx, person: PersonId, at: datetime) -> list[Link]:
    """Everybody this person lets do something now, the first linked first."""
    return _links(tx, grants.c.giver == person, at)


def given_to(tx: Tx, person: PersonId, at: datetime) -> list[Link]:
    """Everybody who lets this person do something now."""
    return _links(tx, grants.c.taker == person, at)


def _links(tx: Tx, where: sa.ColumnElement[bool], at: datetime) -> list[Link]:
    rows = tx.conn.execute(sa.select(grants).where(where).order_by(grants.c.created_at, grants.c.id)).all()
    found: dict[tuple[str, str], Link] = {}
    for row in rows:
        if access.stands(row, at):
            key = (row.giver, row.taker)
            before = found.get(key, Link(PersonId(row.giver), PersonId(row.taker), frozenset(), None))
            ends = [end for end in (before.until, row.expires_at) if end is not None]
            verbs = before.verbs | {May(row.verb)}
            found[key] = Link(before.giver, before.taker, verbs, min(ends, default=None))
    return list(found.values())


def looked_at(tx: Tx, person: PersonId, at: datetime) -> list[Look]:
    """Who read this person's bills within the last 90 days, the newest day first; his own looks are not among them."""
    rows = tx.conn.execute(
        sa.select(audit.c.actor, audit.c.at, accounts.c.utility)
        .join(accounts, accounts.c.id == audit.c.subject)
        .where(
            audit.c.kind == "data_read",
            audit.c.person == person,
            audit.c.actor != person,
            audit.c.at > at - LOOKED_BACK,
        )
        .order_by(audit.c.seq.desc())
    )
    found: dict[tuple[str, date], list[str]] = {}
    for actor, when, utility in rows:
        found.setdefault((actor, shanghai(when).date()), []).append(utility)
    return [Look(PersonId(actor), day, tuple(dict.fromkeys(kinds))) for (actor, day), kinds in found.items()]
