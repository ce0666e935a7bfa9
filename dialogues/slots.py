"""What may stand in a slot, which slots a piece of business uses, and what stops being true when one of them changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from dialogues.model import Flow, Release, Slot

_LONGEST = 300  # characters of a text somebody gives as an answer


def usable(slot: Slot | None, value: Any) -> bool:
    """Whether the value is of the slot's type. Amounts are whole fen and not negative (L5)."""
    if slot is None or value is None:
        return False
    match slot.type:
        case "money":
            # 全付 names no figure: the flow's own action puts what is due in its place, before anything is read back.
            return value == "all" or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool) and _within(slot, value)
        case "bool":
            return isinstance(value, bool)
        case "categorical":
            return value in slot.values
        case "list":
            return isinstance(value, list | tuple)
        case "date":
            return isinstance(value, date) or _short_text(value)
        case "any":
            return True
    return _short_text(value)


def can_hold(slot: Slot, value: Any) -> bool:
    """Whether a file may put the value there: what people could say, and what only files write (an empty text, a number as text)."""
    if slot.type in {"text", "account", "digits", "date", "person", "mandate"}:
        return isinstance(value, str | int | float) and not isinstance(value, bool)
    if slot.type == "categorical":
        return str(value) in slot.values
    return usable(slot, value)


def from_choice(slot: Slot | None, value: str) -> Any:
    """A chosen value in the type of its slot; None when the choice cannot be one."""
    if slot is None:
        return None
    if slot.type == "bool":
        return {"yes": True, "true": True, "no": False, "false": False}.get(value.lower())
    if slot.type == "money":
        return int(value) if value.isdecimal() else None
    if slot.type == "float":
        return float(value) if value.isdecimal() else None
    return value


def used_by(release: Release, flow: Flow) -> frozenset[str]:
    """Every slot a flow collects, sets, reads or has written by its actions, with the flows it calls."""
    return _used(release, flow, frozenset())


def collected_by(release: Release, flow: Flow) -> frozenset[str]:
    """The slots a flow, or a flow it calls, asks people for."""
    found: set[str] = set()
    for one in with_called(release, flow):
        found.update(step.collect for step in one.steps.values() if step.collect)
    return frozenset(found)


def dependents(slots: Mapping[str, Slot], changed: Iterable[str]) -> frozenset[str]:
    """Every slot that is no longer true when these change, directly or through others; not these themselves."""
    start = frozenset(changed)
    found: set[str] = set(start)
    while more := {
        name for name, slot in slots.items() if name not in found and not found.isdisjoint(slot.depends_on)
    }:
        found |= more
    return frozenset(found - start)


def without(values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The values but for these, which fall back to what they are initially."""
    return {name: value for name, value in values.items() if name not in names}


def _used(release: Release, flow: Flow, seen: frozenset[str]) -> frozenset[str]:
    found: set[str] = set()
    for one in with_called(release, flow, set(seen)):
        for step in one.steps.values():
            found.update(name for name, _ in step.assignments)
            if step.collect:
                found.add(step.collect)
            if spec := release.actions.get(step.action):
                found.update(spec.reads, spec.writes)
            if commit := step.metadata.get("commit"):
                found.update(commit.get("reads_back", ()))
    return frozenset(found & release.slots.keys())


def with_called(release: Release, flow: Flow, seen: set[str] | None = None) -> Iterable[Flow]:
    """A flow and every flow it calls, directly or not."""
    seen = set() if seen is None else seen
    seen.add(flow.id)
    yield flow
    for step in flow.steps.values():
        called = release.flows.get(step.flow) if step.kind == "call" else None
        if called is not None and called.id not in seen:
            yield from with_called(release, called, seen)


def _within(slot: Slot, value: float) -> bool:
    above = slot.lowest is None or value >= slot.lowest
    return above and (slot.highest is None or value <= slot.highest)


def _short_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= _LONGEST
