"""The tables of what people say and what it is worth, and what our strict readers make of each line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from data.money import Money
from nlu.aliases import relation, utilities
from nlu.asking import Ask
from nlu.dates import parse_month
from nlu.digits import find_number, parse_digits
from nlu.numbers import Found, find_amount, parse_amount
from nlu.rules import parse_rule
from nlu.text import fold

ASK, NOTHING = "ask", "-"
TODAY = date(2026, 3, 10)


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    line: int
    kind: str
    said: str
    value: str


def rows(locale: str) -> Iterator[Row]:
    """Every row of the table of a language."""
    kind = ""
    written = (Path(__file__).parent / f"{locale}.txt").read_text(encoding="utf-8")
    for number, line in enumerate(written.splitlines(), start=1):
        if line.startswith("["):
            kind = line[1 : line.index("]")]
        elif line.strip() and not line.startswith("#"):
            said, value = line.rsplit(" | ", 1)
            yield Row(number, kind, said, value)


def worth(row: Row, locale: str) -> str:
    """What our readers make of it, written as in the table."""
    return READERS[row.kind](row.said, locale)


def _yuan(money: Money) -> str:
    return f"{Decimal(money.fen) / 100:f}"


def _answer(said: str, locale: str) -> str:
    heard = parse_amount(said, locale)
    return ASK if isinstance(heard, Ask) else _yuan(heard)


def _sentence(said: str, locale: str) -> str:
    heard = find_amount(said, locale)
    if not isinstance(heard, Found):
        return ASK
    return heard.amount if isinstance(heard.amount, str) else _yuan(heard.amount)


def _digits(said: str, locale: str) -> str:
    heard = parse_digits(said, locale)
    return ASK if isinstance(heard, Ask) else heard.value


def _number(said: str, locale: str) -> str:
    heard = find_number(said)
    return ASK if isinstance(heard, Ask) else heard


def _month(said: str, locale: str) -> str:
    heard = parse_month(said, TODAY, locale)
    return ASK if isinstance(heard, Ask) else str(heard)


def _rule(said: str, locale: str) -> str:
    rule = parse_rule(said, locale)
    if isinstance(rule, Ask):
        return ASK
    cap = _yuan(rule.monthly_cap) if rule.monthly_cap else NOTHING
    return f"{_yuan(rule.below)} {_yuan(rule.amount)} {cap}"


def _kinds(said: str, locale: str) -> str:
    return " ".join(kind.value for kind in utilities(fold(said), locale)) or NOTHING


def _who(said: str, locale: str) -> str:
    return relation(fold(said), locale) or NOTHING


READERS: dict[str, Callable[[str, str], str]] = {
    "answer": _answer,
    "sentence": _sentence,
    "digits": _digits,
    "number": _number,
    "month": _month,
    "rule": _rule,
    "kinds": _kinds,
    "who": _who,
}
