"""What is wrong in the flow files, told to whoever writes them: where, what, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dialogues import predicate, vocabulary
from dialogues.model import Where
from dialogues.yamlfile import Items, Table, line_of


@dataclass(frozen=True, slots=True)
class FlowError:
    """One mistake in a file."""

    where: Where
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class FlowErrors(Exception):
    """The files cannot be used; `errors` says why, one line each."""

    def __init__(self, errors: Sequence[FlowError]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = list(errors)


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint naming the known word that looks most like the one written."""
    from difflib import get_close_matches  # only ever needed when there is something to tell

    close = get_close_matches(name, list(known), n=1)
    return f"did you mean '{close[0]}'?" if close else ""


class Reading:
    """One file being read: takes values of the right kind and keeps a list of what was wrong."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.errors: list[FlowError] = []
        self.notes: list[FlowError] = []  # words that are understood and not done here

    def wrong(self, line: int, message: str, hint: str = "") -> None:
        """Remembers a mistake."""
        self.errors.append(FlowError(self.place(line), message, hint))

    def place(self, line: int) -> Where:
        """A line of this file."""
        return Where(self.file, line)

    def keys(self, table: Table, allowed: Iterable[str], what: str) -> None:
        """Reports every key that has no meaning here."""
        known = frozenset(allowed)
        for key in table:
            if key not in known:
                self._no_word(table, key, known, what)

    def words(self, table: Table, what: str, *places: str) -> None:
        """Reports every key that is no word of the format at these places, and what is refused by name."""
        for key, value in table.items():
            word = vocabulary.find(key, *places)
            if word is None:
                self._no_word(table, key, vocabulary.known(*places), what)
            elif word.standing == "refused" and value not in (None, [], {}):
                self.wrong(line_of(table, key), f"{what}: '{key}' is refused: {word.meaning}")
            elif word.standing == "not done" and value not in (None, False, [], {}):
                self.note(line_of(table, key), f"{what}: '{key}' is not done here: {word.meaning}")

    def word(self, holder: Table, key: str, place: str, what: str) -> str:
        """The text under a key, which must be one of the values the format knows at this place; "" when it is not."""
        written = self.text(holder, key, what)
        word = vocabulary.find(written, place)
        if word is None:
            known = vocabulary.known(place)
            hint = nearest(written, known) or " | ".join(sorted(known))
            self.wrong(line_of(holder, key), f"{what}: there is no {place} '{written}'", hint)
        elif word.standing == "refused":
            self.wrong(line_of(holder, key), f"{what}: {place} '{written}' is refused: {word.meaning}")
        return written if word is not None and word.standing != "refused" else ""

    def note(self, line: int, message: str) -> None:
        """Remembers something that is understood and does nothing here."""
        self.notes.append(FlowError(self.place(line), message))

    def _no_word(self, table: Table, key: str, known: Iterable[str], what: str) -> None:
        hint = nearest(key, known) or "own keys stand under metadata"
        self.wrong(line_of(table, key), f"{what} knows no '{key}'", hint)

    def table(self, holder: Table, key: str, what: str) -> Table:
        """The mapping under a key; an empty one when absent or wrong."""
        return self.as_table(holder.get(key), line_of(holder, key), f"{key} of {what}")

    def as_table(self, value: Any, line: int, what: str) -> Table:
        """The value if it is a mapping; reports and returns an empty one if not."""
        if isinstance(value, Table):
            return value
        if value is not None:
            self.wrong(line, f"{what} must be a mapping (key: value)")
        empty = Table()
        empty.line, empty.lines = line, {}
        return empty

    def items(self, holder: Table, key: str, what: str) -> Items:
        """The list under a key; an empty one when absent or wrong."""
        value = holder.get(key)
        if isinstance(value, Items):
            return value
        if value is not None:
            self.wrong(line_of(holder, key), f"{key} of {what} must be a list (- …)")
        empty = Items()
        empty.line = line_of(holder, key)
        return empty

    def text(self, holder: Table, key: str, what: str, default: str = "") -> str:
        """The text under a key; the default when absent or wrong."""
        value = holder.get(key)
        if value is None:
            return default
        if not isinstance(value, str):
            self.wrong(line_of(holder, key), f"{key} of {what} must be a text", "put it in quotes")
            return default
        return value

    def flag(self, holder: Table, key: str, what: str, default: bool = False) -> bool:
        """The true or false under a key."""
        value = holder.get(key, default)
        if not isinstance(value, bool):
            self.wrong(line_of(holder, key), f"{key} of {what} must be true or false")
            return default
        return value

    def texts(self, holder: Table, key: str, what: str) -> tuple[str, ...]:
        """The list of texts under a key."""
        found, items = [], self.items(holder, key, what)
        for place, value in enumerate(items):
            if isinstance(value, str):
                found.append(value)
            else:
                self.wrong(line_of(items, place), f"{key} of {what} must hold texts")
        return tuple(found)

    def number(self, holder: Table, key: str, what: str) -> float | None:
        """The number under a key; None when absent or wrong."""
        value = holder.get(key)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        self.wrong(line_of(holder, key), f"{key} of {what} must be a number")
        return None

    def one_or_more(self, holder: Table, key: str, what: str) -> tuple[str, ...]:
        """A text or a list of texts."""
        value = holder.get(key)
        if value is None or isinstance(value, Items):
            return self.texts(holder, key, what)
        return (self.text(holder, key, what),)

    def names(self, holder: Table, key: str, place: str, what: str) -> dict[str, Table]:
        """A list of names, each bare or with words of its own: `- city` or `- city: {roles: [from, to]}`."""
        found: dict[str, Table] = {}
        items = self.items(holder, key, what)
        for at, value in enumerate(items):
            if isinstance(value, str):
                found[value] = self.as_table(None, line_of(items, at), value)
            elif isinstance(value, Table) and len(value) == 1:
                ((name, words),) = value.items()
                found[name] = self.as_table(words, line_of(value, name), f"{place} {name}")
                self.words(found[name], f"{place} {name}", place)
            else:
                self.wrong(line_of(items, at), f"{key} of {what} must hold names")
        return found

    def condition(self, holder: Table, key: str, what: str) -> predicate.Predicate:
        """The condition under a key; one that never holds when it is wrong (the error stops the load)."""
        value = holder.get(key)
        if isinstance(value, bool):
            return predicate.always(value)
        try:
            return predicate.parse(value if isinstance(value, str) else "")
        except predicate.PredicateError as error:
            self.wrong(line_of(holder, key), f"condition of {what}: {error}", f"as written: {value}")
            return predicate.always(False)
