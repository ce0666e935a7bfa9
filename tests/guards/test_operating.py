"""The page for whoever looks after a house names what there is: commands that exist, every alarm, every figure, every difference."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from typer.main import get_command

from bot.cli import app
from payments import alarms
from payments.comparing import Kind
from tests.guards.tree import ROOT, texts

PAGE = (ROOT / "docs" / "operating.md").read_text("utf-8")
_COMMAND = re.compile(r"(?<=`)bangjiao ([^`]+)`")
_METRIC = re.compile(r"\bbangjiao_[a-z_]+")
_FIRST_CELL = re.compile(r"^\| ((?:`[a-z_]+`(?:, )?)+) \|", re.MULTILINE)


@cache
def commands() -> dict[str, Any]:
    """Every command of the shell by its whole name."""
    return dict(_below(get_command(app), ()))


def _below(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name, sub in getattr(command, "commands", {}).items():
        yield from _below(sub, (*path, name))
    if path and not hasattr(command, "commands"):
        yield " ".join(path), command


def missing(words: str) -> str | None:
    """What of a typed command there is not: the command itself, or one of its options."""
    name = next((known for known in commands() if f"{words} ".startswith(f"{known} ")), None)
    if name is None:
        return words
    options = {option for param in commands()[name].params for option in param.opts}
    return next((word for word in words.split() if word.startswith("--") and word not in options), None)


def explained() -> set[str]:
    """Everything that has a row of its own in a table of the page."""
    return {name for cell in _FIRST_CELL.findall(PAGE) for name in re.findall(r"`([a-z_]+)`", cell)}


def test_every_command_of_the_page_exists() -> None:
    named = _COMMAND.findall(PAGE)
    assert {"doctor", "pauses", "resume", "ledger verify", "keys rotate"} <= set(named)
    assert [words for words in named if missing(words)] == []


def test_a_command_or_option_that_is_not_there_is_found() -> None:
    assert missing("docter") == "docter"
    assert missing("ledger") == "ledger"
    assert missing("pause --why x") == "--why"


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_helps_with_an_example(name: str) -> None:
    told = " ".join((commands()[name].help or "").split())
    example = re.search(r"Example: bangjiao ([^`]+)", told)
    assert example, name
    assert example[1].startswith(name)


def test_every_alarm_and_every_difference_is_explained() -> None:
    assert set(alarms._SEEK) - explained() == set()
    assert {kind.value for kind in Kind} - explained() == set()
    assert explained() - set(alarms._SEEK) - {kind.value for kind in Kind} == set()


def test_every_figure_of_the_page_is_told_by_the_house() -> None:
    source = texts()["bot/metrics.py"]
    told = {f"bangjiao_{name}" for name in re.findall(r'_gauge\(\s*"([a-z_]+)"', source)}
    told |= set(re.findall(r'"(bangjiao_[a-z_]+)"', source))
    counters = {f"{name}_total" for name in told}
    named = set(_METRIC.findall(PAGE))
    assert len(named) > 8
    assert named - told - counters == set()
