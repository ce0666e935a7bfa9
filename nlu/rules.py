"""A standing order in one sentence: 低于五十就充两百,一个月别超五百. Each amount is known by the words round it, never by its order."""

from __future__ import annotations

import re
from dataclasses import dataclass

from data.money import Money
from nlu.asking import Ask
from nlu.numbers import parse_amount
from nlu.text import fold, tight


@dataclass(frozen=True, slots=True)
class Rule:
    """Below which balance, how much each time, at most how much in a month."""

    below: Money
    amount: Money
    monthly_cap: Money | None = None


_N = "(¥?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9零一二两三四五六七八九十百千万点]+)(?:[.][0-9]+)?(?:块|元|毛|角)?[0-9一二三四五六七八九]?(?:毛|角)?钱?)"
_BELOW_ZH = re.compile(
    f"(?:低于|少于|不到|不足|不够|小于|掉到|跌到|剩(?:下)?(?:不到|不足)?|只剩)(?:了)?{_N}(?:以下|的时候|时)?|{_N}以下"
)
_AMOUNT_ZH = re.compile(f"(?:充值?|交|缴|存|补|打|买)(?:上|进)?(?:个)?{_N}")
_CAP_ZH = re.compile(
    f"(?:最多|至多|顶多|封顶|上限|(?:别|不要|不能|不可以|不许|不得|不)超过?|不超)(?:是|为|就)?{_N}|{_N}封顶"
)
_VAGUE = re.compile(r"[几数][十百千块元]|[十百千]几|百把|\b(?:about|around|some|a few|several)\b")
# Words after a figure that make it something else than yuan.
_NO_YUAN = re.compile(
    r"来|多|几|把|左右|上下|e[0-9]|或|还是|到|至|、|次|回|天|度|倍|%|美元| or | to |[ -]?(?:times|days|kwh|units|percent|dollars|euros?|pounds?)\b"
)
_A_MONTH = re.compile("个月")
_IN_A_MONTH = re.compile(r"一个月(?:[,。;]|$)| (?:a|per|each|every) month\b")
_NEGATED = re.compile(r"(?:别|不要|不用|不许|甭|勿|不)$|\b(?:not|don't|do not|never) $")
_MONTH_ZH = re.compile("月")
_WORD_EN = "(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|thousand)"
_N_EN = rf"(¥?[0-9][0-9,.]*(?: (?:yuan|rmb|kuai))?|(?:a )?{_WORD_EN}(?:(?: and)?[ -]{_WORD_EN})*(?: yuan)?)"
_BELOW_EN = re.compile(rf"\b(?:below|under|less than|drops to|falls to|lower than) {_N_EN}(?=\b|,|$)")
_AMOUNT_EN = re.compile(
    rf"\b(?:top up|top it up (?:with|by)|add|put in|charge|recharge|pay|load)(?: (?:with|by|it|another))* {_N_EN}(?=\b|,|$)|\b(?:with|by) {_N_EN}(?=\b|,|$)"
)
_CAP_EN = re.compile(
    rf"\b(?:at most|no more than|not more than|never more than|max(?:imum)?(?: of)?|up to|cap(?:ped)? (?:of|at)) {_N_EN}(?=\b|,|$)"
)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a sentence says of a standing order, each part by itself: an amount, why it is none, or nothing said."""

    below: Money | Ask | None
    amount: Money | Ask | None
    cap: Money | Ask | None
    monthly: bool  # the cap is said of a month
    vague: bool


def parse_rule(text: str, locale: str = "zh") -> Rule | Ask:
    """The rule a sentence sets, or Ask: `none` when below or amount is missing, `several` when one is said twice."""
    said = parts_of(text, locale)
    if said.vague:
        return Ask("approximate")
    for part in (said.cap, said.below, said.amount):
        if isinstance(part, Ask):
            return part
    if not isinstance(said.below, Money) or not isinstance(said.amount, Money):
        return Ask("none")
    if said.cap is not None and not said.monthly:
        return Ask("ambiguous")  # at most so much: in a month, or each time?
    return Rule(said.below, said.amount, said.cap if isinstance(said.cap, Money) else None)


def parts_of(text: str, locale: str = "zh") -> Parts:
    """Below, amount and cap of a sentence, as far as it says them."""
    folded = fold(text)
    said = folded if locale == "en" else tight(folded)
    below_pattern, amount_pattern, cap_pattern = (
        (_BELOW_EN, _AMOUNT_EN, _CAP_EN) if locale == "en" else (_BELOW_ZH, _AMOUNT_ZH, _CAP_ZH)
    )
    cap, said = _take(cap_pattern, said, locale)
    below, said = _take(below_pattern, said, locale)
    amount, said = _take(amount_pattern, said, locale, once=True)
    monthly = bool(_MONTH_ZH.search(folded) or "month" in folded)
    return Parts(below, amount, cap, monthly, bool(_VAGUE.search(folded)))


def _take(
    pattern: re.Pattern[str], said: str, locale: str, *, once: bool = False
) -> tuple[Money | Ask | None, str]:
    """The amount the pattern's words govern, and the sentence without it."""
    matches = list(pattern.finditer(said))
    if len(matches) > 1:
        return Ask("several"), said
    if not matches:
        return None, said
    match = matches[0]
    written = next(value for value in match.groups() if value) if match.groups() else ""
    written, after = _without_a_month(written, said[match.end() :])
    # 1e3 is no way of saying a sum: read in part, it would be another one. 低于五十或者三十 means one of two.
    if _NO_YUAN.match(after):
        return Ask("approximate"), said
    if (once and _IN_A_MONTH.match(after)) or _NEGATED.search(said[: match.start()]):
        return Ask("ambiguous"), said
    return parse_amount(written.rstrip(",. "), locale), said[: match.start()] + "※" + after


def _without_a_month(written: str, after: str) -> tuple[str, str]:
    """五百一 of 五百一个月 is five hundred a month, and no 510."""
    if written.endswith("一") and len(written) > 1 and _A_MONTH.match(after):
        return written[:-1], "一" + after
    return written, after
