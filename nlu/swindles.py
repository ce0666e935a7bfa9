"""Hears how a swindle opens in what somebody repeats to us (a call about a power cut, a code to be read out), beside the closed list.

Only a warning comes of it: the bill of a known meter may be paid all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nlu.classifier import Classifier, load

FOLDER = "swindles"  # beside the folders of the languages
SCAM, HARMLESS = "scam", "harmless"
# What swindlers want takes some words to tell; 转账 alone is no tale.
_FEWEST_LETTERS = {"zh": 7, "en": 20}


class Watch:
    """One small model a language that tells swindles from harmless sentences of the same words."""

    def __init__(self, classifiers: Mapping[str, Classifier]) -> None:
        self._classifiers = classifiers

    @classmethod
    def load(cls, source_dir: Path, cache_dir: Path, locales: tuple[str, ...] = ("zh", "en")) -> Watch:
        """The trained models of all languages. Raises NotTrained."""
        return cls({locale: load(sources(source_dir, locale), cache_dir, locale) for locale in locales})

    def suspects(self, text: str, locale: str) -> bool:
        """Whether a folded text sounds like the opening of a swindle."""
        classifier = self._classifiers.get(locale)
        if classifier is None or len(text) < _FEWEST_LETTERS.get(locale, 0):
            return False
        return classifier.parse(text).score >= classifier.threshold


def sources(source_dir: Path, locale: str) -> tuple[Path, ...]:
    """What a language's watch learns from: the tales, and everything people ordinarily say to us."""
    return source_dir / FOLDER / f"{locale}.yml", source_dir / locale
