"""Unlike the past, the payer is asked first: his firm yes to exactly this one makes it, no and silence leave it out."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from data.ids import PersonId
from data.money import Money
from data.store.mandates import debits
from data.store.payments import acts
from payments.acts import AlreadyConfirmed, Confirmed, Evidence, Proposed, Refusal
from payments.terms import EVERY_TIME
from tests.payments.automatic import BILL, METER, agreed, allow, capped, meter, stop, told, took
from tests.payments.household import CHENM, E_LI, LIJG, LIMIN, W_LI, House

DAY = timedelta(days=1)


async def _asked(house: House) -> str:
    """The meter is low, and the house uses far more than last March; gives the debit that waits for a yes."""
    allow(house)
    await house.quoting.last_year(LIMIN, E_LI)
    house.town.daily_use[METER] = Money(450)
    agreed(house, capped(ask_above=2))
    await meter(house, 1_790)
    (question,) = house.store.run_now(lambda tx: house.till.asked_about(tx, LIMIN))
    assert (question.account, question.amount) == (E_LI, Money(10_000))
    return question.debit


async def _propose(house: House, debit: str, by: PersonId = LIMIN) -> Proposed | Refusal:
    quoted = await house.quote(LIMIN, E_LI)
    return house.store.run_now(
        lambda tx: house.till.propose_debit(
            tx, debit=debit, quote=quoted.quote.id, proposer=by, channel="web", at=house.now
        )
    )


def _yes(house: House, act: Proposed, **how: Any) -> object:
    said: dict[str, Any] = {"by": LIMIN, "factor": "pin", **how}
    evidence = Evidence("ev9", "web", said["by"], "word", said["factor"])
    return house.store.run_now(
        lambda tx: house.till.confirm(tx, act=act.act, digest=act.digest, evidence=evidence, at=house.now)
    )


def _state(house: House) -> list[tuple[str, str | None]]:
    query = sa.select(debits.c.state, debits.c.reason).order_by(debits.c.created_at, debits.c.cause)
    return [(r.state, r.reason) for r in house.store.run_now(lambda tx: tx.conn.execute(query).all())]


async def _carried_out(house: House, done: object) -> None:
    assert isinstance(done, Confirmed), done
    await house.runner.advance_now(done.payments)


async def test_a_yes_makes_that_one_under_the_agreement_and_the_elder_hears_as_ever(house: House) -> None:
    debit = await _asked(house)
    act = await _propose(house, debit)
    assert isinstance(act, Proposed)
    assert (act.total, act.payer, act.strength.value) == (Money(10_000), LIMIN, "code")
    done = _yes(house, act)
    await _carried_out(house, done)
    assert took(house) == [10_000]
    assert _state(house) == [("made", None)]
    assert [b["times_this_month"] for b in told(house, LIMIN, "auto_posted")] == [1]
    assert len(told(house, LIJG, "auto_for_you")) == 1
    assert isinstance(_yes(house, act), AlreadyConfirmed)
    await meter(house, 11_790)
    assert took(house) == [10_000]
    assert house.breaches() == []


@pytest.mark.parametrize(
    ("how", "reason"), [({"factor": None}, "stronger_yes_needed"), ({"by": LIJG}, "no_permission")]
)
async def test_a_yes_without_the_payers_factor_makes_nothing(
    quick: House, how: dict[str, Any], reason: str
) -> None:
    act = await _propose(quick, await _asked(quick))
    assert isinstance(act, Proposed)
    refused = _yes(quick, act, **how)
    assert isinstance(refused, Refusal)
    assert refused.reason == reason
    assert took(quick) == []
    assert _state(quick) == [("asking", None)]


async def test_nobody_but_the_payer_is_asked(quick: House) -> None:
    debit = await _asked(quick)
    assert await _propose(quick, debit, CHENM) == Refusal("nothing_asked")
    assert await _propose(quick, "deb-unknown") == Refusal("nothing_asked")


async def test_a_no_leaves_it_out_and_the_reminder_speaks(quick: House) -> None:
    act = await _propose(quick, await _asked(quick))
    assert isinstance(act, Proposed)
    assert quick.store.run_now(lambda tx: quick.till.skip_debit(tx, E_LI, LIMIN, quick.now))
    assert _yes(quick, act) == Refusal("nothing_asked")
    await meter(quick, 1_100)
    assert took(quick) == []
    assert len(told(quick, LIMIN, "low_balance")) == 1
    assert told(quick, LIJG, "warning") == []


async def test_no_answer_for_a_day_is_no_yes(quick: House) -> None:
    debit = await _asked(quick)
    await meter(quick, 1_700, DAY)
    assert _state(quick) == [("skipped", "unanswered")]
    assert await _propose(quick, debit) == Refusal("nothing_asked")
    assert took(quick) == []


async def test_nothing_is_taken_when_the_meter_was_filled_meanwhile(quick: House) -> None:
    act = await _propose(quick, await _asked(quick))
    assert isinstance(act, Proposed)
    await meter(quick, 9_000)
    assert _yes(quick, act) == Refusal("nothing_asked")
    assert _state(quick) == [("skipped", "not_needed")]


async def test_caps_and_a_stop_hold_for_the_yes_too(quick: House) -> None:
    act = await _propose(quick, await _asked(quick))
    assert isinstance(act, Proposed)
    held = quick.store.run_now(lambda tx: quick.till.mandate_at(tx, E_LI, quick.now))
    assert held is not None
    assert stop(quick, held.id)
    assert _yes(quick, act) == Refusal("nothing_asked")
    assert took(quick) == []


async def test_one_yes_from_two_screens_at_once_is_one_payment(house: House) -> None:
    act = await _propose(house, await _asked(house))
    assert isinstance(act, Proposed)
    evidence = Evidence("ev9", "web", LIMIN, "word", "pin")
    both = await asyncio.gather(
        *(
            house.store.run(
                lambda tx: house.till.confirm(
                    tx, act=act.act, digest=act.digest, evidence=evidence, at=house.now
                )
            )
            for _ in range(2)
        )
    )
    assert {type(done) for done in both} == {Confirmed, AlreadyConfirmed}
    await house.runner.due()
    assert took(house) == [10_000]


async def test_a_newer_proposal_takes_the_place_of_the_older_one(quick: House) -> None:
    debit = await _asked(quick)
    old, new = await _propose(quick, debit), await _propose(quick, debit)
    assert isinstance(old, Proposed)
    assert isinstance(new, Proposed)
    refused = _yes(quick, old)
    assert refused == Refusal("act_superseded")
    await _carried_out(quick, _yes(quick, new))
    kinds = sa.select(acts.c.state).where(acts.c.kind == "debit").order_by(acts.c.created_at, acts.c.state)
    states = quick.store.run_now(lambda tx: list(tx.conn.scalars(kinds)))
    assert sorted(states) == ["confirmed", "superseded"]


async def test_of_a_bill_the_amount_is_what_is_due_when_he_says_yes(quick: House) -> None:
    allow(quick)
    quick.town.used["2200556677"] = _little()
    await quick.quoting.last_year(LIMIN, W_LI)
    agreed(quick, _asking_bill())
    await quick.later(timedelta(minutes=5))
    await quick.sweep()
    (question,) = quick.store.run_now(lambda tx: quick.till.asked_about(tx, LIMIN))
    quoted = await quick.quote(LIMIN, W_LI)
    act = quick.store.run_now(
        lambda tx: quick.till.propose_debit(
            tx, debit=question.debit, quote=quoted.quote.id, proposer=LIMIN, channel="web", at=quick.now
        )
    )
    assert isinstance(act, Proposed)
    assert act.total == quoted.quote.due
    await _carried_out(quick, _yes(quick, act))
    assert took(quick) == [4_650]
    assert quick.breaches() == []


def _little() -> list[Any]:
    from data.model import MonthUse
    from tests.payments.automatic import LAST_YEAR

    return [MonthUse(m.month, Money(1_000)) for m in LAST_YEAR]


def _asking_bill() -> Any:
    from dataclasses import replace

    return replace(BILL, ask_above=2)


# --- asked each time ------------------------------------------------------------------------------------------------


async def test_asked_each_time_waits_for_a_yes_to_every_single_one(quick: House) -> None:
    allow(quick)
    agreed(quick, capped(ask_above=EVERY_TIME, per_day=2, per_month=Money(30_000)))
    for n, low in enumerate((1_790, 1_500), start=1):
        await meter(quick, low)
        assert took(quick) == [10_000] * (n - 1), "nothing is taken before the yes"
        (question,) = quick.store.run_now(lambda tx: quick.till.asked_about(tx, LIMIN))
        act = await _propose(quick, question.debit)
        assert isinstance(act, Proposed)
        await _carried_out(quick, _yes(quick, act))
        assert took(quick) == [10_000] * n
        await meter(quick, 11_000)
    assert [b["each_time"] for b in told(quick, LIMIN, "auto_asks")] == [True, True]
    assert quick.breaches() == []


async def test_what_a_cap_forbade_is_asked_before_it_is_made_later(quick: House) -> None:
    allow(quick)
    agreed(quick, capped(ask_above=EVERY_TIME, per_month=Money(10_000)))
    await meter(quick, 1_790)
    act = await _propose(quick, _question(quick))
    assert isinstance(act, Proposed)
    await _carried_out(quick, _yes(quick, act))
    await meter(quick, 11_000)
    await meter(quick, 1_700, DAY)
    assert _state(quick)[-1] == ("not_made", "over_month_cap")
    await meter(quick, 1_650, 30 * DAY)
    assert _state(quick)[-1] == ("asking", None)
    assert took(quick) == [10_000], "a month that begins anew is no yes"


async def test_not_answered_the_ladder_goes_on(quick: House) -> None:
    allow(quick)
    agreed(quick, capped(ask_above=EVERY_TIME))
    await meter(quick, 1_790)
    await meter(quick, 1_700, timedelta(hours=13))
    assert [b["of"] for b in told(quick, LIJG, "warning")] == ["auto_asks"]
    await meter(quick, 1_600, DAY)
    assert _state(quick) == [("skipped", "unanswered")]
    await meter(quick, 900)
    assert len(told(quick, LIMIN, "low_balance")) == 1
    assert took(quick) == []


def _question(house: House) -> str:
    (question,) = house.store.run_now(lambda tx: house.till.asked_about(tx, LIMIN))
    return question.debit
