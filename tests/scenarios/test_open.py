"""The acceptance scripts of the first release pass, also when every input comes twice and the application dies after each.

Every other script passes or says by name what is not there yet.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dialogues.testing.playing import Library, play_case

OPEN = Path(__file__).parent / "open.md"
LIBRARY = Library.of([OPEN])
PROMISED = (
    "A1",
    "A2",
    "A3",
    "A4",
    "A6",
    "A7",
    "A8",
    "B1",
    "B2",
    "B3",
    "B4",
    "B5",
    "C2",
    "C4",
    "C6",
    "D1",
    "D2",
    "D3",
    "E1",
    "E2",
    "E3",
    "E5",
    "F1",
    "F2",
    "F3",
    "F4",
)


# Nobody says yes in these, so there is no money to move twice; F1 plays A2 and B2 again, which stand here themselves.
ONLY_LOOKING = frozenset({"B1", "B3", "B4", "C6", "F1", "F2", "F4"})


@pytest.mark.parametrize("name", PROMISED)
async def test_a_promised_script_passes_and_moves_the_same_money_whatever_is_repeated_or_dies(
    name: str, pytestconfig: pytest.Config
) -> None:
    factory = pytestconfig.hook.pytest_world_factory(config=pytestconfig)
    disturbing = () if name in ONLY_LOOKING else ("together",)
    results = await play_case(LIBRARY.scripts[name], factory, LIBRARY.scripts, disturbing)
    assert len(results) == 1 + len(disturbing)
    for result in results:
        assert result.status == "passed", f"{result.id}: {result.detail}"


@pytest.mark.parametrize("name", [n for n in LIBRARY.scripts if n not in PROMISED])
async def test_every_other_script_passes_or_names_what_is_missing(
    name: str, pytestconfig: pytest.Config
) -> None:
    factory = pytestconfig.hook.pytest_world_factory(config=pytestconfig)
    (result,) = await play_case(LIBRARY.scripts[name], factory, LIBRARY.scripts)
    assert result.status != "failed", result.detail
    assert result.status == "passed" or result.detail, "an unsupported script says which key is missing"
