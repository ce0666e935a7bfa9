"""Strangers at the pages: forged cookies, foreign forms, megabytes and fragments of programs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from bot.serving import pages
from bot.web.visitors import VISIT, Seals, Visitor, write_visitor
from data.ids import PersonId
from tests.safety.real_town import SECRET, RealTown
from tests.web.conftest import client_of
from tests.web.forms import be, form, forms, send

MEGABYTE = 1_000_000


@pytest.fixture
async def web(town: RealTown) -> AsyncIterator[httpx.AsyncClient]:
    await town.open("limin", "chenm", "lijg")
    async with client_of(pages(town.app, demo=True, town=town.world)) as client:
        yield client


async def _nothing_happened(town: RealTown) -> None:
    await town.settle()
    assert await town.captures() == []
    assert [c for c in (await town.facts()).gateway_calls or () if c.action == "pay"] == []
    assert await town.broken() == []


async def test_a_forged_or_old_cookie_is_nobody(town: RealTown, web: httpx.AsyncClient) -> None:
    now = town.clock.now()
    real = Visitor("v", now + VISIT, PersonId("limin"))
    body, _, mark = write_visitor(Seals(SECRET), real).partition(".")
    forged = [
        write_visitor(Seals("another-secret-of-sixteen"), real),
        write_visitor(Seals(SECRET), Visitor("v", now - timedelta(seconds=1), PersonId("limin"))),
        f"{body}.{'0' * len(mark)}",
        f"{body[:-2]}.{mark}",
        body,
        f".{mark}",
        "%00",
        "é" * 10,
        "x" * 4_000,
    ]
    for cookie in forged:
        answer = await web.get("/talk", headers=[(b"cookie", b"bangjiao=" + cookie.encode())])
        assert answer.status_code == 303
        assert answer.headers["location"] == "/"
    await _nothing_happened(town)


async def test_staff_is_who_signed_in_as_staff(town: RealTown, web: httpx.AsyncClient) -> None:
    page = await be(web, "limin")
    page = (await send(web, page, "/talk/say", text="人工")).text
    data = form(page, "/talk/say").hidden
    for address in ("/staff", "/staff/talk/limin", "/staff/live"):
        assert "李" not in (await web.get(address, follow_redirects=True)).text
    for act in ("take", "say", "back"):
        answer = await web.post(f"/staff/talk/limin/{act}", data=data | {"text": "我是客服"})
        assert answer.status_code in {303, 401, 403, 404}
    talk = (await web.get("/talk")).text
    assert "我是客服" not in talk
    # A resident's PIN opens no staff page, however often it is tried.
    sign_in = (await web.get("/staff/sign-in")).text
    for person, pin in (("limin", town.pin("limin")), ("zhao", "0000"), ("nobody", "1864"), ("", "")):
        await send(web, sign_in, "/staff/sign-in", person=person, name=person, pin=pin, password=pin)
        assert "/staff/sign-in" in str((await web.get("/staff", follow_redirects=True)).url)


async def test_unknown_people_are_not_served(town: RealTown, web: httpx.AsyncClient) -> None:
    front = (await web.get("/")).text
    for person in (
        "",
        "nobody",
        "zhao",
        "qian",
        "limin'--",
        "limin\x00",
        "../limin",
        "Limin",
        "li min",
        "x" * 9_000,
    ):
        answer = await send(web, front, "/choose", person=person)
        assert answer.status_code == 422
        assert (await web.get("/talk")).status_code == 303
    await _nothing_happened(town)


async def test_a_megabyte_is_refused_at_every_form(town: RealTown, web: httpx.AsyncClient) -> None:
    page = await be(web, "limin")
    data = form(page, "/talk/say").hidden
    for address in (
        "/talk/say",
        "/talk/press",
        "/talk/keypad",
        "/choose",
        "/view",
        "/leave",
        "/staff/sign-in",
    ):
        answer = await web.post(address, data=data | {"text": "付" * (MEGABYTE // 3)})
        assert answer.status_code == 413

    async def without_a_length() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"text=" + b"x" * (MEGABYTE // 100)

    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert (await web.post("/talk/say", content=without_a_length(), headers=headers)).status_code == 413
    assert (await web.get("/talk")).status_code == 200  # and the page still works
    await _nothing_happened(town)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{{7*7}} {% include '/etc/passwd' %}",
        "'; DROP TABLE turns; --",
        "javascript:alert(1)",
        "</p><form action=//evil.example><button>付</button></form>",
        "&lt;b&gt; &#x3c;script&#x3e;",
        "x\u202egnp.exe\u202c",
        "👨‍👩‍👧‍👦 \u0000\u0008",
        "%s %n {0.__class__}",
    ],
)
async def test_what_is_written_is_shown_as_text_and_nothing_else(
    town: RealTown, web: httpx.AsyncClient, text: str
) -> None:
    page = await be(web, "limin")
    answer = await send(web, page, "/talk/say", text=text)
    assert answer.status_code == 200
    for live in ("<script>alert", "onerror=alert(1)>", "<form action=//evil", "\u202e", "\x00", "\x08"):
        assert live not in answer.text
    assert "49 " not in answer.text
    assert {f.action.partition("#")[0] for f in forms(answer.text)} <= _OURS
    await _nothing_happened(town)


_OURS = {"/talk/say", "/talk/press", "/talk/keypad", "/talk/look", "/view", "/leave", "/choose"}


@pytest.mark.parametrize("length", [501, 1_500])
async def test_too_much_text_is_told_and_not_lost(
    town: RealTown, web: httpx.AsyncClient, length: int
) -> None:
    page = await be(web, "limin")
    answer = await send(web, page, "/talk/say", text="付" * length)
    assert answer.status_code == 422
    assert "付" * 100 in answer.text  # what was written still stands in the field
    await _nothing_happened(town)


async def test_a_form_cannot_be_sent_from_another_place(town: RealTown, web: httpx.AsyncClient) -> None:
    page = await be(web, "limin")
    page = (await send(web, page, "/talk/say", text="交水费")).text
    data = form(page, "/talk/say").hidden | {"text": "付"}
    wrong = [
        await web.post("/talk/say", data=data | {"csrf": "0" * 32}),
        await web.post("/talk/say", data={"text": "付"}),
        await web.post("/talk/say", json=data),
        await web.post("/talk/say", content="text=付", headers={"content-type": "text/plain"}),
        await web.get("/talk/say", params=data),
        await web.put("/talk/say", data=data),
    ]
    assert all(400 <= answer.status_code < 500 for answer in wrong)
    assert await town.asks("limin") == "confirm"
    await _nothing_happened(town)


async def test_many_at_once_are_all_answered(town: RealTown, web: httpx.AsyncClient) -> None:
    """Twenty people's worth of nonsense at the same moment, in one browser: nothing is lost, nothing is doubled."""
    page = await be(web, "limin")
    data = form(page, "/talk/say").hidden
    answers = await asyncio.gather(
        *(web.post("/talk/say", data=data | {"once": str(n), "text": f"查水费{'!' * n}"}) for n in range(12))
    )
    assert {answer.status_code for answer in answers} == {303}
    shown = (await web.get("/talk")).text
    assert shown.count("查水费") >= 12
    await _nothing_happened(town)
