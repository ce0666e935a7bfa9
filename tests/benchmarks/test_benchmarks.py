"""The benchmarks run from end to end and tell their figures so that a program can read them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.figures import Spread

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks", "--quick", "--json", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return run()


def test_every_piece_of_work_is_measured(told: dict[str, Any]) -> None:
    works = " / ".join(row["work"] for row in told["rows"])
    for expected in (
        "without understanding",
        "door to reply",
        "business under way",
        "talks open",
        "first answer",
        "memory",
        "payments a second",
    ):
        assert expected in works
    for kind in ("sqlite", "postgresql"):
        assert f"one process, {kind}" in works


def test_how_well_people_are_understood_is_told_of_both_languages_and_splits(told: dict[str, Any]) -> None:
    shares = {row["work"]: row for row in told["rows"] if row["unit"] == "%"}
    for language in ("Chinese", "English"):
        for split in ("validation", "test"):
            right = shares[f"{language}: the right wish, {split} split"]
            assert 50 < right["figure"]["median"] <= 100
            assert right["more"]["sentences"] >= 200
            assert f"{language}: what is not ours turned away, {split} split" in shares
            assert f"{language}: swindles warned of, {split} split" in shares


def test_a_row_stands_beside_its_peer_and_says_why_it_missed(told: dict[str, Any]) -> None:
    for row in told["rows"]:
        assert (row["met"] is False) == bool(row["why"]) or row["met"] is None, row["work"]
        if any(language in row["work"] for language in ("Chinese", "English")):
            continue  # a share of sentences has no peer but the sentences themselves
        figure = row["figure"]
        assert 0 < figure["least"] <= figure["median"] <= figure["most"], row["work"]
        assert row["peer"], row["work"]
        assert row["peer_figure"]["median"] > 0, row["work"]
        assert row["ratio"] > 0, row["work"]


def test_the_state_of_the_machine_is_told(told: dict[str, Any]) -> None:
    assert {"cores", "load_before", "load_after", "python", "sqlite", "postgresql"} <= told["machine"].keys()


def test_progress_is_shown_apart_from_the_figures() -> None:
    command = [sys.executable, "-m", "benchmarks", "--quick", "--part", "turns"]
    wide = os.environ | {"COLUMNS": "200"}  # a narrow table breaks its words
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, env=wide)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "door to reply ..." in done.stderr
    assert "ratio" in done.stdout
    assert "door to reply ..." not in done.stdout


def test_a_spread_tells_middle_and_ends() -> None:
    spread = Spread.of(float(n) for n in range(1, 101))
    assert (spread.median, spread.p99, spread.least, spread.most, spread.count) == (
        50.5,
        100.0,
        1.0,
        100.0,
        100,
    )
    with pytest.raises(ValueError, match="nothing"):
        Spread.of([])
