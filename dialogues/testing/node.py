"""A value from a talk file together with the place where it stands, so that a mistake can be pointed at."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dialogues.model import Where
from dialogues.testing.script import BadScript

_SPAN = re.compile(r"^(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)$")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Node:
    """value: a plain scalar, a list of nodes, or a dict of nodes. Every reader below raises BadScript at its place."""

    where: Where
    value: Any

    def plain(self) -> Any:
        """The same without places."""
        if isinstance(self.value, dict):
            return {k: v.plain() for k, v in self.value.items()}
        if isinstance(self.value, list):
            return [v.plain() for v in self.value]
        return self.value

    def mapping(self, what: str) -> dict[str, Node]:
        if not isinstance(self.value, dict):
            raise self.bad(f"{what} must be a mapping")
        return self.value

    def items(self, what: str) -> list[Node]:
        if not isinstance(self.value, list):
            raise self.bad(f"{what} must be a list")
        return self.value

    def text(self, what: str) -> str:
        """A string; numbers written bare count as text, because people forget quotes around digits without zeros."""
        if isinstance(self.value, bool) or not isinstance(self.value, (str, int, float)) or self.value == "":
            raise self.bad(f"{what} must be a text")
        return str(self.value)

    def texts(self, what: str) -> tuple[str, ...]:
        """One text or a list of them."""
        if isinstance(self.value, list):
            return tuple(each.text(what) for each in self.value)
        return (self.text(what),)

    def number(self, what: str) -> int:
        if type(self.value) is not int:
            raise self.bad(f"{what} must be a whole number")
        return self.value

    def truth(self, what: str) -> bool:
        if not isinstance(self.value, bool):
            raise self.bad(f"{what} must be true or false")
        return self.value

    def one_of(self, what: str, words: Iterable[str]) -> str:
        if self.value not in (known := tuple(words)):
            raise self.bad(f"{what} must be one of {', '.join(known)}, not {self.value!r}")
        return str(self.value)

    def patterns(self, what: str) -> tuple[str, ...]:
        """One regular expression or a list of them, each of which must compile."""
        found = self.texts(what)
        for pattern in found:
            try:
                re.compile(pattern, re.DOTALL)
            except re.error as problem:
                raise self.bad(f"{what}: {pattern!r} is not a regular expression ({problem})") from None
        return found

    def span(self, what: str) -> timedelta:
        """A length of time: 90s, 27h, 3d."""
        match = _SPAN.match(str(self.value).strip())
        if match is None:
            raise self.bad(f"{what} must be a length of time (90s, 27h, 3d), not {self.value!r}")
        return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])

    def bad(self, message: str) -> BadScript:
        return BadScript(self.where, message)
