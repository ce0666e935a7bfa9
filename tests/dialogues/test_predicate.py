"""The condition language: what it says yes to, what it refuses to decide, and what is found before any talk."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogues.predicate import PredicateError, Scope, check, holds, parse

TYPES = {
    "amount": "money",
    "kind": "categorical",
    "ok": "bool",
    "name": "text",
    "n": "float",
    "many": "list",
    "any": "any",
}
VALUES = {"amount": 4650, "kind": "water", "ok": True, "name": "张桂芳", "n": 2.0, "many": ["a"], "empty": ""}
HERE = Scope(VALUES, {"outcome": "paid", "misses": 1}, {"spoken": False, "channel": "web"})


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("slots.ok", True),
        ("not slots.ok", False),
        ("slots.ok is true", True),
        ("slots.ok is not true", False),
        ("slots.absent", False),
        ("slots.absent is null", True),
        ("slots.absent is undefined", True),
        ("slots.name is not null", True),
        ("slots.empty is empty and slots.absent is empty", True),
        ("slots.many is empty", False),
        ("slots.amount > 1000 and slots.amount <= 4650", True),
        ("slots.amount = 4650 or slots.nothing", True),
        ('slots.kind == "water"', True),
        ("slots.kind is 'power'", False),
        ('slots.kind != "power"', True),
        ('slots.name matches "^张"', True),
        ('slots.name contains "桂"', True),
        ('slots.many contains "b"', False),
        ('context.outcome is "paid" and context.misses >= 1', True),
        ("facts.spoken", False),
        ("(slots.ok or slots.absent) and not facts.spoken", True),
        ("NOT slots.ok OR true", True),
        ("!slots.ok || slots.ok && slots.ok", True),
        ("slots.ok = 1", False),
        ("slots.n = 2", True),
    ],
)
def test_says_whether_it_holds(text: str, true: bool) -> None:
    assert holds(parse(text), HERE) is true


@pytest.mark.parametrize(
    "text", ["", "slots.a is", "and", "slots.a ==== 2", "(slots.a", "slots.a $ 2", 'slots.a is "open']
)
def test_refuses_what_is_not_written_in_the_language(text: str) -> None:
    with pytest.raises(PredicateError):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "slots.absent > 3",
        "slots.name > 3",
        "slots.n",
        "slots.amount matches 'x'",
        "slots.amount contains 1",
        "wrong.root",
        "bare",
    ],
)
def test_never_decides_what_cannot_be_decided(text: str) -> None:
    with pytest.raises(PredicateError):
        holds(parse(text), HERE)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("slots.amuont > 3", "slots.amuont"),
        ("context.mood is null", "context.mood"),
        ("facts.weather is null", "facts.weather"),
        ("slots.amount is 'forty'", "never"),
        ("slots.ok > 3", "order"),
        ("slots.amount", "number alone"),
        ("slots.ok contains 1", "contains nothing"),
        ("slots.n matches 'x'", "pattern"),
        ("slots.name matches '['", "not a pattern"),
    ],
)
def test_finds_mistakes_before_any_talk(text: str, part: str) -> None:
    (problem,) = check(parse(text), TYPES)
    assert part in problem


@pytest.mark.parametrize(
    "text",
    [
        "slots.amount > 3",
        "slots.any is 3 or slots.any is 'x'",
        "slots.ok",
        "slots.kind is null",
        "facts.spoken",
    ],
)
def test_lets_sound_conditions_pass(text: str) -> None:
    assert check(parse(text), TYPES) == []


@given(st.recursive(st.sampled_from(["slots.ok", "slots.absent is null", "slots.amount < 5", "false"]),
                    lambda part: st.one_of(part.map(lambda p: f"not ({p})"), st.tuples(part, st.sampled_from(["and", "or"]), part).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"))))  # fmt: skip
def test_means_the_same_as_the_logic_of_its_parts(text: str) -> None:
    atoms: dict[str, Any] = {
        "slots.ok": "True",
        "slots.absent is null": "True",
        "slots.amount < 5": "False",
        "false": "False",
    }
    wanted = text
    for written, value in atoms.items():
        wanted = wanted.replace(written, value)
    assert holds(parse(text), HERE) is eval(
        wanted
    )  # a text of True, False, and, or, not and parentheses only
