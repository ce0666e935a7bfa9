"""After one payment the next of its kind takes three turns at most: the scripts that are played say so by their length."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialogues.testing.playing import Library
from dialogues.testing.script import Human

SCRIPTS = Library.of([Path(__file__).parents[1] / "conversations" / "second_payment.yml"]).scripts
WAYS = ("by chat", "on the page", "by keys")


@pytest.mark.parametrize("name", SCRIPTS)
def test_it_takes_three_turns_at_most(name: str) -> None:
    script = SCRIPTS[name]
    turns = [step for step in script.steps if isinstance(step, Human) and step.kind != "call_in"]
    assert 0 < len(turns) <= 3
    assert script.then["captures_new"], "and it is a payment"


def test_every_way_kind_and_language_is_there() -> None:
    wanted = {
        f"{kind} {way}{language}"
        for kind in ("electricity", "water")
        for way in WAYS
        for language in ("", " in English")
    }
    assert set(SCRIPTS) == wanted
