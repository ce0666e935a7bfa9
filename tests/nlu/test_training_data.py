"""The training sentences themselves: varied, without numbers, and none of a test. What is counted and compared, `nlu check` does."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from nlu.engine import OUT_OF_SCOPE
from nlu.loader import load_examples
from nlu.text import fold
from nlu.understand import FLOWS
from tests.nlu.conftest import ROOT, TRAINING

EXAMPLES = {locale: load_examples(TRAINING / locale) for locale in ("zh", "en")}
TALKS = [*(ROOT / "tests" / "conversations").glob("*.yml"), ROOT / "tests" / "scenarios" / "open.md"]
# The sentences below are no table of what people say: this file, and the small training files written inside a test. The
# check of the training is tested on copies of trained sentences.
NO_TABLES = {Path(__file__).name, "conftest.py", "test_checking.py"}
SAID = re.compile(
    r"""\b(?:say|voice|user):\s*(?:\{text: *)?(["']?)(?P<words>.+?)\1 *(?:,[^,]*: .*)?\}?$""", re.M
)


def bare(text: str) -> str:
    return re.sub(r"[^\w]", "", fold(text))


def test_both_languages_have_the_same_intents_and_they_are_ours() -> None:
    intents = [{example.intent for example in EXAMPLES[locale]} for locale in EXAMPLES]
    assert intents[0] == intents[1] == FLOWS | {"greet", "bye", "thanks", OUT_OF_SCOPE}


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
