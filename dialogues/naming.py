"""How one person is called when another is told about him: your daughter Li Min, the community helper, or a masked name."""

from __future__ import annotations

from data.ids import PersonId
from data.model import Role, masked_name
from data.store.engine import Tx
from dialogues.relations import relation_word
from payments.authority import people
from payments.purse import relation_of

# What a person says, and the kinds of relation it may mean.
_COVERS = {
    "daughter": {"daughter", "child"},
    "son": {"son", "child"},
    "mother": {"mother", "parent"},
    "father": {"father", "parent"},
    "parents": {"mother", "father", "parent"},
    "spouse": {"husband", "wife", "spouse"},
}


def is_called(tx: Tx, person: PersonId, other: PersonId, word: str) -> bool:
    """Whether `word` (daughter, spouse …) is what the other is to this person."""
    kinds = {r.kind for r in people.relatives(tx, person) if r.relative == other}
    return bool(kinds & _COVERS.get(word, {word}))


def named(tx: Tx, person: PersonId, other: PersonId, locale: str) -> str:
    """Another by name and by what he is to this person: 您女儿李敏, 社区帮办员周慧."""
    known = people.find(tx, other)
    if known is None:
        return "有人" if locale == "zh" else "Somebody"
    viewer = people.find(tx, person)
    if viewer is not None and viewer.role is Role.HELPER:
        return masked_name(known.name)
    kind = relation_of(tx, person, other)
    if known.role is Role.HELPER:
        kind = "helper"
    if known.role is Role.OPERATOR:
        return f"{known.name} of our staff" if locale == "en" else f"工作人员{known.name}"
    word = relation_word(kind, locale)
    if word is None:
        return masked_name(known.name)  # nobody to each other yet: an invitation refused tells no full name
    if locale == "en":
        return f"{'the community' if kind == 'helper' else 'your'} {word} {known.name}"
    if kind == "parent":
        return f"您家{known.name}"  # one of the two: 您父母 would be both
    return f"{word}{known.name}" if kind == "helper" else f"您{word}{known.name}"
