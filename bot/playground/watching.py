"""Notes what happens inside the talks of a playground, in the words of Rasa's assertions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from dialogues.model import Heard, Input
from dialogues.moment import Noted
from dialogues.testing.world import TalkEvent
from nlu.commands import StartFlow


@dataclass
class TalkRecorder:
    """One list of events a person, as the engine tells them: also what began and ended within one step."""

    noted: defaultdict[str, list[TalkEvent]] = field(default_factory=lambda: defaultdict(list))
    not_there: list[str] = field(default_factory=list)

    def observe(self, person: str, heard: Input, noted: Sequence[Noted]) -> None:
        """One step of the engine."""
        self.noted[person] += [TalkEvent(one.kind, one.name, one.value, one.step) for one in noted]
        self._wish_without_flow(heard)

    def _wish_without_flow(self, heard: Input) -> None:
        """Several bills in one sentence are one joint act, which the house does not offer yet."""
        if isinstance(heard, Heard):
            paying = [c for c in heard.commands if isinstance(c, StartFlow) and c.flow == "pay_bill"]
            if len({c.slots.get("utility") for c in paying}) > 1:
                self.not_there.append("flow.pay_several")

    def events(self, person: str) -> tuple[TalkEvent, ...]:
        """Everything noted of this person since the last clearing."""
        return tuple(self.noted[person])

    def clear(self) -> None:
        """What was arranged does not count."""
        self.noted.clear()
        self.not_there.clear()
