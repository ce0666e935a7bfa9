"""The walk itself: every state that can be reached, nearest first, each by its shortest conversation."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from data.ids import PersonId
from dialogues import engine
from dialogues.exploring import states
from dialogues.exploring.happening import Event, Happening
from dialogues.exploring.reading import Reading
from dialogues.exploring.values import Values
from dialogues.model import (
    Commit,
    Conversation,
    Effect,
    Facts,
    Flow,
    Frame,
    Heard,
    Input,
    Propose,
    Release,
    Say,
)
from dialogues.moment import HUMAN, LISTENING
from nlu.commands import Affirm, Code, Human, StartFlow

_NOON = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
WRITTEN = Facts(_NOON, "web", False, {"person_name": "李"})
SPOKEN = Facts(_NOON, "voice", True, {"person_name": ""})
MOST_STATES = 60_000  # of one walk; more is a flow that counts something without end
_SAME_WAY = 3  # L10: never three times


@dataclass(frozen=True, slots=True)
class Heeded:
    """What the laws remember of the way to a state."""

    question: tuple[str, str] = ("", "")  # the newest one, and the act it is about
    times: int = 0  # how often it was asked in a row, just so
    read_back: str = ""  # the act whose read-back is the newest question
    agreed: bool = False  # and the person said yes to it


@dataclass(slots=True)
class Node:
    """A state, the first talk that came there, and how."""

    number: int
    talk: Conversation
    heeded: Heeded
    effects: tuple[Effect, ...] = ()
    before: int | None = None
    event: Event | None = None
    depth: int = 0
    next: set[int] = field(default_factory=set)

    @property
    def top(self) -> Frame | None:
        return self.talk.top


@dataclass(frozen=True, slots=True)
class Taken:
    """One input, and what the engine made of it."""

    node: Node
    event: Event
    talk: Conversation
    effects: tuple[Effect, ...]
    heeded: Heeded
    error: str = ""  # what the engine raised, which it never may


class Walk:
    """Breadth first over everything that can happen. The same release always gives the same nodes in the same order."""

    def __init__(
        self, release: Release, flows: frozenset[str] = frozenset(), *, depth: int = 2, every: bool = False
    ) -> None:
        self.release = release
        self.reading = Reading(release)
        self.happening = Happening(self.reading, Values(self.reading))
        self.depth = depth  # pieces of business on top of each other
        self.every = every  # whether every flow interrupts, or only the shortest of each kind
        self.flows = flows
        self.events = 0
        self.nodes: list[Node] = []
        self._known: dict[Hashable, Node] = {}
        self._waiting: deque[Node] = deque()
        self._met: set[Hashable] = set()  # places where somebody was not understood and interrupted
        self._short = self._shortest()
        self._between = self._coming_between()

    def taken(self) -> Iterator[Taken]:
        """Every step of the walk, in order; a state is expanded once."""
        start = self._node(Conversation(PersonId("somebody"), self.release.id), Heeded(), None)
        for event in self.happening.beginnings(self.flows):
            yield self._take(start, event)
        self._waiting.popleft()
        while self._waiting:
            node = self._waiting.popleft()
            for event in self._events(node):
                yield self._take(node, event)
            if len(self.nodes) > MOST_STATES:
                raise RuntimeError(f"more than {MOST_STATES} states: some flow counts without end")

    def step(
        self, talk: Conversation, input: Input, facts: Facts = WRITTEN
    ) -> tuple[Conversation, tuple[Effect, ...]]:
        """One step of the engine, counted."""
        self.events += 1
        return engine.step(self.release, talk, input, facts)

    def path(self, node: Node) -> list[Node]:
        """From the first thing said to this state."""
        found: list[Node] = []
        at: Node | None = node
        while at is not None and at.event is not None:
            found.append(at)
            at = self.nodes[at.before] if at.before is not None else None
        return found[::-1]

    def visible(self, talk: Conversation) -> bool:
        """Whether a person can speak while the talk stands so: not between two steps of one turn."""
        top = talk.top
        if top is None or top.phase in LISTENING or top.phase == "outcome":
            return True
        action = self.release.actions.get(self.release.flows[top.flow].steps[top.step].action)
        return top.phase == "call" and action is not None and action.outside

    # --- one step ---------------------------------------------------------------------------------------------

    def _events(self, node: Node) -> list[Event]:
        """What leads on; and once for each place of a business what is not understood there, and what comes between."""
        top = node.top
        if top is None or not self.visible(node.talk):
            return self.happening.next(node.talk)
        missed = [self.happening.missed()] if top.phase in LISTENING else []
        if top.misses:
            return missed  # an answer does what it did before the miss
        place = tuple((f.flow, f.step, f.kind, f.phase, f.context.get("strength")) for f in node.talk.stack)
        if place in self._met:
            return self.happening.next(node.talk)
        self._met.add(place)
        return [*self.happening.next(node.talk), *missed, *self._interruptions(node)]

    def _take(self, node: Node, event: Event) -> Taken:
        try:
            talk, effects = self.step(node.talk, event.input)
        except Exception as problem:  # the law is that the engine never raises, whatever it is
            return Taken(node, event, node.talk, (), node.heeded, f"{type(problem).__name__}: {problem}")
        heeded = self._heeded(node, event, talk, effects)
        taken = Taken(node, event, talk, effects, heeded)
        if heeded.times < _SAME_WAY:
            reached = self._node(talk, heeded, taken)
            node.next.update(() if event.leaves else (reached.number,))
        return taken

    def _node(self, talk: Conversation, heeded: Heeded, taken: Taken | None) -> Node:
        place = states.of(self.reading, talk, whole=self._is_short(talk))
        key = (place, min(heeded.times, 2), bool(heeded.read_back), heeded.agreed)
        if (known := self._known.get(key)) is not None:
            return known
        node = Node(len(self.nodes), talk, heeded)
        if taken is not None:
            node.effects, node.event = taken.effects, taken.event
            node.before, node.depth = taken.node.number, taken.node.depth + 1
        self._known[key] = node
        self.nodes.append(node)
        self._waiting.append(node)
        return node

    def _heeded(self, node: Node, event: Event, talk: Conversation, effects: tuple[Effect, ...]) -> Heeded:
        with_a_person = talk.top is not None and talk.top.flow == HUMAN
        heeded = replace(node.heeded, times=0) if event.anew or with_a_person else node.heeded
        if isinstance(event.input, Heard) and isinstance(event.input.commands[0], Affirm | Code):
            heeded = replace(heeded, agreed=bool(heeded.read_back))
        for effect in effects:
            heeded = self._after(heeded, effect, talk)
        return Heeded() if talk.top is None else heeded

    def _after(self, heeded: Heeded, effect: Effect, talk: Conversation) -> Heeded:
        match effect:
            case Propose() | Commit():
                return replace(heeded, read_back="", agreed=False)
            case Say(response, asks=str() as asks):
                return self._asked(heeded, response, asks, talk)
        return heeded

    def _asked(self, heeded: Heeded, response: str, asks: str, talk: Conversation) -> Heeded:
        act = str(talk.top.context.get("act", "")) if talk.top else ""
        question = (response, act)
        times = heeded.times + 1 if question == heeded.question else 1
        heeded = replace(heeded, question=question, times=times)
        if (
            asks == "confirm"
            and talk.top is not None
            and talk.top.phase == "confirm"
            and self._reads_back(talk.top, response)
        ):
            return replace(heeded, read_back=act, agreed=False)
        if asks == "code" or (asks == "confirm" and act == heeded.read_back):
            return heeded
        return replace(heeded, read_back="", agreed=False)

    def _reads_back(self, top: Frame, response: str) -> bool:
        commit = self.release.flows[top.flow].steps[top.step].metadata.get("commit") or {}
        return bool(commit.get("utter")) and response.startswith(str(commit.get("utter")))

    # --- interruptions ----------------------------------------------------------------------------------------

    def _interruptions(self, node: Node) -> list[Event]:
        """Another wish, news, and a person, wherever somebody can speak. Two pieces of business lie on each other at most."""
        businesses = sum(1 for frame in node.talk.stack if frame.kind != "call")
        top = node.top
        if self.depth < 2 or top is None or businesses != 1:
            return []
        if top.flow == HUMAN:
            return []
        return [event for name, event in self._between if name != top.flow]

    def _coming_between(self) -> list[tuple[str, Event]]:
        wishes = [
            (name, Event(f"wants {name}", Heard((StartFlow(name),)), anew=True))
            for name in self._interrupting()
        ]
        news = [e for e in self.happening.beginnings(self._short[1]) if not e.own][:1]
        person = Event("asks for a person", Heard((Human(),)), anew=True)
        return [(HUMAN, person), *wishes, *(("", replace(event, anew=True)) for event in news)]

    def _interrupting(self) -> list[str]:
        if self.every:
            return [
                flow.id for flow in self.release.flows.values() if flow.guard is None and flow.id != HUMAN
            ]
        return sorted(self._short[0])

    def _is_short(self, talk: Conversation) -> bool:
        business = [frame.flow for frame in talk.stack if frame.kind != "call"]
        return len(business) < 2 or business[-1] in (self._short[0] | self._short[1] | {HUMAN})

    def _shortest(self) -> tuple[frozenset[str], frozenset[str]]:
        """What has the fewest steps: of wishes one that asks and one that does not, and of news."""
        wishes = [flow for flow in self.release.flows.values() if flow.guard is None and flow.id != HUMAN]
        news = [flow for flow in self.release.flows.values() if self.happening.is_news(flow.id)]
        asking = [flow for flow in wishes if _asks(flow)]
        telling = [flow for flow in wishes if not _asks(flow)]
        return frozenset(_fewest(asking) + _fewest(telling)), frozenset(_fewest(news))


def _asks(flow: Flow) -> bool:
    return any(step.collect or step.flow for step in flow.steps.values())


def _fewest(flows: list[Flow]) -> list[str]:
    return [flow.id for flow in sorted(flows, key=lambda flow: (len(flow.steps), flow.id))[:1]]
