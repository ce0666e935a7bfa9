"""A counterexample as people read it: who does what, what the bot says to it, and where in the flows that stands."""

from __future__ import annotations

from dataclasses import dataclass

from dialogues.exploring.happening import Event
from dialogues.exploring.promises import Broken
from dialogues.exploring.walking import Walk
from dialogues.model import Conversation, Effect, Release, Say, Where

_NOWHERE = Where("", 0)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happens: by whom, what, what is said to it by the names of the responses, and where the talk stands then."""

    by: str  # person or house
    does: str
    says: tuple[str, ...]
    at: str

    def __str__(self) -> str:
        answer = f"  bot: {', '.join(self.says)}" if self.says else ""
        return (
            f"    {self.by}: {self.does}\n      {answer}  [{self.at}]"
            if answer
            else f"    {self.by}: {self.does}  [{self.at}]"
        )


def told(walk: Walk, broken: Broken) -> tuple[Line, ...]:
    """The whole conversation, from the first word to what must not be."""
    happened = [
        (node.event, node.effects, node.talk) for node in walk.path(broken.node) if node.event is not None
    ]
    return tuple(_line(walk.release, *one) for one in (*happened, *broken.then))


def where(release: Release, broken: Broken) -> tuple[str, str, Where]:
    """Flow, step and line of the file at which it happens."""
    talks = [broken.node.talk, *(talk for _, _, talk in broken.then)]
    standing = [talk for talk in talks if talk.top is not None]
    if not standing or (top := standing[0].top) is None:
        return "", "", _NOWHERE
    return top.flow, top.step, _place(release, top.flow, top.step)


def _line(release: Release, event: Event, effects: tuple[Effect, ...], talk: Conversation) -> Line:
    says = tuple(
        f"{effect.response} (asks {effect.asks})" if effect.asks else effect.response
        for effect in effects
        if isinstance(effect, Say)
    )
    top = talk.top
    at = (
        f"{top.flow}:{top.step} {top.phase}, {_place(release, top.flow, top.step)}"
        if top
        else "nothing under way"
    )
    return Line("person" if event.own else "house", event.says, says, at)


def _place(release: Release, flow: str, step: str) -> Where:
    found = release.flows[flow].steps.get(step) if flow in release.flows else None
    return found.where if found is not None else _NOWHERE
