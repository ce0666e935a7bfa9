"""Rasa 3.6 as an engine beside ours, over `POST /model/parse`. Only its ranking of intents is taken, no value of its finding.

Its own environment is built by `make rasa`, which also learns the threshold below which a sentence is nothing of ours and
gives it to the model: Rasa then names `nlu_fallback` as the first intent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nlu.engine import Parse
from nlu.engines.asking_http import Line
from nlu.engines.elsewhere import NoOpinion, opinion

FALLBACK = "nlu_fallback"


class Rasa:
    """The `Adviser` that asks a Rasa server; one address a language, and a language without one is not asked about."""

    name = "rasa"

    def __init__(self, urls: Mapping[str, str], intents: frozenset[str]) -> None:
        self._lines = {locale: Line(url) for locale, url in urls.items() if url}
        self._intents = intents

    def wanted(self, ours: Parse, locale: str) -> bool:
        """Always: it stands in the place of the engine of the house."""
        return locale in self._lines

    async def advise(self, text: str, locale: str) -> Parse:
        """Its ranking for this text. Raises NoOpinion, or httpx.HTTPError."""
        return read(await self._lines[locale].ask("POST", "/model/parse", {"text": text}), self._intents)

    async def healthy(self) -> bool:
        """Whether every server has a model loaded."""
        for line in self._lines.values():
            status = await line.ask("GET", "/status")
            if not (isinstance(status, dict) and status.get("model_file")):
                return False
        return True

    async def aclose(self) -> None:
        """Closes the connections."""
        for line in self._lines.values():
            await line.aclose()


def read(answer: Any, intents: frozenset[str]) -> Parse:
    """An answer of /model/parse as a Parse. Raises NoOpinion for anything of another shape."""
    if not isinstance(answer, dict) or not isinstance(answer.get("intent_ranking"), list):
        raise NoOpinion("no ranking")
    named = [
        (row.get("name"), row.get("confidence")) for row in answer["intent_ranking"] if isinstance(row, dict)
    ]
    best = answer.get("intent")
    unsure = isinstance(best, dict) and best.get("name") == FALLBACK
    return opinion(named, intents, in_scope=not unsure)
