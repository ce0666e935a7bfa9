"""What a real Rasa server answered, written down by `python -m tests.nlu.engines.record`: read as from the server itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nlu.classifier import Embedded
from nlu.commands import CannotHandle, Expectation, Utterance
from nlu.engine import OUT_OF_SCOPE
from nlu.engines.ahead import heard
from nlu.engines.elsewhere import Elsewhere
from nlu.engines.rasa import Rasa, read
from nlu.understand import OFFERED, Understanding
from tests.nlu.engines.record import RECORDED, SENTENCES
from tests.nlu.engines.served import Question, Reply, served


def recorded(locale: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDED / f"{locale}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("locale", SENTENCES)
def test_a_real_answer_names_wishes_of_ours_and_knows_what_is_not(engine: Embedded, locale: str) -> None:
    answers = recorded(locale)["parse"]
    assert [answer["text"] for answer in answers] == SENTENCES[locale], "record anew"
    parses = [read(answer, engine.intents) for answer in answers]
    assert all(len(parse.ranking) >= 5 for parse in parses)
    assert [parse.in_scope for parse in parses] == [True] * (len(parses) - 1) + [False]
    assert all(parse.best != OUT_OF_SCOPE for parse in parses[:-1])


@pytest.mark.parametrize("locale", SENTENCES)
async def test_a_house_understands_by_real_answers(engine: Embedded, locale: str) -> None:
    found = recorded(locale)
    answers = {answer["text"]: answer for answer in found["parse"]}

    def answer(question: Question) -> Reply:
        return Reply.of(found["status"] if question.method == "GET" else answers[question.body["text"]])

    with served(answer) as server:
        rasa = Elsewhere(Rasa({locale: server.url}, engine.intents), engine, budget_seconds=5)
        assert await rasa.healthy()
        understanding = Understanding(rasa, OFFERED)
        said = [
            await heard(
                lambda text=text: understanding.understand(Utterance(text), Expectation(locale=locale))
            )  # type: ignore[misc]
            for text in SENTENCES[locale]
        ]
        await rasa.aclose()
    assert all(not isinstance(commands[0], CannotHandle) for commands in said[:-1])
    assert isinstance(said[-1][0], CannotHandle)
