"""Notes what happens inside the talks of a playground, in the words of Rasa's assertions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dialogues.model import Call, Conversation, Effect, Heard, Input, Say
from dialogues.testing.world import TalkEvent
from nlu.commands import CancelFlow, Clarify, StartFlow, Stop


@dataclass
class TalkRecorder:
    """One list of events a person. It looks from outside at what each step of the engine changed."""

    noted: defaultdict[str, list[TalkEvent]] = field(default_factory=lambda: defaultdict(list))
    not_there: list[str] = field(default_factory=list)

    def observe(
        self, before: Conversation, heard: Input, after: Conversation, effects: Sequence[Effect]
    ) -> None:
        """One step of the engine."""
        self.noted[before.person] += _events(before, heard, after, effects)
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


def _events(
    before: Conversation, heard: Input, after: Conversation, effects: Sequence[Effect]
) -> Iterator[TalkEvent]:
    was, now = (Counter(f.flow for f in c.stack) for c in (before, after))
    for flow in now - was:
        yield TalkEvent("flow_started", flow)
    for name in sorted(set(after.slots) | set(before.slots)):
        if after.slots.get(name) != before.slots.get(name) and after.slots.get(name) is not None:
            yield TalkEvent("slot_was_set", name, after.slots[name])
    for effect in effects:
        if isinstance(effect, Call):
            yield TalkEvent("action_executed", effect.action)
        elif isinstance(effect, Say):
            yield TalkEvent("bot_uttered", effect.response)
    ended = "flow_cancelled" if _cancels(heard) else "flow_completed"
    steps = {f.flow: f.step for f in before.stack}
    for flow in was - now:
        yield TalkEvent(ended, flow, step=steps.get(flow, ""))
    if isinstance(heard, Heard):
        for command in heard.commands:
            if isinstance(command, Clarify):
                yield from (TalkEvent("clarification", flow) for flow in command.flows)


def _cancels(heard: Input) -> bool:
    return isinstance(heard, Heard) and any(isinstance(c, CancelFlow | Stop) for c in heard.commands)
