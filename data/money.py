"""An amount of money as households say it: whole fen, never a fraction of one, never a float."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_YUAN = re.compile(r"([0-9]{1,8})(?:\.([0-9]{1,2}))?")
# Full-width figures are how a Chinese keyboard writes them; other forms (², ①, ١) are no way to write an amount.
_FULL_WIDTH = str.maketrans("０１２３４５６７８９．", "0123456789.")


class BadAmount(ValueError):
    """The text is not an amount of yuan with at most two decimals."""


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """Renminbi in whole fen (1 yuan = 100 fen). Negative amounts exist only in the ledger."""

    fen: int

    def __post_init__(self) -> None:
        if type(self.fen) is not int:
            raise BadAmount(f"money is whole fen, not {type(self.fen).__name__}")

    @classmethod
    def parse(cls, yuan: str) -> Self:
        """Money from a rail's or biller's own yuan string such as "46.50".

        Strict on purpose: Decimal would take ١٠٠, 1_000, 1e3, NaN and -0, and float would lose a fen.
        Raises BadAmount.
        """
        match = _YUAN.fullmatch(yuan.translate(_FULL_WIDTH).strip())
        if match is None:
            raise BadAmount(f"not an amount in yuan: {yuan[:20]!r}")
        return cls(int(match[1]) * 100 + int((match[2] or "").ljust(2, "0")))

    def __add__(self, other: Money) -> Money:
        return Money(self.fen + other.fen)

    def __sub__(self, other: Money) -> Money:
        return Money(self.fen - other.fen)

    def __mul__(self, times: int) -> Money:
        return Money(self.fen * times)

    def __neg__(self) -> Money:
        return Money(-self.fen)

    def __bool__(self) -> bool:
        return self.fen != 0

    @property
    def yuan(self) -> str:
        """Canonical number for texts: whole yuan or two decimals, no thousands separator (1200, 123.45)."""
        sign, whole, rest = "-" if self.fen < 0 else "", *divmod(abs(self.fen), 100)
        return f"{sign}{whole}.{rest:02d}" if rest else f"{sign}{whole}"

    def __str__(self) -> str:
        return f"{self.yuan}元"


ZERO = Money(0)


def total(amounts: list[Money]) -> Money:
    """Sum of amounts; zero for none."""
    return Money(sum(a.fen for a in amounts))
