"""What the classifier looks at in a sentence: its characters and how they sound; in English its words and their parts.

Used by training and by the running program alike, so that both see the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from nlu.pinyin import sounds
from nlu.text import fold

# Changed whenever the features change, so that an older trained model is not taken for this one.
VERSION = "1"

_NUMBERS = re.compile("[0-9]+(?:[., ][0-9]+)*")
_WORD = re.compile(r"[a-z0-9#']+")

Analyzer = Callable[[str], list[str]]


def analyzers(locale: str) -> tuple[Analyzer, ...]:
    """The two views of a sentence, each a bag of features weighed on its own."""
    return (_words, _word_parts) if locale == "en" else (_characters, _syllables)


def _common(text: str) -> str:
    """Which number it is says nothing about the wish."""
    return _NUMBERS.sub("#", fold(text))


def _characters(text: str) -> list[str]:
    return list(_grams(re.sub(r"\s+", "", _common(text)), 1, 3))


def _syllables(text: str) -> list[str]:
    return [" ".join(gram) for size in (1, 2, 3) for gram in _windows(sounds(_common(text)), size)]


def _words(text: str) -> list[str]:
    words = _WORD.findall(_common(text))
    return words + [" ".join(pair) for pair in _windows(words, 2)]


def _word_parts(text: str) -> list[str]:
    return [gram for word in _WORD.findall(_common(text)) for gram in _grams(f" {word} ", 1, 5)]


def _grams(text: str, shortest: int, longest: int) -> Iterable[str]:
    return (
        text[at : at + size] for size in range(shortest, longest + 1) for at in range(len(text) - size + 1)
    )


def _windows(items: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (items[at : at + size] for at in range(len(items) - size + 1))
