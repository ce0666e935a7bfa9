"""Beginning outside the demo town: whoever was identified in person is enrolled and linked by a member of staff.

A PIN is never set here: each person chooses his own in the talk, after a code to his telephone (settled 23).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from bot.app import open_store
from bot.settings import Settings
from data.clock import SystemClock
from data.ids import PersonId, fresh
from data.model import Person, Role, masked_name
from data.store.engine import Store, Tx
from payments.authority import invitations, looks, people
from payments.authority.invitations import OFFERS, Invitation, Offer

T = TypeVar("T")
_FEWEST_DIGITS = 7
_LENDS = "spend"  # lending a purse needs the owner's own yes with his PIN, in the talk


class CannotEnrol(Exception):
    """What was asked for cannot be done; the sentence says why and names no number."""


def everybody(settings: Settings) -> list[dict[str, Any]]:
    """Everybody enrolled: id, masked name, role, by how many roads he is reached, and whom he lets do what."""
    at = SystemClock().now()

    def read(tx: Tx) -> list[dict[str, Any]]:
        return [
            {
                "id": str(person.id),
                "name": masked_name(person.name),
                "role": person.role.value,
                "roads": [a.channel for a in people.addresses_of(tx, person.id)],
                "lets": {
                    str(x.taker): sorted(v.value for v in x.verbs) for x in looks.given_by(tx, person.id, at)
                },
            }
            for person in people.everybody(tx)
        ]

    return _with_store(settings, read)


def line(row: dict[str, Any]) -> str:
    """One person as one line of a terminal."""
    lets = "; ".join(f"{taker}: {', '.join(verbs)}" for taker, verbs in row["lets"].items())
    return f"{row['id']}  {row['name']}  {row['role']}  {' '.join(row['roads'])}" + (
        f"  lets {lets}" if lets else ""
    )


def enrol(
    settings: Settings, name: str, phone: str, role: str, *, elder: bool, smart: bool, locale: str
) -> PersonId:
    """Writes a person with his checked telephone; gives his id. Raises CannotEnrol."""
    if role not in {r.value for r in Role}:
        raise CannotEnrol(f"there is no role {role!r}; there are {', '.join(r.value for r in Role)}")
    if locale not in ("zh", "en"):
        raise CannotEnrol("the language is zh or en")
    if not name.strip() or sum(c.isdigit() for c in phone) < _FEWEST_DIGITS:
        raise CannotEnrol("a name and a whole telephone number are needed")
    at, person_id = SystemClock().now(), PersonId(fresh("per"))
    person = Person(person_id, name.strip(), Role(role), locale, elder, smartphone=smart)

    def write(tx: Tx) -> PersonId:
        people.add_person(tx, person, at)
        for channel in ("voice", "sms") if smart else ("voice",):
            people.add_address(tx, person_id, channel, phone, at, verified=True)
        return person_id

    return _with_store(settings, write)


def link(settings: Settings, giver: str, taker: str, relation: str, may: str) -> None:
    """Grants what the giver agreed to in person: seeing, or paying with the taker's own money. Raises CannotEnrol."""
    if may not in OFFERS or may == _LENDS:
        raise CannotEnrol(
            "here one may let somebody `see` or `pay`; a purse is lent in the talk, with the owner's PIN"
        )
    at = SystemClock().now()

    def write(tx: Tx) -> None:
        if giver == taker or any(people.find(tx, PersonId(p)) is None for p in (giver, taker)):
            raise CannotEnrol("both must be enrolled, and be two people; see `bangjiao people list`")
        agreed = Invitation("", PersonId(giver), Offer(relation, may), PersonId(taker))
        invitations.link(tx, agreed, at)

    _with_store(settings, write)


def _with_store(settings: Settings, run: Callable[[Tx], T]) -> T:
    if not settings.lasts:
        # Without it every start seals with another key, and nobody could open what is written here.
        raise CannotEnrol("set BANGJIAO_SECRET to the secret the server runs with")
    store: Store = open_store(settings)
    try:
        return store.run_now(run)
    finally:
        store.close()
