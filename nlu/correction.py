"""不对,是水费: what a person puts right, and only that. Values come from the strict readers alone."""

from __future__ import annotations

import re

from data.money import Money
from nlu import aliases
from nlu.asking import Ask
from nlu.commands import Command, CorrectSlot, Deny, Expectation, Refuse
from nlu.consent import begins_with_no
from nlu.digits import find_number
from nlu.numbers import Found, find_amount, says_all
from nlu.text import is_question

_WRONG_ZH = re.compile(
    "不对|不是|错了|弄错|搞错|说错|讲错|打错|按错|听错|输错|念错|改成|改为|换成|换一下|改一下|应该是|我说的是|我要的是|不要(?=.*要)"
)
_WRONG_EN = re.compile(
    r"\b(?:wrong|not|incorrect|mistake|instead|change (?:it|that)|make it|i meant|i mean|i said|sorry|rather|actually)\b|^no\b"
)
_AFTER_ZH = re.compile(
    "(?:应该是|我说的是|我要的是|而是|是|改成|改为|换成|要(?:交|付|充|查)?的?是?|交|充|查|用)(?P<new>[^是]*)$"
)
_AFTER_EN = re.compile(
    r"(?:\bit's|\bits|\bit is|\bi meant|\bi mean|\bi said|\bto|\bbut|\bmake it|\brather|\bi want|,)\s+(?P<new>[^,]*)$"
)
_OWN_ZH = re.compile(
    "(?:用|交|查|付|是|换成?|改成|要)?(?:我自己|我自个儿?|自己|我)(?:家)?的(?:那个|这个|那户|户号|号码|号|账户|账单)?(?:吧|啊|呀)?$|(?:用|换成?|改成)(?:我家|自己家|自家|自己)(?:的)?"
)
_OWN_EN = re.compile(r"\b(?:my own|mine|use my (?:account|number)|my (?:account|number) instead)\b")
_NUMBER_WRONG_ZH = re.compile(
    "(?:户号|号码|编号|账号|号|数字)(?:说|打|按|念|输|弄|搞|报)?(?:不对|错了?|有误|弄错了?)|(?:打|按|念|输|报)错(?:了)?(?:号|户号|号码|数字|一位|一个)"
)
_NUMBER_WRONG_EN = re.compile(
    r"\b(?:wrong (?:account|number|digit)|(?:number|account) (?:is|was) wrong|mistyped|typo)\b"
)
_AMOUNT_WRONG_ZH = re.compile("(?:金额|数目|钱数|钱)(?:说|打|弄|搞)?(?:不对|错了?|有误)")
_AMOUNT_WRONG_EN = re.compile(r"\b(?:wrong amount|amount (?:is|was) wrong)\b")
# 哪里不对? — 金额. One of the parts that were read back, and no more.
_PARTS = {
    "account": re.compile(
        "(?:户头?号|客户?编号|编号|号码|账号|号)|(?:account|customer)? ?number|account|household"
    ),
    "amount": re.compile("金额|钱数|数目|钱|多少钱|价钱|amount|sum|money|price|how much"),
    "utility": re.compile(
        "哪一?[样种个]费|费用|费的?种类|种类|哪一?种|哪一?样|账单|单子|kind|kind of bill|type|bill|type of bill"
    ),
}
_PART_ROUND = re.compile(
    r"^(?:(?:是|就是|那个|这个|the|it's|its|which) ?)+|(?:[的吧啊呀。.!]|(?: is| was)?(?: wrong| not right)|不对|错了?)+$"
)
_PAYS_ZH = re.compile("付|交|缴|充|存|改|来|按")
_ADDS_ZH = re.compile("也|另外|还要|再(?!说)|顺便|一起|同时")
_ADDS_EN = re.compile(r"\b(?:also|as well|too|another|and then)\b")


def correction(text: str, expectation: Expectation, locale: str) -> Command | None:
    """The correction in a folded text, or None. Inside a flow also a new amount at the read-back (先付二十)."""
    english = locale == "en"
    if part := _named_part(text, expectation):
        return CorrectSlot(part, None)
    wrong = bool((_WRONG_EN if english else _WRONG_ZH).search(text))
    if (_ADDS_EN if english else _ADDS_ZH).search(text) and not wrong:
        return None
    if wrong or _names_own(text, expectation, english):
        put_right = _put_right(text, expectation, locale)
        if put_right is not None:
            return put_right
    if expectation.asks == "name_check" and begins_with_no(text, locale):
        return Deny()
    return _new_amount(text, expectation, locale)


def _named_part(text: str, expectation: Expectation) -> str | None:
    """Which part of a read-back somebody names as wrong, by its bare name."""
    if expectation.asks not in {"confirm", "code"} or is_question(text):
        return None
    bare = _PART_ROUND.sub("", text).strip()
    return next((slot for slot, names in _PARTS.items() if names.fullmatch(bare)), None)


def _names_own(text: str, expectation: Expectation, english: bool) -> bool:
    return expectation.asks in {"name_check", "account", "confirm"} and _own(text, english)


def _own(text: str, english: bool) -> bool:
    return bool((_OWN_EN if english else _OWN_ZH).search(text))


def _put_right(text: str, expectation: Expectation, locale: str) -> Command | None:
    english = locale == "en"
    number = find_number(text)
    if isinstance(number, str):
        return CorrectSlot("account", number)
    if kind := _right_utility(text, locale):
        return CorrectSlot("utility", kind)
    if _own(text, english):
        return CorrectSlot("account", "own")
    if (_NUMBER_WRONG_EN if english else _NUMBER_WRONG_ZH).search(text):
        return CorrectSlot("account", None)
    if (_AMOUNT_WRONG_EN if english else _AMOUNT_WRONG_ZH).search(text):
        return CorrectSlot("amount", None)
    if expectation.asks != "name_check":
        return _right_amount(text, locale) or _right_household(text, locale)
    return None


def _right_utility(text: str, locale: str) -> str | None:
    """The bill that is meant: of 不是电费,是水费 the one that is not denied."""
    named = aliases.utilities(text, locale)
    if not named:
        return None
    match = (_AFTER_EN if locale == "en" else _AFTER_ZH).search(text)
    meant = aliases.utilities(match["new"], locale) if match else []
    if len(meant) == 1:
        return meant[0].value
    denied = re.search(r"(?:不是|不要|not)(?: the| my)? ?(?P<old>\S{1,6})", text)
    rest = [kind for kind in named if denied is None or kind not in aliases.utilities(denied["old"], locale)]
    return rest[0].value if len(rest) == 1 else None


def _right_amount(text: str, locale: str) -> Command | None:
    if says_all(text, locale):
        return CorrectSlot("amount", "all")
    found = find_amount(text, locale)
    if isinstance(found, Found) and isinstance(found.amount, Money):
        return CorrectSlot("amount", found.amount.fen)
    return Refuse("approximate_amount") if found == Ask("approximate") else None


def _right_household(text: str, locale: str) -> Command | None:
    whose = aliases.relation(text, locale)
    return CorrectSlot("relation", whose) if whose else None


def _new_amount(text: str, expectation: Expectation, locale: str) -> Command | None:
    """At the read-back another amount replaces the one read back; it is read back again."""
    if expectation.asks != "confirm" or aliases.utilities(text, locale):
        return None
    if locale != "en" and not _PAYS_ZH.search(text) and not re.search("[块元毛]", text):
        return None
    return _right_amount(text, locale)
