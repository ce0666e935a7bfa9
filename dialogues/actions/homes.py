"""Whose home is meant: 爸妈家, 程老伯, 王阿姨 of whom there are three; and which accounts stand under one roof."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from data.model import Role
from dialogues.actions.choosing import Place, listed, page_of
from dialogues.actions.ports import Arguments, Inside
from nlu.aliases import fits_name
from payments.authority import accounts, people
from payments.authority.accounts import KnownAccount

# What a relation word covers: 爸妈 is either of them, and a helper's elders are no relatives.
_COVERS = {
    "parents": {"father", "mother", "parent"},
    "mother": {"mother", "parent"},  # nobody may ever have said whether a parent is father or mother
    "father": {"father", "parent"},
    "spouse": {"husband", "wife", "spouse"},
}
_HOMES = dict.fromkeys(("father", "mother", "parent"), "parents")
ONE_HOME = {"self", "husband", "wife", "spouse", ""}


def is_meant(known: KnownAccount, slots: Arguments) -> bool:
    """Whether an account belongs to who was named, by name, by family name and title, or by kinship; anybody's when nobody was."""
    relation, name = slots.get("relation"), slots.get("person_name")
    if name:
        return fits_name(name, known.owner_name_masked)
    if not relation:
        return True
    return known.relation in _COVERS.get(relation, {relation})


def under_one_roof(known: KnownAccount, slots: Arguments) -> bool:
    """我妈家的电费 may run under the father's name: the holder's name is read back before anything is paid."""
    return slots.get("relation") in ("mother", "father") and known.relation in _COVERS["parents"]


def nobody_we_may_see(room: Inside, slots: Arguments) -> bool:
    """A helper names an elder who never agreed: said plainly, instead of asking for a number."""
    if not slots.get("person_name"):
        return False
    if people.person(room.tx, room.person).role is not Role.HELPER:
        return False
    known = accounts.known_accounts(room.tx, room.person, room.now)
    return not any(fits_name(slots["person_name"], k.owner_name_masked) for k in known)


def home_of(known: KnownAccount) -> str:
    """Whose home an account belongs to: its owner, or the name on it while he is not enrolled."""
    return str(known.owner or known.owner_name_masked)


def homes(found: Iterable[KnownAccount], room: Inside, slots: Arguments) -> dict[str, Any]:
    """Several homes that one name may mean (王阿姨), as words to choose by and a short list to read."""
    first = {home_of(known): known for known in reversed(list(found))}
    places = {home: _home_place(known, room.locale) for home, known in sorted(first.items())}
    page = listed(places, room.locale, spoken=room.facts.spoken, page=page_of(slots, "home_choice"))
    return {
        "home_choices": page.words,
        "home_list": page.told,
        "list_page": page.number,
        "home_choice": None,
    }


def _home_place(known: KnownAccount, locale: str) -> Place:
    name, tail = known.owner_name_masked, known.account.tail
    line = f"{name} " + (f"尾号{tail}" if locale == "zh" else f"ending {tail}")
    return Place(line, f"{name} {tail}", (tail,))


def household_of(known: KnownAccount) -> str:
    """The home an account is told and paid with: one's own, the parents', or each elder's who is helped."""
    if known.relation in ("elder_served", "") and known.owner is not None:
        return home_of(known)
    return "own" if known.relation in ONE_HOME else _HOMES.get(known.relation, known.relation)
