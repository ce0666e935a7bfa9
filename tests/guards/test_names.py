"""Our seven packages have everyday names; here we make sure that nobody else has taken one of them."""

from __future__ import annotations

import importlib.util
import tomllib
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

from tests.guards.tree import PACKAGES, ROOT, by_walking, files

MUST = {*PACKAGES, "tests"}
MAY = {".ci", "docs", "benchmarks", "deploy"}


def claims(installed: Iterable[Distribution]) -> dict[str, set[str]]:
    """Which foreign distributions bring a top-level name of ours."""
    taken: dict[str, set[str]] = {}
    for found in installed:
        if found.name == "bangjiao":
            continue
        for file in found.files or ():
            top = file.parts[0].removesuffix(".py")
            if top in PACKAGES:
                taken.setdefault(top, set()).add(found.name)
    return taken


def test_nobody_else_claims_our_package_names() -> None:
    assert claims(distributions()) == {}


def test_a_foreign_package_of_our_name_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "__init__.py").touch()
    info = tmp_path / "data-0.4.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: data\nVersion: 0.4\n")
    (info / "RECORD").write_text("data/__init__.py,,\n")
    assert claims(distributions(path=[str(tmp_path)])) == {"data": {"data"}}


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_is_the_one_of_this_checkout(package: str) -> None:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin == str(ROOT / package / "__init__.py")


def test_the_folders_are_exactly_those_of_the_architecture() -> None:
    folders = {path.split("/")[0] for path in files() if "/" in path}
    assert MUST - folders == set(), "a room is missing"
    assert folders - MUST - MAY == set(), "a new top-level folder needs a reason as good as payments/ had"


def test_every_tool_is_told_the_same_seven_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert set(project["uv"]["build-backend"]["module-name"]) == set(PACKAGES)
    assert set(project["mypy"]["packages"]) == set(PACKAGES)
    assert set(project["importlinter"]["root_packages"]) == set(PACKAGES)


def test_walking_without_git_passes_by_what_is_ignored(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text(".venv/\n*.db\n/var/\n")
    for path in ("bot/app.py", ".venv/lib/x.py", "var/run.log", "town.db", ".git/HEAD"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    assert by_walking(tmp_path) == [".gitignore", "bot/app.py"]
