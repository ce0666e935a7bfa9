"""A book with one receipt in it, so that the page for receipts can be tried without the house behind it."""

from __future__ import annotations

from datetime import date

from bot.web.receipt import Answered, Genuine
from data.money import Money

TRUE_CODE = "2-7KQ4-M2XP"
_NAMES = {"zh": "广州供电局", "en": "Guangzhou Power Supply"}


async def known_receipt(code: str, locale: str) -> Answered:
    """As `bot/genuine.py` answers."""
    if code.upper() != TRUE_CODE:
        return Answered(troubled=code == "BROKEN")
    return Answered(Genuine(Money(12_345), _NAMES[locale], date(2026, 3, 10), "5678"))
