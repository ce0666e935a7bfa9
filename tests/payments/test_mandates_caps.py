"""Caps of automatic payments: lower at once with one word, higher only with a new firm yes and 72 hours later."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from data.clock import shanghai
from data.model import May
from data.money import Money
from payments.acts import Evidence, Refusal
from payments.authority import access
from payments.terms import ProposedMandate
from tests.payments.automatic import (
    METER,
    WORDS,
    agreed,
    allow,
    at,
    capped,
    lower,
    meter,
    propose,
    stop,
    told,
    took,
)
from tests.payments.household import CHENM, E_LI, LIJG, LIMIN, House

DAY = timedelta(days=1)
LOW = capped(per_charge=Money(5_000), amount=Money(5_000), per_month=Money(5_000), per_day=3)
HIGH = capped(per_charge=Money(10_000), amount=Money(10_000), per_month=Money(30_000), per_day=3)


def test_a_higher_cap_is_told_with_the_hour_from_which_it_counts(lis: House) -> None:
    live = agreed(lis, LOW)
    proposed = propose(lis, HIGH, replaces=live.id)
    assert isinstance(proposed, ProposedMandate)
    assert proposed.rises_at == lis.now + timedelta(hours=72)
    assert proposed.raised == {"amount", "per_charge", "per_month"}
    assert proposed.until_then is not None
    assert (proposed.until_then.amount, proposed.until_then.per_month) == (Money(5_000), Money(5_000))
    again = propose(
        lis, capped(per_charge=Money(4_000), amount=Money(4_000), per_month=Money(4_000)), replaces=live.id
    )
    assert isinstance(again, ProposedMandate)
    assert again.rises_at is None


async def test_a_higher_amount_below_a_cap_that_stays_waits_too(lis: House) -> None:
    live = agreed(lis, replace(HIGH, amount=Money(5_000)))
    await lis.later(DAY)
    proposed = propose(lis, HIGH, replaces=live.id)
    assert isinstance(proposed, ProposedMandate)
    assert (proposed.raised, proposed.rises_at) == ({"amount"}, lis.now + timedelta(hours=72))
    agreed(lis, HIGH, replaces=live.id)
    await meter(lis, 1_790)
    assert took(lis) == [5_000]
    await meter(lis, 6_790)
    await meter(lis, 1_400, 3 * DAY)
    assert took(lis) == [5_000, 10_000]
    assert lis.breaches() == []


@pytest.mark.parametrize("way", ["changed", "stopped and begun anew"])
async def test_a_higher_cap_counts_after_72_hours_and_the_old_one_until_then(house: House, way: str) -> None:
    allow(house)
    live = agreed(house, LOW)
    await house.later(DAY)
    if way == "changed":
        agreed(house, HIGH, replaces=live.id)
    else:
        assert stop(house, live.id)
        agreed(house, HIGH)
    await meter(house, 1_790)
    assert took(house) == [5_000]  # the old amount under the old cap: the light stays on
    await meter(house, 6_790)
    await meter(house, 1_500)
    assert took(house) == [5_000]
    assert [b["reason"] for b in told(house, LIMIN, "auto_not_made")] == ["over_month_cap"]
    assert house.breaches() == []
    await meter(house, 1_400, 3 * DAY)
    assert took(house) == [5_000, 10_000]
    assert house.breaches() == []


async def test_raising_twice_does_not_shorten_the_wait(lis: House) -> None:
    live = agreed(lis, LOW)
    await lis.later(DAY)
    middle = agreed(lis, capped(per_charge=Money(8_000), amount=Money(8_000)), replaces=live.id)
    await lis.later(2 * DAY)
    agreed(lis, HIGH, replaces=middle.id)
    await lis.later(timedelta(hours=25))
    await meter(lis, 1_790)
    assert took(lis) == [8_000]  # the middle one counts by now, the last not yet
    assert lis.breaches() == []


async def test_a_cap_is_lowered_at_once_by_payer_and_elder_and_by_nobody_else(lis: House) -> None:
    live = agreed(lis, HIGH)

    assert not lower(lis, live.id, CHENM, per_month=Money(20_000))
    assert lower(lis, live.id, LIMIN, per_month=Money(20_000))
    assert lower(lis, live.id, LIJG, per_month=Money(10_000))
    for silly in (30_000, 9_999, -1, 0):
        assert not lower(lis, live.id, LIMIN, per_month=Money(silly))
    found = at(lis)
    assert found is not None
    assert found.terms.per_month == Money(10_000)
    await meter(lis, 1_790)
    await meter(lis, 11_790)
    await meter(lis, 1_500)
    assert took(lis) == [10_000]


@pytest.mark.parametrize(
    ("clause", "value", "falls_to", "charges"),
    [
        ("below", Money(5_000), [4_500], (0, 1)),  # earlier than agreed before
        ("per_day", 2, [1_900, 11_900, 1_800], (1, 3)),  # oftener a day
        ("ask_above", None, [1_900], (0, 1)),  # asked no more: this meter burns thrice what it did last year
    ],
)
async def test_what_takes_earlier_oftener_or_unasked_waits_72_hours_too(
    lis: House, clause: str, value: Money | int | None, falls_to: list[int], charges: tuple[int, int]
) -> None:
    lis.town.daily_use[METER] = Money(1_200)
    before = capped(ask_above=None if clause != "ask_above" else 2)
    live = agreed(lis, before)
    await lis.quoting.last_year(LIMIN, E_LI)
    await meter(lis, 60_000)
    await lis.later(DAY)
    wanted = replace(before, **{clause: value})
    proposed = propose(lis, wanted, replaces=live.id)
    assert isinstance(proposed, ProposedMandate)
    assert (proposed.raised, proposed.until_then) == ({clause}, before)
    agreed(lis, wanted, replaces=live.id)
    for fen in falls_to:
        await meter(lis, fen)
    before_72_hours = len(took(lis))
    await meter(lis, 60_000, 3 * DAY)
    for fen in falls_to:
        await meter(lis, fen)
    assert (before_72_hours, len(took(lis))) == charges
    assert lis.breaches() == []


async def test_every_clause_can_be_lowered_at_once_and_none_raised(lis: House) -> None:
    live = agreed(lis, capped(per_day=3, below=Money(3_000)))
    assert lower(lis, live.id, amount=Money(5_000), below=Money(2_000), per_day=2, ask_above=3)
    for more in (
        {"amount": Money(6_000)},
        {"below": Money(2_100)},
        {"per_day": 3},
        {"ask_above": 4},
        {"amount": Money(1)},  # the biller takes no such sum
        {"amount": Money(4_000), "per_month": Money(40_000)},
    ):
        assert not lower(lis, live.id, **more)
    await meter(lis, 2_500)
    assert took(lis) == []
    await meter(lis, 1_900)
    assert took(lis) == [5_000]
    assert lower(lis, live.id, amount=Money(3_000))
    assert lis.breaches() == []  # what was taken before stays right


def test_a_fixed_amount_is_not_raised_with_one_word_though_its_cap_would_allow_it(lis: House) -> None:
    live = agreed(lis, capped(amount=Money(5_000)))
    assert live.terms.per_charge == Money(10_000)
    assert not lower(lis, live.id, LIJG, amount=Money(10_000), per_charge=Money(10_000))
    assert lower(lis, live.id, LIJG, amount=Money(4_000))


async def test_a_threshold_above_the_amount_charges_once_and_then_asks_somebody_to_look(lis: House) -> None:
    agreed(lis, capped(below=Money(20_000), per_day=3))
    await meter(lis, 1_790)
    for fen in (11_700, 11_600, 11_500):
        await meter(lis, fen)
    assert took(lis) == [10_000]
    assert len(told(lis, LIMIN, "still_low")) == 1
    assert lis.breaches() == []


async def test_the_month_of_a_cap_is_shanghais(lis: House) -> None:
    agreed(lis, capped(per_month=Money(10_000), per_day=3))
    local = shanghai(lis.now)
    last_hour = local.replace(month=3, day=31, hour=23, minute=0, second=0, microsecond=0)
    await meter(lis, 1_790, last_hour - local)
    await meter(lis, 11_790)
    await meter(lis, 1_500)
    assert took(lis) == [10_000]
    await meter(lis, 1_400, timedelta(hours=1))  # 1 April in Shanghai, still March by UTC
    assert took(lis) == [10_000, 10_000]
    assert lis.breaches() == []


async def test_two_relatives_who_agree_at_the_same_moment_leave_one_agreement(house: House) -> None:
    allow(house)
    house.store.run_now(lambda tx: access.grant(tx, LIJG, CHENM, [May.MANDATE], house.now))
    both = [propose(house), propose(house, by=CHENM)]
    acts = [act for act in both if isinstance(act, ProposedMandate)]
    assert len(acts) == 2

    async def say_yes(act: ProposedMandate) -> object:
        evidence = Evidence(f"ev-{act.payer}", "web", act.payer, "word", "code", WORDS, "utter_read@1")
        return await house.store.run(
            lambda tx: house.till.confirm(tx, act=act.act, digest=act.digest, evidence=evidence, at=house.now)
        )

    answers = await asyncio.gather(*map(say_yes, acts))
    assert sorted(type(a).__name__ for a in answers) == ["Confirmed", "Refusal"]
    assert [a.reason for a in answers if isinstance(a, Refusal)] == ["mandate_exists"]
    await meter(house, 1_790)
    assert took(house) == [10_000]
