"""What happens in one story, thrown by dice from its seed and then plain data: it can be played, told and made shorter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from payments.simulation import clocks
from payments.simulation import town as ways

# How often something happens to a request, from a quiet day to a bad one.
_TROUBLE = (0.0, 0.25, 0.6)
_DIES, _MEETS = 0.35, 0.15
_POINTS = 9  # a process dies at one of its first moments; later ones are reached by dying in the recovery


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens. `die` is what its own choices are taken from."""

    what: str
    die: int = 0
    faults: tuple[str, ...] = ()  # of the first requests on the way, in their order; all others arrive
    dies_at: int = 0  # the moment at which the process dies; 0: it lives
    meets: int = 0  # during this request another process comes by; 0: none


@dataclass(frozen=True, slots=True)
class Plan:
    """A scene and what happens in it. `clocks` is how many seconds ours, the other process's and the rail's are off."""

    scene: str
    steps: tuple[Step, ...]
    clocks: clocks.Off = (0, 0, 0)


def thrown(seed: int, scenes: dict[str, tuple[str, ...]]) -> Plan:
    """The story of a seed. `scenes` says for each beginning what may happen there, likelier things more than once."""
    dice = Random(seed)  # noqa: S311 - a story, no secret
    names = list(scenes)
    scene = names[int(dice.random() * len(names))]
    may_happen = scenes[scene]
    trouble = _TROUBLE[int(dice.random() * len(_TROUBLE))]
    count = 1 + int(dice.random() * 4)
    steps = tuple(_step(dice, may_happen, trouble) for _ in range(count))
    return Plan(scene, steps, clocks.thrown(dice))


def _step(dice: Random, may_happen: tuple[str, ...], trouble: float) -> Step:
    what = may_happen[int(dice.random() * len(may_happen))]
    faults = tuple(_fault(dice, trouble) for _ in range(3))
    dies_at = 1 + int(dice.random() * _POINTS) if dice.random() < _DIES else 0
    meets = 1 + int(dice.random() * 2) if dice.random() < _MEETS else 0
    return Step(what, dice.getrandbits(16), faults, dies_at, meets)


def _fault(dice: Random, trouble: float) -> str:
    if dice.random() >= trouble:
        return ways.OK
    return ways.FAULTS[int(dice.random() * len(ways.FAULTS))]


def shorter(plan: Plan) -> Iterator[Plan]:
    """Every plan that is a little less than this one: without a step, a death, a visitor, a fault or a wrong clock."""
    steps = plan.steps
    mine, others, rails = plan.clocks
    for right in ((0, others, rails), (mine, 0, rails), (mine, others, 0)):
        if right != plan.clocks:
            yield replace(plan, clocks=right)
    for n in range(len(steps)):
        yield replace(plan, steps=steps[:n] + steps[n + 1 :])
    for n, step in enumerate(steps):
        for less in _less(step):
            yield replace(plan, steps=(*steps[:n], less, *steps[n + 1 :]))


def _less(step: Step) -> Iterator[Step]:
    if step.dies_at:
        yield replace(step, dies_at=0)
    if step.meets:
        yield replace(step, meets=0)
    for n, fault in enumerate(step.faults):
        if fault != ways.OK:
            yield replace(step, faults=(*step.faults[:n], ways.OK, *step.faults[n + 1 :]))
