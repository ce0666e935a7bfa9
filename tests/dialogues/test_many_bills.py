"""More bills than anybody listens to at once come in lists of eight: all of them are told, and all can be paid."""

from __future__ import annotations

from pathlib import Path

from bot.playground import playground
from bot.settings import Settings
from dialogues.testing.playing import Library, play_case

MANY = Path(__file__).parent / "fixtures" / "many_bills.yml"


async def test_twelve_bills_are_told_and_paid_in_two_lists() -> None:
    (script,) = Library.of([MANY]).scripts.values()
    # Eight billers asked at once by a busy machine: what is promised here is the list, not the speed of an answer.
    with playground(Settings(), gateway_seconds=10) as worlds:
        (result,) = await play_case(script, worlds)
    assert result.status == "passed", result.detail
