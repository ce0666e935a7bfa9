"""What a playground can testify about permissions: who lets whom do what, and whether every look was allowed when it was taken."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.clock import shanghai
from data.ids import PersonId
from data.model import May, Role
from data.store import letters
from data.store.audit import audit
from data.store.engine import Tx
from data.store.people import grants
from data.town import World
from dialogues import wire
from payments.authority import access, looks

_SIX = re.compile(r"(?<!\d)\d{6}(?!\d)")
_WEEK = timedelta(days=7)


def grants_of(tx: Tx, world: World, at: datetime) -> dict[str, list[dict[str, Any]]]:
    """Elder or relative -> what he lets others do at this moment."""
    givers = set(tx.conn.scalars(sa.select(grants.c.giver)))
    return {
        str(person): [
            {"to": str(link.taker), "may": sorted(verb.value for verb in link.verbs)}
            for link in (looks.given_by(tx, person, at) if person in givers else ())
        ]
        for person in world.people
    }


def more(tx: Tx, world: World, at: datetime) -> dict[str, Any]:
    """The facts that scripts ask for by their own names."""
    return {
        "grants_respected": not reads_without_leave(tx),
        "elders_with_due": sorted(elders_with_due(tx, world, at)),
    }


def invitation_code(tx: Tx, world: World) -> str | None:
    """The six digits of the newest invitation that a giver was told."""
    told = [
        (letter.seq, wire.load_said(letter.body).text)
        for person in world.people
        for letter in letters.letters_to(tx, person)
        if wire.load_said(letter.body).response == "utter_invitation_code"
    ]
    match = _SIX.search(max(told)[1]) if told else None
    return match[0] if match else None


def reads_without_leave(tx: Tx) -> list[int]:
    """Lines of the audit that read somebody's data by a grant which did not stand at that moment."""
    given = tx.conn.execute(sa.select(grants)).all()
    reads = tx.conn.execute(sa.select(audit).where(audit.c.kind == "data_read").order_by(audit.c.seq)).all()
    return [
        read.seq
        for read in reads
        if read.body.get("reason") == "grant"
        and not any(
            grant.giver == read.person
            and grant.taker == read.actor
            and grant.verb == read.body["verb"]
            and access.stands(grant, read.at)
            for grant in given
        )
    ]


def elders_with_due(tx: Tx, world: World, at: datetime) -> set[str]:
    """Those who let a helper look after their bills and have one that is late or due within a week."""
    helpers = {p.id for p in world.people.values() if p.person.role is Role.HELPER}
    served = {
        link.giver
        for helper in helpers
        for link in looks.given_to(tx, PersonId(helper), at)
        if May.BILLS in link.verbs
    }
    until = shanghai(at).date() + _WEEK
    return {
        str(account.holder)
        for account in world.accounts.values()
        if account.holder in served
        and account.due
        and account.due_date is not None
        and account.due_date <= until
        and not account.ic_card
    }


__all__ = ["elders_with_due", "grants_of", "more", "reads_without_leave"]
