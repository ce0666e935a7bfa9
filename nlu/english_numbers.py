"""Amounts of renminbi as English speakers say and type them, read to the fen or asked back."""

from __future__ import annotations

import re

from data.money import Money
from nlu import numerals
from nlu.asking import Ask
from nlu.numerals import ENGLISH_WORDS, ONES, NotANumber

_ARABIC = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?"
_TOKEN = re.compile(rf"¥|{_ARABIC}|[a-z]+(?:'[a-z]+)?|[^\sa-z0-9]")
_YUAN = {"yuan", "rmb", "kuai", "cny", "renminbi", "¥"}
_MAO = {"jiao", "mao"}
_FEN = {"fen"}
_UNITS = _YUAN | _MAO | _FEN
_FOREIGN = {
    "dollar",
    "dollars",
    "euro",
    "euros",
    "pound",
    "pounds",
    "cent",
    "cents",
    "percent",
    "bucks",
    "k",
    "grand",
    "usd",
    "%",
}
_ABOUT = re.compile(
    r"\b(about|around|roughly|approximately|some|few|several|couple|nearly|almost|over|under|less than|more than|at most|at least|up to|below|above|or so|give or take|maybe|odd)\b|ish\b|~"
)
_VERB = re.compile(
    r"\b(?:pay|paying|top up|top-up|topup|add|charge|put|recharge|load|make it|send)(?: (?:with|by|it|in|on|just|only|another|first|up|my|the|me|for|electricity|water|gas|heating|meter|card|bill))*$"
)
_LEAD_WORDS = {
    "just",
    "only",
    "please",
    "pay",
    "make",
    "it",
    "ok",
    "um",
    "uh",
    "well",
    "let",
    "let's",
    "exactly",
    "us",
    "me",
    "i",
    "want",
    "to",
    "put",
    "top",
    "up",
    "add",
    "the",
    "amount",
    "is",
    "of",
    "say",
    "then",
    "would",
    "like",
    "in",
}
_TAIL_WORDS = {"please", "thanks", "thank", "you", "then", "exactly", "in", "only"}
_AFTER_COUNT = {
    "times",
    "time",
    "bills",
    "bill",
    "months",
    "month",
    "people",
    "accounts",
    "days",
    "minutes",
    "hours",
    "years",
    "percent",
    "st",
    "nd",
    "rd",
    "th",
    "am",
    "pm",
    "o'clock",
    "digits",
    "more",
    "of",
    "meters",
    "numbers",
}
_AFTER_AMOUNT = {
    ",",
    ".",
    "!",
    ";",
    "on",
    "onto",
    "for",
    "to",
    "into",
    "towards",
    "first",
    "please",
    "now",
    "today",
    "in",
    "instead",
    "then",
    "this",
    "by",
    "off",
}
# Told of money, not wished; and figures as nobody writes yuan: .5, 20,5, a hundred and —
_TOLD = re.compile(r"\b(?:paid|costs?|refund\w*|spent|cheaper|dearer)\b")
_BROKEN = re.compile(r"(?<![0-9])\.[0-9]|[0-9],[0-9]{1,2}(?![0-9])|\b(?:and|point)[ .!]*$")
_ALL = re.compile(
    r"\b(?:pay|settle|clear) (?:it )?(?:all|everything|(?:it |the bill )?in full)\b|\b(?:the )?(?:full|whole|entire|total) (?:amount|bill|sum|thing|lot)\b|^(?:all|everything|in full|all of it|the lot)(?: please)?$|\ball of it\b"
)
_NOT_BUT = re.compile(
    r"\bnot (?P<old>[^,;]+?)\s*[,;.]?\s*(?:but|it's|its|make it|i said|i meant|i mean|rather|,)\s+(?P<new>.+)$"
)
_WRONG_FIRST = re.compile(
    r"^(?:oh |ah |sorry |no |wait |oops |um )*(?:wrong|no|sorry|wait|make it|change it to|make that|i meant|i mean|i said|actually|rather)[,.!:]?\s+(?P<new>.+)$"
)


def says_all(text: str) -> bool:
    """Pay it all, the full amount."""
    return bool(_ALL.search(text)) and not re.search(
        r"\b(?:not|don't|do not|except|apart from|but not|without)\b", text
    )


def parse_amount(text: str) -> Money | Ask:
    """The amount somebody answered when asked for one; the text is folded."""
    tokens = _tokens(text)
    while tokens and tokens[0] in _LEAD_WORDS | {",", ".", "!"}:
        tokens = tokens[1:]
    while tokens and tokens[-1] in _TAIL_WORDS | {",", ".", "!"}:
        tokens = tokens[:-1]
    if not any(map(_numeric, tokens)):
        return Ask("approximate" if _ABOUT.search(text) else "none")
    if _ABOUT.search(text):
        return Ask("approximate")
    if _BROKEN.search(text):
        return Ask("ambiguous")
    if not all(_numeric(word) or word in _UNITS | {"and", "point", "a", "oh"} for word in tokens):
        return Ask("several" if len(_runs(tokens)) > 1 else "ambiguous")
    return _strict(tokens)


def find_amount(text: str) -> tuple[Money | Ask, bool]:
    """The one amount of a folded sentence, and whether it replaces an earlier one."""
    if (match := _NOT_BUT.search(text)) and any(map(_numeric, _tokens(match["old"]))):
        return _only(match["new"], bare=True), True
    if match := _WRONG_FIRST.match(text):
        return _only(match["new"], bare=True), True
    return _only(text, bare=False), False


