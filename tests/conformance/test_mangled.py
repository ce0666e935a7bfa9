"""Whatever stands in a folder of files, lint reports it line by line and never breaks."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialogues import folder

HERE = Path(__file__).parent
SOURCES = [path for path in sorted(HERE.rglob("*.yml")) if path.stat().st_size < 2500]
_SCRAPS = ["null", "[", "]", "{", "}", ": ", "- ", "&a ", "*a", "<<: *a", "true", "-1", '"', "'", "|", "\t", "\n", "#", "!!set", "? ", "%", "水", "\x07", ".inf", "slots.", "{{x}}", "END"]  # fmt: skip


def mangled(text: str, random: Random) -> str:
    """A file with some lines lost, doubled, indented otherwise or spoilt by scraps of YAML."""
    lines = text.splitlines()
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(lines))
        match random.randrange(5):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[random.randrange(len(lines))])
            case 2:
                lines[at] = " " * random.randint(0, 9) + lines[at].lstrip()
            case 3:
                key, colon, _ = lines[at].partition(":")
                lines[at] = f"{key}{colon} {random.choice(_SCRAPS)}"
            case _:
                place = random.randint(0, len(lines[at]))
                lines[at] = lines[at][:place] + random.choice(_SCRAPS) + lines[at][place:]
        if not lines:
            return ""
    return "\n".join(lines)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(SOURCES), st.integers(0, 2**32))
def test_spoilt_files_are_reported(tmp_path: Path, source: Path, seed: int) -> None:
    (tmp_path / "spoilt.yml").write_text(mangled(source.read_text("utf-8"), Random(seed)), "utf-8")
    report = folder.check([tmp_path])
    assert report.loaded <= report.flows
    for row in [*report.errors, *report.notes]:
        assert row["file"].endswith("spoilt.yml")
        assert row["line"] >= 0
        assert row["message"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "flows:",
        "flows: [1, 2]\nslots: 3\nresponses: x",
        "flows: {a: {description: d, steps: [[[]]]}}",
        "flows:\n  a: &a {description: d, steps: [{action: x, next: [{else: [*a]}]}]}",
        "flows: {a: {description: d, steps: &s [{noop: true, next: [{if: true, then: *s}, {else: *s}]}]}}",
        "slots: {a: {type: [text], values: {a: 1}, mappings: {type: x}, validation: [1]}}",
        "responses: {utter_x: [1, null, [], {text: [1], buttons: {a: 1}, metadata: 3, condition: [1, {type: slot}]}]}",
        "test_cases: [1, {test_case: a, steps: {user: a}}, {test_case: [b], steps: []}]\nfixtures: 3",
        "test_cases: []\nstub_custom_actions: [1]",
        "? [a, b]\n: c\nflows: {}",
        "flows: " + "[" * 3000,
        "flows: " + "{a: " * 300 + "}" * 300,
        "--- {flows: {}}\n--- {flows: {}}",
        "flows: !!python/object:os.system {a: 1}",
        "test_cases: &a [*a]",
    ],
)
def test_odd_shapes_are_reported(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.yml").write_text(text, "utf-8")
    report = folder.check([tmp_path])
    assert report.files == 1
    assert report.loaded == 0


def test_a_bomb_of_aliases_does_not_go_off(tmp_path: Path) -> None:
    grown = "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)
    )
    (tmp_path / "bomb.yml").write_text(f"a: &a [x, x]\n{grown}test_cases: *m\n", "utf-8")
    (error,) = folder.check([tmp_path]).errors
    assert "too large" in error["message"]
