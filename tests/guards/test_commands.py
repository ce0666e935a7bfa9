"""What the papers tell a newcomer to type exists, and what they point at is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import PurePosixPath

import pytest

from tests.guards.tree import ROOT, files, texts

MAKEFILE = (ROOT / "Makefile").read_text()
READMES = ("README.md", "README.zh-CN.md")
TARGET = re.compile(r"^([a-z][a-z-]*):(?!=)(.*)$", re.MULTILINE)
MAKE_COMMAND = re.compile(r"\bmake ([a-z][a-z-]*)\b")
BANGJIAO_COMMAND = re.compile(r"(?:`|^ {4}|^)(?:\.venv/bin/)?bangjiao ([a-z]+)\b", re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
PLACEHOLDER = re.compile("|".join(("MEASURE" + "_ME", "SETTINGS" + "_TABLE")))

PAPERS = {
    path: text for path, text in texts().items() if path.endswith(".md") and not path.startswith("tests/")
}


def targets() -> dict[str, str]:
    """What can be made → its help."""
    return {name: rest.partition("##")[2].strip() for name, rest in TARGET.findall(MAKEFILE)}


def code(text: str) -> str:
    """The parts of a paper that are to be typed: indented or fenced blocks, and words in backticks."""
    fenced = re.findall(r"```.*?```", text, re.DOTALL)
    return "\n".join([*fenced, *re.findall(r"^ {4}.*$", text, re.MULTILINE), *re.findall(r"`[^`\n]+`", text)])


def dead_links(path: str, text: str) -> list[str]:
    """Links of a paper to files that a clone would not have."""
    local = [link for link in LINK.findall(text) if "://" not in link and not link.startswith("mailto:")]
    return [link for link in local if not _is_there(PurePosixPath(path).parent / link)]


def _is_there(path: PurePosixPath) -> bool:
    plain = os.path.normpath(path)
    return plain in files() or any(file.startswith(plain + "/") for file in files())


def test_every_target_has_help_and_make_prints_it() -> None:
    assert [name for name, words in targets().items() if not words] == []
    printed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [name for name in targets() if not re.search(rf"^{name}\s+\S", printed, re.MULTILINE)] == []


def test_every_target_is_phony_so_that_a_file_of_its_name_cannot_stop_it() -> None:
    phony = re.search(r"^\.PHONY:(.*)$", MAKEFILE, re.MULTILINE)
    assert phony is not None
    assert set(targets()) == set(phony[1].split())


@pytest.mark.parametrize("paper", [*READMES, "CONTRIBUTING.md"])
def test_the_make_commands_of_the_papers_exist(paper: str) -> None:
    named = set(MAKE_COMMAND.findall(code(PAPERS[paper])))
    assert named
    assert named <= set(targets())


def test_both_readmes_name_the_same_commands() -> None:
    english, chinese = (code(PAPERS[paper]) for paper in READMES)
    assert set(MAKE_COMMAND.findall(english)) == set(MAKE_COMMAND.findall(chinese))
    assert set(BANGJIAO_COMMAND.findall(english)) == set(BANGJIAO_COMMAND.findall(chinese))


@pytest.mark.parametrize("command", sorted(set(BANGJIAO_COMMAND.findall(code(PAPERS["README.md"])))))
def test_the_bangjiao_commands_of_the_readme_exist(command: str) -> None:
    asked = [sys.executable, "-m", "bot", command, "--help"]
    ran = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr


def test_every_link_leads_somewhere() -> None:
    assert {path: dead for path, text in PAPERS.items() if (dead := dead_links(path, text))} == {}


def test_a_dead_link_is_found() -> None:
    assert dead_links("docs/tour.md", "[here](../README.md#start) and [there](nowhere.md)") == ["nowhere.md"]


def test_no_figure_is_left_to_be_measured() -> None:
    assert [path for path, text in PAPERS.items() if PLACEHOLDER.search(text)] == []


def test_the_continuous_check_runs_what_a_newcomer_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert {"check", "test"} <= set(MAKE_COMMAND.findall(script.read_text()))
