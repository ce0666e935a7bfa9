"""Old talks go, and nothing that a payment, an agreement, a helper or the law still needs goes with them."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot import working
from data.clock import VirtualClock
from data.events import InboundEvent, InboundKind
from data.ids import PersonId
from data.money import Money
from data.store import letters, retention
from data.store.engine import Sealer, Store, Tx
from data.store.payments import acts
from data.store.post import inbox, outbox
from data.store.retention import clear_away
from data.store.talks import calls, turns
from dialogues import conversations
from dialogues.model import Conversation, Preferences, Said
from payments import invariants
from tests.payments.automatic import BILL, agreed, allow
from tests.payments.household import CHENGFS, E_LI, LIMIN, W_CHENG, W_LI, House

OLD = timedelta(days=500)


@pytest.fixture
def house(clock: VirtualClock, sealer: Sealer) -> House:
    made = House.over(Store.in_memory(sealer), clock)
    made.enrol()
    return made


def talk(tx: Tx, person: PersonId, event_id: str, at: datetime, state: str = "sent") -> None:
    """One turn of a talk as the house keeps it: what came, what was said, and what it asked outside."""
    event = InboundEvent("telegram", event_id, person, InboundKind.TEXT, at)
    letters.first_seen(tx, "telegram", event_id, person, at)
    letter = letters.put_letter(
        tx, person=person, channel="telegram", body="{}", cause=f"telegram:{event_id}", at=at
    )
    tx.conn.execute(sa.update(outbox).where(outbox.c.id == letter).values(state=state))
    here = Conversation(person=person, release="", preferences=Preferences())
    conversations.record_turn(tx, here, event, [], [Said(response="r", text="x")], "x")
    tx.conn.execute(
        sa.insert(calls).values(
            id=f"call_{event_id}", person=person, action="a", arguments=b"", state="answered", started_at=at, deadline=at
        )
    )  # fmt: skip


def left(house: House) -> dict[str, list[str]]:
    """Which events each table still knows."""

    def look(tx: Tx) -> dict[str, list[str]]:
        return {
            "inbox": sorted(tx.conn.scalars(sa.select(inbox.c.event_id))),
            "outbox": sorted(c.partition(":")[2] for c in tx.conn.scalars(sa.select(outbox.c.cause))),
            "turns": sorted(tx.conn.scalars(sa.select(turns.c.event_id))),
            "calls": sorted(c.partition("_")[2] for c in tx.conn.scalars(sa.select(calls.c.id))),
        }

    return house.store.run_now(look)


async def cleared(house: House, **how: Any) -> dict[str, int]:
    return await clear_away(house.store, house.now - timedelta(days=400), **how)


def write(house: House, person: PersonId, event_id: str, **how: Any) -> None:
    house.store.run_now(lambda tx: talk(tx, person, event_id, house.now, **how))


def told(house: House) -> None:
    """Everybody has heard his news."""
    later = house.now + timedelta(minutes=1)
    house.store.run_now(
        lambda tx: [letters.mark_served(tx, news.id, later) for news in letters.news_due(tx, later)]
    )


async def test_old_talks_go_and_young_ones_stay(house: House) -> None:
    write(house, LIMIN, "old")
    house.clock.at += OLD
    write(house, LIMIN, "young")
    assert await cleared(house) == {"calls": 1, "outbox": 1, "inbox": 1, "turns": 1}
    assert left(house) == {name: ["young"] for name in ("inbox", "outbox", "turns", "calls")}


@pytest.mark.parametrize("batch", [1, 3, 100])
async def test_in_batches_of_any_size(house: House, batch: int) -> None:
    for n in range(7):
        write(house, (LIMIN, CHENGFS)[n % 2], f"old{n}")
    house.clock.at += OLD
    assert await cleared(house, batch=batch) == {"calls": 7, "outbox": 7, "inbox": 7, "turns": 7}
    assert await cleared(house) == {"calls": 0, "outbox": 0, "inbox": 0, "turns": 0}


@pytest.mark.parametrize("state", ["queued", "leased"])
async def test_a_letter_that_waits_is_never_thrown_away(house: House, state: str) -> None:
    write(house, LIMIN, "waits", state=state)
    house.clock.at += OLD
    await cleared(house)
    assert left(house)["outbox"] == ["waits"]


async def test_a_call_nobody_answered_yet_stays(house: House) -> None:
    write(house, LIMIN, "asked")
    house.store.run_now(lambda tx: tx.conn.execute(sa.update(calls).values(state="waiting")))
    house.clock.at += OLD
    await cleared(house)
    assert left(house)["calls"] == ["asked"]


async def test_the_talk_of_a_yes_stays_as_long_as_the_payment(house: House) -> None:
    """What was read back, what was said, and the event of the yes: the record of it; small talk beside it goes."""
    write(house, LIMIN, "before")
    house.clock.at += timedelta(minutes=5)
    act = await house.proposed(LIMIN, W_LI)
    write(house, LIMIN, "read-back")
    house.clock.at += timedelta(minutes=1)
    write(house, LIMIN, "ev")  # the event the yes was given on
    done = await house.confirm(act.act, act.digest, LIMIN)
    await house.runner.advance_now(done.payments)
    house.clock.at += timedelta(minutes=5)
    write(house, LIMIN, "after")
    told(house)
    house.clock.at += OLD
    await cleared(house)
    kept = left(house)
    assert {name: kept[name] for name in ("inbox", "outbox", "turns")} == {
        name: ["ev", "read-back"] for name in ("inbox", "outbox", "turns")
    }
    assert house.store.run_now(lambda tx: invariants.check(tx, house.town.captures)) == []


async def test_the_talk_of_an_agreement_stays(house: House) -> None:
    allow(house)
    write(house, LIMIN, "read-back")
    agreed(house, BILL)
    house.clock.at += OLD
    await cleared(house)
    assert left(house)["turns"] == ["read-back"]


@pytest.mark.parametrize("who", [LIMIN, CHENGFS])
async def test_nothing_of_somebody_with_money_under_way_goes(house: House, who: PersonId) -> None:
    write(house, LIMIN, "his"), write(house, CHENGFS, "hers")
    house.clock.at += OLD
    await house.confirmed(who, W_LI if who == LIMIN else W_CHENG)  # written, and nothing sent yet
    await cleared(house)
    assert left(house)["turns"] == (["his"] if who == LIMIN else ["hers"])


async def test_nothing_of_somebody_one_of_us_looks_after_goes(house: House) -> None:
    write(house, CHENGFS, "his")
    house.clock.at += OLD
    ticket = house.store.run_now(
        lambda tx: letters.open_ticket(tx, kind="human", person=CHENGFS, reason="", summary="x", at=house.now)
    )
    await cleared(house)
    assert left(house)["turns"] == ["his"]
    house.store.run_now(lambda tx: letters.close_ticket(tx, ticket, house.now))
    await cleared(house)
    assert left(house)["turns"] == []


async def test_nothing_of_somebody_with_news_to_hear_goes(house: House) -> None:
    write(house, LIMIN, "hers")
    house.clock.at += OLD
    house.store.run_now(
        lambda tx: letters.put_news(tx, id="n", person=LIMIN, kind="captured", body={}, at=house.now)
    )
    await cleared(house)
    assert left(house)["turns"] == ["hers"]


async def test_a_batch_reads_the_yeses_of_its_own_time_by_their_index(house: House) -> None:
    """Whoever pays every month has hundreds of yeses; a batch of letters needs those of its days."""
    await house.paid(LIMIN, W_LI)
    then = house.now
    for _ in range(3):
        await house.later(timedelta(days=30))
        await house.paid(LIMIN, E_LI, Money(5_000))
    day = timedelta(days=1)
    found = house.store.run_now(lambda tx: retention._yeses(tx, {LIMIN}, then - day, then + day))
    assert len(found) == 1

    def plan(tx: Tx) -> str:
        query = retention._said_by({LIMIN, CHENGFS}, then - day, then + day)
        words = query.compile(tx.conn, compile_kwargs={"literal_binds": True})
        return str(tx.conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}").all())

    assert "SCAN acts" not in house.store.run_now(plan)


async def test_on_both_databases(store: Store, clock: VirtualClock) -> None:
    house = House.over(store, clock)
    house.enrol()
    act = await house.proposed(LIMIN, W_LI, Money(4_650))
    write(house, LIMIN, "ev")
    done = await house.confirm(act.act, act.digest, LIMIN)
    await house.runner.advance_now(done.payments)
    house.clock.at += timedelta(minutes=5)
    write(house, LIMIN, "after")
    store.run_now(
        lambda tx: [letters.mark_served(tx, n.id, house.now) for n in letters.news_due(tx, house.now)]
    )
    house.clock.at += OLD
    assert await cleared(house, batch=1) == {"calls": 2, "outbox": 1, "inbox": 1, "turns": 1}
    assert left(house)["turns"] == ["ev"]
    assert store.run_now(lambda tx: tx.conn.scalar(sa.select(sa.func.count()).select_from(acts))) == 1


async def test_the_worker_clears_away_again_and_again_and_a_bad_round_ends_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = []

    async def clear(store: Store, before: datetime) -> dict[str, int]:
        rounds.append(before)
        if len(rounds) == 1:
            raise OSError("the disk was full")
        return {"turns": 0}

    class Waking:
        async def clear_away(self, before: datetime) -> int:
            wakings.append(before)
            return 0

    wakings: list[datetime] = []
    monkeypatch.setattr(working, "clear_away", clear)
    clearing = asyncio.create_task(
        working.keep_clear(house, 400, 0, Waking(), wakings_days=7)  # type: ignore[arg-type]
    )
    while len(rounds) < 3:
        await asyncio.sleep(0)
    clearing.cancel()
    assert set(rounds) == {house.now - timedelta(days=400)}
    assert set(wakings) == {house.now - timedelta(days=7)}
