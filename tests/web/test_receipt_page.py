"""Whoever holds a receipt is told whether it is genuine; whoever guesses is told nothing, and soon has to wait."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from bot.genuine import answers
from bot.web import create_pages
from bot.web.receipt import TRIES
from data.clock import VirtualClock
from data.store.engine import Sealer, Store
from payments import receipts
from payments.simulation.household import CHENM, E_ZHANG, House, catalogue
from tests.web.conftest import SECRET, client_of
from tests.web.forms import form, send
from tests.web.receipts import TRUE_CODE, known_receipt
from tests.web.scripted_town import ScriptedStaff, ScriptedTalks


@pytest.fixture
async def page(
    talks: ScriptedTalks, staff: ScriptedStaff, clock: VirtualClock
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_pages(talks, staff, secret=SECRET, demo=True, clock=clock, receipts=known_receipt)
    async with client_of(app) as client:
        yield client


async def asks(page: httpx.AsyncClient, code: str, language: str = "zh-CN") -> httpx.Response:
    page.cookies.clear()
    empty = (await page.get("/receipt", headers={"accept-language": language})).text
    return await send(page, empty, "/receipt", code=code)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-CN", ["收据是真的。", "123.45元，已销账。", "广州供电局，户号尾号 5678", "2026年3月10日"]),
        (
            "en",
            ["The receipt is true.", "123.45 yuan, written off.", "account ending 5678", "On 10 March 2026"],
        ),
    ],
)
async def test_a_true_receipt_says_what_was_paid_and_nothing_else(
    page: httpx.AsyncClient, language: str, words: list[str]
) -> None:
    answer = await asks(page, TRUE_CODE.lower(), language)
    assert answer.status_code == 200
    assert [w for w in words if w not in answer.text] == []
    assert not any(name in answer.text for name in ("张", "陈", "0319001200345678"))


async def test_what_is_not_known_is_one_page_whatever_was_typed(page: httpx.AsyncClient) -> None:
    """Only the field itself differs, where the typed words stand again."""
    told = set()
    for code in ("2-7777-7777", "9", "收据", "<script>alert(1)</script>", "2" * 200, "１００", "NaN", "-0"):
        answer = await asks(page, code)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        told.add(
            answer.text[answer.text.index("<main>") : answer.text.index("<form", answer.text.index("<h1>"))]
        )
    assert len(told) == 1
    assert "账本里没有这个收据码" in told.pop()


async def test_who_guesses_has_to_wait_and_learns_nothing_meanwhile(
    page: httpx.AsyncClient, clock: VirtualClock
) -> None:
    for n in range(TRIES):
        assert (await asks(page, f"2-7777-{n:04}")).status_code == 200
    for code in (TRUE_CODE, "2-7777-9999"):
        slow = await asks(page, code)
        assert slow.status_code == 429
        assert "过5分钟再来" in slow.text
        assert "收据是真的" not in slow.text
    clock.advance(timedelta(minutes=6))
    assert "收据是真的" in (await asks(page, TRUE_CODE)).text


async def test_a_book_that_does_not_hold_promises_nothing(page: httpx.AsyncClient) -> None:
    answer = await asks(page, "BROKEN")
    assert "现在还说不准" in answer.text
    assert "真的。" not in answer.text


async def test_a_form_that_is_not_ours_asks_nothing(page: httpx.AsyncClient) -> None:
    assert (await page.post("/receipt", data={"code": TRUE_CODE})).status_code == 403


async def test_the_code_of_a_link_is_only_written_into_the_field(page: httpx.AsyncClient) -> None:
    text = (await page.get("/receipt", params={"code": '"><b>2-7KQ4'})).text
    assert "收据是真的" not in text
    assert "<b>2" not in text
    assert form(text, "/receipt").hidden["csrf"]


async def test_without_a_book_there_is_no_such_page(web: httpx.AsyncClient) -> None:
    assert (await web.get("/receipt")).status_code == 404
    assert "/receipt" not in (await web.get("/")).text


async def test_the_book_answers_as_the_command_does(clock: VirtualClock) -> None:
    house = House.over(Store.in_memory(Sealer.from_secret(SECRET)), clock)
    house.enrol()
    view = await house.paid(CHENM, E_ZHANG)
    ask = answers(house.store, catalogue())
    code = house.store.run_now(lambda tx: receipts.code_of(tx, view.id))
    assert code is not None
    said = (await ask(code, "zh")).genuine
    assert said is not None
    assert (said.amount.fen, said.tail, said.day.isoformat()) == (12_345, "5678", "2026-03-10")
    assert said.biller == catalogue().biller(view.biller).name["zh"]
    assert (await ask("1-7777-7777", "en")).genuine is None
    house.store.run_now(
        lambda tx: tx.conn.exec_driver_sql("UPDATE ledger SET amount_fen = 1 WHERE kind = 'post'")
    )
    assert (await ask(code, "zh")).troubled
