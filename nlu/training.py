"""Teaches the embedded engine its training sentences, once at build time. The only place that needs scikit-learn."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from nlu import swindles
from nlu.classifier import ARRAYS, WORDS, Classifier, damped, model_dir, read
from nlu.engine import OUT_OF_SCOPE, Parse
from nlu.features import Analyzer, analyzers
from nlu.loader import Example, load_examples

FALSE_REJECTS = 0.05  # the share of our own sentences the threshold may turn away
_MIXES = (0.0, 0.25, 0.5, 0.75, 1.0)
_FOLDS = 3
# What was seen once only is remembered, not understood; without it a model is a quarter as large. With few sentences, all
# that they say was seen once.
_MANY = 500
_STRENGTH = 60.0  # measured: weaker loses rare intents, stronger changes nothing
# Of harmless look-alikes all but this share lie below, of swindles all but this share above: the bar stands between the two.
FALSE_ALARMS, MISSED = 0.02, 0.08
FALSE_ALARMS_OF_ALL = 0.003  # of everything else people say
_WATCH_FOLDS = 5  # tales are few: a third of them less makes another model

# Mix and threshold, from what unseen sentences scored: those to be taken, and those to be turned away.
Bar = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model as scikit-learn holds it, before it is written down for numpy."""

    locale: str
    views: tuple[TfidfVectorizer, ...]
    regression: LogisticRegression
    nearest: Any  # unit rows of the in-scope training sentences

    def matrix(self, texts: Sequence[str]) -> Any:
        """Feature rows, all views side by side."""
        analyze = analyzers(self.locale)
        return sparse.hstack(
            [_rows(*each, texts) for each in zip(self.views, analyze, strict=True)], format="csr"
        )

    def probabilities(self, texts: Sequence[str]) -> Any:
        """Rows of probabilities in the order of the regression's classes."""
        return self.regression.predict_proba(self.matrix(texts))

    def parts_of_score(self, texts: Sequence[str]) -> tuple[Any, Any]:
        """How much likelier the best wish of ours is than a strange one, and the likeness to the nearest, of each text."""
        rows = self.matrix(texts)
        probabilities = self.regression.predict_proba(rows)
        strange = self.regression.classes_ == OUT_OF_SCOPE
        likeness = np.asarray((rows @ self.nearest.T).max(axis=1).todense()).ravel()
        ahead = probabilities[:, ~strange].max(axis=1) - probabilities[:, strange].sum(axis=1)
        return ahead, likeness / np.sqrt(len(self.views))


def train(source_dir: Path, cache_dir: Path, locale: str) -> Path:
    """Train the model of these files unless it is there already; returns its folder. Raises TrainingFileError."""
    where = model_dir(source_dir, cache_dir, locale)
    return _made(where, lambda fresh: write(load_examples(source_dir), locale, fresh))


def train_watch(source_dir: Path, cache_dir: Path, locale: str) -> Path:
    """The same for what hears swindles, from its tales and all ordinary sentences. Raises TrainingFileError."""
    tales, ordinary = swindles.sources(source_dir, locale)
    where = model_dir((tales, ordinary), cache_dir, locale)
    return _made(
        where, lambda fresh: write_watch(load_examples(tales), load_examples(ordinary), locale, fresh)
    )


def _made(where: Path, make: Callable[[Path], None]) -> Path:
    """The folder, made by the way when it is not there; two that make it at once do no harm."""
    if (where / ARRAYS).is_file() and (where / WORDS).is_file():
        return where
    where.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".nlu-", dir=where.parent))
    make(fresh)
    try:
        os.replace(fresh, where)
    except OSError:  # somebody else trained the same files meanwhile
        shutil.rmtree(fresh)
    return where


def write(examples: Sequence[Example], locale: str, where: Path) -> None:
    """Fit, learn mix and threshold, and write the model's two files."""
    _written(fit(examples, locale), learn_threshold(examples, locale), where)


