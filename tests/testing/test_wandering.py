"""Whoever goes on elsewhere does there what can be done there, and stays where something belongs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dialogues.model import Where
from dialogues.testing.script import Heard, Human, Press, Tap
from dialogues.testing.wandering import carried
from tests.testing.talks import PAYING, played_with, script, written
from tests.testing.toy import PIN, ToyWorld


@dataclass
class Noted(ToyWorld):
    """Notes on which channel each thing was done."""

    done: list[tuple[str, str, str]] = field(default_factory=list)

    async def say(self, person: str, text: str) -> None:
        self.done.append((await self.here(person), "say", text))
        await super().say(person, text)

    async def voice(self, person: str, nbest: Sequence[str], confidence: float) -> None:
        self.done.append((await self.here(person), "voice", nbest[0]))
        await super().voice(person, nbest, confidence)

    async def key(self, person: str, keys: str) -> None:
        self.done.append((await self.here(person), "key", keys))
        await super().key(person, keys)

    async def press(self, person: str, label: str, back: int = 0) -> None:
        self.done.append((await self.here(person), "press", label))
        await super().press(person, label, back)


def wandered(folder: Path, steps: str, **how: Any) -> list[tuple[str, str, str]]:
    """Where and how each step was done once the talk went from channel to channel."""
    worlds: list[Noted] = []

    def fresh() -> Noted:
        worlds.append(Noted(**how))
        return worlds[-1]

    report = played_with([written(folder, script(steps))], fresh, mutations=("channel",))
    assert [case.status for case in report.cases] == ["passed", "passed"], [c.detail for c in report.cases]
    return worlds[-1].done


def test_words_are_said_and_digits_keyed_on_the_telephone(tmp_path: Path) -> None:
    assert wandered(tmp_path, PAYING) == [("telegram", "say", "交水费"), ("voice", "voice", f"确认 {PIN}")]


def test_a_code_is_typed_where_it_was_asked_for(tmp_path: Path) -> None:
    steps = "- say: 你好\n- say: 交水费\n- say: 确认\n- say: '{valid_pin}'\n"
    done = wandered(tmp_path, steps)
    assert [(where, how) for where, how, _ in done] == [
        ("telegram", "say"),
        ("voice", "voice"),
        ("web", "say"),
        ("web", "say"),
    ]


@pytest.mark.parametrize(
    ("step", "elsewhere"),
    [
        (("tap", Tap("affirm")), ("key", "1")),
        (("tap", Tap("deny")), ("key", "2")),
        (("tap", Tap("human")), ("key", "0")),
        (("press", Press("/stop")), ("key", "*")),
        (("press", Press("先不交")), ("voice", Heard(("先不交",)))),
        (("say", "{valid_code}"), ("key", "{valid_pin}")),
        (("say", "0319001200345678"), ("key", "0319001200345678")),
        (("tap", Tap("call_elder_now")), ("tap", Tap("call_elder_now"))),
    ],
)
def test_what_is_done_on_a_screen_is_done_by_key_or_word_on_the_telephone(
    step: tuple[str, Any], elsewhere: tuple[str, Any]
) -> None:
    there = carried(Human(Where("talk", 1), *step), "voice")
    assert (there.kind, there.value) == elsewhere
    assert carried(Human(Where("talk", 1), *step), "web") == Human(Where("talk", 1), *step)


def test_whoever_has_only_one_channel_stays_there(tmp_path: Path) -> None:
    text = script(PAYING).replace("persona: mei", "persona: bo")
    worlds: list[Noted] = []

    def fresh() -> Noted:
        worlds.append(Noted())
        return worlds[-1]

    played_with([written(tmp_path, text)], fresh, mutations=("channel",))
    assert {where for where, _, _ in worlds[-1].done} == {"telegram"}
