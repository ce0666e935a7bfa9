"""A payment from the yes to the biller's word, and everything that may come between."""

from __future__ import annotations

from datetime import timedelta

import pytest

from data.money import Money
from data.store import letters
from integrations.ports import Declined, Reason
from payments.states import State
from tests.payments.household import CHENM, E_LI, E_ZHANG, LIJG, LIMIN, W_LI, ZHANGGF, House
from tests.simulation import town as ways

S = timedelta(seconds=1)


async def test_a_bill_is_collected_once_and_written_off_once(house: House) -> None:
    paid = await house.paid(CHENM, E_ZHANG)
    assert (paid.state, paid.told, paid.amount) == (State.SETTLED, "paid", Money(12_345))
    assert [m for _, m in house.town.captures] == [Money(12_345)]
    assert list(house.town.posts.values()) == [("0319001200345678", Money(12_345))]
    assert house.news(CHENM) == ["captured", "posted"]
    assert house.news(ZHANGGF) == ["captured_for_you"]  # L7: the elder is informed
    assert house.audit()[-4:] == ["data_read", "confirmed", "captured", "posted"]
    assert house.breaches() == []


async def test_a_top_up_tells_the_new_balance_only_when_the_biller_has_it(quick: House) -> None:
    payment = await quick.confirmed(LIMIN, E_LI, Money(5_000))
    assert quick.view(payment).balance_after is None
    await quick.runner.due()
    assert quick.view(payment).balance_after == Money(6_860)


async def test_no_answer_is_asked_after_and_never_called_failed(house: House) -> None:
    house.town.fault = lambda op: ways.DELAYED if op == "charge" else ways.OK
    house.town.delay = 90 * S
    house.town.pending_polls = 100  # the rail has it, and is not done
    view = await house.paid(CHENM, E_ZHANG)
    assert (view.state, view.told) == (State.UNKNOWN, "checking")
    await house.later(60 * S)
    assert house.view(view.id).told == "checking"
    house.town.pending_polls = 0
    house.town.fault = lambda op: ways.OK
    await house.later(200 * S)
    assert house.view(view.id).state is State.SETTLED
    assert len(house.town.captures) == 1
    assert house.news(CHENM) == ["checking", "captured", "posted"]
    assert house.breaches() == []


async def test_a_lost_request_is_sent_again_under_its_own_number(quick: House) -> None:
    lost = iter([ways.REQUEST_LOST])
    quick.town.fault = lambda op: next(lost, ways.OK) if op == "charge" else ways.OK
    view = await quick.paid(CHENM, E_ZHANG)
    assert view.state is State.UNKNOWN
    await quick.later(6 * S)
    assert quick.view(view.id).state is State.SETTLED
    assert quick.breaches() == []


async def test_a_number_the_rail_may_have_forgotten_is_not_sent_again_but_given_to_a_person(
    quick: House,
) -> None:
    quick.town.memory = quick.town.records = timedelta(minutes=4)
    quick.town.fault = lambda op: ways.REQUEST_LOST if op == "charge" else ways.ANSWER_LOST
    view = await quick.paid(CHENM, E_ZHANG)
    await quick.later(timedelta(minutes=3))
    sent = []
    quick.town.fault = lambda op: sent.append(op) or ways.OK
    for _ in range(12):
        await quick.later(timedelta(minutes=4))
    assert "charge" not in sent
    assert quick.view(view.id).state is State.NEEDS_HUMAN
    assert quick.tickets() == ["payment_unclear"]
    # It still holds the account: nobody pays the bill a second time while nobody knows.
    again = await quick.propose(CHENM, E_ZHANG)
    assert (again.reason, again.payment) == ("previous_unfinished", view.id)
    assert quick.breaches() == []


async def test_a_person_is_asked_once_and_the_rail_goes_on_being_asked(quick: House) -> None:
    quick.town.fault = lambda op: ways.ANSWER_LOST
    view = await quick.paid(CHENM, E_ZHANG)
    for _ in range(20):
        await quick.later(timedelta(minutes=5))
    assert quick.view(view.id).state is State.NEEDS_HUMAN
    assert quick.news(CHENM) == ["checking", "needs_human"]
    quick.town.fault = lambda op: ways.OK
    await quick.later(timedelta(hours=1))
    assert quick.view(view.id).state is State.SETTLED
    assert quick.view(view.id).reason is None
    assert quick.breaches() == []


async def test_a_definite_decline_ends_it_and_frees_the_account(house: House) -> None:
    house.town.declines = Reason.INSUFFICIENT_FUNDS
    view = await house.paid(CHENM, E_ZHANG)
    assert (view.state, view.told, view.reason) == (State.FAILED, "refused", "insufficient_funds")
    assert house.news(CHENM) == ["refused"]
    house.town.declines = None
    assert (await house.paid(CHENM, E_ZHANG)).state is State.SETTLED
    assert house.breaches() == []


