"""The training sentences themselves: enough of them, none twice, none nearly the same under two intents, none of a test."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from rapidfuzz import fuzz, process

from nlu.engine import OUT_OF_SCOPE
from nlu.loader import Example, load_examples
from nlu.text import fold
from nlu.understand import FLOWS
from tests.nlu.conftest import ROOT, TRAINING

EXAMPLES = {locale: load_examples(TRAINING / locale) for locale in ("zh", "en")}
FEWEST = 80
# Above this two sentences differ by a particle; such a pair under two intents is a mistake of the writer.
NEARLY_THE_SAME = 90
# Above this one sentence of an intent is the other with a word exchanged: multiplied, not written.
MULTIPLIED = 95
TALKS = [*(ROOT / "tests" / "conversations").glob("*.yml"), ROOT / "tests" / "scenarios" / "open.md"]
# The sentences below are no table of what people say: this file, and the small training files written inside a test.
NO_TABLES = {Path(__file__).name, "conftest.py"}
SAID = re.compile(
    r"""\b(?:say|voice|user):\s*(?:\{text: *)?(["']?)(?P<words>.+?)\1 *(?:,[^,]*: .*)?\}?$""", re.M
)


def bare(text: str) -> str:
    return re.sub(r"[^\w]", "", fold(text))


@pytest.mark.parametrize("locale", EXAMPLES)
def test_every_intent_has_enough_examples(locale: str) -> None:
    counts = Counter(example.intent for example in EXAMPLES[locale])
    assert {intent: count for intent, count in counts.items() if count < FEWEST} == {}


def test_both_languages_have_the_same_intents_and_they_are_ours() -> None:
    intents = [{example.intent for example in EXAMPLES[locale]} for locale in EXAMPLES]
    assert intents[0] == intents[1] == FLOWS | {"greet", "bye", "thanks", OUT_OF_SCOPE}


@pytest.mark.parametrize("locale", EXAMPLES)
def test_no_example_stands_twice(locale: str) -> None:
    counts = Counter(bare(example.text) for example in EXAMPLES[locale])
    assert [text for text, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("locale", EXAMPLES)
def test_no_two_intents_share_nearly_the_same_sentence(locale: str) -> None:
    near = [
        f"{one.path.name}:{one.line} {one.text} / {other.path.name}:{other.line} {other.text}"
        for one, other in _alike(EXAMPLES[locale], NEARLY_THE_SAME)
        if one.intent != other.intent
    ]
    assert near == []


@pytest.mark.parametrize("locale", EXAMPLES)
def test_no_example_is_another_one_with_a_letter_changed(locale: str) -> None:
    near = [f"{one.text} / {other.text}" for one, other in _alike(EXAMPLES[locale], MULTIPLIED)]
    assert near == []


def _alike(examples: list[Example], least: int) -> Iterator[tuple[Example, Example]]:
    """Pairs of sentences at least so much alike, of a hundred; very short words say too little to compare."""
    long = [example for example in examples if len(bare(example.text)) > 3]
    texts = [bare(example.text) for example in long]
    scores = process.cdist(texts, texts, scorer=fuzz.ratio, score_cutoff=least)
    for at, row in enumerate(scores):
        yield from ((long[at], long[other]) for other in row.nonzero()[0] if other > at)


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


def test_what_is_tested_was_not_trained() -> None:
    """A sentence of a test or a played talk in the training set would test the memory only."""
    tested = _tested()
    assert len(tested) > 1000, "the tests were not found"
    leaked = [
        f"{example.path.name}:{example.line} {example.text}"
        for rows in EXAMPLES.values()
        for example in rows
        if bare(example.text) in tested and not _plain_word(example.text)
    ]
    assert leaked == []


def _plain_word(text: str) -> bool:
    """你好, 交电费, thanks: what everybody says in just this way stands in both."""
    folded = bare(text)
    return len(folded) <= 3 or (folded.isascii() and " " not in fold(text).strip(" ?!."))


@cache
def _tested() -> frozenset[str]:
    written = {bare(text) for path in Path(__file__).parent.glob("*.py") for text in _strings(path)}
    played = {
        bare(match["words"]) for path in TALKS for match in SAID.finditer(path.read_text(encoding="utf-8"))
    }
    return frozenset(written | played) - {""}


def _strings(path: Path) -> list[str]:
    if path.name in NO_TABLES:
        return []
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
