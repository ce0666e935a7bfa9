"""The parts under the pages: what is shown of a text, the bell, the stream, the words."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bot.web
from bot.channels import Delivery
from bot.channels.web import WebChannel
from bot.web.live import Streams
from bot.web.showing import MOST_ENTRIES, clean, lines, shown, web_link
from bot.web.wording import Wording
from data.ids import PersonId
from dialogues.model import Said
from tests.web.scripted_town import CHENM, ScriptedTalks

WEB = Path(bot.web.__file__).parent


# --- what is shown ---


@given(st.text())
def test_nothing_invisible_survives_and_nothing_visible_is_lost(text: str) -> None:
    import unicodedata

    cleaned = clean(text)
    assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs"} and c not in "\n\u200d" for c in cleaned)
    assert clean(cleaned) == cleaned
    visible = [c for c in text if unicodedata.category(c)[0] in "LN"]
    assert [c for c in cleaned if unicodedata.category(c)[0] in "LN"] == visible


@given(st.text())
def test_the_pieces_of_a_text_are_the_text(text: str) -> None:
    assert "\n".join("".join(piece.text for piece in line) for line in lines(text)) == clean(text)


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("电费 123.45元,3月25日前交。", ["123.45元,"]),
        ("水费46.50元、燃气费 88元", ["46.50元、", "88元"]),
        ("the bill is ¥46.50. Pay?", ["¥46.50."]),
        ("123.45 yuan, due 25 March", ["123.45 yuan,"]),
        ("电费123.45元，要付吗？", ["123.45元，"]),
        ("低于20元就自动充100元，每月最多300元", []),
        ("户号尾号5678,3月25日", []),
    ],
)
def test_amounts_stand_out(text: str, amounts: list[str]) -> None:
    assert [piece.text for line in lines(text) for piece in line if piece.kind == "amount"] == amounts


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        ("https://pay.example/x", True),
        ("http://127.0.0.1:9/x", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//evil.example", False),
        ("https://", False),
        (None, False),
    ],
)
def test_only_web_addresses_become_links(link: str | None, kept: bool) -> None:
    assert (web_link(link) is not None) is kept


def test_a_long_talk_shows_its_end() -> None:
    talks = ScriptedTalks()
    for number in range(MOST_ENTRIES + 10):
        talks.add(CHENM, "bot", f"第{number}句")
    page = shown(talks.logs[CHENM])
    assert len(page) == MOST_ENTRIES
    assert page[-1].text == f"第{MOST_ENTRIES + 9}句"


# --- the bell and the stream ---


async def test_a_letter_wakes_the_pages_of_its_person_and_of_the_staff_only() -> None:
    channel = WebChannel()
    heard: list[str] = []

    async def listen(name: str, bell: object) -> None:
        async for _ in bell:  # type: ignore[attr-defined]
            heard.append(name)

    listeners = [
        asyncio.create_task(listen("chenm", channel.changes(CHENM))),
        asyncio.create_task(listen("limin", channel.changes(PersonId("limin")))),
        asyncio.create_task(listen("staff", channel.all_changes())),
    ]
    await asyncio.sleep(0.01)
    assert channel.watchers(CHENM) == 1
    assert await channel.send(CHENM, Said("utter_greet", "您好")) is Delivery.TAKEN
    await asyncio.sleep(0.01)
    assert sorted(heard) == ["chenm", "staff"]
    for listener in listeners:
        listener.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)
    assert channel.watchers(CHENM) == 0


async def test_the_stream_looks_at_once_rings_on_change_and_ends() -> None:
    channel = WebChannel()
    beats = Streams().beats(channel.changes(CHENM), heartbeat=0.05, lifetime=0.3)
    first = await anext(beats)
    assert "event: news" in first
    assert (await anext(beats)).startswith(":")  # still here
    channel.wake(CHENM)
    assert "event: news" in await anext(beats)
    assert [beat async for beat in beats][-1:] != []  # ends by itself
    assert channel.watchers(CHENM) == 0


async def test_a_closed_page_leaves_no_listener() -> None:
    channel = WebChannel()
    beats = Streams().beats(channel.changes(CHENM), heartbeat=5, lifetime=60)
    await anext(beats)
    await asyncio.sleep(0.01)
    assert channel.watchers(CHENM) == 1
    await beats.aclose()  # type: ignore[attr-defined]
    assert channel.watchers(CHENM) == 0


async def test_a_program_that_ends_lets_its_pages_go() -> None:
    channel, streams = WebChannel(), Streams()
    beats = streams.beats(channel.changes(CHENM), heartbeat=60, lifetime=60)
    await anext(beats)
    rest = asyncio.create_task(_all(beats))
    await asyncio.sleep(0.01)
    streams.close()
    await asyncio.wait_for(rest, 1)
    assert channel.watchers(CHENM) == 0


async def _all(beats: AsyncIterator[str]) -> list[str]:
    return [beat async for beat in beats]


# --- the words and the files ---


def test_both_languages_have_the_same_sentences_and_gaps() -> None:
    sentences = Wording.of_the_house().sentences
    assert sentences["zh"].keys() == sentences["en"].keys()
    for key, zh in sentences["zh"].items():
        en = sentences["en"][key]
        assert type(zh) is type(en), key
        assert sorted(re.findall(r"{\w+}", str(zh))) == sorted(re.findall(r"{\w+}", str(en))), key


def test_every_sentence_is_used_and_every_used_sentence_is_there() -> None:
    sources = [*WEB.glob("templates/*.html"), *WEB.glob("*.py")]
    text = "\n".join(path.read_text("utf-8") for path in sources)
    keys = set(Wording.of_the_house().sentences["zh"])
    dynamic = {f"size_{size}" for size in ("standard", "large", "largest")} | {
        key for key in keys if key.endswith("_title")
    }
    assert {key for key in keys - dynamic if f'"{key}"' not in text and f"'{key}'" not in text} == set()
    called = set(re.findall(r"\b(?:t|several)\([\"'](\w+)[\"'][,)]", text))
    assert called <= keys


def test_templates_hold_no_inline_script_or_style() -> None:
    for path in WEB.glob("templates/*.html"):
        text = path.read_text("utf-8")
        assert not re.search(r"<style|\sstyle=|\son\w+=|hx-on|<script(?![^>]*\ssrc=)|\|\s*safe", text), (
            path.name
        )
        assert not re.search(r"(src|href)=\"(https?:)?//", text), path.name
