"""L10: no question is asked the same way three times; whoever says the same again and again gets another way, then a person."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.app import release
from tests.safety.real_town import RealTown

# Who is asked what, and how one gets there; the last words are the wish that may be said again.
PLACES: dict[str, tuple[str, tuple[str, ...]]] = {
    "account": ("chenm", ("交电费",)),
    "name": ("chenm", ("交电费", "0319001200345678")),
    "amount": ("limin", ("交电费",)),
    "an offer": ("limin", ("查水费",)),
    "read-back": ("limin", ("交水费",)),
    "code": ("limin", ("交水费", "确认")),
    "go on?": ("limin", ("交水费", "电费还有多少")),
}
AGAIN = ("再说一遍", "什么?", "继续", "您好", "字太小", "为什么", "跳过", "不对", "金额不对", "same wish")
_MOST = 6


async def breaches(town: RealTown, places: tuple[str, ...] = tuple(PLACES)) -> list[str]:
    """Everything that may be said again and again, said again and again at every question."""
    await town.open("limin", "chenm")
    return [
        found
        for place in places
        for words in AGAIN
        if (found := await _said_again_and_again(town, place, words)) is not None
    ]


async def _said_again_and_again(town: RealTown, place: str, words: str) -> str | None:
    person, way = PLACES[place]
    said = way[0] if words == "same wish" else words
    await town.says(person, "停", *way)
    texts: list[str] = []
    for _ in range(_MOST):
        before = len(await town.heard_by(person))
        await town.says(person, said)
        heard = (await town.heard_by(person))[before:]
        if any(s.response == "utter_human_coming" for s in heard) or await town.asks(person) == "open":
            return None
        texts.append(heard[-1].text)
        if texts.count(texts[-1]) > 2:
            return f"{said} at {place}: asked three times: {texts[-1]}"
    return f"{said} at {place}: no person after {_MOST} times, but {texts}"


@pytest.mark.parametrize("place", PLACES)
async def test_said_again_and_again_it_brings_a_person(town: RealTown, place: str) -> None:
    assert await breaches(town, (place,)) == []
    assert await town.broken() == []


def _nothing_is_counted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("dialogues.repair.counted_again", lambda m, kind: (m, 1))


def _misses_do_not_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("dialogues.repair.PATIENCE", 99)


@pytest.mark.parametrize("mistake", [_nothing_is_counted, _misses_do_not_end])
async def test_a_breach_is_seen(
    town: RealTown, monkeypatch: pytest.MonkeyPatch, mistake: Callable[[pytest.MonkeyPatch], None]
) -> None:
    mistake(monkeypatch)
    assert await breaches(town, ("amount",)) != []


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_there_are_words_to_ask_what_is_wrong(locale: str) -> None:
    assert "utter_what_is_wrong" in release().responses[locale]
