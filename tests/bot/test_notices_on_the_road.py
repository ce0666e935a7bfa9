"""A notice on its way: tried again by its urgency, on the person's next road, never late and untrue, never lost in silence."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.carrier import Carrier
from bot.channels import Delivery
from bot.retrying import NOTICE, URGENT
from data.clock import Quiet, shanghai
from data.ids import PersonId
from data.store import letters
from data.store.engine import Sealer, Store, Tx
from data.store.mandates import warnings as warnings_table
from data.store.post import outbox
from dialogues import wire
from dialogues.model import Said
from payments import not_told, warnings
from payments.authority import people, wishes
from payments.authority.wishes import Wishes
from tests.payments.household import E_LI, LIJG, LIMIN, House

L, N, T = Delivery.LATER, Delivery.NEVER, Delivery.TAKEN
DAY = timedelta(days=1)


class Road:
    """A channel that answers as it is told, and takes everything afterwards."""

    def __init__(self, name: str, *answers: Delivery) -> None:
        self.name = name
        self.answers = deque(answers)
        self.took: list[str] = []
        self.tried = 0

    async def send(self, person: PersonId, said: Said) -> Delivery:
        self.tried += 1
        answer = self.answers.popleft() if self.answers else T
        if answer is T:
            self.took.append(said.text)
        return answer


@pytest.fixture
def house(clock: Any, sealer: Sealer) -> Iterator[House]:
    made = House.over(Store.in_memory(sealer), clock)
    made.enrol()
    yield made
    made.store.close()


def reached(house: House, *channels: str, who: PersonId = LIMIN) -> None:
    """Where this person is reached, the first one first."""
    for rank, channel in enumerate(channels):
        house.store.run_now(
            lambda tx, c=channel, r=rank: people.add_address(tx, who, c, f"1390000{r}", house.now, True, r)
        )


def written(house: House, kind: str = "auto_posted", who: PersonId = LIMIN, **body: Any) -> None:
    """A notice that the desk has told: its letter lies on the person's usual road."""

    def write(tx: Tx) -> None:
        letters.put_news(
            tx, id=f"{kind}:x:{who}", person=who, kind=kind, body={"account": E_LI, **body}, at=house.now
        )

    house.store.run_now(write)
    told(house)


def told(house: House) -> None:
    """The desk's part, as far as it matters here: each piece of news due becomes a letter on its road."""

    def tell(tx: Tx) -> None:
        for news in letters.news_due(tx, house.now):
            letters.mark_served(tx, news.id, house.now)
            road = news.body.get("on_channel") or wishes.roads(tx, news.person)[0]
            letters.put_letter(
                tx,
                person=news.person,
                channel=road,
                body=wire.dump_said(Said("utter_hello", f"{news.kind} by {road}")),
                cause=f"{letters.NEWS}:{news.id}",
                at=house.now,
            )

    house.store.run_now(tell)


def states(house: House) -> list[tuple[str, str]]:
    rows = house.store.run_now(
        lambda tx: list(tx.conn.execute(sa.select(outbox.c.channel, outbox.c.state).order_by("seq")))
    )
    return [(row.channel, row.state) for row in rows]


async def carried(house: House, *roads: Road, until: timedelta, step: timedelta, **how: Any) -> None:
    """A house that beats: letters are carried, and what comes of them is told."""
    carrier = Carrier(house.store, {road.name: road for road in roads}, house.clock, **how)
    end = house.now + until
    while house.now < end:
        await carrier.deliver()
        told(house)
        house.clock.advance(step)  # type: ignore[attr-defined]


async def test_after_an_outage_a_notice_comes_once(house: House) -> None:
    reached(house, "telegram")
    written(house)
    telegram = Road("telegram", L, L, L)
    await carried(house, telegram, until=timedelta(minutes=30), step=timedelta(seconds=30))
    assert (telegram.tried, telegram.took) == (4, ["auto_posted by telegram"])
    assert states(house) == [("telegram", "sent")]


@pytest.mark.parametrize(
    ("body", "within"), [({"urgent": True}, timedelta(minutes=10)), ({}, timedelta(hours=9))]
)
async def test_what_is_urgent_takes_the_next_road_sooner(
    house: House, body: dict[str, Any], within: timedelta
) -> None:
    reached(house, "telegram", "sms")
    written(house, **body)
    dead, sms = Road("telegram", *[L] * 50), Road("sms")
    await carried(house, dead, sms, until=within, step=timedelta(seconds=15 if body else 300))
    assert dead.tried == (URGENT if body else NOTICE).tries
    assert sms.took == ["auto_posted by sms"]
    assert states(house) == [("telegram", "given_up"), ("sms", "sent")]


