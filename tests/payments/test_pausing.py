"""While an operator pauses, or the rail does not answer, nothing new is sent, nobody is misled, and all goes on by itself."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from data.ids import BillerId
from data.store import journal
from data.store.audit import audit
from payments import pausing
from payments.acts import Refusal
from payments.pausing import ALL, BILLER, PAUSED, RAIL, RAIL_DOWN
from payments.states import State
from payments.watching import RailWatch
from tests.payments.automatic import BILL, TOP_UP, agreed, meter, told, took
from tests.payments.household import CHENGFS, CHENM, E_LI, E_ZHANG, LIMIN, W_CHENG, W_LI, ZHANGGF, House
from tests.simulation import town as ways

GZ = BillerId("gz-electricity")
S, M, H = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def pause(house: House, scope: str = ALL, subject: str = "", reason: str = "looking into it") -> bool:
    return house.store.run_now(
        lambda tx: pausing.pause(tx, scope=scope, subject=subject, reason=reason, by="zhao", at=house.now)
    )


def resume(house: House, scope: str | None = None, subject: str = "") -> int:
    return house.store.run_now(
        lambda tx: pausing.resume(tx, by="zhao", at=house.now, scope=scope, subject=subject)
    )


def sent(house: House) -> int:
    """Orders the rail has heard of."""
    return len(house.town.orders)


async def test_what_was_confirmed_waits_unsent_and_goes_on_by_itself(house: House) -> None:
    payment = await house.confirmed(CHENM, E_ZHANG)
    assert pause(house)
    await house.later(2 * M)
    assert (house.view(payment).state, sent(house)) == (State.CONFIRMED, 0)
    assert house.news(CHENM) == ["held"]
    assert resume(house) == 1
    await house.runner.due()
    assert house.view(payment).state is State.SETTLED
    assert house.news(CHENM) == ["held", "captured", "posted"]
    assert house.breaches() == []


async def test_a_long_pause_charges_nobody_behind_his_back(quick: House) -> None:
    payment = await quick.confirmed(CHENM, E_ZHANG)
    pause(quick)
    for _ in range(25):
        await quick.later(30 * S)
    assert (quick.view(payment).state, quick.view(payment).reason) == (State.CANCELLED, "too_late")
    resume(quick)
    await quick.later(H)
    assert (sent(quick), quick.news(CHENM)) == (0, ["held", "refused"])
    assert quick.breaches() == []


async def test_stop_ends_what_waits(quick: House) -> None:
    payment = await quick.confirmed(CHENM, E_ZHANG)
    pause(quick)
    await quick.runner.due()
    assert quick.stop(CHENM).nothing_charged
    resume(quick)
    await quick.later(M)
    assert (quick.view(payment).state, sent(quick)) == (State.CANCELLED, 0)


async def test_nobody_is_asked_for_a_yes_that_comes_to_nothing(house: House) -> None:
    act = await house.proposed(CHENM, E_ZHANG)
    pause(house)
    assert await house.propose(CHENGFS, W_CHENG) == Refusal(PAUSED, account=W_CHENG)
    assert await house.confirm(act.act, act.digest, CHENM) == Refusal(PAUSED, account=E_ZHANG)
    resume(house)
    assert (await house.paid(CHENM, E_ZHANG)).state is State.SETTLED


@pytest.mark.parametrize(
    ("scope", "subject", "held"),
    [
        (BILLER, "gz-electricity", True),
        (BILLER, "sh-water", False),
        (RAIL, "fake", True),
        (RAIL, "other", False),
    ],
)
async def test_one_biller_or_one_rail_rests_and_the_others_go_on(
    quick: House, scope: str, subject: str, held: bool
) -> None:
    if scope == RAIL and held:
        subject = quick.rail.name
    payment = await quick.confirmed(CHENM, E_ZHANG)
    pause(quick, scope, subject)
    await quick.runner.due()
    assert (quick.view(payment).state is State.CONFIRMED) is held
    assert resume(quick, BILLER, "nobody") == 0
    assert resume(quick, scope, subject) == 1


async def test_what_was_sent_is_followed_to_its_end(quick: House) -> None:
    """Asking, writing off and giving back go on: the pause is about new money only."""
    quick.town.fault = lambda op: ways.ANSWER_LOST if op == "charge" else ways.OK
    unknown = await quick.paid(CHENM, E_ZHANG)
    assert unknown.state is State.UNKNOWN
    pause(quick)
    await quick.later(10 * S)
    assert quick.view(unknown.id).state is State.SETTLED


async def test_a_number_the_rail_never_heard_is_not_sent_again_meanwhile(quick: House) -> None:
    lost = iter([ways.REQUEST_LOST])
    quick.town.fault = lambda op: next(lost, ways.OK) if op == "charge" else ways.OK
    view = await quick.paid(CHENM, E_ZHANG)
    pause(quick)
    await quick.later(M)
    assert (quick.view(view.id).state, took(quick)) == (State.UNKNOWN, [])
    resume(quick)
    await quick.later(5 * M)
    assert (quick.view(view.id).state, len(took(quick))) == (State.SETTLED, 1)
    assert quick.breaches() == []


async def test_a_low_meter_waits_in_silence_and_is_topped_up_afterwards(lis: House) -> None:
    agreed(lis, TOP_UP)
    pause(lis)
    await meter(lis, 1_500)
    assert (took(lis), told(lis, LIMIN, "auto_not_made")) == ([], [])
    resume(lis)
    await lis.sweep()
    assert took(lis) == [10_000]
    assert lis.breaches() == []


async def test_a_meter_that_is_low_for_hours_is_told_and_still_topped_up_afterwards(lis: House) -> None:
    agreed(lis, TOP_UP)
    pause(lis)
    await meter(lis, 1_500, after=3 * H)
    assert [n["reason"] for n in told(lis, LIMIN, "auto_not_made")] == [PAUSED]
    resume(lis)
    await lis.sweep()
    assert took(lis) == [10_000]
    assert lis.breaches() == []


async def test_an_announced_debit_keeps_its_notice_over_a_pause(lis: House) -> None:
    agreed(lis, BILL)
    await lis.later(M)
    await lis.sweep()
    pause(lis)
    await lis.later(25 * H)
    swept = await lis.sweeper.run()
    assert swept.rests == ("paused all: looking into it",)
    assert took(lis) == []
    resume(lis)
    await lis.sweep()
    assert took(lis) == [4_650]
    assert lis.breaches() == []


def test_a_pause_is_one_and_the_audit_says_who_and_why(quick: House) -> None:
    assert pause(quick, BILLER, "sh-water", "doubled bills")
    assert not pause(quick, BILLER, "sh-water", "again")
    quick.clock.at += M
    assert pause(quick)
    held = quick.store.run_now(pausing.in_force)
    assert [(p.scope, p.subject, p.reason, p.by) for p in held] == [
        (BILLER, "sh-water", "doubled bills", "zhao"),
        (ALL, "", "looking into it", "zhao"),
    ]
    assert resume(quick) == 2
    assert quick.store.run_now(pausing.in_force) == []
    lines = quick.store.run_now(lambda tx: tx.conn.execute(audit.select().order_by(audit.c.seq)).all())
    told_of = [(r.kind, r.actor, r.body.get("reason")) for r in lines if "captures" in r.kind]
    assert told_of == [
        ("captures_paused", "zhao", "doubled bills"),
        ("captures_paused", "zhao", "looking into it"),
        ("captures_resumed", "zhao", None),
        ("captures_resumed", "zhao", None),
    ]
    assert quick.store.run_now(journal.verify) == []


# --- a rail that does not answer ------------------------------------------------------------------------------------


class Rail:
    """A rail that says how it is."""

    name = "sandbox"

    def __init__(self) -> None:
        self.up = True
        self.breaks = False

    async def health(self) -> object:
        if self.breaks:
            raise RuntimeError("no line")
        return type("Health", (), {"up": self.up})()


def watch(house: House) -> tuple[RailWatch, Rail]:
    rail = Rail()
    return RailWatch(house.store, rail, house.clock), rail  # type: ignore[arg-type]


async def test_who_waits_is_told_once_when_the_rail_is_back(house: House) -> None:
    looking, rail = watch(house)
    rail.up = False
    assert await looking.look() == 0
    assert await house.propose(CHENM, E_ZHANG) == Refusal(RAIL_DOWN, account=E_ZHANG)
    for _ in range(2):
        house.store.run_now(lambda tx: pausing.remember(tx, CHENM, E_ZHANG, GZ, house.now))
    assert house.store.run_now(pausing.waiting_now) == 1
    await house.later(3 * M)
    rail.breaks = True  # whatever breaks there is no answer
    assert await looking.look() == 0
    rail.breaks, rail.up = False, True
    assert (await looking.look(), await looking.look()) == (1, 0)
    assert house.news(CHENM) == ["can_pay_again"]
    assert took(house) == []  # told, never paid by itself
    outage = house.store.run_now(lambda tx: pausing.last_outage(tx, house.now - H))
    assert outage is not None
    assert outage.over_at is not None
    assert (outage.over_at - outage.since, outage.waited) == (3 * M, 1)
    assert (await house.paid(CHENM, E_ZHANG)).state is State.SETTLED


async def test_who_waits_for_a_paused_biller_is_told_when_that_goes_on(quick: House) -> None:
    looking, _ = watch(quick)
    pause(quick, BILLER, "gz-electricity")
    quick.store.run_now(lambda tx: pausing.remember(tx, CHENM, E_ZHANG, GZ, quick.now))
    assert await looking.look() == 0
    resume(quick)
    assert await looking.look() == 1


async def test_everybody_is_told_however_many_wait_before_him(
    quick: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of a biller that still rests are the first in the row."""
    monkeypatch.setattr(pausing, "_ROUND", 2)
    looking, _ = watch(quick)
    pause(quick, BILLER, "bj-water")
    for account in (W_LI, W_CHENG, E_LI):
        remember = partial(
            pausing.remember, person=LIMIN, account=account, biller=BillerId("bj-water"), at=quick.now
        )
        quick.store.run_now(remember)
    for person in (CHENM, ZHANGGF, LIMIN):
        quick.clock.advance(M)
        quick.store.run_now(
            partial(pausing.remember, person=person, account=E_ZHANG, biller=GZ, at=quick.now)
        )
    assert await looking.look() == 3
    assert quick.store.run_now(pausing.waiting_now) == 3
    assert await looking.look() == 0


def test_who_did_it_otherwise_is_not_told(quick: House) -> None:
    quick.store.run_now(lambda tx: pausing.remember(tx, CHENM, E_ZHANG, GZ, quick.now))
    quick.store.run_now(lambda tx: pausing.forget(tx, CHENM, E_ZHANG, quick.now))
    assert quick.store.run_now(lambda tx: pausing.tell_waiting(tx, quick.now)).told == 0
    assert quick.news(CHENM) == []


async def test_a_pause_costs_no_question_while_nothing_rests(quick: House) -> None:
    """The till is as quick as before: the look at the pauses is part of the statement that marks a payment as sent."""
    payment = await quick.confirmed(CHENM, E_ZHANG)
    asked: list[str] = []
    sa.event.listen(quick.store.engine, "before_cursor_execute", lambda *a: asked.append(a[2]), named=False)
    await quick.runner.advance_now([payment])
    touching = [statement for statement in asked if "pauses" in statement]
    assert len(touching) == 1
    assert touching[0].startswith("UPDATE payments")
