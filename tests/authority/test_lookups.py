"""Asking for the name behind a number: some a day, the same one again for nothing, and the holder can hear of it."""

from __future__ import annotations

from datetime import timedelta

from data.ids import BillerId, PersonId
from data.store.engine import Store
from data.town import load_world
from payments.authority import looks, lookups

AT = load_world().start
WHO, WATER = PersonId("chenm"), BillerId("sh-water")


def ask(town: Store, number: str, later: timedelta = timedelta(0)) -> bool:
    return town.run_now(lambda tx: lookups.may_ask(tx, WHO, WATER, number, AT + later))


def test_twenty_numbers_a_day_and_the_same_one_again_counts_once(town: Store) -> None:
    numbers = [f"32009{n:05d}" for n in range(21)]
    assert all(ask(town, n) for n in numbers[:20] for _ in range(2))
    assert not ask(town, numbers[20])
    assert ask(town, numbers[0])
    assert ask(town, numbers[20], timedelta(days=1, seconds=1))


def test_the_holder_hears_who_asked_for_his_name(town: Store) -> None:
    assert ask(town, "3200456701")
    (look,) = town.run_now(lambda tx: looks.looked_at(tx, PersonId("chengfs"), AT + timedelta(hours=1)))
    assert (look.actor, look.utilities) == (WHO, ("water",))
