"""L5: money is whole fen; what was quoted, read back, confirmed, charged and written off is one integer; no guess is a value."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from data.money import BadAmount, Money
from data.store.payments import act_lines, ledger, payments
from data.store.schema import metadata
from nlu.commands import Affirm, Code, CorrectSlot, Expectation, SetSlot, StartFlow, Utterance
from nlu.engine import Parse
from nlu.understand import Understanding
from payments import asking, proposing
from payments.quoting import kept_quote
from tests.safety.real_town import RealTown

PAYING: dict[str, tuple[str, tuple[str, ...], int]] = {
    "a whole bill": ("limin", ("交水费",), 4_650),
    "a bill with a late fee": ("chengfs", ("交电费",), 12_592),
    "a part": ("chengfs", ("交水费", "付20"), 2_000),
    "a top-up in words": ("limin", ("给我爸妈家电费充一百二",), 12_000),
    "a typed number": ("chenm", ("交电费", "0319001200345678", "是"), 12_345),
}


async def breaches(town: RealTown) -> list[str]:
    """Five payments; every place where their amount stands, compared."""
    await town.open("limin", "chengfs", "chenm")
    found: list[str] = []
    for name, (person, way, fen) in PAYING.items():
        await town.says(person, *way)
        shown = _amount((await town.heard_by(person))[-1].text)
        await town.says(person, "付" if fen != 12_000 else "充", town.pin(person))
        stands = await _stands(town)
        stands["read back"] = shown
        found += [f"{name}: {where} {is_} instead of {fen}" for where, is_ in stands.items() if is_ != fen]
    return found + await town.broken()


def _amount(text: str) -> int:
    """The amount of a read-back, which stands on a line of its own."""
    line = next(line for line in text.split("\n") if re.fullmatch(r"\d+(?:\.\d\d)?元", line))
    return Money.parse(line.removesuffix("元")).fen


async def _stands(town: RealTown) -> dict[str, int]:
    """Where the newest payment's amount stands."""

    def read(tx: Any) -> dict[str, Any]:
        last = sa.select(ledger.c.payment).order_by(ledger.c.seq.desc()).limit(1)
        row = tx.conn.execute(sa.select(payments).where(payments.c.id == last.scalar_subquery())).first()
        if row is None:
            return {"payment": 0, "number": "", "due": 0}
        line = tx.conn.execute(sa.select(act_lines).where(act_lines.c.act == row.act)).one()
        booked = tx.conn.scalars(sa.select(ledger.c.amount_fen).where(ledger.c.payment == row.id)).all()
        kept = kept_quote(tx, row.quote)
        assert kept is not None
        named = {"payment": row.amount_fen, "confirmed": line.amount_fen, "number": row.number}
        return named | {f"book {n}": fen for n, fen in enumerate(booked)} | {"due": kept.quote.due.fen}

    stands: dict[str, Any] = await town.app.store.run(read)
    number, due = stands.pop("number"), stands.pop("due")
    seen = await town.control.inspect()
    stands["charged"] = sum(c.amount_fen for c in seen.captures if c.order == number)
    stands["written off"] = sum(p.amount_fen for p in seen.posts if p.order == number)
    if due and stands["payment"] == due:
        stands["quoted"] = due
    return stands


async def test_the_amount_is_the_same_wherever_it_stands(town: RealTown) -> None:
    assert await breaches(town) == []


def _a_fen_more_is_charged(patch: pytest.MonkeyPatch) -> None:
    right = asking._collect

    def wrong(task: Any, rail: Any) -> Any:
        return right(
            replace(task, payment=replace(task.payment, amount=task.payment.amount + Money(1))), rail
        )

    patch.setattr(asking, "_collect", wrong)


def _another_amount_is_bound(patch: pytest.MonkeyPatch) -> None:
    """The till binds what was never read back."""
    right = proposing._line

    def wrong(tx: Any, wish: Any, purse: Any) -> Any:
        return right(tx, replace(wish, amount=wish.amount - Money(1_000)), purse)

    patch.setattr(proposing, "_line", wrong)


@pytest.mark.parametrize("mistake", [_a_fen_more_is_charged, _another_amount_is_bound])
async def test_a_breach_is_seen(
    town: RealTown, monkeypatch: pytest.MonkeyPatch, mistake: Callable[[pytest.MonkeyPatch], None]
) -> None:
    mistake(monkeypatch)
    assert await breaches(town) != []


# --- whole fen ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", [1.0, 46.5, "4650", True, None, float("nan")])
def test_money_is_made_of_whole_fen_alone(amount: Any) -> None:
    with pytest.raises(BadAmount):
        Money(amount)


def test_no_column_of_money_holds_fractions() -> None:
    money = [c for t in metadata.sorted_tables for c in t.columns if c.name.endswith("_fen")]
    assert len(money) >= 5
    assert all(isinstance(c.type, sa.Integer) for c in money)
    fractions = [
        f"{t.name}.{c.name}"
        for t in metadata.sorted_tables
        for c in t.columns
        if isinstance(c.type, sa.Numeric)
    ]
    assert fractions == []


# --- no guess is a value ----------------------------------------------------------------------------------------------


class Liar:
    """An engine that takes everything for a payment, and is sure of it."""

    def __init__(self, intent: str) -> None:
        self._intent = intent

    def parse(self, text: str, locale: str = "zh") -> Parse:
        return Parse(((self._intent, 1.0),), 100.0, True)


@pytest.mark.parametrize(
    "intent", ["pay_bill", "check_balance", "affirm", "yes", "pay_bill 100", "human_help"]
)
@pytest.mark.parametrize(
    "asks", ["open", "account", "amount", "confirm", "code", "name_check", "choice", "consent"]
)
def test_an_engine_that_lies_makes_no_amount_number_code_or_yes(intent: str, asks: Any) -> None:
    understanding = Understanding(Liar(intent))
    for text in ("随便弄弄吧", "你看着办", "上次那么多", "老样子", "do whatever you think", "the usual"):
        said = understanding.understand(Utterance(text=text), Expectation(asks=asks, in_flow="pay_bill"))
        values = [c for c in said if isinstance(c, Affirm | Code | SetSlot | CorrectSlot)]
        assert values == []
        assert all(not {"amount", "account"} & c.slots.keys() for c in said if isinstance(c, StartFlow))


async def test_an_engine_that_lies_pays_nothing(town: RealTown) -> None:
    await town.open("limin")
    desk = town.app.desk
    desk.house = replace(desk.house, understanding=Understanding(Liar("pay_bill")))
    await town.says("limin", "随便弄弄吧", "老样子", "你看着办", "上次那么多", "行不行啊")
    assert await town.captures() == []
    assert (await town.facts()).confirmations == []
