"""The page of promises about money names every promise, and every proof it names is there and can fail."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from payments.doctor import INVARIANTS
from tests.guards.tree import ROOT, texts

PAGE = (ROOT / "docs" / "money-safety.md").read_text("utf-8")
MONEY_LAWS = ("L1", "L2", "L3", "L4", "L5", "L6", "L7", "L9", "L11")
_PROOF = re.compile(r"`(tests/[a-z0-9_/]+\.py)::([a-z0-9_]+)`")
_PARTS = ("Promise", "How", "Proof", "Broken on purpose", "Assumes", "Not promised")


def promises() -> dict[str, str]:
    """What the page says of each, by its number."""
    found = re.split(r"^### (\S+) · ", PAGE.partition("\n## What is not promised")[0], flags=re.MULTILINE)[1:]
    return dict(zip(found[::2], found[1::2], strict=True))


@cache
def defined(path: str) -> frozenset[str]:
    """Names of the functions at the top of a file; none where there is no such file."""
    nodes = ast.parse(texts().get(path, "")).body
    return frozenset(n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


def missing(text: str) -> list[str]:
    return [f"{path}::{name}" for path, name in _PROOF.findall(text) if name not in defined(path)]


def part(text: str, name: str) -> str:
    """One line of a promise; empty when it is not there."""
    found = re.search(rf"^\* \*\*{name}\.\*\* (.+)$", text, re.MULTILINE)
    return found[1] if found else ""


def test_every_promise_about_money_has_its_place() -> None:
    assert list(promises()) == [*MONEY_LAWS, *INVARIANTS]
    summary = PAGE.partition("## 中文摘要")[2].partition("\n## ")[0]
    assert len(summary.strip().splitlines()) > 5


@pytest.mark.parametrize("number", [*MONEY_LAWS, *INVARIANTS])
def test_a_promise_says_how_and_by_what_and_what_not(number: str) -> None:
    said = promises()[number]
    assert [name for name in _PARTS if not part(said, name)] == []
    assert _PROOF.search(part(said, "Proof"))
    assert _PROOF.search(part(said, "Broken on purpose"))


def test_every_proof_is_there() -> None:
    assert len(_PROOF.findall(PAGE)) > 100
    assert missing(PAGE) == []


def test_a_proof_that_is_not_there_is_found() -> None:
    gone = "`tests/payments/test_laws.py::test_that_was_never_written`, `tests/nowhere.py::test_x`"
    assert len(missing(gone)) == 2


def test_every_broken_till_of_the_simulator_breaks_a_named_promise() -> None:
    from tests.simulation.mutants import MONEY_MUTANTS

    assert {name for path, name in _PROOF.findall(PAGE) if path == "tests/simulation/mutants.py"} <= set(
        MONEY_MUTANTS
    )
