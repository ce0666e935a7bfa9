"""How well and how fast people are understood: shares over sentences that were written apart from the training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import Row, Spread, Stopwatch
from bot.app import NLU_DATA, load_engine, read_words
from bot.settings import Settings
from nlu.measuring import Begun, Understood, Warned, begun, five_fold, split, understood, warned
from nlu.swindles import Watch
from nlu.text import fold

MEASURED = NLU_DATA.parent / "nlu-test"
LANGUAGES = {"zh": "Chinese", "en": "English"}
ACCURATE = {"zh": 0.97, "en": 0.96}
Tell = Callable[[str], None]


def words(folds: int, tell: Tell, measured: Path = MEASURED) -> list[Row]:
    """Wishes, strange sentences and swindles of both languages; with folds, the training judged by halves of itself."""
    settings = Settings()
    engine, watch = load_engine(settings), Watch.load(NLU_DATA, settings.cache_dir)
    heard = read_words(settings).understanding
    rows: list[Row] = []
    for locale, language in LANGUAGES.items():
        folded = None
        if folds:
            tell(f"{folds} folds of the {language} training")
            folded = five_fold(NLU_DATA, locale, folds)
        for name in ("validation", "test"):
            tell(f"the {language} {name} split")
            sentences = split(measured, locale, name)
            found = understood(engine, sentences, locale)
            rows += _wishes(language, name, found, folded, ACCURATE[locale])
            rows.append(_begun(language, name, begun(heard, sentences, locale)))
            rows.append(_swindles(language, name, warned(watch, measured, locale, name)))
        rows.append(_pace(language, [fold(row.text) for row in sentences], engine.parse, locale))
    return rows


def _wishes(
    language: str, name: str, found: Understood, folded: Understood | None, reach: float
) -> list[Row]:
    accurate, refused = found.accuracy >= reach, found.refused_at_5 >= 0.9
    right = Row(
        f"{language}: the right wish, {name} split", "%", _percent(found.accuracy),
        "five folds of the training" if folded else "", _percent(folded.accuracy) if folded else None,
        reach=f"≥ {100 * reach:.0f} %", met=accurate, why="" if accurate else f"{len(found.wrong)} of {found.ours} wrong",
        more={"sentences": found.ours, "macro_f1": found.macro_f1},
    )  # fmt: skip
    turned_away = Row(
        f"{language}: what is not ours turned away, {name} split", "%", _percent(found.refused_at_5),
        "five folds of the training" if folded else "", _percent(folded.refused_at_5) if folded else None,
        reach="≥ 90 % at 5 % false rejects", met=refused, why="" if refused else f"of {found.strange} sentences",
        more={"sentences": found.strange, "at_learnt_threshold": 100 * found.refused, "false_rejects": 100 * found.rejected},
    )  # fmt: skip
    return [right, turned_away]


def _begun(language: str, name: str, found: Begun) -> Row:
    """What a person gets, with closed lists and grammar before the engine."""
    return Row(
        f"{language}: a talk begins with what was meant, {name} split", "%", _percent(found.right),
        "asked back instead of begun", _percent(found.asked),
        more={"begins_something_else": 100 * (1 - found.right - found.asked), "strange_left_alone": 100 * found.left_alone},
    )  # fmt: skip


def _swindles(language: str, name: str, found: Warned) -> Row:
    met = found.recall >= 0.9 and found.false_alarms <= 0.03
    return Row(
        f"{language}: swindles warned of, {name} split", "%", _percent(found.recall),
        "harmless sentences of the same words taken for one", _percent(found.false_alarms),
        reach="≥ 90 % at ≤ 3 % false alarms", met=met,
        why="" if met else f"of {found.scams} and {found.harmless} sentences",
        more={"scams": found.scams, "harmless": found.harmless},
    )  # fmt: skip


def _pace(language: str, texts: list[str], parse: Callable[[str, str], object], locale: str) -> Row:
    watches = []
    for text in texts:
        with Stopwatch() as one:
            parse(text, locale)
        watches.append(one)
    cpu = Spread.of(one.cpu_ms for one in watches).median
    return Row(f"{language}: one sentence", "ms", Spread.of(one.ms for one in watches), cpu_ms=cpu)


def _percent(share: float) -> Spread:
    return Spread.of([100 * share])
