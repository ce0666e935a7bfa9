"""Slots and sentences as written in Rasa's open format, read strictly.

Our own slot types (money, account, digits, date, person, mandate) stand where Rasa leaves room for them:
`type: any` with `mappings: [{type: custom, metadata: {type: money, depends_on: [...], sensitive: true}}]`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dialogues import payloads, vocabulary
from dialogues.flowfile import read_rejections
from dialogues.model import ButtonSpec, Filling, Session, Slot, Variation, Where
from dialogues.predicate import Predicate, PredicateError, parse
from dialogues.problems import Reading, nearest
from dialogues.slots import can_hold
from dialogues.yamlfile import Items, Table, line_of

OWN_TYPES = ("money", "account", "digits", "date", "person", "mandate")

_OWN_SLOT_KEYS = {"type", "depends_on", "sensitive"}
_SAYS = ("text", "custom", "image", "attachment", "elements", "buttons", "quick_replies")
_FROM_NEEDS = {"from_intent": "value", "from_trigger_intent": "value", "from_entity": "entity"}
_SLOT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Names:
    """What a domain says there is: intents, entities with their roles and groups, actions. Each with the place it stands at."""

    intents: Mapping[str, Where] = field(default_factory=dict)
    entities: Mapping[str, frozenset[str]] = field(default_factory=dict)
    actions: Mapping[str, Where] = field(default_factory=dict)

    def __or__(self, other: Names) -> Names:
        return Names(
            {**self.intents, **other.intents},
            {**self.entities, **other.entities},
            {**self.actions, **other.actions},
        )


def read_names(reading: Reading, content: Table) -> Names:
    """`intents:`, `entities:` and `actions:` of one file."""
    intents = reading.names(content, "intents", "intent", "the file")
    entities = reading.names(content, "entities", "entity", "the file")
    actions = reading.names(content, "actions", "action", "the file")
    kinds = {
        name: frozenset((*reading.texts(words, "roles", name), *reading.texts(words, "groups", name)))
        for name, words in entities.items()
    }
    return Names(
        {name: reading.place(words.line) for name, words in intents.items()},
        kinds,
        {name: reading.place(words.line) for name, words in actions.items()},
    )


def read_session(reading: Reading, content: Table) -> Session | None:
    """`session_config:` of one file, None when it has none."""
    if content.get("session_config") is None:
        return None
    what = "session_config"
    table = reading.table(content, what, "the file")
    reading.words(table, what, what)
    minutes = reading.number(table, "session_expiration_time", what) or 0
    if minutes < 0:
        line = line_of(table, "session_expiration_time")
        reading.wrong(line, f"session_expiration_time of {what} must be minutes, or 0 for never")
    return Session(minutes, reading.flag(table, "carry_over_slots_to_new_session", what, True))


def read_slots(reading: Reading, table: Table) -> dict[str, Slot]:
    """The slots under `slots:` of one file."""
    return {name: _slot(reading, name, table, value) for name, value in table.items()}


def _slot(reading: Reading, name: str, holder: Table, value: Any) -> Slot:
    what = f"slot {name}"
    if not _SLOT_NAME.fullmatch(name):
        reading.wrong(line_of(holder, name), f"'{name}' is no name for a slot", "letters, digits, _ and -")
    table = reading.as_table(value, line_of(holder, name), what)
    reading.words(table, what, "slot")
    written = _type(reading, table, what)
    fillings, own = _mappings(reading, table, what)
    validation = reading.table(table, "validation", what)
    reading.words(validation, f"validation of {what}", "validation")
    slot = Slot(
        name=name,
        type=reading.text(own, "type", what) or written,
        values=_values(reading, table, written, what),
        initial=table.get("initial_value"),
        depends_on=reading.texts(own, "depends_on", what),
        sensitive=reading.flag(own, "sensitive", what),
        where=reading.place(line_of(holder, name)),
        lowest=reading.number(table, "min_value", what),
        highest=reading.number(table, "max_value", what),
        fillings=fillings,
        rejections=read_rejections(reading, validation, f"validation of {what}"),
        refill=reading.text(validation, "refill_utter", f"validation of {what}"),
    )
    _check_initial(reading, table, slot)
    return slot


def _type(reading: Reading, table: Table, what: str) -> str:
    written = reading.text(table, "type", what)
    if "." in written:
        line = line_of(table, "type")
        reading.wrong(line, f"{what}: its type is Python ('{written}')", "write any")
        return ""
    if written in OWN_TYPES:
        hint = "own types stand under mappings: type any, metadata {type: …}"
        reading.wrong(
            line_of(table, "type"), f"{what}: there is no slot type '{written}' in the format", hint
        )
        return ""
    return reading.word(table, "type", "slot type", what)


def _values(reading: Reading, table: Table, written: str, what: str) -> tuple[str, ...]:
    values = tuple(str(value) for value in reading.items(table, "values", what))
    if written == "categorical" and not values:
        reading.wrong(table.line, f"{what} is categorical and lists no values")
    if written != "categorical" and values:
        reading.wrong(line_of(table, "values"), f"{what} lists values and is {written}, not categorical")
    return values


def _check_initial(reading: Reading, table: Table, slot: Slot) -> None:
    if slot.initial is not None and slot.type and not can_hold(slot, slot.initial):
        line = line_of(table, "initial_value")
        reading.wrong(line, f"initial_value of slot {slot.name} is no {slot.type}: {_shown(slot.initial)}")


def _shown(value: Any) -> str:
    return str(value)[:40]


# --- who may fill a slot ------------------------------------------------------------------------------------------


def _mappings(reading: Reading, table: Table, what: str) -> tuple[tuple[Filling, ...], Table]:
    """Who may fill it, and our own words about it: the metadata of a mapping."""
    own = reading.as_table(None, table.line, what)
    fillings = []
    for value in reading.items(table, "mappings", what):
        mapping = reading.as_table(
            value, line_of(value) or line_of(table, "mappings"), f"a mapping of {what}"
        )
        fillings.append(_filling(reading, mapping, f"a mapping of {what}"))
        if "metadata" in mapping:
            own = reading.table(mapping, "metadata", what)
            reading.keys(own, _OWN_SLOT_KEYS, f"metadata of {what}")
            _check_own_type(reading, own, what)
    return tuple(fillings), own


def _filling(reading: Reading, mapping: Table, what: str) -> Filling:
    reading.words(mapping, what, "mapping")
    if not mapping.get("type"):
        reading.wrong(mapping.line, f"{what} has no type")
        return Filling("custom")
    kind = reading.word(mapping, "type", "mapping type", what)
    needed = _FROM_NEEDS.get(kind)
    if needed and needed not in mapping:
        reading.wrong(mapping.line, f"{what} is {kind} and has no {needed}")
    for flag in ("allow_nlu_correction",):
        reading.flag(mapping, flag, what)
    return Filling(
        kind=kind,
        intents=reading.one_or_more(mapping, "intent", what),
        not_intents=reading.one_or_more(mapping, "not_intent", what),
        entity=(
            reading.text(mapping, "entity", what),
            reading.text(mapping, "role", what),
            reading.text(mapping, "group", what),
        ),
        value=mapping.get("value"),
        flows=tuple(_in_flows(reading, mapping, what)),
    )


def _in_flows(reading: Reading, mapping: Table, what: str) -> Iterator[str]:
    for value in reading.items(mapping, "conditions", what):
        one = reading.as_table(value, line_of(mapping, "conditions"), f"a condition of {what}")
        reading.words(one, f"a condition of {what}", "mapping condition")
        if flow := reading.text(one, "active_flow", what):
            yield flow


def _check_own_type(reading: Reading, metadata: Table, what: str) -> None:
    own = metadata.get("type")
    if own is not None and own not in OWN_TYPES:
        reading.wrong(
            line_of(metadata, "type"),
            f"{what} has no own type we know: '{own}'",
            nearest(str(own), OWN_TYPES),
        )


# --- responses ---------------------------------------------------------------------------------------------------


def read_responses(
    reading: Reading, table: Table, locale: str
) -> dict[str, dict[str, tuple[Variation, ...]]]:
    """The sentences under `responses:` of one file, by locale (a variation may carry its own translations)."""
    found: dict[str, dict[str, tuple[Variation, ...]]] = {locale: {}}
    for name in table:
        variations = reading.items(table, name, "responses")
        if not variations:
            reading.wrong(line_of(table, name), f"response {name} says nothing")
        for value in variations:
            for language, variation in _variations(reading, name, value, line_of(table, name), locale):
                sentences = found.setdefault(language, {})
                sentences[name] = (*sentences.get(name, ()), variation)
    return found


def _variations(
    reading: Reading, name: str, value: Any, line: int, locale: str
) -> Iterator[tuple[str, Variation]]:
    what = f"response {name}"
    table = reading.as_table(value, line_of(value) or line, what)
    reading.words(table, what, "variation")
    if not any(key in table for key in _SAYS):
        reading.wrong(table.line, f"a variation of {what} says nothing")
    one = Variation(
        text=reading.text(table, "text", what),
        buttons=(
            *_buttons(reading, table, "buttons", what),
            *_buttons(reading, table, "quick_replies", what),
        ),
        channel=reading.text(table, "channel", what) or None,
        condition=_condition(reading, table, what),
        metadata=_metadata(reading, table, what),
        where=reading.place(table.line),
        id=reading.text(table, "id", what),
    )
    yield locale, one
    translations = reading.table(table, "translation", what)
    for language in translations:
        text = reading.text(translations, language, what)
        yield language, replace(one, text=text)


def _metadata(reading: Reading, table: Table, what: str) -> dict[str, Any]:
    written = reading.table(table, "metadata", what)
    foreign = Table(
        {key: value for key, value in written.items() if vocabulary.find(key, "variation metadata")}
    )
    foreign.line, foreign.lines = written.line, written.lines
    reading.words(foreign, f"metadata of {what}", "variation metadata")
    metadata = {key: value for key, value in written.items() if key not in foreign}
    if not reading.flag(table, "allow_interruptions", what, True):
        metadata["interruptible"] = False
    return metadata


def _buttons(reading: Reading, table: Table, key: str, what: str) -> Iterator[ButtonSpec]:
    for value in reading.items(table, key, what):
        button = reading.as_table(value, line_of(value) or line_of(table, key), f"a button of {what}")
        reading.words(button, f"a button of {what}", "button")
        title = reading.text(button, "title", f"a button of {what}")
        if not title:
            reading.wrong(button.line, f"a button of {what} has no title")
        payload = reading.text(button, "payload", f"a button of {what}") or title
        try:
            payloads.read(payload)
        except payloads.NoPayload as problem:
            reading.wrong(
                line_of(button, "payload"), f"a button of {what}: {problem}", f"as written: {payload}"
            )
        yield ButtonSpec(title, payload)


def _condition(reading: Reading, table: Table, what: str) -> Predicate | None:
    """When a variation may be said: a predicate, or the older list of slots and values."""
    value = table.get("condition")
    if isinstance(value, Items):
        return _listed_condition(reading, value, what)
    return None if value is None else reading.condition(table, "condition", what)


def _listed_condition(reading: Reading, items: Items, what: str) -> Predicate | None:
    parts = []
    for value in items:
        one = reading.as_table(value, line_of(value) or items.line, f"condition of {what}")
        reading.words(one, f"condition of {what}", "response condition")
        if one.get("type") != "slot" or not isinstance(one.get("name"), str):
            reading.wrong(one.line or items.line, f"condition of {what} must be {{type: slot, name, value}}")
            continue
        wanted = one.get("value")
        parts.append(
            f"slots.{one.get('name')} is {'null' if wanted is None else json.dumps(wanted, ensure_ascii=False)}"
        )
    if not parts:
        return None
    try:
        return parse(" and ".join(parts))
    except PredicateError as error:
        reading.wrong(items.line, f"condition of {what}: {error}")
        return None