def write_watch(tales: Sequence[Example], ordinary: Sequence[Example], locale: str, where: Path) -> None:
    """The same of swindles against everything else; the look-alikes decide the threshold."""
    told = [_as_swindle(tale) for tale in tales]
    others = [replace(each, intent=OUT_OF_SCOPE) for each in ordinary]
    scams, harmless = _held_out([*told, *others], locale, _WATCH_FOLDS)
    alike = len(told) - len(scams)
    bar = _best_bar(scams, harmless, lambda mix: _between(scams, harmless[:alike], harmless[alike:], mix))
    _written(fit([*told, *others], locale), bar, where)


def _between(scams: Any, alike: Any, ordinary: Any, mix: float) -> float:
    """Halfway between nearly all that is harmless and nearly all swindles: one end alone hangs on two or three sentences."""
    low = max(
        np.quantile(_mixed(alike, mix), 1 - FALSE_ALARMS),
        np.quantile(_mixed(ordinary, mix), 1 - FALSE_ALARMS_OF_ALL),
    )
    return float(low + np.quantile(_mixed(scams, mix), MISSED)) / 2


def _as_swindle(tale: Example) -> Example:
    return tale if tale.intent == swindles.SCAM else replace(tale, intent=OUT_OF_SCOPE)


def _written(fitted: Fitted, bar: Bar, where: Path) -> None:
    np.savez_compressed(where / ARRAYS, **_arrays(fitted))
    words = {
        "locale": fitted.locale,
        "intents": [str(intent) for intent in fitted.regression.classes_],
        "vocabularies": [sorted(view.vocabulary_, key=view.vocabulary_.__getitem__) for view in fitted.views],
        "unseen": [float(view.idf_.max()) for view in fitted.views],
        "mix": bar[0],
        "threshold": bar[1],
    }
    (where / WORDS).write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")


def teach(examples: Sequence[Example], locale: str) -> Classifier:
    """A model that lives only in memory (evaluation)."""
    with tempfile.TemporaryDirectory() as folder:
        write(examples, locale, Path(folder))
        return read(Path(folder))


def fit(examples: Sequence[Example], locale: str) -> Fitted:
    """The model of these examples."""
    texts, intents = [example.text for example in examples], [example.intent for example in examples]
    often = 2 if len(texts) >= _MANY else 1
    views = tuple(
        TfidfVectorizer(analyzer=analyze, sublinear_tf=True, norm=None, min_df=often).fit(texts)
        for analyze in analyzers(locale)
    )
    rows = sparse.hstack(
        [_rows(view, analyze, texts) for view, analyze in zip(views, analyzers(locale), strict=True)],
        format="csr",
    )
    with threadpool_limits(1):  # small sparse rows: more threads only wait for each other, ten times longer
        regression = LogisticRegression(C=_STRENGTH, max_iter=400).fit(rows, intents)
    ours = [at for at, intent in enumerate(intents) if intent != OUT_OF_SCOPE]
    return Fitted(locale, views, regression, _unit(rows[ours]))


def _rows(view: TfidfVectorizer, analyze: Analyzer, texts: Sequence[str]) -> Any:
    """Feature rows of one view, of length 1 together with what the view has never seen."""
    rows = view.transform(texts)
    unseen = [_unseen(view, Counter(analyze(text))) for text in texts]
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel() + np.asarray(unseen))
    return sparse.diags(1 / np.where(lengths > 0, lengths, 1)) @ rows


def _unseen(view: TfidfVectorizer, counts: Counter[str]) -> float:
    """The squared length of what is not in the vocabulary: each weighs as much as the rarest that is."""
    strange = damped([count for term, count in counts.items() if term not in view.vocabulary_])
    return float(view.idf_.max() ** 2 * (strange @ strange))


