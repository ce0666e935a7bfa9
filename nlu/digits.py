"""Account numbers and codes as people type, read out and key them: digit by digit, leading zeros kept, doubts marked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from nlu.asking import Ask
from nlu.commands import Doubt
from nlu.numerals import TENS
from nlu.text import fold

UNSURE = "?"  # stands in Digits.value where a digit was not heard surely


@dataclass(frozen=True, slots=True)
class Digits:
    """Digits somebody gave. `value` has UNSURE at doubtful places; `corrected`: said again after 不对; `tail`: 尾号 only."""

    value: str = field(repr=False)
    doubtful: tuple[Doubt, ...] = ()
    corrected: bool = False
    tail: bool = False


# Telephone habit: 幺 for 1, 洞 for 0, 拐 for 7, 勾 for 9; recognisers write 幺 as 腰, 妖 or 夭.
_CHINESE = dict(zip("零〇○洞一幺腰妖夭二两三四五六拐七八勾九", "00001111122345677899", strict=True)) | {
    capital: str(value) for value, capital in enumerate("零壹贰叁肆伍陆柒捌玖")
}
_ENGLISH = {word: str(value) for value, word in enumerate(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])} | {
    "oh": "0", "o": "0", "nought": "0", "nil": "0", "to": "2", "too": "2", "for": "4", "niner": "9",
}  # fmt: skip
_TEENS = {
    "thirteen": "13",
    "fourteen": "14",
    "fifteen": "15",
    "sixteen": "16",
    "seventeen": "17",
    "eighteen": "18",
    "nineteen": "19",
}

_WRONG = re.compile("不对不对|不对|不是(?=[,。.!\\s]|$)|错了|说错了|念错了|重来|重新说|重说|再来一遍")
# 不是1234是1235 corrects; 不是1234 says only what it is not.
_NOT_BUT = re.compile("不是[^是,]+[,\\s]*(?:而是|应该是|是)(?P<right>[^是]+)$")
_NOT_THIS = re.compile("不是(?![,。.!\\s]|$)")
_WRONG_ENGLISH = re.compile(
    r"\b(?:no wait|no|wrong|sorry|correction|i mean|let me start again|start over|scratch that)\b"
)
_NAMED = re.compile(
    "(?:我|我们|我家|家里|他|她|妈|爸|的|这个|那个|是|就是|应该|电费|水费|燃气|煤气|气|电|水|客户|用户|缴费)*"
    "(?:户号|户头号|号码|编号|账号|帐号|卡号|号|手机号|电话|验证码|密码|尾号|末尾|后四位|最后四位|后面|前面|接着|继续|然后|还有|再是|分别是|一共)+(?:是|就是|为|[:,])*"
)
_FILLERS = re.compile(
    "嗯+|啊|呃+|哦|噢|额|哎|诶|那个|这个|然后|应该是|应该|就是|还有|接着|后面|再来|是|对|杠|横杠|横|减|[,。、!;:~_\\-.\\s]"
)
_ENDINGS = re.compile("(?:的?那个|的?那户|的|吧|了|哈|呢|没了|完了|就这些|就这么多|好了|结束|就这样)+$")
_REPEAT = re.compile("([两二三四五六七八九2-9])(?:个|連|连)([零〇洞一幺二两三四五六七八九拐勾0-9])")
# 俩零 is two noughts or a two and a nought.
_LIKE_A_NUMBER = re.compile("[百千万亿俩]")
_ENGLISH_NAMED = re.compile(
    r"\b(?:my|the|her|his|our|your|is|are|it's|its|it|account|customer|electricity|water|gas|meter|number|no|code|pin|password|ends?|ending|in|last|four|digits|with|then|and|dash|hyphen|um+|uh+|er+|well|so|ok|okay|yes|please|that's|next)\b(?![a-z])"
)
_TYPED = re.compile(r"(?<![0-9.])[0-9](?:[ \-]?[0-9]){5,23}(?![0-9])(?!\.[0-9])")
_SPELLED = re.compile("[零〇洞一幺二两三四五六拐七八九勾]{6,24}")
_SPELLED_IN_GROUPS = re.compile(
    "[零〇洞一幺二两三四五六拐七八勾九](?:[ ,、-]?[零〇洞一幺二两三四五六拐七八勾九]){5,30}"
)
_TELEPHONE = re.compile(r"(?:手机|电话|phone|mobile|cell)[^0-9]{0,8}$")


def parse_digits(text: str, locale: str = "zh") -> Digits | Ask:
    """The digits of an answer that holds digits and little else.

    Numbers as quantities (三百二) are asked back, never turned into digits: a number converter would drop leading zeros.
    """
    said, corrected = _after_correction(fold(text), locale)
    if re.search(r"[0-9]\.[0-9]|^[-−+]", said):
        return Ask("ambiguous")  # an amount, not the number of an account
    if _NOT_THIS.search(said):
        return Ask("ambiguous")
    tail = bool(re.search("尾号|末尾|后四位|last four|ending|ends in", said))
    heard = _english(said) if locale == "en" else _chinese(said)
    return heard if isinstance(heard, Ask) else replace(heard, corrected=corrected, tail=tail)


def find_number(text: str) -> str | Ask:
    """The one account number inside a sentence: at least six digits together, in groups or spelled out."""
    folded = fold(text)
    found = [_typed(match, folded) for match in _TYPED.finditer(folded)]
    found += ["".join(_CHINESE[char] for char in match[0]) for match in _SPELLED.finditer(folded)]
    numbers = {number for number in found if number}
    if len(numbers) > 1:
        return Ask("several")
    return numbers.pop() if numbers else Ask("none")


def spelled_numbers(folded: str) -> list[str]:
    """The longer runs of spelled digits of a folded text (六二二二 零二一二 …), each in figures."""
    return [
        "".join(_CHINESE.get(char, "") for char in match[0]) for match in _SPELLED_IN_GROUPS.finditer(folded)
    ]


def looks_like_card(digits: str) -> bool:
    """13-19 digits with a right check digit (Luhn) and the beginning of a bank card."""
    if not digits.isascii() or not digits.isdigit() or not 13 <= len(digits) <= 19:
        return False
    return bool(re.match("3[47]|4|5[1-5]|2[2-7]|6[0-9]|9[0-9]", digits)) and _luhn(digits)


def looks_like_identity(text: str) -> bool:
    """An 18-character identity number with a right check character (GB 11643)."""
    match = re.fullmatch("([1-9][0-9]{16})([0-9x])", text.lower())
    if match is None:
        return False
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10x98765432"[sum(int(d) * w for d, w in zip(match[1], weights, strict=True)) % 11] == match[2]


def compare(heard: list[str]) -> Digits | None:
    """One number from several hearings of the same length: places in which they differ are doubtful. None if unlike.

    More than two different places mean that something else was said.
    """
    if not heard or len({len(value) for value in heard}) != 1:
        return None
    columns = [tuple(dict.fromkeys(column)) for column in zip(*heard, strict=True)]
    doubts = tuple(Doubt(at, column) for at, column in enumerate(columns) if len(column) > 1)
    if len(doubts) > 2:
        return None
    return Digits("".join(column[0] if len(column) == 1 else UNSURE for column in columns), doubts)


def _typed(match: re.Match[str], folded: str) -> str:
    return "" if _TELEPHONE.search(folded[: match.start()]) else re.sub("[^0-9]", "", match[0])


def _after_correction(said: str, locale: str) -> tuple[str, bool]:
    """Only what follows the last 不对 counts."""
    if locale == "zh" and (match := _NOT_BUT.search(said)):
        return match["right"], True
    parts = (_WRONG_ENGLISH if locale == "en" else _WRONG).split(said)
    return parts[-1], len(parts) > 1


def _chinese(said: str) -> Digits | Ask:
    core = _NAMED.sub(" ", said)
    core = _FILLERS.sub("", _ENDINGS.sub("", core.strip(" ,。.!")))
    if not core:
        return Ask("none")
    core = _REPEAT.sub(lambda match: match[2] * int(_CHINESE.get(match[1], match[1])), core)
    if _LIKE_A_NUMBER.search(core):
        return Ask("ambiguous")
    value, doubts = "", []
    for char in core:
        if char == "十":  # 四 and 十 are one sound to many recognisers
            doubts.append(Doubt(len(value), ("4", "10")))
            value += UNSURE
        elif char in "0123456789":
            value += char
        elif char in _CHINESE:
            value += _CHINESE[char]
        elif char == "要" and value:  # 幺 in mid-number, written as a word
            value += "1"
        else:
            return Ask("none")
    if doubts and len(value) == 1:
        return Ask("ambiguous")
    return Digits(value, tuple(doubts))


def _english(said: str) -> Digits | Ask:
    words = re.sub(r"[,.;:!\-]", " ", _ENGLISH_NAMED.sub(" ", _keep_four(said))).split()
    value, doubts, times = "", [], 1
    for word in words:
        if word in {"double", "triple"} and times != 1:
            return Ask("ambiguous")
        if word in {"double", "triple"}:
            times = 2 if word == "double" else 3
            continue
        if word.isdigit() and word.isascii():
            value += word * times
        elif word in _ENGLISH:
            value += _ENGLISH[word] * times
        elif word in _TEENS and times == 1:  # fifteen and fifty are one sound on a telephone
            doubts.append(Doubt(len(value), (_TEENS[word], _TEENS[word][1] + "0")))
            value += UNSURE
        elif word in TENS or word in {"hundred", "thousand", "ten"}:
            return Ask("ambiguous")
        else:
            return Ask("none")
        times = 1
    if not value or times != 1:
        return Ask("none")
    return Digits(value, tuple(doubts))


def _keep_four(said: str) -> str:
    """ "Four" is a digit except in "last four (digits)"."""
    return re.sub(r"\bfour\b(?!\s+digits)", "4", re.sub(r"last four( digits)?", " ", said))


def _luhn(digits: str) -> bool:
    total = 0
    for at, char in enumerate(reversed(digits)):
        double = int(char) * (2 if at % 2 else 1)
        total += double - 9 if double > 9 else double
    return total % 10 == 0
