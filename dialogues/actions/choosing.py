"""What may be chosen and is known only in this talk: the words and keys of each, and the short list that is read."""

from __future__ import annotations

from collections.abc import Mapping

_MOST_LINES = 6  # nobody reads thirty; a name or a tail finds the others all the same
_MORE = {"zh": ["别的", "其他"], "en": ["another", "other"]}
_KEYS = 3  # nobody keeps more in mind, by ear


def by_keys(words: Mapping[str, list[str]], locale: str, page: int = 0) -> tuple[dict[str, list[str]], str]:
    """Choices known only in this talk with their telephone keys, and what is said of the keys.

    Of more than three, two are told at a time and the third key turns the page ("more"); every word is understood.
    """
    names = list(words)
    many = len(names) > _KEYS
    at = page * (_KEYS - 1) % len(names) if many else 0
    told = [*(names[at:] + names[:at])[: _KEYS - 1], "more"] if many else names
    every = {**words, "more": _MORE[locale]} if many else words
    keys = {name: str(n) for n, name in enumerate(told, start=1)}
    press, comma = ("{}请按{}", "，") if locale == "zh" else ("{}, press {}", "; ")
    said = comma.join(press.format(every[name][0], keys[name]) for name in told)
    return {name: [*said_as, *filter(None, [keys.get(name)])] for name, said_as in every.items()}, said


def shortened(places: list[str], locale: str) -> list[str]:
    more = len(places) - _MOST_LINES
    if more <= 0:
        return places
    rest = (
        f"另外还有{more}户，说户主的名字就行" if locale == "zh" else f"and {more} more: say the holder's name"
    )
    return [*places[:_MOST_LINES], rest]


def ordinal(n: int, locale: str) -> list[str]:
    if locale == "en":
        return [["the first", "the second", "the third", "the fourth"][n - 1]] if n <= 4 else []
    numeral = "一二三四五六七八九"[n - 1] if n <= 9 else str(n)
    return [f"第{numeral}个", f"第{numeral}户"]
