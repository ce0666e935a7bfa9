"""What the format does not say is refused at its line, with what was expected; what is not done here is told.

In the folders of `refused` a mistake is announced where it stands: `# ! message` for an error, `# ? message` for a note, and
several with `;` between.
Nothing else may be complained of.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dialogues import folder

REFUSED = Path(__file__).parent / "refused"
FOLDERS = sorted(path for path in REFUSED.iterdir() if path.is_dir())
_ANNOUNCED = re.compile(r"[#;] ([!?]) (.*?)(?=; [!?] |$)")

Told = set[tuple[str, int, str, str]]


def announced(example: Path) -> Told:
    """(file, line, ! or ?, part of the message) for every mistake the files announce."""
    found = set()
    for path in sorted(example.rglob("*.yml")):
        for line, text in enumerate(path.read_text("utf-8").splitlines(), start=1):
            found |= {(path.name, line, kind, message) for kind, message in _ANNOUNCED.findall(text)}
    return found


@pytest.mark.parametrize("example", FOLDERS, ids=lambda path: path.name)
def test_every_mistake_is_told_at_its_line(example: Path) -> None:
    report = folder.check([example])
    told = [(Path(e["file"]).name, e["line"], "!", e["message"]) for e in report.errors]
    told += [(Path(n["file"]).name, n["line"], "?", n["message"]) for n in report.notes]
    expected = announced(example)
    missing = [one for one in expected if not any(one[:3] == t[:3] and one[3] in t[3] for t in told)]
    surplus = [t for t in told if not any(one[:3] == t[:3] and one[3] in t[3] for one in expected)]
    assert (missing, surplus) == ([], [])
