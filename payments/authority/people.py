"""The people we talk with, where each can be reached, and who is whose daughter."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.ids import PersonId, fresh
from data.model import Person, Role
from data.store.engine import Tx
from data.store.people import addresses, attempts, people, relations

TELEPHONES = frozenset({"voice", "sms"})
COOLING = timedelta(hours=72)


def _shared_phones() -> sa.Select[Any]:
    mine, theirs = addresses.alias(), addresses.alias()
    same = sa.and_(mine.c.channel == theirs.c.channel, mine.c.external_ix == theirs.c.external_ix)
    proven = sa.and_(mine.c.verified_at.is_not(None), theirs.c.verified_at.is_not(None))
    return (
        sa.select(mine.c.person, theirs.c.person.label("other"))
        .join(theirs, sa.and_(same, proven))
        .where(mine.c.person.in_(sa.bindparam("persons", expanding=True)), mine.c.channel == "voice")
    )


# Built once: building a statement costs more than running it, and these run in every turn.
_SHARED_PHONES = _shared_phones()
_RELATIVES = (
    sa.select(relations).where(relations.c.person == sa.bindparam("who")).order_by(relations.c.relative)
)
_PERSON = sa.select(people).where(people.c.id == sa.bindparam("who"))


class UnknownPerson(LookupError):
    """Nobody of this id is enrolled."""


@dataclass(frozen=True, slots=True)
class Address:
    """A place where a person is reached. It selects people; it proves nobody (settled 22)."""

    channel: str
    external_id: str = field(repr=False)
    verified: bool
    changed_at: datetime  # a changed address cools off 72 hours before limits rise (settled 23)


@dataclass(frozen=True, slots=True)
class Relation:
    """What a relative is to the person: father, daughter, helper …"""

    relative: PersonId
    kind: str


# --- people -----------------------------------------------------------------------------------------------------


def add_person(tx: Tx, person: Person, at: datetime) -> None:
    """Enrols somebody. Raises sqlalchemy.exc.IntegrityError when the id is taken."""
    tx.conn.execute(
        people.insert().values(
            id=person.id,
            name=tx.seal.seal("people.name", person.id, person.name),
            role=person.role.value,
            locale=person.locale,
            elder=person.elder,
            low_sight=person.low_sight,
            smartphone=person.smartphone,
            voice_notes=person.voice_notes,
            created_at=at,
        )
    )


def person(tx: Tx, id: PersonId) -> Person:
    """Somebody by id. Raises UnknownPerson."""
    row = tx.conn.execute(_PERSON, {"who": id}).first()
    if row is None:
        raise UnknownPerson(id)
    return _person(tx, row)


def find(tx: Tx, id: PersonId) -> Person | None:
    """A person, or None for somebody who is not enrolled."""
    try:
        return person(tx, id)
    except UnknownPerson:
        return None


def everybody(tx: Tx) -> list[Person]:
    """All who are enrolled, in the order in which they came."""
    rows = tx.conn.execute(sa.select(people).order_by(people.c.created_at, people.c.id))
    return [_person(tx, row) for row in rows]


def of_role(tx: Tx, *roles: Role) -> list[Person]:
    """All of these roles, in the order in which they came. Nobody else's name is opened, however many there are."""
    wanted = sa.select(people).where(people.c.role.in_([role.value for role in roles]))
    rows = tx.conn.execute(wanted.order_by(people.c.created_at, people.c.id))
    return [_person(tx, row) for row in rows]


def anybody(tx: Tx) -> bool:
    """Whether somebody is enrolled."""
    return bool(tx.conn.scalar(sa.select(sa.exists().select_from(people))))


def prefer(tx: Tx, id: PersonId, *, locale: str | None = None, low_sight: bool | None = None) -> None:
    """Keeps what a person asked for: the language, large print."""
    wishes = {"locale": locale, "low_sight": low_sight}
    asked = {name: value for name, value in wishes.items() if value is not None}
    if asked:
        tx.conn.execute(people.update().where(people.c.id == id).values(**asked))


def _person(tx: Tx, row: Any) -> Person:
    return Person(
        id=PersonId(row.id),
        name=tx.seal.open("people.name", row.id, row.name),
        role=Role(row.role),
        locale=row.locale,
        elder=row.elder,
        low_sight=row.low_sight,
        smartphone=row.smartphone,
        voice_notes=row.voice_notes,
    )


# --- where they are reached -------------------------------------------------------------------------------------


