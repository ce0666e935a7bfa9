"""What can happen to a talk that stands somewhere: what a person says to a question, and what comes back from the house.

Every answer counts that the engine's types allow: each outcome an action declares, each verdict on a proposal, a code, a yes.
An outcome that a branch names fills every slot its action writes; of several that share one `else`, each may also bring
nothing, for whoever wrote the branch may have forgotten it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dialogues import questions
from dialogues.commit import OUTCOMES
from dialogues.exploring.reading import Chain, Reading, mentioned, unnamed
from dialogues.exploring.values import Values
from dialogues.model import Answered, Conversation, Frame, Heard, Input, News, Step
from dialogues.moment import LISTENING
from nlu.commands import (
    Affirm,
    CannotHandle,
    Choose,
    Code,
    Command,
    CorrectSlot,
    Deny,
    SetSlot,
    Skip,
    StartFlow,
)

_WITH_THE_VERDICT: Mapping[str, Mapping[str, Any]] = {"passed": {"factor": "pin"}, "wrong": {"tries_left": 2}}
STRENGTHS = ("key", "code", "approval")
_TOLD = tuple(outcome for outcome in OUTCOMES if outcome not in ("cancelled", "not_allowed"))


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens. `says` is for people who read a counterexample; `own`: the person himself did it.

    `anew`: it comes between, so that a question which comes back after it is not the same one asked again. `leaves`: the
    business is given up by it, which is not the end it should come to.
    """

    says: str
    input: Input
    own: bool = True
    anew: bool = False
    leaves: bool = False


