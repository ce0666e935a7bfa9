"""Slots and sentences as written in Rasa's open format, read strictly.

Our own slot types (money, account, digits, date, person, mandate) stand where Rasa leaves room for them:
`type: any` with `mappings: [{type: custom, metadata: {type: money, depends_on: [...], sensitive: true}}]`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from dialogues.model import ButtonSpec, Slot, Variation
from dialogues.predicate import Predicate, PredicateError, parse
from dialogues.problems import Reading, nearest
from dialogues.yamlfile import Items, Table, line_of

RASA_TYPES = ("text", "bool", "categorical", "float", "list", "any")
OWN_TYPES = ("money", "account", "digits", "date", "person", "mandate")

_SLOT_KEYS = {"type", "values", "initial_value", "influence_conversation", "mappings", "validation"}
_SLOT_KEYS |= {"min_value", "max_value", "shared_for_coexistence", "metadata"}
_MAPPING_KEYS = {
    "type",
    "conditions",
    "metadata",
    "entity",
    "role",
    "group",
    "intent",
    "not_intent",
    "value",
    "action",
}
_MAPPING_KEYS |= {"allow_nlu_correction", "run_action_every_turn", "coexistence_system"}
_OWN_SLOT_KEYS = {"type", "depends_on", "sensitive"}
_VARIATION_KEYS = {
    "text",
    "image",
    "custom",
    "buttons",
    "button_type",
    "quick_replies",
    "attachment",
    "elements",
}
_VARIATION_KEYS |= {"channel", "metadata", "condition", "id", "translation", "allow_interruptions"}


def read_slots(reading: Reading, table: Table) -> dict[str, Slot]:
    """The slots under `slots:` of one file."""
    return {name: _slot(reading, name, table, value) for name, value in table.items()}


def _slot(reading: Reading, name: str, holder: Table, value: Any) -> Slot:
    what = f"slot {name}"
    table = reading.as_table(value, line_of(holder, name), what)
    reading.keys(table, _SLOT_KEYS, what)
    own = _own_metadata(reading, table, what)
    written = reading.text(table, "type", what)
    if written not in RASA_TYPES:
        hint = "own types stand under mappings" if written in OWN_TYPES else nearest(written, RASA_TYPES)
        reading.wrong(line_of(table, "type"), f"{what} has no type the format knows: '{written}'", hint)
    values = _values(reading, table, what)
    if written == "categorical" and not values:
        reading.wrong(table.line, f"{what} is categorical and lists no values")
    return Slot(
        name=name,
        type=reading.text(own, "type", what) or written,
        values=values,
        initial=table.get("initial_value"),
        depends_on=reading.texts(own, "depends_on", what),
        sensitive=reading.flag(own, "sensitive", what),
        where=reading.place(line_of(holder, name)),
    )


def _values(reading: Reading, table: Table, what: str) -> tuple[str, ...]:
    return tuple(str(value) for value in reading.items(table, "values", what))


def _own_metadata(reading: Reading, table: Table, what: str) -> Table:
    """Our words about a slot: the metadata of its mapping."""
    found = reading.as_table(None, table.line, what)
    for value in reading.items(table, "mappings", what):
        mapping = reading.as_table(value, line_of(table, "mappings"), f"a mapping of {what}")
        reading.keys(mapping, _MAPPING_KEYS, f"a mapping of {what}")
        if not mapping.get("type"):
            reading.wrong(mapping.line, f"a mapping of {what} has no type")
        if "metadata" in mapping:
            found = reading.table(mapping, "metadata", what)
            reading.keys(found, _OWN_SLOT_KEYS, f"metadata of {what}")
            _check_own_type(reading, found, what)
    return found


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
    reading.keys(table, _VARIATION_KEYS, what)
    if not any(key in table for key in ("text", "custom", "image", "attachment", "buttons")):
        reading.wrong(table.line, f"a variation of {what} says nothing")
    one = Variation(
        text=reading.text(table, "text", what),
        buttons=tuple(_buttons(reading, table, what)),
        channel=reading.text(table, "channel", what) or None,
        condition=_condition(reading, table, what),
        metadata=_metadata(reading, table, what),
        where=reading.place(table.line),
    )
    yield locale, one
    translations = reading.table(table, "translation", what)
    for language in translations:
        text = reading.text(translations, language, what)
        yield language, Variation(text, one.buttons, one.channel, one.condition, one.metadata, one.where)


def _metadata(reading: Reading, table: Table, what: str) -> dict[str, Any]:
    metadata = dict(reading.table(table, "metadata", what))
    if table.get("allow_interruptions") is False:
        metadata["interruptible"] = False
    return metadata


def _buttons(reading: Reading, table: Table, what: str) -> Iterator[ButtonSpec]:
    for value in reading.items(table, "buttons", what):
        button = reading.as_table(value, line_of(table, "buttons"), f"a button of {what}")
        reading.keys(button, {"title", "payload", "type"}, f"a button of {what}")
        title = reading.text(button, "title", f"a button of {what}")
        if not title:
            reading.wrong(button.line, f"a button of {what} has no title")
        yield ButtonSpec(title, reading.text(button, "payload", f"a button of {what}") or title)


def _condition(reading: Reading, table: Table, what: str) -> Predicate | None:
    """When a variation may be said: a predicate, or the older list of slots and values."""
    value = table.get("condition")
    if isinstance(value, Items):
        return _listed_condition(reading, value, what)
    return None if value is None else reading.condition(table, "condition", what)


def _listed_condition(reading: Reading, items: Items, what: str) -> Predicate | None:
    parts = []
    for value in items:
        one = reading.as_table(value, items.line, f"condition of {what}")
        reading.keys(one, {"type", "name", "value"}, f"condition of {what}")
        wanted = one.get("value")
        parts.append(
            f"slots.{one.get('name')} is {'null' if wanted is None else json.dumps(wanted, ensure_ascii=False)}"
        )
    try:
        return parse(" and ".join(parts))
    except PredicateError as error:
        reading.wrong(items.line, f"condition of {what}: {error}")
        return None
