"""The drill: a copy made while people pay, put back after the house burnt down, and no payment is ever collected twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa

from data.clock import VirtualClock
from data.ids import AccountId
from data.store import journal, letters
from data.store.backup import CannotBackUp, CannotRestore, back_up, restore
from data.store.engine import Sealer, Store, Tx
from data.store.payments import payments
from data.store.schema import metadata
from data.town import load_world
from integrations.ports import Reason
from integrations.sandbox.biller import SandboxBillers
from integrations.sandbox.control import SandboxControl
from integrations.sandbox.rail import SandboxRail
from payments import ledger, pausing, states, taking_up
from payments.authority.enrol import enrol_world
from payments.limits import Limits
from payments.states import State
from tests.databases import KINDS, SEALER, Databases
from tests.payments.household import CHENGFS, LIMIN, W_CHENG, W_LI, House
from tests.servers import start_sandbox

AT = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)
WORLD = load_world()


def everything(tx: Tx) -> dict[str, list[str]]:
    return {
        table.name: [
            repr(tuple(row)) for row in tx.conn.execute(sa.select(table).order_by(*table.primary_key))
        ]
        for table in metadata.sorted_tables
    }


@contextmanager
def empty(databases: Databases, kind: str) -> Iterator[Store]:
    with databases.bare_url(kind) as url, ExitStack() as kept:
        store = Store.open(url, SEALER)
        kept.callback(store.close)
        yield store


async def begun(store: Store, clock: VirtualClock) -> House:
    """A household with a payment behind it."""
    house = House.over(store, clock)
    house.enrol()
    await house.paid(LIMIN, W_LI)
    return house


@pytest.mark.parametrize(
    ("kind", "into"), [("sqlite", "postgresql"), ("postgresql", "sqlite"), ("sqlite", "sqlite")]
)
async def test_every_row_comes_back_in_either_database(
    kind: str, into: str, databases: Databases, clock: VirtualClock, tmp_path: Path
) -> None:
    with databases.store(kind) as store, empty(databases, into) as other:
        await begun(store, clock)
        copied = back_up(store, tmp_path / "house.db")
        assert restore(tmp_path / "house.db", other).rows == copied.rows
        assert other.run_now(everything) == store.run_now(everything)
        assert other.run_now(lambda tx: (ledger.verify(tx), journal.verify(tx))) == ([], [])
        # Rows written from now on get numbers of their own.
        other.run_now(
            lambda tx: letters.put_letter(tx, person=LIMIN, channel="web", body="{}", cause="x", at=AT)
        )
        other.run_now(
            lambda tx: journal.record(tx, kind="captured", person=LIMIN, actor=LIMIN, subject="x", at=AT)
        )
        assert other.run_now(journal.verify) == []


@pytest.mark.parametrize("kind", KINDS)
def test_it_holds_one_moment_while_others_write(kind: str, databases: Databases, tmp_path: Path) -> None:
    """Each transaction writes a letter and a line of the audit together; no copy holds one without the other."""
    with databases.store(kind) as store:
        over = threading.Event()

        def both(tx: Tx) -> None:
            letters.put_letter(tx, person=LIMIN, channel="web", body="{}", cause="x", at=AT)
            journal.record(tx, kind="captured", person=LIMIN, actor=LIMIN, subject="x", at=AT)

        def write() -> None:
            while not over.is_set():
                store.run_now(both)

        writer = threading.Thread(target=write)
        writer.start()
        copies = [back_up(store, tmp_path / f"{n}.db").rows for n in range(5)]
        over.set()
        writer.join()
        assert all(rows["outbox"] == rows["audit"] for rows in copies)
        assert copies[-1]["audit"] > 0


def test_only_its_owner_may_read_it_and_it_is_never_written_over(sqlite_store: Store, tmp_path: Path) -> None:
    file = tmp_path / "house.db"
    back_up(sqlite_store, file)
    assert file.stat().st_mode & 0o077 == 0
    before = file.read_bytes()
    with pytest.raises(CannotBackUp, match="never written over"):
        back_up(sqlite_store, file)
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["house.db"]


async def test_it_holds_no_account_number(sqlite_store: Store, clock: VirtualClock, tmp_path: Path) -> None:
    await begun(sqlite_store, clock)
    back_up(sqlite_store, tmp_path / "house.db")
    raw = (tmp_path / "house.db").read_bytes()
    assert b"W-LI" in raw
    assert b"2200556677" not in raw


async def test_it_goes_into_nothing_but_an_empty_database(
    sqlite_store: Store, clock: VirtualClock, tmp_path: Path
) -> None:
    await begun(sqlite_store, clock)
    back_up(sqlite_store, tmp_path / "house.db")
    before = sqlite_store.run_now(everything)
    with pytest.raises(CannotRestore, match="rows in that database"):
        restore(tmp_path / "house.db", sqlite_store)
    assert sqlite_store.run_now(everything) == before


async def test_a_wrong_secret_or_a_wrong_file_puts_nothing_back(
    sqlite_store: Store, clock: VirtualClock, tmp_path: Path
) -> None:
    await begun(sqlite_store, clock)
    back_up(sqlite_store, tmp_path / "house.db")
    (tmp_path / "letter.txt").write_text("no backup at all " * 100)
    target = Store.open(f"sqlite:///{tmp_path}/new.db", Sealer.from_secret("the secret of another house"))
    for file, why in (
        ("house.db", "does not open"),
        ("letter.txt", "not a backup"),
        ("gone.db", "not there"),
    ):
        with pytest.raises(CannotRestore, match=why):
            restore(tmp_path / file, target)
    assert all(not rows for rows in target.run_now(everything).values())
    target.close()


async def test_rows_come_back_only_together_with_what_makes_them_ask(
    sqlite_store: Store, databases: Databases, clock: VirtualClock, tmp_path: Path
) -> None:
    house = await begun(sqlite_store, clock)
    await house.confirmed(CHENGFS, W_CHENG)
    back_up(sqlite_store, tmp_path / "house.db")

    def killed(tx: Tx) -> None:
        taking_up.take_up(tx, "restore", house.now, house.limits.send_within)
        raise KeyboardInterrupt

    with empty(databases, "sqlite") as other:
        with pytest.raises(KeyboardInterrupt):
            restore(tmp_path / "house.db", other, killed)
        assert other.run_now(lambda tx: tx.conn.execute(sa.select(payments)).all()) == []


# --- payments under way ---------------------------------------------------------------------------------------------


async def test_what_was_under_way_asks_and_nothing_new_is_sent(
    sqlite_store: Store, clock: VirtualClock, tmp_path: Path
) -> None:
    house = await begun(sqlite_store, clock)
    unsent = await house.confirmed(CHENGFS, W_CHENG)
    taken = sqlite_store.run_now(
        lambda tx: taking_up.take_up(tx, "restore", house.now, house.limits.send_within)
    )
    assert (taken.asked, taken.looked_at, taken.paused) == (1, 0, True)
    assert house.view(unsent).state is State.SUBMITTED
    assert sqlite_store.run_now(lambda tx: pausing.in_force(tx)[0].scope) == pausing.ALL


async def test_what_is_too_late_to_be_sent_is_closed_and_not_sent(
    sqlite_store: Store, clock: VirtualClock
) -> None:
    house = await begun(sqlite_store, clock)
    unsent = await house.confirmed(CHENGFS, W_CHENG)
    house.clock.at += timedelta(hours=5)
    sqlite_store.run_now(lambda tx: taking_up.take_up(tx, "restore", house.now, house.limits.send_within))
    await house.runner.due()
    assert house.view(unsent).state is State.FAILED
    assert len(house.town.captures) == 1
    assert house.breaches(at_rest=False) == []


async def test_what_was_given_back_after_the_backup_is_not_given_back_twice(
    sealer: Sealer, clock: VirtualClock
) -> None:
    store = Store.in_memory(sealer)
    house = House.over(store, clock)
    house.enrol()
    payment = await house.confirmed(CHENGFS, W_CHENG)
    while house.view(payment).state is not State.PAID:
        await house.advance.step(payment, "house")
    backup = store.image()
    house.town.refuses_posting = Reason.BILL_CHANGED
    await house.runner.due()
    assert house.view(payment).state is State.REFUNDED
    again = House.over(Store.in_memory(sealer, backup), clock, house.town)
    again.store.run_now(lambda tx: taking_up.take_up(tx, "restore", again.now, again.limits.send_within))
    await again.later(timedelta(minutes=5))
    assert again.view(payment).state is State.REFUNDED
    assert len(house.town.refunds) == 1
    assert again.breaches() == []


async def test_money_that_may_be_on_its_way_back_waits_for_a_person(
    sqlite_store: Store, clock: VirtualClock
) -> None:
    house = await begun(sqlite_store, clock)
    payment = await house.confirmed(CHENGFS, W_CHENG)
    elsewhere = {"kind": "refund", "person": CHENGFS, "reason": "paid_elsewhere", "summary": ""}

    def refused(tx: Tx) -> None:
        letters.open_ticket(tx, **elsewhere, at=house.now)  # says that all goes by itself: not so any more
        path = (State.CONFIRMED, State.SUBMITTED, State.PAID, State.POSTING, State.POST_FAILED)
        for frm, to in pairwise(path):
            states.move(tx, payment, frm, to, house.now, captured_at=house.now, sent_at=house.now)

    sqlite_store.run_now(refused)
    taken = sqlite_store.run_now(
        lambda tx: taking_up.take_up(tx, "restore", house.now, house.limits.send_within)
    )
    await house.runner.due()
    assert taken.looked_at == 1
    assert house.view(payment).state is State.POST_FAILED
    waiting = sqlite_store.run_now(letters.tickets_waiting)
    assert {t.reason for t in waiting} == {"paid_elsewhere", "restored_maybe_refunded"}
    assert house.town.refunds == {}


async def test_the_drill_against_the_sandbox(tmp_path: Path) -> None:
    """The house burns down after a backup; what was sent since is found by its number, and nothing is collected twice."""
    with start_sandbox(tmp_path) as handle:
        control = SandboxControl(handle.url, handle.control_token)
        await control.load_world(WORLD)
        rail = SandboxRail(handle.url, handle.secret, timeout_seconds=0.5)
        billers = SandboxBillers(handle.url, timeout_seconds=5)
        clock = VirtualClock((await control.inspect()).now)
        first = Store.open(f"sqlite:///{tmp_path}/first.db", SEALER)
        first.migrate()
        first.run_now(lambda tx: enrol_world(tx, WORLD, clock.now() - timedelta(days=1)))
        house = House.over(first, clock, rail=rail, billers=billers)
        unsent, unknown = await house.confirmed(LIMIN, W_LI), await house.confirmed(CHENGFS, W_CHENG)
        await control.fault("rail", "timeout_then_paid_after", seconds=30, operation="charge", uses=1)
        await house.runner.advance_now([unknown])
        back_up(first, tmp_path / "house.db")
        # After the backup: one more is begun, and all three are collected. Then the house is gone.
        clock.at = (await control.advance(timedelta(seconds=60))).astimezone(UTC)
        await house.runner.due()
        lost = await house.confirmed(LIMIN, AccountId("G-LI"))
        await house.runner.advance_now([lost])
        collected = Counter(c.order for c in (await control.inspect()).captures)
        assert sorted(collected.values()) == [1, 1, 1]
        first.close()

        second = Store.open(f"sqlite:///{tmp_path}/second.db", SEALER)
        restore(tmp_path / "house.db", second)
        again = House.over(second, clock, rail=rail, billers=billers)
        second.run_now(lambda tx: taking_up.take_up(tx, "restore", clock.now(), Limits().send_within))
        calls = len((await control.inspect()).calls)
        for _ in range(5):
            clock.at = (await control.advance(timedelta(seconds=60))).astimezone(UTC)
            await again.runner.due()
        seen = await control.inspect()
        assert Counter(c.order for c in seen.captures) == collected
        assert [c.operation for c in seen.calls[calls:] if c.operation == "charge"] == []
        assert [again.view(payment).state for payment in (unsent, unknown)] == [State.SETTLED] * 2
        assert numbers(second) < set(collected)  # the third is for whoever compares the statement
        assert second.run_now(ledger.verify) == []
        # While that is being done nothing is sent, and the bill that was paid is not due any more.
        assert second.run_now(lambda tx: pausing.hindrance(tx)) is not None
        for closing in (rail, billers, control):
            await closing.aclose()
        second.close()


def numbers(store: Store) -> set[str]:
    return store.run_now(lambda tx: set(tx.conn.scalars(sa.select(payments.c.number))))
