"""What may be chosen and is known only in this talk: the words and keys of each, and the short list that is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MORE = "more"
UNSEEN = ""  # the first word of a choice that stands on another page: understood, and no button
_MOST_LINES = 6  # nobody reads thirty; a name or a tail finds the others all the same
_MORE = {"zh": ["别的", "其他", "更多"], "en": ["another", "other", MORE]}
_MORE_ON_A_SCREEN = {
    "zh": ["更多", "别的", "其他", "下一页", "还有呢"],
    "en": ["More", "another", "other", "next"],
}
_KEYS = 3  # nobody keeps more in mind, by ear


@dataclass(frozen=True, slots=True)
class Place:
    """One thing to choose: the line that is read, the title of its button, and what else it may be called by."""

    line: str
    button: str
    words: tuple[str, ...] = ()


def by_keys(words: Mapping[str, list[str]], locale: str, page: int = 0) -> tuple[dict[str, list[str]], str]:
    """Choices known only in this talk with their telephone keys, and what is said of the keys.

    Of more than three, two are told at a time and the third key turns the page ("more"); every word is understood.
    """
    names = list(words)
    many = len(names) > _KEYS
    at = page * (_KEYS - 1) % len(names) if many else 0
    told = [*(names[at:] + names[:at])[: _KEYS - 1], MORE] if many else names
    every = {**words, MORE: _MORE[locale]} if many else words
    keys = {name: str(n) for n, name in enumerate(told, start=1)}
    press, comma = ("{}请按{}", "，") if locale == "zh" else ("{}, press {}", "; ")
    said = comma.join(press.format(every[name][0], keys[name]) for name in told)
    return {name: [*said_as, *filter(None, [keys.get(name)])] for name, said_as in every.items()}, said


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list to choose from: the words of every choice, those of the other pages too, and what is read."""

    words: dict[str, list[str]]
    told: str
    number: int


def page_of(slots: Mapping[str, Any], chosen: str) -> int:
    """The page to show: the next one after 别的, else the first."""
    return int(slots.get("list_page") or 0) + 1 if slots.get(chosen) == MORE else 0


def listed(places: Mapping[str, Place], locale: str, *, spoken: bool, page: int = 0) -> Page:
    """Places to choose from, a page at a time: by telephone two and the key for more, on a screen six and a button.

    However long the list is, whoever has only keys reaches its end; a name or a tail finds any of them at once.
    """
    if spoken:
        return _by_ear(places, locale, page)
    names = list(places)
    pages = -(-len(names) // _MOST_LINES) or 1
    at = page % pages * _MOST_LINES
    shown = names[at : at + _MOST_LINES]
    words = {
        name: [
            places[name].button if name in shown else UNSEEN,
            *places[name].words,
            str(n),
            *ordinal(n, locale),
        ]
        for n, name in enumerate(names, start=1)
    }
    lines = [f"{n}. {places[name].line}" for n, name in enumerate(names, start=1) if name in shown]
    if pages > 1:
        words[MORE] = _MORE_ON_A_SCREEN[locale]
        lines.append(_rest(len(names) - len(shown), locale))
    return Page(words, "\n".join(lines), page % pages)


def _by_ear(places: Mapping[str, Place], locale: str, page: int) -> Page:
    names = list(places)
    at = page * (_KEYS - 1) % len(names) if len(names) > _KEYS else 0
    turned = names[at:] + names[:at]  # 第一个 is the first that was just heard
    spoken = {
        name: [places[name].line, *places[name].words, *ordinal(n, locale)]
        for n, name in enumerate(turned, start=1)
    }
    words, told = by_keys(spoken, locale)
    return Page(words, told, page)


def _rest(more: int, locale: str) -> str:
    if locale == "zh":
        return f"另外还有{more}户，点「更多」，说户主的名字或尾号也行"
    return f"and {more} more: tap More, or say the holder's name or the last digits"


def ordinal(n: int, locale: str) -> list[str]:
    if locale == "en":
        return [["the first", "the second", "the third", "the fourth"][n - 1]] if n <= 4 else []
    numeral = "一二三四五六七八九"[n - 1] if n <= 9 else str(n)
    return [f"第{numeral}个", f"第{numeral}户"]