async def test_who_blocked_us_is_told_on_his_next_road_at_once(house: House) -> None:
    reached(house, "telegram", "sms")
    written(house)
    blocked, sms = Road("telegram", N), Road("sms")
    await carried(house, blocked, sms, until=timedelta(minutes=1), step=timedelta(seconds=30))
    assert sms.took == ["auto_posted by sms"]
    assert states(house) == [("telegram", "failed"), ("sms", "sent")]


@pytest.mark.parametrize(("kind", "tickets"), [("auto_failed", ["could_not_tell"]), ("auto_posted", [])])
async def test_a_warning_nobody_could_bring_comes_to_a_person_of_ours(
    house: House, kind: str, tickets: list[str]
) -> None:
    reached(house, "telegram", "sms")
    written(house, kind)
    await carried(
        house, Road("telegram", N), Road("sms", N), until=timedelta(minutes=2), step=timedelta(minutes=1)
    )
    assert states(house) == [("telegram", "failed"), ("sms", "failed")]
    assert house.tickets() == tickets
    parked = house.store.run_now(lambda tx: not_told.undelivered(tx, LIMIN))
    assert [(row["name"], row["about"], row["state"]) for row in parked] == [("李*", kind, "failed")] * 2


async def test_where_nobody_of_a_rung_could_be_told_the_next_one_is_told_at_once(house: House) -> None:
    reached(house, "telegram")
    house.store.run_now(
        lambda tx: warnings.warn(
            tx,
            kind="auto_failed",
            account=E_LI,
            cause="c",
            first=[LIMIN],
            body={"urgent": False},
            at=house.now,
        )
    )
    told(house)
    assert house.store.run_now(lambda tx: house.ladder.climb(tx, house.now)) == 0
    await carried(house, Road("telegram", N), until=timedelta(minutes=1), step=timedelta(minutes=1))
    assert house.store.run_now(lambda tx: house.ladder.climb(tx, house.now)) == 1
    assert "warning" in house.news(LIJG)
    rung = house.store.run_now(lambda tx: tx.conn.scalar(sa.select(warnings_table.c.rung)))
    assert rung == 1


async def test_what_is_no_longer_so_is_not_told_late(house: House) -> None:
    reached(house, "telegram")
    written(house)
    telegram = Road("telegram", L)
    await carried(
        house,
        telegram,
        until=timedelta(minutes=5),
        step=timedelta(seconds=30),
        still_so=lambda _tx, _news, _at: False,
    )
    assert (telegram.tried, telegram.took) == (1, [])
    assert states(house) == [("telegram", "superseded")]


async def test_a_carrier_that_dies_over_a_letter_sends_it_at_most_twice(house: House) -> None:
    reached(house, "telegram", "sms")
    written(house)
    sent: list[str] = []

    class Deadly:
        name = "telegram"

        async def send(self, person: PersonId, said: Said) -> Delivery:
            sent.append(said.text)
            raise KeyboardInterrupt

    sms = Road("sms")
    for _ in range(5):
        with suppress(KeyboardInterrupt):
            await Carrier(house.store, {"telegram": Deadly(), "sms": sms}, house.clock).deliver()
        told(house)
        house.clock.advance(timedelta(minutes=1))  # type: ignore[attr-defined]
    assert len(sent) == 2
    assert sms.took == ["auto_posted by sms"]


async def test_a_second_try_disturbs_nobody_at_night(house: House) -> None:
    """At eight in the evening the channel is away; whoever asked to be left alone from seven hears of it in the morning."""
    reached(house, "telegram")
    house.store.run_now(lambda tx: wishes.keep(tx, LIMIN, LIMIN, Wishes(quiet=Quiet(since=19)), house.now))
    written(house)
    seven = shanghai(house.now).replace(hour=18, minute=59, second=40)
    house.clock.advance(seven - house.now)  # type: ignore[attr-defined]
    await Carrier(house.store, {"telegram": Road("telegram", L)}, house.clock).deliver()
    [letter] = house.store.run_now(lambda tx: letters.letters_to(tx, LIMIN))
    assert letter.not_before is not None
    assert shanghai(letter.not_before) == (seven + DAY).replace(hour=8, minute=0, second=0)


def at_evening(house: House, hour: int, minute: int) -> None:
    evening = shanghai(house.now).replace(hour=hour, minute=minute, second=0, microsecond=0)
    house.clock.advance(evening - house.now)  # type: ignore[attr-defined]


