"""A name is one live process's: a second one is refused in a clear sentence, and who lost it knows before he sends anything."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from data.store import presence
from data.store.engine import Store
from data.store.presence import NameTaken, Presence, is_dead
from tests.databases import Databases


@pytest.fixture(autouse=True)
def soon_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "_ARRIVAL_SECONDS", 0.0)


@pytest.fixture
def house(databases: Databases) -> Store:
    with databases.store("postgresql") as fresh:
        yield fresh


async def dead(store: Store, name: str) -> bool:
    return await store.run(lambda tx: is_dead(tx, name))


def cut(store: Store) -> None:
    # With a time-out it answers only when the other side is gone, and its line with it.
    gone = "pg_terminate_backend(pid, 10000)"
    ended = f"SELECT {gone} FROM pg_stat_activity WHERE application_name LIKE 'bangjiao %'"
    store.run_now(lambda tx: tx.conn.execute(sa.text(ended)).all())


async def test_a_second_process_of_the_same_name_is_refused(store: Store) -> None:
    one, other = Presence(store, "worker-1"), Presence(store, "worker-1")
    await one.come()
    with pytest.raises(NameTaken, match=r"'worker-1'.*BANGJIAO_EXECUTOR"):
        await other.come()
    await one.go()
    await other.come()
    assert other.held
    await other.go()


async def test_others_have_names_of_their_own(store: Store) -> None:
    one, other = Presence(store, "worker-1"), Presence(store, "worker-2")
    await one.come()
    await other.come()
    assert one.held
    assert other.held
    await one.go()
    await other.go()


async def test_only_a_name_nobody_holds_is_a_dead_ones(house: Store) -> None:
    alive = Presence(house, "alive")
    assert await dead(house, "alive")
    await alive.come()
    assert not await dead(house, "alive")
    assert await dead(house, "somebody else")
    await alive.go()
    assert await dead(house, "alive")


async def test_who_is_cut_off_reads_it_from_the_line(house: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds in ("BEAT_SECONDS", "SURE_SECONDS"):
        monkeypatch.setattr(presence, seconds, 600.0)  # no beat and no clock says it
    one = Presence(house, "worker-1")
    await one.come()
    assert one.held
    cut(house)
    async with asyncio.timeout(20):
        while one.held:
            await asyncio.sleep(0.01)
    assert await dead(house, "worker-1")
    await one.go()


async def test_who_was_cut_off_has_his_name_again_soon(house: Store) -> None:
    one = Presence(house, "worker-1")
    await one.come()
    cut(house)
    async with asyncio.timeout(20):
        while one.held:
            await asyncio.sleep(0.01)
        while not one.held:
            await asyncio.sleep(0.01)
    assert not await dead(house, "worker-1")
    await one.go()


async def test_who_was_stopped_for_a_while_is_not_sure_of_his_name(
    house: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Presence(house, "worker-1")
    await one.come()
    now = presence.time.monotonic()
    monkeypatch.setattr(presence.time, "monotonic", lambda: now + presence.SURE_SECONDS + 1)
    assert not one.held
    monkeypatch.undo()
    await one.go()


async def test_a_name_is_not_taken_back_while_somebody_tidies_up_under_it(house: Store) -> None:
    one = Presence(house, "worker-1")

    def tidy(tx: object) -> None:
        assert is_dead(tx, "worker-1")  # type: ignore[arg-type]
        with pytest.raises(NameTaken):
            asyncio.run_coroutine_threadsafe(one.come(), loop).result(20)

    loop = asyncio.get_running_loop()
    await house.run(tidy)
    await one.come()
    await one.go()


@pytest.mark.parametrize("name", ["", "x" * 41])
def test_a_name_must_fit_into_a_lease(house: Store, name: str) -> None:
    with pytest.raises(ValueError, match="1 to 40"):
        Presence(house, name)


async def test_a_store_in_memory_is_nobody_elses(sealer: object) -> None:
    store = Store.in_memory(sealer)  # type: ignore[arg-type]
    one, other = Presence(store, "house"), Presence(store, "house")
    await one.come()
    await other.come()
    assert one.held
    await one.go()
    await other.go()


async def test_what_a_lock_file_leaves_behind_hinders_nobody(databases: Databases) -> None:
    with databases.store("sqlite") as store:
        for _ in range(2):
            one = Presence(store, "serve")
            await one.come()
            await one.go()
        database = Path(str(store.engine.url.database))
        assert (database.parent / f"{database.name}.serve.lock").exists()
