"""The staff desk: only staff come in, only the one who took a talk speaks in it, and nobody is paid for in silence."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from data.clock import VirtualClock
from data.ids import PersonId
from tests.web.forms import form, send
from tests.web.scripted_town import CHENGFS, STAFF_PASSWORD, ScriptedStaff, ScriptedTalks

TALK = f"/staff/talk/{CHENGFS}"


async def sign_in(
    web: httpx.AsyncClient, name: str = "周慧", password: str = STAFF_PASSWORD
) -> httpx.Response:
    door = (await web.get("/staff/sign-in")).text
    return await send(web, door, "/staff/sign-in", name=name, password=password)


@pytest.mark.parametrize("address", ["/staff", TALK])
async def test_a_stranger_is_led_to_the_door(
    web: httpx.AsyncClient, staff: ScriptedStaff, address: str
) -> None:
    staff.somebody_waits()
    response = await web.get(address)
    assert (response.status_code, response.headers["location"]) == (303, "/staff/sign-in")


@pytest.mark.parametrize("address", ["/staff/live", f"{TALK}/live", "/staff/events"])
async def test_a_strangers_script_gets_nothing(
    web: httpx.AsyncClient, staff: ScriptedStaff, address: str
) -> None:
    staff.somebody_waits()
    response = await web.get(address, headers={"HX-Request": "true"})
    assert response.status_code == 401
    assert "程" not in response.text


async def test_signing_in_shows_who_waits(
    web: httpx.AsyncClient, staff: ScriptedStaff, clock: VirtualClock
) -> None:
    staff.somebody_waits()
    clock.advance(timedelta(minutes=7))
    page = (await sign_in(web)).text
    assert "程*生" in page
    assert "等了7分钟" in page
    assert "想交水费" in page


async def test_wrong_passwords_are_answered_calmly_and_then_slowed_down(
    web: httpx.AsyncClient, staff: ScriptedStaff, clock: VirtualClock
) -> None:
    for _ in range(5):
        assert (await sign_in(web, password="guess")).status_code == 401
    response = await sign_in(web)  # even the right one has to wait now
    assert response.status_code == 429
    assert "5分钟" in response.text
    clock.advance(timedelta(minutes=5, seconds=1))
    assert (await sign_in(web)).url.path == "/staff"


async def test_signing_out_ends_the_token(web: httpx.AsyncClient, staff: ScriptedStaff) -> None:
    page = (await sign_in(web)).text
    await send(web, page, "/staff/sign-out")
    assert (await web.get("/staff")).status_code == 303
    assert staff.tokens == {}


async def test_take_over_answer_and_hand_back_with_a_proposal(
    web: httpx.AsyncClient, staff: ScriptedStaff, talks: ScriptedTalks
) -> None:
    staff.somebody_waits()
    await sign_in(web)
    page = (await web.get(TALK)).text
    page = (await send(web, page, f"{TALK}/take")).text
    page = (await send(web, page, f"{TALK}/say", text="您好,我是周慧。")).text
    assert "您好,我是周慧。" in page
    assert talks.logs[CHENGFS][-1].speaker == "周慧"
    response = await send(web, page, f"{TALK}/hand-back", account="acc_w")
    assert response.url.path == "/staff"
    assert staff.handed_back == [(CHENGFS, "acc_w")]


async def test_handing_back_without_a_proposal(web: httpx.AsyncClient, staff: ScriptedStaff) -> None:
    staff.somebody_waits()
    await sign_in(web)
    page = (await send(web, (await web.get(TALK)).text, f"{TALK}/take")).text
    await send(web, page, f"{TALK}/hand-back", account="")
    assert staff.handed_back == [(CHENGFS, None)]


async def test_the_person_sees_staff_speak_under_their_name(
    web: httpx.AsyncClient, staff: ScriptedStaff, talks: ScriptedTalks
) -> None:
    from tests.web.forms import be

    talks.add(CHENGFS, "周慧", "您别着急,慢慢说。")
    page = await be(web, CHENGFS)
    assert "周慧" in page
    assert "turn staff" in page


async def test_a_second_colleague_comes_too_late(web: httpx.AsyncClient, staff: ScriptedStaff) -> None:
    staff.somebody_waits()
    await sign_in(web)
    page = (await web.get(TALK)).text
    await send(web, page, f"{TALK}/take")
    again = await send(web, page, f"{TALK}/take")
    assert again.status_code == 409
    assert "先接手了" in again.text


async def test_a_talk_that_nobody_asked_help_in_stays_closed(
    web: httpx.AsyncClient, staff: ScriptedStaff, talks: ScriptedTalks
) -> None:
    talks.add(PersonId("limin"), "me", "我家的事")
    staff.somebody_waits()
    await sign_in(web)
    response = await web.get("/staff/talk/limin")
    assert response.status_code == 404
    assert "我家的事" not in response.text


async def test_staff_cannot_press_the_persons_buttons(
    web: httpx.AsyncClient, staff: ScriptedStaff, talks: ScriptedTalks
) -> None:
    staff.somebody_waits()
    talks.add(CHENGFS, "bot", "要付吗?", "付")
    await sign_in(web)
    page = (await web.get(TALK)).text
    assert "付" in page
    assert f"{CHENGFS}-3-0" not in page


@pytest.mark.parametrize("what", ["take", "say", "hand-back"])
async def test_staff_forms_need_their_proof(web: httpx.AsyncClient, staff: ScriptedStaff, what: str) -> None:
    staff.somebody_waits()
    await sign_in(web)
    assert (await web.post(f"{TALK}/{what}", data={"text": "x", "csrf": "0"})).status_code == 403
    assert staff.waiting[CHENGFS].mode == "waiting"


async def test_an_unknown_act_is_no_address(web: httpx.AsyncClient, staff: ScriptedStaff) -> None:
    staff.somebody_waits()
    await sign_in(web)
    hidden = form((await web.get(TALK)).text, f"{TALK}/take").hidden
    assert (await web.post(f"{TALK}/pay", data=hidden)).status_code == 404


async def test_a_sentence_sent_twice_is_said_once(
    web: httpx.AsyncClient, staff: ScriptedStaff, talks: ScriptedTalks
) -> None:
    staff.somebody_waits()
    await sign_in(web)
    page = (await send(web, (await web.get(TALK)).text, f"{TALK}/take")).text
    filled = form(page, f"{TALK}/say").hidden | {"text": "请稍等"}
    for _ in range(2):
        await web.post(f"{TALK}/say", data=filled)
    assert [entry.text for entry in talks.logs[CHENGFS]].count("请稍等") == 1
