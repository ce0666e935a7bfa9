"""A few values that stand for all: empty, as usual, and each one that some condition asks about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any

from dialogues import slots
from dialogues.exploring.reading import Reading
from dialogues.model import Release, Slot

LITTLE, USUAL, MUCH = 100, 5000, 900000  # fen, where amounts are compared with each other
_MOST_TOGETHER = 6  # answers with every combination of their values; more vary one value at a time

_FORM = re.compile(r"\{([a-z_][a-z0-9_]*)\.(date|money|yuan|column)\}")
_BY_TYPE: dict[str, Any] = {
    "bool": True,
    "float": 1,
    "money": USUAL,
    "account": "031900123456",
    "digits": "123456",
    "date": "2026-03-20",
    "list": ("甲", "乙"),
}


class Values:
    """What may stand in a slot, as far as it makes a difference."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.slots = reading.release.slots
        self._choices = {
            str(step.metadata["choices_from"])
            for flow in reading.release.flows.values()
            for step in flow.steps.values()
            if step.metadata.get("choices_from")
        }
        self._said_as = dict(_forms(reading.release))

    def usual(self, name: str) -> Any:
        """The value nobody would look at twice."""
        slot = self.slots.get(name)
        if name in self._choices:
            return self._list_of_choices(name)
        if name in self._said_as:
            return _BY_TYPE["date" if self._said_as[name] == "date" else "money"]
        if slot is None:
            return "甲"
        if slot.type == "categorical":
            compared = {value for found in self.reading.literals.values() for value in found.get(name, ())}
            return next((value for value in slot.values if value not in compared), slot.values[0])
        if slot.type == "any":
            return {"甲": ["甲"]}
        return _BY_TYPE.get(slot.type, "甲")

    def of(self, name: str, flow: str) -> tuple[Any, ...]:
        """The usual value first, then every other one that a condition of this flow tells apart from it; None is empty."""
        found: dict[Any, None] = {} if name in self._choices else {self.usual(name): None}
        compared = self.reading.literals[flow].get(name, {})
        slot = self.slots.get(name)
        if slot is not None and slot.type == "bool":
            found |= dict.fromkeys((True, False))
        if name in self.reading.ordered:
            found |= dict.fromkeys((LITTLE, MUCH))
        found |= dict.fromkeys(value for value in compared if value is not None)
        usual = [self.usual(name)] if name in self._choices else []
        return (*usual, *found, *((None,) if None in compared else ()))

    def said_for(self, slot: Slot, flow: str) -> tuple[Any, ...]:
        """What a person may answer: every value of the slot's type that makes a difference."""
        return tuple(value for value in self.of(slot.name, flow) if slots.usable(slot, value))

    def combinations(self, names: Iterable[str], flow: str) -> list[Mapping[str, Any]]:
        """Each way these slots may be filled together; where that were too many, one differs from the usual at a time."""
        ways = {name: self.of(name, flow) for name in sorted(names)}
        count = 1
        for values in ways.values():
            count *= len(values)
        if count <= _MOST_TOGETHER:
            return [dict(zip(ways, values, strict=True)) for values in product(*ways.values())]
        usual = {name: values[0] for name, values in ways.items()}
        return [usual] + [usual | {name: value} for name, values in ways.items() for value in values[1:]]

    def _list_of_choices(self, name: str) -> dict[str, list[str]]:
        asked = [str(value) for value in self.reading.choices.get(name, {}) if value is not None]
        return {value: [value, str(key)] for key, value in enumerate(["甲", "乙", *asked][-3:], start=1)}


def _forms(release: Release) -> Iterator[tuple[str, str]]:
    """What sentences say as a date or an amount, whatever the type of its slot: {until.date}."""
    for sentences in release.responses.values():
        for variations in sentences.values():
            for variation in variations:
                yield from _FORM.findall(variation.text)
