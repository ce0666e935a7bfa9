"""A meter that runs low: one charge an episode, within every cap, told to payer and elder, and never twice for one reading."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from data.model import May
from data.money import Money
from data.store import letters
from data.store.mandates import debits
from integrations.ports import Reason
from payments import debiting
from payments.authority import access
from payments.mandates import LIVE
from payments.states import State
from tests.payments.automatic import (
    METER,
    agreed,
    at,
    capped,
    lower,
    meter,
    propose,
    stop,
    told,
    took,
)
from tests.payments.household import E_LI, LIJG, LIMIN, XIAOZHOU, House
from tests.simulation import town as ways

DAY = timedelta(days=1)


def _states(house: House) -> list[tuple[str, str | None]]:
    query = sa.select(debits.c.state, debits.c.reason).order_by(debits.c.created_at, debits.c.cause)
    return [(r.state, r.reason) for r in house.store.run_now(lambda tx: tx.conn.execute(query).all())]


# --- it pays --------------------------------------------------------------------------------------------------------


async def test_a_low_meter_is_topped_up_once_and_both_sides_hear_of_it(family: House) -> None:
    live = agreed(family)
    await meter(family, 1_790)
    assert took(family) == [10_000]
    assert family.town.prepaid[METER] == Money(11_790)
    started, posted = told(family, LIMIN, "auto_started")[0], told(family, LIMIN, "auto_posted")[0]
    assert (started["balance_fen"], started["amount_fen"], started["mandate"]) == (1_790, 10_000, live.id)
    assert (posted["balance_after"], posted["times_this_month"]) == (11_790, 1)
    assert (posted["spent_fen"], posted["per_month_fen"]) == (10_000, 30_000)
    # Nothing is called arrived before the biller says so, and the elder hears one short word after it.
    assert family.news(LIMIN) == ["auto_started", "auto_posted"]
    assert family.news(LIJG) == ["mandate_set_for_you", "auto_for_you"]
    assert family.audit()[-2:] == ["captured", "posted"]
    assert family.breaches() == []


async def test_nothing_is_called_arrived_before_the_biller_says_so(lis: House) -> None:
    agreed(lis)
    lis.town.fault = lambda op: ways.ANSWER_LOST if op in ("post", "post_status") else ways.OK
    await meter(lis, 1_790)
    assert lis.news(LIMIN) == ["auto_started"]
    assert "auto_for_you" not in lis.news(LIJG)
    lis.town.fault = lambda op: ways.OK
    await lis.later(timedelta(minutes=1))
    assert lis.news(LIMIN) == ["auto_started", "auto_posted"]
    assert lis.breaches() == []


async def test_the_same_reading_again_charges_nothing(family: House) -> None:
    agreed(family)
    await meter(family, 1_790)
    for fen in (1_790, 1_790, 1_790):  # an old reading under a new date
        await meter(family, fen)
    await meter(family, 11_470)
    await meter(family, 1_790)
    assert took(family) == [10_000]


async def test_each_low_episode_is_one_charge(lis: House) -> None:
    agreed(lis, capped(per_day=2))
    await meter(lis, 1_790)
    await meter(lis, 11_790)
    await meter(lis, 2_000)  # not below
    assert took(lis) == [10_000]
    await meter(lis, 1_990)
    assert took(lis) == [10_000, 10_000]
    assert told(lis, LIMIN, "auto_posted")[1]["times_this_month"] == 2
    assert lis.breaches() == []


async def test_a_late_reading_and_one_asked_before_a_write_off_change_nothing(lis: House) -> None:
    from payments.sweep import take_reading

    agreed(lis)
    await meter(lis, 1_790)
    answer = await lis.quote(LIMIN, E_LI)
    before = lis.now - timedelta(hours=1)
    hand = lambda tx: debiting.Round(tx, lis.now, lis.limits, lis.till.catalogue)  # noqa: E731
    assert lis.store.run_now(lambda tx: take_reading(hand(tx), E_LI, answer.quote, before)) == []
    assert took(lis) == [10_000]


async def test_a_meter_that_was_low_when_it_was_agreed_to_waits_for_its_next_word(lis: House) -> None:
    await lis.quote(LIMIN, E_LI)  # 18.60, heard in the talk
    agreed(lis)
    await lis.later(timedelta(minutes=5))
    await lis.sweep()
    assert took(lis) == []
    await meter(lis, 1_850)
    assert took(lis) == [10_000]


async def test_on_a_clock_that_stands_what_is_asked_after_the_yes_counts_as_newer(lis: House) -> None:
    agreed(lis)
    await meter(lis, 1_790, timedelta(0))
    await meter(lis, 1_790, timedelta(0))
    assert took(lis) == [10_000]


async def test_only_one_top_up_is_under_way_at_a_time(lis: House) -> None:
    agreed(lis, capped(per_day=3))
    lis.town.fault = lambda op: ways.ANSWER_LOST if op != "query" else ways.OK
    await meter(lis, 1_790)
    await meter(lis, 2_500)  # the family put money in by other means
    await meter(lis, 1_500)
    assert len(took(lis)) == 1
    assert lis.breaches(at_rest=False) == []


async def test_two_rounds_at_once_charge_once(family: House) -> None:
    import asyncio

    agreed(family)
    await family.later(timedelta(minutes=5))
    family.town.prepaid[METER] = Money(1_790)
    other = House.over(family.store, family.clock, family.town, owner="other")
    rounds = await asyncio.gather(*(h.sweeper.run() for h in (family, other, family, other)))
    made = [p for swept in rounds for p in swept.payments]
    assert len(made) == 1
    await family.runner.advance_now(made)
    assert took(family) == [10_000]
    assert family.breaches() == []


async def test_a_round_cut_off_goes_on_where_it_stood(lis: House) -> None:
    agreed(lis)
    lis.town.prepaid[METER] = Money(1_790)
    seen = []

    async def power_cut(biller: str, number: str) -> object:
        seen.append(number)
        raise KeyboardInterrupt

    whole = lis.billers.query
    lis.billers.query = power_cut  # type: ignore[method-assign, assignment]
    await lis.later(timedelta(minutes=5))
    with pytest.raises(KeyboardInterrupt):
        await lis.sweeper.run()
    lis.billers.query = whole  # type: ignore[method-assign]
    assert seen == [METER]
    await lis.sweep()
    assert took(lis) == [10_000]
    assert (await lis.sweeper.run(every=timedelta(minutes=5))).read == 0  # begun just now, by whomever


# --- it does not pay ------------------------------------------------------------------------------------------------


async def test_the_month_has_its_cap_and_a_new_month_begins_in_shanghai(lis: House) -> None:
    agreed(lis, capped(per_month=Money(20_000), per_day=3))
    for fen in (1_790, 11_790, 1_700, 11_700, 1_600):
        await meter(lis, fen)
    assert took(lis) == [10_000] * 2
    loud = told(lis, LIMIN, "auto_not_made")
    assert [b["reason"] for b in loud] == ["over_month_cap"]
    await meter(lis, 1_500)
    assert len(told(lis, LIMIN, "auto_not_made")) == 1  # told once
    # 31 March, 23:59 in Shanghai is still March; a minute later it is April, and the cap begins anew.
    lis.town.pass_time(datetime(2026, 3, 31, 15, 59, tzinfo=UTC) - lis.now)
    await lis.sweep()
    assert len(took(lis)) == 2
    await meter(lis, 1_400, timedelta(minutes=1))
    assert len(took(lis)) == 3
    assert lis.breaches() == []


async def test_a_day_has_its_count(lis: House) -> None:
    agreed(lis)
    for fen in (1_790, 11_790, 1_700):
        await meter(lis, fen)
    assert took(lis) == [10_000]
    assert [b["reason"] for b in told(lis, LIMIN, "auto_not_made")] == ["over_day_cap"]
    await meter(lis, 1_600, DAY)
    assert took(lis) == [10_000] * 2


async def test_a_stop_and_a_new_agreement_do_not_begin_the_month_anew(lis: House) -> None:
    live = agreed(lis, capped(per_month=Money(10_000)))
    await meter(lis, 1_790)
    await meter(lis, 11_790)
    stop(lis, live.id)
    agreed(lis, capped(per_month=Money(10_000)))
    await meter(lis, 1_700, DAY)
    assert took(lis) == [10_000]
    assert lis.breaches() == []


async def test_unlike_last_year_the_payer_is_asked_first(lis: House) -> None:
    await lis.quoting.last_year(LIMIN, E_LI)
    lis.town.daily_use[METER] = Money(450)  # 139.50 a month, and last March it was 62
    agreed(lis, capped(ask_above=2))
    await meter(lis, 1_790)
    assert took(lis) == []
    (asked,) = told(lis, LIMIN, "auto_asks")
    assert (asked["usual_fen"], asked["amount_fen"], asked["balance_fen"]) == (6_200, 10_000, 1_790)
    assert _states(lis) == [("asking", None)]


async def test_like_last_year_nobody_is_asked(lis: House) -> None:
    await lis.quoting.last_year(LIMIN, E_LI)
    lis.town.daily_use[METER] = Money(320)
    agreed(lis, capped(ask_above=2))
    await meter(lis, 1_790)
    assert took(lis) == [10_000]


async def test_a_charge_that_did_not_help_is_told_and_not_repeated(lis: House) -> None:
    agreed(lis, capped(per_day=3))
    await meter(lis, 1_790)
    await meter(lis, 1_780)
    await meter(lis, 1_770)
    assert took(lis) == [10_000]
    assert len(told(lis, LIMIN, "still_low")) == 1


# --- stopped --------------------------------------------------------------------------------------------------------


async def test_after_a_stop_a_low_meter_charges_nothing_and_the_reminder_stays(family: House) -> None:
    live = agreed(family)
    stop(family, live.id)
    await meter(family, 900)
    assert took(family) == []
    (low,) = told(family, LIMIN, "low_balance")
    assert (low["balance_fen"], low["days_left"], low["urgent"]) == (900, 2, False)
    assert (low["mandate"], low["mandate_state"]) == (live.id, "revoked")
    await meter(family, 890)
    assert len(told(family, LIMIN, "low_balance")) == 1  # once an episode
    await meter(family, 200)
    assert [b["urgent"] for b in told(family, LIMIN, "low_balance")] == [False, True]
    assert family.breaches() == []


async def test_a_debit_written_and_not_sent_is_cancelled_by_the_stop(family: House) -> None:
    live = agreed(family)
    await family.later(timedelta(minutes=5))
    family.town.prepaid[METER] = Money(1_790)
    (payment,) = (await family.sweeper.run()).payments
    assert stop(family, live.id, LIJG)
    await family.runner.advance_now([payment])
    assert family.view(payment).state is State.CANCELLED
    assert took(family) == []
    assert family.breaches() == []


async def test_a_debit_already_sent_is_closed_where_the_rail_allows(lis: House) -> None:
    live = agreed(lis)
    lis.town.fault = lambda op: ways.REQUEST_LOST if op == "charge" else ways.OK
    await meter(lis, 1_790)
    assert stop(lis, live.id)
    await lis.later(timedelta(minutes=1))
    assert took(lis) == []
    assert lis.breaches() == []


@pytest.mark.parametrize("when", ["before_the_reading", "before_the_sending"])
async def test_leave_taken_back_wins(lis: House, when: str) -> None:
    agreed(lis)
    await lis.later(timedelta(minutes=5))
    lis.town.prepaid[METER] = Money(1_790)

    def take_back() -> None:
        lis.store.run_now(lambda tx: access.revoke(tx, LIJG, LIMIN, lis.now, [May.MANDATE]))

    if when == "before_the_reading":
        take_back()
    made = (await lis.sweeper.run()).payments
    if when == "before_the_sending":
        take_back()
    await lis.runner.advance_now(made)
    await lis.sweep()
    assert took(lis) == []
    assert at(lis) is None
    assert len(told(lis, LIMIN, "mandate_stopped_for_you")) == 1
    assert lis.breaches() == []


async def test_a_stop_while_the_biller_is_being_asked_is_seen(lis: House) -> None:
    live = agreed(lis)
    await lis.later(timedelta(minutes=5))
    lis.town.prepaid[METER] = Money(1_790)
    asked = lis.billers.query

    async def meanwhile(*what: object) -> object:
        answer = await asked(*what)  # type: ignore[arg-type]
        stop(lis, live.id)
        return answer

    lis.billers.query = meanwhile  # type: ignore[method-assign, assignment]
    assert (await lis.sweeper.run()).payments == ()
    assert took(lis) == []


# --- who is read, and what is told later ----------------------------------------------------------------------------


async def test_a_meter_nobody_keeps_is_not_read(lis: House) -> None:
    asked: list[str] = []
    query = lis.billers.query

    async def noted(biller: str, number: str) -> object:
        asked.append(number)
        return await query(biller, number)  # type: ignore[arg-type]

    lis.billers.query = noted  # type: ignore[method-assign, assignment]
    await lis.sweep()
    assert asked == []  # nobody saved it, and nobody agreed to anything
    live = agreed(lis)
    await lis.sweep()
    assert asked == [METER]
    stop(lis, live.id)
    await lis.sweep()
    assert asked == [METER] * 2  # the reminder stays
    lis.store.run_now(lambda tx: access.revoke(tx, LIJG, LIMIN, lis.now))
    await lis.sweep()
    assert asked == [METER] * 2


async def test_why_was_i_charged_names_reading_agreement_and_time(lis: House) -> None:
    began = lis.now
    agreed(lis)
    await meter(lis, 1_790)
    for who in (LIMIN, LIJG):
        (charge,) = lis.store.run_now(lambda tx, who=who: lis.till.recent_charges(tx, lis.now, person=who))
        assert (charge.amount, charge.balance, charge.payer) == (Money(10_000), Money(1_790), LIMIN)
        assert (charge.terms.below, charge.agreed_at, charge.channel) == (Money(2_000), began, "telegram")
    assert lis.store.run_now(lambda tx: lis.till.recent_charges(tx, lis.now, person=XIAOZHOU)) == []


async def test_news_of_an_automatic_payment_answers_nobodys_question(lis: House) -> None:
    """So at night they wait for the morning: nobody sits and waits for them (L12)."""
    agreed(lis)
    lis.town.refuses_posting = Reason.ACCOUNT_NOT_FOUND
    await meter(lis, 1_790)
    far = lis.now + 1000 * DAY
    bodies = [n.body for n in lis.store.run_now(lambda tx: letters.news_due(tx, far, LIMIN, 500))]
    assert len(bodies) >= 3
    assert not [b for b in bodies if b.get("by")]


Mistake = Callable[[pytest.MonkeyPatch], None]


def _no_caps(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(debiting, "obstacle", lambda *_: None)


def _stop_is_not_seen(patch: pytest.MonkeyPatch) -> None:
    from payments import advance, stopping

    patch.setattr(stopping, "call_back", lambda *_: None)
    patch.setattr(advance.debited, "may_still_be_sent", lambda *_: True)


def _every_reading_is_news(patch: pytest.MonkeyPatch) -> None:
    from payments import topping_up

    patch.setattr(topping_up, "_again", topping_up_again_always)


def topping_up_again_always(hand, held, quote, amount, reading, asked_at, new):  # type: ignore[no-untyped-def]
    cause = f"{held.episode}#{int(reading.at.timestamp())}"
    debit = debiting.write(hand, held, cause, "made", amount)
    return debiting.make(hand, held, quote, amount, debit, asked_at)


async def _three_lows(house: House) -> list[str]:
    agreed(house, capped(per_month=Money(10_000)))
    for fen in (1_790, 11_790, 1_700, 11_700, 1_600):
        await meter(house, fen)
    return house.breaches()


async def _stopped_unsent(house: House) -> list[str]:
    live = agreed(house)
    await house.later(timedelta(minutes=5))
    house.town.prepaid[METER] = Money(1_790)
    made = (await house.sweeper.run()).payments
    stop(house, live.id)
    house.town.pass_time(timedelta(seconds=5))
    await house.runner.advance_now(made)
    return house.breaches()


async def _low_thrice(house: House) -> list[str]:
    agreed(house, capped(per_day=3))
    for fen in (1_790, 1_780, 1_770):
        await meter(house, fen)
    return house.breaches()


@pytest.mark.parametrize(
    ("mistake", "scene", "says"),
    [
        (_no_caps, _three_lows, "M-I11"),
        (_stop_is_not_seen, _stopped_unsent, "M-I12"),
        (_every_reading_is_news, _low_thrice, "M-I2"),
    ],
)
async def test_the_invariants_see_what_would_break_them(
    lis: House,
    monkeypatch: pytest.MonkeyPatch,
    mistake: Mistake,
    scene: Callable[[House], Awaitable[list[str]]],
    says: str,
) -> None:
    for module in ("topping_up", "bill_debits"):
        monkeypatch.setattr(f"payments.{module}.obstacle", lambda *a: debiting.obstacle(*a))
    mistake(monkeypatch)
    assert [b for b in await scene(lis) if says in b]


def test_what_is_live_is_what_may_be_stopped() -> None:
    assert {s.value for s in LIVE} == {"active", "paused", "suspended"}


def test_proposals_are_no_mandates(lis: House) -> None:
    propose(lis)
    assert at(lis) is None


async def test_a_cap_lowered_below_what_is_written_and_not_sent_calls_it_back(lis: House) -> None:
    live = agreed(lis, capped(per_day=2))
    await meter(lis, 1_790)
    await meter(lis, 11_790)
    await lis.later(timedelta(minutes=5))
    lis.town.prepaid[METER] = Money(1_700)
    made = (await lis.sweeper.run()).payments
    assert lower(lis, live.id, per_month=Money(10_000))
    await lis.runner.advance_now(made)
    assert took(lis) == [10_000]
    assert lis.breaches() == []


async def test_what_somebody_stopped_is_not_charged_again_and_the_reminder_speaks(lis: House) -> None:
    agreed(lis)
    await lis.later(timedelta(minutes=5))
    lis.town.prepaid[METER] = Money(900)
    made = (await lis.sweeper.run()).payments
    assert lis.stop(LIMIN).cancelled_payments == made
    await meter(lis, 890)
    assert took(lis) == []
    assert [b["balance_fen"] for b in told(lis, LIMIN, "low_balance")] == [890]
    await meter(lis, 9_000)
    await meter(lis, 1_900)
    assert took(lis) == [10_000]
