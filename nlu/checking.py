"""Looks over the sentences we learn from and those we are measured by: enough of each, none twice, none of one in the other.

Sentences are compared by how they sound (in English by the parts of their words), because a recogniser's homophone of a
trained sentence is that sentence once more. Needs scipy, which comes with what training needs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlu.engine import OUT_OF_SCOPE
from nlu.loader import Example, load_examples
from nlu.pinyin import sounds
from nlu.swindles import FOLDER, HARMLESS, SCAM
from nlu.text import fold

SPLITS = ("validation", "test")
FEWEST_TRAINED = {"zh": 120, "en": 80}
FEWEST_STRANGE = 250
FEWEST_IN_A_SPLIT = 12
FEWEST_STRANGE_IN_A_SPLIT = 150
FEWEST_SWINDLES = {SCAM: 60, HARMLESS: 200}  # both splits together
# Two sentences of different intents so much alike differ by a particle: one of them is the writer's mistake.
NEARLY_THE_SAME = 0.85
# One sentence of an intent so much alike another in writing is the other with a letter exchanged: multiplied, not written.
MULTIPLIED = 0.92
# A measured sentence so much alike a trained one measures the memory.
LEAKED = 0.8
# What everybody says in just this way (你好, 交电费, thanks) may stand on both sides.
_PLAIN_ZH, _PLAIN_EN = 4, 2
_ROWS_AT_ONCE = 512  # a few megabytes of common grams at a time

Grams = frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to put right, where it is written."""

    path: Path
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.problem}"


def check(trained: Path, measured: Path, locale: str) -> list[Finding]:
    """All that is wrong with the training folder of a language and its splits. Raises TrainingFileError."""
    learnt = load_examples(trained / locale)
    splits = {name: load_examples(measured / locale / name) for name in SPLITS}
    found = [*_too_few(learnt, locale), *_alike_in_training(learnt, locale)]
    for name, rows in splits.items():
        found += _too_few_in_split(rows, {row.intent for row in learnt}, name)
        found += _twice(rows)
        found += _leaked(learnt, rows, locale)
    found += _leaked(splits["validation"], splits["test"], locale)
    found += _swindles(trained, measured, locale)
    return sorted(found, key=lambda finding: (str(finding.path), finding.line))


def likeness(one: str, other: str, locale: str) -> float:
    """How much alike two sentences are to the ear (English: in spelling), 0..1: the share they have in common."""
    return _dice(_sounding(one, locale), _sounding(other, locale))


def _swindles(trained: Path, measured: Path, locale: str) -> Iterator[Finding]:
    """The same of the tales of swindlers and their harmless look-alikes; their splits count together."""
    learnt = load_examples(trained / FOLDER / f"{locale}.yml")
    splits = [load_examples(measured / locale / FOLDER / f"{name}.yml") for name in SPLITS]
    yield from _alike_in_training(learnt, locale)
    for rows in splits:
        yield from _twice(rows)
        yield from _leaked(learnt, rows, locale)
    yield from _leaked(splits[0], splits[1], locale)
    for intent, first, count in _counted([row for rows in splits for row in rows]):
        if count < (least := FEWEST_SWINDLES[intent]):
            yield Finding(first.path, first.line, f"{intent} has {count} sentences, {least} are wanted")


# --- how many -----------------------------------------------------------------------------------------------------


def _too_few(rows: Sequence[Example], locale: str) -> Iterator[Finding]:
    for intent, first, count in _counted(rows):
        least = FEWEST_STRANGE if intent == OUT_OF_SCOPE else FEWEST_TRAINED[locale]
        if count < least:
            yield Finding(first.path, first.line, f"{intent} has {count} examples, {least} are wanted")


def _too_few_in_split(rows: Sequence[Example], intents: set[str], split: str) -> Iterator[Finding]:
    there = set()
    for intent, first, count in _counted(rows):
        there.add(intent)
        least = FEWEST_STRANGE_IN_A_SPLIT if intent == OUT_OF_SCOPE else FEWEST_IN_A_SPLIT
        if intent not in intents:
            yield Finding(first.path, first.line, f"{intent} is no intent of the training")
        elif count < least:
            yield Finding(first.path, first.line, f"{intent} has {count} sentences, {least} are wanted")
    for intent in sorted(intents - there):
        yield Finding(rows[0].path, 1, f"{intent} has no sentences in the {split} split")


