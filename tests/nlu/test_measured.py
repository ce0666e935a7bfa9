"""How well people are understood: what works everywhere word by word, and floors under the figures of the splits."""

from __future__ import annotations

import pytest

from nlu import closed
from nlu.classifier import Embedded
from nlu.commands import Affirm, Command, Expectation, Human, Refuse, Repeat, Utterance
from nlu.loader import Example, load_examples
from nlu.measuring import begun, split, understood, warned
from nlu.swindles import Watch
from nlu.text import fold
from nlu.understand import Understanding
from tests.nlu.conftest import MEASURED

COMMANDS = [
    (locale, example)
    for locale in ("zh", "en")
    for example in load_examples(MEASURED / locale / "commands.yml")
]
ASKED = ("confirm", "consent", "name_check", "choice", "open", "account", "amount", "code")
# A little under what was reached; half of the training falls below it.
ACCURATE = {
    ("zh", "validation"): 0.95,
    ("zh", "test"): 0.94,
    ("en", "validation"): 0.93,
    ("en", "test"): 0.92,
}
REFUSED_AT_5 = {
    ("zh", "validation"): 0.85,
    ("zh", "test"): 0.8,
    ("en", "validation"): 0.85,
    ("en", "test"): 0.8,
}
WARNED = {("zh", "validation"): 0.85, ("zh", "test"): 0.8, ("en", "validation"): 0.85, ("en", "test"): 0.75}
FALSE_ALARMS = 0.03


def named(command: Command | None, text: str, locale: str) -> str:
    if isinstance(command, Repeat) and (command.slower or command.louder):
        return "slower" if command.slower else "louder"
    if command is None and closed.cancels(text, locale):
        return "cancel"
    return type(command).__name__.lower()


@pytest.mark.parametrize(("locale", "example"), COMMANDS, ids=lambda value: getattr(value, "text", value))
def test_what_works_everywhere(locale: str, example: Example) -> None:
    text = fold(example.text)
    command = closed.everywhere(text, locale, voice=False)
    if (
        example.intent == "repeat"
    ):  # once more, and slower or louder where the sentence says that it was not heard
        assert isinstance(command, Repeat)
    else:
        assert named(command, text, locale) == example.intent


@pytest.mark.parametrize("asks", ASKED)
def test_none_of_it_is_ever_a_yes(understanding: Understanding, asks: str) -> None:
    for locale, example in COMMANDS:
        state = Expectation(asks, in_flow="pay_bill", locale=locale, amounts=(5000,))
        assert not any(
            isinstance(c, Affirm) for c in understanding.understand(Utterance(example.text), state)
        )


def test_there_are_sayings_enough() -> None:
    assert sum(locale == "zh" for locale, _ in COMMANDS) >= 120


@pytest.mark.parametrize(("locale", "name"), ACCURATE)
def test_wishes_are_understood_and_strange_ones_turned_away(engine: Embedded, locale: str, name: str) -> None:
    found = understood(engine, split(MEASURED, locale, name), locale)
    assert found.accuracy >= ACCURATE[locale, name], found.wrong
    assert found.refused_at_5 >= REFUSED_AT_5[locale, name]
    assert found.rejected <= 0.1


@pytest.mark.parametrize(("locale", "name"), ACCURATE)
def test_a_talk_begins_with_what_was_meant_or_asks(
    understanding: Understanding, locale: str, name: str
) -> None:
    """Closed lists and grammar come before the engine, and may not spoil what it knows."""
    found = begun(understanding, split(MEASURED, locale, name), locale)
    assert found.right >= 0.84, found.otherwise
    assert 1 - found.right - found.asked <= 0.11, found.otherwise
    assert found.left_alone >= 0.85


@pytest.mark.parametrize(("locale", "name"), WARNED)
def test_swindles_are_warned_of_and_neighbours_are_not(watch: Watch, locale: str, name: str) -> None:
    found = warned(watch, MEASURED, locale, name)
    assert found.recall >= WARNED[locale, name]
    assert found.false_alarms <= FALSE_ALARMS


def test_who_tells_of_a_swindle_and_wants_a_person_gets_the_person(understanding: Understanding) -> None:
    tale = "有人打电话说我家要停电,叫我马上转钱给他"
    assert understanding.understand(Utterance(tale), Expectation()) == [Refuse("scam")]
    assert understanding.understand(Utterance(tale + ",给我转人工"), Expectation()) == [Human()]
