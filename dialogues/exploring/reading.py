"""What the flows look at: which values decide a way, which sentences speak of them, and where a value still matters.

A value matters at a step when some way from there reads it: a question that is left out when it is answered, a sentence that
cannot be said without it, a condition. Of a value that only a condition reads, nothing matters but what the condition says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from dialogues import predicate, responses
from dialogues.commit import is_commit
from dialogues.flowfile import END
from dialogues.model import ActionSpec, Flow, Release, Step, Variation
from dialogues.outcomes import asked_for
from dialogues.questions import AGAIN, KEYS, SHORT

OUTCOME, ROUND, ASKED = "?outcome", "?round:", "?asked:"  # what a frame remembers, beside the slots
Chain = tuple[tuple[str, str], ...]  # flow and step of each frame of one piece of business, the caller first
_FORMS = ("", AGAIN, KEYS, SHORT)
_Atom = predicate.Compare | predicate.Path  # one question a condition asks of the values
Live = str | _Atom  # a slot that has to be there, something a frame remembers, or a question still asked
_OF_THE_TILL = frozenset({"refusal", "news", "reason"})  # what each answer of the till says anew
_ORDERING = frozenset({"<", "<=", ">", ">="})


class Reading:
    """Everything the walk knows of a release before it takes a step."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.literals: dict[str, dict[str, dict[Any, None]]] = {}  # flow -> slot -> what it is compared with
        self.ordered: set[str] = set()  # slots whose size is compared
        self.choices: dict[str, dict[Any, None]] = defaultdict(dict)  # slot of choices -> values asked about
        for flow in release.flows.values():
            self.literals[flow.id] = self._compared(flow)
        self.literals = {name: self._with_others(name) for name in release.flows}
        self.initial = {
            name: slot.initial for name, slot in release.slots.items() if slot.initial is not None
        }
        self._live = _Live(self)
        self._chains: dict[Chain, tuple[Live, ...]] = {}

    def live_at(self, flow: str, step: str) -> frozenset[Live]:
        """What is read at a step or after it."""
        return self._live.before[flow, step]

    def live_after(self, flow: str, step: str) -> frozenset[Live]:
        """What is read once a step is done."""
        return self._live.after(flow, self.release.flows[flow].steps[step])

    def live_along(self, chain: Chain) -> tuple[Live, ...]:
        """What of the slots is still read by the step at the end of a chain of calls, and by those who called, once it is
        done."""
        if chain not in self._chains:
            found = set(self.live_at(*chain[-1]))
            for flow, step in chain[:-1]:
                found |= self.live_after(flow, step)
            self._chains[chain] = tuple(sorted((one for one in found if not _remembered(one)), key=repr))
        return self._chains[chain]

    def asked_behind(self, chain: Chain) -> frozenset[str]:
        """The slots whose value still decides something once the step at the end of a chain of calls is done."""
        found = {one for flow, step in chain for one in self.live_after(flow, step)}
        return frozenset(name for one in found if not isinstance(one, str) for name in mentioned(one))

    def spoken_of(self, response: str) -> frozenset[str]:
        """Every value the forms of a response cannot do without, in any language: none that its own condition asks about."""
        return frozenset(
            name
            for locale in self.release.responses
            for form in _FORMS
            if responses.exists(self.release, response + form)
            for variation in responses.written(self.release, response + form, locale)
            for name in _needed(variation)
        )

    def filled_anew(self, step: Step) -> frozenset[str]:
        """The slots of which nothing earlier is left once a step is done."""
        spec = self.release.actions.get(step.action)
        if spec is not None and len(unnamed(spec, step)) < 2:
            return frozenset(spec.writes)
        return frozenset(_OF_THE_TILL if is_commit(step) else {name for name, _ in step.assignments})

    def told_by_till(self, flow: str, step: Step) -> list[str]:
        """What the till says of an act: all that is read back, and what no step of this business could have filled."""
        own = {
            name
            for one in (flow, *self.called_by(flow))
            for other in self.release.flows[one].steps.values()
            for name in _fills(self.release, other)
        }
        spoken = {name for one in said_at(step) for name in self.spoken_of(one)}
        return sorted({*step.metadata["commit"].get("reads_back", ()), *(spoken - own)})

    def sentences(self, flow: str) -> frozenset[str]:
        """Every value the sentences of a flow, and of those it calls, speak of."""
        return frozenset(
            name
            for one in (flow, *self.called_by(flow))
            for step in self.release.flows[one].steps.values()
            for response in said_at(step)
            for name in self.spoken_of(response)
        )

    def called_by(self, flow: str) -> frozenset[str]:
        """Every flow that is called from this one, directly or not."""
        found: set[str] = set()
        waiting = [flow]
        while waiting:
            steps = self.release.flows[waiting.pop()].steps.values()
            new = {s.flow for s in steps if s.kind == "call" and s.flow in self.release.flows} - found
            found |= new
            waiting += sorted(new)
        return frozenset(found)

    def _compared(self, flow: Flow) -> dict[str, dict[Any, None]]:
        found: dict[str, dict[Any, None]] = defaultdict(dict)
        for step in flow.steps.values():
            for condition in conditions_of(step):
                self._note(found, condition)
            slot_rejections = self.release.slots[step.collect].rejections if step.collect else ()
            for rejection in slot_rejections:
                self._note(found, rejection.condition)
            if source := step.metadata.get("choices_from"):
                self.choices[str(source)].update(found.get(step.collect, {}))
        return found

    def _note(self, found: dict[str, dict[Any, None]], condition: predicate.Predicate) -> None:
        """What a condition compares. A slot it asks to be there can be empty; not so where it only guards what is said of a
        refusal of the till."""
        compared = list(self._literals(condition.expression))
        guards = any(slot == "refusal" for slot, _ in compared)
        for slot, values in compared:
            found[slot] |= dict.fromkeys(value for value in values if value is not None or not guards)

    def _with_others(self, flow: str) -> dict[str, dict[Any, None]]:
        found: dict[str, dict[Any, None]] = defaultdict(dict)
        for one in (flow, *sorted(self.called_by(flow))):
            for slot, values in self.literals[one].items():
                found[slot].update(values)
        return dict(found)

    def _literals(self, part: predicate.Expression) -> Iterator[tuple[str, list[Any]]]:
        match part:
            case predicate.Compare(left, how, right):
                if how in _ORDERING and isinstance(left, predicate.Path):
                    self.ordered.add(
                        left.name
                    )  # the other side keeps its usual value: one that varies is enough
                for one, other in ((left, right), (right, left)):
                    if isinstance(one, predicate.Path) and one.root == "slots":
                        yield one.name, [other.value or None] if isinstance(other, predicate.Literal) else []
            case predicate.Path("slots", name):
                yield name, [None]
            case predicate.Not(inner):
                yield from self._literals(inner)
            case predicate.Both(parts) | predicate.Either(parts):
                for inner in parts:
                    yield from self._literals(inner)


