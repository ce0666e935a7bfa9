"""What a script needs of the world, as keys: known before the first step, so that nothing missing is skipped in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dialogues.testing.script import (
    FAULTS,
    RENDERED,
    STRANGER,
    Advance,
    Check,
    Disturb,
    Event,
    Expect,
    Human,
    Race,
    Script,
    Step,
    Tap,
)

_OWN = frozenset({"history", "interleavings"})  # the runner does these itself
_OWN_THEN = frozenset({"hung_up_by", "outbox", "for_every_order"})
_OWN_ASSERTIONS = frozenset({"bot", "outbox"})


def needs(script: Script) -> tuple[str, ...]:
    """Keys this script asks the world for, each once, in the order of the script."""
    return tuple(dict.fromkeys(_needs(script)))


def _needs(script: Script) -> Iterator[str]:
    if script.persona == STRANGER:
        yield "persona.stranger"
    if script.channel:
        yield f"channel.{script.channel}"
    yield from given_needs(script.given)
    for step in script.steps:
        yield from _step(step)
    for key, value in script.then.items():
        yield from _then(key, value)


def given_needs(given: Mapping[str, Any]) -> Iterator[str]:
    """Keys of a `given` mapping."""
    for key, value in given.items():
        if key in ("slots", "stub_custom_actions"):
            yield "fixtures" if key == "slots" else key
        elif key not in _OWN:
            yield f"given.{key}"
            if key in ("gateway", "billers"):
                yield from (f"fault.{name}" for name in _faults(value))


def _faults(value: Any) -> Iterator[str]:
    """Names of faults wherever they stand: `down`, {account: declined}, {next: {slow: 20s}}."""
    if isinstance(value, str):
        yield "down" if value == "all_down" else value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key in FAULTS:
                yield key
            else:
                yield from _faults(inner)


def _step(step: Step) -> Iterator[str]:
    match step:
        case Human(kind=kind, value=value, person=person):
            yield f"step.{kind}"
            if isinstance(value, Tap):
                yield f"tap.{value.command}"
            if person == STRANGER:
                yield "persona.stranger"
        case Advance():
            yield "step.advance"
        case Event(name=name):
            yield "deploy" if name == "deploy" else f"event.{name}"
        case Race(steps=steps):
            yield "event.race"
            for each in steps:
                yield from _step(each)
        case Disturb(kind=kind):
            yield f"step.{kind}"
        case Expect():
            yield from (f"expect.{key}" for key in _used(step))
        case Check(assertions=assertions):
            yield from (f"assertion.{a.name}" for a in assertions if a.name not in _OWN_ASSERTIONS)


def _used(step: Expect) -> Iterator[str]:
    for key in ("channel", "image", "voice_note", "slower", "bot_silent", "ends"):
        if getattr(step, key) is not None:
            yield key


def _then(key: str, value: Any) -> Iterator[str]:
    if key not in _OWN_THEN:
        yield f"then.{key}"
    if key == "audit":
        yield from (f"audit.{kind}" for kind in value)
    if key == "tickets":
        yield from (f"ticket.{row['kind']}" for row in value if isinstance(row, Mapping) and "kind" in row)
    if key == "receipts":
        yield from ("then.receipts.layout" for row in value if isinstance(row, Mapping) and "layout" in row)


def missing(script: Script, supports: Callable[[str], bool]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(keys that make the case unsupported, rendering keys that are left out)."""
    absent = [key for key in needs(script) if not supports(key)]
    left_out = tuple(key for key in absent if key in RENDERED)
    return (*script.unknown, *(key for key in absent if key not in RENDERED)), left_out
