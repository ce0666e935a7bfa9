"""L9: only billers of the catalogue can be paid, never a person: refused when proposed, when confirmed and when sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from data.catalogue import Catalogue
from data.ids import BillerId
from data.store.payments import payments
from payments import proposing
from payments.advance import Advance
from tests.safety.real_town import RealTown

WATER = BillerId("bj-water")
PERSONS = (
    "给张三转500块",
    "把钱打给我儿子",
    "付给李建国一百块",
    "帮我给房东交房租2000",
    "转账到6222021234567890128",
    "send 500 yuan to my son",
    "pay my friend Li 100",
    "发个红包",
)


async def breaches(town: RealTown) -> list[str]:
    """People asked to be paid; then a biller that is struck off, before the proposal, before the yes and before sending."""
    await town.open("limin")
    for words in PERSONS:
        await town.says("limin", "停", words, "是", "付", town.pin("limin"))
    found = [f"collected {c}" for c in await town.captures()]
    for before in ("proposal", "yes", "sending"):
        await town.says("limin", "停")
        found += [f"struck off before the {before}: {x}" for x in await _struck_off(town, before)]
        await town.restart()
    return found + await town.broken()


async def _struck_off(town: RealTown, before: str) -> list[str]:
    """The water works leave the catalogue in the middle of a payment to them."""
    catalogue = town.app.catalogue
    shorter = replace(catalogue, rows={b: row for b, row in catalogue.rows.items() if b != WATER})
    if before == "proposal":
        _strike(town, shorter)
    await town.says("limin", "交水费")
    if before == "yes":
        _strike(town, shorter)
    await town.says("limin", "确认")
    if before == "sending":
        town.app.advance._catalogue = shorter
    await town.says("limin", town.pin("limin"))
    charged = [c for c in (await town.control.inspect()).captures if c.payee == WATER]
    return [f"collected {c.amount_fen}" for c in charged] + [f"a payment is {s}" for s in await _live(town)]


async def _live(town: RealTown) -> list[str]:
    """States of payments that ended neither cancelled nor failed."""
    ended = payments.c.state.in_(["cancelled", "failed"])
    live = sa.select(payments.c.state).where(sa.not_(ended))
    return await town.app.store.run(lambda tx: list(tx.conn.scalars(live)))


def _strike(town: RealTown, shorter: Catalogue) -> None:
    town.app.till.catalogue = shorter


async def test_only_billers_of_the_catalogue_are_paid(town: RealTown) -> None:
    assert await breaches(town) == []


def _nobody_looks(patch: pytest.MonkeyPatch) -> None:
    right = proposing.wish_refused

    def wrong(tx: Any, proposer: Any, wish: Any, at: Any, catalogue: Any) -> Any:
        refusal = right(tx, proposer, wish, at, catalogue)
        return None if refusal and refusal.reason == "biller_not_in_catalogue" else refusal

    patch.setattr(proposing, "wish_refused", wrong)
    patch.setattr("payments.confirming.wish_refused", wrong)
    _the_sender_does_not_look(patch)


def _the_sender_does_not_look(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Advance, "_not_to_be_sent", lambda self, held, at: None)


@pytest.mark.parametrize("mistake", [_nobody_looks, _the_sender_does_not_look])
async def test_a_breach_is_seen(
    town: RealTown, monkeypatch: pytest.MonkeyPatch, mistake: Callable[[pytest.MonkeyPatch], None]
) -> None:
    mistake(monkeypatch)
    assert await breaches(town) != []
