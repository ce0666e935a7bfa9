"""Is what we found what was promised? A promise may be a value, a comparison in a string, or part of a mapping."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

_COMPARISON = re.compile(r"^\s*(<=|>=|<|>|==|!=)\s*(-?\d+(?:\.\d+)?)\s*(%?)")
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
    "!=": operator.ne,
}
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def holds(expected: Any, actual: Any) -> bool:
    """A string such as ">=24" or "<=1 a day" compares numbers; `set` means present; of a mapping the given keys count."""
    if isinstance(expected, str) and (match := _COMPARISON.match(expected)):
        return (number := _number(actual)) is not None and _OPERATORS[match[1]](number, float(match[2]))
    if expected == "set":
        return actual is not None
    if isinstance(expected, Mapping):
        return isinstance(actual, Mapping) and _part_of(expected, actual)
    if isinstance(expected, list):
        return isinstance(actual, Sequence) and not isinstance(actual, str) and same_rows(expected, actual)
    if isinstance(expected, date) or isinstance(actual, date):
        return str(expected) == str(actual)
    # 1 is not true: a promise of a number is not kept by a switch.
    return isinstance(expected, bool) == isinstance(actual, bool) and bool(expected == actual)


def _part_of(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> bool:
    """The keys given must match; an empty mapping promises that nothing is there."""
    if not expected:
        return not actual
    return all(key in actual and holds(value, actual[key]) for key, value in expected.items())


def _number(value: Any) -> float | None:
    """98.7, "99.95%", "3 a day" as a number; None when there is none in it."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return float(value)
    match = _NUMBER.search(str(value))
    return float(match[0]) if match else None


def same_rows(expected: Sequence[Any], actual: Iterable[Any]) -> bool:
    """Complete: each expected row has its own actual row, and none is left over. Order does not matter."""
    rest = list(actual)
    return len(rest) == len(expected) and _each_its_own(expected, rest)


def has_rows(expected: Sequence[Any], actual: Iterable[Any]) -> bool:
    """Each expected row has its own actual row; others may be there."""
    return _each_its_own(expected, list(actual))


def _each_its_own(expected: Sequence[Any], rest: list[Any]) -> bool:
    """Assigns rows one to one; a row that promises little must not take the only row of one that promises more."""
    if not expected:
        return True
    first, *others = expected
    return any(
        _each_its_own(others, rest[:n] + rest[n + 1 :]) for n, row in enumerate(rest) if holds(first, row)
    )