def learn_threshold(examples: Sequence[Example], locale: str) -> Bar:
    """The mix that refuses most strange sentences while turning away FALSE_REJECTS of ours, and its threshold.

    Every sentence is judged by a model that has not seen it.
    """
    ours, strange = _held_out(examples, locale)
    return _best_bar(ours, strange, lambda mix: _threshold(ours, mix))


def _best_bar(ours: Any, strange: Any, bar: Callable[[float], float]) -> Bar:
    """The mix under which the bar parts best: most strange ones below it and most of ours above."""

    def parted(mix: float) -> float:
        return _refused(strange, bar(mix), mix) - _refused(ours, bar(mix), mix)

    best = max(_MIXES, key=lambda mix: (round(parted(mix), 6), -abs(mix - 0.5)))
    return best, bar(best)


def _held_out(examples: Sequence[Example], locale: str, count: int = _FOLDS) -> tuple[Any, Any]:
    """Parts of the score of every example under a model without it: of ours, and of the out-of-scope ones."""
    parts = np.zeros((len(examples), 2))
    for model, unseen in _folds(examples, locale, count):
        parts[unseen] = np.column_stack(model.parts_of_score([examples[at].text for at in unseen]))
    strange = np.array([example.intent == OUT_OF_SCOPE for example in examples])
    return parts[~strange], parts[strange]


def held_out_parses(examples: Sequence[Example], locale: str, folds: int) -> list[Parse]:
    """The opinion on every example of a model that has not seen it, with mix and threshold learnt over all."""
    mix, threshold = learn_threshold(examples, locale)
    parses: dict[int, Parse] = {}
    for model, unseen in _folds(examples, locale, folds):
        texts = [examples[at].text for at in unseen]
        scores = _mixed(np.column_stack(model.parts_of_score(texts)), mix)
        for at, row, score in zip(unseen, model.probabilities(texts), scores, strict=True):
            ranking = sorted(
                zip(map(str, model.regression.classes_), map(float, row), strict=True), key=lambda p: -p[1]
            )
            parses[int(at)] = Parse(
                tuple(ranking), float(score), score >= threshold and ranking[0][0] != OUT_OF_SCOPE
            )
    return [parses[at] for at in range(len(examples))]


def _folds(examples: Sequence[Example], locale: str, count: int) -> Iterator[tuple[Fitted, Any]]:
    intents = [example.intent for example in examples]
    folds = StratifiedKFold(count, shuffle=True, random_state=0)
    for seen, unseen in folds.split(np.zeros(len(intents)), intents):
        yield fit([examples[at] for at in seen], locale), unseen


def _threshold(ours: Any, mix: float) -> float:
    return float(np.quantile(_mixed(ours, mix), FALSE_REJECTS))


def _refused(strange: Any, threshold: float, mix: float) -> float:
    return float((_mixed(strange, mix) < threshold).mean()) if len(strange) else 0.0


def _mixed(parts: Any, mix: float) -> Any:
    return mix * parts[:, 0] + (1 - mix) * parts[:, 1]


def _unit(rows: Any) -> Any:
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return sparse.diags(1 / np.where(lengths > 0, lengths, 1)) @ rows


def _arrays(fitted: Fitted) -> dict[str, Any]:
    coefficients, intercepts = fitted.regression.coef_, fitted.regression.intercept_
    if len(fitted.regression.classes_) == 2:  # scikit-learn keeps one row for two classes
        coefficients, intercepts = (
            np.vstack([-coefficients, coefficients]) / 2,
            np.concatenate([-intercepts, intercepts]) / 2,
        )
    nearest = sparse.csr_matrix(fitted.nearest)
    return {
        "weights": np.concatenate([view.idf_ for view in fitted.views]),
        "coefficients": coefficients.T.astype(np.float64),
        "intercepts": intercepts,
        "nearest_values": nearest.data,
        "nearest_columns": nearest.indices.astype(np.int32),
        "nearest_starts": nearest.indptr[:-1].astype(np.int32),
    }
