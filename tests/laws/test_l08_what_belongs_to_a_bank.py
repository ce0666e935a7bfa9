"""L8: cards, bank passwords, identity papers and codes of others are never asked for; what is offered is neither kept nor logged."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from bot import logs
from bot.app import release
from data.ids import PersonId
from dialogues import conversations, hearing, staffing
from tests.safety.real_town import RealTown

OFFERED = {
    "card": ("6222021234567890128", "6222021234567890128"),
    "card in groups": ("卡号是 6222 0212 3456 7890 128", "6222021234567890128"),
    "identity card": ("我的身份证号11010519491231002X", "11010519491231002"),
    "bank code": ("银行发来的验证码是482913", "482913"),
    "bank password": ("我银行卡的密码是739164", "739164"),
    "long bank password": ("网银密码 7391642885", "2885"),
    "spoken password": ("银行卡密码是七三九一六四", "七三九一六四"),
}


async def breaches(town: RealTown) -> list[str]:
    """All of it offered, at the open question and where our own code is asked for."""
    await town.open("limin")
    found: list[str] = []
    for name, (words, _) in OFFERED.items():
        for way in (("停",), ("停", "交水费", "确认")):
            await town.says("limin", *way)
            count = len(await town.heard_by("limin"))
            await town.says("limin", words)
            said = (await town.heard_by("limin"))[count:]
            if not any(s.response.startswith("utter_refuse_") for s in said):
                found.append(f"{name} was not refused: {[s.text for s in said]}")
    return found + await _kept(town) + await town.broken()


async def _kept(town: RealTown) -> list[str]:
    """Where something of it still stands: rows, files, log, the page and the staff's mirror."""
    mirror = await town.app.store.run(lambda tx: staffing.mirror(tx, PersonId("limin"), limit=1_000))
    talk = await town.app.store.run(lambda tx: staffing.peek(tx, PersonId("limin")))
    places = {
        "a row": town.rows(),
        "the file": town.database_bytes().decode("latin-1"),
        "the log": town.log.getvalue(),
        "the mirror": "\n".join(line.text for line in mirror),
        "the talk's memory": repr(talk and dict(talk.slots)),
        "a reply": "\n".join(s.text for s in await town.heard_by("limin")),
    }
    return [
        f"{place} holds the {name}"
        for place, text in places.items()
        for name, (_, secret) in OFFERED.items()
        if re.search(rf"(?<![0-9A-Za-z]){secret}(?![0-9A-Za-z])", text.replace(" ", ""))
    ]


async def test_what_is_offered_is_refused_and_not_kept(town: RealTown) -> None:
    assert await breaches(town) == []


