"""pytest collects talks as tests: kept promises pass, broken and unsupported ones fail with their place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.testing.talks import PAYING, script, written

ROOT = Path(__file__).parents[2]
CONFTEST = "from tests.testing.toy import ToyWorld\ndef pytest_world_factory(config):\n    return ToyWorld\n"


def _pytest(folder: Path, *more: str) -> str:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "dialogues.testing.plugin",
        "-p",
        "no:cacheprovider",
        "-q",
    ]
    command += [
        "-p",
        "no:asyncio",
        "--continue-on-collection-errors",
        "-rA",
        "--rootdir",
        str(folder),
        "-c",
        "/dev/null",
        str(folder),
        *more,
    ]
    # None of the other plugins installed here is needed, and loading them takes longer than the talks.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    run = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return run.stdout + run.stderr


def test_talks_are_tests(tmp_path: Path) -> None:
    folder = tmp_path / "conversations"
    folder.mkdir()
    (folder / "conftest.py").write_text(CONFTEST, "utf-8")
    broken = script("- say: 交水费\n- expect: {says: [燃气]}").replace("T1", "T2")
    lacking = script("- event: {meter: {}}").replace("T1", "T3")
    written(folder, script(PAYING) + broken + lacking, "pay.yml")
    written(folder, "- {id: X, persona: mei}\n", "wrong.yml")
    written(tmp_path, script(PAYING), "elsewhere.yml")
    told = _pytest(tmp_path)
    assert "T2: failed" in told
    assert "does not say /燃气/" in told
    assert "T3: unsupported: event.meter" in told
    assert "wrong.yml:1: a script needs 'steps'" in told
    assert "elsewhere" not in told
    assert "4 failed, 2 passed, 1 error" in told


def test_each_disturbance_by_itself_is_a_proof(tmp_path: Path) -> None:
    folder = tmp_path / "conversations"
    folder.mkdir()
    (folder / "conftest.py").write_text(CONFTEST, "utf-8")
    written(folder, script(PAYING), "pay.yml")
    assert "1 passed, 1 deselected" in (told := _pytest(tmp_path, "-m", "prove"))
    assert "pay.yml::T1+apart" in told
    assert "1 passed, 1 deselected" in _pytest(tmp_path, "-m", "not prove")


def test_without_an_application_it_says_what_is_missing(tmp_path: Path) -> None:
    folder = tmp_path / "conversations"
    folder.mkdir()
    written(folder, script(PAYING), "pay.yml")
    assert "no conftest.py supplies an application" in _pytest(tmp_path)
