"""Our engine beside Rasa on the same sentences and the same split: how often right, how often it refuses what is not ours, what it costs."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Row, Spread
from nlu import training
from nlu.engine import OUT_OF_SCOPE
from nlu.engines import rasa_building as rasa
from nlu.loader import Example, load_examples

_EVERY = 5  # one sentence of so many is never learnt from
# What a process holds that has read one model and judged these sentences, and what each took.
_OURS = """
import json, resource, sys, time
from pathlib import Path
from nlu.classifier import read
model, times, answers = read(Path(sys.argv[1])), [], []
for line in sys.stdin:
    text = json.loads(line)
    began = time.perf_counter()
    parse = model.parse(text)
    times.append((time.perf_counter() - began) * 1000)
    answers.append([parse.ranking[:30], parse.in_scope])
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"answers": answers, "ms": times, "memory_mb": memory}))
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """One engine on one split: shares 0..1, milliseconds a sentence, MB, seconds of training with its threshold."""

    accuracy: float
    strange_refused: float
    ours_refused: float
    ms: Spread
    memory_mb: float
    training: float


def compared(locales: Sequence[str], pipelines: Sequence[str], tell: Callable[[str], None]) -> list[Row]:
    """Rows of every language and pipeline; none, and a word why, where Rasa is not built."""
    try:
        rasa.python()
    except rasa.NoRasa as missing:
        tell(str(missing))
        return []
    rows: list[Row] = []
    for locale in locales:
        kept, held = rasa.split(load_examples(rasa.ROOT / "data" / "nlu" / locale), _EVERY)
        tell(f"our engine, {locale}")
        ours = _ours(kept, held, locale)
        for pipeline in pipelines:
            tell(f"Rasa {pipeline}, {locale}: trained twice, some minutes")
            rows += _rows(f"{locale}, beside Rasa {pipeline}", ours, _rasa(kept, held, pipeline, locale))
    return rows


def _rows(where: str, ours: Figures, peer: Figures) -> list[Row]:
    return [
        _row(f"in-scope sentences named rightly, {where}", "share", ours.accuracy, peer.accuracy, 1.0, more_is_better=True),
        _row(f"out-of-scope sentences refused, {where}", "share", ours.strange_refused, peer.strange_refused, 1.0, more_is_better=True),
        _row(f"a sentence, {where}", "ms", ours.ms, peer.ms, 8.0),
        _row(f"memory with one model, {where}", "MB", ours.memory_mb, peer.memory_mb, 5.0),
        _row(f"training with its threshold, {where}", "s", ours.training, peer.training, 10.0),
        _row(f"our own sentences refused, {where}", "share", ours.ours_refused, peer.ours_refused, None),
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


def _ours(kept: Sequence[Example], held: Sequence[Example], locale: str) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        training.write(kept, locale, Path(folder))
        seconds = time.perf_counter() - began
        asked = "".join(json.dumps(example.text) + "\n" for example in held)
        done = subprocess.run(
            [sys.executable, "-c", _OURS, folder], cwd=rasa.ROOT, input=asked, capture_output=True, text=True, check=True
        )  # fmt: skip
    said = json.loads(done.stdout)
    named = [_best(ranking) for ranking, _ in said["answers"]]
    return _figures(
        held, named, [in_scope for _, in_scope in said["answers"]], said["ms"], said["memory_mb"], seconds
    )


def _rasa(kept: Sequence[Example], held: Sequence[Example], pipeline: str, locale: str) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        seen, unseen = rasa.split(kept, 10)
        first = rasa.train(seen, pipeline, locale, Path(folder) / "first.tar.gz")
        ours = [example.text for example in unseen if example.intent != OUT_OF_SCOPE]
        threshold = rasa.threshold_of(rasa.parse_all(first, ours).answers)
        model = rasa.train(kept, pipeline, locale, Path(folder) / "model.tar.gz", threshold=threshold)
        seconds = time.perf_counter() - began
        said = rasa.parse_all(model, [example.text for example in held])
    named = [_best([(row["name"], row["confidence"]) for row in a["intent_ranking"]]) for a in said.answers]
    sure = [a["intent"]["name"] not in ("nlu_fallback", OUT_OF_SCOPE) for a in said.answers]
    return _figures(held, named, sure, said.ms, said.memory_mb, seconds)


def _best(ranking: Sequence[Sequence[Any]]) -> str:
    """The likeliest intent of ours: accuracy is judged apart from refusing."""
    return next((str(name) for name, _ in ranking if name not in (OUT_OF_SCOPE, "nlu_fallback")), "")


def _figures(
    held: Sequence[Example], named: Sequence[str], sure: Sequence[bool], ms: Sequence[float], memory: float, seconds: float
) -> Figures:  # fmt: skip
    judged = list(zip(held, named, sure, strict=True))
    ours = [(row.intent == name, sure_) for row, name, sure_ in judged if row.intent != OUT_OF_SCOPE]
    strange = [sure_ for row, _, sure_ in judged if row.intent == OUT_OF_SCOPE]
    return Figures(
        sum(right for right, _ in ours) / len(ours),
        sum(not sure_ for sure_ in strange) / len(strange),
        sum(not sure_ for _, sure_ in ours) / len(ours),
        Spread.of(ms),
        memory,
        seconds,
    )
