"""The condition language of flows: who is asked what depends on a few readable comparisons.

Written as in Rasa's flows: `slots.amount > 0 and not (context.outcome is "refused")`. A condition is parsed and typed when
the flows are loaded; while a talk runs, a condition that cannot be decided raises and never counts as false (law L4).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lark import Lark


class PredicateError(ValueError):
    """The condition is not written as the language wants, or its values cannot be compared."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a text, true, false or null as written."""

    value: Any


@dataclass(frozen=True, slots=True)
class Path:
    """A value of the talk: slots.amount, context.outcome, facts.spoken."""

    root: str
    name: str

    def __str__(self) -> str:
        return f"{self.root}.{self.name}"


@dataclass(frozen=True, slots=True)
class Compare:
    """Two values and how they must stand to each other."""

    left: Literal | Path
    how: str  # is, is not, <, <=, >, >=, contains, matches
    right: Literal | Path


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: Expression


@dataclass(frozen=True, slots=True)
class Both:
    """All parts hold; the first that does not decides."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one part holds; the first that does decides."""

    parts: tuple[Expression, ...]


Expression = Literal | Path | Compare | Not | Both | Either


@dataclass(frozen=True, slots=True)
class Predicate:
    """A condition as written and as understood."""

    text: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Scope:
    """What a condition may look at."""

    slots: Mapping[str, Any]
    context: Mapping[str, Any]
    facts: Mapping[str, Any]


# What every talk knows of its context and of the person, with the kind of value it is.
CONTEXT_KINDS = {"outcome": "text", "misses": "number", "act": "text", "tries_left": "number"}
FACT_KINDS = {
    "spoken": "bool",
    "channel": "text",
    "locale": "text",
    "large": "bool",
    "elder": "bool",
    "low_sight": "bool",
    "person_name": "text",
}
_SLOT_KINDS = {
    "text": "text",
    "bool": "bool",
    "categorical": "text",
    "float": "number",
    "list": "list",
    "money": "number",
}
_SLOT_KINDS |= {"account": "text", "digits": "text", "date": "text", "person": "text", "mandate": "text"}
_LONGEST_TEXT = 2000  # characters a pattern is tried on


@lru_cache(maxsize=2048)
def parse(text: str) -> Predicate:
    """The condition of a text. Raises PredicateError."""
    from lark.exceptions import LarkError  # 50 ms of import that a process without flows need not pay

    try:
        expression = _grammar().parse(text)
    except LarkError as error:
        raise PredicateError(_first_line(error)) from None
    return Predicate(text, expression)  # type: ignore[arg-type]  # the grammar's transformer yields an Expression


def always(value: bool) -> Predicate:
    """The condition `if: true` or `if: false`."""
    return Predicate(str(value).lower(), Literal(value))


def holds(predicate: Predicate, scope: Scope) -> bool:
    """Whether the condition is true. Raises PredicateError when it cannot be decided."""
    return _truth(_value(predicate.expression, scope), predicate.text)


def paths(predicate: Predicate) -> Iterator[Path]:
    """Every value the condition looks at."""
    return _paths(predicate.expression)


def check(predicate: Predicate, slot_types: Mapping[str, str]) -> list[str]:
    """What is wrong with the condition before any talk: unknown names, and comparisons that can never be decided."""
    unknown = [problem for path in paths(predicate) if (problem := _unknown(path, slot_types))]
    return unknown or list(_mistyped(predicate.expression, slot_types))


# --- deciding ----------------------------------------------------------------------------------------------------


def _value(expression: Expression, scope: Scope) -> Any:
    match expression:
        case Literal(value):
            return value
        case Path(root, name):
            return _looked_up(root, name, scope)
        case Not(part):
            return not _truth(_value(part, scope), "not")
        case Both(parts):
            return all(_truth(_value(part, scope), "and") for part in parts)
        case Either(parts):
            return any(_truth(_value(part, scope), "or") for part in parts)
        case Compare(left, how, right):
            return _COMPARISONS[how](_value(left, scope), _value(right, scope))


def _looked_up(root: str, name: str, scope: Scope) -> Any:
    values = {"slots": scope.slots, "context": scope.context, "facts": scope.facts}.get(root)
    if values is None:
        raise PredicateError(f"nothing is called {root}.{name}")
    return values.get(name)


def _truth(value: Any, where: str) -> bool:
    """A bare value: true when it is there and not false. A number alone is a slip of the pen, so it is refused."""
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, str | list | tuple | Mapping):
        return len(value) > 0
    raise PredicateError(f"a {type(value).__name__} is neither true nor false in: {where}")


