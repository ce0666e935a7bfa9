"""Seeds by the thousand on every core, and the shortest story of one that went wrong."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from payments.simulation.acting import play
from payments.simulation.months import live
from payments.simulation.plan import Plan, shorter, thrown
from payments.simulation.scenes import MAY_HAPPEN, TOLD
from payments.simulation.telling import Teller

_SHARE = 250  # seeds a process takes at a time


@dataclass(frozen=True)
class Failure:
    """A seed in which something went wrong with the money."""

    seed: int
    breaches: tuple[str, ...]


@dataclass(frozen=True)
class Story:
    """A seed as it is told."""

    seed: int
    scene: str
    sentences: tuple[str, ...]
    breaches: tuple[str, ...]


@dataclass
class Found:
    """What many seeds came to. `cpu_seconds` is what all processes together spent."""

    seeds: int = 0
    cpu_seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)

    def __iadd__(self, other: Found) -> Found:
        self.seeds += other.seeds
        self.cpu_seconds += other.cpu_seconds
        self.failures += other.failures
        return self


def breaches(seed: int) -> list[str]:
    """What went wrong in one seed; empty when nothing did."""
    return play(seed, thrown(seed, MAY_HAPPEN))


def simulate(seeds: Iterable[int], months: bool = False) -> Found:
    """One process's share, as fast as it goes: alarms are not written down, what is kept is not searched for waste."""
    play_one = live if months else breaches
    logging.disable(logging.CRITICAL)
    was_on = gc.isenabled()
    gc.disable()
    began = time.process_time()
    found = Found()
    try:
        for seed in seeds:
            found.seeds += 1
            broken = play_one(seed)
            if broken:
                found.failures.append(Failure(seed, tuple(broken)))
    finally:
        logging.disable(logging.NOTSET)
        if was_on:
            gc.enable()
    found.cpu_seconds = time.process_time() - began
    gc.collect()
    return found


def simulated(
    seeds: range, processes: int, *, months: bool = False, heard: Callable[[Found], None] | None = None
) -> Found:
    """Many seeds on several processes; `heard` is told after each share."""
    found = Found()
    for share in _shares(seeds, processes, months):
        found += share
        if heard is not None:
            heard(found)
    return found


def _shares(seeds: range, processes: int, months: bool) -> Iterator[Found]:
    size = 5 if months else _SHARE
    parts = [seeds[n : n + size] for n in range(0, len(seeds), size)]
    share = partial(simulate, months=months)
    if processes == 1:
        yield from map(share, parts)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(share, parts)


# --- telling one ----------------------------------------------------------------------------------------------------


def shortest(seed: int) -> Plan:
    """The seed's plan; of one that fails, the least of it that still does."""
    plan = thrown(seed, MAY_HAPPEN)
    if not play(seed, plan):
        return plan
    while (less := next((p for p in shorter(plan) if play(seed, p)), None)) is not None:
        plan = less
    return plan


def story(seed: int) -> Story:
    """The seed told in sentences, as short as it still says why it fails."""
    logging.disable(logging.CRITICAL)
    try:
        plan, teller = shortest(seed), Teller()
        broken = play(seed, plan, teller)
    finally:
        logging.disable(logging.NOTSET)
    return Story(seed, TOLD[plan.scene], tuple(teller.sentences), tuple(broken))


def months_story(seed: int) -> Story:
    """A seed's two months told in sentences."""
    logging.disable(logging.CRITICAL)
    try:
        teller = Teller()
        broken = live(seed, teller)
    finally:
        logging.disable(logging.NOTSET)
    return Story(seed, "Two months of a household.", tuple(teller.sentences), tuple(broken))
