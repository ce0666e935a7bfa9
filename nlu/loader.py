"""Training sentences in Rasa's nlu format (3.1), read strictly: a mistake names its file and line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlu.engine import OUT_OF_SCOPE

_ANNOTATION = re.compile(r"\[([^\]\[]+)\](?:\{[^}]*\}|\([^)]*\))")
_ITEM_KINDS = {"intent", "synonym", "regex", "lookup"}


class TrainingFileError(ValueError):
    """A training file is not what it should be; says where."""

    def __init__(self, path: Path, line: int, message: str) -> None:
        super().__init__(f"{path.name}:{line}: {message}")
        self.path, self.line, self.message = path, line, message


@dataclass(frozen=True, slots=True)
class Example:
    """One sentence people say, the intent it has, and where it is written."""

    text: str
    intent: str
    path: Path
    line: int


def load_examples(source: Path) -> list[Example]:
    """All examples of a file (.yml or .jsonl) or of the .yml files of a folder, in the order of names.

    Raises TrainingFileError.
    """
    files = sorted(source.glob("*.yml")) if source.is_dir() else [source]
    if not files or not all(file.is_file() for file in files):
        raise TrainingFileError(source, 0, "no training file")
    return [example for file in files for example in _of_file(file)]


def training_files(source: Path | tuple[Path, ...]) -> list[Path]:
    """The files whose content decides the trained model."""
    if isinstance(source, tuple):
        return [file for each in source for file in training_files(each)]
    return sorted(source.glob("*.yml")) if source.is_dir() else [source]


def _of_file(path: Path) -> Iterator[Example]:
    return _json_lines(path) if path.suffix == ".jsonl" else _rasa(path)


def _json_lines(path: Path) -> Iterator[Example]:
    for at, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            text, intent = str(row["text"]).strip(), str(row["intent"]).strip()
        except (ValueError, KeyError, TypeError) as error:
            raise TrainingFileError(path, at, 'each line is {"text": …, "intent": …}') from error
        yield Example(text, OUT_OF_SCOPE if intent == "oos" else intent, path, at)


def _rasa(path: Path) -> Iterator[Example]:
    document = _yaml(path)
    if not isinstance(document, dict) or set(document) != {"version", "nlu"}:
        raise TrainingFileError(path, 1, "a training file has exactly the keys version and nlu")
    if str(document["version"]) != "3.1":
        raise TrainingFileError(path, 1, 'version must be "3.1"')
    items: Any = document["nlu"]
    if not isinstance(items, list) or not items:
        raise TrainingFileError(path, 1, "nlu must be a list with something in it")
    for at, item in enumerate(tuple(items)):
        yield from _item(path, item, _line_of_item(document, at))


def _yaml(path: Path) -> Any:
    from ruamel.yaml import YAML  # lazily: the running program reads no training files
    from ruamel.yaml.error import MarkedYAMLError

    try:
        return YAML().load(path.read_text(encoding="utf-8"))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise TrainingFileError(path, mark.line + 1 if mark else 1, str(error.problem)) from error
    except UnicodeDecodeError as error:
        raise TrainingFileError(path, 1, "not UTF-8") from error


def _item(path: Path, item: Any, line: int) -> Iterator[Example]:
    if not isinstance(item, dict):
        raise TrainingFileError(path, line, "an item of nlu is a mapping")
    kinds = _ITEM_KINDS & set(item)
    if len(kinds) != 1 or not set(item) <= kinds | {"examples", "metadata"}:
        raise TrainingFileError(
            path,
            line,
            f"an item has one of {', '.join(sorted(_ITEM_KINDS))} and examples, not {', '.join(map(str, item))}",
        )
    name, block = item[kinds.pop()], item.get("examples")
    if not isinstance(name, str) or not isinstance(block, str) or not block.strip():
        raise TrainingFileError(path, line, "examples is a block of lines, each beginning with a dash")
    if "intent" in item:
        yield from _examples(path, name, block, _line_of_examples(item))


def _examples(path: Path, intent: str, block: str, first_line: int) -> Iterator[Example]:
    for line, written in enumerate(block.splitlines(), start=first_line):
        if not written.strip():
            continue
        if not written.startswith("- ") or not written[2:].strip():
            raise TrainingFileError(path, line, "an example begins with a dash and a space")
        text = _ANNOTATION.sub(r"\1", written[2:]).strip()
        if re.search(r"[\[\]{}]", text):
            raise TrainingFileError(path, line, "an entity mark is not closed")
        yield Example(text, intent, path, line)


def _line_of_examples(item: Any) -> int:
    """Line of the first example: the one after `examples: |`."""
    return int(item.lc.value("examples")[0]) + 2


def _line_of_item(document: Any, at: int) -> int:
    return int(document["nlu"].lc.data[at][0]) + 1
