"""Reads flows, slots and sentences from files and makes one release of them, or says line by line why not.

This is what the program starts with: strict, complete, named by the hash of its content. `dialogues.folder` looks at any
folder of Rasa files, for people who want to know whether theirs can be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dialogues import crossing
from dialogues.content import in_order, named
from dialogues.domainfile import Names, read_names, read_responses, read_session, read_slots
from dialogues.flowfile import DEFAULT_LOCALE, read_flows
from dialogues.model import ActionSpec, Flow, Release, Session, Slot, Variation, Where
from dialogues.problems import FlowError, FlowErrors, Reading
from dialogues.yamlfile import NotYaml, Table, line_of, read

_LOCALE = re.compile(r"[a-z]{2}(-[A-Za-z]{2,4})?")
_LAID_OUT = ("domain/*.yml", "flows/*.yml", "responses/*.yml", "responses/*/*.yml")


@dataclass
class Files:
    """Everything read so far, merged over files."""

    flows: dict[str, Flow] = field(default_factory=dict)
    slots: dict[str, Slot] = field(default_factory=dict)
    responses: dict[str, dict[str, tuple[Variation, ...]]] = field(default_factory=dict)
    names: Names = field(default_factory=Names)
    session: tuple[Session, Where] | None = None
    errors: list[FlowError] = field(default_factory=list)
    notes: list[FlowError] = field(default_factory=list)  # understood, and not done here
    broken: set[str] = field(default_factory=set)  # flows that have mistakes


def load_folder(folder: Path, actions: Mapping[str, ActionSpec]) -> Release:
    """The release of a folder laid out as ours. Raises FlowErrors.

    domain/*.yml, flows/*.yml, responses/LOCALE.yml and responses/LOCALE/*.yml.
    """
    return load(files_of(folder), actions)


def files_of(folder: Path) -> list[Path]:
    """The files of a folder laid out as ours."""
    return [path for pattern in _LAID_OUT for path in sorted(folder.glob(pattern))]


def load(paths: Sequence[Path], actions: Mapping[str, ActionSpec]) -> Release:
    """The release of these files. Raises FlowErrors with every mistake found, not only the first.

    What a foreign folder may have without effect is a mistake here: nobody should write what does nothing.
    """
    files = Files()
    for path in paths:
        content = read_content(path, files)
        if isinstance(content, Table):
            read_file(path, content, files)
        elif content is not UNREADABLE:
            files.errors.append(FlowError(Where(str(path), 1), "the file holds no flows, slots or responses"))
    files.errors += [*files.notes, *crossed(files), *crossing.actions(files.names.actions, actions)]
    if files.errors:
        raise FlowErrors(files.errors)
    session = files.session[0] if files.session else Session()
    sentences = {locale: in_order(found) for locale, found in files.responses.items()}
    return named(
        Release("", in_order(files.flows), in_order(files.slots), in_order(sentences), dict(actions), session)
    )


def crossed(files: Files) -> list[FlowError]:
    """Mistakes that show only when all files are known."""
    return crossing.crossed(files.flows, files.slots, files.responses, files.names)


# --- one file ----------------------------------------------------------------------------------------------------

UNREADABLE = object()


def read_content(path: Path, files: Files) -> Any:
    """What a file holds; UNREADABLE, and a mistake told, when it is no YAML or cannot be opened."""
    try:
        content = read(path)
    except NotYaml as error:
        files.errors.append(FlowError(error.where, error.message))
        return UNREADABLE
    except OSError as error:
        files.errors.append(FlowError(Where(str(path), 0), f"cannot be read: {error.strerror}"))
        return UNREADABLE
    return content


def read_file(path: Path, content: Table, files: Files) -> None:
    """Takes up everything a file says, and every mistake in it."""
    reading = Reading(str(path))
    reading.words(content, "the file", "file")
    _read_domain(reading, content, files)
    found = read_responses(reading, reading.table(content, "responses", "the file"), _locale(path))
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
    files.notes += reading.notes


def _read_domain(reading: Reading, content: Table, files: Files) -> None:
    _merge(reading, files.slots, read_slots(reading, reading.table(content, "slots", "the file")), "slot")
    files.names |= read_names(reading, content)
    session = read_session(reading, content)
    if session is None:
        return
    here = reading.place(line_of(content, "session_config"))
    if files.session is None:
        files.session = session, here
    else:
        reading.wrong(
            here.line, "session_config is written twice", f"the first one stands at {files.session[1]}"
        )


def _locale(path: Path) -> str:
    """The language of a file of sentences, by its place: responses/en.yml, responses/en/mandates.yml."""
    flat = path.parent.name == "responses"
    name, folder = (path.stem, path.parent) if flat else (path.parent.name, path.parent.parent)
    return name if folder.name == "responses" and _LOCALE.fullmatch(name) else DEFAULT_LOCALE


def _merge(reading: Reading, known: dict[str, Any], found: Mapping[str, Any], what: str) -> None:
    for name, value in found.items():
        if name in known:
            place = value[0].where if isinstance(value, tuple) else value.where
            first = known[name][0].where if isinstance(known[name], tuple) else known[name].where
            reading.wrong(place.line, f"{what} {name} is written twice", f"the first one stands at {first}")
        else:
            known[name] = value


__all__ = ["Files", "FlowError", "FlowErrors", "files_of", "load", "load_folder"]
