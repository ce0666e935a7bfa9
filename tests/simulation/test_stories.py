"""Whatever the dice bring, no fen is lost, taken twice, or told otherwise than it is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from data.clock import VirtualClock
from payments.simulation.acting import play
from payments.simulation.dying import at_once
from payments.simulation.household import House
from payments.simulation.months import live
from payments.simulation.plan import Plan, Step, thrown
from payments.simulation.running import shortest, simulate, story
from payments.simulation.scenes import MAY_HAPPEN, ground
from payments.simulation.telling import Teller
from tests.simulation.mutants import late_failure_overrides_success, not_found_taken_for_failure

ROOT = Path(__file__).parents[2]
SEEDS = 2_000


def test_two_thousand_stories() -> None:
    assert simulate(range(SEEDS)).failures == []


def test_two_months_of_a_household() -> None:
    assert {seed: found for seed in range(3) if (found := live(seed))} == {}


def test_every_scene_is_told_and_everything_in_it_happens() -> None:
    plans = [thrown(seed, MAY_HAPPEN) for seed in range(SEEDS)]
    happened = {(plan.scene, step.what) for plan in plans for step in plan.steps}
    assert happened == {(scene, what) for scene, all_of in MAY_HAPPEN.items() for what in all_of}


def test_processes_die_and_die_again_in_the_recovery() -> None:
    deaths = Counter()
    for seed in range(150):
        teller = Teller()
        play(seed, thrown(seed, MAY_HAPPEN), teller)
        deaths[sum("The process dies" in said for said in teller.sentences)] += 1
    assert deaths[1] > 10
    assert sum(count for times, count in deaths.items() if times > 1) > 3


def test_clocks_are_wrong_in_half_of_the_stories_and_set_in_the_middle_of_a_question() -> None:
    plans = [thrown(seed, MAY_HAPPEN) for seed in range(SEEDS)]
    wrong = [plan.clocks for plan in plans if any(plan.clocks)]
    assert len(plans) * 0.4 < len(wrong) < len(plans) * 0.6
    assert all({clocks[n] > 0 for clocks in wrong} == {True, False} for n in range(3))
    teller = Teller()
    assert play(1, Plan("confirmed", (Step("clock_is_set", die=0x101),), (250, 0, 0)), teller) == []
    happened = [sentence[10:].strip() for sentence in teller.sentences]
    asked = happened.index("The rail is asked to take the money.")
    assert happened[asked + 1] == "The process's clock is set: it is 0:04:10 slow."


@pytest.mark.parametrize(("off", "status"), [(0, 200), (240, 200), (18_000, 401), (-30 * 86_400, 401)])
def test_a_gateways_word_of_another_hour_is_no_word(off: int, status: int) -> None:
    """Its clock is five hours off, or somebody kept the word for thirty days."""
    stage = ground("confirmed").stage
    stage.again()
    clock = VirtualClock(ground("confirmed").town.clock.now())
    house = House.over(stage, clock, ground("confirmed").town.copied(clock))
    number = stage.run_now(lambda tx: tx.conn.exec_driver_sql("SELECT number FROM payments").scalar_one())
    at = clock.now().timestamp() + off
    verdict = at_once(house.tell(id="ev", order=number, status="failed", fen=12_345, at=at))
    assert verdict.status == status


def test_a_seed_tells_the_same_story_again() -> None:
    assert story(7) == story(7)
    assert story(7) != story(8)


def test_what_a_story_wrote_is_gone_when_the_next_one_begins() -> None:
    stage = ground("confirmed").stage
    stage.again()
    before = _rows(stage)
    play(1, Plan("confirmed", (Step("works"), Step("works", die=3))))
    assert _rows(stage) != before
    stage.again()
    assert _rows(stage) == before


def _rows(stage) -> list[object]:
    return stage.run_now(
        lambda tx: [tuple(r) for r in tx.conn.exec_driver_sql("SELECT id, state, attempt FROM payments")]
    )


def test_a_failing_seed_is_told_with_nothing_it_does_not_need(monkeypatch: pytest.MonkeyPatch) -> None:
    for scene in MAY_HAPPEN:
        ground(scene)
    late_failure_overrides_success(monkeypatch)
    failed = next(
        f.seed for n in range(40) if (fs := simulate(range(n * 25, n * 25 + 25)).failures) for f in fs
    )
    told, plan = story(failed), shortest(failed)
    assert told.breaches
    assert all(step.faults == ("ok",) * 3 or step.dies_at == 0 for step in plan.steps)
    for n in range(len(plan.steps)):
        without = Plan(plan.scene, plan.steps[:n] + plan.steps[n + 1 :])
        assert play(failed, without) == [], "this step was not needed"
    assert len(told.sentences) >= len(plan.steps)


def test_a_mistake_is_found_without_the_rails_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request held up on the way, and a till that takes "not found" for "failed"."""
    held_up = Plan("confirmed", (Step("works", faults=("delayed",)), Step("works", die=2)))
    assert play(3, held_up) == []
    not_found_taken_for_failure(monkeypatch)
    assert any("M-I4" in breach for breach in play(3, held_up))


def test_the_command_plays_and_tells() -> None:
    played = _bangjiao("--seeds", "30", "--processes", "1", "--json")
    found = json.loads(played.stdout)
    assert (played.returncode, found["seeds"], found["failures"]) == (0, 30, [])
    told = _bangjiao("--seed", "5", "--story")
    assert told.returncode == 0
    assert "All is well." in told.stdout


def _bangjiao(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bot", "simulate", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
