"""The same thing again and again at one question: it comes in another way each time, and then a person comes (L10).

Not understood, once more please, why, hello, silence: the engine counts each reason for itself, so each is driven to its end
by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dialogues.exploring.happening import Event
from dialogues.exploring.walking import SPOKEN, WRITTEN, Node, Walk
from dialogues.model import Alarm, Conversation, Effect, Facts, Heard, Say
from dialogues.moment import HUMAN
from nlu.commands import (
    Bigger,
    CannotHandle,
    Clarify,
    Command,
    Explain,
    Greet,
    Refuse,
    Repeat,
    Resume,
    Silence,
    Skip,
    StartFlow,
)

SAME_WAY = 3
_MOST_TIMES = 6  # by then a person has come, or nobody ever does


@dataclass(frozen=True, slots=True)
class Stuck:
    """A question that comes back unchanged, and the inputs that showed it. `fails`: asking again broke something."""

    what: str
    then: tuple[tuple[Event, tuple[Effect, ...], Conversation], ...]
    fails: bool = False


def stuck(walk: Walk, node: Node) -> Iterator[Stuck]:
    """Every reason that brings the question of this state back a third time just as it was, or for ever."""
    for event, facts in _reasons(node):
        found = _driven(walk, node, event, facts)
        if found is not None:
            yield found


def _reasons(node: Node) -> list[tuple[Event, Facts]]:
    commands: list[tuple[str, Command]] = [
        ("says something nobody understands", CannotHandle()),
        ("asks to hear it again", Repeat()),
        ("asks why", Explain("why")),
        ("asks how", Explain("how")),
        ("says hello", Greet()),
        ("wants larger print", Bigger()),
        ("wants to go on", Resume()),
        ("wants to leave the question out", Skip()),
        ("says a card number", Refuse("card_number")),
        ("says that something is wrong", CannotHandle("what_is_wrong")),
    ]
    if node.top is not None:
        flow = node.talk.stack[0].flow
        commands += [
            ("wants the same again", StartFlow(flow)),
            ("could mean two things", Clarify((flow, HUMAN))),
        ]
    found = [(Event(says, Heard((command,))), WRITTEN) for says, command in commands]
    return [*found, (Event("says nothing", Heard((Silence(8.0),))), SPOKEN)]


def _driven(walk: Walk, node: Node, event: Event, facts: Facts) -> Stuck | None:
    talk, asked, times = node.talk, newest(node.effects, node.talk), 1
    then: tuple[tuple[Event, tuple[Effect, ...], Conversation], ...] = ()
    place = _place(talk)
    for _ in range(_MOST_TIMES):
        talk, effects = walk.step(talk, event.input, facts)
        then = (*then, (event, effects, talk))
        if alarm := next((e.what for e in effects if isinstance(e, Alarm)), None):
            return Stuck(alarm, then, fails=True)
        if _place(talk) != place:
            return None
        again = newest(effects, talk)
        times = times + 1 if again == asked else 1
        asked = again
        if times >= SAME_WAY and asked is not None:
            return Stuck(f"{asked[0]} is asked the same way {times} times", then)
    return Stuck("nobody comes, however often it is asked", then)


def _place(talk: Conversation) -> tuple[tuple[str, str, str], ...]:
    return tuple((frame.flow, frame.step, frame.phase) for frame in talk.stack)


def newest(effects: tuple[Effect, ...], talk: Conversation) -> tuple[object, ...] | None:
    """The newest question as it was put: its words, and how slow, loud and large they come."""
    pace = talk.preferences
    return next(
        (
            (e.response, e.slower, pace.large, pace.rate, pace.volume)
            for e in reversed(effects)
            if isinstance(e, Say) and e.asks
        ),
        None,
    )
