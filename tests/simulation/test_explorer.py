"""The real worker survives everything the explorer can think of; each known mistake does not."""

from __future__ import annotations

import pytest

from tests.simulation import town as ways
from tests.simulation.explorer import Case, cases, play, with_crashes
from tests.simulation.mutants import MUTANTS

# One of each kind, for every run of the tests; all of them crossed with every crash in `make prove`.
CHOSEN = [
    Case(),
    Case(ways.DELAYED),
    Case(ways.REQUEST_LOST, tells="failed_first"),
    Case(ways.ANSWER_LOST, tells="failed_first"),
    Case(ways.ANSWER_LOST, tells="twice_then_failed", hands="double_tap"),
    Case(ways.BROKEN, on="post"),
    Case(hands="two_devices"),
    Case(ways.DELAYED, hands="two_devices"),
    Case(hands="twin"),
    Case(ways.ANSWER_LOST, "refund", story="refused_by_biller"),
    Case(ways.REQUEST_LOST, "refund", story="refused_by_biller"),
    Case(ways.DELAYED, story="stopped"),
    Case(ways.NOT_SENT, story="stopped"),
    Case(story="late_money"),
    Case(ways.ANSWER_LOST, story="forgetful"),
]
CRASHED = [CHOSEN[0], CHOSEN[1], CHOSEN[4], CHOSEN[8]]


def test_without_a_crash_nothing_is_lost_or_taken_twice() -> None:
    sample = [*CHOSEN, *cases()[::7]]
    assert {case: found for case in sample if (found := play(case)[0])} == {}


@pytest.mark.parametrize("case", CRASHED, ids=str)
def test_a_crash_at_any_point_loses_nothing_and_takes_nothing_twice(case: Case) -> None:
    assert [found for found in with_crashes(case) if found] == []


@pytest.mark.parametrize("name", MUTANTS)
def test_each_known_mistake_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutate, prepare = MUTANTS[name]
    mutate(monkeypatch)
    assert _caught(prepare), f"nothing here notices {name}"


def _caught(prepare) -> bool:
    if any(play(case, 0, prepare)[0] for case in CHOSEN):
        return True
    return any(found for case in CRASHED for found in with_crashes(case, prepare))


@pytest.mark.prove
@pytest.mark.parametrize("share", range(4))
def test_every_case_crossed_with_every_crash(share: int) -> None:
    breaches = {case: found for case in cases()[share::4] for found in with_crashes(case) if found}
    assert breaches == {}
