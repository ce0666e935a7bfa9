"""A YAML file as flow writers wrote it: plain values, each mapping and list knowing the lines it stands on.

Scalars follow YAML 1.2, as Rasa reads them: yes and on are words, a number with a leading zero stays a text. The parser is
libyaml: reading all our own files takes some 20 ms, which a pure Python parser needs for a fifteenth of them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from dialogues.model import Where

_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)?\.[0-9]+([eE][-+]?[0-9]+)?|[-+]?(0|[1-9][0-9]*)\.")
_MERGE = "<<"
_DEEPEST = 40  # levels; more is no flow but an attack or a slip


class NotYaml(ValueError):
    """The file is not YAML, or has the same key twice; `where` says the place."""

    def __init__(self, where: Where, message: str) -> None:
        super().__init__(message)
        self.where = where
        self.message = message


class Table(dict[str, Any]):
    """A mapping that knows its line and the line of each key."""

    line = 0
    lines: dict[str, int]


class Items(list[Any]):
    """A list that knows its line and the line of each item."""

    line = 0
    lines: tuple[int, ...] = ()


def read(path: Path) -> Any:
    """The content of a YAML file. Raises NotYaml; a file that cannot be read raises OSError."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise NotYaml(Where(str(path), 1), "the file is not UTF-8 text") from None
    return parse(text, str(path))


def parse(text: str, file: str) -> Any:
    """The content of a YAML text; `file` names it in errors."""
    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise NotYaml(Where(file, _line_of(error)), _problem(error)) from None
    except (RecursionError, ValueError) as error:
        raise NotYaml(Where(file, 1), f"not YAML: {type(error).__name__}") from None
    return None if node is None else _value(node, file, _DEEPEST, {})


def line_of(holder: Any, key: str | int | None = None) -> int:
    """The line of a mapping, a list, one key of a mapping or one item of a list; 0 when it has none of its own."""
    if isinstance(holder, Items) and isinstance(key, int):
        return holder.lines[key] if key < len(holder.lines) else holder.line
    if isinstance(holder, Table) and isinstance(key, str):
        return holder.lines.get(key, holder.line)
    return holder.line if isinstance(holder, Table | Items) else 0


def _value(node: yaml.Node, file: str, depth: int, made: dict[int, Any]) -> Any:
    """The value of a node. An alias yields the value made before, so that aliases of aliases cannot grow without bound."""
    if depth == 0:
        raise NotYaml(Where(file, _line(node)), f"nested more than {_DEEPEST} levels deep, or inside itself")
    if id(node) not in made:
        made[id(node)] = _made(node, file, depth, made)
    return made[id(node)]


def _made(node: yaml.Node, file: str, depth: int, made: dict[int, Any]) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _table(node, file, depth, made)
    if isinstance(node, yaml.SequenceNode):
        items = Items(_value(child, file, depth - 1, made) for child in node.value)
        items.line, items.lines = _line(node), tuple(map(_line, node.value))
        return items
    return _scalar(node)


def _table(node: yaml.MappingNode, file: str, depth: int, made: dict[int, Any]) -> Table:
    table = Table()
    table.line, table.lines = _line(node), {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        if key in table:
            raise NotYaml(Where(file, _line(key_node)), f"'{key}' is written twice in the same place")
        table.lines[key] = _line(key_node)
        table[key] = _value(value_node, file, depth - 1, made)
    return _merged(table) if _MERGE in table else table


def _merged(table: Table) -> Table:
    """`<<: *other` brings the keys of another mapping, or of several, which those written here outweigh."""
    brought = table.pop(_MERGE)
    line = table.lines.pop(_MERGE)
    for other in brought if isinstance(brought, Items) else [brought]:
        for key, value in other.items() if isinstance(other, Table) else ():
            if key not in table:
                table[key], table.lines[key] = value, line
    return table


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    if node.style in {'"', "'", "|", ">"}:
        return text
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _line_of(error: yaml.YAMLError) -> int:
    mark = getattr(error, "problem_mark", None)
    return int(mark.line) + 1 if mark is not None else 1


def _problem(error: yaml.YAMLError) -> str:
    return f"not YAML: {getattr(error, 'problem', None) or str(error).splitlines()[0]}"
