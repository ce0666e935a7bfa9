"""What somebody wants to be told: read in the transaction that writes the notice; what must be heard is, and nobody else may say so."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from data.clock import QUIET_FROM, QUIET_TO, SHANGHAI, Quiet
from data.ids import PersonId
from data.store import letters
from data.store.engine import Tx
from data.store.post import events
from payments.authority import people, wishes
from payments.authority.wishes import EARLIEST, LATEST, OPTIONAL, USUAL, Group, Wishes
from payments.notices import notice
from tests.payments.automatic import BILL, agreed, meter, told
from tests.payments.household import E_LI, LIJG, LIMIN, House

NOTHING = Wishes(unwanted=frozenset(OPTIONAL))


def wish(house: House, wanted: Wishes, who: PersonId = LIMIN, by: PersonId | None = None) -> bool:
    return house.store.run_now(lambda tx: wishes.keep(tx, who, by or who, wanted, house.now))


def now(house: House, who: PersonId = LIMIN) -> Wishes:
    return house.store.run_now(lambda tx: wishes.of(tx, who))


def untold(house: House) -> dict[str, str]:
    """Which news were kept and why they were not told."""
    rows = house.store.run_now(lambda tx: tx.conn.execute(sa.select(events.c.kind, events.c.untold)).all())
    return {row.kind: row.untold for row in rows if row.untold}


async def test_what_was_paid_is_kept_and_not_told_to_who_does_not_want_it(family: House) -> None:
    agreed(family)
    wish(family, Wishes(unwanted=frozenset({Group.PAID})))
    await meter(family, 1_790)
    assert told(family, LIMIN, "auto_posted") == []
    assert untold(family) == {"auto_started": "unwanted", "auto_posted": "unwanted"}
    assert len(told(family, LIJG, "auto_for_you")) == 1, "what she hears of is hers, what he hears of is his"


@pytest.mark.parametrize(
    "kind", ["auto_failed", "low_balance", "warning", "debit_ahead", "mandate_suspended"]
)
def test_what_must_be_heard_is_told_whatever_was_wished(quick: House, kind: str) -> None:
    wish(quick, NOTHING)
    assert quick.store.run_now(lambda tx: notice(tx, LIMIN, kind, "x", {"account": E_LI}, quick.now))
    assert len(told(quick, LIMIN, kind)) == 1


@pytest.mark.parametrize(("payer", "heard"), [(LIJG, 1), (LIMIN, 0)])
def test_money_taken_from_him_by_another_is_always_heard_of(
    quick: House, payer: PersonId, heard: int
) -> None:
    wish(quick, NOTHING, LIJG)
    quick.store.run_now(
        lambda tx: notice(tx, LIJG, "captured_for_you", "x", {"payer": payer, "by": LIMIN}, quick.now)
    )
    assert len(told(quick, LIJG, "captured_for_you")) == heard


def test_nobody_says_it_for_another(quick: House) -> None:
    assert not wish(quick, NOTHING, LIJG, by=LIMIN)
    assert now(quick, LIJG) == USUAL
    assert wish(quick, NOTHING, LIJG)
    assert (now(quick, LIJG), now(quick, LIMIN)) == (NOTHING, USUAL)
    assert quick.audit().count("notices_changed") == 1


def test_one_word_brings_back_what_was_before(quick: House) -> None:
    def back() -> bool:
        return quick.store.run_now(lambda tx: wishes.take_back(tx, LIMIN, quick.now))

    assert not back()
    wish(quick, NOTHING)
    late = replace(NOTHING, quiet=Quiet(since=20))
    wish(quick, late)
    assert back()
    assert now(quick) == NOTHING
    assert back()
    assert now(quick) == late, "said again, the change is there again"


@pytest.mark.parametrize("since", [None, 12, 17, 18, 20, 21, 23])
@pytest.mark.parametrize("until", [None, 5, 8, 9, 11, 14])
def test_quiet_hours_hold_the_night_and_leave_a_day(since: int | None, until: int | None) -> None:
    made = wishes.left_alone(since, until, Quiet())
    assert EARLIEST <= made.since <= QUIET_FROM
    assert QUIET_TO <= made.until <= LATEST
    for hour in range(24):
        at = datetime(2026, 3, 10, hour, 30, tzinfo=SHANGHAI)
        assert made.holds(at) or not Quiet().holds(at), "what everybody's night holds, his holds"
        if made.holds(at):
            assert made.over(at).hour == made.until
            assert timedelta(0) < made.over(at) - at <= timedelta(hours=24)


async def test_the_day_before_a_debit_is_counted_from_when_he_can_hear_of_it(family: House) -> None:
    """At seven in the evening, of somebody who is left alone from six: the notice is heard at nine, and its day begins then."""
    agreed(family, BILL)
    wish(family, Wishes(quiet=Quiet(since=18, until=9)))
    local = family.now.astimezone(SHANGHAI)
    family.clock.advance(local.replace(hour=19, minute=0) - local)  # type: ignore[attr-defined]
    await family.sweep()
    (ahead,) = told(family, LIMIN, "debit_ahead")
    heard = datetime.fromisoformat(ahead["not_before"]).astimezone(SHANGHAI)
    assert (heard.hour, heard.date()) == (9, (local + timedelta(days=2)).date())
    assert family.breaches() == []


def test_a_notice_goes_the_road_that_was_wished_for_while_it_stands(quick: House) -> None:
    def said(about: str) -> Any:
        quick.store.run_now(lambda tx: notice(tx, LIMIN, "low_balance", about, {"account": E_LI}, quick.now))
        return told(quick, LIMIN, "low_balance")[-1].get("on_channel")

    wish(quick, Wishes(road="sms"))
    assert said("a") is None, "she has no such number"
    quick.store.run_now(lambda tx: people.add_address(tx, LIMIN, "sms", "13900001111", quick.now, True))
    assert said("b") == "sms"
    wish(quick, USUAL)
    assert said("c") is None


def test_an_answer_goes_where_she_is_whatever_was_wished(quick: House) -> None:
    quick.store.run_now(lambda tx: people.add_address(tx, LIMIN, "sms", "13900001111", quick.now, True))
    wish(quick, replace(NOTHING, road="sms"))

    def write(tx: Tx) -> list[letters.News]:
        notice(tx, LIMIN, "captured", "x", {"payer": LIMIN, "by": LIMIN}, quick.now)
        return letters.news_due(tx, quick.now, LIMIN)

    [news] = quick.store.run_now(write)
    assert "on_channel" not in news.body


@pytest.mark.parametrize(
    ("since", "until", "can"),
    [
        (20, None, True),
        (18, 11, True),
        (0, None, True),
        (None, 9, True),
        (8, None, False),
        (12, 14, False),
        (12, 2, False),
        (17, None, False),
        (None, 2, False),
        (20, 12, False),
    ],
)
def test_quiet_hours_begin_in_the_evening_and_end_in_the_morning(
    since: int | None, until: int | None, can: bool
) -> None:
    assert wishes.of_the_night(since, until) == can


def test_after_midnight_is_later_than_the_evening_not_earlier() -> None:
    assert wishes.left_alone(0, None, Quiet(since=19)).since == QUIET_FROM