def waits_for_the_morning(house: House) -> bool:
    [letter] = house.store.run_now(lambda tx: letters.letters_to(tx, LIMIN))
    morning = shanghai(letter.not_before) if letter.not_before else None
    return morning is not None and (morning.hour, morning.minute) == (8, 0)


@pytest.mark.parametrize("hours", [0.25, 5])
@pytest.mark.parametrize(("body", "told_now"), [({}, False), ({"urgent": True}, True)])
async def test_what_nobody_carried_in_the_evening_is_brought_by_day(
    house: House, body: dict[str, Any], told_now: bool, hours: float
) -> None:
    """It was written before nine and its carrier comes after it, with the first try or with the second."""
    reached(house, "telegram")
    at_evening(house, 20, 50)
    written(house, **body)
    house.clock.advance(timedelta(hours=hours))  # type: ignore[attr-defined]
    road = Road("telegram")
    await Carrier(house.store, {"telegram": road}, house.clock).deliver()
    assert bool(road.took) == told_now
    if not told_now:
        assert waits_for_the_morning(house)
        await carried(house, road, until=timedelta(hours=13), step=timedelta(minutes=20))
        assert (road.tried, states(house)) == (1, [("telegram", "sent")])


async def test_an_answer_that_comes_much_too_late_wakes_nobody(house: House) -> None:
    reached(house, "telegram")
    at_evening(house, 20, 50)
    house.store.run_now(
        lambda tx: letters.put_letter(
            tx,
            person=LIMIN,
            channel="telegram",
            body=wire.dump_said(Said("utter_hello", "an answer")),
            cause="telegram:1",
            at=house.now,
        )
    )
    down = Road("telegram", *[L] * 8)
    await carried(house, down, until=timedelta(hours=3), step=timedelta(minutes=1))
    assert 4 <= down.tried <= 6, "while he may still wait for it"
    assert waits_for_the_morning(house)


@pytest.mark.parametrize("schedule", [URGENT, NOTICE])
def test_waits_grow_up_to_a_bound_and_are_not_all_alike(schedule: Any) -> None:
    def letter(id: str, tries: int) -> letters.Letter:
        now = datetime.fromisoformat("2026-03-10T09:00:00+08:00")
        return letters.Letter(id, 1, LIMIN, "web", "", "", "queued", now, None, tries, 0)

    waits = [schedule.wait(letter("let_1", n)) for n in range(1, schedule.tries + 1)]
    assert waits == [schedule.wait(letter("let_1", n)) for n in range(1, schedule.tries + 1)]
    assert all(0.75 * schedule.first <= wait <= 1.25 * schedule.longest for wait in waits)
    assert waits[-1] > 2 * waits[0]
    assert len({schedule.wait(letter(f"let_{n}", 3)) for n in range(20)}) > 10


async def test_one_piece_of_news_in_two_letters_is_told_once_on_the_next_road(house: House) -> None:
    """Where something was asked already, the question follows the notice as a letter of its own."""
    reached(house, "telegram", "sms")
    written(house)
    [notice] = house.store.run_now(lambda tx: letters.letters_to(tx, LIMIN))
    house.store.run_now(
        lambda tx: letters.put_letter(
            tx, person=LIMIN, channel="telegram", body=notice.body, cause=notice.cause, at=house.now
        )
    )
    blocked, sms = Road("telegram", N, N), Road("sms")
    await carried(house, blocked, sms, until=timedelta(minutes=2), step=timedelta(seconds=30))
    assert (blocked.tried, sms.took) == (2, ["auto_posted by sms"])


@pytest.mark.parametrize(("roads", "tickets"), [(("voice", "sms"), []), (("voice",), ["could_not_tell"])])
async def test_a_road_that_nobody_drives_is_left_for_the_next_or_a_person_looks(
    house: House, roads: tuple[str, ...], tickets: list[str]
) -> None:
    reached(house, *roads)
    written(house, "auto_failed")
    sms = Road("sms")
    carrier = Carrier(house.store, {"sms": sms}, house.clock)
    assert await carrier.pass_on() == 0, "another process may carry it"
    house.clock.advance(timedelta(minutes=10))  # type: ignore[attr-defined]
    assert await carrier.pass_on() == 1
    told(house)
    await carrier.deliver()
    assert len(sms.took) == len(roads) - 1
    assert house.tickets() == tickets


