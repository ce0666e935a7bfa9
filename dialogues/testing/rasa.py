"""Test cases in Rasa's end-to-end format, with the steps and assertions that Rasa has no word for.

Ours beside `user`: button, dtmf, voice, silence, hangup, advance, redeliver, double_tap, restart_process, event, deploy,
and `by: PERSON` with any of the human ones. Who talks stands in a named metadata entry, the one place the format leaves
open: {persona, channel, locale, given}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from data.clock import SHANGHAI
from dialogues import vocabulary
from dialogues.model import Where
from dialogues.testing import notation
from dialogues.testing.node import Node
from dialogues.testing.script import (
    STRANGER,
    Assertion,
    BadScript,
    Check,
    Disturb,
    Event,
    Human,
    Mistake,
    Press,
    Script,
    Step,
    Unknown,
    words,
)

TOP = frozenset({"test_cases", "fixtures", "stub_custom_actions"})
_OWN = frozenset({"persona", "channel", "locale", "given"})
_LOOSE = ("utter", "bot", "slot_was_set", "slot_was_not_set")  # steps that are themselves assertions
_DISTURB = {"redeliver": "redeliver", "double_tap": "double_tap", "restart_process": "restart"}
OWN_STEPS = words("button dtmf voice silence hangup call_in advance event deploy") | _DISTURB.keys()
OWN_ASSERTIONS = words("money_moved gateway_calls spoken_matches outbox utter bot")
ASSERTIONS = vocabulary.known("assertion") | OWN_ASSERTIONS
_FLOWS = ("flow_started", "flow_completed", "flow_cancelled")
_MESSAGES = ("bot_uttered", "bot_did_not_utter")
_WITH = frozenset({"by", "assertions", "assertion_order_enabled", "metadata"})
_CLOCK = "mocked_datetime"


def shared_fixtures(folder: Path, read_one: Callable[[Path], Node | None]) -> dict[str, dict[str, Any]]:
    """Fixtures of a conftest.yml beside the tests."""
    for name in ("conftest.yml", "conftest.yaml"):
        if (node := read_one(folder / name)) is not None:
            return _named(node.mapping("conftest").get("fixtures"), "fixtures")
    return {}


def scripts(node: Node, shared: Mapping[str, dict[str, Any]]) -> tuple[list[Script], list[Mistake]]:
    """Every test case of one document; a case that cannot be read is a mistake of its own."""
    top = node.mapping("a test file")
    try:
        unknown: list[str] = [*_strange(top, "file", "test file")]
        fixtures = {**shared, **_named(top.get("fixtures"), "fixtures")}
        metadata = _named(top.get("metadata"), "metadata")
        stubs = _stubs(top["stub_custom_actions"], unknown) if "stub_custom_actions" in top else {}
        cases = top["test_cases"].items("test_cases") if "test_cases" in top else []
    except BadScript as bad:
        return [], [bad.mistake]
    found, mistakes = [], []
    for each in cases:
        try:
            found.append(_case(each, fixtures, metadata, stubs, unknown))
        except BadScript as bad:
            mistakes.append(bad.mistake)
    return found, mistakes


def _strange(row: Mapping[str, Node], prefix: str, place: str) -> Iterator[Unknown]:
    """Keys that the format does not know at this place, and those it refuses, with the reason."""
    for key, node in row.items():
        word = vocabulary.find(key, place)
        if word is None:
            yield Unknown(f"{prefix}.{key}", node.where)
        elif word.standing == "refused":
            yield Unknown(f"{prefix}.{key} is refused: {word.meaning}", node.where)


def _stubs(node: Node, unknown: list[str]) -> dict[str, Any]:
    """{action: {events: [{event: slot, name, value}], outcome}} as action -> {outcome, slots}."""
    found: dict[str, Any] = {}
    for action, stub in node.mapping("stub_custom_actions").items():
        row = stub.mapping(action)
        unknown += _strange(row, "stub", "stub")
        found[action] = {
            "outcome": row["outcome"].text("outcome") if "outcome" in row else None,
            "slots": _stubbed_slots(row.get("events"), unknown),
        }
    return found


def _stubbed_slots(events: Node | None, unknown: list[str]) -> dict[str, Any]:
    slots: dict[str, Any] = {}
    for each in events.items("events") if events is not None else ():
        row = each.mapping("an event")
        unknown += _strange(row, "event", "stub event")
        for key in ("event", "name"):
            if key not in row:
                raise each.bad(f"an event needs {key!r}")
        row["event"].one_of("event", ("slot",))
        slots[row["name"].text("name")] = row["value"].plain() if "value" in row else None
    return slots


def _named(node: Node | None, what: str) -> dict[str, dict[str, Any]]:
    """[{name: [{key: value}, …]}, …] or [{name: {key: value}}, …] as name -> values."""
    found: dict[str, dict[str, Any]] = {}
    for each in node.items(what) if node is not None else ():
        for name, rows in each.mapping(f"an entry of {what}").items():
            found[name] = {}
            for row in rows.value if isinstance(rows.value, list) else [rows]:
                found[name] |= {k: v.plain() for k, v in row.mapping(f"{what}.{name}").items()}
    return found


def _case(
    node: Node,
    fixtures: Mapping[str, dict[str, Any]],
    metadata: Mapping[str, dict[str, Any]],
    stubs: Mapping[str, Any],
    unknown: list[str],
) -> Script:
    row = node.mapping("a test case")
    unknown = [*unknown, *_strange(row, "test_case", "test case")]
    for key in ("test_case", "steps"):
        if key not in row:
            raise node.bad(f"a test case needs {key!r}")
    name = row["test_case"].text("test_case")
    slots = _fixtures(row.get("fixtures"), fixtures)
    about = _metadata(row.get("metadata"), metadata)
    unknown += [f"metadata.{key}" for key in about if key not in _OWN]
    start = slots.pop(_CLOCK, None)
    stubbed = {key: value for key, value in stubs.items() if "::" not in key or key.startswith(f"{name}::")}
    given = notation.given(_as_node(about.get("given", {}), row["steps"].where), unknown)
    extra = {"slots": slots} if slots else {}
    return Script(
        id=name,
        where=node.where,
        persona=str(about.get("persona", STRANGER)),
        channel=about.get("channel"),
        locale=about.get("locale"),
        given={**given, **extra, **({"stub_custom_actions": stubbed} if stubbed else {})},
        steps=tuple(each for one in row["steps"].items("steps") for each in _steps(one, unknown)),
        unknown=tuple(dict.fromkeys(unknown)),
        start=_instant(start, node),
    )


def _instant(value: Any, node: Node) -> datetime | None:
    """A clock time of a fixture; without a zone it is one of Shanghai."""
    if value is None:
        return None
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise node.bad(f"{_CLOCK} must be an instant, not {value!r}") from None
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)


def _as_node(value: Any, where: Where) -> Node:
    if isinstance(value, dict):
        return Node(where, {k: _as_node(v, where) for k, v in value.items()})
    if isinstance(value, list):
        return Node(where, [_as_node(v, where) for v in value])
    return Node(where, value)


def _fixtures(node: Node | None, fixtures: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in node.texts("fixtures") if node is not None else ():
        if name not in fixtures:
            assert node is not None
            raise node.bad(f"no fixture is called {name!r}")
        found |= fixtures[name]
    return found


def _metadata(node: Node | None, metadata: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    if node is None:
        return {}
    name = node.text("metadata")
    if name not in metadata:
        raise node.bad(f"no metadata is called {name!r}")
    return metadata[name]


# --- steps --------------------------------------------------------------------------------------------------------


def _steps(node: Node, unknown: list[str]) -> list[Step]:
    """A step, and the check of its assertions after it."""
    row = node.mapping("a step")
    refused = {key for key in row if (w := vocabulary.find(key, "test step")) and w.standing == "refused"}
    unknown += _strange({key: row[key] for key in refused}, "step", "test step")
    kinds = [key for key in row if key not in _WITH and key not in refused]
    if refused and not kinds:
        return []
    if len(kinds) != 1:
        raise node.bad(f"a step does exactly one thing, this one: {', '.join(kinds) or 'nothing'}")
    kind, value = kinds[0], row[kinds[0]]
    if kind in _LOOSE:
        return [Check(node.where, tuple(_loose(kind, value)))]
    person = row["by"].text("by") if "by" in row else None
    found: list[Step] = [_step(node, kind, value, person, unknown)]
    found += _disturbances(row.get("metadata"), person, unknown)
    if "assertions" in row:
        ordered = "assertion_order_enabled" in row and row["assertion_order_enabled"].truth("assertion_order")
        found.append(Check(node.where, _assertions(row["assertions"], unknown), ordered))
    return found


def _step(node: Node, kind: str, value: Node, person: str | None, unknown: list[str]) -> Step:
    if kind == "user":
        return Human(node.where, "say", value.text("user"), person)
    if kind == "button":
        return Human(node.where, "press", _press(value), person)
    if kind == "dtmf":
        return Human(node.where, "key", value.text("dtmf"), person)
    if kind in _DISTURB:
        if value.value not in (True, "last"):
            raise value.bad(f"{kind} must be true")
        return Disturb(node.where, _DISTURB[kind], person)
    if kind == "deploy":
        return Event(node.where, "deploy", value.plain(), person)
    if kind in {"voice", "silence", "hangup", "advance", "event", "photo", "tap", "call_in"}:
        only = Node(node.where, {kind: value} | ({"by": node.value["by"]} if person else {}))
        return notation.step(only, unknown)
    unknown.append(Unknown(f"step.{kind}", node.where))
    return Human(node.where, kind, value.plain(), person)


def _disturbances(node: Node | None, person: str | None, unknown: list[str]) -> list[Step]:
    """`metadata: {double_tap: true}` at a step: the technique misbehaves right after it. Named metadata we have no use for."""
    if node is None:
        return []
    if not isinstance(node.value, dict):
        unknown.append(Unknown("step.metadata", node.where))
        return []
    unknown += [Unknown(f"step.metadata.{k}", v.where) for k, v in node.value.items() if k not in _DISTURB]
    return [Disturb(node.where, kind, person) for key, kind in _DISTURB.items() if key in node.value]


def _press(node: Node) -> Press:
    """A title or payload, or {title, back} for the same button of an older message."""
    if not isinstance(node.value, dict):
        return Press(node.text("button"))
    if wrong := set(node.value) - {"title", "back"}:
        raise node.bad(f"button: unknown key {sorted(wrong)[0]!r}")
    if "title" not in node.value:
        raise node.bad("button needs 'title'")
    back = node.value["back"].number("back") if "back" in node.value else 0
    return Press(node.value["title"].text("title"), back)


def _loose(kind: str, value: Node) -> list[Assertion]:
    if kind in ("utter", "bot"):
        return [Assertion(value.where, kind, value.text(kind))]
    return [Assertion(value.where, kind, row) for row in slot_rows(value)]


def slot_rows(node: Node) -> list[dict[str, Any]]:
    """Slots in each of the ways they are written: name, [name], {name: value}, [{name, value}]."""
    rows: list[dict[str, Any]] = []
    for each in node.value if isinstance(node.value, list) else [node]:
        if not isinstance(each.value, dict):
            rows.append({"name": each.text("a slot")})
        elif "name" in each.value:
            rows.append(each.plain())
        else:
            rows += [{"name": name, "value": value} for name, value in each.plain().items()]
    return rows


def _assertions(node: Node, unknown: list[str]) -> tuple[Assertion, ...]:
    found = []
    for each in node.items("assertions"):
        row = each.mapping("an assertion")
        if len(row) != 1:
            raise each.bad("an assertion says exactly one thing")
        ((name, value),) = row.items()
        if name not in OWN_ASSERTIONS:
            unknown += _strange(row, "assertion", "assertion")
        if name in ("slot_was_set", "slot_was_not_set"):
            _slots_are_named(name, value)
            found += [Assertion(each.where, name, r) for r in slot_rows(value)]
            continue
        _patterns_compile(name, value)
        found.append(Assertion(each.where, name, value.plain()))
    return tuple(found)


def _patterns_compile(name: str, value: Node) -> None:
    if name == "spoken_matches":
        value.patterns(name)
    if name == "outbox":
        for wanted in value.mapping(name).values():
            wanted.patterns(name)
    if name in _FLOWS:
        _flow_is_named(name, value)
    if name == "pattern_clarification_contains":
        value.texts(name)
    if name in _MESSAGES:
        _message_is_described(name, value)


def _slots_are_named(name: str, value: Node) -> None:
    for each in value.value if isinstance(value.value, list) else [value]:
        for key, node in each.value.items() if isinstance(each.value, dict) and "name" in each.value else ():
            if vocabulary.find(key, "slot assertion") is None:
                raise node.bad(f"{name}: unknown key {key!r}")


def _flow_is_named(name: str, value: Node) -> None:
    """A flow by its id, or a mapping of the few words that may tell which."""
    if not isinstance(value.value, dict):
        value.text(name)
        return
    for key, node in value.value.items():
        if vocabulary.find(key, "flow assertion") is None:
            raise node.bad(f"{name}: unknown key {key!r}")
    if "operator" in value.value:
        value.value["operator"].one_of("operator", ("all", "any"))
    if not {"flow_id", "flow_ids"} & value.value.keys():
        raise value.bad(f"{name} names no flow")


def _message_is_described(name: str, value: Node) -> None:
    for key, node in value.mapping(name).items():
        if vocabulary.find(key, "message assertion") is None:
            raise node.bad(f"{name}: unknown key {key!r}")
    if "text_matches" in value.value:
        value.value["text_matches"].patterns("text_matches")
    if "utter_name" in value.value:
        value.value["utter_name"].text("utter_name")
    for button in value.value["buttons"].items("buttons") if "buttons" in value.value else ():
        for key, node in button.mapping("a button").items():
            if key not in ("title", "payload"):
                raise node.bad(f"a button: unknown key {key!r}")
