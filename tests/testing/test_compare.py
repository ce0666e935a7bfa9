"""A promise may be a value, a comparison, or part of what is there; and a list of rows is complete or it is not."""

from __future__ import annotations

from datetime import date

import pytest

from dialogues.testing.compare import has_rows, holds, same_rows


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("paid", "paid"),
        (1, 1),
        (True, True),
        ("<=1", 1),
        ("<=1 a day", "1 a day"),
        (">=99.9%", "99.95%"),
        (">=24", 24.5),
        ("set", "2027-01-01"),
        ({"large": True}, {"large": True, "rate": 1.0}),
        ({}, {}),
        ([{"fen": 1}], [{"fen": 1, "payer": "mei"}]),
        (date(2026, 3, 15), "2026-03-15"),
        ([], []),
    ],
)
def test_holds(expected: object, actual: object) -> None:
    assert holds(expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("paid", "pending"),
        (1, True),
        (True, 1),
        ("<=1", 2),
        (">=24", None),
        (">=24", "none yet"),
        (">=99.9%", 99.8),
        ("set", None),
        ({"large": True}, {"large": False}),
        ({"large": True}, {}),
        ({}, {"large": True}),
        ([], [{"fen": 1}]),
        ([{"fen": 1}], []),
        ({"a": 1}, "a"),
        (["a"], "a"),
    ],
)
def test_does_not_hold(expected: object, actual: object) -> None:
    assert not holds(expected, actual)


def test_a_row_that_promises_little_leaves_the_exact_row_to_the_other() -> None:
    rows = [{"account": "A", "fen": 1}, {"account": "A", "fen": 2}]
    assert same_rows([{"account": "A"}, {"account": "A", "fen": 1}], rows)
    assert not same_rows([{"account": "A", "fen": 1}, {"account": "A", "fen": 1}], rows)


def test_complete_or_among_others() -> None:
    rows = [{"kind": "a"}, {"kind": "b"}]
    assert has_rows([{"kind": "b"}], rows)
    assert not same_rows([{"kind": "b"}], rows)
    assert not has_rows([{"kind": "b"}, {"kind": "b"}], rows)
