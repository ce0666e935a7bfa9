"""The contract of asking about many accounts at once: every number has its own answer, and none spoils another's."""

from __future__ import annotations

import pytest

from data.ids import BillerId, OrderNumber
from data.model import Quote
from data.money import Money
from integrations.ports import (
    MOST_NUMBERS,
    GatewayError,
    NotSent,
    OutcomeUnknown,
    PostPayment,
    Reason,
    Refused,
    Settled,
)
from tests.contracts.stage import BillerCase

METER, METER_NUMBER = BillerId("bj-electricity"), "1100223344"  # prepaid, 18.60 yuan left
LATE, LATE_NUMBER, NEIGHBOUR = BillerId("sh-electricity"), "3100456712", "3100456721"
CARDS, CARD_NUMBER = BillerId("sh-gas"), "3300456702"


def quoted(answer: Quote | GatewayError) -> Quote:
    assert isinstance(answer, Quote), answer
    return answer


async def test_each_number_is_told_what_it_would_be_told_alone(billers_at: BillerCase) -> None:
    told = await billers_at.network.balances(LATE, [LATE_NUMBER, NEIGHBOUR])
    assert set(told) == {LATE_NUMBER, NEIGHBOUR}
    for number, answer in told.items():
        alone, among = await billers_at.network.query(LATE, number), quoted(answer)
        assert (among.due, among.lines, among.due_date) == (alone.due, alone.lines, alone.due_date)
        assert (among.biller, among.rule, among.holder_masked) == (LATE, alone.rule, alone.holder_masked)
    meter = quoted((await billers_at.network.balances(METER, [METER_NUMBER]))[METER_NUMBER])
    assert (meter.balance, meter.daily_use, meter.days_left) == (Money(1_860), Money(320), 5)


async def test_a_bad_number_spoils_no_others_answer(billers_at: BillerCase) -> None:
    told = await billers_at.network.balances(LATE, ["3199999999", LATE_NUMBER])
    assert quoted(told[LATE_NUMBER]).due == Money(12_592)
    unknown = told["3199999999"]
    assert isinstance(unknown, Refused)
    assert unknown.reason is Reason.ACCOUNT_NOT_FOUND
    assert "3199999999" not in str(unknown)
    card = (await billers_at.network.balances(CARDS, [CARD_NUMBER]))[CARD_NUMBER]
    assert isinstance(card, Refused)
    assert card.reason is Reason.IC_CARD_REQUIRED


async def test_what_was_told_among_many_can_be_paid(billers_at: BillerCase) -> None:
    quote = quoted((await billers_at.network.balances(METER, [METER_NUMBER]))[METER_NUMBER])
    request = PostPayment(OrderNumber("p1"), METER, METER_NUMBER, quote.id, Money(10_000))
    assert isinstance(await billers_at.network.post(request), Settled)


async def test_a_page_has_a_bound_and_no_number_is_no_question(billers_at: BillerCase) -> None:
    assert await billers_at.network.balances(METER, []) == {}
    with pytest.raises(ValueError, match=str(MOST_NUMBERS)):
        await billers_at.network.balances(METER, [str(10**9 + n) for n in range(MOST_NUMBERS + 1)])
    full = await billers_at.network.balances(METER, [str(10**9 + n) for n in range(MOST_NUMBERS)])
    assert len(full) == MOST_NUMBERS


async def test_a_biller_that_cannot_be_paid_is_refused_as_a_whole(billers_at: BillerCase) -> None:
    with pytest.raises(Refused) as refused:
        await billers_at.network.balances(BillerId("nobody-here"), [METER_NUMBER])
    assert refused.value.reason is Reason.NOT_PAYABLE_ONLINE


async def test_a_fault_of_one_account_leaves_only_that_one_without_an_answer(billers_at: BillerCase) -> None:
    await billers_at.stage.control.fault("biller", "error_500", account="E-CHENG", uses=1)
    told = await billers_at.network.balances(LATE, [LATE_NUMBER, NEIGHBOUR])
    assert isinstance(told[LATE_NUMBER], OutcomeUnknown)
    assert quoted(told[NEIGHBOUR]).due == Money(21_000)
    again = await billers_at.network.balances(LATE, [LATE_NUMBER])
    assert quoted(again[LATE_NUMBER]).due == Money(12_592)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("down", Reason.BILLER_DOWN),
        ("rate_limited", Reason.RATE_LIMITED),
        ("error_500", Reason.UNKNOWN),
        ("garbled_answer", Reason.UNKNOWN),
        ("another_order", Reason.UNKNOWN),
        ("missing_fields", Reason.UNKNOWN),
        ("wrong_answer_signature", Reason.SIGNATURE),
    ],
)
async def test_without_a_usable_answer_nobody_is_told_anything(
    billers_at: BillerCase, fault: str, reason: Reason
) -> None:
    await billers_at.stage.control.fault("biller", fault, operation="balances", uses=1)
    with pytest.raises(OutcomeUnknown) as unknown:
        await billers_at.network.balances(METER, [METER_NUMBER])
    assert unknown.value.reason is reason


async def test_fields_the_contract_does_not_know_are_passed_over(billers_at: BillerCase) -> None:
    await billers_at.stage.control.fault("biller", "unknown_fields", operation="balances", uses=1)
    told = await billers_at.network.balances(METER, [METER_NUMBER])
    assert quoted(told[METER_NUMBER]).balance == Money(1_860)


@pytest.mark.parametrize("fault", ["slow", "lost_answer", "half_answer", "wrong_length"])
async def test_an_answer_that_does_not_arrive_raises(wired_billers: BillerCase, fault: str) -> None:
    await wired_billers.stage.control.fault("biller", fault, seconds=20, operation="balances", uses=1)
    with pytest.raises(OutcomeUnknown):
        await wired_billers.impatient.balances(METER, [METER_NUMBER])


async def test_nobody_there_means_nothing_was_asked(billers_at: BillerCase) -> None:
    with pytest.raises(NotSent):
        await billers_at.nowhere().balances(METER, [METER_NUMBER])
