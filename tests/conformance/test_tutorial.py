"""The first flow of docs/writing-flows.md, written down literally as a newcomer would: lint says what the page says, the test passes."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path
from textwrap import dedent

import pytest

from bot.app import FLOWS
from dialogues import loader
from dialogues.actions import SPECS
from dialogues.drawing import svg
from dialogues.lint import lint
from dialogues.testing.paper import PaperWorld, dialogue_files, release_of
from dialogues.testing.playing import play

PAGE = (Path(__file__).parents[2] / "docs" / "writing-flows.md").read_text("utf-8")
_FILE = re.compile(
    r"^\*\*\d\. [^\n]*?`((?:dialogues|data|tests)/[^`]+)`(?:[^\n]+\n)+\n((?:    [^\n]*\n|\n)+)", re.M
)


def files() -> dict[str, str]:
    """What the page tells to write, by path."""
    return {path: dedent(block).strip("\n") + "\n" for path, block in _FILE.findall(PAGE)}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Our own flows, to which the newcomer adds his."""
    for name in ("flows", "domain", "responses"):
        shutil.copytree(FLOWS / name, tmp_path / name)
    return tmp_path


def _write(house: Path, *kinds: str) -> None:
    for path, text in files().items():
        if any(f"/{kind}/" in path for kind in kinds):
            (house / path.removeprefix("dialogues/")).write_text(text, "utf-8")


def test_the_page_names_five_files() -> None:
    folders = [path.split("/")[1] for path in files()]
    assert folders == ["flows", "domain", "responses", "nlu", "conversations"]


def test_lint_says_what_is_still_missing_and_then_nothing(house: Path) -> None:
    _write(house, "flows", "domain")
    quoted = re.search(r"^    flows/(transfer_papers\.yml:.*)$", PAGE, re.M)
    assert quoted is not None
    assert any(
        str(error).split(" (")[0].endswith(quoted[1]) for error in lint(loader.load_folder(house, SPECS))
    )
    _write(house, "responses")
    english = {
        "utter_papers_power": "Bring your deed and your card.",
        "utter_papers_water": "Bring your deed and a bill.",
    }
    asked = "    - {text: Power or water?, buttons: [{title: power, payload: '/choose{\"power\"}'}]}\n"
    more = "".join(f"  {name}: [{{text: {text}}}]\n" for name, text in english.items())
    more += f"  utter_ask_meter_kind:\n{asked}  utter_ask_meter_kind_keys:\n    - {{text: 'Press 1 or 2.'}}\n"
    (house / "responses/en/transfer_papers.yml").write_text(f"responses:\n{more}", "utf-8")
    release = loader.load_folder(house, SPECS)
    assert list(map(str, lint(release))) == []
    assert "meter_kind" in svg(release, release.flows["transfer_papers"])


def test_the_conversation_goes_as_written(tmp_path: Path) -> None:
    for path, text in files().items():
        name = path.replace("/", "_") if "nlu" not in path else "nlu.yml"
        (tmp_path / name).write_text(text, "utf-8")
    talk = tmp_path / "tests_conversations_transfer_papers.yml"
    release = release_of(dialogue_files(tmp_path))
    report = asyncio.run(play([talk], lambda: PaperWorld(release, tmp_path)))
    assert [(case.status, case.detail) for case in report.cases] == [("passed", "")]
