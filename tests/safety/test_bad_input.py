"""Whatever is typed, at whatever question: a clear reply, nothing of it carried out, nothing charged, nothing lost."""

from __future__ import annotations

import re

import pytest

from bot.talks import history
from data.ids import PersonId
from dialogues import staffing
from dialogues.testing.world import Sent
from tests.safety.real_town import RealTown

NASTY = {
    "far too long": "交电费" * 3_000,
    "many digits": "1" * 400,
    "a yes without end": "付" * 501,
    "emoji": "👍👌🎉",
    "a family of emoji": "👨‍👩‍👧‍👦❤️‍🔥",
    "control characters": "\x00\x01\x07付\x1b[2J",
    "text turned round": "\u202e付\u202c",
    "hidden characters": "\u200b付\ufeff\u2060",
    "half a character": "\ud83d付",
    "sql": "'; DROP TABLE payments; --",
    "more sql": "' OR '1'='1",
    "html": "<script>alert(1)</script><img src=x onerror=付>",
    "a template": "{{7*7}}{% for x in ().__class__.__mro__ %}{{x}}{% endfor %}",
    "a format string": "{amount} {holder.__class__} %s%n ${jndi:ldap://x}",
    "our own button": "/affirm",
    "our own choice": '/choose{"electricity"}',
    "json": '{"act": "pay", "amount": 1}',
    "not a number": "NaN",
    "a power": "1e9",
    "less than nothing": "-100",
    "infinity": "∞元",
}
SECRETS = {
    "a card": "6222021234567890128",
    "a card in groups": "我的卡号 6222 0212 3456 7890 128",
    "a foreign card": "4111 1111 1111 1111",
    "an identity card": "身份证11010519491231002X",
    "a bank's code": "银行发来的验证码是482913",
    "a bank's code in English": "the bank code is 482913",
    "a card's password": "我的银行卡密码是739164",
    "a long password": "招商银行的密码 73916428",
}
# How each question is reached, and what waits there.
QUESTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "open": ("limin", ()),
    "account": ("chenm", ("交电费",)),
    "name_check": ("chenm", ("交电费", "0319001200345678")),
    "amount": ("limin", ("交电费",)),
    "confirm": ("limin", ("交水费",)),
    "code": ("limin", ("交水费", "确认")),
}


@pytest.mark.parametrize("question", QUESTIONS)
async def test_nonsense_gets_a_reply_and_moves_nothing(town: RealTown, question: str) -> None:
    person, way = QUESTIONS[question]
    await town.open(person)
    for name, text in NASTY.items():
        await town.says(person, "停", *way)
        assert await town.asks(person) == question
        heard = await town.says(person, text)
        assert heard, f"silence after {name} at {question}"
        assert not _echoed("\n".join(heard)), f"{name} at {question} came back: {heard}"
        assert await town.asks(person) != "code" or question == "code", f"{name} passed for a yes"
    facts = await town.facts()
    assert facts.captures == []
    assert [c for c in facts.gateway_calls or () if c.action == "pay"] == []
    assert await _wrong(town) == []
    assert town.log.getvalue() == ""  # nothing of it is a mistake of ours


# What passes for a number somewhere, and what the biller of a prepaid meter (10 to 5,000 yuan, by tens) does not take.
NO_AMOUNTS = [
    "1e3",
    "NaN",
    "-0",
    "1_000",
    "0.001",
    "0",
    "-50",
    "999999999",
    "1.234",
    "15",
    "5",
    "6000",
    "2月30号",
]


async def test_an_amount_that_is_none_is_asked_for_again_and_changes_nothing(town: RealTown) -> None:
    await town.open("limin")
    for text in NO_AMOUNTS:
        for wish in (text, f"充{text}"):
            await town.says("limin", "停", "交电费")
            assert await town.asks("limin") == "amount"
            heard = await town.says("limin", wish)
            assert heard, f"silence after {wish}"
            assert await town.asks("limin") not in ("confirm", "code"), (
                f"{wish} passed for an amount: {heard}"
            )
    await town.says("limin", "停", "交电费")
    (read_back,) = (await town.says("limin", "１００"))[
        -1:
    ]  # a wide 100 is a hundred, and read back before anything
    assert "100元" in read_back
    assert await town.captures() == []
    assert await _wrong(town) == []
    assert town.log.getvalue() == ""


