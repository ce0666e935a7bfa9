"""Somebody new at the page: his talk and his telephone are his own, and a proven number leads back to his own talk."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from bot.playground import Playground
from bot.talks import WebTalks
from data.ids import PersonId
from data.store.people import people
from dialogues.testing.world import Stage

NEW = PersonId("newcomer_0001")


@pytest.fixture
async def world(pytestconfig: pytest.Config) -> AsyncIterator[Playground]:
    fresh: Playground = pytestconfig.hook.pytest_world_factory(config=pytestconfig)()
    await fresh.start(Stage(persona="limin"))
    await fresh.arrange({})
    yield fresh
    await fresh.close()


async def said(talks: WebTalks, *texts: str) -> list[str]:
    """Says these things one after another and gives the whole page."""
    for n, text in enumerate(texts):
        await talks.say(NEW, text, f"{n}:{text}")
    await talks._app.desk.tell_news()
    return [entry.text for entry in await talks.history(NEW)]


async def code_of(talks: WebTalks) -> str:
    found = re.search(r"\d{6}", (await talks.phone(NEW))[-1].text)
    assert found is not None
    return found[0]


async def test_his_page_shows_what_was_said_without_numbers(world: Playground) -> None:
    talks = WebTalks(world.app)
    page = await said(talks, "您好", "登记", "01055507070")
    assert "您好" in page
    assert any("登记" in text for text in page)
    assert not any("01055507070" in text for text in page)
    code = await code_of(talks)
    assert not any(code in text for text in await said(talks, code))


async def test_no_row_of_a_person_before_the_end(world: Playground) -> None:
    talks = WebTalks(world.app)
    await said(talks, "登记", "01055507070")
    await said(talks, await code_of(talks), "王芳", "5826")
    there = people.select().where(people.c.id == NEW)
    assert world.app.store.run_now(lambda tx: tx.conn.execute(there).first()) is None
    await said(talks, "5826 ")
    assert world.app.store.run_now(lambda tx: tx.conn.execute(there).first()) is not None


async def test_a_proven_number_leads_back_to_her_own_talk(world: Playground) -> None:
    talks = WebTalks(world.app)
    await said(talks, "登记", "01055503333")
    page = await said(talks, await code_of(talks), "李敏")
    assert any("72小时" in text for text in page)
    page = await said(talks, "查我爸妈家的电费")
    assert any("18.60" in text for text in page)


async def test_whoever_has_not_proven_it_sees_nothing_of_hers(world: Playground) -> None:
    talks = WebTalks(world.app)
    page = await said(talks, "登记", "01055503333", "000000", "李敏", "查我爸妈家的电费")
    assert not any("18.60" in text or "李" in text.replace("李敏", "") for text in page)
