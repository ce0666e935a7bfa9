"""The talk page without a script: everything is a form, and a form counts once."""

from __future__ import annotations

import re

import httpx

from bot.web.ports import BOT
from data.clock import VirtualClock
from tests.web.forms import be, form, send
from tests.web.scripted_town import CHENM, CODE, NUMBER, PAY_PAGE, ScriptedTalks


async def test_a_payment_can_be_talked_through_with_forms_alone(
    web: httpx.AsyncClient, talks: ScriptedTalks
) -> None:
    page = await be(web)
    for words in ("帮我妈交电费,广州的", NUMBER, "对", "付"):
        page = (await send(web, page, "/talk/say", text=words)).text
    assert CODE in page  # on the other phone
    page = (await send(web, page, "/talk/say", text=CODE)).text
    assert "已扣" in page
    assert talks.heard == ["帮我妈交电费,广州的", NUMBER, "对", "付", CODE]


async def test_an_answer_button_is_pressed_by_its_token(web: httpx.AsyncClient, talks: ScriptedTalks) -> None:
    page = await be(web)
    for words in ("交电费", NUMBER):
        page = (await send(web, page, "/talk/say", text=words)).text
    name, token = form(page, "/talk/press").buttons[0]
    page = (await send(web, page, "/talk/press", **{name: token})).text
    assert talks.heard[-1] == "是"
    assert "123.45元" in page


async def test_only_the_newest_open_question_has_buttons(
    web: httpx.AsyncClient, talks: ScriptedTalks
) -> None:
    talks.add(CHENM, BOT, "要付吗?", "付", "不付")
    talks.add(CHENM, BOT, "验证码收到了吗?", "收到了")
    talks.add(CHENM, BOT, "水费已销账。")  # news after a question: the question is still open
    page = await be(web)
    assert [token for _, token in form(page, "/talk/press").buttons] == ["chenm-2-0"]
    page = (await send(web, page, "/talk/say", text="啊?")).text
    assert "chenm-2-0" not in page


async def test_the_same_form_sent_twice_counts_once(web: httpx.AsyncClient, talks: ScriptedTalks) -> None:
    page = await be(web)
    filled = form(page, "/talk/say").hidden | {"text": "交电费"}
    for _ in range(3):
        assert (await web.post("/talk/say", data=filled)).status_code == 303
    assert talks.heard == ["交电费"]


async def test_other_words_in_the_same_form_are_not_lost(
    web: httpx.AsyncClient, talks: ScriptedTalks
) -> None:
    page = await be(web)
    filled = form(page, "/talk/say").hidden
    for words in ("交电费", "停"):
        await web.post("/talk/say", data=filled | {"text": words})
    assert talks.heard == ["交电费", "停"]


async def test_the_same_words_in_a_new_form_count_again(web: httpx.AsyncClient, talks: ScriptedTalks) -> None:
    page = await be(web)
    for _ in range(2):
        page = (await send(web, page, "/talk/say", text="再说一遍")).text
    assert talks.heard == ["再说一遍", "再说一遍"]


async def test_one_button_pressed_in_two_tabs_is_one_press(
    web: httpx.AsyncClient, talks: ScriptedTalks
) -> None:
    talks.add(CHENM, BOT, "要付吗?", "付")
    first = await be(web)
    second = (await web.get("/talk")).text
    for tab in (first, second):
        await send(web, tab, "/talk/press", token="chenm-1-0")
    assert talks.heard == ["付"]


async def test_event_ids_show_nothing_and_belong_to_one_person(
    web: httpx.AsyncClient, talks: ScriptedTalks
) -> None:
    for person in ("chenm", "limin"):
        page = await be(web, person)
        filled = form(page, "/talk/say").hidden | {"text": "8152", "once": "same"}
        await web.post("/talk/say", data=filled)
    assert len(set(talks.served)) == 2
    assert not any("8152" in event or "same" in event for event in talks.served)


async def test_the_keypad_works_without_a_script(web: httpx.AsyncClient, talks: ScriptedTalks) -> None:
    page = await be(web)
    for key in ("1", "2", "7", "back", "3"):
        shown = re.search(r'name="digits"[^>]*value="(\d*)"', page)
        assert shown
        page = (await send(web, page, "/talk/keypad", digits=shown[1], key=key)).text
    assert 'value="123"' in page
    await send(web, page, "/talk/keypad", digits="123", key="send")
    assert talks.heard == ["123"]


async def test_the_keypad_takes_digits_only(web: httpx.AsyncClient, talks: ScriptedTalks) -> None:
    page = await be(web)
    for digits in ("", "12a", "１２", "9" * 33):
        response = await send(web, page, "/talk/keypad", digits=digits, key="send")
        assert response.status_code == 422
        assert "这里只能发数字" in response.text
    assert talks.heard == []


async def test_what_is_too_long_is_kept_in_the_field_and_not_said(
    web: httpx.AsyncClient, talks: ScriptedTalks
) -> None:
    page = await be(web)
    response = await send(web, page, "/talk/say", text="电" * 501)
    assert response.status_code == 422
    assert "这段话太长了" in response.text
    assert f'value="{"电" * 501}"' in response.text
    assert talks.heard == []
    assert (await send(web, response.text, "/talk/say", text="电" * 500)).status_code == 200
    assert talks.heard == ["电" * 500]


async def test_a_whole_letter_is_kept_in_the_field_too(web: httpx.AsyncClient, talks: ScriptedTalks) -> None:
    page = await be(web)
    letter = "我要交电费，" * 900  # as bytes of a form ten times as long
    response = await send(web, page, "/talk/say", text=letter)
    assert response.status_code == 422
    assert "这段话太长了" in response.text
    assert f'value="{letter}"' in response.text
    assert talks.heard == []


