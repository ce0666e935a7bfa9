"""An account number opens in its own place only, and lies readable nowhere."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from data.ids import AccountId, BillerId
from data.model import Account, Utility
from data.store.engine import Sealer, Store, Tx
from data.store.people import accounts
from data.store.schema import metadata
from data.store.sealing import BrokenSeal
from payments.authority.accounts import add_account, find_account

AT = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)
NUMBER = "0319001200345678"
KEYS = {1: bytes(range(32)), 2: bytes(range(32, 64))}
INDEX = bytes(64)


def new_account(number: str = NUMBER, id: str = "E-ZHANG") -> Account:
    return Account(AccountId(id), BillerId("gz-electricity"), Utility.ELECTRICITY, number)


def sealer(current: int, *ids: int) -> Sealer:
    return Sealer({i: KEYS[i] for i in ids}, current, INDEX)


def test_a_sealed_text_opens_in_its_place() -> None:
    seal = sealer(1, 1)
    assert seal.open("accounts.number", "a", seal.seal("accounts.number", "a", NUMBER)) == NUMBER


@pytest.mark.parametrize(("place", "row"), [("accounts.number", "b"), ("people.name", "a")])
def test_moved_to_another_row_or_column_it_does_not_open(place: str, row: str) -> None:
    seal = sealer(1, 1)
    sealed = seal.seal("accounts.number", "a", NUMBER)
    with pytest.raises(BrokenSeal) as caught:
        seal.open(place, row, sealed)
    assert NUMBER not in str(caught.value)


@pytest.mark.parametrize("position", range(0, 45, 4))
def test_a_changed_byte_is_noticed(position: int) -> None:
    seal = sealer(1, 1)
    sealed = bytearray(seal.seal("accounts.number", "a", NUMBER))
    sealed[position] ^= 1
    with pytest.raises(BrokenSeal):
        seal.open("accounts.number", "a", bytes(sealed))


@pytest.mark.parametrize("rubbish", [b"", b"\x01", b"\x01" + bytes(11), b"\x01" + bytes(20)])
def test_rubbish_is_a_broken_seal(rubbish: bytes) -> None:
    with pytest.raises(BrokenSeal):
        sealer(1, 1).open("accounts.number", "a", rubbish)


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    old = sealer(1, 1).seal("p", "r", NUMBER)
    after = sealer(2, 1, 2)
    new = after.seal("p", "r", NUMBER)
    assert (after.open("p", "r", old), after.open("p", "r", new)) == (NUMBER, NUMBER)
    assert (old[0], new[0], after.is_stale(old), after.is_stale(new)) == (1, 2, True, False)


def test_without_the_old_key_the_old_seal_stays_shut() -> None:
    old = sealer(1, 1).seal("p", "r", NUMBER)
    with pytest.raises(BrokenSeal, match="key that is not here"):
        sealer(2, 2).open("p", "r", old)


def test_equal_texts_do_not_look_equal_sealed_but_do_blind() -> None:
    seal = sealer(1, 1)
    assert seal.seal("p", "r", NUMBER) != seal.seal("p", "r", NUMBER)
    assert seal.blind("accounts", "b", NUMBER) == seal.blind("accounts", "b", NUMBER)
    assert len(seal.blind("accounts", NUMBER)) == 16


def test_parts_of_a_blind_index_do_not_run_together() -> None:
    seal = sealer(1, 1)
    assert len({seal.blind("x", "ab", "c"), seal.blind("x", "a", "bc"), seal.blind("xa", "b", "c")}) == 3


def test_keys_show_nowhere() -> None:
    seal = sealer(1, 1, 2)
    shown = repr(seal) + str(seal)
    assert all(key.hex() not in shown and repr(key) not in shown for key in (*KEYS.values(), INDEX))


def test_one_secret_makes_the_same_keys_again_and_another_secret_others() -> None:
    sealed = Sealer.from_secret("a long enough secret").seal("p", "r", NUMBER)
    assert Sealer.from_secret("a long enough secret").open("p", "r", sealed) == NUMBER
    with pytest.raises(BrokenSeal):
        Sealer.from_secret("another long secret").open("p", "r", sealed)


def test_keys_from_settings() -> None:
    text = ",".join(f"{i}:{base64.urlsafe_b64encode(KEYS[i]).decode()}" for i in (2, 1))
    seal = Sealer.from_keys(text, base64.urlsafe_b64encode(INDEX).decode())
    assert seal.seal("p", "r", NUMBER)[0] == 2
    assert seal.open("p", "r", sealer(1, 1).seal("p", "r", NUMBER)) == NUMBER


@pytest.mark.parametrize(
    "make",
    [
        lambda: Sealer.from_secret("short"),
        lambda: Sealer({}, 1, INDEX),
        lambda: Sealer({1: b"short"}, 1, INDEX),
        lambda: Sealer({300: KEYS[1]}, 300, INDEX),
        lambda: Sealer(KEYS, 1, b"short"),
    ],
)
def test_weak_or_missing_keys_are_refused(make: object) -> None:
    with pytest.raises(ValueError):
        make()  # type: ignore[operator]


def test_an_account_is_found_by_its_number_without_opening_any(store: Store) -> None:
    store.run_now(lambda tx: add_account(tx, new_account(), AT))
    found = store.run_now(lambda tx: find_account(tx, BillerId("gz-electricity"), NUMBER))
    other = store.run_now(lambda tx: find_account(tx, BillerId("sh-electricity"), NUMBER))
    assert (found, other) == ("E-ZHANG", None)


def test_the_database_file_holds_no_account_number(sqlite_store: Store) -> None:
    sqlite_store.run_now(lambda tx: add_account(tx, new_account(), AT))
    path = Path(str(sqlite_store.engine.url.database))
    raw = b"".join(part.read_bytes() for part in path.parent.glob(path.name + "*"))
    assert b"E-ZHANG" in raw
    assert NUMBER.encode() not in raw


def test_no_table_holds_an_account_number(store: Store) -> None:
    store.run_now(lambda tx: add_account(tx, new_account(), AT))

    def everything(tx: Tx) -> str:
        return repr(
            [tuple(row) for table in metadata.sorted_tables for row in tx.conn.execute(table.select())]
        )

    assert NUMBER not in store.run_now(everything)


def test_numbers_swapped_between_rows_by_hand_do_not_open(store: Store) -> None:
    def swapped(tx: Tx) -> str:
        for account in (new_account(), new_account("0319001200354678", "E-ZHENG")):
            add_account(tx, account, AT)
        other = tx.conn.execute(sa.select(accounts.c.number).where(accounts.c.id == "E-ZHENG")).scalar_one()
        tx.conn.execute(accounts.update().where(accounts.c.id == "E-ZHANG").values(number=other))
        return tx.seal.open("accounts.number", "E-ZHANG", other)

    with pytest.raises(BrokenSeal):
        store.run_now(swapped)