def unnamed(spec: ActionSpec, step: Step) -> frozenset[str]:
    """The outcomes that no branch of a step speaks of; several of them share one way on."""
    return frozenset(spec.outcomes) - frozenset(asked_for(step))


class _Live:
    """Backwards from the ends of all flows, until nothing new is found."""

    def __init__(self, reading: Reading) -> None:
        self.reading, self.release = reading, reading.release
        steps = [(flow.id, step) for flow in self.release.flows.values() for step in flow.steps.values()]
        self.called = {step.flow for _, step in steps if step.kind == "call"}
        self.before: dict[tuple[str, str], frozenset[Live]] = {(f, s.id): frozenset() for f, s in steps}
        self.uses = {(f, s.id): self._uses(f, s) for f, s in steps}
        changed = True
        while changed:
            changed = False
            for flow, step in reversed(steps):
                found = self._at(flow, step)
                if found != self.before[flow, step.id]:
                    self.before[flow, step.id], changed = found, True

    def after(self, flow: str, step: Step) -> frozenset[Live]:
        """What the branches of a step and the steps behind it read."""
        found: set[Live] = set()
        for branch in step.next:
            if branch.condition is not None:
                found.update(_asked_by(branch.condition.expression))
            if branch.target != END:
                found |= self.before.get((flow, branch.target), frozenset())
        return frozenset(found)

    def _at(self, flow: str, step: Step) -> frozenset[Live]:
        after = set(self.after(flow, step))
        if step.kind == "action" and not step.action.startswith("utter_"):
            after.discard(OUTCOME)
        anew = self.reading.filled_anew(step)
        after = {one for one in after if _remembered(one) or not mentioned(one) <= anew}
        return frozenset(after | self.uses[flow, step.id] | self._elsewhere(flow, step))

    def _elsewhere(self, flow: str, step: Step) -> set[Live]:
        """What a flow reads that is called here, or linked to: of this one's values, those it keeps."""
        other = self.release.flows.get(step.flow)
        if other is None:
            return set()
        first = {one for one in self.before[other.id, other.first] if not _remembered(one)}
        if step.kind == "call" or flow in self.called:
            return first
        kept = set(self.release.flows[flow].persisted)
        return {one for one in first if not kept.isdisjoint(mentioned(one))}

    def _uses(self, flow: str, step: Step) -> frozenset[Live]:
        found: set[Live] = {name for response in said_at(step) for name in self.reading.spoken_of(response)}
        if is_commit(step):
            found -= set(self.reading.told_by_till(flow, step))
        for condition in conditions_of(step, branches=False):
            found.update(_asked_by(condition.expression))
        if step.collect:
            found |= {step.collect, ROUND + step.id, str(step.metadata.get("choices_from", step.collect))}
            found |= {ASKED + step.id} if step.ask_before_filling else set()
        return frozenset(found)


