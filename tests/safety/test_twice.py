"""The same thing delivered, tapped or typed twice, in two processes at the same moment: paid once, and told alike."""

from __future__ import annotations

import asyncio

import httpx

from bot.serving import pages
from data.events import InboundEvent
from data.ids import PersonId
from data.store import letters
from dialogues import wire
from dialogues.model import Said
from tests.safety.real_town import RealTown
from tests.web.conftest import client_of
from tests.web.forms import be, form, send

WATER = [("W-LI", 4_650)]
LINK = "utter_pay_link"


async def test_a_message_delivered_to_two_processes_at_once_pays_once(either: RealTown) -> None:
    town = await either.open("limin")
    other = town.another_process()
    await town.says("limin", "交水费", "确认")
    code = town.message("limin", await town.code("limin"))
    served = await town.at_once((town.app, code), (other, code))
    assert await town.captures() == WATER
    assert sorted(s.repeated for s in served) == [False, True]
    assert await town.broken() == []


async def test_a_message_delivered_again_later_gets_the_stored_reply(either: RealTown) -> None:
    town = await either.open("limin")
    other = town.another_process()
    question = town.message("limin", "交水费")
    first = await town.app.desk.serve(question)
    await town.says("limin", "确认", await town.code("limin"))
    before = await town.sent()
    again = await other.desk.serve(question)
    assert again.repeated
    # The read-back came after the biller's answer: what the turn itself had said is what is said again.
    assert set(again.said) <= set(first.said)
    assert await town.sent() == before
    assert await town.captures() == WATER


async def test_the_code_typed_in_two_tabs_at_once_pays_once(either: RealTown) -> None:
    town = await either.open("limin")
    other = town.another_process()
    await town.says("limin", "交水费", "确认")
    code = await town.code("limin")
    await town.at_once(*((p, town.message("limin", code)) for p in (town.app, other, town.app, other)))
    assert await town.captures() == WATER
    assert await town.broken() == []


async def test_a_button_tapped_at_once_in_two_processes_is_one_payment(either: RealTown) -> None:
    """Without a purse a tap is enough: it opens the page of the rail, once."""
    town = await either.open("lijg")
    other = town.another_process()
    await town.says("lijg", "交水费")
    token = await town.button("lijg", "付")
    await town.at_once(*((p, town.message("lijg", token=token)) for p in (town.app, other, town.app, other)))
    opened = {c.number for c in (await town.facts()).gateway_calls or () if c.action == "pay"}
    assert len(opened) == 1
    links = {s.link for s in await _said_links(town, "lijg")}
    assert len(links) == 1
    assert await town.broken() == []


async def test_a_button_tapped_again_after_the_payment_tells_what_became_of_it(either: RealTown) -> None:
    town = await either.open("limin")
    await town.says("limin", "交水费")
    token = await town.button("limin", "付")
    await town.do(town.message("limin", token=token))
    await town.says("limin", await town.code("limin"))
    for process in (town.app, town.another_process()):
        told = await town.do(town.message("limin", token=token), process)
        assert any("46.50元" in text and "已销账" in text for text in told)
    assert await town.captures() == WATER


async def test_everything_pressed_and_typed_at_once_pays_once(either: RealTown) -> None:
    town = await either.open("limin")
    other = town.another_process()
    await town.says("limin", "交水费")
    token = await town.button("limin", "付")
    await town.do(town.message("limin", token=token))
    code, pin = await town.code("limin"), town.pin("limin")

    def storm() -> list[InboundEvent]:
        return [
            town.message("limin", code),
            town.message("limin", token=token),
            town.message("limin", pin),
            town.message("limin", "付"),
            town.message("limin", "再付一次"),
        ]

    await town.at_once(*((p, event) for p in (town.app, other) for event in storm()))
    assert await town.captures() == WATER
    assert await town.broken() == []


async def test_two_tabs_on_two_servers_pay_once_and_show_the_same(either: RealTown) -> None:
    """Two pages of one browser, each served by a process of its own, send the same form at the same moment."""
    town = await either.open("limin")
    processes = (town.app, town.another_process())
    async with _browser(town, 0) as one, _browser(town, 1) as two:
        page = await be(one, "limin")
        two.cookies.update(one.cookies)
        for words in ("交水费", "付"):
            page = (await send(one, page, "/talk/say", text=words)).text
        filled = form(page, "/talk/say").hidden | {"text": await town.code("limin")}
        answers = await asyncio.gather(*(tab.post("/talk/say", data=filled) for tab in (one, two)))
        assert {answer.status_code for answer in answers} == {303}
        await town.settle()
        shown = [(await tab.get("/talk")).text for tab in (one, two)]
    assert len(processes) == 2
    assert all("已扣款" in text and "已销账" in text for text in shown)
    assert await town.captures() == WATER


def _browser(town: RealTown, n: int) -> httpx.AsyncClient:
    return client_of(pages((town.app, *town.more)[n], demo=True, town=town.world))


async def _said_links(town: RealTown, person: str) -> list[Said]:
    found = await town.app.store.run(lambda tx: letters.letters_to(tx, PersonId(person)))
    return [said for x in found if (said := wire.load_said(x.body)).response == LINK]