def _only(text: str, bare: bool) -> Money | Ask:
    tokens = _tokens(text)
    spots = [run for run in _runs(tokens) if _is_money(tokens, run, bare)]
    if not spots:
        return Ask("none")
    if _ABOUT.search(text):
        return Ask("approximate")
    if re.search(r"\b(?:not|don't|do not|never)\b", text) or _TOLD.search(text) or _BROKEN.search(text):
        return Ask("ambiguous")
    amounts = {_strict(tokens[start:end]) for start, end in spots}
    return amounts.pop() if len(amounts) == 1 else Ask("several")


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text))


def _numeric(word: str) -> bool:
    return word in ENGLISH_WORDS or word[0].isdigit()


def _runs(tokens: list[str]) -> list[tuple[int, int]]:
    """Stretches of number words and units, as [start, end)."""
    runs: list[tuple[int, int]] = []
    start = 0
    while start < len(tokens):
        end = start
        while end < len(tokens) and _continues(tokens, end, start):
            end += 1
        if any(map(_numeric, tokens[start:end])):
            runs.append((start, end))
        start = max(end, start + 1)
    return runs


def _continues(tokens: list[str], at: int, start: int) -> bool:
    word = tokens[at]
    if _numeric(word) or word in _UNITS:
        return True
    following = tokens[at + 1] if at + 1 < len(tokens) else ""
    if word == "a":
        return at == start and following in {"hundred", "thousand"}
    return word in {"and", "point"} and at > start and bool(following) and _numeric(following)


def _is_money(tokens: list[str], run: tuple[int, int], bare: bool) -> bool:
    start, end = run
    after = tokens[end] if end < len(tokens) else ""
    digits = "".join(word for word in tokens[start:end] if word[0].isdigit())
    if after == "of" and _UNITS & set(tokens[start:end]):
        return True  # twenty yuan of the water bill; two of the bills counts
    if after in _AFTER_COUNT or len(re.sub(r"\D", "", digits)) > 7:
        return False
    if _UNITS & set(tokens[start:end]):
        return True
    before = " ".join(tokens[:start])
    if bare:
        return not set(tokens[:start]) - _LEAD_WORDS - {",", "it's"}
    return bool(_VERB.search(before)) and (not after or after in _AFTER_AMOUNT)


def _strict(tokens: list[str]) -> Money | Ask:
    """The fen of tokens that hold one amount and nothing else."""
    if set(tokens) & _FOREIGN:
        return Ask("ambiguous")
    tokens = [word for word in tokens if word != "¥"]
    if tokens and tokens[0] in _YUAN:
        tokens = tokens[1:]
    try:
        fen = _fen(tokens)
    except NotANumber:
        return Ask("ambiguous")
    return Money(fen) if fen else Ask("ambiguous")


def _fen(tokens: list[str]) -> int:
    yuan, rest = _split(tokens, _YUAN)
    if yuan is None:
        if not set(rest) & (_MAO | _FEN):
            return _decimal(rest)
        yuan = ["zero"]
    joined = rest[:1] == ["and"]
    mao, rest = _split(_without_and(rest), _MAO)
    total = _decimal(yuan) + (_small(mao, 9) * 10 if mao else 0)
    rest = _without_and(rest)
    if not rest:
        return total
    said_fen, rest_after = _split(rest, _FEN)
    if rest_after and said_fen is not None:
        raise NotANumber("words after fen")
    if said_fen is not None:
        return total + _small(said_fen, 9 if mao else 99)
    # "twenty yuan fifty" is 20.50; "twenty yuan five" may be 20.05 or 20.50, "200 yuan and fifty" 250 as well.
    value = _small(rest, 99)
    if mao is not None or value < 10 or joined:
        raise NotANumber("unit left out")
    return total + value


def _split(tokens: list[str], units: set[str]) -> tuple[list[str] | None, list[str]]:
    for at, word in enumerate(tokens):
        if word in units:
            return tokens[:at], tokens[at + 1 :]
    return None, tokens


def _without_and(tokens: list[str]) -> list[str]:
    return tokens[1:] if tokens[:1] == ["and"] else tokens


def _decimal(tokens: list[str]) -> int:
    """Fen of "123.45", "123 point four five" or "one hundred and five"."""
    whole, part = _split(tokens, {"point"})
    if whole is not None:
        digits = [str(ONES.index(word)) if word in ONES[:10] else word.replace("oh", "0") for word in part]
        if not 1 <= len("".join(digits)) <= 2 or not "".join(digits).isdigit():
            raise NotANumber("decimals")
        return _whole(whole) * 100 + int("".join(digits).ljust(2, "0"))
    if len(tokens) == 1 and "." in tokens[0]:
        left, _, right = tokens[0].partition(".")
        if len(right) > 2:
            raise NotANumber(tokens[0])
        return _whole([left]) * 100 + int(right.ljust(2, "0"))
    return _whole(tokens) * 100


def _whole(tokens: list[str]) -> int:
    if len(tokens) == 1 and tokens[0][0].isdigit() and "." not in tokens[0]:
        value = int(tokens[0].replace(",", ""))
        if value > numerals.LARGEST:
            raise NotANumber(tokens[0])
        return value
    return numerals.english(tokens)


def _small(tokens: list[str], largest: int) -> int:
    value = _whole(tokens)
    if value > largest:
        raise NotANumber("too large for its unit")
    return value
