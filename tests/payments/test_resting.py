"""A backup is put back: what was stopped since lives in it again, so nothing is debited before somebody agreed anew."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa

from bot.app import release as house_release
from data.store.audit import audit
from dialogues import standing
from dialogues.model import Conversation, Facts, Preferences, Say
from dialogues.responses import render
from payments import pausing, resting, taking_up
from payments.taking_up import TakenUp
from payments.terms import MandateState
from tests.payments.automatic import BILL, TOP_UP, agreed, at, meter, stop, told, took
from tests.payments.household import LIMIN, House


def put_back(house: House) -> TakenUp:
    """The backup is put back, the statement compared, and sending let go on."""
    taken = house.store.run_now(
        lambda tx: taking_up.take_up(tx, "restore", house.now, house.limits.send_within)
    )
    house.store.run_now(lambda tx: pausing.resume(tx, by="zhao", at=house.now))
    return taken


async def test_one_that_was_stopped_since_the_backup_takes_nothing(lis: House) -> None:
    held = agreed(lis)
    backup = lis.store.image()
    assert stop(lis, held.id)
    again = House.over(
        type(lis.store).in_memory(lis.store.run_now(lambda tx: tx.seal), backup), lis.clock, lis.town
    )
    taken = put_back(again)
    assert taken.resting == 1
    await meter(again, 1_500)
    await meter(again, 500, timedelta(days=2))
    assert took(again) == []
    # Never dark: who looks after the meter hears that it is low.
    assert len(told(again, LIMIN, "low_balance")) > 0


def test_the_payer_is_told_once_of_which_day_our_records_are(lis: House) -> None:
    agreed(lis)
    agreed(lis, BILL)
    taken = put_back(lis)
    (body,) = told(lis, LIMIN, resting.NEWS)
    assert body["as_of"] == taken.as_of.isoformat()
    news = lis.store.run_now(
        lambda tx: standing.news_of(
            tx, lis.till, lis.till.catalogue, LIMIN, resting.NEWS, body, "zh", lis.now
        )
    )
    assert news is not None
    assert news.slots["bill_name"] in ("电费、水费", "水费、电费")
    talk = Conversation(LIMIN, "r", preferences=Preferences(locale="zh"))
    said = render(
        house_release(), Say("utter_mandates_rest", news.slots), talk, Facts(lis.now, "web", False, {})
    )
    assert all(words in said[0].text for words in ("3月", "先停着", "接着缴"))


async def test_the_payers_yes_lets_it_go_on(lis: House) -> None:
    held = agreed(lis)
    put_back(lis)
    assert at(lis).state is MandateState.PAUSED
    await lis.later(timedelta(minutes=1))
    agreed(lis, TOP_UP, replaces=held.id)
    await meter(lis, 1_500)
    assert took(lis) == [10_000]
    assert lis.breaches() == []


async def test_an_operator_lets_one_go_on_with_a_reason_and_it_is_told(lis: House) -> None:
    held = agreed(lis)
    put_back(lis)
    await meter(lis, 1_500)  # it ran low while it rested
    assert took(lis) == []
    go_on = lambda: lis.store.run_now(  # noqa: E731
        lambda tx: resting.let_go_on(tx, held.id, "zhao", "called her, she wants it", lis.now)
    )
    assert go_on()
    assert not go_on()
    assert told(lis, LIMIN, resting.GOES_ON)
    line = lis.store.run_now(
        lambda tx: tx.conn.execute(sa.select(audit).order_by(audit.c.seq.desc()).limit(1)).one()
    )
    assert (line.actor, line.body["to"], line.body["reason"]) == (
        "zhao",
        "active",
        "called her, she wants it",
    )
    await lis.later(timedelta(minutes=5))
    await lis.sweep()
    assert took(lis) == [10_000]
    assert lis.breaches() == []


def test_one_paused_by_its_payer_is_his_to_take_up(lis: House) -> None:
    held = agreed(lis)
    lis.store.run_now(lambda tx: lis.till.pause_mandate(tx, held.id, LIMIN, lis.now))
    assert put_back(lis).resting == 0
    assert not lis.store.run_now(lambda tx: resting.let_go_on(tx, held.id, "zhao", "why not", lis.now))


def pause(house: House, mandate: str, until: date | None = None) -> bool:
    return house.store.run_now(lambda tx: house.till.pause_mandate(tx, mandate, LIMIN, house.now, until))


async def test_one_paused_until_a_day_goes_on_by_itself_and_is_told_before(lis: House) -> None:
    held = agreed(lis)
    assert pause(lis, held.id, date(2026, 3, 14))  # it is the tenth
    await meter(lis, 1_500)
    assert took(lis) == []
    assert told(lis, LIMIN, "mandate_wakes") == []
    await lis.later(timedelta(days=3))
    await lis.sweep()
    assert [b["rests_until"] for b in told(lis, LIMIN, "mandate_wakes")] == ["2026-03-14"]
    assert took(lis) == []
    await lis.later(timedelta(days=1))
    await lis.sweep()
    await lis.sweep()
    assert told(lis, LIMIN, resting.GOES_ON)
    assert took(lis) == [10_000]  # it had run low meanwhile
    assert lis.breaches() == []


async def test_until_somebody_says_so_stays_possible(lis: House) -> None:
    held = agreed(lis)
    assert pause(lis, held.id, date(2026, 3, 14))
    assert pause(lis, held.id)  # 一直停着
    await lis.later(timedelta(days=5))
    await meter(lis, 1_500)
    assert (took(lis), told(lis, LIMIN, resting.GOES_ON)) == ([], [])


async def test_one_that_was_to_go_on_by_itself_does_not_after_a_restore(lis: House) -> None:
    held = agreed(lis)
    assert pause(lis, held.id, date(2026, 3, 14))
    assert put_back(lis).resting == 1
    await lis.later(timedelta(days=5))
    await meter(lis, 1_500)
    assert took(lis) == []
    assert lis.store.run_now(resting.at_rest)


def test_what_else_may_have_come_back_is_counted_and_written_down(lis: House) -> None:
    taken = put_back(lis)
    assert taken.came_back["leaves"] > 0
    assert taken.came_back["purses"] == 3
    line = lis.store.run_now(
        lambda tx: tx.conn.execute(sa.select(audit).where(audit.c.kind == "restored")).one()
    )
    assert line.body["leaves"] == taken.came_back["leaves"]
    assert line.body["as_of"] == taken.as_of.isoformat()
