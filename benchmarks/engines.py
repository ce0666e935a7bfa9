"""Our engine beside Rasa on the same sentences and the same split: how often right, how often it refuses what is not ours, what it costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.figures import Row, Spread
from bot.app import NLU_DATA
from nlu import trials
from nlu.engines import rasa_building as building
from nlu.loader import Example, load_examples
from nlu.measuring import Understood, of_parses, split
from nlu.trials import Trial

MEASURED = NLU_DATA.parent / "nlu-test"
SPLITS = ("validation", "test")  # written apart, never learnt from
Tell = Callable[[str], None]


def compared(locales: Sequence[str], pipelines: Sequence[str], tell: Tell) -> list[Row]:
    """Rows of every language and pipeline; none, and a word why, where Rasa is not built."""
    try:
        building.python()
    except building.NoRasa as missing:
        tell(str(missing))
        return []
    rows: list[Row] = []
    for locale in locales:
        learnt, held = load_examples(NLU_DATA / locale), [split(MEASURED, locale, name) for name in SPLITS]
        texts = [row.text for sentences in held for row in sentences]
        tell(f"our engine, {locale}")
        ours = trials.ours(learnt, texts, locale)
        for pipeline in pipelines:
            tell(f"Rasa {pipeline}, {locale}: trained twice, some minutes")
            peer = trials.rasa(learnt, texts, locale, pipeline)
            rows += _rows(f"{locale}, beside Rasa {pipeline}", held, ours, peer)
    return rows


def _rows(where: str, held: Sequence[Sequence[Example]], ours: Trial, peer: Trial) -> list[Row]:
    return [
        *(row for name, one, other in _by_split(held, ours, peer) for row in _shares(f"{name} split, {where}", one, other)),
        _row(f"a sentence, {where}", "ms", Spread.of(ours.ms), Spread.of(peer.ms), 8.0),
        _row(f"memory with one model, {where}", "MB", ours.memory_mb, peer.memory_mb, 5.0),
        _row(f"training with its threshold, {where}", "s", ours.train_seconds, peer.train_seconds, 10.0),
    ]  # fmt: skip


def _by_split(
    held: Sequence[Sequence[Example]], ours: Trial, peer: Trial
) -> list[tuple[str, Understood, Understood]]:
    found, begin = [], 0
    for name, rows in zip(SPLITS, held, strict=True):
        until = begin + len(rows)
        found.append(
            (name, of_parses(rows, ours.parses[begin:until]), of_parses(rows, peer.parses[begin:until]))
        )
        begin = until
    return found


def _shares(where: str, ours: Understood, peer: Understood) -> list[Row]:
    return [
        _row(f"in-scope sentences named rightly, {where}", "share", ours.accuracy, peer.accuracy, 1.0, more_is_better=True),
        _row(f"out-of-scope sentences refused at 5 % false rejects, {where}", "share", ours.refused_at_5, peer.refused_at_5, 1.0, more_is_better=True),
        _row(f"out-of-scope sentences refused at the learnt threshold, {where}", "share", ours.refused, peer.refused, None, more_is_better=True),
        _row(f"our own sentences refused there, {where}", "share", ours.rejected, peer.rejected, None),
    ]  # fmt: skip


def _row(
    work: str, unit: str, ours: Any, peer: Any, reach: float | None, *, more_is_better: bool = False
) -> Row:
    """One line; `ratio` is how many times better ours is."""
    figure, beside = (x if isinstance(x, Spread) else Spread.of([x]) for x in (ours, peer))
    better, worse = (figure, beside) if more_is_better else (beside, figure)
    ratio = better.median / worse.median if worse.median else float("inf")
    met = None if reach is None else ratio >= reach
    why = "on this split" if met is False else ""
    return Row(work, unit, figure, "Rasa", beside, ratio, f"≥ {reach:g} ×" if reach else "", met, why)
