"""Teaches the embedded engine its training sentences, once at build time. The only place that needs scikit-learn."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from nlu.classifier import ARRAYS, WORDS, Classifier, model_dir, read
from nlu.engine import OUT_OF_SCOPE
from nlu.features import analyzers
from nlu.loader import Example, load_examples

FALSE_REJECTS = 0.05  # the share of our own sentences the threshold may turn away
_MIXES = (0.0, 0.25, 0.5, 0.75, 1.0)
_FOLDS = 5
_STRENGTH = 20.0  # measured: weaker loses rare intents, stronger changes nothing


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model as scikit-learn holds it, before it is written down for numpy."""

    locale: str
    views: tuple[TfidfVectorizer, ...]
    regression: LogisticRegression
    nearest: Any  # unit rows of the in-scope training sentences

    def matrix(self, texts: Sequence[str]) -> Any:
        """Feature rows, both views side by side."""
        return sparse.hstack([view.transform(texts) for view in self.views], format="csr")

    def probabilities(self, texts: Sequence[str]) -> Any:
        """Rows of probabilities in the order of the regression's classes."""
        return self.regression.predict_proba(self.matrix(texts))

    def parts_of_score(self, texts: Sequence[str]) -> tuple[Any, Any]:
        """Best in-scope probability and likeness to the nearest in-scope sentence, of each text."""
        rows = self.matrix(texts)
        ours = [at for at, intent in enumerate(self.regression.classes_) if intent != OUT_OF_SCOPE]
        likeness = np.asarray((_unit(rows) @ self.nearest.T).max(axis=1).todense()).ravel()
        return self.regression.predict_proba(rows)[:, ours].max(axis=1), likeness


def train(source_dir: Path, cache_dir: Path, locale: str) -> Path:
    """Train the model of these files unless it is there already; returns its folder. Raises TrainingFileError."""
    where = model_dir(source_dir, cache_dir, locale)
    if (where / ARRAYS).is_file() and (where / WORDS).is_file():
        return where
    cache_dir.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".nlu-", dir=cache_dir))
    write(load_examples(source_dir), locale, fresh)
    try:
        os.replace(fresh, where)
    except OSError:  # somebody else trained the same files meanwhile
        shutil.rmtree(fresh)
    return where


def write(examples: Sequence[Example], locale: str, where: Path) -> None:
    """Fit, learn mix and threshold, and write the model's two files."""
    fitted = fit(examples, locale)
    mix, threshold = learn_threshold(examples, locale)
    np.savez_compressed(where / ARRAYS, **_arrays(fitted))
    words = {
        "locale": locale,
        "intents": [str(intent) for intent in fitted.regression.classes_],
        "vocabularies": [sorted(view.vocabulary_, key=view.vocabulary_.__getitem__) for view in fitted.views],
        "mix": mix,
        "threshold": threshold,
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
    views = tuple(
        TfidfVectorizer(analyzer=analyze, sublinear_tf=True).fit(texts) for analyze in analyzers(locale)
    )
    rows = sparse.hstack([view.transform(texts) for view in views], format="csr")
    with threadpool_limits(1):  # small sparse rows: more threads only wait for each other, ten times longer
        regression = LogisticRegression(C=_STRENGTH, max_iter=400).fit(rows, intents)
    ours = [at for at, intent in enumerate(intents) if intent != OUT_OF_SCOPE]
    return Fitted(locale, views, regression, _unit(rows[ours]))


def learn_threshold(examples: Sequence[Example], locale: str) -> tuple[float, float]:
    """The mix that refuses most strange sentences while turning away FALSE_REJECTS of ours, and its threshold.

    Every sentence is judged by a model that has not seen it.
    """
    ours, strange = _held_out(examples, locale)
    best = max(_MIXES, key=lambda mix: (_refused(strange, _threshold(ours, mix), mix), -abs(mix - 0.5)))
    return best, _threshold(ours, best)


def _held_out(examples: Sequence[Example], locale: str) -> tuple[Any, Any]:
    """Probability and likeness of every example under a model without it: of ours, and of the out-of-scope ones."""
    intents = np.array([example.intent for example in examples])
    parts = np.zeros((len(examples), 2))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    for seen, unseen in folds.split(np.zeros(len(intents)), intents):
        model = fit([examples[at] for at in seen], locale)
        parts[unseen] = np.column_stack(model.parts_of_score([examples[at].text for at in unseen]))
    strange = intents == OUT_OF_SCOPE
    return parts[~strange], parts[strange]


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
