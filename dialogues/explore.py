"""Walks every reachable state of every talk and proves that there is no dead end: proofs, not samples.

From everywhere a person comes in one turn and an end in one turn; nothing runs in a circle, and no question comes a third
time the same way; nothing is paid that was not just read back; keys alone are enough; each business can come to its end; and
every sentence can be said. What is walked, and which states count as one, stands in `exploring.states`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass

from dialogues.exploring import endings
from dialogues.exploring.promises import DEAD_END, LOOP, Broken, Promises
from dialogues.exploring.telling import Line, told, where
from dialogues.exploring.walking import Walk
from dialogues.model import Release


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that does not hold, with the shortest conversation that shows it."""

    law: str
    what: str
    flow: str
    step: str
    file: str
    line: int
    conversation: tuple[Line, ...]

    def __str__(self) -> str:
        at = f" at {self.flow}:{self.step}, {self.file}:{self.line}" if self.flow else ""
        return "\n".join([f"{self.law}: {self.what}{at}", *map(str, self.conversation)])


@dataclass(frozen=True, slots=True)
class Report:
    """What the walk came to. Turns count what the person says; more than `promises` allows are told as a violation."""

    states: int
    events: int
    max_turns_to_human: int
    max_turns_to_exit: int
    violations: tuple[Violation, ...]

    def as_json(self) -> dict[str, object]:
        """The report for programs."""
        return asdict(self)

    @property
    def line(self) -> str:
        """The report in one line."""
        found = f"{len(self.violations)} promises broken" if self.violations else "every promise holds"
        return (
            f"{self.states} states, {self.events} events; a person in {self.max_turns_to_human} turn(s), "
            f"an exit in {self.max_turns_to_exit}; {found}"
        )


def explore(release: Release, flows: Collection[str] = (), *, depth: int = 2, every: bool = False) -> Report:
    """Walks these flows, or all. `depth`: pieces of business on top of each other, 1 or 2; `every`: each flow interrupts
    each other one, and not only the shortest wish, the shortest news and a person."""
    walk = Walk(release, frozenset(flows), depth=depth, every=every)
    promises = Promises(walk)
    found: dict[tuple[str, str, str, str], Broken] = {}

    def note(broken: Broken) -> None:
        top = broken.node.top
        place = (top.flow, top.step) if top is not None else ("", "")
        key = (broken.law, broken.what, *place)
        if key not in found or broken.length < found[key].length:
            found[key] = broken

    seen = 0
    for taken in walk.taken():
        for broken in promises.of_step(taken):
            note(broken)
        while seen < len(walk.nodes):
            for broken in promises.of_state(walk.nodes[seen]):
                note(broken)
            seen += 1
    for node, listens in endings.endless(walk):
        circle = "it goes round without asking anybody"
        note(Broken(DEAD_END if listens else LOOP, "no way leads to its end" if listens else circle, node))
    ordered = sorted(
        found.values(), key=lambda broken: (broken.length, broken.node.number, broken.law, broken.what)
    )
    return Report(
        len(walk.nodes),
        walk.events,
        promises.most_to_human,
        promises.most_to_exit,
        tuple(_violation(walk, broken) for broken in ordered),
    )


def _violation(walk: Walk, broken: Broken) -> Violation:
    flow, step, place = where(walk.release, broken)
    return Violation(broken.law, broken.what, flow, step, place.file, place.line, told(walk, broken))
