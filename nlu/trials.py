"""One engine taught one set of sentences and asked another: what it said, how long each took, what it held, how long it learnt."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nlu.classifier import Embedded, read
from nlu.engine import OUT_OF_SCOPE, Engine, Parse
from nlu.engines import rasa_building as building
from nlu.engines.ahead import heard
from nlu.engines.elsewhere import Adviser, Elsewhere
from nlu.engines.rasa import read as read_rasa
from nlu.loader import Example
from nlu.text import fold

ROOT = Path(__file__).parents[1]
# Asked in a process of its own, so that what training needs is not counted as what the running program holds.
_ASKING = """
import json, sys, time
from pathlib import Path
began = time.perf_counter()
from nlu.classifier import read
model, times, said = read(Path(sys.argv[1])), [], []
model.parse("")
ready = time.perf_counter() - began
for line in sys.stdin:
    text = json.loads(line)
    began = time.perf_counter()
    parse = model.parse(text)
    times.append((time.perf_counter() - began) * 1000)
    said.append([parse.ranking, parse.score, parse.in_scope])
# Not ru_maxrss, which begins with what the process held that started this one.
memory = next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"said": said, "ms": times, "memory_mb": memory, "ready": ready}))
"""


@dataclass(frozen=True, slots=True)
class Trial:
    """Opinions in the order asked, milliseconds of each; MB its process held; seconds of training with its threshold.

    `ready_seconds`: until the first sentence could be asked (imports and reading the model); 0 where it was not measured.
    """

    parses: tuple[Parse, ...]
    ms: tuple[float, ...]
    memory_mb: float
    train_seconds: float
    ready_seconds: float = 0.0


def ours(learnt: Sequence[Example], texts: Sequence[str], locale: str) -> Trial:
    """The engine of the house."""
    with tempfile.TemporaryDirectory() as folder:
        seconds = _taught(learnt, locale, Path(folder))
        return _asked(Path(folder), texts, seconds)


def rasa(
    learnt: Sequence[Example], texts: Sequence[str], locale: str, pipeline: str, home: Path = building.HOME
) -> Trial:
    """Rasa, with a threshold learnt from a tenth held back, as `make rasa` learns it. Raises NoRasa."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        seen, unseen = building.split(learnt, 10)
        first = building.train(seen, pipeline, locale, Path(folder) / "first.tar.gz", home=home)
        own = [example.text for example in unseen if example.intent != OUT_OF_SCOPE]
        threshold = building.threshold_of(building.parse_all(first, own, home).answers)
        where = Path(folder) / "model.tar.gz"
        model = building.train(learnt, pipeline, locale, where, threshold=threshold, home=home)
        seconds = time.perf_counter() - began
        said = building.parse_all(model, [fold(text) for text in texts], home)
    intents = frozenset(example.intent for example in learnt)
    return Trial(tuple(of_rasa(answer, intents) for answer in said.answers), said.ms, said.memory_mb, seconds)


def of_rasa(answer: Any, intents: frozenset[str]) -> Parse:
    """Its opinion; the score is the probability of its best wish of ours, as its threshold looks at it."""
    parse = read_rasa(answer, intents)
    return replace(
        parse, score=max((p for intent, p in parse.ranking if intent != OUT_OF_SCOPE), default=0.0)
    )


def advised(
    learnt: Sequence[Example], texts: Sequence[str], locale: str, adviser: Adviser, budget_seconds: float
) -> Trial:
    """The engine of the house with somebody elsewhere asked beside it. Memory and training are those of the house."""
    with tempfile.TemporaryDirectory() as folder:
        seconds = _taught(learnt, locale, Path(folder))
        alone = _asked(Path(folder), (), seconds)
        engine = Elsewhere(adviser, Embedded({locale: read(Path(folder))}), budget_seconds=budget_seconds)
    parses, ms = asyncio.run(_hear(engine, [fold(text) for text in texts], locale))
    return replace(alone, parses=tuple(parses), ms=tuple(ms))


async def _hear(engine: Elsewhere, texts: Sequence[str], locale: str) -> tuple[list[Parse], list[float]]:
    parses, ms = [], []
    for text in texts:
        began = time.perf_counter()
        parses.append(await _one(engine, text, locale))
        ms.append((time.perf_counter() - began) * 1000)
    await engine.aclose()
    return parses, ms


async def _one(engine: Engine, text: str, locale: str) -> Parse:
    return await heard(lambda: engine.parse(text, locale))


def _taught(learnt: Sequence[Example], locale: str, where: Path) -> float:
    from nlu.training import write  # the one place that needs scikit-learn

    began = time.perf_counter()
    write(learnt, locale, where)
    return time.perf_counter() - began


def _asked(model: Path, texts: Sequence[str], seconds: float) -> Trial:
    asked = "".join(json.dumps(fold(text)) + "\n" for text in texts)
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", _ASKING, str(model)], cwd=ROOT, input=asked, capture_output=True, text=True, check=True
    )  # fmt: skip
    said = json.loads(done.stdout)
    parses = (
        Parse(tuple((intent, p) for intent, p in ranking), score, in_scope)
        for ranking, score, in_scope in said["said"]
    )
    return Trial(tuple(parses), tuple(said["ms"]), said["memory_mb"], seconds, said["ready"])
