"""The checkout as somebody who clones it would get it: the files that are, or are about to be, committed."""

from __future__ import annotations

import subprocess
from fnmatch import fnmatch
from functools import cache
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bot", "voice", "dialogues", "nlu", "payments", "integrations", "data")


@cache
def files() -> tuple[str, ...]:
    """Paths below the root, by git when this is a git checkout, otherwise by walking past what .gitignore names."""
    if (ROOT / ".git").exists():
        return tuple(sorted(_by_git(ROOT)))
    return tuple(sorted(by_walking(ROOT)))


@cache
def texts() -> dict[str, str]:
    """What stands in every file that is text."""
    return {path: text for path in files() if (text := read_text(ROOT / path)) is not None}


def read_text(path: Path) -> str | None:
    """The text of a file; None for a picture, a sound or another binary."""
    raw = path.read_bytes()
    if b"\0" in raw:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def by_walking(root: Path) -> list[str]:
    """What a source archive would hold when nobody can ask git."""
    ignored = [line.strip() for line in (root / ".gitignore").read_text().splitlines() if line.strip()]
    names = [pattern.strip("/") for pattern in ignored] + [".git"]
    found = (path.relative_to(root) for path in sorted(root.rglob("*")) if path.is_file())
    return [path.as_posix() for path in found if not _ignored(PurePosixPath(path.as_posix()), names)]


def _ignored(path: PurePosixPath, names: list[str]) -> bool:
    return any(fnmatch(part, name) for part in path.parts for name in names)


def _by_git(root: Path) -> list[str]:
    # New files count before the commit, or a guard would speak only when it is too late.
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return [path for path in listed.split("\0") if path and (root / path).is_file()]
