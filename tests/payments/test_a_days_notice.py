"""A day's notice is a day from when it was brought: what nobody could be told of is not taken, and what is over is not told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from data.money import Money
from data.store import letters
from data.store.engine import Tx
from dialogues.hearing import still_so
from payments import stopping
from tests.payments.automatic import WATER, pass_and_look, told, took
from tests.payments.household import LIMIN, W_LI, House, catalogue

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def ahead(house: House) -> list[letters.News]:
    due = house.store.run_now(lambda tx: letters.news_due(tx, house.now, LIMIN))
    return [news for news in due if news.kind == "debit_ahead"]


def carried(house: House, becomes: Callable[[Tx, letters.Letter], object]) -> None:
    """The newest notice is told, its letter taken in hand, and this becomes of it."""

    def carry(tx: Tx) -> None:
        news = ahead_in(tx)[-1]
        letters.mark_served(tx, news.id, house.now)
        cause = f"{letters.NEWS}:{news.id}"
        letters.put_letter(tx, person=LIMIN, channel="telegram", body="{}", cause=cause, at=house.now)
        [letter] = letters.lease_letters(
            tx, channel="telegram", person=LIMIN, at=house.now, lease=timedelta(seconds=30)
        )
        becomes(tx, letter)

    def ahead_in(tx: Tx) -> list[letters.News]:
        return [n for n in letters.news_due(tx, house.now, LIMIN) if n.kind == "debit_ahead"]

    house.store.run_now(carry)


async def test_what_was_told_late_is_taken_a_day_after_that(billed: House) -> None:
    await pass_and_look(billed, HOUR)
    await billed.later(6 * HOUR)
    carried(billed, lambda tx, letter: letters.mark_sent(tx, letter.id, billed.now))
    await pass_and_look(billed, 20 * HOUR)
    assert took(billed) == []
    await pass_and_look(billed, 4 * HOUR)
    assert took(billed) == [4_650]
    assert billed.breaches() == []


async def test_what_is_still_on_its_way_is_not_taken(billed: House) -> None:
    await pass_and_look(billed, HOUR)
    carried(billed, lambda tx, letter: letters.mark_later(tx, letter, billed.now + 40 * HOUR))
    await pass_and_look(billed, 30 * HOUR)
    assert took(billed) == []


async def test_what_could_be_told_on_no_road_is_told_anew_before_it_is_taken(billed: House) -> None:
    await pass_and_look(billed, HOUR)
    carried(billed, lambda tx, letter: letters.end(tx, letter, "failed", billed.now))
    await pass_and_look(billed, DAY)
    assert took(billed) == []
    assert len(ahead(billed)) == 1, "once more, with a whole day again"
    carried(billed, lambda tx, letter: letters.mark_sent(tx, letter.id, billed.now))
    await pass_and_look(billed, DAY)
    assert took(billed) == [4_650]
    assert billed.breaches() == []


def skipped(house: House) -> object:
    return house.store.run_now(lambda tx: stopping.skip(tx, W_LI, LIMIN, house.now))


def stopped(house: House) -> object:
    held = house.store.run_now(lambda tx: house.till.mandate_at(tx, W_LI, house.now))
    assert held is not None
    return house.store.run_now(lambda tx: house.till.stop_mandate(tx, held.id, LIMIN, house.now))


def day_over(house: House) -> object:
    house.town.pass_time(2 * DAY)
    return True


@pytest.mark.parametrize("what", [skipped, stopped, day_over])
async def test_a_debit_that_does_not_come_is_not_announced_late(
    billed: House, what: Callable[[House], object]
) -> None:
    await pass_and_look(billed, HOUR)
    [news] = ahead(billed)
    assert so(billed, news)
    assert what(billed)
    assert not so(billed, news)


async def test_an_announcement_of_less_than_it_is_now_is_not_told(billed: House) -> None:
    await pass_and_look(billed, HOUR)
    [first] = ahead(billed)
    billed.town.due[WATER] = Money(4_700)
    await pass_and_look(billed, DAY)
    assert [so(billed, news) for news in ahead(billed)] == [False, True]
    assert first.body["amount_fen"] == told(billed, LIMIN, "debit_ahead")[0]["amount_fen"] == 4_650


def so(house: House, news: letters.News) -> bool:
    served: Any = SimpleNamespace(till=house.till, catalogue=catalogue())
    return house.store.run_now(lambda tx: still_so(served, tx, news, house.now))
