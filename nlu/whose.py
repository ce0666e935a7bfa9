"""Whose bills a sentence is about: one home or several (程老伯和李大爷, 我爸和我婆婆), each with the kinds said of it."""

from __future__ import annotations

import re
from typing import Any

from nlu import aliases

_AND_ZH = re.compile("[,、;]|和|跟|与|还有|以及")
_AND_EN = re.compile(r"[,;]|\band\b|\bplus\b|\bas well as\b")
# 我女儿说, 叫小周打: who talks or is to do something owns none of the bills.
_TELLS_ZH = re.compile("说|讲|告诉|问|教|叫|让")
_TELLS_EN = re.compile(r"\b(?:told|said|says|asked|taught|tell|ask)\b")
_OWN_ZH = re.compile("我(?:们)?(?:自己)?家(?!里?人)|咱(?:们)?家|自己家|我自己")
_OWN_EN = re.compile(r"\b(?:my own|mine|our own|myself|my home|our home)\b")
_HOME = re.compile("家|我的|自己|\\b(?:home|house|flat|my|our|mine)\\b")


def named(text: str, locale: str) -> dict[str, Any]:
    """The slots that say whose: relation or person_name of one, joint_people of several; {} when nobody is named."""
    several = people(text, locale)
    if several:
        return {"joint_people": several}
    one = {"relation": aliases.relation(text, locale), "person_name": aliases.person_name(text, locale)}
    found = {name: value for name, value in one.items() if value}
    return found or ({"joint_home": True} if _HOME.search(text) else {})


def people(text: str, locale: str) -> list[dict[str, Any]]:
    """Two or more homes named in one breath, in order; [] when there are fewer, or somebody is only quoted.

    Where each has bills of its own (程老伯的水费和李大爷的电费), they stand with it as joint_kinds.
    """
    if (_TELLS_EN if locale == "en" else _TELLS_ZH).search(text):
        return []
    pieces = [piece for piece in (_AND_EN if locale == "en" else _AND_ZH).split(text) if piece.strip()]
    found = [(one, piece) for piece in pieces if (one := _one(piece, locale))]
    if len({tuple(one.items()) for one, _ in found}) < 2:
        return []
    kinds = [[kind.value for kind in aliases.utilities(piece, locale)] for _, piece in found]
    if not all(kinds):
        return [one for one, _ in found]
    return [one | {"joint_kinds": said} for (one, _), said in zip(found, kinds, strict=True)]


def _one(piece: str, locale: str) -> dict[str, Any]:
    if name := aliases.person_name(piece, locale) or _bare_name(piece, locale):
        return {"person_name": name}
    if relation := aliases.relation(piece, locale):
        return {"relation": relation}
    own = (_OWN_EN if locale == "en" else _OWN_ZH).search(piece)
    return {"relation": "self"} if own else {}


def _bare_name(piece: str, locale: str) -> str | None:
    """程福生 between two 和: nothing of a bill stands behind it."""
    word = re.sub("^(?:请|帮|给|替|查一下|查|看看|看|我|一下)*", "", piece.strip())
    word = re.sub("(?:家里?)?的?$", "", word)
    return word if locale != "en" and aliases.is_name(word) else None
