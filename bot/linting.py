"""What `bangjiao lint` tells: of the house's own flows every proof, of any other folder what can be read and what not."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.app import FLOWS
from dialogues import folder, loader
from dialogues.actions import SPECS
from dialogues.lint import lint
from dialogues.problems import FlowErrors


def linted(paths: list[Path] | None) -> tuple[dict[str, Any], str]:
    """The findings for programs, and the closing line for people."""
    if paths:
        report = folder.check(paths)
        return asdict(report), report.line
    return _own()


def _own() -> tuple[dict[str, Any], str]:
    flows = slots = responses = 0
    try:
        release = loader.load_folder(FLOWS, SPECS)
        errors = lint(release)
        flows, slots = len(release.flows), len(release.slots)
        responses = len({name for sentences in release.responses.values() for name in sentences})
    except FlowErrors as problem:
        errors = problem.errors
    rows = folder.rows(errors)
    report = folder.FolderReport(
        files=len(loader.files_of(FLOWS)),
        flows=flows,
        loaded=0 if rows else flows,
        slots=slots,
        responses=responses,
        tests=0,
        errors=rows,
        notes=[],
    )
    return asdict(report), report.line
