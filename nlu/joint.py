"""水电气都交了: several bills of one home in one breath, and what is put to them or taken off while they are read back."""

from __future__ import annotations

import re
from typing import Any

from data.model import Utility
from data.money import Money
from nlu import aliases, whose
from nlu.commands import CorrectSlot, Expectation, StartFlow
from nlu.numbers import Found, find_amount, parse_amount

FLOW, OWED = "pay_joint", "check_all"
# What is understood from plain words alone: no sentence is guessed to mean it.
SAID_PLAINLY = frozenset({OWED, "pay_again"})
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

    An amount or a number belongs to one bill, so a sentence with either stays as it was read. What the sentence says is
    not to be paid (煤气交了,水费不要) is not in it.
    """
    begun = _carried(begun, text, locale)
    if not begun or any(wish.flow != "pay_bill" or _names_one_bill(wish) for wish in begun):
        return begun
    if (several := whose.people(text, locale)) and not _refused(text, locale):
        return [StartFlow(FLOW, _of_several(several, text, locale))]
    if (meant := _put_right(text, locale)) is not None:
        return [
            StartFlow("pay_bill", {**begun[-1].slots, **whose.named(text, locale), "utility": meant.value})
        ]
    if refused := _refused(text, locale):
        return _but_for(refused, text, locale)
    kinds = [kind.value for kind in aliases.utilities(text, locale)]
    if len(kinds) == 1 or (not kinds and not _means_all(text, locale)):
        return begun
    if len(begun) > 1 and not _in_one_breath(text, locale):
        return begun
    return [StartFlow(FLOW, slots(text, locale))]


_OWN_HOME = re.compile(
    "(?:我|我们|咱|咱们|自己|阿拉)(?:自己)?(?:家|屋)|自己的|我的|我自己|\b(?:my own|mine|our own|for me|myself)\b"
)


def _carried(begun: list[StartFlow], text: str, locale: str) -> list[StartFlow]:
    """帮程老伯看看电费,再看看水费: who was named first is meant all along, unless one's own home is spoken of."""
    named = {name: begun[0].slots[name] for name in _WHO if name in begun[0].slots} if begun else {}
    if len(begun) < 2 or not named or _OWN_HOME.search(text):
        return begun
    return [
        wish if wish.slots.keys() & {*_WHO, "account"} else StartFlow(wish.flow, wish.slots | named)
        for wish in begun
    ]


def _of_several(people: list[dict[str, Any]], text: str, locale: str) -> dict[str, Any]:
    """Several homes: the kinds said of all of them, unless each has its own."""
    kinds = [kind.value for kind in aliases.utilities(text, locale)]
    own = any("joint_kinds" in one for one in people)
    return {"joint_people": people} | ({"joint_kinds": kinds} if kinds and not own else {})


def _refused(text: str, locale: str) -> list[Utility]:
    """The kinds a sentence says are not to be paid."""
    breaks, off = (_PIECES_EN, _OFF_EN) if locale == "en" else (_PIECES_ZH, _OFF_ZH)
    pieces = [piece for piece in breaks.split(text) if off.search(piece)]
    return [kind for piece in pieces for kind in aliases.utilities(piece, locale)]


def _but_for(refused: list[Utility], text: str, locale: str) -> list[StartFlow]:
    """What is left to pay: one bill, several, or all of the home but these; nothing surely when neither is said."""
    left = [kind for kind in aliases.utilities(text, locale) if kind not in refused]
    theirs = whose.named(text, locale)
    if len(left) == 1:
        return [StartFlow("pay_bill", {"utility": left[0].value, **theirs})]
    if left:
        return [StartFlow(FLOW, {"joint_kinds": [kind.value for kind in left], **theirs})]
    every = (_ALL_EN if locale == "en" else _ALL_ZH).search(text)
    return [StartFlow(FLOW, {"joint_without": [kind.value for kind in refused], **theirs})] if every else []


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
    return ({"joint_kinds": kinds} if kinds else {}) | whose.named(text, locale)


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


# 还欠多少 asks after everything at home; 欠多少水费 and 余额多少 after one bill.
_OWED_ZH = re.compile(
    "(?:还|都|一共|总共|到底|我|家里?|现在|这个月|总的)[^,。]{0,4}(?:欠|要交|该交|没交|要付|该付|要缴)[^,。]{0,3}(?:多少|几块|几钿|哪些|哪几|几样|什么|啥)|"
    "(?:都|全都?|全部|统统|一起|通通)(?:给我|帮我|替我|再)?(?:查|看)(?:一?下|一?查|一?看|清楚|一遍)?(?:吧|了|啊|看)*[。.!]*$|(?:哪些|哪几样|什么|啥|几样)(?:费)?(?:还)?(?:没|要|该)(?:交|付|缴)|有(?:没有)?(?:什么|啥)?(?:要|该)(?:交|付|缴)的|欠不欠|有没有欠|是不是欠|欠着?(?:多少|几块|哪些|什么|啥)"
)
_OWED_EN = re.compile(
    r"\b(?:what|how much|anything|which bills)\b.{0,40}\b(?:owe|owed|owing|due|unpaid|outstanding|open)\b|\b(?:check|look up|look at|show me|see) (?:them all|(?:all|everything)(?: of)?(?: (?:the|my|our|their|his|her))?(?: bills?| accounts?)?(?! of the)|all of (?:them|it))\b|\bdo (?:i|we|they) owe\b|\bbehind on anything\b"
)