def mentioned(one: Live) -> frozenset[str]:
    """The slots something read is about."""
    if isinstance(one, str):
        return frozenset({one})
    paths = [one] if isinstance(one, predicate.Path) else [one.left, one.right]
    return frozenset(path.name for path in paths if isinstance(path, predicate.Path) and path.root == "slots")


def _remembered(one: Live) -> bool:
    return isinstance(one, str) and one.startswith("?")


def _asked_by(part: predicate.Expression) -> Iterator[Live]:
    """The single questions a condition asks."""
    match part:
        case predicate.Not(inner):
            yield from _asked_by(inner)
        case predicate.Both(parts) | predicate.Either(parts):
            for inner in parts:
                yield from _asked_by(inner)
        case predicate.Compare(left, _, right):
            outcome = predicate.Path("context", "outcome")
            if outcome in (left, right):
                yield OUTCOME
            elif mentioned(part):
                yield part
        case predicate.Path("slots", _):
            yield part


def _fills(release: Release, step: Step) -> list[str]:
    spec = release.actions.get(step.action)
    return [*(spec.writes if spec else ()), *(name for name, _ in step.assignments), step.collect]


def _needed(variation: Variation) -> set[str]:
    asked = predicate.paths(variation.condition) if variation.condition is not None else ()
    return {*responses.variation_names(variation)} - {path.name for path in asked}


def conditions_of(step: Step, *, branches: bool = True) -> list[predicate.Predicate]:
    """The conditions a step decides by: of its branches, and of answers it refuses."""
    found = [one.condition for one in step.rejections]
    return found + ([b.condition for b in step.next if b.condition is not None] if branches else [])


def said_at(step: Step) -> list[str]:
    """The sentences a step can say: its own, its question, its read-back, its refusals and explanations."""
    found = [step.action] if step.action.startswith("utter_") else []
    found += [step.utter] if step.collect else []
    if is_commit(step):
        commit = step.metadata.get("commit") or {}
        found += [str(commit.get("utter", ""))]
    found += [one.utter for one in step.rejections]
    explained: Mapping[str, Any] = step.metadata.get("explain") or {}
    return found + [target for target in explained.values() if isinstance(target, str)]
