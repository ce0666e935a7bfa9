"""The dense notation of acceptance scripts: from YAML to a Script, strictly.

A key that nobody has explained is remembered in `Script.unknown` (the case is then unsupported, by name); a key with a
value that cannot be is a BadScript with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from dialogues.testing.node import Node
from dialogues.testing.script import (
    ASKS,
    EVENTS,
    EXPECT,
    GIVEN,
    HUMAN,
    SCRIPT,
    THEN,
    Advance,
    Event,
    Expect,
    Heard,
    Human,
    Photo,
    Race,
    Script,
    Step,
    Tap,
)

_TAP = re.compile(r"^\s*/?(\w+)\s*(?:\((.*)\))?\s*$", re.S)
_MOVEMENTS = ("captures", "captures_new", "captures_by_audit", "posted", "refunds", "holds")
_LISTS = (*_MOVEMENTS, "tickets", "mandates", "audit", "reminders", "new_payees", "receipts")


def script(node: Node) -> Script:
    """One script. Raises BadScript."""
    row = node.mapping("a script")
    unknown = [f"script.{key}" for key in row if key not in SCRIPT]
    for key in ("id", "persona", "steps"):
        if key not in row:
            raise node.bad(f"a script needs {key!r}")
    if "seeds" in row:
        row["seeds"].texts("seeds")
    return Script(
        id=row["id"].text("id"),
        where=node.where,
        title=row["title"].text("title") if "title" in row else "",
        persona=row["persona"].text("persona"),
        release=row["release"].one_of("release", ("v1", "later")) if "release" in row else "",
        channel=row["channel"].text("channel") if "channel" in row else None,
        given=given(row["given"], unknown) if "given" in row else {},
        steps=tuple(step(each, unknown) for each in row["steps"].items("steps")),
        then=then(row["then"], unknown) if "then" in row else {},
        unknown=tuple(dict.fromkeys(unknown)),
    )


# --- given --------------------------------------------------------------------------------------------------------


def given(node: Node, unknown: list[str]) -> Mapping[str, Any]:
    """The world before the first step; values stay as written, for the world to read."""
    row = node.mapping("given")
    unknown += [f"given.{key}" for key in row if key not in GIVEN]
    if "interleavings" in row:
        row["interleavings"].number("interleavings")
    if "history" in row:
        row["history"].texts("history")
    for key in (
        "captured_this_month",
        "instruments",
        "consent",
        "usage_hourly",
        "grant_extra",
        "tamper",
        "load",
    ):
        if key in row:
            row[key].mapping(key)
    for key in ("payment_done", "payment_pending"):
        for each in _each(row.get(key)):
            _movement(each, key)
    return {key: value.plain() for key, value in row.items()}


def _each(node: Node | None) -> list[Node]:
    if node is None:
        return []
    return node.value if isinstance(node.value, list) else [node]


def _movement(node: Node, what: str) -> None:
    row = node.mapping(what)
    for key in ("account", "fen"):
        if key not in row:
            raise node.bad(f"{what} needs {key!r}")
    row["fen"].number("fen")


# --- steps --------------------------------------------------------------------------------------------------------


def step(node: Node, unknown: list[str]) -> Step:
    """One step: a human one, a move of the clock, an event or an expectation. Raises BadScript."""
    row = node.mapping("a step")
    person = row["by"].text("by") if "by" in row else None
    kinds = [key for key in row if key != "by"]
    if len(kinds) != 1:
        raise node.bad(f"a step does exactly one thing, this one: {', '.join(kinds) or 'nothing'}")
    kind, value = kinds[0], row[kinds[0]]
    if kind in HUMAN:
        return Human(node.where, kind, _HUMAN[kind](value), person)
    if kind == "advance":
        return Advance(node.where, value.span("advance"))
    if kind == "event":
        return event(value, person, unknown)
    if kind == "expect":
        return expect(value, unknown)
    unknown.append(f"step.{kind}")
    return Human(node.where, kind, value.plain(), person)


def heard(node: Node) -> Heard:
    """A string, or {nbest: [...], confidence: 0.0 to 1.0}."""
    if not isinstance(node.value, dict):
        return Heard((node.text("voice"),))
    if wrong := set(node.value) - {"nbest", "confidence"}:
        raise node.bad(f"voice: unknown key {sorted(wrong)[0]!r}")
    if "nbest" not in node.value or not (nbest := node.value["nbest"].texts("nbest")):
        raise node.bad("voice needs 'nbest', best first")
    sure = node.value["confidence"].value if "confidence" in node.value else 1.0
    if isinstance(sure, bool) or not isinstance(sure, (int, float)) or not 0 <= sure <= 1:
        raise node.bad("confidence must be a number from 0 to 1")
    return Heard(nbest, float(sure))


def tap(node: Node) -> Tap:
    """A button by its command: call_elder_now, take_over(person), hand_back_with(act, account)."""
    match = _TAP.match(node.text("tap"))
    if match is None:
        raise node.bad(f"tap: not a command with arguments: {node.value!r}")
    return Tap(match[1], tuple(a.strip() for a in (match[2] or "").split(",") if a.strip()))


def photo(node: Node) -> Photo:
    """A file name or {file, content}."""
    if not isinstance(node.value, dict):
        return Photo(node.text("photo"), "")
    if wrong := set(node.value) - {"file", "content"}:
        raise node.bad(f"photo: unknown key {sorted(wrong)[0]!r}")
    return Photo(*(node.value[k].text(k) if k in node.value else "" for k in ("file", "content")))


def _hangup(node: Node) -> None:
    if node.value is not True:
        raise node.bad("hangup must be true")


_HUMAN: Mapping[str, Callable[[Node], Any]] = {
    "say": lambda n: n.text("say"),
    "voice": heard,
    "key": lambda n: n.text("key"),
    "tap": tap,
    "photo": photo,
    "silence": lambda n: n.span("silence"),
    "call_in": lambda n: n.text("call_in"),
    "hangup": _hangup,
}


def event(node: Node, person: str | None, unknown: list[str]) -> Event | Race:
    """One mapping {name: value}, or a word. `change {account: …}` and `race [steps]` are such names too."""
    if not isinstance(node.value, dict):
        name, value = node.text("event"), Node(node.where, None)
    elif len(node.value) == 1:
        ((name, value),) = node.value.items()
    else:
        raise node.bad(f"an event is one thing, this one: {', '.join(node.value) or 'nothing'}")
    if name not in EVENTS:
        unknown.append(f"event.{name}")
    if name == "race":
        return Race(node.where, tuple(_racer(each, unknown) for each in value.items("race")))
    if name == "process":
        value.one_of("process", ("kill_and_restart",))
    return Event(node.where, name, value.plain(), person)


def _racer(node: Node, unknown: list[str]) -> Human | Advance | Event:
    found = step(node, unknown)
    if not isinstance(found, (Human, Advance, Event)):
        raise node.bad("a race is run by human steps, advance and event")
    return found


# --- expectations -------------------------------------------------------------------------------------------------


def expect(node: Node, unknown: list[str]) -> Expect:
    """What must have been sent since the last human step. Raises BadScript."""
    row = node.mapping("expect")
    unknown += [f"expect.{key}" for key in row if key not in EXPECT]
    truths = {
        key: row[key].truth(key)
        for key in ("voice_note", "slower", "bot_silent", "ends", "not_repeat_exactly")
        if key in row
    }
    return Expect(
        where=node.where,
        says=row["says"].patterns("says") if "says" in row else (),
        not_says=row["not_says"].patterns("not_says") if "not_says" in row else (),
        asks=row["asks"].one_of("asks", ASKS) if "asks" in row else None,
        to=row["to"].text("to") if "to" in row else None,
        channel=row["channel"].text("channel") if "channel" in row else None,
        max_chars=row["max_chars"].number("max_chars") if "max_chars" in row else None,
        image=row["image"].plain() if "image" in row else None,
        **truths,
    )


def then(node: Node, unknown: list[str]) -> Mapping[str, Any]:
    """What must be true at the end. Raises BadScript."""
    row = node.mapping("then")
    unknown += [f"then.{key}" for key in row if key not in THEN]
    for key in _LISTS:
        if key in row:
            row[key].items(key)
    for key in _MOVEMENTS:
        for each in row[key].value if key in row else ():
            _movement(each, key)
    for key in ("outbox", "prefs", "grants", "outbox_count", "for_every_order"):
        if key in row:
            row[key].mapping(key)
    for wanted in row["outbox"].value.values() if "outbox" in row else ():
        wanted.patterns("outbox")
    return {key: value.plain() for key, value in row.items()}
