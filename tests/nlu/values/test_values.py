"""What people say is worth what the tables say, or is asked back: never silently something else."""

from __future__ import annotations

import pytest

from tests.nlu.values.reading import ASK, NOTHING, READERS, Row, rows, worth

SAFE = {ASK, NOTHING}


def _misread(locale: str) -> list[tuple[Row, str]]:
    heard = [(row, worth(row, locale)) for row in rows(locale)]
    return [(row, value) for row, value in heard if value != row.value]


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_nothing_is_silently_read_as_something_else(locale: str) -> None:
    assert [f"{row.line}: {row.said} → {value}" for row, value in _misread(locale) if value not in SAFE] == []


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_of_a_hundred_at_most_one_is_asked_back_though_it_was_clear(locale: str) -> None:
    asked = [f"{row.line}: {row.said}" for row, value in _misread(locale) if value in SAFE]
    assert len(asked) <= len(list(rows(locale))) // 100, asked


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_the_tables_hold_every_kind_of_value_in_plain_and_in_doubtful_words(locale: str) -> None:
    table = list(rows(locale))
    assert len(table) >= 300
    assert {row.kind for row in table} == set(READERS)
    assert len({(row.kind, row.said) for row in table}) == len(table), "a line stands twice"
    assert sum(row.value == ASK for row in table) >= 100