def of_all(begun: list[StartFlow], text: str, locale: str) -> list[StartFlow]:
    """还欠多少, and 看看电费和水费: one look at several bills of a home; unchanged when it is something else."""
    if not begun or any(
        wish.flow != "check_balance"
        or not wish.slots.keys() <= {*_WHO, "joint_people", "joint_home", "utility"}
        for wish in begun
    ):
        return begun
    if several := whose.people(text, locale):
        return [StartFlow(OWED, _of_several(several, text, locale))]
    kinds = [kind.value for kind in aliases.utilities(text, locale)]
    if len(kinds) > 1:
        return [StartFlow(OWED, {"joint_kinds": kinds} | whose.named(text, locale))]
    asks = (_OWED_EN if locale == "en" else _OWED_ZH).search(text)
    return [StartFlow(OWED, begun[0].slots)] if asks and not kinds and len(begun) == 1 else begun


def owed(text: str, locale: str) -> list[StartFlow]:
    """What a folded text asks after that names no bill: 还欠多少; [] when it names one, or asks nothing of the kind."""
    named = aliases.utilities(text, locale) or re.search(
        "[0-9]|[都全](?:给我|帮我)?[交付缴](?:了|掉|清|齐)", text
    )
    asks = (_OWED_EN if locale == "en" else _OWED_ZH).search(text)
    return [StartFlow("check_balance", whose.named(text, locale))] if asks and not named else []


_WHO = ("relation", "person_name")

_CHOOSES_ZH = re.compile(
    "^(?:我|想|要|请|帮我|先|等等|这个?|把|单子|得|能不能|可以|还是|让我)*(?:改一?改|改一?下|改改|改单子|改一?样|调整一?下|不全交|不全要|"
    "(?:不|别|不要)(?:全|都)[交付]|有的不交|少交一样|去掉一样|去掉几样|加一样|多交一样|有[一几]样不交)(?:单子|吗|吧|啊|了)*$"
)
_CHOOSES_EN = re.compile(
    r"^(?:please |can i |could i |let me |i want to |i'd like to )*(?:change|edit|alter) (?:it|the list|something|one)(?: please)?$|^not all of (?:them|it)(?: please)?$"
)
_CHANGE_KEY = "3"
_PICK = "joint_pick"


def key(keys: str, expectation: Expectation) -> CorrectSlot | None:
    """要改请按3, at a joint read-back; None for every other key."""
    listed = expectation.in_flow == FLOW and expectation.asks == "confirm"
    return CorrectSlot(CHANGE, [{"do": "choose"}]) if listed and keys.rstrip("#") == _CHANGE_KEY else None


def change(text: str, expectation: Expectation, locale: str) -> CorrectSlot | None:
    """电费也充50, 燃气先不交: what changes in a joint bill that is being read back; None when nothing surely does."""
    picks = expectation.slot == _PICK
    if expectation.in_flow != FLOW or not (picks or expectation.asks in ("confirm", "code")):
        return None
    if not picks and (_CHOOSES_EN if locale == "en" else _CHOOSES_ZH).search(text.strip(" ?。.!,")):
        return CorrectSlot(CHANGE, [{"do": "choose"}])
    breaks = _PIECES_EN if locale == "en" else _PIECES_ZH
    changes = [one for piece in breaks.split(text) for one in _changes(piece, locale)]
    if picks and not changes:
        changes = [_one("toggle", kind, None) for kind in aliases.utilities(text, locale)[:1]]
    return CorrectSlot(CHANGE, changes) if changes else None


_ONLY_ZH = re.compile(
    "(?:只|就|光|单|仅|单单)(?:要|想|先|给我|把)*(?:[交缴付充]|(?=[水电燃煤气固宽有供暖座自火闭]))"
)
_ONLY_EN = re.compile(r"\b(?:only|just) (?:pay )?(?:the )?")


def _changes(piece: str, locale: str) -> list[dict[str, Any]]:
    kinds, amount = aliases.utilities(piece, locale), _amount(piece, locale)
    off, on = (_OFF_EN, _ON_EN) if locale == "en" else (_OFF_ZH, _ON_ZH)
    if kinds and off.search(piece):
        return [_one("drop", kind, None) for kind in kinds]
    if kinds and amount is None and (_ONLY_EN if locale == "en" else _ONLY_ZH).search(piece):
        return [{"do": "only", "kinds": [kind.value for kind in kinds]}]
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
