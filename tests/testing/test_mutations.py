"""A talk with misbehaving technique moves the same money; a careless application is found out by each mutation."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialogues.testing.mutations import DISTURBING, MUTATIONS
from tests.testing.talks import PAYING, played, script


def test_a_careful_application_passes_every_mutation(tmp_path: Path) -> None:
    report = played(tmp_path, script(PAYING), mutations=MUTATIONS)
    assert [c.id for c in report.cases] == ["T1", *(f"T1+{m}" for m in MUTATIONS)]
    assert report.passed == len(MUTATIONS) + 1, [c.detail for c in report.cases]


@pytest.mark.parametrize(
    ("flaw", "mutation", "says"),
    [
        ("double_charge", "redelivery", "S-I1|moves other money"),
        ("charge_twice_when_restarted", "restart", "S-I1|moves other money"),
        ("double_charge", "together", "S-I1|moves other money"),
        ("charge_twice_when_restarted", "together", "S-I1|moves other money"),
        ("forgets_elsewhere", "channel", "moves other money"),
        ("forgets_elsewhere", "together", "moves other money"),
        ("no_person", "human", "S-I6"),
        ("deaf_to_stop", "stop", "S-I1|S-I6"),
    ],
)
def test_a_careless_application_is_found_out(tmp_path: Path, flaw: str, mutation: str, says: str) -> None:
    report = played(tmp_path, script(PAYING), flaw=flaw, mutations=(mutation,))
    plain, mutated = report.cases
    assert (plain.status, mutated.status) == ("passed", "failed")
    assert any(word in mutated.detail for word in says.split("|"))


def test_a_second_tap_of_a_stale_button_does_nothing(tmp_path: Path) -> None:
    steps = "- say: 交水费\n- tap: affirm\n- expect: {asks: code}\n- say: '{valid_code}'\n"
    report = played(tmp_path, script(steps), mutations=("double_tap",))
    assert report.passed == 2, [c.detail for c in report.cases]


def test_where_nothing_is_pressed_nothing_is_pressed_twice(tmp_path: Path) -> None:
    """Such a performance would be the plain one once more; where a key is pressed, it is played."""
    said, pressed = (f"- say: 交水费\n- {act}" for act in ("say: 好的", "key: '1'"))
    for steps, played_again in ((said, False), (pressed, True)):
        report = played(tmp_path, script(steps), mutations=("double_tap",))
        assert [c.status for c in report.cases] == ["passed", "passed"], [c.detail for c in report.cases]
        assert ("nothing to disturb" not in report.cases[1].detail) is played_again


def test_mutated_cases_of_a_failed_talk_share_its_fate(tmp_path: Path) -> None:
    failing = script("- say: 交水费\n- expect: {says: [燃气]}")
    assert played(tmp_path, failing, mutations=DISTURBING).failed == 1 + len(DISTURBING)
    lacking = script("- event: {meter: {}}")
    assert len(played(tmp_path, lacking, mutations=DISTURBING).unsupported) == 1 + len(DISTURBING)


def test_an_unknown_mutation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no mutation is called 'earthquake'"):
        played(tmp_path, script(PAYING), mutations=("earthquake",))
