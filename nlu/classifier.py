"""The embedded engine at run time: a trained model of a few megabytes, read and used with numpy alone.

What was never seen in training makes a sentence longer, not surer. The score that decides whether it is ours at all mixes
how much likelier our best wish is than a strange one with the likeness to the nearest training sentence; mix and
threshold were learnt at training from sentences the model had not seen.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlu.engine import OUT_OF_SCOPE, Parse
from nlu.features import VERSION, analyzers
from nlu.loader import training_files

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

ARRAYS, WORDS = "model.npz", "model.json"


class NotTrained(RuntimeError):
    """There is no trained model for these training files; `bangjiao nlu train` makes it."""


@dataclass(frozen=True, slots=True)
class Classifier:
    """A trained model of one language."""

    locale: str
    intents: tuple[str, ...]
    vocabularies: tuple[dict[str, int], ...] = field(repr=False)
    weights: Array = field(repr=False)  # inverse document frequencies, all views in a row
    coefficients: Array = field(repr=False)  # feature x intent
    intercepts: Array = field(repr=False)
    nearest_values: Array = field(repr=False)  # in-scope training sentences, one sparse row after another
    nearest_columns: Array = field(repr=False)
    nearest_starts: Array = field(repr=False)
    unseen: tuple[float, ...] = field(repr=False)  # the weight of a feature never seen, of each view
    mix: float = 0.5
    threshold: float = 0.0

    def parse(self, text: str, locale: str = "") -> Parse:
        """Intents by probability, the score, and whether it reaches the threshold."""
        probabilities = self.probabilities(text)
        order = probabilities.argsort()[::-1]
        ranking = tuple((self.intents[at], float(probabilities[at])) for at in order)
        score = self.score(text, probabilities)
        return Parse(ranking, score, score >= self.threshold and ranking[0][0] != OUT_OF_SCOPE)

    def probabilities(self, text: str) -> Array:
        """Softmax over the intents, in the order of `intents`."""
        import numpy as np

        columns, values = self._vector(text)
        logits = values @ self.coefficients[columns] + self.intercepts
        raised = np.exp(logits - logits.max())
        return np.asarray(raised / raised.sum())

    def score(self, text: str, probabilities: Array) -> float:
        """How much likelier our best wish is than a strange one, mixed with the likeness; about -1..1."""
        ours, strange = [], 0.0
        for intent, p in zip(self.intents, probabilities, strict=True):
            if intent == OUT_OF_SCOPE:
                strange = float(p)
            else:
                ours.append(float(p))
        return self.mix * (max(ours) - strange) + (1 - self.mix) * self.likeness(text)

    def likeness(self, text: str) -> float:
        """Cosine to the nearest in-scope training sentence, 0..1; what was never seen is like nothing."""
        import numpy as np

        columns, values = self._vector(text)
        dense = np.zeros(len(self.weights), dtype=np.float64)
        dense[columns] = values / np.sqrt(len(self.vocabularies))
        products = self.nearest_values * dense[self.nearest_columns]
        return float(np.add.reduceat(products, self.nearest_starts).max())

    def _vector(self, text: str) -> tuple[Array, Array]:
        """Columns and values of what is known: each view is TF-IDF with damped counts, of length 1 with the unknown."""
        import numpy as np

        columns: list[int] = []
        values: list[Array] = []
        for view, analyze in enumerate(analyzers(self.locale)):
            vocabulary = self.vocabularies[view]
            counts = Counter(analyze(text))
            known = {vocabulary[term]: count for term, count in counts.items() if term in vocabulary}
            at, value = np.fromiter(known, np.int64, len(known)), damped(list(known.values()))
            strange = damped([count for term, count in counts.items() if term not in vocabulary])
            value = value * self.weights[at]
            length = np.sqrt(value @ value + self.unseen[view] ** 2 * (strange @ strange))
            columns.extend(known)
            values.append(value / length if length else value)
        return np.asarray(columns, dtype=np.int64), np.concatenate(values)


def damped(counts: list[int]) -> Array:
    """1 for what is said once; the second time adds less."""
    import numpy as np

    return np.asarray(1 + np.log(np.asarray(counts, dtype=np.float64)))


def model_dir(source: Path | tuple[Path, ...], cache_dir: Path, locale: str) -> Path:
    """Where the model of exactly these training files is kept."""
    digest = hashlib.sha256(f"{locale} {VERSION}".encode())
    for file in training_files(source):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return cache_dir / f"nlu-{locale}-{digest.hexdigest()[:16]}"


def load(source: Path | tuple[Path, ...], cache_dir: Path, locale: str) -> Classifier:
    """The trained model of the training files as they are now. Raises NotTrained."""
    where = model_dir(source, cache_dir, locale)
    if not (where / ARRAYS).is_file() or not (where / WORDS).is_file():
        raise NotTrained(f"no trained model for {locale!r}: run `bangjiao nlu train` once")
    return read(where)


def read(where: Path) -> Classifier:
    """A model from its folder."""
    import numpy as np

    words = json.loads((where / WORDS).read_text(encoding="utf-8"))
    vocabularies, begin = [], 0
    for terms in words["vocabularies"]:
        vocabularies.append({term: begin + at for at, term in enumerate(terms)})
        begin += len(terms)
    with np.load(where / ARRAYS, allow_pickle=False) as arrays:
        return Classifier(
            words["locale"],
            tuple(words["intents"]),
            tuple(vocabularies),
            unseen=tuple(words["unseen"]),
            mix=words["mix"],
            threshold=words["threshold"],
            **{name: arrays[name] for name in arrays.files},
        )


class Embedded:
    """The default engine: one classifier a language."""

    def __init__(self, classifiers: dict[str, Classifier]) -> None:
        self._classifiers = classifiers

    @classmethod
    def load(cls, source_dir: Path, cache_dir: Path, locales: tuple[str, ...] = ("zh", "en")) -> Embedded:
        """All languages, each from its own folder under `source_dir`. Raises NotTrained."""
        return cls({locale: load(source_dir / locale, cache_dir, locale) for locale in locales})

    @property
    def intents(self) -> frozenset[str]:
        """Every intent it can name, in any language."""
        return frozenset().union(*(classifier.intents for classifier in self._classifiers.values()))

    def parse(self, text: str, locale: str = "zh") -> Parse:
        """The classifier of that language; a language without one is nothing of ours."""
        classifier = self._classifiers.get(locale)
        return classifier.parse(text) if classifier else Parse((), 0.0, False)
