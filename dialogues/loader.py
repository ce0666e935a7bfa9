"""Reads flows, slots and sentences from files and makes one release of them, or says line by line why not.

`load` is what the program starts with: strict, complete, named by the hash of its content. `check` looks at any folder of
Rasa files, for people who want to know whether theirs can be read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dialogues import predicate
from dialogues.domainfile import read_responses, read_slots
from dialogues.flowfile import DEFAULT_LOCALE, read_flows
from dialogues.model import ActionSpec, Flow, Release, Slot, Step, Variation, Where
from dialogues.problems import FlowError, FlowErrors, Reading, nearest
from dialogues.yamlfile import NotYaml, Table, line_of, read

_OURS = {"version", "flows", "slots", "responses", "session_config", "intents", "entities", "actions"}
_RASAS = _OURS | {
    "forms",
    "e2e_actions",
    "nlu",
    "rules",
    "stories",
    "config",
    "test_cases",
    "fixtures",
    "metadata",
}
_RASAS |= {"stub_custom_actions", "prompts"}
_DIALOGUE = {"flows", "slots", "responses"}
_LOCALE = re.compile(r"[a-z]{2}(-[A-Za-z]{2,4})?")
_LAID_OUT = ("domain/*.yml", "flows/*.yml", "responses/*.yml", "responses/*/*.yml")


@dataclass
class _Files:
    """Everything read so far, merged over files."""

    flows: dict[str, Flow] = field(default_factory=dict)
    slots: dict[str, Slot] = field(default_factory=dict)
    responses: dict[str, dict[str, tuple[Variation, ...]]] = field(default_factory=dict)
    errors: list[FlowError] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)  # flows that have mistakes
    digest: Any = field(default_factory=hashlib.sha256)


@dataclass(frozen=True, slots=True)
class LintReport:
    """What `bangjiao lint` found: files read, flows seen, flows that can be used, and mistakes."""

    files: int
    flows: int
    loaded: int
    errors: list[dict[str, Any]]


def load_folder(folder: Path, actions: Mapping[str, ActionSpec]) -> Release:
    """The release of a folder laid out as ours. Raises FlowErrors.

    domain/*.yml, flows/*.yml, responses/LOCALE.yml and responses/LOCALE/*.yml.
    """
    return load(files_of(folder), actions)


def files_of(folder: Path) -> list[Path]:
    """The files of a folder laid out as ours."""
    return [path for pattern in _LAID_OUT for path in sorted(folder.glob(pattern))]


def load(paths: Sequence[Path], actions: Mapping[str, ActionSpec]) -> Release:
    """The release of these files. Raises FlowErrors with every mistake found, not only the first."""
    files = _Files()
    for path in paths:
        _read_file(path, files, _OURS)
    files.errors += _crossed(files, files.slots)
    if files.errors:
        raise FlowErrors(files.errors)
    for name in sorted(actions):
        files.digest.update(repr(actions[name]).encode())
    return Release(files.digest.hexdigest()[:16], files.flows, files.slots, files.responses, dict(actions))


def check(paths: Iterable[Path]) -> LintReport:
    """What can be read of any Rasa files or folders, and what cannot."""
    files, looked_at = _Files(), 0
    for path in _yaml_files(paths):
        looked_at += 1
        _read_file(path, files, _RASAS, foreign=True)
    crossed = _crossed(files, files.slots or None)
    files.errors += crossed
    files.broken |= {
        flow.id for flow in files.flows.values() for error in crossed if _inside(error, flow, files)
    }
    errors = sorted(files.errors, key=lambda error: (error.where.file, error.where.line))
    told = [{"file": e.where.file, "line": e.where.line, "message": _with_hint(e)} for e in errors]
    return LintReport(looked_at, len(files.flows), len(files.flows.keys() - files.broken), told)


# --- one file ----------------------------------------------------------------------------------------------------


def _read_file(path: Path, files: _Files, known: set[str], *, foreign: bool = False) -> None:
    try:
        content = read(path)
    except NotYaml as error:
        files.errors.append(FlowError(error.where, error.message))
        return
    except OSError as error:
        files.errors.append(FlowError(Where(str(path), 0), f"cannot be read: {error.strerror}"))
        return
    files.digest.update(path.name.encode() + b"\0" + path.read_bytes())
    if isinstance(content, Table) and not (foreign and _is_no_dialogue(content)):
        _read_content(Reading(str(path)), content, path, files, known)
    elif not foreign:
        files.errors.append(FlowError(Where(str(path), 1), "the file holds no flows, slots or responses"))


def _is_no_dialogue(content: Table) -> bool:
    """A file that is none of our business: settings, training examples, anything else that happens to be YAML."""
    return not _DIALOGUE & content.keys() and not any(nearest(key, _DIALOGUE) for key in content)


def _locale(path: Path) -> str:
    """The language of a file of sentences, by its place: responses/en.yml, responses/en/mandates.yml."""
    flat = path.parent.name == "responses"
    name, folder = (path.stem, path.parent) if flat else (path.parent.name, path.parent.parent)
    return name if folder.name == "responses" and _LOCALE.fullmatch(name) else DEFAULT_LOCALE


def _read_content(reading: Reading, content: Table, path: Path, files: _Files, known: set[str]) -> None:
    reading.keys(content, known, "the file")
    locale = _locale(path)
    _merge(reading, files.slots, read_slots(reading, reading.table(content, "slots", "the file")), "slot")
    found = read_responses(reading, reading.table(content, "responses", "the file"), locale)
    for language, sentences in found.items():
        _merge(reading, files.responses.setdefault(language, {}), sentences, "response")
    table = reading.table(content, "flows", "the file")
    for name in table:
        before = len(reading.errors)
        one = Table({name: table[name]})
        one.line, one.lines = table.line, {name: line_of(table, name)}
        _merge(reading, files.flows, read_flows(reading, one), "flow")
        if len(reading.errors) > before:
            files.broken.add(name)
    files.errors += reading.errors


def _merge(reading: Reading, known: dict[str, Any], found: Mapping[str, Any], what: str) -> None:
    for name, value in found.items():
        if name in known:
            place = value[0].where if isinstance(value, tuple) else value.where
            first = known[name][0].where if isinstance(known[name], tuple) else known[name].where
            reading.wrong(place.line, f"{what} {name} is written twice", f"the first one stands at {first}")
        else:
            known[name] = value


# --- between files -----------------------------------------------------------------------------------------------


def _crossed(files: _Files, slots: Mapping[str, Slot] | None) -> list[FlowError]:
    """Mistakes that show only when all files are known: flows that do not exist, conditions about unknown values."""
    types = None if slots is None else {name: slot.type for name, slot in slots.items()}
    errors = [error for flow in files.flows.values() for error in _crossed_flow(flow, files.flows, types)]
    if types is not None:
        errors += _crossed_responses(files.responses, types)
    for slot in (slots or {}).values():
        for other in slot.depends_on:
            if slots is not None and other not in slots:
                errors.append(
                    FlowError(
                        slot.where,
                        f"slot {slot.name} depends on '{other}', which is no slot",
                        nearest(other, slots),
                    )
                )
    return errors


def _crossed_flow(
    flow: Flow, flows: Mapping[str, Flow], types: Mapping[str, str] | None
) -> Iterator[FlowError]:
    for step in flow.steps.values():
        what = f"step {step.id} of flow {flow.id}"
        if step.flow and step.flow not in flows and not step.flow.startswith("pattern_"):
            yield FlowError(
                step.where,
                f"{what} leads to flow '{step.flow}', which does not exist",
                nearest(step.flow, flows),
            )
        if step.kind == "link" and step.flow == flow.id:
            yield FlowError(step.where, f"{what} links to its own flow")
        for branch in step.next:
            yield from _condition_errors(branch.condition, types, step.where, what, flow.id)
        for rejection in step.rejections:
            yield from _condition_errors(rejection.condition, types, step.where, what, flow.id)
        yield from _unknown_slots(step, what, types)
    yield from _condition_errors(flow.guard, types, flow.where, f"flow {flow.id}", flow.id)


def _unknown_slots(step: Step, what: str, types: Mapping[str, str] | None) -> Iterator[FlowError]:
    for name in (step.collect, *(slot for slot, _ in step.assignments)):
        if name and types is not None and name not in types:
            yield FlowError(
                step.where,
                f"{what} fills '{name}', which is no slot",
                nearest(name, types) or "declare it in the domain",
            )


def _condition_errors(
    condition: predicate.Predicate | None, types: Mapping[str, str] | None, where: Where, what: str, flow: str
) -> Iterator[FlowError]:
    if condition is None or types is None or flow.startswith("pattern_"):
        return
    for problem in predicate.check(condition, types):
        yield FlowError(where, f"condition of {what}: {problem}", f"as written: {condition.text}")


def _crossed_responses(
    responses: Mapping[str, Mapping[str, tuple[Variation, ...]]], types: Mapping[str, str]
) -> Iterator[FlowError]:
    for sentences in responses.values():
        for name, variations in sentences.items():
            for variation in variations:
                yield from _condition_errors(
                    variation.condition, types, variation.where, f"response {name}", ""
                )


# --- any folder --------------------------------------------------------------------------------------------------


def _yaml_files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(
                file for file in path.rglob("*") if file.suffix in {".yml", ".yaml"} and file.is_file()
            )
        else:
            yield path


def _inside(error: FlowError, flow: Flow, files: _Files) -> bool:
    """Whether a mistake stands in the lines of this flow."""
    later = [
        f.where.line
        for f in files.flows.values()
        if f.where.file == flow.where.file and f.where.line > flow.where.line
    ]
    return error.where.file == flow.where.file and flow.where.line <= error.where.line < min(
        later, default=10**9
    )


def _with_hint(error: FlowError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message


__all__ = ["FlowError", "FlowErrors", "LintReport", "check", "files_of", "load", "load_folder"]
