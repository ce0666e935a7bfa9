"""What pressing a button means, as it is written in a file: values for slots, an intent, a word of ours, or plain text.

Nothing here is understood when a person types it: buttons are sent as tokens, and only a token leads back to its payload.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# What pressing a button can mean, next to /choose{"value"}, Rasa's two ways of writing and plain text.
PLAIN_PAYLOADS = frozenset(
    {"/affirm", "/deny", "/human", "/stop", "/repeat", "/skip", "/resume", "/cancel", "/bigger"}
)
_CHOICE = re.compile(r'/choose\{\s*"?([^"{}]+?)"?\s*\}')
_SET = re.compile(r"/SetSlots?\((.*)\)", re.DOTALL)
_INTENT = re.compile(r"/([A-Za-z_][\w.-]*)\s*(\{.*\})?", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class NoPayload(ValueError):
    """It begins like a payload and is none."""


@dataclass(frozen=True, slots=True)
class Choice:
    """/choose{"value"}: one of what was offered."""

    value: str


@dataclass(frozen=True, slots=True)
class SetSlots:
    """/SetSlots(a=x, b=y): values as written, texts all of them."""

    values: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Intent:
    """/intent{"entity": "value"}: an intent as if it had been understood, surely."""

    name: str
    entities: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Own:
    """One of our own words: /affirm, /human …"""

    word: str


Payload = Choice | SetSlots | Intent | Own


def read(payload: str) -> Payload | None:
    """What a payload means; None when it is plain text, as if typed. Raises NoPayload."""
    payload = payload.strip()
    if not payload.startswith("/"):
        return None
    if payload in PLAIN_PAYLOADS:
        return Own(payload)
    if choice := _CHOICE.fullmatch(payload):
        return Choice(choice[1].strip())
    if given := _SET.fullmatch(payload):
        return SetSlots(dict(_pair(part) for part in given[1].split(",")))
    if intent := _INTENT.fullmatch(payload):
        return Intent(intent[1], _entities(intent[2]) if intent[2] else {})
    raise NoPayload("it begins with / and is no payload")


def _pair(part: str) -> tuple[str, str | None]:
    name, equals, value = part.partition("=")
    name, value = name.strip(), value.strip().strip("\"'")
    if not equals or not _NAME.fullmatch(name) or set("()=") & set(value):
        raise NoPayload("/SetSlots is written /SetSlots(slot=value, slot=value), without , ( ) = in a value")
    return name, None if value in {"null", "None", "undefined", ""} else value


def _entities(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        raise NoPayload('an intent is written /intent{"entity": "value"}') from None
    if not isinstance(found, dict):
        raise NoPayload('an intent is written /intent{"entity": "value"}')
    return found