def _nothing_is_refused(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("nlu.understand.refusal", lambda text, expectation: None)


def _the_talk_is_kept_as_said(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(conversations, "masked", lambda text: text)
    patch.setattr(hearing, "_OF_A_BANK", frozenset())


@pytest.mark.parametrize("mistake", [_nothing_is_refused, _the_talk_is_kept_as_said])
async def test_a_breach_is_seen(
    town: RealTown, monkeypatch: pytest.MonkeyPatch, mistake: Callable[[pytest.MonkeyPatch], None]
) -> None:
    mistake(monkeypatch)
    assert await breaches(town) != []


# --- where an account number is asked for ------------------------------------------------------------------------------

# As typed, as spelled, cut short or with one figure read wrong; none of it is anybody's account number.
IN_WRITING = {
    "6222021234567890128": "6222021234567890128",
    "4111 1111 1111 1111": "4111111111111111",
    "六二二二零二一二三四五六七八九零一二八": "六二二二零二一二三四五六七八九零一二八",
    "6222021234567891": "6222021234567891",
    "11010519491231002X": "11010519491231002",
    "110105194912310021": "110105194912310021",
}


async def test_it_is_refused_where_an_account_number_is_asked_for(town: RealTown) -> None:
    await town.open("chenm")
    for words, secret in IN_WRITING.items():
        await town.says("chenm", "停", "交电费")
        assert await town.asks("chenm") == "account"
        heard = await town.says("chenm", words)
        assert await town.asks("chenm") == "account", f"{words} was taken: {heard}"
        assert "人工" in heard[0], "what to do when the bill really says so"
        assert await _holding(town, "chenm", secret) == []


async def test_it_is_refused_when_keyed_and_when_said_in_parts(town: RealTown) -> None:
    """On the telephone a number comes by keys, or a few figures at a time; of a card nothing is kept for the next try."""
    await town.open("zhanggf", channel="voice")
    await town.voice("zhanggf", ["交电费"], 0.95)
    await town.key("zhanggf", "4111111111111111#")
    assert (await town.heard_by("zhanggf"))[-2].response == "utter_refuse_card_number"
    await town.voice("zhanggf", ["停"], 0.95)
    await town.voice("zhanggf", ["交电费"], 0.95)
    await town.voice("zhanggf", ["六二二二零二一二"], 0.95)
    assert (await town.heard_by("zhanggf"))[-1].response == "utter_digits_go_on"
    await town.voice("zhanggf", ["三四五六七八九零一二八"], 0.95)
    assert (await town.heard_by("zhanggf"))[-2].response == "utter_refuse_card_number"
    talk = await town.app.store.run(lambda tx: staffing.peek(tx, PersonId("zhanggf")))
    assert talk is not None
    assert "6222" not in repr([dict(frame.context) for frame in talk.stack] + [dict(talk.slots)])
    for secret in ("4111111111111111", "6222021234567890128", "34567890128", "三四五六七八九零一二八"):
        assert await _holding(town, "zhanggf", secret) == []


async def _holding(town: RealTown, person: str, secret: str) -> list[str]:
    """Rows, log, page or memory in which this still stands."""
    mirror = await town.app.store.run(lambda tx: staffing.mirror(tx, PersonId(person), limit=1_000))
    talk = await town.app.store.run(lambda tx: staffing.peek(tx, PersonId(person)))
    places = {
        "a row": town.rows(),
        "the log": town.log.getvalue(),
        "the mirror": "\n".join(line.text for line in mirror),
        "the memory": repr(talk and [dict(talk.slots), [dict(frame.context) for frame in talk.stack]]),
        "a reply": "\n".join(s.text for s in await town.heard_by(person)),
    }
    return [place for place, text in places.items() if secret in text.replace(" ", "")]


# --- never asked for --------------------------------------------------------------------------------------------------

_BANK = re.compile(
    r"银行|卡号|信用卡|储蓄卡|身份证|CVV|网银|\bbank|\bcard number|\bidentity card|\bCVV", re.IGNORECASE
)
# A sentence that speaks of them may only warn.
_WARNS = re.compile(r"不要|别|从来不|都不能|没有记|[Nn]ever|[Dd]o not|\b[Nn]ot\b|did not keep")


def asking_for_a_bank(texts: dict[str, list[str]]) -> list[str]:
    """Sentences that speak of bank matters without warning of them."""
    return [
        f"{name}: {text}"
        for name, said in texts.items()
        for text in said
        if _BANK.search(text) and not _WARNS.search(text)
    ]


def _texts(locale: str) -> dict[str, list[str]]:
    return {name: [v.text for v in found] for name, found in release().responses[locale].items()}


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_no_sentence_asks_for_them(locale: str) -> None:
    assert asking_for_a_bank(_texts(locale)) == []


def test_a_sentence_that_asks_is_seen() -> None:
    asked = {"utter_x": ["请输入您的银行卡号。"], "utter_y": ["Please enter your bank password."]}
    assert len(asking_for_a_bank(asked)) == 2


def test_the_log_masks_whole_numbers_and_drops_secret_keys() -> None:
    entry = logs.mask(None, "", {"event": "paid 0319001200345678", "pin": "4071", "text": "交电费"})
    assert entry == {"event": "paid ***5678", "pin": "***", "text": "***"}
