"""Buttons that are not one's own, not ours, or not of now: a clear reply, and nothing happens."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from data.store.talks import tokens
from tests.safety.real_town import RealTown

_OLD = "这个按钮是以前的，现在不起作用了。"
FORGED = [
    "",
    "b_x",
    "0" * 24,
    "../../etc/passwd",
    "' OR 1=1 --",
    "b\x00",
    "\ud83d",
    "付" * 200,
    "x" * 100_000,
]


async def _old_button(town: RealTown, person: str, token: str) -> None:
    """The press is answered as a button of before, and moves nothing."""
    asks = await town.asks(person)
    heard = await town.do(town.message(person, token=token))
    assert _OLD in heard[0]
    assert await town.asks(person) == (asks or "open")
    assert await town.captures() == []


async def test_a_forged_token_does_nothing(either: RealTown) -> None:
    town = await either.open("limin")
    await town.says("limin", "交水费")
    for token in FORGED:
        event = town.message("limin", token=token or "-")
        event.payload["token"] = token
        heard = await town.do(event)
        assert _OLD in heard[0]
    assert await town.asks("limin") == "confirm"


async def test_nobody_presses_somebody_elses_button(either: RealTown) -> None:
    town = await either.open("limin", "lijg", "chenm", "xiaozhou")
    await town.says("limin", "交水费")
    yes = await town.button("limin", "付")
    for person in ("lijg", "chenm", "xiaozhou"):
        await _old_button(town, person, yes)
    assert await town.asks("limin") == "confirm"
    await town.do(town.message("limin", token=yes))  # to its owner it is worth what it says
    assert await town.asks("limin") == "code"


async def test_a_button_of_a_bill_before_confirms_no_other(town: RealTown) -> None:
    await town.open("limin")
    await town.says("limin", "交水费")
    of_the_water = await town.button("limin", "付")
    await town.says("limin", "交燃气费")
    await _old_button(town, "limin", of_the_water)
    assert await town.asks("limin") == "confirm"


async def test_the_no_of_a_read_back_still_counts_while_the_code_is_asked(town: RealTown) -> None:
    await town.open("limin")
    await town.says("limin", "交水费")
    no = await town.button("limin", "不付")
    await town.says("limin", "付")
    heard = await town.do(town.message("limin", token=no))
    assert "取消" in heard[0]
    await town.says("limin", town.pin("limin"))
    assert await town.captures() == []


async def test_the_no_of_a_bill_that_is_paid_tells_that_it_is_paid(town: RealTown) -> None:
    """Never 没有扣钱 after money was taken, whichever button is pressed."""
    await town.open("limin")
    await town.says("limin", "交水费")
    no = await town.button("limin", "不付")
    await town.says("limin", "付", town.pin("limin"))
    heard = await town.do(town.message("limin", token=no))
    assert "已销账" in heard[0]
    assert not any("没有扣" in text or "一分钱" in text for text in heard)


async def test_a_button_of_before_the_stop_confirms_nothing(town: RealTown) -> None:
    await town.open("limin")
    await town.says("limin", "交水费")
    before = await town.button("limin", "付")
    await town.says("limin", "停")
    await _old_button(town, "limin", before)


async def test_a_button_of_a_price_that_changed_confirms_nothing(town: RealTown) -> None:
    await town.open("limin")
    await town.says("limin", "交水费")
    before = await town.button("limin", "付")
    await town.control.change_account("W-LI", due_fen=99_900)
    await town.says("limin", "再说一遍")
    await town.do(town.message("limin", token=before))
    assert await town.asks("limin") == "confirm"
    assert await town.captures() == []


@pytest.mark.parametrize("days", [8, 400])
async def test_a_button_out_of_date_confirms_nothing(town: RealTown, days: int) -> None:
    await town.open("limin")
    await town.says("limin", "交水费")
    before = await town.button("limin", "付")
    await town.move_to(town.clock.now() + timedelta(days=days))
    await _old_button(town, "limin", before)


async def test_tokens_are_long_and_all_different(town: RealTown) -> None:
    await town.open("limin")
    for _ in range(10):
        await town.says("limin", "你会什么")
    found = await town.app.store.run(lambda tx: list(tx.conn.scalars(sa.select(tokens.c.token))))
    assert len(found) == len(set(found)) >= 20
    assert min(map(len, found)) >= 24
