"""The book: each transfer once, on two sides, and no line can be changed unseen."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from data.ids import PaymentId
from data.money import Money
from data.store.payments import ledger as table
from integrations.ports import Reason
from payments import ledger
from tests.payments.household import CHENM, E_LI, E_ZHANG, LIMIN, House


async def _two_paid_one_refunded(house: House) -> None:
    await house.paid(LIMIN, E_LI, Money(5_000))
    house.town.refuses_posting = Reason.NOTHING_DUE
    await house.paid(CHENM, E_ZHANG)


async def test_the_book_says_what_each_owes(house: House) -> None:
    await _two_paid_one_refunded(house)
    balances = house.store.run_now(ledger.balances)
    assert balances == {
        "gateway:fake:receivable": Money(5_000),
        "payer:clearing": Money(0),
        "biller:bj-electricity:payable": Money(-5_000),
    }
    assert house.store.run_now(ledger.verify) == []


@pytest.mark.parametrize(
    "change",
    [
        {"amount_fen": 4_999},
        {"debit": "somebody"},
        {"credit": "somebody"},
        {"kind": "refund"},
        {"id": "capture:other"},
        {"previous": "f" * 64},
        {"hash": "f" * 64},
    ],
)
async def test_a_changed_line_shows(quick: House, change: dict) -> None:
    await _two_paid_one_refunded(quick)
    quick.store.run_now(lambda tx: tx.conn.execute(sa.update(table).where(table.c.seq == 2).values(**change)))
    assert 2 in [b.seq for b in quick.store.run_now(ledger.verify)]
    assert quick.breaches() != []


@pytest.mark.parametrize("seq", [1, 2, 4])
async def test_a_missing_line_shows(quick: House, seq: int) -> None:
    await _two_paid_one_refunded(quick)
    quick.store.run_now(lambda tx: tx.conn.execute(sa.delete(table).where(table.c.seq == seq)))
    # The last line leaves no hole in the chain; the payments it belongs to still tell.
    assert quick.breaches() != []


async def test_a_line_hashed_without_the_key_shows(quick: House) -> None:
    import hashlib

    await _two_paid_one_refunded(quick)
    quick.store.run_now(
        lambda tx: tx.conn.execute(
            sa.update(table)
            .where(table.c.seq == 4)
            .values(amount_fen=1, hash=hashlib.sha256(b"4").hexdigest())
        )
    )
    assert [b.why for b in quick.store.run_now(ledger.verify)] == ["it was changed"]


async def test_the_same_transfer_twice_is_one(house: House) -> None:
    view = await house.paid(LIMIN, E_LI, Money(5_000))
    entry = {
        "id": f"capture:{view.id}",
        "payment": PaymentId(view.id),
        "kind": "capture",
        "debit": "gateway:fake:receivable",
        "credit": ledger.CLEARING,
        "at": house.now,
    }
    again = house.store.run_now(lambda tx: ledger.transfer(tx, amount=Money(5_000), **entry))
    assert again is False
    with pytest.raises(ledger.TransferDiffers):
        house.store.run_now(lambda tx: ledger.transfer(tx, amount=Money(5_001), **entry))
    assert house.breaches() == []