async def test_what_never_left_the_house_is_given_up_soon_and_charged_by_nobody(quick: House) -> None:
    quick.town.fault = lambda op: ways.NOT_SENT
    view = await quick.paid(CHENM, E_ZHANG)
    assert view.state is State.CONFIRMED
    for _ in range(4):
        await quick.later(10 * S)
    assert (quick.view(view.id).state, quick.view(view.id).reason) == (State.CANCELLED, "rail_down")
    assert quick.news(CHENM) == ["checking", "refused"]
    assert quick.town.captures == []
    assert quick.breaches() == []


async def test_a_confirmed_payment_found_days_after_a_power_cut_is_not_sent_any_more(quick: House) -> None:
    payment = await quick.confirmed(CHENM, E_ZHANG)
    await quick.later(timedelta(days=2))
    assert (quick.view(payment).state, quick.view(payment).reason) == (State.CANCELLED, "too_late")
    assert quick.town.captures == []


async def test_two_processes_never_work_on_one_payment_at_once(house: House) -> None:
    other = House.over(house.store, house.clock, house.town, owner="other")
    payment = await house.confirmed(CHENM, E_ZHANG)
    seen = []

    async def visit(operation: str) -> None:
        house.town.visit = None
        seen.append((await other.advance.step(payment, "other")).busy)

    house.town.visit = visit
    await house.runner.advance_now([payment])
    assert seen == [True]
    assert house.view(payment).state is State.SETTLED
    assert house.breaches() == []


async def test_a_process_that_slept_through_its_lease_writes_nothing(house: House) -> None:
    other = House.over(house.store, house.clock, house.town, owner="other")
    payment = await house.confirmed(CHENM, E_ZHANG)

    async def sleep(operation: str) -> None:
        house.town.visit = None
        house.town.pass_time(60 * S)
        await other.runner.due()

    house.town.visit = sleep
    await house.runner.advance_now([payment])
    assert house.view(payment).state is State.SETTLED
    assert len(house.town.captures) == len(house.town.posts) == 1
    assert house.news(CHENM) == ["captured", "posted"]
    assert house.breaches() == []


# --- writing off ----------------------------------------------------------------------------------------------------


async def test_money_taken_and_not_written_off_is_told_and_posted_when_the_biller_wakes(quick: House) -> None:
    quick.town.fault = lambda op: ways.REQUEST_LOST if op.startswith("post") else ways.OK
    view = await quick.paid(CHENM, E_ZHANG)
    assert (view.state, view.told) == (State.POST_UNKNOWN, "paid")
    assert quick.news(CHENM) == ["captured"]
    for _ in range(6):
        await quick.later(timedelta(minutes=1))
    assert quick.news(CHENM) == ["captured", "post_trouble"]
    quick.town.fault = lambda op: ways.OK
    await quick.later(timedelta(minutes=5))
    assert quick.view(view.id).state is State.SETTLED
    assert quick.breaches() == []


@pytest.mark.parametrize("shut", [Reason.BILLER_CLOSED, Reason.BILLER_DOWN])
async def test_a_biller_that_is_closed_for_the_night_is_waited_for(quick: House, shut: Reason) -> None:
    quick.town.refuses_posting = shut
    view = await quick.paid(CHENM, E_ZHANG)
    await quick.later(timedelta(hours=1))
    assert quick.view(view.id).state is State.POST_UNKNOWN
    quick.town.refuses_posting = None
    await quick.later(timedelta(hours=1))
    assert quick.view(view.id).state is State.SETTLED


async def test_a_bill_paid_elsewhere_meanwhile_is_refunded_once(house: House) -> None:
    house.town.fault = lambda op: house.town.due.update({"0319001200345678": Money(0)}) or ways.OK
    view = await house.paid(CHENM, E_ZHANG)
    assert (view.state, view.reason) == (State.REFUNDED, "nothing_due")
    assert list(house.town.refunds.values()) == [(house.town.captures[0][0], Money(12_345))]
    assert sorted(house.news(CHENM)) == ["captured", "post_trouble", "refunded", "refunding"]
    assert house.breaches() == []


async def test_an_expired_quote_is_asked_anew_before_the_biller_writes_off(quick: House) -> None:
    refusals = iter([Reason.QUOTE_EXPIRED])

    def stale(op: str) -> str:
        if op == "post":
            quick.town.refuses_posting = next(refusals, None)
        return ways.OK

    quick.town.fault = stale
    view = await quick.paid(CHENM, E_ZHANG)
    assert view.state is State.SETTLED
    assert quick.breaches() == []


