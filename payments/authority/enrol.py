"""A whole town enrolled at once: the demonstration's people with everything they own, granted and chose."""

from __future__ import annotations

from datetime import datetime

from data.ids import AccountId, PersonId
from data.model import Role
from data.store.engine import Tx
from data.town import World
from payments.authority import access, accounts, factors, people

# What the other one is, seen from the first; the neutral word where the town does not say father or mother.
_OTHER_SIDE = {
    "daughter": "parent",
    "son": "parent",
    "husband": "wife",
    "wife": "husband",
    "father": "child",
    "mother": "child",
    "helper": "elder_served",
}
_PARENT = {"husband": "father", "wife": "mother"}


def enrol_world(tx: Tx, world: World, at: datetime) -> None:
    """Writes people, addresses, relations, accounts, saved accounts, purses, grants and PINs of a town.

    Raises ValueError when a PIN of the town would not be taken from a person either.
    """
    _people(tx, world, at)
    _relations(tx, world)
    for account_id in _told(world):
        accounts.add_account(tx, world.accounts[account_id].account, at)
    for saver, ids in world.saved.items():
        for account_id in ids:
            accounts.save_for(tx, saver, account_id, "", at)
    for purse in world.instruments.values():
        access.add_instrument(tx, purse.instrument, at)
    for given in world.grants:
        access.grant(tx, given.elder, given.to, sorted(given.may), at)


def _told(world: World) -> list[AccountId]:
    """The accounts people have told us of: saved ones, and those of whoever lets another act for him.

    The others are known to their billers only, until somebody says the number.
    """
    saved = {account_id for ids in world.saved.values() for account_id in ids}
    givers = {given.elder for given in world.grants}
    return [a.id for a in world.accounts.values() if a.id in saved or a.holder in givers]


def _people(tx: Tx, world: World, at: datetime) -> None:
    for rank, towner in enumerate(world.people.values()):
        people.add_person(tx, towner.person, at)
        _addresses(tx, world, towner.id, at, rank)
    for towner in world.people.values():
        problem = factors.set_pin(tx, towner.id, towner.pin, at) if towner.pin else None
        if problem is not None:
            raise ValueError(f"the PIN of {towner.id} is {problem.value}")


def _addresses(tx: Tx, world: World, person: PersonId, at: datetime, rank: int) -> None:
    """His usual channel first, then his telephone, which takes codes for another channel and links, if it shows messages."""
    channel, phone = world.people[person].channel, world.phone_of(person)
    if channel != "voice":
        people.add_address(tx, person, channel, person, at, verified=True, rank=rank)
    if phone:
        people.add_address(tx, person, "voice", phone, at, verified=True, rank=rank)
    if phone and (channel != "voice" or world.people[person].person.smartphone):
        people.add_address(tx, person, "sms", phone, at, verified=True, rank=rank)


def _relations(tx: Tx, world: World) -> None:
    for relation in world.relations:
        people.relate(tx, relation.of, relation.person, relation.kind)
    for relation in world.relations:
        people.relate(tx, relation.person, relation.of, _seen_back(world, relation.of, relation.kind))
    for towner in world.people.values():
        for given in world.grants:
            if given.to == towner.id and towner.person.role is Role.HELPER:
                people.relate(tx, given.elder, towner.id, "helper")


def _seen_back(world: World, person: PersonId, kind: str) -> str:
    """What `person` is to the one who is his `kind`: 李建国, of whom 李敏 is the daughter, is her father."""
    back = _OTHER_SIDE.get(kind, "relative")
    if back != "parent":
        return back
    known = {r.kind for r in world.relations if r.person == person}
    known |= {_OTHER_SIDE[r.kind] for r in world.relations if r.of == person and r.kind in _PARENT}
    return next((parent for word, parent in _PARENT.items() if word in known), "parent")
