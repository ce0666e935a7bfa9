"""Runs of numerals read as whole numbers, in Chinese and English, accepted only if they say back the same."""

from __future__ import annotations

import re

CHINESE = "零一二两三四五六七八九十百千万"
CHINESE_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2}
# Receipts in capitals and the short old numerals, in the everyday spelling.
_SAME = str.maketrans(
    {
        "〇": "零", "○": "零", "俩": "两", "兩": "两", "壹": "一", "贰": "二", "貳": "二", "叁": "三", "肆": "四", "伍": "五",
        "陆": "六", "柒": "七", "捌": "八", "玖": "九", "拾": "十", "佰": "百", "仟": "千", "萬": "万", "圆": "元", "圓": "元",
        "塊": "块", "錢": "钱", "點": "点", "廿": "二十", "卅": "三十",
    }
)  # fmt: skip
LARGEST = 99_999

ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ENGLISH_VALUE = {word: value for value, word in enumerate(ONES)} | {
    word: value * 10 for value, word in enumerate(TENS) if value > 1
}
ENGLISH_WORDS = frozenset(_ENGLISH_VALUE) | {"hundred", "thousand"}


class NotANumber(ValueError):
    """The numerals do not form one certain number."""


def everyday(text: str) -> str:
    """Chinese numerals in one spelling (壹佰 → 一百, 廿 → 二十)."""
    return text.translate(_SAME)


def chinese(run: str) -> int:
    """The number one run of Chinese numerals means, 0..99,999. 一百二 is 120, 一百零二 is 102.

    Read by cn2an and said back: what does not say back the same (一千五十, 三零五, 一百零) is not certain.
    Raises NotANumber.
    """
    import cn2an  # lazily: most sentences hold no numerals

    try:
        value = cn2an.cn2an(run, "smart")
    except ValueError:
        raise NotANumber(run) from None
    if value != int(value) or not 0 <= value <= LARGEST:
        raise NotANumber(run)
    spoken = _bare_tens(cn2an.an2cn(int(value)))
    if _bare_tens(run) not in {spoken, _last_unit_left_out(spoken)}:
        raise NotANumber(run)
    return int(value)


def _bare_tens(run: str) -> str:
    """两 as 二, and 一十 as 十 (一百十五 and 一百一十五 are the same number)."""
    return run.replace("两", "二").replace("一十", "十")


def _last_unit_left_out(spoken: str) -> str:
    """一百二十 → 一百二: only when the unit left out is the one just below the unit before it."""
    left_out = re.search(
        "(?:百[一二三四五六七八九]十|千[一二三四五六七八九]百|万[一二三四五六七八九]千)$", spoken
    )
    if left_out:
        return spoken[:-1]
    return spoken[:-1] + "一" if spoken.endswith("百十") else spoken


def english(words: list[str]) -> int:
    """The number some English number words mean, 0..99,999 ("a hundred and five"). Raises NotANumber.

    Said back and compared: "one twenty" and "two fifty" mean one thing to one person and another to the next.
    """
    plain = ["one" if word == "a" else word for word in words if word != "and"]
    value = _sum(plain)
    if plain not in ([*_said(value)], [*_said_in_hundreds(value)]):
        raise NotANumber(" ".join(words))
    return value


def _sum(words: list[str]) -> int:
    total = group = 0
    for word in words:
        if word == "thousand":
            total, group = total + group * 1000, 0
        elif word == "hundred":
            group *= 100
        elif word in _ENGLISH_VALUE:
            group += _ENGLISH_VALUE[word]
        else:
            raise NotANumber(word)
    if not words or total + group > LARGEST:
        raise NotANumber(" ".join(words))
    return total + group


def _said(value: int) -> list[str]:
    if value < 20:
        return [ONES[value]]
    if value < 100:
        return [TENS[value // 10], *([ONES[value % 10]] if value % 10 else [])]
    unit, name = (1000, "thousand") if value >= 1000 else (100, "hundred")
    rest = value % unit
    return [*_said(value // unit), name, *(_said(rest) if rest else [])]


def _said_in_hundreds(value: int) -> list[str]:
    """Twelve hundred and fifty."""
    if not (1100 <= value < 10_000 and value % 1000 >= 100):
        return _said(value)
    rest = value % 100
    return [*_said(value // 100), "hundred", *(_said(rest) if rest else [])]


def spoken_english(value: int) -> str:
    """The number in words: one hundred twenty three."""
    return " ".join(_said(value))
