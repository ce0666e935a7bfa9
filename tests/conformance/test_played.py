"""Each folder of `played` loads without a word of complaint, and its own tests hold in a world of nothing but flows."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dialogues import folder
from dialogues.testing.paper import PaperWorld, dialogue_files, release_of
from dialogues.testing.playing import play

PLAYED = Path(__file__).parent / "played"
FOLDERS = sorted(path for path in PLAYED.iterdir() if path.is_dir())


@pytest.mark.parametrize("example", FOLDERS, ids=lambda path: path.name)
def test_an_example_behaves_as_its_tests_say(example: Path) -> None:
    assert folder.check([example]).errors == []
    tests = sorted(example.glob("test_*.yml"))
    release = release_of(dialogue_files(example))
    report = asyncio.run(play(tests, lambda: PaperWorld(release, example)))
    assert [(case.id, case.detail) for case in report.cases if case.status != "passed"] == []
    assert report.passed == folder.check([example]).tests > 0