def _same(left: Any, right: Any) -> bool:
    if right == "" or left == "":  # `is empty`: nothing there, or nothing in it
        other = left if right == "" else right
        return other is None or (isinstance(other, str | list | tuple | Mapping) and len(other) == 0)
    if isinstance(left, bool) is not isinstance(right, bool):
        return False  # True == 1 in Python, not in a household
    return bool(left == right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def decide(left: Any, right: Any) -> bool:
        if _is_number(left) and _is_number(right):
            return compare(left, right)
        if isinstance(left, str) and isinstance(right, str):
            return compare(left, right)
        raise PredicateError(f"cannot compare {type(left).__name__} with {type(right).__name__}")

    return decide


def _contains(left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return right in left
    if isinstance(left, list | tuple | Mapping):
        return right in left
    raise PredicateError(f"a {type(left).__name__} contains nothing")


def _matches(left: Any, right: Any) -> bool:
    if not (isinstance(left, str) and isinstance(right, str)):
        raise PredicateError(f"only a text matches a pattern, not a {type(left).__name__}")
    return _pattern(right).search(left[:_LONGEST_TEXT]) is not None


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise PredicateError(f"not a pattern: {error}") from None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "is": _same,
    "is not": lambda left, right: not _same(left, right),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
    "contains": _contains,
    "matches": _matches,
}


# --- checking before any talk ------------------------------------------------------------------------------------


def _paths(expression: Expression) -> Iterator[Path]:
    match expression:
        case Literal():
            return
        case Path():
            yield expression
        case Not(part):
            yield from _paths(part)
        case Both(parts) | Either(parts):
            for part in parts:
                yield from _paths(part)
        case Compare(left, _, right):
            yield from _paths(left)
            yield from _paths(right)


def _unknown(path: Path, slot_types: Mapping[str, str]) -> str | None:
    known: Mapping[str, str] = {"slots": slot_types, "context": CONTEXT_KINDS, "facts": FACT_KINDS}.get(
        path.root, {}
    )
    return None if path.name in known else f"nothing is called {path}"


def _kind(part: Expression, slot_types: Mapping[str, str]) -> str:
    """bool, number, text, list, null, or any when only the talk itself can tell."""
    match part:
        case Literal(value):
            return "null" if value is None else _kind_of(value)
        case Path("slots", name):
            return _SLOT_KINDS.get(slot_types.get(name, "any"), "any")
        case Path("context", name):
            return CONTEXT_KINDS.get(name, "any")
        case Path("facts", name):
            return FACT_KINDS.get(name, "any")
    return "bool"


def _kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, int | float) else "text"


def _mistyped(expression: Expression, slot_types: Mapping[str, str]) -> Iterator[str]:
    match expression:
        case Literal() | Path():
            if _kind(expression, slot_types) == "number":
                yield "a number alone is neither true nor false; compare it with something"
        case Not(part):
            yield from _mistyped(part, slot_types)
        case Both(parts) | Either(parts):
            for part in parts:
                yield from _mistyped(part, slot_types)
        case Compare(left, how, right):
            yield from _mistyped_comparison(left, how, right, slot_types)


def _mistyped_comparison(
    left: Literal | Path, how: str, right: Literal | Path, slot_types: Mapping[str, str]
) -> Iterator[str]:
    kinds = _kind(left, slot_types), _kind(right, slot_types)
    if how in {"is", "is not"}:
        if (
            "any" not in kinds
            and "null" not in kinds
            and kinds[0] != kinds[1]
            and Literal("") not in (left, right)
        ):
            yield f"a {kinds[0]} is never a {kinds[1]}"
    elif how in {"<", "<=", ">", ">="}:
        if not set(kinds) <= {"any", "number"} and not set(kinds) <= {"any", "text"}:
            yield f"cannot order a {kinds[0]} and a {kinds[1]}"
    elif how == "contains":
        if kinds[0] not in {"any", "text", "list"}:
            yield f"a {kinds[0]} contains nothing"
    elif not set(kinds) <= {"any", "text"}:
        yield "only a text matches a pattern"
    elif isinstance(right, Literal) and (problem := _bad_pattern(right.value)):
        yield problem


def _bad_pattern(pattern: Any) -> str | None:
    try:
        _pattern(str(pattern))
    except PredicateError as error:
        return str(error)
    return None


# --- grammar -----------------------------------------------------------------------------------------------------

_GRAMMAR = r"""
?start: either
?either: both (_OR both)*
?both: negation (_AND negation)*
?negation: _NOT negation -> negation | comparison
?comparison: part (HOW part)? | "(" either ")" -> inner
?part: NUMBER -> number | STRING -> string | TRUE -> true | FALSE -> false | NULL -> null | EMPTY -> empty | PATH -> path
_OR.3: /or\b/i | "||"
_AND.3: /and\b/i | "&&"
_NOT.3: /not\b/i | /!(?!=)/
HOW.4: /is\s+not\b/i | /is\b/i | /contains\b/i | /matches\b/i | /==|!=|>=|<=|=|<|>/
TRUE.3: /true\b/i
FALSE.3: /false\b/i
NULL.3: /(null|none|undefined)\b/i
EMPTY.3: /empty\b/i
PATH: /[A-Za-z_][A-Za-z0-9_]*(\.([A-Za-z_][A-Za-z0-9_]*|\{\{[^}]*\}\}))+/
NUMBER: /-?\d+(\.\d+)?/
STRING: /"(\\.|[^"\\])*"|'(\\.|[^'\\])*'/
%ignore /\s+/
"""

_SPELLINGS = {"=": "is", "==": "is", "!=": "is not"}


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    from lark import Lark, Transformer, v_args

    @v_args(inline=True)
    class Build(Transformer[Any, Any]):
        number = staticmethod(lambda token: Literal(float(token) if "." in token else int(token)))
        string = staticmethod(lambda token: Literal(re.sub(r"\\(.)", r"\1", token[1:-1])))
        true = staticmethod(lambda _: Literal(True))
        false = staticmethod(lambda _: Literal(False))
        null = staticmethod(lambda _: Literal(None))
        empty = staticmethod(lambda _: Literal(""))
        negation = staticmethod(Not)
        inner = staticmethod(lambda part: part)
        path = staticmethod(lambda token: Path(*token.split(".", 1)))
        either = staticmethod(lambda *parts: Either(parts))
        both = staticmethod(lambda *parts: Both(parts))

        @staticmethod
        def comparison(left: Any, how: str, right: Any) -> Compare:
            spelt = " ".join(how.lower().split())
            return Compare(left, _SPELLINGS.get(spelt, spelt), right)

    return Lark(_GRAMMAR, parser="lalr", transformer=Build())


def _first_line(error: Exception) -> str:
    return "not understood: " + str(error).splitlines()[0]