async def test_a_bill_that_changed_is_paid_back_not_paid_partly(quick: House) -> None:
    def dearer(op: str) -> str:
        quick.town.refuses_posting = Reason.QUOTE_EXPIRED
        quick.town.due["0319001200345678"] = Money(12_999)
        return ways.OK

    quick.town.fault = dearer
    view = await quick.paid(CHENM, E_ZHANG)
    assert (view.state, view.reason) == (State.REFUNDED, "bill_changed")
    assert quick.breaches() == []


async def test_a_refund_without_an_answer_is_asked_after_under_its_one_number(quick: House) -> None:
    quick.town.refuses_posting = Reason.NOTHING_DUE
    quick.town.fault = lambda op: ways.ANSWER_LOST if op == "refund" else ways.OK
    view = await quick.paid(CHENM, E_ZHANG)
    assert view.state is State.REFUNDING
    # Money on its way back holds no account.
    assert quick.store.run_now(lambda tx: quick.till.open_payment(tx, E_ZHANG)) is None
    await quick.later(10 * S)
    assert quick.view(view.id).state is State.REFUNDED
    assert len(quick.town.refunds) == 1
    assert quick.breaches() == []


async def test_a_refund_nobody_answers_for_a_day_calls_a_person_and_is_asked_on(quick: House) -> None:
    quick.town.refuses_posting = Reason.NOTHING_DUE
    quick.town.fault = lambda op: ways.REQUEST_LOST if op.startswith("refund") else ways.OK
    view = await quick.paid(CHENM, E_ZHANG)
    await quick.later(timedelta(hours=25))
    assert quick.tickets() == ["refund"]
    assert quick.view(view.id).state is State.REFUNDING
    quick.town.refunds[quick.store.run_now(lambda tx: _refund_number(tx, view.id))] = (
        quick.town.captures[0][0],
        view.amount,
    )
    quick.town.fault = lambda op: ways.OK
    await quick.later(timedelta(hours=1))
    assert quick.view(view.id).state is State.REFUNDED
    assert quick.breaches() == []


async def test_each_payment_that_needs_a_person_has_its_own_ticket(quick: House) -> None:
    quick.town.refuses_posting = Reason.NOTHING_DUE
    quick.town.fault = lambda op: ways.REQUEST_LOST if op.startswith("refund") else ways.OK
    first, second = await quick.paid(LIMIN, W_LI), await quick.paid(LIMIN, E_LI, Money(5_000))
    await quick.later(timedelta(hours=25))
    await quick.later(timedelta(hours=2))  # asked again and again, it is one matter
    waiting = quick.store.run_now(letters.tickets_waiting)
    assert sorted(t.about for t in waiting) == sorted([first.id, second.id])
    assert all(t.summary.startswith(t.about) for t in waiting)
    # What happened first and what happened later stand on one ticket, once each.
    assert {tuple(line.split(": ")[1] for line in t.summary.splitlines()) for t in waiting} == {
        ("paid_elsewhere", "refund_unknown")
    }


def _refund_number(tx, payment):
    from payments.states import read

    return read(tx, payment).refund_number


# --- late money -----------------------------------------------------------------------------------------------------


async def test_money_that_comes_after_a_decline_goes_back_even_while_the_bill_is_paid_anew(
    house: House,
) -> None:
    house.town.declines = Reason.INSUFFICIENT_FUNDS
    failed = await house.paid(CHENM, E_ZHANG)
    house.town.declines = None
    house.town.fault = lambda op: ways.ANSWER_LOST if op == "charge" else ways.OK
    again = await house.confirmed(CHENM, E_ZHANG)
    await house.runner.advance_now([again])
    number = next(iter(house.town.orders))
    house.town.late_capture(number)
    verdict = await house.tell(id="late", order=number, status="paid", fen=12_345)
    assert (verdict.status, verdict.kind) == (200, "hint")
    assert house.view(failed.id).state is State.REFUNDED
    assert house.view(failed.id).reason == "late_money"
    await house.later(10 * S)
    assert house.view(again).state is State.SETTLED
    assert house.breaches() == []


async def test_money_on_a_cancelled_number_goes_back(quick: House) -> None:
    payment = await quick.confirmed(CHENM, E_ZHANG)
    assert quick.stop(CHENM).cancelled_payments == (payment,)
    number = quick.store.run_now(lambda tx: _number(tx, payment))
    quick.town.charged(number, Money(12_345))
    await quick.tell(id="late", order=number, status="paid", fen=12_345)
    assert quick.view(payment).state is State.REFUNDED
    assert "refunding" in quick.news(CHENM)


def _number(tx, payment):
    from payments.states import read

    return read(tx, payment).number


# --- the page at the rail -------------------------------------------------------------------------------------------


