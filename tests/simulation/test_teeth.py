"""Each broken till is caught by the simulator, and it says how many stories that took."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from data.store.engine import Store
from payments.simulation.months import live
from payments.simulation.running import simulate
from payments.simulation.scenes import MAY_HAPPEN, ground
from payments.simulation.stage import Stage
from tests.simulation.mutants import MONEY_MUTANTS

Prepare = Callable[[Store], None]

SEEDS = 3_000
_AT_ONCE = 25


@pytest.fixture(autouse=True)
def _set_by_the_right_till() -> None:
    """A story begins where the right till brought it; only what happens then is broken."""
    for name in MAY_HAPPEN:
        ground(name)


@pytest.mark.parametrize("name", MONEY_MUTANTS)
def test_each_broken_till_is_caught(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mutate, prepare = MONEY_MUTANTS[name]
    with _forgetting(prepare, monkeypatch):
        mutate(monkeypatch)
        seeds, breaches = _caught()
    assert seeds, f"{SEEDS} stories, and nothing notices {name}"
    with capsys.disabled():
        print(f"\n  {name.replace('_', ' '):40} caught by story {seeds:>5}: {breaches[0]}")


def _caught() -> tuple[int, tuple[str, ...]]:
    for first in range(0, SEEDS, _AT_ONCE):
        found = simulate(range(first, first + _AT_ONCE)).failures
        if found:
            return found[0].seed + 1, found[0].breaches
    return 0, ()


@contextmanager
def _forgetting(prepare: Prepare | None, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Some mistakes need a database that has forgotten its constraint."""
    if prepare is None:
        yield
        return
    right = Stage.begin_here

    def begin_here(stage: Stage) -> None:
        prepare(stage)
        right(stage)

    ground.cache_clear()
    patch.setattr(Stage, "begin_here", begin_here)
    for name in MAY_HAPPEN:
        ground(name)
    yield
    ground.cache_clear()


def test_months_notice_a_forgotten_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    live(0)
    MONEY_MUTANTS["caps_of_a_mandate_forgotten"][0](monkeypatch)
    found = next((breaches for seed in range(12) if (breaches := live(seed))), [])
    assert any("M-I11" in breach for breach in found)
