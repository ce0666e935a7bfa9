"""Every word of the format has an example, its line in docs/format.md, and a reader that knows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dialogues import folder, vocabulary
from dialogues.lint import ASKS
from dialogues.payloads import PLAIN_PAYLOADS
from dialogues.testing import rasa
from tests.conformance.format_page import PAGE, page

HERE = Path(__file__).parent


def test_every_word_has_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples are read while it is noted which words were looked up; none may be left over."""
    seen: set[tuple[str, str]] = set()
    find = vocabulary.find

    def noting(key: str, *places: str) -> vocabulary.Word | None:
        word = find(key, *places)
        if word is not None:
            seen.add((word.place, word.key))
        return word

    monkeypatch.setattr(vocabulary, "find", noting)
    folder.check(sorted((HERE / "played").iterdir()))
    for example in sorted((HERE / "refused").iterdir()):
        folder.check([example])
    assert {(word.place, word.key) for word in vocabulary.WORDS} - seen == set()


def test_the_page_is_written_from_the_table() -> None:
    """If this fails: python -m tests.conformance.format_page."""
    text = PAGE.read_text("utf-8")
    assert text == page(text)


def test_the_page_names_what_we_add() -> None:
    added = PAGE.read_text("utf-8").partition("## What we add")[2].partition("## Word by word")[0]
    named = set(re.findall(r"`([^`]+)`", added))
    assert named >= PLAIN_PAYLOADS
    assert rasa.OWN_STEPS - named == set()
    assert rasa.OWN_ASSERTIONS - {"utter", "bot"} - named == set()
    assert "asks" in named
    assert ASKS


def test_a_word_stands_once_at_its_place() -> None:
    keys = [(word.place, word.key) for word in vocabulary.WORDS]
    assert len(set(keys)) == len(keys)
    assert all(word.meaning and not word.meaning.endswith(".") for word in vocabulary.WORDS)
