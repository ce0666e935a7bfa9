"""What every engine promises, ours, Rasa and a language model alike: an opinion about any text, and never more than one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack

import pytest

from nlu.classifier import Embedded
from nlu.engine import OUT_OF_SCOPE, Engine, Parse
from nlu.engines.ahead import heard
from nlu.engines.elsewhere import Elsewhere
from nlu.engines.llm import LanguageModel
from nlu.engines.rasa import Rasa
from tests.nlu.engines.fake_llm import always, naming
from tests.nlu.engines.fake_rasa import speaking
from tests.nlu.engines.served import served

TEXTS = {
    "zh": ["帮我看看这个月用了多少", "今儿天气咋样", "", "?", "啊" * 500, "交电费 3100456712", "\ufffd", "👍", "'; drop table"],
    "en": ["what do i owe this month", "how is the weather", "", "!", "a" * 500, "pay 20 yuan", "{}", "/model/parse"],
}  # fmt: skip


@pytest.fixture(params=["default", "rasa", "llm"])
async def any_engine(request: pytest.FixtureRequest, engine: Embedded) -> AsyncIterator[Engine]:
    """Each engine as the house would use it; the two elsewhere behind servers of this machine."""
    with ExitStack() as servers:
        if request.param == "default":
            yield engine
            return
        if request.param == "rasa":
            urls = {
                locale: servers.enter_context(served(speaking(engine, locale))).url for locale in ("zh", "en")
            }
            elsewhere = Elsewhere(Rasa(urls, engine.intents), engine, budget_seconds=5)
        else:
            url = servers.enter_context(served(always(naming("check_balance")))).url
            elsewhere = Elsewhere(LanguageModel(url, "m", "", engine.intents), engine, budget_seconds=5)
        yield elsewhere
        await elsewhere.aclose()


@pytest.mark.parametrize("locale", ["zh", "en"])
async def test_any_text_gets_a_ranking_of_known_intents(
    any_engine: Engine, engine: Embedded, locale: str
) -> None:
    for text in TEXTS[locale]:
        parse = await heard(lambda text=text: any_engine.parse(text, locale))  # type: ignore[misc]
        _is_a_parse(parse, engine)


def _is_a_parse(parse: Parse, engine: Embedded) -> None:
    probabilities = [p for _, p in parse.ranking]
    assert {intent for intent, _ in parse.ranking} <= engine.intents
    assert probabilities == sorted(probabilities, reverse=True)
    assert all(0 <= p <= 1 for p in probabilities)
    assert -1.0001 <= parse.score <= 1.0001
    assert not (parse.in_scope and parse.best == OUT_OF_SCOPE)


async def test_the_same_text_gets_the_same_opinion(any_engine: Engine) -> None:
    first = await heard(lambda: any_engine.parse("帮我看看这个月用了多少"))
    assert await heard(lambda: any_engine.parse("帮我看看这个月用了多少")) == first


async def test_a_language_nobody_speaks_is_nothing_of_ours(any_engine: Engine) -> None:
    assert not (await heard(lambda: any_engine.parse("quanto devo pagare", "it"))).in_scope


def test_outside_of_a_turn_every_engine_answers_at_once(engine: Embedded) -> None:
    """Nobody is asked: the house's own opinion, although the addresses lead nowhere."""
    nowhere = "http://127.0.0.1:9"
    for adviser in (
        Rasa({"zh": nowhere}, engine.intents),
        LanguageModel(nowhere, "m", "", engine.intents),
    ):
        assert Elsewhere(adviser, engine).parse("查电费") == engine.parse("查电费")
