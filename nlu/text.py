"""What reached us, cleaned of tricks and typing habits, before anybody looks for a meaning in it."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Longer than any wish we ever heard; what is longer was pasted, and is asked to be said in short.
MAX_LENGTH = 500
# Stands for a character that may hide or turn digits round: no value is ever read across it.
UNSAFE = "\ufffd"

# Copying a telephone number out of a chat brings direction marks along at its ends: harmless there, a trick inside.
_DIRECTION = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_CJK = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_LATIN = re.compile("[a-z]")
_SPACE = re.compile(r"\s+")
# A comma or point between two digits belongs to a number; a space between two digits groups it.
_CLAUSE_END = re.compile(r"[。!?;、~…\n]+|\.{2,}|[,.:](?![0-9])|(?<![0-9])[,.:]")
_HESITATION = re.compile(r"…|\.{2,}|。{2,}")


def fold(text: str) -> str:
    """The text in one spelling: half-width, lower case, single spaces, no controls, no pictures.

    A superscript or circled digit would become a plain digit (10² → 102): it becomes UNSAFE instead.
    """
    text = _DIRECTION.sub(UNSAFE, text)
    text = _edges(text)
    text = "".join(_plain(char) for char in text)
    return _SPACE.sub(" ", text).strip().lower()


def is_plain(text: str) -> bool:
    """Nothing invisible in it: what a person sees is what we read. Only such a text can be a yes."""
    return not any(
        unicodedata.category(char) in {"Cf", "Cc", "Co", "Cs", "Cn"} and char not in "\n\t\r" for char in text
    )


def _edges(text: str) -> str:
    return text.strip().strip(UNSAFE).strip()


@lru_cache(maxsize=16384)
def _plain(char: str) -> str:
    category = unicodedata.category(char)
    if category == "No" or (category == "Nd" and not _everyday_digit(char)):
        return UNSAFE
    if category in {"Cf", "Mn", "Me"}:
        return ""
    if category == "Sk" and not char.isascii():  # the skin colours of picture characters
        return " "
    if category in {"Cc", "Cs", "Co", "Cn", "So", "Zl", "Zp"} and char != UNSAFE:
        return " "
    return unicodedata.normalize("NFKC", char)


def _everyday_digit(char: str) -> bool:
    return char.isascii() or "０" <= char <= "９"


def clauses(text: str, spaces: bool = True) -> list[str]:
    """The parts of a folded text between its punctuation marks (and, in Chinese, its spaces), without empty ones."""
    parts = _CLAUSE_END.split(text)
    if spaces and _CJK.search(text):
        parts = [piece for part in parts for piece in re.split(r"(?<![0-9a-z])\s+|\s+(?![0-9a-z])", part)]
    return [part.strip() for part in parts if part.strip()]


def tight(text: str) -> str:
    """Without spaces, except between two digits: 20 块 → 20块, but 100 50 stays two numbers."""
    return re.sub(r"(?<![0-9])\s+|\s+(?![0-9])", "", text)


def is_question(text: str) -> bool:
    """Asked rather than said: such a text is never a yes."""
    return "?" in text or bool(re.search(r"(吗|么|嘛\?|呢)$", text.rstrip("。!,. ")))


def hesitates(text: str) -> bool:
    """Trails off (嗯……那个……)."""
    return bool(_HESITATION.search(text))


def spoken_locale(text: str, default: str) -> str:
    """Chinese or English by the letters used; digits alone say nothing, so the talk's own language stays."""
    if _CJK.search(text):
        return "zh"
    return "en" if _LATIN.search(text) else default
