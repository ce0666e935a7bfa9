"""Conversations and messages as JSON text, so that a talk survives a restart and moves between processes.

What equals its default is left out; what comes back is equal to what went in.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, cast

from data.money import Money
from dialogues.model import Button, Conversation, Frame, Preferences, Said, Told, TrailMark
from nlu import commands

_KIND = "$"


class NotOurs(ValueError):
    """The text holds nothing of ours."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """The types that may stand in a text, by name. Anything else in it is refused, never imported.

    `left_out`: parts of a kind that are never written, with what stands in their place when the text is read.
    """

    types: Mapping[str, type]
    left_out: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def plain(self, value: Any) -> Any:
        """The value as JSON knows it. Raises TypeError for what cannot stand in a text."""
        if value is None or isinstance(value, str | int | float):
            return value
        if isinstance(value, Money):
            return {_KIND: "Money", "fen": value.fen}
        if is_dataclass(value) and not isinstance(value, type):
            return self._plain_dataclass(value)
        if isinstance(value, datetime | date):
            return {_KIND: type(value).__name__, "iso": value.isoformat()}
        if isinstance(value, Mapping):
            return {str(key): self.plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.plain(item) for item in value]
        raise TypeError(f"a {type(value).__name__} cannot stand in a conversation")

    def loaded(self, text: str) -> Any:
        """What a JSON text stands for. Raises NotOurs."""
        try:
            return self._restored(json.loads(text))
        except (json.JSONDecodeError, TypeError, KeyError) as error:
            raise NotOurs(f"not readable: {type(error).__name__}") from None

    def _plain_dataclass(self, value: Any) -> dict[str, Any]:
        kind = type(value)
        if self.types.get(kind.__name__) is not kind:
            raise TypeError(f"a {kind.__name__} cannot stand in a conversation")
        unwritten = self.left_out.get(kind.__name__, ())
        held = {name: getattr(value, name) for name, _, _ in _parts(cast(Hashable, kind))}
        return {_KIND: kind.__name__} | {
            name: self.plain(held[name])
            for name, default, _ in _parts(cast(Hashable, kind))
            if (default is MISSING or held[name] != default) and name not in unwritten
        }

    def _restored(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._restored(item) for item in value]
        if not isinstance(value, dict):
            return value
        if _KIND in value:
            return self._restored_kind(value)
        return {key: self._restored(item) for key, item in value.items()}

    def _restored_kind(self, value: dict[str, Any]) -> Any:
        name = value[_KIND]
        if name == "Money":
            return Money(value["fen"])
        if name in {"datetime", "date"}:
            return {"datetime": datetime, "date": date}[name].fromisoformat(value["iso"])
        kind = self.types[name]
        held = dict(self.left_out.get(name, {}))
        for part, _, is_tuple in _parts(cast(Hashable, kind)):
            if part in value:
                restored = self._restored(value[part])
                held[part] = tuple(restored) if is_tuple else restored
        return kind(**held)


# What may stand in a conversation or a message.
_TALK = Kinds(
    {
        kind.__name__: kind
        for kind in (
            *(Button, Conversation, Frame, Preferences, Said, Told, TrailMark, commands.Doubt),
            *commands.Command.__args__,
        )
    }
)


def dump(conversation: Conversation) -> str:
    """A conversation as JSON text."""
    return _text(conversation)


def load(text: str) -> Conversation:
    """The conversation of a JSON text. Raises NotOurs."""
    found = _TALK.loaded(text)
    if not isinstance(found, Conversation):
        raise NotOurs("not a conversation")
    return found


def dump_said(said: Said) -> str:
    """A message as JSON text: the body of a letter in the outbox."""
    return _text(said)


def load_said(text: str) -> Said:
    """The message of a JSON text. Raises NotOurs."""
    found = _TALK.loaded(text)
    if not isinstance(found, Said):
        raise NotOurs("not a message")
    return found


def _text(value: Any) -> str:
    return json.dumps(_TALK.plain(value), ensure_ascii=False, separators=(",", ":"))


@cache
def _parts(kind: Hashable) -> tuple[tuple[str, Any, bool], ...]:
    """Name, default and whether it is a tuple, of every field."""
    found = []
    for part in fields(cast(type, kind)):
        default = part.default_factory() if part.default_factory is not MISSING else part.default
        found.append((part.name, default, str(part.type).startswith("tuple")))
    return tuple(found)
