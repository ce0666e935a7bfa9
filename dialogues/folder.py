"""Any folder of Rasa files: how many flows, slots, sentences and tests can be used here, and every line that cannot.

Files belong to the project whose config.yml stands nearest above them, so that a folder of several projects is judged one
by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialogues.loader import UNREADABLE, Files, crossed, read_content, read_file
from dialogues.model import Flow
from dialogues.problems import FlowError, nearest
from dialogues.testing import rasa, reading
from dialogues.testing.script import Unknown
from dialogues.yamlfile import Table

_DIALOGUE = {"flows", "slots", "responses", "session_config"}
_YAML = {".yml", ".yaml"}
_TOGETHER = Path()
_CONFIG = ("config.yml", "config.yaml")


@dataclass(frozen=True, slots=True)
class FolderReport:
    """What `bangjiao lint` found. `loaded`: flows without a mistake; `notes`: words understood and not done here."""

    files: int
    flows: int
    loaded: int
    slots: int
    responses: int
    tests: int
    errors: list[dict[str, Any]]
    notes: list[dict[str, Any]]

    @property
    def line(self) -> str:
        """The closing line, for people."""
        things = f"{self.files} files, {self.flows} flows, {self.loaded} loaded, {self.slots} slots"
        return f"{things}, {self.responses} responses, {self.tests} tests, {len(self.errors)} errors"


def check(paths: Iterable[Path]) -> FolderReport:
    """What can be read of any Rasa files or folders, and what cannot. Whatever stands in them, it never raises."""
    projects: defaultdict[Path, list[Path]] = defaultdict(list)
    for path in paths:
        for file in _yaml_files(path):
            projects[_project(file, path)].append(file)
    return _sum([_checked(files) for files in projects.values()])


def rows(errors: Iterable[FlowError]) -> list[dict[str, Any]]:
    """Mistakes as told to programs, in the order of the files."""
    ordered = sorted(errors, key=lambda error: (error.where.file, error.where.line))
    return [{"file": e.where.file, "line": e.where.line, "message": _with_hint(e)} for e in ordered]


# --- one project --------------------------------------------------------------------------------------------------


def _checked(paths: list[Path]) -> FolderReport:
    files, tests = Files(), 0
    for path in paths:
        content = read_content(path, files)
        if isinstance(content, Table) and not is_no_dialogue(content):
            read_file(path, content, files)
        elif isinstance(content, Table) and rasa.TOP & content.keys():
            tests += _read_tests(path, files)
    between = crossed(files)
    broken = files.broken | {f.id for f in files.flows.values() for e in between if _inside(e, f, files)}
    return FolderReport(
        files=len(paths),
        flows=len(files.flows),
        loaded=len(files.flows.keys() - broken),
        slots=len(files.slots),
        responses=len({name for sentences in files.responses.values() for name in sentences}),
        tests=tests,
        errors=rows([*files.errors, *between]),
        notes=rows(files.notes),
    )


def _read_tests(path: Path, files: Files) -> int:
    """How many conversation tests a file holds that can be read; a conftest.yml holds none."""
    book = reading.read(path)
    empty = not book.scripts and len(book.mistakes) == 1 and book.mistakes[0].message == reading.NOTHING
    if not empty:
        files.errors += [FlowError(mistake.where, mistake.message) for mistake in book.mistakes]
    strange = {
        (key.where if isinstance(key, Unknown) else script.where, str(key))
        for script in book.scripts
        for key in script.unknown
    }
    files.errors += [FlowError(where, f"not understood: {key}") for where, key in strange]
    return len(book.scripts)


def is_no_dialogue(content: Any) -> bool:
    """A file without flows, slots or sentences: tests, settings, training sentences, anything else that happens to be YAML."""
    if not isinstance(content, Table):
        return content is not UNREADABLE
    if _DIALOGUE & content.keys():
        return False
    return bool(rasa.TOP & content.keys()) or not any(nearest(key, _DIALOGUE) for key in content)


def _inside(error: FlowError, flow: Flow, files: Files) -> bool:
    """Whether a mistake stands in the lines of this flow."""
    here, at = flow.where, error.where
    later = [
        f.where.line for f in files.flows.values() if f.where.file == here.file and f.where.line > here.line
    ]
    return at.file == here.file and here.line <= at.line < min(later, default=10**9)


# --- all of them --------------------------------------------------------------------------------------------------


def _sum(reports: list[FolderReport]) -> FolderReport:
    return FolderReport(
        files=sum(r.files for r in reports),
        flows=sum(r.flows for r in reports),
        loaded=sum(r.loaded for r in reports),
        slots=sum(r.slots for r in reports),
        responses=sum(r.responses for r in reports),
        tests=sum(r.tests for r in reports),
        errors=[row for r in reports for row in r.errors],
        notes=[row for r in reports for row in r.notes],
    )


def _yaml_files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    yield from sorted(file for file in path.rglob("*") if file.suffix in _YAML and file.is_file())


def _project(file: Path, asked: Path) -> Path:
    """The nearest folder above a file that holds a config.yml, within what was asked about; files without one are together."""
    for folder in file.parents if asked.is_dir() else ():
        if any((folder / name).is_file() for name in _CONFIG):
            return folder
        if folder == asked:
            break
    return _TOGETHER


def _with_hint(error: FlowError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message


__all__ = ["FolderReport", "check", "rows"]
