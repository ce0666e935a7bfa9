"""What the classifier looks at in a sentence: its words with their ends, how they sound, and which words stand near each other.

Which bill and which relative it is says little about the wish, so one view sees 费 for every kind of bill and 亲 for
every relative. Used by training and by the running program alike, so that both see the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from nlu import aliases
from nlu.pinyin import sounds
from nlu.text import fold

# Changed whenever the features change, so that an older trained model is not taken for this one.
VERSION = "4"

_NUMBERS = re.compile("[0-9]+(?:[., ][0-9]+)*")
_WORD = re.compile(r"[a-z0-9#']+")
_BEGIN, _END = "^", "$"  # 停 alone and 停 within a sentence are two things
_NEAR_ZH, _NEAR_EN = 5, 4  # letters, words

Analyzer = Callable[[str], list[str]]


def analyzers(locale: str) -> tuple[Analyzer, ...]:
    """The views of a sentence, each a bag of features weighed on its own."""
    return (
        (_words, _word_parts, _word_pairs) if locale == "en" else (_characters, _syllables, _character_pairs)
    )


def _common(text: str) -> str:
    """Which number it is says nothing about the wish."""
    return _NUMBERS.sub("#", fold(text))


def _plainly(text: str, locale: str) -> str:
    """Every kind of bill and every relative by one word."""
    bill, kin = (" utility ", " relative ") if locale == "en" else ("费", "亲")
    return aliases.replaced(_common(text), bill, kin, locale)


def _characters(text: str) -> list[str]:
    said = re.sub(r"\s+", "", _plainly(text, "zh"))
    return list(_grams(f"{_BEGIN}{said}{_END}", 1, 3))


def _syllables(text: str) -> list[str]:
    heard = [_BEGIN, *sounds(_common(text)), _END]
    return [" ".join(gram) for size in (1, 2, 3) for gram in _windows(heard, size)]


def _character_pairs(text: str) -> list[str]:
    return _pairs(re.sub(r"[^\w]", "", _plainly(text, "zh")), _NEAR_ZH)


def _words(text: str) -> list[str]:
    words = [_BEGIN, *_WORD.findall(_plainly(text, "en")), _END]
    return words + [" ".join(gram) for size in (2, 3) for gram in _windows(words, size)]


def _word_parts(text: str) -> list[str]:
    return [gram for word in _WORD.findall(_common(text)) for gram in _grams(f" {word} ", 1, 5)]


def _word_pairs(text: str) -> list[str]:
    return _pairs(_WORD.findall(_plainly(text, "en")), _NEAR_EN)


def _pairs(said: Sequence[str], near: int) -> list[str]:
    """Two that stand near each other with something between: 自动…停 whatever is said there."""
    return [f"{one}~{other}" for at, one in enumerate(said) for other in said[at + 2 : at + 1 + near]]


def _grams(text: str, shortest: int, longest: int) -> Iterable[str]:
    return (
        text[at : at + size] for size in range(shortest, longest + 1) for at in range(len(text) - size + 1)
    )


def _windows(parts: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (parts[at : at + size] for at in range(len(parts) - size + 1))
