"""水电气都交了: several bills of one home in one breath, and what is put to them or taken off while they are read back."""

from __future__ import annotations

import re
from typing import Any

from data.model import Utility
from data.money import Money
from nlu import aliases
from nlu.commands import CorrectSlot, Expectation, StartFlow
from nlu.numbers import Found, find_amount, parse_amount

FLOW = "pay_joint"
CHANGE = "joint_change"
_ALL_ZH = re.compile("都|全|所有|统统|一起|一次|一块儿?(?=交|缴|付)|一并|几样|几笔|各样|每样|一塌刮子|通通")
_ALL_EN = re.compile(r"\b(?:all|every(?:thing)?|both|together|in one go|at once|each|the lot)\b")
_BILLS_ZH = re.compile("家里?|费|账单|单子|欠")
_BILLS_EN = re.compile(r"\b(?:bills?|household|home|house|flat|owed?|due|everything|utilities)\b")
_PAYS_ZH = re.compile("[交缴付充买]")
_PAYS_EN = re.compile(r"\b(?:pay|settle|top up|clear)\b")
_OFF_ZH = re.compile(
    "(?:先|暂时|就|都|今天)?(?:不|别|甭|不要|不用)(?:要|用|想)?(?:交|缴|付|充|弄|管)|(?:不要|不用)(?=[水电燃煤气固宽有供暖]|了|吧|$)|去掉|拿掉|删掉|除外|除了|不算|去了"
)
_OFF_EN = re.compile(
    r"\b(?:don't|do not|not|without|except|leave out|leave off|take off|drop|skip|remove|take out)\b"
)
_ON_ZH = re.compile("交|缴|付|充|买|加|也|带|还有|算上")
_ON_EN = re.compile(r"\b(?:pay|add|put|top up|also|too|as well|include|plus)\b")
_PIECES_ZH = re.compile("[,。;、]|然后|再(?=把|加|充|交)|但是?|不过")
_PIECES_EN = re.compile(r"[,.;]|\bbut\b|\bthen\b|\band (?=add|pay|put|leave|drop|skip|don't|top)")


def together(begun: list[StartFlow], text: str, locale: str) -> list[StartFlow]:
    """Several payments of one sentence as one joint bill; unchanged when they are something else.

    An amount or a number belongs to one bill, so a sentence with either stays as it was read.
    """
    if not begun or any(wish.flow != "pay_bill" or _names_one_bill(wish) for wish in begun):
        return begun
    if (meant := _put_right(text, locale)) is not None:
        return [StartFlow("pay_bill", {**begun[-1].slots, **_whose(text, locale), "utility": meant.value})]
    kinds = [kind.value for kind in aliases.utilities(text, locale)]
    if len(kinds) == 1 or (not kinds and not _means_all(text, locale)):
        return begun
    if len(begun) > 1 and not _in_one_breath(text, locale):
        return begun
    return [StartFlow(FLOW, slots(text, locale))]


_SLIP_ZH = re.compile("(?:不对|说错了?|讲错了?|错了|搞错了?|弄错了?)[,。 啊呀哦]*(?:应该)?是?")
_SLIP_EN = re.compile(r"\b(?:no wait|sorry|i mean|i meant|no)\b,? ?(?:i mean )?(?:it's )?(?:the )?")


def _put_right(text: str, locale: str) -> Utility | None:
    """水费,哎不对,是燃气费: one bill before a slip and one behind it; the one behind it is meant."""
    parts = (_SLIP_EN if locale == "en" else _SLIP_ZH).split(text, maxsplit=1)
    named = [aliases.utilities(part, locale) for part in parts]
    return named[1][0] if len(named) == 2 and all(len(kinds) == 1 for kinds in named) else None


def slots(text: str, locale: str) -> dict[str, Any]:
    """Which kinds of bills a folded text names, and whose."""
    kinds = [kind.value for kind in aliases.utilities(text, locale)]
    return ({"joint_kinds": kinds} if kinds else {}) | _whose(text, locale)


def _whose(text: str, locale: str) -> dict[str, Any]:
    named = {
        "relation": aliases.relation(text, locale),
        "person_name": aliases.person_name(text) if locale == "zh" else None,
    }
    return {name: value for name, value in named.items() if value}


def _names_one_bill(wish: StartFlow) -> bool:
    return not {"amount", "account"}.isdisjoint(wish.slots)


def _means_all(text: str, locale: str) -> bool:
    english = locale == "en"
    every, bills = (_ALL_EN, _BILLS_EN) if english else (_ALL_ZH, _BILLS_ZH)
    return bool(every.search(text) and bills.search(text))


def _in_one_breath(text: str, locale: str) -> bool:
    """水费、电费都交了 is one wish; 交水费,再交电费 are two, and each has its own verb."""
    every, pays = (_ALL_EN, _PAYS_EN) if locale == "en" else (_ALL_ZH, _PAYS_ZH)
    return bool(every.search(text)) or len(pays.findall(text)) == 1


def change(text: str, expectation: Expectation, locale: str) -> CorrectSlot | None:
    """电费也充50, 燃气先不交: what changes in a joint bill that is being read back; None when nothing surely does."""
    if expectation.in_flow != FLOW or expectation.asks not in ("confirm", "code"):
        return None
    breaks = _PIECES_EN if locale == "en" else _PIECES_ZH
    changes = [one for piece in breaks.split(text) for one in _changes(piece, locale)]
    return CorrectSlot(CHANGE, changes) if changes else None


def _changes(piece: str, locale: str) -> list[dict[str, Any]]:
    kinds, amount = aliases.utilities(piece, locale), _amount(piece, locale)
    off, on = (_OFF_EN, _ON_EN) if locale == "en" else (_OFF_ZH, _ON_ZH)
    if kinds and off.search(piece):
        return [_one("drop", kind, None) for kind in kinds]
    if kinds and (on.search(piece) or amount is not None):
        return [_one("add", kind, amount) for kind in kinds]
    if amount is not None and re.search("充|top up" if locale == "en" else "充", piece):
        return [_one("add", None, amount)]  # 也充50: the one meter that can be topped up
    return []


def _amount(piece: str, locale: str) -> int | None:
    """The fen a piece names, by the strict reader; a bare number counts when it is the only one."""
    found = find_amount(piece, locale)
    if isinstance(found, Found):
        return found.amount.fen if isinstance(found.amount, Money) else None
    bare = re.findall(r"(?<![\d.])\d{1,4}(?:\.\d{1,2})?(?![\d.])", piece)
    said = parse_amount(bare[0], locale) if len(bare) == 1 else None
    return said.fen if isinstance(said, Money) else None


def _one(do: str, kind: Utility | None, fen: int | None) -> dict[str, Any]:
    return {"do": do, "kind": None if kind is None else kind.value, "fen": fen}
