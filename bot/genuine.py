"""What the page for receipts answers: the book's word on a code, in the words of the visitor, and nothing about people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from bot.web.receipt import Answered, Genuine
from data.catalogue import Catalogue
from data.clock import shanghai
from data.store.engine import Store
from payments import receipts

log = structlog.get_logger("bangjiao")


def answers(store: Store, catalogue: Catalogue) -> Callable[[str, str], Awaitable[Answered]]:
    """Code and language → what may be told to whoever holds the receipt."""

    async def answer(code: str, locale: str) -> Answered:
        found = await store.run(lambda tx: receipts.check(tx, code))
        return _told(found, catalogue, locale)

    return answer


def _told(found: receipts.Checked, catalogue: Catalogue, locale: str) -> Answered:
    if found.verdict == receipts.TAMPERED:
        log.error("alarm: a receipt was asked about, and the book does not hold there")
        return Answered(troubled=True)
    if found.verdict != receipts.HOLDS:
        return Answered()
    assert found.biller is not None
    assert found.amount is not None
    assert found.at is not None
    biller = catalogue.biller(found.biller).name[locale]
    return Answered(Genuine(found.amount, biller, shanghai(found.at).date(), found.tail))
