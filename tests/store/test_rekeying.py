"""The secret is changed while the house serves: in batches, through a kill, and the one before is not needed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from data.ids import AccountId, BillerId, PersonId
from data.model import Account, Person, Utility
from data.store import journal, keyring, letters, rekeying
from data.store.engine import Sealer, Store, Tx
from data.store.people import accounts, addresses
from data.store.schema import metadata
from data.store.sealing import BrokenSeal
from payments.authority import factors, numbers, people
from tests.databases import Databases

AT = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)
OLD, NEW = "the first secret of this house", "the second secret of this house"
LIJG, WANGXY = PersonId("lijg"), PersonId("wangxy")
PHONE, NUMBER, BILLER = "01055501111", "1100223344", BillerId("bj-electricity")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, databases: Databases) -> Iterator[str]:
    with databases.url(request.param) as address:
        yield address


def opened(url: str, secret: str, before: str = "") -> Store:
    store = Store.open(url, Sealer.from_secret(secret, before))
    try:
        store.take_up_keys()
    except BrokenSeal:
        store.close()
        raise
    return store


def household(tx: Tx) -> None:
    """Two people who share a telephone, one of them with a PIN and an account, some letters and a line in the audit."""
    for person in (Person(LIJG, "李建国", elder=True), Person(WANGXY, "王秀英", elder=True)):
        people.add_person(tx, person, AT)
        people.add_address(tx, person.id, "voice", PHONE, AT, verified=True)
    numbers.add_account(tx, account("E-LI"), AT)
    factors.set_pin(tx, LIJG, "4071", AT)
    for n in range(5):
        letters.put_letter(tx, person=LIJG, channel="web", body=f'{{"n": {n}}}', cause=f"web:{n}", at=AT)
    journal.record(tx, kind="data_read", person=LIJG, actor=WANGXY, subject="E-LI", at=AT)


def account(id: str) -> Account:
    return Account(AccountId(id), BILLER, Utility.ELECTRICITY, NUMBER, LIJG, "李*国")


@pytest.fixture
def begun(url: str) -> str:
    """A house as it stood under its first secret."""
    store = opened(url, OLD)
    store.run_now(household)
    store.close()
    return url


class Killed(Exception):
    """The process died."""


def killed_after(batches: int) -> Callable[[str, int], None]:
    seen = []

    def after(place: str, sealed: int) -> None:
        seen.append(place)
        if len(seen) == batches:
            raise Killed

    return after


def all_is_found(store: Store) -> None:
    """What the house promises about these rows, whichever key sealed them."""

    def look(tx: Tx) -> None:
        assert people.person(tx, LIJG).name == "李建国"
        assert people.person_at(tx, "voice", PHONE) == [LIJG, WANGXY]
        assert people.households(tx, {LIJG})[LIJG] == {LIJG, WANGXY}
        assert numbers.find_account(tx, BILLER, NUMBER) == "E-LI"
        assert [letter.body for letter in letters.letters_to(tx, LIJG)] == [f'{{"n": {n}}}' for n in range(5)]
        assert journal.verify(tx) == []
        assert isinstance(factors.check(tx, LIJG, None, "x", "4071", AT), factors.FactorPassed)

    store.run_now(look)


def test_everything_is_sealed_anew_and_the_old_secret_may_go(begun: str) -> None:
    both = opened(begun, NEW, OLD)
    assert rekeying.rekey(both, batch=2) == 10
    assert list(rekeying.leftovers(both, Sealer.from_secret(NEW))) == []
    both.close()
    alone = opened(begun, NEW)
    all_is_found(alone)
    assert rekeying.rekey(alone) == 0
    alone.close()


def test_before_it_the_proof_names_what_is_left(begun: str) -> None:
    both = opened(begun, NEW, OLD)
    left = list(rekeying.leftovers(both, Sealer.from_secret(NEW)))
    assert {"people.name lijg", "people.name wangxy", "accounts.number E-LI"} <= set(left)
    assert all(NUMBER not in line and PHONE not in line for line in left)
    both.close()


@pytest.mark.parametrize("batches", [1, 3, 5, 8])
def test_killed_in_the_middle_it_goes_on_and_everything_is_found_meanwhile(begun: str, batches: int) -> None:
    both = opened(begun, NEW, OLD)
    with pytest.raises(Killed):
        rekeying.rekey(both, batch=1, after=killed_after(batches))
    both.close()
    again = opened(begun, NEW, OLD)
    all_is_found(again)
    rekeying.rekey(again, batch=2)
    assert list(rekeying.leftovers(again, Sealer.from_secret(NEW))) == []
    again.close()


def test_a_number_known_under_the_old_key_does_not_come_in_twice(begun: str) -> None:
    both = opened(begun, NEW, OLD)
    assert both.run_now(lambda tx: numbers.add_account(tx, account(""), AT)) == "E-LI"
    both.run_now(lambda tx: people.add_address(tx, LIJG, "voice", PHONE, AT, verified=True))
    count = both.run_now(
        lambda tx: [tx.conn.scalar(sa.select(sa.func.count()).select_from(t)) for t in (accounts, addresses)]
    )
    assert count == [1, 2]
    all_is_found(both)
    both.close()


def test_what_is_written_meanwhile_stays(begun: str) -> None:
    """Somebody changes a row between our look and our write: his words stay, and they are sealed with the new key."""
    both = opened(begun, NEW, OLD)
    one = next(c for c in rekeying.COLUMNS if c.place == "people.name")

    def overtaken(tx: Tx) -> bool:
        row = tx.conn.execute(sa.select(one.table).where(one.table.c.id == LIJG)).one()
        newer = tx.seal.seal("people.name", LIJG, "李建国爷爷")
        tx.conn.execute(sa.update(one.table).where(one.table.c.id == LIJG).values(name=newer))
        return rekeying._seal_anew(tx, one, row)

    assert both.run_now(overtaken) is False
    assert both.run_now(lambda tx: people.person(tx, LIJG).name) == "李建国爷爷"
    both.close()


def test_a_second_change_follows_the_first(begun: str) -> None:
    third = "the third secret of this house"
    for secret, before in ((NEW, OLD), (third, NEW)):
        both = opened(begun, secret, before)
        rekeying.rekey(both)
        assert list(rekeying.leftovers(both, Sealer.from_secret(secret))) == []
        both.close()
    alone = opened(begun, third)
    all_is_found(alone)
    alone.close()


def test_the_secret_before_opens_nothing_any_more(begun: str) -> None:
    both = opened(begun, NEW, OLD)
    rekeying.rekey(both)
    both.close()
    with pytest.raises(BrokenSeal):
        opened(begun, OLD)


def test_every_sealed_column_is_in_the_list() -> None:
    """A sealed column is a LargeBinary without a length; hashes and indexes have one. Flows are our own words, in the open."""
    sealed = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, sa.LargeBinary) and column.type.length is None
    }
    assert {one.place for one in rekeying.COLUMNS} == sealed - {"flow_releases.content"}


def test_rows_sealed_before_secrets_could_change_open_and_are_sealed_anew(sealer: Sealer) -> None:
    """The first releases marked every seal with 1."""
    keys = Sealer.from_secret(OLD)
    first = Sealer({1: keys._keys[1]}, 1, keys.stamp_key)
    store = Store.in_memory(first)
    store.run_now(household)
    image = store.image()
    store.close()
    now = Store.in_memory(Sealer.from_secret(OLD), image)
    all_is_found(now)
    assert rekeying.rekey(now) == 10
    all_is_found(now)
    now.close()


def test_secrets_that_bear_the_same_mark_are_refused() -> None:
    twin = next(
        f"another long secret {n}"
        for n in range(10_000)
        if Sealer.from_secret(f"another long secret {n}").mark == Sealer.from_secret(OLD).mark
    )
    with pytest.raises(ValueError, match="choose another"):
        Sealer.from_secret(twin, OLD)


def test_the_kept_key_shows_nowhere(begun: str) -> None:
    both = opened(begun, NEW, OLD)
    both.run_now(keyring.keep)
    kept = both.run_now(lambda tx: tx.conn.scalar(sa.select(keyring.keyring.c.key)))
    stamp = Sealer.from_secret(OLD).stamp_key
    assert stamp not in bytes(kept)
    assert stamp.hex() not in repr(Sealer.from_secret(OLD))
    both.close()
