"""What the command line does with the understanding: train it, measure it, and show what it makes of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from data.clock import SystemClock, today
from data.money import Money
from nlu import trials
from nlu.asking import Ask
from nlu.classifier import load
from nlu.dates import parse_month
from nlu.digits import parse_digits
from nlu.engines.elsewhere import BUDGET_SECONDS, Adviser
from nlu.loader import Example, load_examples
from nlu.measuring import of_parses
from nlu.numbers import Found, find_amount, parse_amount
from nlu.rules import parse_rule
from nlu.swindles import FOLDER
from nlu.text import fold, spoken_locale
from nlu.trials import Trial

LOCALES = ("zh", "en")
ENGINES = ("default", "rasa", "rasa-diet", "llm")
VALUE_TYPES = ("money", "digits", "month", "rule")


def train_all(source_dir: Path, cache_dir: Path, locales: Sequence[str] = LOCALES) -> dict[str, Path]:
    """Train what is not trained yet, each language from its folder; returns the models' folders.

    Needs scikit-learn (dependency group `build`). Raises TrainingFileError.
    """
    from nlu.training import train, train_watch  # the one place that needs scikit-learn

    made = {locale: train(source_dir / locale, cache_dir, locale) for locale in locales}
    return made | {f"{locale} {FOLDER}": train_watch(source_dir, cache_dir, locale) for locale in locales}


def evaluate(
    train_path: Path,
    test_path: Path,
    locale: str,
    engine: str = "default",
    adviser: Adviser | None = None,
    budget_seconds: float = BUDGET_SECONDS,
) -> dict[str, Any]:
    """Train on one set and measure on another: Rasa nlu files or jsonl ({"text", "intent"}; intent oos = out of scope).

    accuracy and macro_f1: the best intent of in-scope rows. oos_recall: share of out-of-scope rows turned away at the
    threshold learnt in training, false_reject: share of in-scope rows turned away there; oos_recall_at_5: the same at the
    threshold under which five of a hundred of these in-scope rows fall. Times in milliseconds a sentence, memory in MB.

    engine: one of ENGINES; "llm" asks the adviser. Raises ValueError for another, TrainingFileError, NoRasa.
    """
    learnt, rows = load_examples(train_path), load_examples(test_path)
    texts = [row.text for row in rows]
    match engine:
        case "default":
            trial = trials.ours(learnt, texts, locale)
        case "rasa" | "rasa-diet":
            trial = trials.rasa(learnt, texts, locale, "diet" if engine == "rasa-diet" else "light")
        case "llm" if adviser is not None:
            trial = trials.advised(learnt, texts, locale, adviser, budget_seconds)
        case _:
            raise ValueError(f"engine is one of {', '.join(ENGINES)}, not {engine}")
    return {"engine": engine} | _figures(rows, trial)


def _figures(rows: Sequence[Example], trial: Trial) -> dict[str, Any]:
    found = of_parses(rows, trial.parses)
    return {
        "rows": len(rows),
        "accuracy": round(found.accuracy, 4),
        "macro_f1": round(found.macro_f1, 4),
        "oos_recall": round(found.refused, 4),
        "oos_recall_at_5": round(found.refused_at_5, 4),
        "false_reject": round(found.rejected, 4),
        "p50_ms": round(_quantile(trial.ms, 0.5), 3),
        "p99_ms": round(_quantile(trial.ms, 0.99), 3),
        "memory_mb": round(trial.memory_mb, 1),
        "train_seconds": round(trial.train_seconds, 2),
    }


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


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
