"""How a turn gets the opinion of an engine that lives elsewhere without ever waiting for it inside its transaction.

The turn is tried. If it comes to the point where such an opinion would count, it is taken back as if it had never begun,
the engine is asked outside, and the turn is tried once more with what was said. So nothing is asked about a PIN, a number
or a plain yes: those are read before anybody's opinion counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Protocol, TypeVar

from nlu.engine import Parse

T = TypeVar("T")

# A folded text and its language.
About = tuple[str, str]
Opinions = Mapping[About, Parse]


class Asked(Protocol):
    """Whoever can be asked outside a transaction. Never fails and never takes longer than he may."""

    async def ask(self, text: str, locale: str) -> Parse: ...


class Unasked(Exception):
    """This turn wants an opinion nobody has asked for yet. Carries no word of the person in what it shows."""

    def __init__(self, engine: Asked, text: str, locale: str) -> None:
        super().__init__("an engine has to be asked before this turn")
        self._engine = engine
        self._about = (text, locale)

    async def ask(self) -> Opinions:
        """What the engine says; to be had outside of every transaction."""
        return {self._about: await self._engine.ask(*self._about)}


_KNOWN: ContextVar[Opinions | None] = ContextVar("opinions", default=None)


def within(opinions: Opinions, work: Callable[[], T]) -> T:
    """Does `work` with these opinions at hand; raises Unasked where another one is wanted."""
    before = _KNOWN.set(opinions)
    try:
        return work()
    finally:
        _KNOWN.reset(before)


def alone(work: Callable[[], T]) -> T:
    """Does work in which the engine of the house decides by itself: nobody is asked about it."""
    before = _KNOWN.set(None)
    try:
        return work()
    finally:
        _KNOWN.reset(before)


def known() -> Opinions | None:
    """The opinions at hand; None where nobody would ask for more, so that the engine of the house decides alone."""
    return _KNOWN.get()


async def heard(work: Callable[[], T]) -> T:
    """Does work that touches no store, asking whoever has to be asked (the command line)."""
    opinions: dict[About, Parse] = {}
    while True:
        try:
            return within(opinions, work)
        except Unasked as unasked:
            opinions |= await unasked.ask()
