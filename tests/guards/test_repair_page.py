"""The page on talks that go wrong names only talks and tests that are there."""

from __future__ import annotations

import re

from tests.guards.test_money_safety import defined
from tests.guards.tree import ROOT, texts

PAGE = (ROOT / "docs" / "repair.md").read_text("utf-8")
_PROOF = re.compile(r"`(tests/[a-z0-9_/]+\.(?:py|yml))::([^`]+)`")


def talks(path: str) -> frozenset[str]:
    """The ids of the talks of a file."""
    return frozenset(re.findall(r"^\s*- (?:id|test_case): (.+)$", texts().get(path, ""), re.MULTILINE))


def missing(text: str) -> list[str]:
    return [
        f"{path}::{name}"
        for path, name in _PROOF.findall(text)
        if name not in (talks(path) if path.endswith(".yml") else defined(path))
    ]


def test_every_promise_has_a_proof_that_is_there() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    assert [row for row in rows if not _PROOF.search(row)] == []
    assert missing(PAGE) == []


def test_a_proof_that_is_not_there_is_found() -> None:
    gone = "`tests/conversations/repair.yml::never written`, `tests/dialogues/test_repair.py::test_never_written`"
    assert len(missing(gone)) == 2
