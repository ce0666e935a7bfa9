"""The rooms of the house import strictly downward, and the check that says so really sees a breach."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.guards.tree import PACKAGES, ROOT, files

# For every contract of pyproject.toml one import that breaks it: (contract, module that is added, its only line).
SEEDS = [
    ("Imports run strictly downward", "data/seeded.py", "import bot"),
    ("Imports run strictly downward", "payments/seeded.py", "import nlu"),
    ("Imports run strictly downward", "nlu/seeded.py", "import payments"),
    ("Understanding knows no outside world", "nlu/seeded.py", "import integrations.ports"),
    ("Only payments touches the money and people tables", "voice/seeded.py", "import data.store.payments"),
    ("Only payments touches the money and people tables", "dialogues/seeded.py", "import data.store.people"),
    ("Only dialogues touches the talk tables", "payments/seeded.py", "import data.store.talks"),
    ("Payments know the outside world by its ports only", "payments/seeded.py", "import httpx"),
    ("The web framework stays at the edge and in the sandbox", "dialogues/seeded.py", "import fastapi"),
]


def lint_imports(where: Path) -> tuple[int, str]:
    """Exit status and words of import-linter in one checkout."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    ran = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=120, check=False)
    return ran.returncode, re.sub(r"\x1b\[[0-9;]*m", "", ran.stdout + ran.stderr)


def test_the_layers_hold() -> None:
    status, words = lint_imports(ROOT)
    assert status == 0, words


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second checkout with nothing but the seven packages, to be spoilt."""
    where = tmp_path_factory.mktemp("checkout")
    for path in files():
        if path == "pyproject.toml" or (path.endswith(".py") and path.split("/")[0] in PACKAGES):
            (where / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, where / path)
    return where


@pytest.mark.parametrize(("contract", "module", "line"), SEEDS)
def test_a_seeded_breach_is_found(copy: Path, contract: str, module: str, line: str) -> None:
    (copy / module).write_text(line + "\n")
    try:
        status, words = lint_imports(copy)
    finally:
        (copy / module).unlink()
    assert status == 1
    assert f"{contract} BROKEN" in words


def test_every_contract_has_a_seeded_breach() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert {contract["name"] for contract in contracts} == {contract for contract, _, _ in SEEDS}
