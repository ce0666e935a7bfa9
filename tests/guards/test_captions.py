"""Every file says in one sentence what it is, and nothing is too long to be read in one sitting."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.guards.tree import texts

FILE_LINES = 500
FUNCTION_LINES = 80
GENERATED = "data/store/migrations/versions/"
EMPTY_NAMES = {"util", "utils", "helper2", "manager"}
UNFINISHED = re.compile("|".join(("TO" + "DO", "FIX" + "ME")) + r"\b")
SENTENCE_END = (".", "?", "!", "。", ":")

PYTHON = {path: text for path, text in texts().items() if path.endswith(".py")}


def caption(source: str) -> str | None:
    """The first paragraph of a file's docstring when it begins with a whole sentence; otherwise None."""
    docstring = ast.get_docstring(ast.parse(source))
    if not docstring:
        return None
    first = " ".join(docstring.split("\n\n")[0].split())
    return first if first.endswith(SENTENCE_END) and " " in first else None


def long_functions(source: str) -> Iterator[str]:
    """Functions of more lines than one reads without losing the thread."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield f"{node.name}: {lines} lines"


def empty_names(path: str, source: str) -> list[str]:
    """Names that say nothing about the trade, of the file or of what it defines."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    defined = [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]
    names = [*path.removesuffix(".py").split("/"), *defined]
    return [name for name in names if set(_words(name)) & EMPTY_NAMES]


def _words(name: str) -> list[str]:
    """`LetterManager` and `letter_manager` are both letter, manager."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return spaced.lower().split("_")


def test_every_python_file_opens_with_a_sentence() -> None:
    assert [path for path, source in PYTHON.items() if caption(source) is None] == []


def test_no_file_is_too_long() -> None:
    lengths = {path: len(source.splitlines()) for path, source in PYTHON.items()}
    assert {path: lines for path, lines in lengths.items() if lines > FILE_LINES} == {}


def test_no_function_is_too_long() -> None:
    # A version of the tables is one long list by nature, written once and never changed.
    ours = {path: source for path, source in PYTHON.items() if not path.startswith(GENERATED)}
    found = {path: long for path, source in ours.items() if (long := list(long_functions(source)))}
    assert found == {}


def test_names_are_those_of_the_trade() -> None:
    found = {path: names for path, source in PYTHON.items() if (names := empty_names(path, source))}
    assert found == {}


def test_nothing_is_left_for_later() -> None:
    assert [path for path, text in texts().items() if UNFINISHED.search(text)] == []


@pytest.mark.parametrize("source", ["x = 1", '"""money"""', '"""The till"""', '""""""'])
def test_a_missing_or_lame_caption_is_found(source: str) -> None:
    assert caption(source) is None


def test_a_long_function_and_an_empty_name_are_found() -> None:
    source = "def pay():\n" + "    x = 1\n" * FUNCTION_LINES
    assert list(long_functions(source)) == [f"pay: {FUNCTION_LINES + 1} lines"]
    assert empty_names("bot/letter_utils.py", "class PaymentManager: ...") == [
        "letter_utils",
        "PaymentManager",
    ]
    assert empty_names("payments/authority/helpers.py", "class Helper: ...") == []
