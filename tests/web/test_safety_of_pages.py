"""What must hold whoever knocks: proofs in forms, signed cookies, sizes, headers, silent logs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import httpx
import pytest
import structlog

from bot.web import create_pages
from bot.web.visitors import Seals, Visitor, write_visitor
from data.clock import VirtualClock
from tests.web.conftest import SECRET, client_of
from tests.web.forms import be, form, send
from tests.web.scripted_town import CHENM, NUMBER, ScriptedStaff, ScriptedTalks

POSTS = ["/talk/say", "/talk/press", "/talk/keypad", "/talk/look", "/choose", "/leave", "/view"]


@pytest.mark.parametrize("address", POSTS)
@pytest.mark.parametrize("proof", ["", "0" * 32, "é", None])
async def test_a_form_that_is_not_ours_does_nothing(
    web: httpx.AsyncClient, talks: ScriptedTalks, address: str, proof: str | None
) -> None:
    await be(web)
    data = {"text": "付", "token": "x", "digits": "1", "key": "send", "person": "limin", "once": "1"}
    response = await web.post(address, data=data if proof is None else data | {"csrf": proof})
    assert response.status_code == 403
    assert "为了您的安全" in response.text
    assert talks.heard == []
    assert "您是陈明" in (await web.get("/talk")).text


async def test_the_proof_of_one_browser_opens_nothing_in_another(
    web: httpx.AsyncClient, talks: ScriptedTalks, staff: ScriptedStaff, clock: VirtualClock
) -> None:
    stolen = form(await be(web), "/talk/say").hidden
    async with client_of(create_pages(talks, staff, secret=SECRET, demo=True, clock=clock)) as other:
        await be(other)
        assert (await other.post("/talk/say", data=stolen | {"text": "付"})).status_code == 403
    assert talks.heard == []


async def test_the_proof_of_before_choosing_a_person_is_over_afterwards(
    web: httpx.AsyncClient, talks: ScriptedTalks
) -> None:
    front = (await web.get("/")).text
    await be(web)
    response = await web.post("/talk/say", data=form(front, "/choose").hidden | {"text": "付"})
    assert response.status_code == 403


async def test_a_forged_cookie_is_nobody(web: httpx.AsyncClient, clock: VirtualClock) -> None:
    from bot.web.visitors import VISIT

    visitor = Visitor("a", clock.now() + VISIT, CHENM)
    real = write_visitor(Seals(SECRET), visitor)
    body, _, mark = real.partition(".")
    foreign = write_visitor(Seals("another secret of sixteen"), visitor)
    for cookie in (foreign, f"{body}x.{mark}", f"{body}.", "", "....", "a.b", f"{body}.{mark}.{mark}", "é"):
        response = await web.get("/talk", headers=[(b"cookie", f"bangjiao={cookie}".encode())])
        assert response.status_code == 303, cookie
    assert (await web.get("/talk", headers={"cookie": f"bangjiao={real}"})).status_code == 200


async def test_another_form_encoding_is_refused(web: httpx.AsyncClient, talks: ScriptedTalks) -> None:
    hidden = form(await be(web), "/talk/say").hidden
    plain = await web.post(
        "/talk/say", content="text=付&csrf=" + hidden["csrf"], headers={"content-type": "text/plain"}
    )
    upload = await web.post("/talk/say", data=hidden, files={"text": b"pay"})
    assert (plain.status_code, upload.status_code) == (415, 415)
    assert talks.heard == []


async def test_too_many_bytes_are_not_read(web: httpx.AsyncClient, talks: ScriptedTalks) -> None:
    hidden = form(await be(web), "/talk/say").hidden
    declared = await web.post("/talk/say", data=hidden | {"text": "x" * 300_000})
    elsewhere = await web.post("/talk/press", data=hidden | {"token": "x" * 20_000})

    async def drops() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield b"x" * 1000

    streamed = await web.post(
        "/talk/say", content=drops(), headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert (declared.status_code, elsewhere.status_code, streamed.status_code) == (413, 413, 413)
    assert "太大了" in declared.text
    assert talks.heard == []


async def test_a_person_who_is_not_of_the_town_cannot_be_chosen(web: httpx.AsyncClient) -> None:
    front = (await web.get("/")).text
    for person in ("", "zhao", "../chenm", "' OR 1=1 --"):
        response = await send(web, front, "/choose", person=person)
        assert response.status_code == 422
        assert "没有这个人" in response.text
        assert (await web.get("/talk")).status_code == 303


async def test_after_a_choice_nobody_is_sent_to_a_foreign_address(web: httpx.AsyncClient) -> None:
    page = await be(web)
    for back in ("https://evil.example/", "//evil.example", "/talk/../..//evil", ""):
        data = form(page, "/view").hidden | {"back": back, "size": "large"}
        assert (await web.post("/view", data=data)).headers["location"] == "/"


@pytest.mark.parametrize(
    "address", ["/", "/talk", "/staff/sign-in", "/nothing/here", "/static/page.css", "/healthz"]
)
async def test_every_answer_forbids_foreign_code_and_frames(web: httpx.AsyncClient, address: str) -> None:
    await be(web)
    headers = (await web.get(address)).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    kept = address.startswith("/static")
    assert ("no-store" in headers["cache-control"]) is not kept


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(web: httpx.AsyncClient) -> None:
    cookie = (await web.get("/")).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" in (await web.get("https://town/")).headers["set-cookie"].lower()


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [("GET", "/wp-login.php", 404), ("GET", "/talk/say", 405), ("DELETE", "/", 405), ("GET", "/docs", 404)],
)
async def test_wrong_addresses_get_a_calm_page(
    web: httpx.AsyncClient, method: str, address: str, status: int
) -> None:
    response = await web.request(method, address)
    assert response.status_code == status
    assert "没有这一页" in response.text


async def test_a_mistake_of_ours_shows_and_logs_no_secret(
    web: httpx.AsyncClient, talks: ScriptedTalks
) -> None:
    await be(web)
    talks.trouble = RuntimeError(f"row of {NUMBER} is broken")
    with structlog.testing.capture_logs() as lines:
        response = await web.get("/talk")
    assert response.status_code == 500
    assert "我们这边出了点问题" in response.text
    assert NUMBER not in response.text
    assert "Traceback" not in response.text
    assert [line["kind"] for line in lines if line["event"] == "mistake"] == ["RuntimeError"]
    assert NUMBER not in str(lines)


async def test_the_log_holds_routes_but_no_words_and_no_numbers(
    web: httpx.AsyncClient, staff: ScriptedStaff
) -> None:
    page = await be(web)
    with structlog.testing.capture_logs() as lines:
        page = (await send(web, page, "/talk/say", text=f"交电费 {NUMBER}")).text
        await send(web, page, "/talk/keypad", digits=NUMBER, key="send")
        await web.get(f"/talk/{NUMBER}?text={NUMBER}")
        await web.get(f"/staff/talk/{NUMBER}")
    assert NUMBER not in str(lines)
    assert "交电费" not in str(lines)
    assert {"/talk/say", "/talk/keypad", "(none)", "/staff/talk/{person}"} <= {
        line["route"] for line in lines
    }
    assert all({"method", "status", "ms"} <= line.keys() for line in lines)


async def test_the_gateway_reaches_its_callback_with_raw_body_and_headers(
    talks: ScriptedTalks, staff: ScriptedStaff
) -> None:
    heard: list[tuple[bytes, str]] = []

    async def callbacks(raw: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        heard.append((raw, headers["webhook-id"]))
        return 401, "not ours"

    app = create_pages(talks, staff, secret=SECRET, demo=True, callbacks=callbacks)
    async with client_of(app) as web:
        response = await web.post("/callbacks/rail", content=b'{"a":1}', headers={"Webhook-Id": "msg_1"})
        big = await web.post("/callbacks/rail", content=b"x" * 70_000)
    assert (response.status_code, response.text) == (401, "not ours")
    assert heard == [(b'{"a":1}', "msg_1")]
    assert big.status_code == 413


async def test_health_and_figures(talks: ScriptedTalks, staff: ScriptedStaff) -> None:
    fine = True

    async def healthy() -> bool:
        return fine

    more = {"healthy": healthy, "figures": lambda: b"turns 1\n", "figures_here": True}
    app = create_pages(talks, staff, secret=SECRET, demo=True, **more)
    async with client_of(app) as web:
        assert (await web.get("/healthz")).status_code == 200
        fine = False
        assert (await web.get("/healthz")).status_code == 503
        assert (await web.get("/metrics")).text == "turns 1\n"


async def test_without_the_demo_nobody_can_be_anybody(
    talks: ScriptedTalks, staff: ScriptedStaff, clock: VirtualClock
) -> None:
    async with client_of(create_pages(talks, staff, secret=SECRET, demo=False, clock=clock)) as web:
        page = (await web.get("/")).text
        assert "陈明" not in page
        csrf = Seals(SECRET)
        assert "/choose" not in page
        visitor = Visitor("v1", clock.now().replace(year=2027))
        cookie = {"cookie": f"bangjiao={write_visitor(csrf, visitor)}"}
        proof = {"csrf": csrf.mark("csrf", "v1"), "person": "chenm"}
        assert (await web.post("/choose", data=proof, headers=cookie)).status_code == 422


def test_a_short_secret_is_refused(talks: ScriptedTalks, staff: ScriptedStaff) -> None:
    with pytest.raises(ValueError, match="secret"):
        create_pages(talks, staff, secret="short", demo=True)
