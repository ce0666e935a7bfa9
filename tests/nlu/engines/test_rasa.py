"""Rasa's answers, and what becomes of answers no server should give."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlu.classifier import Embedded
from nlu.commands import Expectation, StartFlow, Utterance
from nlu.engine import OUT_OF_SCOPE, Parse
from nlu.engines.ahead import heard
from nlu.engines.elsewhere import Elsewhere, NoOpinion
from nlu.engines.rasa import FALLBACK, Rasa, read
from nlu.understand import Understanding
from tests.nlu.engines.fake_rasa import STATUS, answered, speaking
from tests.nlu.engines.served import Reply, served

SHAPES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["intent", "intent_ranking", "name", "confidence", "entities", "text"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("text", ["查电费", "帮我看看这个月用了多少", "帮我订一张去杭州的火车票"])
def test_an_answer_is_read_as_it_was_meant(engine: Embedded, text: str) -> None:
    parse, ours = read(answered(engine, text, "zh"), engine.intents), engine.parse(text)
    assert parse.ranking == ours.ranking[:30]
    assert parse.in_scope == ours.in_scope


def test_what_rasa_calls_a_fallback_is_nothing_of_ours(engine: Embedded) -> None:
    unsure = {"name": FALLBACK, "confidence": 0.3}
    ranking = [unsure, {"name": "check_balance", "confidence": 0.2}]
    parse = read({"intent": unsure, "intent_ranking": ranking}, engine.intents)
    assert parse == Parse((("check_balance", 0.2),), 0.2, False)


def test_out_of_scope_as_the_likeliest_is_nothing_of_ours(engine: Embedded) -> None:
    best = {"name": OUT_OF_SCOPE, "confidence": 0.8}
    ranking = [best, {"name": "check_balance", "confidence": 0.2}]
    assert not read({"intent": best, "intent_ranking": ranking}, engine.intents).in_scope


@settings(deadline=None)
@given(SHAPES)
def test_an_answer_of_any_shape_is_an_opinion_or_none(answer: Any) -> None:
    known = frozenset({"pay_bill", "check_balance"})
    try:
        parse = read(answer, known)
    except NoOpinion:
        return
    assert {intent for intent, _ in parse.ranking} <= known


async def test_entities_of_rasa_become_no_values(engine: Embedded) -> None:
    """Whatever number it found, only the person's own words count."""
    answer = {
        "intent": {"name": "check_balance", "confidence": 0.99},
        "intent_ranking": [{"name": "check_balance", "confidence": 0.99}],
        "entities": [{"entity": "amount", "value": "999"}, {"entity": "account", "value": "3100456712"}],
    }
    with served(lambda question: Reply.of(answer)) as server:
        asked = Elsewhere(Rasa({"zh": server.url}, engine.intents), engine, budget_seconds=5)
        understanding = Understanding(asked)
        said = Utterance("那个家里头的事情麻烦给瞅瞅呗")
        assert await heard(lambda: understanding.understand(said, Expectation())) == [
            StartFlow("check_balance")
        ]
        await asked.aclose()


async def test_only_the_folded_sentence_is_sent(engine: Embedded) -> None:
    with served(speaking(engine, "zh")) as server:
        rasa = Rasa({"zh": server.url}, engine.intents)
        await rasa.advise("查电费", "zh")
        await rasa.aclose()
    (question,) = server.asked
    assert (question.method, question.path, question.body) == ("POST", "/model/parse", {"text": "查电费"})


async def test_a_server_is_well_when_it_has_a_model(engine: Embedded) -> None:
    async def well(reply: Reply) -> bool:
        with served(lambda question: reply) as server:
            asked = Elsewhere(Rasa({"zh": server.url}, engine.intents), engine)
            found = await asked.healthy()
            await asked.aclose()
            return found

    assert await well(Reply.of(STATUS))
    assert not await well(Reply.of({"model_file": None, "num_active_training_jobs": 0}))
    assert not await well(Reply.of({"version": "3.6.21", "status": "failure"}, status=409))
    assert not await Elsewhere(Rasa({"zh": "http://127.0.0.1:9"}, engine.intents), engine).healthy()


BROKEN = {
    "an error": Reply.of({"status": "failure", "code": 500}, status=500),
    "slow": Reply.of({"intent_ranking": []}, waits=5),
    "drips": Reply(b'{"intent_ranking": [{"name": "pay_bill", "confidence": 1}]}', drips=0.05),
    "huge": Reply(b" " * 2_000_000 + b"{}"),
    "not JSON": Reply(b"<html>", kind="text/html"),
    "breaks off": Reply(b'{"intent_ranking": []}', breaks_off=True),
}


@pytest.mark.parametrize("how", BROKEN)
async def test_a_server_that_is_ill_leaves_the_house_to_answer(engine: Embedded, how: str) -> None:
    with served(lambda question: BROKEN[how]) as server:
        asked = Elsewhere(Rasa({"zh": server.url}, engine.intents), engine, budget_seconds=0.3)
        assert await heard(lambda: asked.parse("查电费")) == engine.parse("查电费")
        await asked.aclose()


async def test_one_address_may_stay_without_its_language(engine: Embedded) -> None:
    with served(speaking(engine, "zh")) as server:
        asked = Elsewhere(Rasa({"zh": server.url, "en": ""}, engine.intents), engine, budget_seconds=5)
        text = "what do i owe this month"
        assert await heard(lambda: asked.parse(text, "en")) == engine.parse(text, "en")
        assert server.asked == []
        await asked.aclose()


def test_a_new_event_loop_opens_a_connection_of_its_own(engine: Embedded) -> None:
    with served(speaking(engine, "zh")) as server:
        rasa = Rasa({"zh": server.url}, engine.intents)

        async def ask() -> None:
            await rasa.advise("查电费", "zh")
            await rasa.aclose()

        asyncio.run(ask())
        asyncio.run(ask())
        assert len(server.asked) == 2
