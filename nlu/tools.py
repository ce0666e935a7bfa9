"""What the command line does with the understanding: train it, measure it, and show what it makes of a text."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.clock import SystemClock, today
from data.money import Money
from nlu.asking import Ask
from nlu.classifier import load
from nlu.dates import parse_month
from nlu.digits import parse_digits
from nlu.engine import OUT_OF_SCOPE, Parse
from nlu.loader import Example, load_examples
from nlu.numbers import Found, find_amount, parse_amount
from nlu.rules import parse_rule
from nlu.swindles import FOLDER
from nlu.text import fold, spoken_locale

if TYPE_CHECKING:
    from nlu.classifier import Classifier

LOCALES = ("zh", "en")
VALUE_TYPES = ("money", "digits", "month", "rule")


def train_all(source_dir: Path, cache_dir: Path, locales: Sequence[str] = LOCALES) -> dict[str, Path]:
    """Train what is not trained yet, each language from its folder; returns the models' folders.

    Needs scikit-learn (dependency group `build`). Raises TrainingFileError.
    """
    from nlu.training import train, train_watch  # the one place that needs scikit-learn

    made = {locale: train(source_dir / locale, cache_dir, locale) for locale in locales}
    return made | {f"{locale} {FOLDER}": train_watch(source_dir, cache_dir, locale) for locale in locales}


def evaluate(train_path: Path, test_path: Path, locale: str) -> dict[str, float | int]:
    """Train on one set and measure on another: Rasa nlu files or jsonl ({"text", "intent"}; intent oos = out of scope).

    accuracy and macro_f1: the best intent of in-scope rows. oos_recall: share of out-of-scope rows turned away;
    false_reject: share of in-scope rows turned away. Times in milliseconds a sentence.
    """
    from nlu.training import teach

    began = time.perf_counter()
    classifier = teach(load_examples(train_path), locale)
    seconds = time.perf_counter() - began
    return _measure(classifier, load_examples(test_path)) | {"train_seconds": round(seconds, 2)}


def _measure(classifier: Classifier, rows: Sequence[Example]) -> dict[str, float | int]:
    ours = [row for row in rows if row.intent != OUT_OF_SCOPE]
    strange = [row for row in rows if row.intent == OUT_OF_SCOPE]
    parses, times = [], []
    for row in [*ours, *strange]:
        began = time.perf_counter()
        parses.append(classifier.parse(row.text))
        times.append((time.perf_counter() - began) * 1000)
    pairs = [(row.intent, _best_of_ours(parse)) for row, parse in zip(ours, parses, strict=False)]
    return {
        "rows": len(rows),
        "accuracy": _share(truth == guess for truth, guess in pairs),
        "macro_f1": _macro_f1(pairs),
        "oos_recall": _share(not parse.in_scope for parse in parses[len(ours) :]),
        "false_reject": _share(not parse.in_scope for parse in parses[: len(ours)]),
        "p50_ms": round(_quantile(times, 0.5), 3),
        "p99_ms": round(_quantile(times, 0.99), 3),
    }


def _best_of_ours(parse: Parse) -> str:
    return next(intent for intent, _ in parse.ranking if intent != OUT_OF_SCOPE)


def _share(hits: Iterable[bool]) -> float:
    values = list(hits)
    return round(sum(values) / len(values), 4) if values else 0.0


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    scores = []
    for intent in sorted({truth for truth, _ in pairs}):
        hits = sum(truth == guess == intent for truth, guess in pairs)
        named = sum(guess == intent for _, guess in pairs)
        there = sum(truth == intent for truth, _ in pairs)
        scores.append(2 * hits / (named + there))
    return round(sum(scores) / len(scores), 4) if scores else 0.0


def parse(text: str, source_dir: Path, cache_dir: Path, locale: str | None = None) -> dict[str, Any]:
    """What the embedded engine makes of a text. Raises NotTrained."""
    spoken = locale or spoken_locale(fold(text), "zh")
    opinion = load(source_dir / spoken, cache_dir, spoken).parse(text)
    ranking = [{"intent": intent, "probability": round(p, 4)} for intent, p in opinion.ranking[:5]]
    return {
        "locale": spoken,
        "ranking": ranking,
        "score": round(opinion.score, 4),
        "in_scope": opinion.in_scope,
    }


def value(text: str, kind: str, locale: str | None = None, day: date | None = None) -> dict[str, Any]:
    """What the strict readers make of a text: {"value": …} or {"ask": reason}. Money is in fen.

    Months are reckoned from `day` (today in Shanghai). Raises ValueError for an unknown kind.
    """
    spoken = locale or spoken_locale(fold(text), "zh")
    match kind:
        case "money":
            return _money(text, spoken)
        case "digits":
            digits = parse_digits(text, spoken)
            if isinstance(digits, Ask):
                return {"ask": digits.reason}
            return {"value": digits.value, "doubtful": [asdict(doubt) for doubt in digits.doubtful]}
        case "month":
            month = parse_month(text, day or today(SystemClock()), spoken)
            return {"ask": month.reason} if isinstance(month, Ask) else {"value": str(month)}
        case "rule":
            rule = parse_rule(text, spoken)
            if isinstance(rule, Ask):
                return {"ask": rule.reason}
            cap = rule.monthly_cap.fen if rule.monthly_cap else None
            return {"value": {"below": rule.below.fen, "amount": rule.amount.fen, "monthly_cap": cap}}
    raise ValueError(f"type is one of {', '.join(VALUE_TYPES)}, not {kind}")


def _money(text: str, locale: str) -> dict[str, Any]:
    said = parse_amount(text, locale)
    if isinstance(said, Money):
        return {"value": said.fen}
    found = find_amount(text, locale)
    if isinstance(found, Found):
        return {
            "value": found.amount.fen if isinstance(found.amount, Money) else found.amount,
            "corrected": found.corrected,
        }
    return {"ask": found.reason if said.reason == "none" else said.reason}
