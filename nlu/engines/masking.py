"""What of a sentence may leave the house: its words, without numbers, names, addresses or links of anybody."""

from __future__ import annotations

import re

from nlu import aliases

SOMEBODY, NUMBER, LINK = {"zh": "某人", "en": "somebody"}, "#", "(link)"

# A number tells what is wanted no better than a mark in its place, and it may be an account, a code or a telephone.
_NUMBER = re.compile("[0-9][0-9 .,:/-]*")
_DIGIT_ZH = "[零〇○洞一幺腰二两三四五六七拐八九勾十百千万点]"
_SPELLED_ZH = re.compile(f"{_DIGIT_ZH}(?:[ ,、-]?{_DIGIT_ZH}){{2,}}")
_DIGIT_EN = "(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)"
_SPELLED_EN = re.compile(rf"\b{_DIGIT_EN}(?:[ ,-]+{_DIGIT_EN})+\b")
_LINK = re.compile(r"https?://[^\s\u3000-\u9fff]+|[a-z0-9_.+-]+@[a-z0-9_.-]+")
# Where a name may begin in Chinese; 某 of somebody hidden before is none.
_BEFORE = (
    *",。!?;:、 ", "叫", "姓名", "户主", "名字", "户名", "找", "帮", "给", "替", "跟", "和", "同", "为", "让", "请", "问", "代", "对",
    "是", "到", "在", "了", "的",
)  # fmt: skip
_NAME_EN = re.compile(
    r"\b(?P<lead>my name is|i am|i'm|this is|for|of|to|name|named|called|ask|with|from) "
    rf"(?:(?:{aliases.FAMILY_NAMES_EN}) [a-z]{{2,8}}|[a-z]{{2,8}} (?:{aliases.FAMILY_NAMES_EN}))\b"
)
_MOST = 20  # names of one sentence


def masked(text: str, locale: str) -> str:
    """A folded text as a stranger may read it. Rather a word too many is hidden than a name shown."""
    text = _without_names(_LINK.sub(LINK, text), locale)
    text = _NUMBER.sub(NUMBER, text)
    return (_SPELLED_EN if locale == "en" else _SPELLED_ZH).sub(NUMBER, text)


def _without_names(text: str, locale: str) -> str:
    somebody = SOMEBODY.get(locale, SOMEBODY["en"])
    for _ in range(_MOST):
        name = aliases.person_name(text, locale)
        if name is None:
            break
        text = text.replace(name, somebody)
    if locale == "en":
        return _NAME_EN.sub(lambda match: f"{match['lead']} {somebody}", text)
    return _hidden(text, somebody)


def _hidden(text: str, somebody: str) -> str:
    """程福生 and 程福 are hidden wherever a name may begin; 方便的 is not."""
    shown, at = "", 0
    while at < len(text):
        length = _name_at(text, at) if at == 0 or text[:at].endswith(_BEFORE) else 0
        shown += somebody if length else text[at]
        at += length or 1
    return shown


def _name_at(text: str, at: int) -> int:
    """How many characters of the text from here look like a name; 0 when none do."""
    return next((n for n in (3, 2) if aliases.looks_like_name(text[at : at + n])), 0)
