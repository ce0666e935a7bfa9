"""The port of every engine that guesses what a sentence is about. It names an intent; it never names a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

OUT_OF_SCOPE = "out_of_scope"


@dataclass(frozen=True, slots=True)
class Parse:
    """An engine's opinion: intents with their probabilities, best first, and whether the sentence is ours at all."""

    ranking: tuple[tuple[str, float], ...]
    score: float
    in_scope: bool

    @property
    def best(self) -> str:
        return self.ranking[0][0] if self.ranking else OUT_OF_SCOPE


class Engine(Protocol):
    """Guesses the intent of one folded sentence."""

    def parse(self, text: str, locale: str = "zh") -> Parse: ...
