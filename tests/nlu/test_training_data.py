"""The training sentences themselves: enough of them, none twice, none nearly the same under two intents."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from rapidfuzz import fuzz

from nlu.engine import OUT_OF_SCOPE
from nlu.loader import Example, load_examples
from nlu.text import fold
from nlu.understand import FLOWS
from tests.nlu.conftest import TRAINING
from tests.nlu.test_understanding import ENGLISH, TALKS

EXAMPLES = {locale: load_examples(TRAINING / locale) for locale in ("zh", "en")}
FEWEST = 40
# Above this two sentences differ by a particle; such a pair under two intents is a mistake of the writer.
NEARLY_THE_SAME = 90


def bare(example: Example) -> str:
    return re.sub(r"[^\w]", "", fold(example.text))


@pytest.mark.parametrize("locale", EXAMPLES)
def test_every_intent_has_enough_examples(locale: str) -> None:
    counts = Counter(example.intent for example in EXAMPLES[locale])
    assert {intent: count for intent, count in counts.items() if count < FEWEST} == {}


def test_both_languages_have_the_same_intents_and_they_are_ours() -> None:
    intents = [{example.intent for example in EXAMPLES[locale]} for locale in EXAMPLES]
    assert intents[0] == intents[1] == FLOWS | {"greet", "bye", "thanks", OUT_OF_SCOPE}


@pytest.mark.parametrize("locale", EXAMPLES)
def test_no_example_stands_twice(locale: str) -> None:
    counts = Counter(bare(example) for example in EXAMPLES[locale])
    assert [text for text, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("locale", EXAMPLES)
def test_no_two_intents_share_nearly_the_same_sentence(locale: str) -> None:
    rows = [(bare(example), example) for example in EXAMPLES[locale]]
    near = [
        f"{one.path.name}:{one.line} {one.text} / {other.path.name}:{other.line} {other.text}"
        for at, (text, one) in enumerate(rows)
        for words, other in rows[at + 1 :]
        if one.intent != other.intent
        and min(len(text), len(words)) > 3
        and fuzz.ratio(text, words) >= NEARLY_THE_SAME
    ]
    assert near == []


@pytest.mark.parametrize("locale", EXAMPLES)
def test_examples_are_varied_and_not_multiplied(locale: str) -> None:
    """Few sentences of an intent begin alike."""
    width = 4 if locale == "zh" else 14
    for intent in {example.intent for example in EXAMPLES[locale]}:
        texts = [example.text for example in EXAMPLES[locale] if example.intent == intent]
        begin, count = Counter(text[:width] for text in texts).most_common(1)[0]
        assert count <= 6, (intent, begin, count)


def test_no_training_sentence_holds_a_number_like_a_card_or_telephone() -> None:
    assert [
        example.text for rows in EXAMPLES.values() for example in rows if re.search("[0-9]{7}", example.text)
    ] == []


def test_a_tested_sentence_rarely_stands_in_training() -> None:
    """Short plain wishes (交电费) stand in both; the tables must not be the training set."""
    trained = {bare(example) for rows in EXAMPLES.values() for example in rows}
    tested = {re.sub(r"[^\w]", "", fold(said)) for said, _, _ in [*TALKS, *ENGLISH]}
    assert len(tested & trained) < 0.25 * len(tested)
