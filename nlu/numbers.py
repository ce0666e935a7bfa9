"""Amounts of money as people say them, read to the fen or asked back, never guessed.

Every amount read here is still read back to the person before anything is done with it. What can go wrong silently, and
therefore has a rule: 零 after 块 makes the next digit fen, without it the digit is mao; 一百二 is 120; "about", "several"
and 两三百 are no amounts; a number before a measure word counts things; of two amounts neither is chosen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from data.money import Money
from nlu import english_numbers, numerals
from nlu.asking import Ask
from nlu.numerals import CHINESE, CHINESE_DIGITS, NotANumber
from nlu.text import fold, tight

ALL: Literal["all"] = "all"


@dataclass(frozen=True, slots=True)
class Found:
    """The one amount of a sentence; `corrected` when the person replaced an earlier one (不是二十,是三十)."""

    amount: Money | Literal["all"]
    corrected: bool = False


_D = "[一二两三四五六七八九1-9]"
_WHOLE = rf"(?:[0-9]{{1,3}}(?:,[0-9]{{3}})+|[0-9]{{1,5}}|[1-9][百千万]|[{CHINESE}]+)"
_DECIMAL = re.compile(
    rf"(?:¥|rmb)?(?P<whole>{_WHOLE})(?:(?:\.|点)(?P<part>[0-9]{{1,2}}|[零一二三四五六七八九]{{1,2}}))?(?P<unit>块钱?|元钱?|rmb|人民币)?整?$"
)
_SPOKEN = re.compile(
    rf"(?:(?P<whole>{_WHOLE})(?P<yuan>块钱?|元钱?))?(?P<zero>零)?(?:(?P<mao>{_D})[毛角]钱?)?(?P<zero2>零)?(?:(?P<fen>{_D})(?P<unit>分钱?)?)?整?$"
)
# One stretch of a sentence that looks like an amount; its neighbours decide whether it is one.
_RUN = re.compile(
    rf"(?:¥|rmb)?[0-9{CHINESE}](?:[0-9{CHINESE}点块元毛角分钱]|整|[.,](?=[0-9]))*(?:rmb|人民币)?"
)
_MONEY_UNIT = re.compile("¥|rmb|人民币|块|元|毛|角|分(?:钱|$)")
# A sign before a number: -50 is no amount anybody pays.
_SIGNED = re.compile(r"(?<![0-9])[-−+]\s*(?:¥|rmb)?\s*[0-9]")
_VERB = "(?:充值|充|交|缴|付|存|打|转)"
_BILL = "(?:电费|水费|燃气费|煤气费|话费|网费|宽带费|取暖费|供暖费|暖气费|电|水|气)"
_GOVERNED = re.compile(rf"{_VERB}(?:了|上|进去|它)?(?:的?{_BILL})?$")
_FREE_END = re.compile(rf"\s*(?:$|[,。!?;、~.]|吧|了|就|啊|呀|哦|嘛|呗|好|行|可以|到|进|得了|谢|的?{_BILL})")
_ABOUT_BEFORE = re.compile(
    "(?:大概|大约|差不多|约|将近|快|不到|超过|最多|至多|顶多|最少|至少|起码|低于|高于|不超|少于|多于|几|数|百)$"
)
_ABOUT_AFTER = re.compile("来(?!电)|多(?!谢|久|少)|几|把|左右|上下|以内|以上|以下|出头|的样子|不到")
_TWO_GUESSES = re.compile("[一二两三四五六七八九]{2}[十百千万块元毛]|[一二两三四五六七八]{2}$")
_NEGATED = re.compile("(?:不|别|没|甭)[^,。!?;]{0,3}$")
_CHANGED_HIS_MIND = re.compile("(?:不对|错了|不是|改成|还是|不不).*[0-9一二两三四五六七八九十百]")
_ALL = re.compile(
    "(?:全部|全都|全|都|统统|一次性?)(?:给我|帮我)?(?:付|交|缴|还|结|充)|(?:付|交|缴|还|结)(?:全部|全额|清)|全额|^全部(?:吧|的|了)?$|有多少(?:就)?(?:付|交|缴)多少"
)
# What only part of the bills, or what keeps to a limit, is not everything.
_NOT_QUITE_ALL = re.compile(
    "除了|除掉|不包括|不算|(?:低于|少于|不到|超过)[0-9零一二两三四五六七八九十百千]|以[下内上]的"
)
# Told of money, not wished: 涨了五块钱, 退我一百块. 扣我一百块 is asked about, and which hundred matters there.
_TOLD = re.compile(
    "(?:涨|贵|便宜|优惠|打折|退|多收|少收|滞纳金|违约金|花|每人|一人|一天|每天)(?:了|给|还|是|要|掉|我|你|他|您)*$"
)
_WRONG = "(?:不对不对|不对|错了|说错了|我说错了|弄错了|搞错了|讲错了|改成|改为|换成|改|不不不|不不)"
_NOT_BUT = re.compile(
    r"(?:不是|不要|不充|不付|不交|别充|别付|别交)(?P<old>[^,。;]{1,15}?)[,。;\s]*(?:而?是|应该是|要|我要|充|付|交)(?P<new>[^不]+)$"
)
_WRONG_FIRST = re.compile(
    rf"^(?:[啊哎呀哦噢唉诶嗯呃,\s]*){_WRONG}[,。!;\s]*(?:应该是|是|我要|要|我说的是)?(?P<new>.+)$"
)
_LEAD = re.compile(
    "^(?:[嗯哦噢啊呃那就先再请给我你您帮替想要来是充交缴付存,\\s]|\\.{2,}|充值|金额|一共|总共|个(?=[0-9一二两三四五六七八九]))+"
)
_TAIL = re.compile("(?:[吧啊呀哦嘛呗哈了的,。!\\s]|好了|就行|就好|行了|可以|就可以|得了|谢谢|就够|够)+$")


def parse_amount(text: str, locale: str = "zh") -> Money | Ask:
    """The amount a person answered when asked for one: bare numbers are yuan. Never a guess: certain, or Ask."""
    folded = fold(text)
    if _SIGNED.search(folded):
        return Ask("ambiguous")
    if locale == "en":
        return english_numbers.parse_amount(folded)
    said = tight(numerals.everyday(folded))
    core = _TAIL.sub("", _LEAD.sub("", said))
    if _RUN.fullmatch(core):
        return _strict(core)
    return _why_not(said)


def find_amount(text: str, locale: str = "zh") -> Found | Ask:
    """The amount inside a sentence: with a unit of money, or after a word of paying (充一百电费)."""
    folded = fold(text)
    if says_all(folded, locale):
        return Found(ALL)
    if _SIGNED.search(folded):
        return Ask("ambiguous")
    if locale == "en":
        money, corrected = english_numbers.find_amount(folded)
        return money if isinstance(money, Ask) else Found(money, corrected)
    return _find(tight(numerals.everyday(folded)))


def says_all(text: str, locale: str = "zh") -> bool:
    """全付, 全部交了, "the whole amount"."""
    if locale == "en":
        return english_numbers.says_all(text)
    if re.search("(?:不|别|没)(?:要|想|用)?(?:全|都)", text) or _NOT_QUITE_ALL.search(text):
        return False
    return bool(_ALL.search(text))


def _find(said: str) -> Found | Ask:
    replaced = _replacement(said)
    if replaced is not None:
        amount = _only(_spots(replaced, bare=True), replaced)
        return amount if isinstance(amount, Ask) else Found(amount, corrected=True)
    amount = _only(_spots(said, bare=False), said)
    return amount if isinstance(amount, Ask) else Found(amount)


def _replacement(said: str) -> str | None:
    """What follows the correction, when the sentence is one; only that counts."""
    if (match := _NOT_BUT.search(said)) and _spots(match["old"], bare=True):
        return match["new"]
    if match := _WRONG_FIRST.match(said):
        return match["new"]
    return None


def _spots(said: str, bare: bool) -> list[re.Match[str]]:
    return [match for match in _RUN.finditer(said) if _is_money(match, said, bare)]


def _is_money(run: re.Match[str], said: str, bare: bool) -> bool:
    before, after = said[: run.start()], said[run.end() :]
    if re.match("[0-9]", after) or re.search(r"[0-9]\s$", before) or len(re.sub("[^0-9]", "", run[0])) > 7:
        return False
    if run[0] == "一块" and not re.match("钱|$|[,。!吧]", after):
        return False  # 水电一块交: together, not one yuan
    if _MONEY_UNIT.search(run[0]):
        return not re.match("钟|开|期|感|别|儿|落", after)
    if re.match(f"{_ABOUT_AFTER.pattern}", after) and re.match("[来多几把]*(?:块|元|毛)", after):
        return True
    governed = _GOVERNED.search(before) is not None or (
        bare and not before.strip(" ,。!的是要我充交付缴吧就还")
    )
    return governed and bool(_FREE_END.match(after) or _ABOUT_AFTER.match(after))


def _only(spots: list[re.Match[str]], said: str) -> Money | Ask:
    if not spots:
        return Ask("approximate") if re.search("块把|[几数](?:块|十|百|千)(?!时)", said) else Ask("none")
    if any(_approximate(spot, said) for spot in spots):
        return Ask("approximate")
    if len(amounts := {_read(spot, said) for spot in spots}) > 1 or _CHANGED_HIS_MIND.search(
        said[spots[0].end() :]
    ):
        return Ask("several")
    before = said[: spots[0].start()]
    if len(spots) == 1 and (_NEGATED.search(before) or _TOLD.search(before)):
        return Ask("ambiguous")  # 别充一百: the one amount he does not want
    return amounts.pop()


def _read(spot: re.Match[str], said: str) -> Money | Ask:
    """九块三 is 9.30 only where it ends: in 九块三个月 the 三 counts months."""
    left_out = spot[0][-1] in CHINESE or spot[0][-1].isdigit()
    return _strict(spot[0]) if not left_out or _FREE_END.match(said[spot.end() :]) else Ask("ambiguous")


def _approximate(spot: re.Match[str], said: str) -> bool:
    before, after = said[: spot.start()], said[spot.end() :]
    return bool(_ABOUT_BEFORE.search(before) or _ABOUT_AFTER.match(after) or _TWO_GUESSES.search(spot[0]))


def _why_not(said: str) -> Ask:
    """Why an answer to 充多少 is not one amount."""
    runs = [match for match in _RUN.finditer(said) if re.search(f"[0-9{CHINESE}]", match[0])]
    if any(_approximate(run, said) for run in runs) or re.search(
        "块把|[几数](?:块|十|百|千)|随便|一点|一些", said
    ):
        return Ask("approximate")
    if not runs:
        return Ask("none")
    return Ask("several" if len(runs) > 1 else "ambiguous")


@lru_cache(maxsize=4096)
def _strict(said: str) -> Money | Ask:
    """The fen of one stretch that holds an amount and nothing else."""
    try:
        if match := _DECIMAL.match(said):
            return _decimal(match, said)
        if match := _SPOKEN.match(said):
            return _spoken(match)
    except NotANumber:
        pass
    return Ask("approximate" if _TWO_GUESSES.search(said) else "ambiguous")


def _decimal(match: re.Match[str], said: str) -> Money | Ask:
    if (
        not match["unit"]
        and len(match["whole"]) > 1
        and re.fullmatch("[零一二两三四五六七八九]+", match["whole"])
    ):
        return Ask("ambiguous")  # 三零五: digits one by one, not an amount
    part = "".join(str(CHINESE_DIGITS.get(char, char)) for char in match["part"] or "")
    return _positive(_yuan(match["whole"]) * 100 + int(part.ljust(2, "0")))


def _spoken(match: re.Match[str]) -> Money | Ask:
    """Pieces with 块, 毛 and 分; the last unit may be left out."""
    whole, mao, fen = match["whole"], match["mao"], match["fen"]
    if (
        not (whole or mao or match["unit"])
        or (match["zero"] and not (mao or fen))
        or (match["zero2"] and not fen)
    ):
        return Ask("ambiguous")
    total = (_yuan(whole) * 100 if whole else 0) + (_digit(mao) * 10 if mao else 0)
    if not fen:
        return _positive(total)
    if not whole or mao or match["zero"] or match["zero2"]:
        return _positive(total + _digit(fen))
    # 九块三 is 9.30; 九块三分 swallowed a word (9.03 or 9.30); after 块钱 a digit begins something else.
    return (
        Ask("ambiguous")
        if match["unit"] or match["yuan"].endswith("钱")
        else _positive(total + _digit(fen) * 10)
    )


def _yuan(whole: str) -> int:
    if whole[-1] in "百千万" and whole[0].isdigit():
        return int(whole[0]) * {"百": 100, "千": 1000, "万": 10_000}[whole[-1]]
    if whole[0].isdigit():
        return int(whole.replace(",", ""))
    return numerals.chinese(whole)


def _digit(char: str) -> int:
    return int(char) if char.isdigit() else CHINESE_DIGITS[char]


def _positive(fen: int) -> Money | Ask:
    return Money(fen) if fen else Ask("ambiguous")
