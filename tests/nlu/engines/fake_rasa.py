"""A server that speaks Rasa's HTTP contract and thinks with our own engine: the same shape, entities nobody asked for included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nlu.classifier import Embedded
from nlu.engines.rasa import FALLBACK
from tests.nlu.engines.served import Question, Reply

STATUS = {"model_file": "light-zh.tar.gz", "model_id": "0f2c", "num_active_training_jobs": 0}


def speaking(engine: Embedded, locale: str) -> Callable[[Question], Reply]:
    """Answers /status and /model/parse as Rasa 3.6 does; below its threshold it names nlu_fallback first."""

    def answer(question: Question) -> Reply:
        if question.path == "/status":
            return Reply.of(STATUS)
        return Reply.of(answered(engine, question.body["text"], locale))

    return answer


def answered(engine: Embedded, text: str, locale: str) -> dict[str, Any]:
    """One answer of /model/parse."""
    parse = engine.parse(text, locale)
    ranking = [{"name": intent, "confidence": p} for intent, p in parse.ranking[:30]]
    if not parse.in_scope:
        ranking.insert(0, {"name": FALLBACK, "confidence": 0.5})
    return {
        "text": text,
        "intent": ranking[0],
        "entities": [
            {
                "entity": "amount",
                "value": "999",
                "start": 0,
                "end": len(text),
                "extractor": "CRFEntityExtractor",
            }
        ],
        "text_tokens": [[0, len(text)]],
        "intent_ranking": ranking,
    }