async def test_what_is_too_big_to_be_given_back_is_told_in_both_languages_and_leads_back(
    web: httpx.AsyncClient, talks: ScriptedTalks
) -> None:
    page = await be(web)
    filled = form(page, "/talk/say").hidden | {"text": "电" * 30_000}
    response = await web.post("/talk/say", data=filled)
    assert response.status_code == 413
    assert "太大了" in response.text
    assert "more than I can take" in response.text
    assert 'href="/talk#say"' in response.text
    with_scripts = await web.post("/talk/say", data=filled, headers={"HX-Request": "true"})
    assert with_scripts.status_code == 413
    assert "<html" not in with_scripts.text
    assert "太大了" in with_scripts.text
    assert "X-Next-Form" not in with_scripts.headers  # so the field keeps its text
    assert talks.heard == []
    assert (await send(web, page, "/talk/say", text="交电费")).status_code == 200


async def test_empty_words_get_a_friendly_sentence(web: httpx.AsyncClient, talks: ScriptedTalks) -> None:
    page = await be(web)
    for nothing in ("", "  \n", "\u200b\u202e\x00"):
        response = await send(web, page, "/talk/say", text=nothing)
        assert response.status_code == 422
        assert "我没有收到字" in response.text
    assert talks.heard == []


async def test_hidden_characters_never_arrive(web: httpx.AsyncClient, talks: ScriptedTalks) -> None:
    page = await be(web)
    await send(web, page, "/talk/say", text="交\u202e电\x00费\x1b[31m\u2066!")
    assert talks.heard == ["交电费[31m!"]


async def test_markup_and_templates_are_words(web: httpx.AsyncClient, talks: ScriptedTalks) -> None:
    page = await be(web)
    nasty = "<script>alert(1)</script>{{ 7*7 }}{% raw %}'\"><img src=x onerror=y>"
    page = (await send(web, page, "/talk/say", text=nasty)).text
    assert talks.heard == [nasty]
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "{{ 7*7 }}" in page
    response = await send(web, page, "/talk/say", text=nasty * 10)  # too long: comes back in the field
    assert "<script>alert" not in response.text


async def test_what_the_bot_says_is_cleaned_and_escaped_too(
    web: httpx.AsyncClient, talks: ScriptedTalks
) -> None:
    talks.add(CHENM, BOT, "户主:\u202e<b>张</b>\u2069", "<i>付</i>")
    page = await be(web)
    assert "户主:&lt;b&gt;张&lt;/b&gt;" in page
    assert "<i>付" not in page


async def test_a_payment_link_is_a_button_and_a_picture(web: httpx.AsyncClient, talks: ScriptedTalks) -> None:
    page = (await send(web, await be(web), "/talk/say", text="扫码")).text
    assert f'href="{PAY_PAGE}"' in page
    assert "<svg" in page


async def test_a_link_that_is_no_web_address_is_not_offered(
    web: httpx.AsyncClient, talks: ScriptedTalks
) -> None:
    talks.add(CHENM, BOT, "请付款", link="javascript:alert(1)")
    page = await be(web)
    assert "javascript:" not in page
    assert "打开付款页" not in page


async def test_a_script_gets_the_changed_part_and_a_new_form_name(
    web: httpx.AsyncClient, talks: ScriptedTalks
) -> None:
    page = await be(web)
    filled = form(page, "/talk/say").hidden
    response = await web.post("/talk/say", data=filled | {"text": "交电费"}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert "<html" not in response.text
    assert "请告诉我户号" in response.text
    assert response.headers["X-Next-Form"] not in {"", filled["once"]}
    again = await web.get("/talk/live", headers={"HX-Request": "true"})
    assert int(again.headers["X-Talk-Revision"]) > int(response.headers["X-Talk-Revision"])


async def test_the_conversation_decides_larger_letters(web: httpx.AsyncClient, talks: ScriptedTalks) -> None:
    page = await be(web)
    assert 'class="size-large"' in page
    page = (await send(web, page, "/talk/say", text="大一点")).text
    assert 'class="size-largest"' in page
    page = (await send(web, page, "/view", size="standard", back="/talk")).text
    assert 'class="size-standard"' in page
    assert not (await talks.liking(CHENM)).large


async def test_the_language_of_the_page_reaches_the_conversation(
    web: httpx.AsyncClient, talks: ScriptedTalks
) -> None:
    page = await be(web)
    page = (await send(web, page, "/view", locale="en", back="/talk")).text
    assert 'lang="en"' in page
    assert "You are 陈明" in page
    assert (await talks.liking(CHENM)).locale == "en"


async def test_an_english_browser_is_met_in_english(web: httpx.AsyncClient) -> None:
    page = (await web.get("/", headers={"accept-language": "en-GB,en;q=0.9"})).text
    assert "Who are you today?" in page


async def test_a_visit_ends_after_half_a_day(web: httpx.AsyncClient, clock: VirtualClock) -> None:
    from datetime import timedelta

    page = await be(web)
    clock.advance(timedelta(hours=12))
    response = await send(web, page, "/talk/say", text="付")
    assert response.status_code == 403
    assert (await web.get("/talk")).headers["location"] == "/"


async def test_somebody_new_sits_down_as_nobody_of_the_town(
    web: httpx.AsyncClient, talks: ScriptedTalks
) -> None:
    first, second = await be(web, "newcomer"), await be(web, "newcomer")
    await send(web, second, "/talk/say", text="登记")
    assert form(first, "/talk/say") is not None
    assert len(talks.logs) == 1
    assert not {str(p) for p in talks.logs} & {r.id for r in await talks.residents("zh")}
