"""Talk files as they lie on disk: YAML or Markdown with fenced YAML, read so that every mistake names file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.scalarbool import ScalarBoolean

from dialogues.model import Where
from dialogues.testing import notation, rasa
from dialogues.testing.node import Node
from dialogues.testing.script import BadScript, Book, Mistake, Script

NOTHING = "no script in it"
_MOST_NODES = 200_000  # values in one document; aliases of aliases grow without bound
_FENCE = re.compile(r"^(?P<fence>`{3,})yaml[ \t]*\n(?P<body>.*?)^(?P=fence)[ \t]*$", re.M | re.S)


def read(path: Path) -> Book:
    """Every script of one file. What cannot be read is a mistake beside the scripts that can; a missing file too."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        return Book(path, (), (Mistake(Where(str(path), 1), f"cannot be read: {type(problem).__name__}"),))
    scripts, mistakes, towns = [], [], []
    for offset, block in _blocks(path, text):
        try:
            documents = _documents(path, block, offset)
        except BadScript as bad:
            mistakes.append(bad.mistake)
            continue
        for node in documents:
            found, wrong, town = _document(node, path)
            scripts += found
            mistakes += wrong
            towns += town
    if len(towns) > 1:
        mistakes.append(Mistake(towns[1].where, "a second world: a file holds at most one"))
    mistakes += _twice(scripts)
    if not scripts and not mistakes and not towns:
        mistakes.append(Mistake(Where(str(path), 1), NOTHING))
    return Book(path, _in_town(scripts, towns), tuple(mistakes))


def _blocks(path: Path, text: str) -> Iterator[tuple[int, str]]:
    """YAML texts with the number of lines above them."""
    if path.suffix.lower() in {".yml", ".yaml"}:
        yield 0, text
        return
    for match in _FENCE.finditer(text.replace("\r\n", "\n")):
        yield text.replace("\r\n", "\n").count("\n", 0, match.start("body")), match["body"]


def _documents(path: Path, block: str, offset: int) -> list[Node]:
    try:
        loaded = list(YAML(typ="rt", pure=True).load_all(block))
    except MarkedYAMLError as problem:
        line = (problem.problem_mark.line if problem.problem_mark else 0) + offset + 1
        raise BadScript(Where(str(path), line), f"not YAML: {problem.problem}") from None
    except (
        Exception
    ) as problem:  # on spoilt text the library breaks in ways of its own, not only with YAMLError
        raise BadScript(Where(str(path), offset + 1), f"not YAML: {type(problem).__name__}") from None
    for document in loaded:
        if _size(document, _MOST_NODES) <= 0:
            raise BadScript(Where(str(path), offset + 1), "too large, or grown by aliases of aliases")
    return [_node(d, Where(str(path), offset + 1), offset) for d in loaded if d is not None]


def _size(value: Any, left: int, deepest: int = 40) -> int:
    """How many of so many values are left when those of a document are counted, each as often as it stands there."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    left -= 1
    for one in inner:
        if left <= 0 or deepest == 0:
            return 0
        left = _size(one, left, deepest - 1)
    return left


def _node(value: Any, where: Where, offset: int) -> Node:
    """Plain values with the place of each mapping, entry and item kept beside them."""
    if isinstance(value, CommentedMap):
        here = Where(where.file, value.lc.line + offset + 1)
        places = {k: Where(where.file, value.lc.key(k)[0] + offset + 1) for k in value}
        return Node(here, {str(k): _node(v, places[k], offset) for k, v in value.items()})
    if isinstance(value, CommentedSeq):
        places = {n: Where(where.file, value.lc.item(n)[0] + offset + 1) for n in range(len(value))}
        return Node(where, [_node(v, places[n], offset) for n, v in enumerate(value)])
    return Node(where, _scalar(value))


def _scalar(value: Any) -> Any:
    """A round-trip loader remembers how a scalar was written; here only what it means counts."""
    if isinstance(value, ScalarBoolean):
        return bool(value)
    for plain in (str, int, float):
        if isinstance(value, plain) and not isinstance(value, bool):
            return plain(value)
    return value


def _document(node: Node, path: Path) -> tuple[list[Script], list[Mistake], list[Node]]:
    """Scripts, mistakes and world of one YAML document, whichever of the two formats it is in."""
    if isinstance(node.value, dict) and rasa.TOP & set(node.value):
        return (*rasa.scripts(node, rasa.shared_fixtures(path.parent, read_one)), [])
    if isinstance(node.value, dict) and "world" in node.value:
        town = node.value["world"]
        if not isinstance(town.value, dict):
            return [], [Mistake(town.where, "a world is a mapping")], []
        return [], [], [town]
    found, mistakes = [], []
    for each in node.value if isinstance(node.value, list) else [node]:
        try:
            found.append(notation.script(each))
        except BadScript as bad:
            mistakes.append(bad.mistake)
    return found, mistakes, []


def read_one(path: Path) -> Node | None:
    """The single YAML document of a file, None when there is no such file. Raises BadScript."""
    if not path.is_file():
        return None
    documents = _documents(path, path.read_text("utf-8"), 0)
    return documents[0] if documents else None


def _twice(scripts: list[Script]) -> list[Mistake]:
    seen: dict[str, Where] = {}
    return [
        Mistake(s.where, f"the id {s.id!r} stands already at {first}")
        for s in scripts
        if (first := seen.setdefault(s.id, s.where)) is not s.where
    ]


def _in_town(scripts: list[Script], towns: list[Node]) -> tuple[Script, ...]:
    town: Mapping[str, Any] | None = towns[0].plain() if towns else None
    return tuple(replace(s, town=town) for s in scripts)
