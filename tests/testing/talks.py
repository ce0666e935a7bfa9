"""Talks for the tests of the runner: written to a file as a person would write them, and played against the toy."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from dialogues.testing.playing import play
from dialogues.testing.report import Report
from dialogues.testing.world import WorldFactory
from tests.testing.toy import ToyWorld


def written(folder: Path, text: str, name: str = "talks.yml") -> Path:
    file = folder / name
    file.write_text(dedent(text).lstrip("\n"), "utf-8")
    return file


def script(steps: str, head: str = "", tail: str = "") -> str:
    """One script of the persona `mei` with these steps (a YAML list)."""
    body = indent(dedent(steps).strip("\n"), "    ")
    return "\n".join(
        [
            "- id: T1",
            "  persona: mei",
            *([indent(dedent(head).strip("\n"), "  ")] if head else []),
            "  steps:",
            body,
            *([indent(dedent(tail).strip("\n"), "  ")] if tail else []),
            "",
        ]
    )


def played(folder: Path, text: str, flaw: str = "", name: str = "talks.yml", **how: Any) -> Report:
    """Everything in this text, played against fresh toys with this flaw."""
    missing = frozenset(how.pop("missing", ()))
    return played_with([written(folder, text, name)], lambda: ToyWorld(flaw=flaw, missing=missing), **how)


def played_with(files: Sequence[Path], world_factory: WorldFactory, **how: Any) -> Report:
    """These files, played against these worlds."""
    return asyncio.run(play(files, world_factory, **how))


PAYING = """
- say: 交水费
- expect: {says: ['46\\.50'], asks: confirm}
- say: 确认 {valid_code}
- expect: {says: ['已扣款'], asks: open}
"""