ENGLISH = {
    "top up 1e3": "did not follow",
    "NaN": "did not follow",
    "-0": "did not follow",
    "top up 1_000": "did not follow",
    "0.001": "did not follow",
    "999999999": "did not follow",
    "30 February": "did not follow",
    "top up 15": "in steps of 10 yuan",
    "6000": "10 yuan to 5000 yuan",
}


async def test_in_english_too_it_is_told_and_asked_for_again(town: RealTown) -> None:
    await town.open("limin", locale="en")
    for wish, sentence in ENGLISH.items():
        heard = "\n".join(await town.says("limin", "stop", "pay the electricity bill", wish))
        assert sentence in heard, f"{wish}: {heard}"
        assert "How much shall I top up?" in heard
    read_back = await town.says("limin", "stop", "pay the electricity bill", "top up １００")
    assert "100 yuan" in read_back[-1]
    assert await town.captures() == []
    assert await _wrong(town) == []


TERMS = {
    "zh": (
        "停",
        "我爸妈家电费低于20元就自动充100元，",
        ("一个月最多1e3", "一个月最多-0元", "一个月最多0.001元", "到2月30号"),
    ),
    "en": (
        "stop",
        "top up my parents' electricity automatically with 100 when it drops below 20, ",
        ("at most 1e3 a month", "at most -0 yuan a month", "at most 0.001 yuan a month", "until 30 February"),
    ),
}


@pytest.mark.parametrize("locale", TERMS)
async def test_a_cap_or_an_end_that_is_none_is_asked_for_and_never_agreed_to(
    town: RealTown, locale: str
) -> None:
    stop, wish, ends = TERMS[locale]
    await town.open("limin", locale=locale)
    for end in ends:
        (asked,) = await town.says("limin", stop, wish + end)
        assert re.search("一个月最多充多少钱|How much at most in a month", asked), f"{end}: {asked}"
        assert await town.asks("limin") == "amount"
    agreed = await town.app.store.run(lambda tx: tx.conn.exec_driver_sql("SELECT id FROM mandates").all())
    assert agreed == []
    assert await _wrong(town) == []


def _echoed(text: str) -> bool:
    return any(
        part in text for part in ("script", "DROP", "49", "__class__", "jndi", "\x1b", "\u202e", "{", "}")
    )


@pytest.mark.parametrize("question", QUESTIONS)
async def test_what_belongs_to_a_bank_is_refused_and_not_kept(town: RealTown, question: str) -> None:
    person, way = QUESTIONS[question]
    await town.open(person)
    for name, text in SECRETS.items():
        await town.says(person, "停", *way)
        heard = await town.says(person, text)
        assert any(s.response.startswith("utter_refuse_") for s in await _last(town, person, len(heard))), (
            f"{name} at {question}: {heard}"
        )
    assert await town.captures() == []
    written = town.rows() + town.log.getvalue()
    talk = await _talk_as_shown(town, person)
    for digits in (
        "6222021234567890128",
        "4111111111111111",
        "11010519491231002",
        "482913",
        "739164",
        "6428",
    ):
        # A name made by chance (pay_hms0156428t) may hold four digits in a row; a code stands by itself.
        alone = re.compile(f"(?<![0-9a-z]){digits}(?![0-9a-z])")
        assert not alone.search(written.replace(" ", ""))
        assert not alone.search(talk.replace(" ", ""))


async def _last(town: RealTown, person: str, n: int) -> list[Sent]:
    return (await town.heard_by(person))[-n:]


async def _talk_as_shown(town: RealTown, person: str) -> str:
    """The person's page and the mirror the staff looks at."""
    who = PersonId(person)
    page = await town.app.store.run(lambda tx: history(tx, who))
    mirror = await town.app.store.run(lambda tx: staffing.mirror(tx, who, limit=1_000))
    return "\n".join([*(e.text for e in page), *(line.text for line in mirror)])


async def _wrong(town: RealTown) -> list[str]:
    """Broken promises, but for the sentences that the same nonsense again and again is answered with."""
    return [found for found in await town.broken() if not found.startswith("S-I7")]


async def test_what_was_asked_is_still_answered_after_all_that(town: RealTown) -> None:
    """Nothing is lost: the same talk goes on and pays, once."""
    await town.open("limin")
    await town.says("limin", "交水费")
    for text in (NASTY["sql"], SECRETS["a card"]):
        await town.says("limin", text)
    await town.says("limin", "确认", await town.code("limin"))
    assert await town.captures() == [("W-LI", 4_650)]
    assert await _wrong(town) == []