async def test_what_went_wrong_long_ago_hides_nothing_new(house: House) -> None:
    reached(house, "telegram")
    written(house, "low_balance")
    await carried(house, Road("telegram", N), until=timedelta(minutes=1), step=timedelta(minutes=1))
    house.clock.advance(10 * DAY)  # type: ignore[attr-defined]
    written(house, "auto_failed")
    await carried(house, Road("telegram", L), until=timedelta(seconds=5), step=timedelta(seconds=5))

    def listed(**how: Any) -> list[tuple[str, str, bool]]:
        rows = house.store.run_now(lambda tx: not_told.undelivered(tx, **how))
        return [(row["about"], row["state"], row["again_at"] is not None) for row in rows]

    both = [("auto_failed", "parked", True), ("low_balance", "failed", False)]
    assert listed() == both
    assert listed(limit=1) == listed(since=house.now - DAY) == both[:1]
    house.store.run_now(
        lambda tx: tx.conn.execute(sa.update(outbox).values(ended_at=None, not_before=house.now))
    )
    assert listed() == both, "it is over, whatever its row says of another try"


# --- one letter's trouble is its own --------------------------------------------------------------------------------


def many(house: House, so_many: int) -> None:
    """As many warnings, each a letter on the person's first road."""

    def write(tx: Tx) -> None:
        for n in range(so_many):
            body = {"account": E_LI}
            letters.put_news(
                tx, id=f"auto_failed:{n}:{LIMIN}", person=LIMIN, kind="auto_failed", body=body, at=house.now
            )

    house.store.run_now(write)
    told(house)


async def test_a_slow_road_gives_up_nothing_that_it_was_not_handed(house: House) -> None:
    reached(house, "telegram")
    many(house, 50)

    class Slow(Road):
        async def send(self, person: PersonId, said: Said) -> Delivery:
            house.clock.advance(timedelta(seconds=4))  # type: ignore[attr-defined]
            return await super().send(person, said)

    slow = Slow("telegram")
    await carried(house, slow, until=timedelta(minutes=20), step=timedelta(seconds=31))
    assert states(house) == [("telegram", "sent")] * 50
    assert (slow.tried, house.tickets()) == (50, [])


async def test_a_letter_its_channel_breaks_over_takes_no_other_with_it(house: House) -> None:
    """It may have gone out each time, so it goes twice and no more; the others never wait for it."""
    reached(house, "telegram")
    many(house, 6)
    tried: list[PersonId] = []

    class Breaks(Road):
        async def send(self, person: PersonId, said: Said) -> Delivery:
            tried.append(person)
            if len(tried) in (1, 7):  # the first letter: at once, and after its wait
                raise RuntimeError("boom")
            return await super().send(person, said)

    breaks = Breaks("telegram")
    await carried(house, breaks, until=timedelta(minutes=10), step=timedelta(seconds=31))
    assert states(house) == [("telegram", "given_up"), *[("telegram", "sent")] * 5]
    assert (len(tried), house.tickets()) == (7, ["could_not_tell"])


async def test_two_restarts_within_a_queue_give_up_the_letter_in_hand_only(house: House) -> None:
    reached(house, "telegram")
    many(house, 20)

    class Killed(Road):
        async def send(self, person: PersonId, said: Said) -> Delivery:
            if self.tried % 5 == 4:
                self.tried += 1
                raise KeyboardInterrupt
            return await super().send(person, said)

    killed = Killed("telegram")
    for _ in range(8):
        with suppress(KeyboardInterrupt):
            await Carrier(house.store, {"telegram": killed}, house.clock).deliver()
        house.clock.advance(timedelta(seconds=31))  # type: ignore[attr-defined]
    assert states(house) == [("telegram", "sent")] * 20
    assert len(killed.took) == 20


@pytest.mark.parametrize("answer", [N, L])
async def test_who_was_too_slow_has_no_more_say_in_what_another_carries(
    house: House, answer: Delivery
) -> None:
    reached(house, "telegram", "sms")
    written(house)
    sms = Road("sms")
    others: list[letters.Letter] = []

    class Hangs(Road):
        async def send(self, person: PersonId, said: Said) -> Delivery:
            house.clock.advance(timedelta(seconds=31))  # type: ignore[attr-defined]
            at, lease = house.now, timedelta(seconds=30)
            others.extend(
                house.store.run_now(
                    lambda tx: letters.lease_letters(tx, channel="telegram", person=None, at=at, lease=lease)
                )
            )
            return await super().send(person, said)

    await Carrier(house.store, {"telegram": Hangs("telegram", answer), "sms": sms}, house.clock).deliver()
    assert states(house) == [("telegram", "leased")]
    [letter] = others
    assert house.store.run_now(lambda tx: letters.mark_sent(tx, letter.id, house.now))
    await carried(house, sms, until=timedelta(minutes=1), step=timedelta(seconds=30))
    assert (states(house), sms.took) == ([("telegram", "sent")], [])
