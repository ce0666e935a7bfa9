"""Whether somebody with nothing but a telephone's keys can answer a question, reach a person and end it.

Keys go the way they always go: understood by `nlu` against what the state waits for, past the guard, into the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dialogues import expectation, guard
from dialogues.exploring.happening import Event
from dialogues.exploring.walking import SPOKEN, Node, Walk
from dialogues.model import Conversation, Heard
from dialogues.moment import HUMAN
from nlu.commands import Command, Expectation, Human, Stop, Utterance
from nlu.engine import OUT_OF_SCOPE, Parse
from nlu.understand import Understanding

_LONGEST = 20


class _NoGuess:
    """An engine that guesses nothing: keys and closed words are read without one."""

    def parse(self, text: str, locale: str = "zh") -> Parse:
        return Parse(((OUT_OF_SCOPE, 1.0),), 0.0, False)


_UNDERSTANDING = Understanding(_NoGuess())
_WORDS: dict[str, type[Human | Stop]] = {"人工": Human, "停": Stop}


def unanswerable(walk: Walk, node: Node, law: str, broken: Callable[..., Any]) -> Iterator[Any]:
    """A question no key leads on from; a key or a word for a person or a stop that is taken for an answer."""
    talk = node.talk
    if _came_round(talk) > 1:
        return  # how it is answered was looked at when it was asked first
    waits_for = expectation.expectation(walk.release, talk, spoken=True)
    asks: dict[str, type[Human | Stop]] = {"0#" if _collects(waits_for) else "0": Human, "*": Stop}
    for keys, meant in asks.items():
        if not isinstance(_pressed(keys, waits_for, talk)[0], meant):
            yield broken(law, f"key {keys} is taken for an answer", node)
    for word, meant in _WORDS.items():
        if not isinstance(_UNDERSTANDING.understand(Utterance(text=word), waits_for)[0], meant):
            yield broken(law, f"{word} is taken for an answer", node)
    tried: list[Any] = []
    for keys in _keys(waits_for):
        commands = _pressed(keys, waits_for, talk)
        after, effects = walk.step(talk, Heard(commands), SPOKEN)
        if _leads_on(talk, after):
            return
        tried.append((Event(f"presses {keys}", Heard(commands)), effects, after))
    yield broken(law, f"no key leads on: tried {', '.join(_keys(waits_for))}", node, tuple(tried[:1]))


def _pressed(keys: str, waits_for: Expectation, talk: Conversation) -> tuple[Command, ...]:
    understood = _UNDERSTANDING.understand(Utterance(keys=keys), waits_for)
    return guard.allowed(understood, talk, waits_for, talk.prompt)


def _collects(waits_for: Expectation) -> bool:
    return waits_for.digits is not None or waits_for.asks in {"account", "code"}


def _keys(waits_for: Expectation) -> list[str]:
    """What people would press: a choice's own key, one of the first three, or digits of a length that fits."""
    keyed = [word for words in waits_for.choices.values() for word in words if word.isdecimal()]
    found = dict.fromkeys([*keyed, "1", "2", "3"])
    if waits_for.digits is not None:
        least, most = waits_for.digits
        lengths = range(least, min(most, _LONGEST) + 1)
        found = dict.fromkeys([*keyed, *(f"{'5' * length}#" for length in lengths), *found])
    return list(found)


def _leads_on(before: Conversation, after: Conversation) -> bool:
    """Whether the question is answered: the talk stands elsewhere, works on it, or has more of the digits."""
    top, now = before.top, after.top
    if now is None or top is None:
        return True
    if now.flow == HUMAN and len(after.stack) > len(before.stack):
        return False  # the person who comes when somebody was not understood, not one who was chosen
    place, place_now = (top.flow, top.step, top.phase), (now.flow, now.step, now.phase)
    if place != place_now or len(before.stack) != len(after.stack):
        return True
    collected, so_far = (str(one.context.get("collected", "")) for one in (now, top))
    return len(collected) > len(so_far) or _came_round(after) > _came_round(before)


def _came_round(talk: Conversation) -> int:
    """How often the flow asked one question of the business on top: more than before means that the answer was taken."""
    return max(talk.top.context.get("rounds", {}).values(), default=0) if talk.top is not None else 0
