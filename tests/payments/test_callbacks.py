"""What the rail tells us by itself is a hint: it hurries us, it never decides."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from data.money import Money
from data.store import letters
from data.store.payments import callbacks
from payments.states import State, read
from tests.payments.household import CHENGFS, W_CHENG, House
from tests.simulation import town as ways


@pytest.fixture
async def pending(house: House):
    """A payment whose result is not known, as in script E3."""
    house.town.fault = lambda op: ways.ANSWER_LOST if op in ("charge", "status") else ways.OK
    view = await house.paid(CHENGFS, W_CHENG)
    assert view.told == "checking"
    house.town.fault = lambda op: ways.OK
    return view.id, house.store.run_now(lambda tx: read(tx, view.id)).number


async def test_seven_callbacks_out_of_order_change_one_thing_once(house: House, pending) -> None:
    payment, number = pending
    said = ["paid", "paid", "pending", "paid", "failed", "paid", "paid"]
    verdicts = [
        await house.tell(id=f"ev-{i}", order=number, status=status, fen=3_120)
        for i, status in enumerate(said)
    ]
    assert [v.status for v in verdicts] == [200] * 7
    assert [v.kind for v in verdicts] == ["hint", "known", "known", "known", "conflicting", "known", "known"]
    assert house.view(payment).state is State.SETTLED
    assert house.news(CHENGFS).count("captured") == 1
    assert house.town.captures == [(number, Money(3_120))]
    assert house.audit().count("late_conflicting_callback") == 1
    assert house.breaches() == []


async def test_the_same_callback_again_is_answered_and_ignored(house: House, pending) -> None:
    _, number = pending
    said = {"id": "ev-1", "order": number, "status": "paid", "fen": 3_120}
    kinds = [(await house.tell(**said)).kind for _ in range(5)]
    assert kinds == ["hint", *["duplicate"] * 4]
    assert house.audit().count("duplicate_callback_ignored") == 4
    assert house.breaches() == []


async def test_a_failure_told_while_the_money_was_taken_is_not_believed(house: House, pending) -> None:
    payment, number = pending
    await house.tell(id="ev-1", order=number, status="failed", fen=3_120)
    assert house.view(payment).state is State.SETTLED
    assert "refused" not in house.news(CHENGFS)


async def test_a_payment_told_that_the_rail_does_not_know_is_not_believed(quick: House) -> None:
    quick.town.fault = lambda op: ways.REQUEST_LOST
    view = await quick.paid(CHENGFS, W_CHENG)
    number = quick.store.run_now(lambda tx: read(tx, view.id)).number
    await quick.tell(id="ev-1", order=number, status="paid", fen=3_120)
    assert quick.view(view.id).told == "checking"
    assert "captured" not in quick.news(CHENGFS)
    assert quick.breaches() == []


async def test_a_forged_or_stale_callback_is_refused_and_written_down(quick: House) -> None:
    payment = await quick.confirmed(CHENGFS, W_CHENG)
    number = quick.store.run_now(lambda tx: read(tx, payment)).number
    verdict = await quick.tell("wrong", id="ev-1", order=number, status="paid", fen=3_120)
    assert (verdict.status, verdict.kind) == (401, "forged")
    assert quick.audit()[-1] == "forged_callback_refused"
    assert quick.view(payment).state is State.CONFIRMED


async def test_another_amount_is_refused_and_changes_nothing(quick: House) -> None:
    payment = await quick.confirmed(CHENGFS, W_CHENG)
    number = quick.store.run_now(lambda tx: read(tx, payment)).number
    verdict = await quick.tell(id="ev-1", order=number, status="paid", fen=1)
    assert (verdict.status, verdict.kind) == (422, "amount_differs")
    assert quick.view(payment).state is State.CONFIRMED


async def test_of_another_amount_the_rail_is_asked_and_a_person_looks(house: House, pending) -> None:
    payment, number = pending
    before = house.clock.now()
    for _ in range(2):
        verdict = await house.tell(id="ev-odd", order=number, status="paid", fen=1)
    assert (verdict.status, verdict.kind) == (200, "duplicate")
    due = house.store.run_now(lambda tx: read(tx, payment)).next_at
    assert due is not None
    assert due <= before
    tickets = house.store.run_now(letters.tickets_waiting)
    assert [(t.kind, t.person) for t in tickets] == [("callback_amount", CHENGFS)]
    assert house.view(payment).captured_at is None


async def test_an_order_that_is_not_ours_is_not_found_and_not_kept(quick: House) -> None:
    verdict = await quick.tell(id="ev-1", order="somebody-elses", status="paid", fen=1)
    assert (verdict.status, verdict.kind) == (404, "unknown_order")
    kept = quick.store.run_now(lambda tx: tx.conn.scalar(sa.select(sa.func.count()).select_from(callbacks)))
    assert kept == 0


async def test_a_hint_survives_a_crash_between_answer_and_asking(house: House, pending) -> None:
    payment, number = pending

    async def die(_payment) -> None:
        raise SystemExit

    house.callbacks._wake = die
    with pytest.raises(SystemExit):
        await house.tell(id="ev-1", order=number, status="paid", fen=3_120)
    after = House.over(house.store, house.clock, house.town, owner="after the crash")
    await after.runner.due()
    assert after.view(payment).state is State.SETTLED


async def test_a_hint_during_a_call_is_not_slept_over(house: House) -> None:
    house.town.fault = lambda op: ways.ANSWER_LOST if op == "charge" else ways.OK
    payment = await house.confirmed(CHENGFS, W_CHENG)

    async def told_meanwhile(operation: str) -> None:
        house.town.visit = None
        number = house.town.captures[0][0]
        await house.tell(id="ev-1", order=number, status="paid", fen=3_120)

    house.town.visit = told_meanwhile
    await house.runner.advance_now([payment])
    assert house.view(payment).state is State.SETTLED


async def test_the_whole_log_played_again_changes_nothing(quick: House) -> None:
    payment = await quick.confirmed(CHENGFS, W_CHENG)
    await quick.runner.advance_now([payment])
    log = list(quick.town.told)
    for said in log:
        await quick.tell(**said)
    before = quick.store.run_now(lambda tx: read(tx, payment))
    quick.town.pass_time(timedelta(hours=1))
    for said in log * 3:
        await quick.tell(**said)
    assert quick.store.run_now(lambda tx: read(tx, payment)) == before