class Happening:
    """Everything that can happen next, in a fixed order."""

    def __init__(self, reading: Reading, values: Values) -> None:
        self.reading, self.values, self.release = reading, values, reading.release

    def next(self, talk: Conversation) -> list[Event]:
        """What leads on from where a talk stands; nothing where nothing is under way."""
        if talk.top is None:
            return [_said(Choose(name), f"chooses {name}") for name in questions.offered(self.release, talk)]
        if talk.top.phase in LISTENING:
            return [*self._answers(talk, talk.top)]
        return [self._house(event) for event in self._verdicts(talk, talk.top)]

    @staticmethod
    def missed() -> Event:
        """Something nobody understands."""
        return _said(CannotHandle(), "says something nobody understands")

    def beginnings(self, only: frozenset[str] = frozenset()) -> list[Event]:
        """Every way a piece of business begins: wished for, wished for with values, or told as news."""
        found: list[Event] = []
        for name, flow in self.release.flows.items():
            if only and name not in only:
                continue
            if flow.guard is None:
                found += self._wishes(name)
            elif self.is_news(name):
                found += self._news(name)
        return found

    # --- a person ---------------------------------------------------------------------------------------------

    def _wishes(self, flow: str) -> Iterator[Event]:
        """The bare wish; and the wish with each value it can bring."""
        yield _said(StartFlow(flow), f"wants {flow}")
        asked = dict.fromkeys(
            step.collect
            for one in (flow, *sorted(self.reading.called_by(flow)))
            for step in self.release.flows[one].steps.values()
            if step.collect and not step.ask_before_filling
        )
        for name in asked:
            for value in self.values.said_for(self.release.slots[name], flow):
                yield _said(StartFlow(flow, {name: value}), f"wants {flow} with {name} {_shown(value)}")

    def _answers(self, talk: Conversation, top: Frame) -> Iterator[Event]:
        match top.phase:
            case "confirm":
                yield _said(Affirm("key"), "says yes")
                yield _said(Deny(), "says no")
            case "code":
                yield _said(Code("123456"), "gives a code")
                yield _said(Deny(), "says no")
            case "resume":
                yield _said(Affirm("key"), "says yes, go on")
                yield Event("says no, leave it", Heard((Deny(),)), leaves=True)
            case _:
                yield from self._to_a_question(talk, top)

    def _to_a_question(self, talk: Conversation, top: Frame) -> Iterator[Event]:
        step = self.release.flows[top.flow].steps[top.step]
        slot = self.release.slots[step.collect]
        if slot.type == "bool":
            yield _said(Affirm("key"), "says yes")
            yield _said(Deny(), "says no")
        elif choices := questions.choices_of(step, talk, self.release):
            compared = self.reading.literals[_chain(talk)[0][0]].get(slot.name, {})
            others = [name for name in choices if name not in compared]
            for name in [*others[:1], *(name for name in choices if name in compared)]:
                yield _said(Choose(name), f"chooses {name}")
        else:
            for value in self.values.said_for(slot, _chain(talk)[0][0]):
                command: Command = (
                    Code(str(value)) if questions.asks_of(step) == "code" else SetSlot(slot.name, value)
                )
                yield _said(command, f"answers {_shown(value)}")
        if step.metadata.get("optional"):
            yield _said(Skip(), "leaves it out")

    def corrections(self, talk: Conversation) -> list[Event]:
        """Of each value this business asked for and was given: that was wrong."""
        given = dict.fromkeys(
            name
            for frame in talk.stack
            for mark in frame.trail
            for name in mark.slots
            if self._asked_for(frame, name) and talk.slots.get(name) is not None
        )
        return [_said(CorrectSlot(name, None), f"says {name} was wrong") for name in given]

    def _asked_for(self, frame: Frame, slot: str) -> bool:
        return any(step.collect == slot for step in self.release.flows[frame.flow].steps.values())

    # --- the house --------------------------------------------------------------------------------------------

    @staticmethod
    def _house(event: Event) -> Event:
        return Event(event.says, event.input, own=False)

    def _verdicts(self, talk: Conversation, top: Frame) -> Iterator[Event]:
        step = self.release.flows[top.flow].steps[top.step]
        match top.phase:
            case "call":
                yield from self._outcomes(talk, top, step)
            case "propose":
                yield from self._proposed(talk, top, step)
            case "check":
                for verdict in ("passed", "wrong", "blocked", "expired"):
                    more: Mapping[str, Any] = _WITH_THE_VERDICT.get(verdict, {})
                    yield Event(f"the code is {verdict}", Answered(top.call_id, verdict, more))
            case "commit":
                yield Event("the till takes the yes", Answered(top.call_id, "submitted", {}))
                yield from self._refused(top)
            case "outcome":
                yield from self._told(talk, top)

    def _outcomes(self, talk: Conversation, top: Frame, step: Step) -> Iterator[Event]:
        spec = self.release.actions[step.action]
        shared = unnamed(spec, step)
        usual = {name: self.values.usual(name) for name in spec.writes}
        asked = self.reading.asked_behind(_chain(talk))
        for outcome in spec.outcomes:
            says = f"{step.action} comes out as {outcome}"
            if outcome in shared and len(shared) > 1:
                yield Event(f"{says}, with nothing", Answered(top.call_id, outcome, {}))
            for chosen in self._ways([name for name in spec.writes if name in asked], talk):
                yield Event(
                    f"{says}{_different(chosen)}", Answered(top.call_id, outcome, {**usual, **chosen})
                )

    def _ways(self, names: list[str], talk: Conversation) -> list[Mapping[str, Any]]:
        return self.values.combinations(names, _chain(talk)[0][0])

    def _proposed(self, talk: Conversation, top: Frame, step: Step) -> Iterator[Event]:
        facts = {name: self.values.usual(name) for name in self.reading.told_by_till(top.flow, step)}
        for strength in STRENGTHS:
            bound = {"act": f"act{talk.turn}", "digest": "d", "strength": strength}
            yield Event(
                f"the till can do it, a yes by {strength} is needed",
                Answered(top.call_id, "proposed", facts | bound),
            )
        yield from self._refused(top)

    def _refused(self, top: Frame) -> Iterator[Event]:
        for reason in self.values.of("refusal", top.flow):
            if reason is not None:
                yield Event(
                    f"the till refuses: {reason}", Answered(top.call_id, "refused", {"reason": reason})
                )

    def _told(self, talk: Conversation, top: Frame) -> Iterator[Event]:
        """What became of the act, with everything the till tells of it."""
        names = self.reading.sentences(top.flow)
        usual = {
            n: self.values.usual(n)
            for n in sorted(names)
            if talk.slots.get(n) is None and n in self.release.slots
        }
        asked = self.reading.asked_behind(_chain(talk))
        act = str(top.context.get("act", ""))
        for outcome in _TOLD:
            for chosen in self._ways([name for name in ("news", "payment", "reason") if name in asked], talk):
                yield Event(
                    f"the till tells: {outcome}{_different(chosen)}",
                    News(top.flow, {**usual, **chosen}, act, outcome),
                )

    @staticmethod
    def stopped(ids: str) -> list[Event]:
        """What the till answers to a stop."""
        return [
            Event(f"the till answers: {outcome}", Answered(f"{ids}0", outcome, {}), own=False)
            for outcome in ("nothing_sent", "in_flight")
        ]

    # --- news -------------------------------------------------------------------------------------------------

    def is_news(self, name: str) -> bool:
        """A flow nobody can wish for and no flow calls; or one that asks which news it is."""
        if self.release.flows[name].guard is None:
            return False
        called = any(
            name == step.flow or name in _explained_by(step)
            for flow in self.release.flows.values()
            for step in flow.steps.values()
        )
        return not called or "news" in self.reading.literals[name]

    def _news(self, name: str) -> Iterator[Event]:
        first = self.release.flows[name].first
        read = {n for one in self.reading.live_along(((name, first),)) for n in mentioned(one)}
        usual = {n: self.values.usual(n) for n in sorted(read)}
        for chosen in self.values.combinations([n for n in read if n in self.reading.literals[name]], name):
            given = {n: v for n, v in {**usual, **chosen}.items() if v is not None}
            yield Event(f"news: {name}{_different(chosen)}", News(name, given), own=False)


def _chain(talk: Conversation) -> Chain:
    """Where the business on top stands: the flow it began with, and those it called."""
    frames = list(talk.stack)
    first = max((at for at, frame in enumerate(frames) if frame.kind != "call"), default=0)
    return tuple((frame.flow, frame.step) for frame in frames[first:])


def _explained_by(step: Step) -> list[str]:
    explained = dict(step.metadata.get("explain") or {}).values()
    return [str(one["flow"]) for one in explained if isinstance(one, Mapping) and "flow" in one]


def _said(command: Command, says: str) -> Event:
    return Event(says, Heard((command,)))


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value)


def _different(chosen: Mapping[str, Any]) -> str:
    """The values of an answer that decide something, as people read them."""
    told = ", ".join(
        f"{name} {_shown(value)}" for name, value in chosen.items() if not isinstance(value, Mapping)
    )
    return f" ({told})" if told else ""
