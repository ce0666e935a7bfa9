"""The pages' own sentences, in the languages of the house."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.web.visitors import LOCALES
from dialogues.yamlfile import read

_FOLDER = Path(__file__).parent / "words"


class Wording:
    """Sentences by language and key. A key that is not there is our mistake: KeyError."""

    def __init__(self, sentences: Mapping[str, Mapping[str, str | list[str]]]) -> None:
        self.sentences = sentences

    @classmethod
    def of_the_house(cls) -> Wording:
        """Reads words/*.yml."""
        return cls({code: read(_FOLDER / f"{code}.yml") for code in LOCALES})

    def say(self, locale: str, key: str, **values: object) -> str:
        """One sentence with its values put in."""
        sentence = self.sentences[locale][key]
        if not isinstance(sentence, str):
            raise KeyError(f"{key} is a list")
        return sentence.format_map(values) if values else sentence

    def several(self, locale: str, key: str) -> list[str]:
        """A list of sentences, such as the ready ones of the staff."""
        sentences = self.sentences[locale][key]
        if isinstance(sentences, str):
            raise KeyError(f"{key} is one sentence")
        return sentences
