"""An engine that lives elsewhere, beside the one of the house: asked within a budget, left alone while it is not well."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from data.clock import Clock, SystemClock
from nlu.engine import OUT_OF_SCOPE, Engine, Parse
from nlu.engines import ahead

log = structlog.get_logger("bangjiao.nlu")

BUDGET_SECONDS = 0.4  # nobody notices so short a pause in a talk
NOTHING_OF_OURS = Parse((), 0.0, False)


class NoOpinion(Exception):
    """What came back is no answer to the question."""


class Adviser(Protocol):
    """Somebody outside who names an intent. May fail in any way: `Elsewhere` stands before it."""

    @property
    def name(self) -> str: ...

    def wanted(self, ours: Parse, locale: str) -> bool:
        """Whether his opinion counts where the engine of the house thinks this."""
        ...

    async def advise(self, text: str, locale: str) -> Parse:
        """His opinion of a folded text. Raises NoOpinion, or whatever goes wrong on the way."""
        ...

    async def healthy(self) -> bool:
        """Whether he would answer now."""
        ...

    async def aclose(self) -> None: ...


@dataclass
class Breaker:
    """After `failures` in a row nobody is asked for `rest`; then one sentence may try again."""

    failures: int = 3
    rest: timedelta = timedelta(seconds=30)
    _missed: int = 0
    _until: datetime | None = None

    def lets_through(self, now: datetime) -> bool:
        """Whether asking is worth the wait now."""
        return self._until is None or now >= self._until

    @property
    def resting(self) -> bool:
        """Too many failures, and no answer since."""
        return self._until is not None

    def answered(self) -> None:
        """All is well again."""
        self._missed, self._until = 0, None

    def failed(self, now: datetime) -> bool:
        """One more failure; True when it is the one that begins a rest."""
        self._missed += 1
        if self._missed < self.failures:
            return False
        begins = self._until is None
        self._until = now + self.rest
        return begins


class Elsewhere:
    """An `Engine` whose opinion is asked outside; whatever goes wrong there, the engine of the house answers."""

    def __init__(
        self,
        adviser: Adviser,
        house: Engine,
        *,
        budget_seconds: float = BUDGET_SECONDS,
        clock: Clock | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        self._adviser = adviser
        self._house = house
        self._budget = budget_seconds
        self._clock = clock or SystemClock()
        self._breaker = breaker or Breaker()

    def parse(self, text: str, locale: str = "zh") -> Parse:
        """The opinion asked for before, or that of the house. Raises Unasked where it is still to be asked for."""
        ours, known = self._house.parse(text, locale), ahead.known()
        if known is None or not self._adviser.wanted(ours, locale):
            return ours
        if (said := known.get((text, locale))) is not None:
            return said
        if not self._breaker.lets_through(self._clock.now()):
            return ours
        raise ahead.Unasked(self, text, locale)

    async def ask(self, text: str, locale: str) -> Parse:
        """The opinion from outside within the budget, else that of the house; never an error."""
        try:
            async with asyncio.timeout(self._budget):
                said = await self._asked(text, locale)
        except Exception as trouble:  # whoever breaks outside must not break a talk
            self._note(trouble)
            return self._house.parse(text, locale)
        self._breaker.answered()
        return said

    async def healthy(self) -> bool:
        """Whether it answers within a second; never an error."""
        try:
            async with asyncio.timeout(1.0):
                return await self._adviser.healthy()
        except Exception:
            return False

    async def aclose(self) -> None:
        """Lets connections go; the next question opens them anew."""
        await self._adviser.aclose()

    async def _asked(self, text: str, locale: str) -> Parse:
        """After a rest it is first asked whether it is well: a sentence is not spent on a dead server."""
        if self._breaker.resting and not await self._adviser.healthy():
            raise NoOpinion("not well yet")
        return await self._adviser.advise(text, locale)

    def _note(self, trouble: Exception) -> None:
        """Of a failure its kind is kept, never the sentence it was about."""
        if self._breaker.failed(self._clock.now()):
            kind = type(trouble).__name__
            log.warning("an engine gives no answer; ours goes on alone", engine=self._adviser.name, kind=kind)


def opinion(pairs: Iterable[tuple[Any, Any]], intents: frozenset[str], *, in_scope: bool) -> Parse:
    """A Parse of what somebody outside said: intents of ours with real probabilities, best first; the rest is dropped."""
    likeliest: dict[str, float] = {}
    for intent, p in pairs:
        if _is_ours(intent, p, intents):
            likeliest[intent] = max(float(p), likeliest.get(intent, 0.0))
    ranking = tuple(sorted(likeliest.items(), key=lambda pair: -pair[1]))
    if not ranking:
        return NOTHING_OF_OURS
    return Parse(ranking, ranking[0][1], in_scope and ranking[0][0] != OUT_OF_SCOPE)


def _is_ours(intent: Any, p: Any, intents: frozenset[str]) -> bool:
    number = isinstance(p, int | float) and not isinstance(p, bool) and math.isfinite(p) and 0 <= p <= 1
    return isinstance(intent, str) and intent in intents and number
