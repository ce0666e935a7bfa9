"""Automatic payments beside their terms: from which purse they are paid (换张卡自动扣), and 照样再设一个 for another account."""

from __future__ import annotations

import re

_PURSE_ZH = re.compile(
    "(?:换|改用|改成|换成|换到|改从|改到|用|从|走)(?:一?[张个]|一?下|成|到|的|了)*(?:别的|另外?一?[张个]?|其[他它]|新的?|第[一二三两四]|老的?|旧的?)?(?:那?[张个])?(?:的)?(?:(?<!电)(?<!水)(?<!气)(?<!表)(?:银行)?卡|钱包|银行账户|扣款账户|扣款方式)"
    "|(?:(?:银行)?卡|钱包|扣款账户|扣款方式)(?:给我|帮我|要|想|得)*(?:换|改)(?:一?[张个]|一?下|掉|了|成)"
    "|(?:更换|换掉|换一?下|改一?下)[^,。]{0,10}(?:银行卡|钱包|扣款账户|扣款方式)"
)
_NOT_A_PURSE_ZH = re.compile(
    "[电水气表]卡|IC卡|ic卡|市民卡|交通卡|公交卡|饭卡|电话卡|手机卡|卡表|卡住|卡了|刷卡"
)
_PURSE_EN = re.compile(
    r"\b(?:another|a different|other|new|second|first|my own) (?:bank )?(?:card|wallet|purse)\b|"
    r"\b(?:change|switch|swap) (?:the|my|its) (?:bank )?(?:card|wallet|purse)\b"
)
_TAKES_ZH = re.compile("自动|代扣|扣|以后|从今")
_TAKES_EN = re.compile(
    r"\b(?:auto\w*|direct debit|standing order|by itself|from now on|charge[ds]?|top[- ]?ups?|switch|swap|change)\b"
)

_ALIKE_ZH = re.compile("一样|同样|一模一样|照(?:着|样|这个|那个|此)|这样的")
_SETS_ZH = re.compile("设|开(?!关|水)|弄|办|搞|整|安排|来(?:一?个|一份)|加(?:一?个)")
_ALIKE_EN = re.compile(r"\b(?:the same|same thing|likewise|the like|exactly like|just like|identical)\b")
_SETS_EN = re.compile(r"\b(?:set|arrange|put in place|create|add|have)\b")
_ASKS = re.compile("吗|么|\\?|为什么|为啥|怎么")


def names_another_purse(text: str, locale: str) -> bool:
    """Whether a folded text wants what is paid by itself to be paid from another card or wallet."""
    if locale == "en":
        return bool(_PURSE_EN.search(text) and _TAKES_EN.search(text))
    return bool(_PURSE_ZH.search(text) and _TAKES_ZH.search(text)) and not _NOT_A_PURSE_ZH.search(text)


def wants_the_same(text: str, locale: str) -> bool:
    """给我爸那边也设一个一样的: an agreement like one that stands, for another account."""
    if locale == "en":
        return bool(_ALIKE_EN.search(text) and _SETS_EN.search(text))
    return bool(_ALIKE_ZH.search(text) and _SETS_ZH.search(text)) and not _ASKS.search(text)
