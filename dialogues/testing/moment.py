"""What stood at one moment of a talk: everything sent so far, what is true, and where the last human step began."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dialogues.testing.world import Sent, TalkEvent, WorldFacts


@dataclass(frozen=True, slots=True)
class Moment:
    """mark: how many messages had been sent when the last human step began. events: the same per person, for what
    happened inside the talk. captures_before, calls_before: how often the rail had taken money or been called before
    the script's own first step. written_off: which payments each earlier talk left written off.
    """

    persona: str
    sent: Sequence[Sent]
    facts: WorldFacts
    mark: int = 0
    events: Mapping[str, int] = field(default_factory=dict)
    captures_before: int = 0
    calls_before: int = 0
    written_off: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def heard(self, person: str) -> list[Sent]:
        """What was sent to this person since the last human step."""
        return [s for s in self.sent[self.mark :] if s.person == person]

    def heard_before(self, person: str) -> list[Sent]:
        return [s for s in self.sent[: self.mark] if s.person == person]

    def happened(self, person: str) -> Sequence[TalkEvent] | None:
        """What happened inside this person's talk since the last human step; None when the world cannot tell."""
        talk = self.facts.talks.get(person)
        if talk is None or talk.events is None:
            return None
        return talk.events[self.events.get(person, 0) :]


def joined(messages: Sequence[Sent]) -> str:
    return "\n".join(s.text for s in messages)


def replies(messages: Sequence[Sent]) -> list[list[Sent]]:
    """Messages that came in one reply, together. A message without a cause is a reply of its own."""
    found: list[list[Sent]] = []
    for message in messages:
        if found and message.cause and found[-1][0].cause == message.cause:
            found[-1].append(message)
        else:
            found.append([message])
    return found
