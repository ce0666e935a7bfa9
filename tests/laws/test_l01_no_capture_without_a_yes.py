"""L1: nothing is collected without a recorded yes to exactly that account, amount and payer; once, whatever is repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from data.money import Money
from data.store.payments import acts
from dialogues.testing import invariants
from payments import confirming, proposing
from payments.acts import Strength
from tests.safety.real_town import RealTown
from tests.simulation import mutants


async def breaches(town: RealTown) -> list[str]:
    """Yeses that are none, then a real one while the rail's answers are lost and everything arrives twice."""
    await town.open("limin")
    await town.says("limin", "交水费", "好的", "付吧付吧", "1593")
    found = ["collected without a second factor"] if await town.captures() else []
    await town.says("limin", "停", "交水费", "确认")
    await town.control.fault("rail", "timeout_then_paid_after", seconds=90, operation="charge", uses=1)
    code = town.message("limin", await town.code("limin"))
    for _ in range(2):
        await town.do(code)
    await town.restart()
    await town.do(code)
    await town.later_by(timedelta(minutes=10))
    view = await town.view()
    found += invariants.captures_were_confirmed(view) or []
    found += invariants.captured_once(view) or []
    found += await town.broken()
    found += await _without_factor(town)
    numbers = {c.number for c in view.facts.gateway_calls or () if c.action == "pay"}
    taken = [c.amount_fen for c in (await town.control.inspect()).captures]
    return found + (
        [f"{len(numbers)} orders, {taken} taken"] if (len(numbers), taken) != (1, [4_650]) else []
    )


async def _without_factor(town: RealTown) -> list[str]:
    """Yeses in a chat that were taken without a PIN or code."""
    said = await town.app.store.run(
        lambda tx: list(tx.conn.scalars(sa.select(acts.c.evidence).where(acts.c.state == "confirmed")))
    )
    return [f"a yes without a factor: {one}" for one in said if one["factor"] not in ("pin", "code")]


async def test_nothing_is_collected_without_a_yes_and_nothing_twice(town: RealTown) -> None:
    assert await breaches(town) == []


def _a_bare_yes_pays(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(proposing, "_strength", lambda *_: Strength.KEY)


def _another_amount_is_written(patch: pytest.MonkeyPatch) -> None:
    right = confirming.payment_row

    def wrong(tx: Any, found: Any, n: int, at: Any) -> Any:
        more = tuple(replace(line, amount=line.amount + Money(100)) for line in found.lines)
        return right(tx, replace(found, lines=more), n, at)

    patch.setattr(confirming, "payment_row", wrong)


@pytest.mark.parametrize(
    "mistake", [_a_bare_yes_pays, _another_amount_is_written, mutants.new_number_for_each_attempt]
)
async def test_a_breach_is_seen(
    town: RealTown, monkeypatch: pytest.MonkeyPatch, mistake: Callable[[pytest.MonkeyPatch], None]
) -> None:
    mistake(monkeypatch)
    assert await breaches(town) != []