def add_address(
    tx: Tx, person: PersonId, channel: str, external_id: str, at: datetime, verified: bool, rank: int = 0
) -> None:
    """Adds an address, or its verification when it is there. `rank` orders those who share a telephone."""
    plain = _plain(channel, external_id)
    address_id = fresh("adr")
    index = tx.seal.blind("addresses", channel, plain)
    if older := tx.seal.older("addresses", channel, plain):
        # While the secret is being changed: those who share a telephone must be found together.
        here = sa.and_(addresses.c.channel == channel, addresses.c.external_ix.in_(older))
        tx.conn.execute(addresses.update().where(here).values(external_ix=index))
    new = tx.put_new(
        addresses,
        id=address_id,
        person=person,
        channel=channel,
        external_id=tx.seal.seal("addresses.external_id", address_id, plain),
        external_ix=index,
        rank=rank,
        verified_at=at if verified else None,
        changed_at=at,
    )
    if not new and verified:
        same = sa.and_(addresses.c.person == person, addresses.c.channel == channel)
        unverified = sa.and_(same, addresses.c.external_ix == index, addresses.c.verified_at.is_(None))
        tx.conn.execute(addresses.update().where(unverified).values(verified_at=at))


def person_at(tx: Tx, channel: str, external_id: str) -> list[PersonId]:
    """Who is reached there, the first of the household first; several may share a telephone."""
    known = tx.seal.blinds("addresses", channel, _plain(channel, external_id))
    here = sa.and_(addresses.c.channel == channel, addresses.c.external_ix.in_(known))
    query = sa.select(addresses.c.person).where(here).order_by(addresses.c.rank, addresses.c.person)
    return [PersonId(found) for found in tx.conn.scalars(query)]


def addresses_of(tx: Tx, person: PersonId) -> list[Address]:
    """Where a person is reached, the preferred place first; among equals a message comes before a ringing telephone."""
    rings = sa.case((addresses.c.channel == "voice", 1), else_=0)
    query = sa.select(addresses).where(addresses.c.person == person)
    rows = tx.conn.execute(query.order_by(addresses.c.rank, rings, addresses.c.changed_at, addresses.c.id))
    return [
        Address(
            channel=row.channel,
            external_id=tx.seal.open("addresses.external_id", row.id, row.external_id),
            verified=row.verified_at is not None,
            changed_at=row.changed_at,
        )
        for row in rows
    ]


def cooling(tx: Tx, person: PersonId, at: datetime) -> bool:
    """Whether an address of his was changed, or his PIN lifted, within 72 hours: until then nothing he may spend or lend
    rises (settled 23)."""
    born = tx.conn.scalar(sa.select(people.c.created_at).where(people.c.id == person))
    moved = any(
        born is not None and born < a.changed_at and at < a.changed_at + COOLING
        for a in addresses_of(tx, person)
    )
    return moved or _lifted_lately(tx, person, at)


def _lifted_lately(tx: Tx, person: PersonId, at: datetime) -> bool:
    lately = sa.and_(attempts.c.subject == pin_lifted(person), attempts.c.at > at - COOLING)
    return tx.conn.execute(sa.select(attempts.c.seq).where(lately)).first() is not None


def pin_lifted(person: PersonId) -> str:
    """Under which name it is counted that his PIN was lifted; it stays after he set a new one."""
    return f"pin_lifted:{person}"


def households(tx: Tx, persons: set[PersonId]) -> dict[PersonId, frozenset[PersonId]]:
    """For each person those who share a verified telephone with him, himself included."""
    found: dict[PersonId, set[PersonId]] = {who: {who} for who in persons}
    for row in tx.conn.execute(_SHARED_PHONES, {"persons": list(persons)}):
        found[PersonId(row.person)].add(PersonId(row.other))
    return {who: frozenset(others) for who, others in found.items()}


def _plain(channel: str, external_id: str) -> str:
    return plain_number(external_id) if channel in TELEPHONES else external_id


def plain_number(number: str) -> str:
    """A telephone number as its digits only, without China's prefix."""
    digits = "".join(c for c in number if c.isascii() and c.isdigit())
    for prefix in ("0086", "86"):
        if number.strip().startswith(("+" + prefix, "0086")) and digits.startswith(prefix):
            return digits[len(prefix) :]
    return digits


# --- who is what to whom ----------------------------------------------------------------------------------------


def relate(tx: Tx, person: PersonId, relative: PersonId, kind: str) -> None:
    """Writes that `relative` is the `kind` of `person`; what was said first stays."""
    tx.put_new(relations, person=person, relative=relative, kind=kind)


def relatives(tx: Tx, person: PersonId) -> list[Relation]:
    """Everybody who is something to this person."""
    rows = tx.conn.execute(_RELATIVES, {"who": person})
    return [Relation(PersonId(row.relative), row.kind) for row in rows]