async def test_without_a_purse_one_pays_on_the_rails_page(house: House) -> None:
    payment = await house.confirmed(LIJG, W_LI)
    await house.runner.advance_now([payment])
    view = house.view(payment)
    assert (view.state, view.told) == (State.AWAITING_PAYER, "waiting_payer")
    assert view.hosted_url
    assert house.news(LIJG) == ["waiting_payer"]
    house.town.pay_page(next(iter(house.town.orders)))
    said = house.town.told.pop()
    await house.tell(**said)
    assert house.view(payment).state is State.SETTLED
    assert house.breaches() == []


async def test_a_page_nobody_paid_is_closed_and_nothing_was_charged(quick: House) -> None:
    payment = await quick.confirmed(LIJG, W_LI)
    await quick.runner.advance_now([payment])
    await quick.later(timedelta(minutes=16))
    assert (quick.view(payment).state, quick.view(payment).reason) == (State.FAILED, "closed")
    assert quick.town.pay_page(next(iter(quick.town.orders))) is False
    assert quick.breaches() == []


async def test_money_that_came_before_the_page_closed_counts(quick: House) -> None:
    payment = await quick.confirmed(LIJG, W_LI)
    await quick.runner.advance_now([payment])
    quick.town.pay_page(next(iter(quick.town.orders)))
    await quick.later(timedelta(minutes=16))
    assert quick.view(payment).state is State.SETTLED


async def test_a_page_that_could_not_be_opened_is_opened_again_under_its_number(quick: House) -> None:
    lost = iter([ways.ANSWER_LOST])
    quick.town.fault = lambda op: next(lost, ways.OK) if op == "start" else ways.OK
    payment = await quick.confirmed(LIJG, W_LI)
    await quick.runner.advance_now([payment])
    assert quick.view(payment).told == "checking"
    await quick.later(6 * S)
    await quick.later(timedelta(minutes=20))
    assert quick.view(payment).told in ("refused", "waiting_payer")
    assert quick.breaches() == []


# --- 停 -------------------------------------------------------------------------------------------------------------


async def test_stopping_before_anything_was_sent_charges_nothing(house: House) -> None:
    payment = await house.confirmed(CHENM, E_ZHANG)
    stopped = house.stop(CHENM)
    assert stopped.cancelled_payments == (payment,)
    assert stopped.nothing_charged
    await house.runner.due()
    assert house.town.captures == []
    assert house.view(payment).state is State.CANCELLED


async def test_stopping_what_was_sent_closes_it_at_the_rail(house: House) -> None:
    house.town.fault = lambda op: ways.REQUEST_LOST if op == "charge" else ways.OK
    view = await house.paid(CHENM, E_ZHANG)
    stopped = house.stop(CHENM)
    assert [v.id for v in stopped.in_flight] == [view.id]
    await house.runner.due()
    assert (house.view(view.id).state, house.view(view.id).reason) == (State.FAILED, "stopped")
    assert house.news(CHENM) == ["checking", "stopped"]
    # The lost request turns up after all: the number is closed for ever.
    late = house.town.charged(next(iter(house.town.orders)), Money(12_345))
    assert late == Declined(Reason.CLOSED)
    assert house.town.captures == []
    assert house.breaches() == []


async def test_stopping_too_late_is_told_as_it_is(quick: House) -> None:
    quick.town.fault = lambda op: ways.ANSWER_LOST if op == "charge" else ways.OK
    view = await quick.paid(CHENM, E_ZHANG)
    quick.stop(CHENM)
    await quick.runner.due()
    assert quick.view(view.id).state is State.SETTLED
    assert quick.news(CHENM) == ["checking", "captured", "posted"]


async def test_stop_during_the_call_is_not_slept_over(house: House) -> None:
    house.town.fault = lambda op: ways.ANSWER_LOST if op == "start" else ways.OK
    payment = await house.confirmed(LIJG, W_LI)

    async def visit(operation: str) -> None:
        house.town.visit = None
        assert [v.id for v in house.stop(LIJG).in_flight] == [payment]

    house.town.visit = visit
    await house.runner.advance_now([payment])
    assert (house.view(payment).state, house.view(payment).reason) == (State.FAILED, "stopped")
    assert house.breaches() == []


async def test_a_rail_that_closes_nothing_is_asked_until_it_knows(quick: House) -> None:
    quick.town.closes = False
    quick.town.fault = lambda op: ways.DELAYED if op == "charge" else ways.OK
    quick.town.delay = 4 * S
    view = await quick.paid(CHENM, E_ZHANG)
    quick.stop(CHENM)
    await quick.later(6 * S)
    assert quick.view(view.id).state is State.SETTLED
    assert quick.breaches() == []
