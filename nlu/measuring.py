"""How well people are understood: figures over sentences nobody learnt from, and over five folds of those somebody did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nlu.commands import Expectation, Refuse, StartFlow, Utterance
from nlu.engine import OUT_OF_SCOPE, Engine, Parse
from nlu.loader import Example, load_examples
from nlu.swindles import FOLDER, SCAM, Watch
from nlu.text import fold
from nlu.understand import Understanding

FALSE_REJECTS = 0.05


@dataclass(frozen=True, slots=True)
class Understood:
    """Shares, 0..1. `accuracy`: the best wish of ours was the right one, of all sentences that are ours; `macro_f1` gives every
    wish the same weight, however many sentences it has.

    `refused`: strange sentences turned away at the threshold learnt in training, `rejected`: ours turned away there.
    `refused_at_5`: strange ones turned away where exactly five of a hundred of ours would be.
    """

    ours: int
    strange: int
    accuracy: float
    refused: float
    rejected: float
    refused_at_5: float
    macro_f1: float
    wrong: tuple[tuple[Example, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Warned:
    """Shares, 0..1: swindles that were warned of, harmless sentences that were taken for one."""

    scams: int
    harmless: int
    recall: float
    false_alarms: float


def understood(engine: Engine, rows: Sequence[Example], locale: str) -> Understood:
    """What an engine makes of labelled sentences."""
    return of_parses(rows, [engine.parse(fold(row.text), locale) for row in rows])


def of_parses(rows: Sequence[Example], parses: Sequence[Parse]) -> Understood:
    """The figures of opinions that are there already."""
    ours = [(row, parse) for row, parse in zip(rows, parses, strict=True) if row.intent != OUT_OF_SCOPE]
    strange = [parse for row, parse in zip(rows, parses, strict=True) if row.intent == OUT_OF_SCOPE]
    named = [(row, _best_of_ours(parse)) for row, parse in ours]
    wrong = tuple((row, best) for row, best in named if best != row.intent)
    limit = sorted(parse.score for _, parse in ours)[int(FALSE_REJECTS * len(ours))] if ours else 0.0
    return Understood(
        len(ours),
        len(strange),
        1 - _share([best != row.intent for row, best in named]),
        _share([not parse.in_scope for parse in strange]),
        _share([not parse.in_scope for _, parse in ours]),
        _share([parse.score < limit for parse in strange]),
        _macro_f1([(row.intent, best) for row, best in named]),
        wrong,
    )


def _macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    scores = []
    for intent in sorted({truth for truth, _ in pairs}):
        hits = sum(truth == guess == intent for truth, guess in pairs)
        named = sum(guess == intent for _, guess in pairs)
        there = sum(truth == intent for truth, _ in pairs)
        scores.append(2 * hits / (named + there))
    return sum(scores) / len(scores) if scores else 0.0


@dataclass(frozen=True, slots=True)
class Begun:
    """Shares, 0..1, of sentences at the start of a talk, by all that understanding is: closed lists, grammar and engine.

    `right`: what was meant begins; `asked`: it is asked back, or nothing is begun; the rest begins something else. `left_alone`:
    of strange sentences, those that begin nothing.
    """

    right: float
    asked: float
    left_alone: float
    otherwise: tuple[tuple[Example, tuple[str, ...]], ...] = ()


def begun(understanding: Understanding, rows: Sequence[Example], locale: str) -> Begun:
    """What labelled sentences begin when nothing is under way."""
    said = [(row, _begins(understanding, row.text, locale)) for row in rows]
    ours = [(row, names) for row, names in said if row.intent != OUT_OF_SCOPE]
    right = [bool(_MEANS.get(row.intent, {row.intent}) & set(names)) for row, names in ours]
    asked = [not hit and not _moves(names) for hit, (_, names) in zip(right, ours, strict=True)]
    strange = [names for row, names in said if row.intent == OUT_OF_SCOPE]
    otherwise = (one for one, hit, back in zip(ours, right, asked, strict=True) if not hit and not back)
    return Begun(
        _share(right), _share(asked), _share([not _moves(names) for names in strange]), tuple(otherwise)
    )


# What else than the flow of its name answers a wish.
_MEANS = {
    "human_help": {"human_help", "Human"},
    "greet": {"Greet"},
    "thanks": {"Greet", "Bye"},
    "bye": {"Greet", "Bye"},
    "change_preferences": {"change_preferences", "Bigger", "Repeat"},
    "capabilities": {"capabilities", "Explain"},
    "check_balance": {"check_balance", "check_all"},
    "pay_joint": {"pay_joint", "check_all"},
    "set_mandate": {"set_mandate", "change_mandate"},
}
_STAYS = frozenset(
    {"CannotHandle", "Clarify", "Refuse", "Explain", "Greet", "Bye", "Human", "Repeat", "Bigger"}
)


def _begins(understanding: Understanding, text: str, locale: str) -> tuple[str, ...]:
    """The flows begun, and the kinds of the other commands."""
    commands = understanding.understand(Utterance(text), Expectation(locale=locale))
    return tuple(c.flow if isinstance(c, StartFlow) else type(c).__name__ for c in commands)


def _moves(names: Sequence[str]) -> bool:
    return any(name not in _STAYS for name in names)


def split(measured: Path, locale: str, name: str) -> list[Example]:
    """The sentences of a split, `validation` or `test`."""
    return load_examples(measured / locale / name)


def warned(watch: Watch | None, measured: Path, locale: str, name: str) -> Warned:
    """How many swindles of a split are warned of, by the closed list and by what was learnt together."""
    rows = load_examples(measured / locale / FOLDER / f"{name}.yml")
    heard = Understanding(_Deaf(), watch=watch)
    alarms = [(row, _alarmed(heard, row.text, locale)) for row in rows]
    scams = [alarm for row, alarm in alarms if row.intent == SCAM]
    harmless = [alarm for row, alarm in alarms if row.intent != SCAM]
    return Warned(len(scams), len(harmless), _share(scams), _share(harmless))


def five_fold(source: Path, locale: str, folds: int = 5) -> Understood:
    """Every training sentence judged by a model that has not seen it. Needs scikit-learn."""
    from nlu.training import held_out_parses

    rows = load_examples(source / locale)
    return of_parses(rows, held_out_parses(rows, locale, folds))


class _Deaf:
    """Only what is refused is asked for here."""

    def parse(self, text: str, locale: str = "zh") -> Parse:
        return Parse((), 0.0, False)


def _alarmed(understanding: Understanding, text: str, locale: str) -> bool:
    commands = understanding.understand(Utterance(text), Expectation(locale=locale))
    return any(isinstance(command, Refuse) for command in commands)


def _best_of_ours(parse: Parse) -> str:
    return next((intent for intent, _ in parse.ranking if intent != OUT_OF_SCOPE), OUT_OF_SCOPE)


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits) if hits else 0.0