def _counted(rows: Iterable[Example]) -> list[tuple[str, Example, int]]:
    """Each intent with its first example and how many there are."""
    first: dict[str, Example] = {}
    for row in rows:
        first.setdefault(row.intent, row)
    counts = Counter(row.intent for row in rows)
    return [(intent, row, counts[intent]) for intent, row in first.items()]


# --- alike --------------------------------------------------------------------------------------------------------


def _twice(rows: Sequence[Example]) -> Iterator[Finding]:
    seen: dict[str, Example] = {}
    for row in rows:
        if (before := seen.setdefault(bare(row.text), row)) is not row:
            yield _collision(row, "stands twice", before)


def _alike_in_training(rows: Sequence[Example], locale: str) -> Iterator[Finding]:
    yield from _twice(rows)
    long = [row for row in rows if not is_plain(row.text, locale)]
    grams = [_sounding(row.text, locale) for row in long]
    for one, other, alike in _pairs(grams, NEARLY_THE_SAME):
        before, row = long[one], long[other]
        if bare(before.text) == bare(row.text):
            continue
        if before.intent != row.intent:
            yield _collision(row, f"{row.intent}, and nearly the same under {before.intent}", before)
        elif (
            alike >= MULTIPLIED
            and _dice(*(_written(each.text, locale) for each in (before, row))) >= MULTIPLIED
        ):
            yield _collision(row, "the same sentence with hardly a word changed", before)


def _leaked(trained: Sequence[Example], measured: Sequence[Example], locale: str) -> Iterator[Finding]:
    """Measured sentences that stand in the training, or nearly."""
    rows = [row for row in (*trained, *measured) if not is_plain(row.text, locale)]
    begin = sum(not is_plain(row.text, locale) for row in trained)
    told: set[int] = set()
    for one, other, _ in _pairs([_sounding(row.text, locale) for row in rows], LEAKED):
        if one < begin <= other and other not in told:
            told.add(other)
            yield _collision(rows[other], "was learnt already", rows[one])


def _collision(row: Example, problem: str, other: Example) -> Finding:
    return Finding(row.path, row.line, f"{row.text}: {problem}: {other.path.name}:{other.line} {other.text}")


def bare(text: str) -> str:
    """A sentence without punctuation and spaces."""
    return re.sub(r"[^\w]", "", fold(text))


def is_plain(text: str, locale: str) -> bool:
    """Too short to be told from what anybody says."""
    if locale == "en":
        return len(fold(text).split()) <= _PLAIN_EN
    return len(bare(text)) <= _PLAIN_ZH


def _sounding(text: str, locale: str) -> Grams:
    """Sounds one to three in a row; in English three letters in a row."""
    return _grams_of(sounds(bare(text)) if locale == "zh" else text, locale)


def _written(text: str, locale: str) -> Grams:
    """The same of what is written: a homophone is another sentence here, as a recogniser's slip is worth its line."""
    return _grams_of(bare(text) if locale == "zh" else text, locale)


def _grams_of(said: Sequence[str], locale: str) -> Grams:
    sizes: tuple[int, ...] = (1, 2, 3)
    if locale == "en":
        words = re.findall(r"[\w']+", fold(str(said)))
        said, sizes = " " + " ".join(words) + " ", (3,)
    counts = Counter(tuple(said[at : at + n]) for n in sizes for at in range(len(said) - n + 1))
    # Repeated ones are told apart, so that saying a word twice makes a sentence another one.
    return frozenset((*gram, str(at)) for gram, count in counts.items() for at in range(count))


def _dice(one: Grams, other: Grams) -> float:
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 0.0


def _pairs(grams: Sequence[Grams], least: float) -> Iterator[tuple[int, int, float]]:
    """Pairs at least so much alike, the earlier one first."""
    import numpy as np
    from scipy import sparse

    if not grams:
        return
    columns = {gram: at for at, gram in enumerate(dict.fromkeys(gram for one in grams for gram in one))}
    where = [columns[gram] for one in grams for gram in one]
    starts = np.cumsum([0, *(len(one) for one in grams)])
    has = sparse.csr_matrix((np.ones(len(where), np.int32), where, starts), shape=(len(grams), len(columns)))
    sizes = np.diff(starts)
    for begin in range(0, len(grams), _ROWS_AT_ONCE):
        common = (has[begin : begin + _ROWS_AT_ONCE] @ has.T).tocoo()
        alike = 2 * common.data / (sizes[begin + common.row] + sizes[common.col])
        for at in np.flatnonzero((alike >= least) & (begin + common.row < common.col)):
            yield begin + int(common.row[at]), int(common.col[at]), float(alike[at])
