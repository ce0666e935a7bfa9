"""The book: each transfer once, on two sides, and no line can be changed, taken out or put in unseen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from data.ids import PaymentId
from data.money import Money
from data.store.engine import Store, Tx
from data.store.payments import ledger as table
from data.store.payments import ledger_end
from integrations.ports import Reason
from payments import ledger, receipts
from tests.databases import SEALER
from tests.payments.household import CHENM, E_LI, E_ZHANG, LIMIN, House


async def _two_paid_one_refunded(house: House) -> None:
    await house.paid(LIMIN, E_LI, Money(5_000))
    house.town.refuses_posting = Reason.NOTHING_DUE
    await house.paid(CHENM, E_ZHANG)


def _broken(store: Store) -> list[tuple[int, str]]:
    return [(b.seq, b.why) for b in store.run_now(ledger.verify)]


def _change(store: Store, seq: int, **values: Any) -> None:
    store.run_now(lambda tx: tx.conn.execute(sa.update(table).where(table.c.seq == seq).values(**values)))


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
    ("change", "found"),
    [
        ({"amount_fen": 4_999}, [(3, ledger.CHANGED)]),
        ({"debit": "somebody"}, [(3, ledger.CHANGED)]),
        ({"at": datetime(2026, 3, 9, tzinfo=UTC)}, [(3, ledger.CHANGED)]),
        ({"previous": "f" * 64}, [(3, ledger.CHANGED)]),
        ({"hash": "f" * 64}, [(3, ledger.CHANGED), (4, ledger.UNLINKED)]),
        (
            {"amount_fen": 1, "hash": hashlib.sha256(b"3").hexdigest()},
            [(3, ledger.CHANGED), (4, ledger.UNLINKED)],
        ),
    ],
)
async def test_a_changed_line_is_named(house: House, change: dict, found: list) -> None:
    await _two_paid_one_refunded(house)
    _change(house.store, 3, **change)
    assert _broken(house.store) == found


async def test_a_changed_line_is_named_with_its_day(quick: House) -> None:
    await _two_paid_one_refunded(quick)
    _change(quick.store, 2, amount_fen=1)
    (found,) = quick.store.run_now(ledger.verify)
    assert found.at is not None
    assert found.at.date().isoformat() == "2026-03-10"


async def test_a_time_nobody_can_read_is_a_change_and_no_crash(quick: House) -> None:
    await _two_paid_one_refunded(quick)
    quick.store.run_now(lambda tx: tx.conn.exec_driver_sql("UPDATE ledger SET at='lost' WHERE seq=2"))
    assert _broken(quick.store) == [(2, ledger.CHANGED)]


@pytest.mark.parametrize("seq", [1, 2, 4])
async def test_a_missing_line_is_named_even_the_last(house: House, seq: int) -> None:
    await _two_paid_one_refunded(house)
    house.store.run_now(lambda tx: tx.conn.execute(sa.delete(table).where(table.c.seq == seq)))
    assert (seq, ledger.MISSING) in _broken(house.store)


async def test_who_cut_the_book_short_is_not_covered_by_the_next_payments(quick: House) -> None:
    await _two_paid_one_refunded(quick)
    quick.store.run_now(lambda tx: tx.conn.execute(sa.delete(table).where(table.c.seq == 4)))
    quick.town.refuses_posting = None
    await quick.paid(LIMIN, E_LI, Money(2_000))
    assert _broken(quick.store) != []


@pytest.mark.parametrize("values", [{"seq": 3}, {"hash": "f" * 64}, None])
async def test_the_mark_of_the_end_cannot_be_moved_unseen(quick: House, values: dict | None) -> None:
    await _two_paid_one_refunded(quick)
    change = sa.delete(ledger_end) if values is None else sa.update(ledger_end).values(**values)
    quick.store.run_now(lambda tx: tx.conn.execute(change))
    assert _broken(quick.store) != []


async def test_the_same_transfer_twice_is_one(house: House) -> None:
    view = await house.paid(LIMIN, E_LI, Money(5_000))
    entry: dict[str, Any] = {
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


# --- any single change --------------------------------------------------------------------------------------------

_LINES = 6
_TEXTS = st.text("abcdef:_0123456789", min_size=1, max_size=12)
_OTHER = {
    "seq": st.integers(_LINES + 1, 10**9),
    "id": _TEXTS,
    "payment": _TEXTS,
    "kind": st.sampled_from(["capture", "post", "refund"]),
    "debit": _TEXTS,
    "credit": _TEXTS,
    "amount_fen": st.integers(1, 10**8),
    "at": st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    "previous": st.text("0123456789abcdef", min_size=64, max_size=64),
    "hash": st.text("0123456789abcdef", min_size=64, max_size=64),
}


@dataclass
class Book:
    """A book of a few lines in memory that can be spoilt and put back."""

    store: Store

    @classmethod
    def written(cls) -> Book:
        store = Store.in_memory(SEALER)

        def write(tx: Tx) -> None:
            tx.conn.exec_driver_sql("PRAGMA foreign_keys=OFF")
            at = datetime(2026, 3, 10, 1, tzinfo=UTC)
            for n in range(_LINES):
                ledger.transfer(
                    tx,
                    id=f"{n % 2}:pay_{n // 2}",
                    payment=PaymentId(f"pay_{n // 2}"),
                    kind="post" if n % 2 else "capture",
                    debit=ledger.CLEARING if n % 2 else "gateway:x:receivable",
                    credit="biller:y:payable" if n % 2 else ledger.CLEARING,
                    amount=Money(100 + n),
                    at=at + timedelta(hours=n),
                )

        store._raw().execute("PRAGMA foreign_keys=OFF")
        store.run_now(write)
        return cls(store)

    def broken_after(self, *spoiling: Any) -> list[ledger.Broken]:
        """What is found when this was done to the tables; everything is put back."""
        found: list[ledger.Broken] = []

        class Undo(Exception):
            pass

        def spoil(tx: Tx) -> None:
            for change in spoiling:
                tx.conn.execute(change)
            found.extend(ledger.verify(tx))
            raise Undo

        with pytest.raises(Undo):
            self.store.run_now(spoil)
        return found


BOOK = Book.written()


def _value_of(seq: int, column: str) -> Any:
    row = BOOK.store.run_now(lambda tx: tx.conn.execute(sa.select(table).where(table.c.seq == seq)).one())
    return row._mapping[column]


def test_the_book_of_these_tests_is_whole() -> None:
    assert BOOK.broken_after() == []


@settings(max_examples=200, deadline=None)
@given(seq=st.integers(1, _LINES), column=st.sampled_from(sorted(_OTHER)), data=st.data())
def test_any_change_of_any_column_is_found(seq: int, column: str, data: st.DataObject) -> None:
    other = data.draw(_OTHER[column])
    if other == _value_of(seq, column):
        return
    found = BOOK.broken_after(sa.update(table).where(table.c.seq == seq).values({column: other}))
    assert found
    assert column == "seq" or seq in [b.seq for b in found]


@settings(max_examples=40, deadline=None)
@given(gone=st.sets(st.integers(1, _LINES), min_size=1))
def test_any_lines_taken_out_are_named(gone: set[int]) -> None:
    found = BOOK.broken_after(sa.delete(table).where(table.c.seq.in_(gone)))
    assert {b.seq for b in found if b.why == ledger.MISSING} == gone
    assert all(b.at is not None for b in found)


@settings(max_examples=40, deadline=None)
@given(pair=st.lists(st.integers(1, _LINES), min_size=2, max_size=2, unique=True))
def test_any_two_lines_swapped_are_named(pair: list[int]) -> None:
    one, two = pair
    found = BOOK.broken_after(
        sa.update(table).where(table.c.seq == one).values(seq=10**9),
        sa.update(table).where(table.c.seq == two).values(seq=one),
        sa.update(table).where(table.c.seq == 10**9).values(seq=two),
    )
    assert {one, two} <= {b.seq for b in found}


@settings(max_examples=60, deadline=None)
@given(place=st.integers(1, _LINES + 1), amount=st.integers(1, 10**6), seal=_OTHER["hash"])
def test_any_line_put_in_is_found(place: int, amount: int, seal: str) -> None:
    """Also by somebody who moves every later line up by one."""
    later = [sa.update(table).where(table.c.seq == n).values(seq=n + 1) for n in range(_LINES, place - 1, -1)]
    previous = _value_of(place - 1, "hash") if place > 1 else "0" * 64
    new = {
        "seq": place,
        "id": "post:nobody",
        "payment": "pay_0",
        "kind": "post",
        "debit": ledger.CLEARING,
        "credit": "biller:me:payable",
        "amount_fen": amount,
        "at": datetime(2026, 3, 10, 1, 30, tzinfo=UTC),
        "previous": previous,
        "hash": seal,
    }
    assert place in [b.seq for b in BOOK.broken_after(*later, sa.insert(table).values(**new))]


def test_a_gap_without_end_is_told_and_does_not_fill_the_memory() -> None:
    found = BOOK.broken_after(sa.update(table).where(table.c.seq == _LINES).values(seq=10**12))
    assert 0 < len(found) < 100


# --- receipts ---------------------------------------------------------------------------------------------------------


async def test_a_receipts_code_says_what_the_book_says(house: House) -> None:
    view = await house.paid(LIMIN, E_LI, Money(5_000))
    code = house.store.run_now(lambda tx: receipts.code_of(tx, view.id))
    assert code is not None
    for written in (code, code.lower(), code.replace("-", " "), code.replace("0", "O").replace("1", "l")):
        checked = house.store.run_now(lambda tx, w=written: receipts.check(tx, w))
        assert (checked.verdict, checked.amount, checked.biller) == ("holds", Money(5_000), "bj-electricity")
    assert view.id not in code


async def test_only_what_was_written_off_has_a_code(quick: House) -> None:
    quick.town.refuses_posting = Reason.NOTHING_DUE
    view = await quick.paid(CHENM, E_ZHANG)
    assert quick.store.run_now(lambda tx: receipts.code_of(tx, view.id)) is None


@pytest.mark.parametrize(
    "code", ["", "1", "2-0000-0000", "zzzzzzzzzzzzzzzzzzzz", "2-é123-4567", "９-1234-5678"]
)
async def test_a_code_nobody_was_given_is_unknown(quick: House, code: str) -> None:
    await quick.paid(LIMIN, E_LI, Money(5_000))
    assert quick.store.run_now(lambda tx: receipts.check(tx, code)).verdict == "unknown"


@pytest.mark.parametrize("seq", [1, 2])
@pytest.mark.parametrize(
    "change", [{"amount_fen": 4_999}, {"hash": "f" * 64}, {"credit": "biller:me:payable"}]
)
async def test_a_code_fails_loudly_when_a_line_of_its_payment_was_changed(
    house: House, seq: int, change: dict
) -> None:
    view = await house.paid(LIMIN, E_LI, Money(5_000))
    code = house.store.run_now(lambda tx: receipts.code_of(tx, view.id))
    _change(house.store, seq, **change)
    checked = house.store.run_now(lambda tx: receipts.check(tx, code or ""))
    assert checked.verdict == "tampered"
    assert seq in [b.seq for b in checked.broken]


async def test_a_code_fails_loudly_when_its_line_is_gone(quick: House) -> None:
    view = await quick.paid(LIMIN, E_LI, Money(5_000))
    code = quick.store.run_now(lambda tx: receipts.code_of(tx, view.id))
    quick.store.run_now(lambda tx: tx.conn.execute(sa.delete(table).where(table.c.seq == 2)))
    assert quick.store.run_now(lambda tx: receipts.check(tx, code or "")).verdict == "tampered"


async def test_a_book_sealed_anew_does_not_keep_the_old_receipts(quick: House) -> None:
    """Even who holds the key cannot change a line and let the receipts in people's drawers hold."""
    view = await quick.paid(LIMIN, E_LI, Money(5_000))
    code = quick.store.run_now(lambda tx: receipts.code_of(tx, view.id))

    def seal_anew(tx: Tx) -> None:
        line = dict(tx.conn.execute(sa.select(table).where(table.c.seq == 2)).one()._mapping)
        line["at"] += timedelta(days=1)
        tx.conn.execute(
            sa.update(table).where(table.c.seq == 2).values(at=line["at"], hash=ledger.line_hash(tx, line))
        )

    quick.store.run_now(seal_anew)
    assert quick.store.run_now(lambda tx: receipts.check(tx, code or "")).verdict == "unknown"
