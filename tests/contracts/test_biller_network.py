"""The contract of a biller network: the holder before the amount, the quoted price, one write-off per order."""

from __future__ import annotations

import asyncio
import re
from datetime import date, timedelta

import pytest

from data.clock import shanghai
from data.ids import BillerId, OrderNumber, QuoteId
from data.model import Exactness, Quote
from data.money import ZERO, Money, total
from integrations.ports import (
    Declined,
    NotFound,
    NotSent,
    Outcome,
    OutcomeUnknown,
    Pending,
    PostPayment,
    Reason,
    Refused,
    Settled,
    StatementRow,
    Unknown,
)
from tests.contracts.stage import BillerCase

WATER, WATER_NUMBER = BillerId("bj-water"), "2200556677"  # 46.50 yuan, exact
PARTS, PARTS_NUMBER = BillerId("sh-water"), "3200456701"  # 31.20 yuan, part payments
METER, METER_NUMBER = BillerId("bj-electricity"), "1100223344"  # prepaid, 18.60 yuan left
LATE, LATE_NUMBER = BillerId("sh-electricity"), "3100456712"  # due since 2026-02-18


async def post(
    case: BillerCase,
    order: str,
    quote: Quote,
    number: str,
    fen: int | None = None,
    *,
    quote_id: str = "",
    impatient: bool = False,
) -> Outcome:
    amount = Money(fen) if fen is not None else quote.due
    wanted = QuoteId(quote_id) if quote_id else quote.id
    network = case.impatient if impatient else case.network
    return await network.post(PostPayment(OrderNumber(order), quote.biller, number, wanted, amount))


async def test_every_biller_says_what_its_numbers_look_like(billers_at: BillerCase) -> None:
    billers = await billers_at.network.billers()
    assert {b.utility.value for b in billers} == {
        "electricity", "water", "gas", "landline", "broadband", "cable_tv", "heating"
    }  # fmt: skip
    for biller in billers:
        assert re.fullmatch(biller.form.pattern, biller.form.example)
        assert biller.form.where["zh"]
        assert biller.name["en"]


async def test_the_name_check_shows_a_masked_name_and_nothing_else(billers_at: BillerCase) -> None:
    assert await billers_at.network.holder(LATE, LATE_NUMBER) == "程*生"
    for biller, number in [(LATE, "3199999999"), (WATER, LATE_NUMBER)]:
        with pytest.raises(Refused) as refused:
            await billers_at.network.holder(biller, number)
        assert refused.value.reason is Reason.ACCOUNT_NOT_FOUND
        assert number not in str(refused.value)


async def test_accounts_are_found_by_the_registered_telephone(billers_at: BillerCase) -> None:
    found = await billers_at.network.find_accounts(METER, "01055501111")
    assert [(hint.number, hint.holder_masked) for hint in found] == [(METER_NUMBER, "李*国")]
    shared = await billers_at.network.find_accounts(BillerId("bj-gas"), "01055501111")
    assert [hint.holder_masked for hint in shared] == ["王*英"]
    assert await billers_at.network.find_accounts(METER, "01099999999") == []
    with pytest.raises(Refused) as refused:
        await billers_at.network.find_accounts(BillerId("gz-electricity"), "02055502222")
    assert refused.value.reason is Reason.CONFIG


async def test_a_bill_in_time_has_one_line(billers_at: BillerCase) -> None:
    quote = await billers_at.network.query(WATER, WATER_NUMBER)
    assert (quote.due, quote.due_date, quote.holder_masked) == (Money(4_650), date(2026, 3, 20), "李*国")
    assert [(line.kind, line.amount) for line in quote.lines] == [("arrears", Money(4_650))]
    assert quote.rule.exactness is Exactness.EXACT
    assert not quote.prepaid


async def test_a_late_fee_stands_on_its_own_line_with_days_rate_and_rule(billers_at: BillerCase) -> None:
    quote = await billers_at.network.query(LATE, LATE_NUMBER)
    arrears, fee = quote.lines
    assert (arrears.amount, fee.amount, quote.due) == (Money(12_345), Money(247), Money(12_592))
    assert (fee.kind, fee.days, fee.rate) == ("late_fee", 20, "0.1%")
    assert fee.rule_version == "late_fee.electricity.resident@1996-10-08"


async def test_a_meter_tells_balance_and_days_left(billers_at: BillerCase) -> None:
    quote = await billers_at.network.query(METER, METER_NUMBER)
    assert (quote.prepaid, quote.due, quote.balance, quote.days_left) == (True, ZERO, Money(1_860), 5)
    assert (quote.rule.minimum, quote.rule.maximum, quote.rule.step) == (
        Money(1_000),
        Money(500_000),
        Money(1_000),
    )


async def test_a_meter_tells_what_it_used_in_the_last_twelve_months(billers_at: BillerCase) -> None:
    use = await billers_at.network.usage(METER, METER_NUMBER)
    assert [m.month for m in use][:2] == [date(2025, 3, 1), date(2025, 4, 1)]
    assert (len(use), use[0].used, total([m.used for m in use])) == (12, Money(6_200), Money(116_000))
    last = await billers_at.network.usage(METER, METER_NUMBER, months=2)
    assert [m.used for m in last] == [Money(10_500), Money(9_700)]
    for biller, number, reason in [
        (WATER, WATER_NUMBER, Reason.CONFIG),
        (METER, "1100999999", Reason.ACCOUNT_NOT_FOUND),
    ]:
        with pytest.raises(Refused) as refused:
            await billers_at.network.usage(biller, number)
        assert refused.value.reason is reason


async def test_a_card_meter_cannot_be_paid_from_afar(billers_at: BillerCase) -> None:
    with pytest.raises(Refused) as refused:
        await billers_at.network.query(BillerId("sh-gas"), "3300456702")
    assert refused.value.reason is Reason.IC_CARD_REQUIRED


async def test_a_posted_bill_is_due_no_more(billers_at: BillerCase) -> None:
    quote = await billers_at.network.query(LATE, LATE_NUMBER)
    done = await post(billers_at, "p1", quote, LATE_NUMBER)
    assert isinstance(done, Settled)
    assert done.amount == Money(12_592)
    assert await billers_at.network.post_status(LATE, OrderNumber("p1")) == done
    after = await billers_at.network.query(LATE, LATE_NUMBER)
    assert (after.due, after.lines) == (ZERO, ())
    assert await billers_at.stage.written_off("E-CHENG") == Money(12_592)


async def test_posting_again_under_the_same_order_writes_off_once(billers_at: BillerCase) -> None:
    quote = await billers_at.network.query(METER, METER_NUMBER)
    answers = await asyncio.gather(*(post(billers_at, "p1", quote, METER_NUMBER, 5_000) for _ in range(6)))
    assert len({a.reference for a in answers if isinstance(a, Settled)}) == 1
    assert (await billers_at.network.query(METER, METER_NUMBER)).balance == Money(6_860)
    with pytest.raises(Refused) as refused:
        await post(billers_at, "p1", quote, METER_NUMBER, 6_000)
    assert refused.value.reason is Reason.DUPLICATE_NUMBER


async def test_a_second_order_for_a_paid_bill_is_refused(billers_at: BillerCase) -> None:
    quote = await billers_at.network.query(WATER, WATER_NUMBER)
    await post(billers_at, "p1", quote, WATER_NUMBER)
    assert await post(billers_at, "p2", quote, WATER_NUMBER) == Declined(Reason.NOTHING_DUE)
    assert await billers_at.network.post_status(WATER, OrderNumber("p2")) == NotFound()
    assert await billers_at.stage.written_off("W-LI") == Money(4_650)


async def test_two_top_ups_are_two_payments(billers_at: BillerCase) -> None:
    quote = await billers_at.network.query(METER, METER_NUMBER)
    for order in ("p1", "p2"):
        assert isinstance(await post(billers_at, order, quote, METER_NUMBER, 10_000), Settled)
    assert (await billers_at.network.query(METER, METER_NUMBER)).balance == Money(21_860)


async def test_a_quote_expires_and_a_fresh_one_goes_with_the_same_order(billers_at: BillerCase) -> None:
    old = await billers_at.network.query(WATER, WATER_NUMBER)
    assert old.expires_at - await billers_at.stage.now() == timedelta(minutes=15)
    await billers_at.stage.advance(minutes=15)
    assert await post(billers_at, "p1", old, WATER_NUMBER) == Declined(Reason.QUOTE_EXPIRED)
    fresh = await billers_at.network.query(WATER, WATER_NUMBER)
    assert isinstance(await post(billers_at, "p1", fresh, WATER_NUMBER), Settled)


async def test_a_refusal_is_final_for_its_order_and_quote(billers_at: BillerCase) -> None:
    """Whoever is refused gives the money back: the same order may not be written off after all."""
    quote = await billers_at.network.query(WATER, WATER_NUMBER)
    await billers_at.stage.control.fault("biller", "declined", operation="post", uses=1)
    assert await post(billers_at, "p1", quote, WATER_NUMBER) == Declined(Reason.DECLINED)
    assert await post(billers_at, "p1", quote, WATER_NUMBER) == Declined(Reason.DECLINED)
    assert await post(billers_at, "p2", quote, WATER_NUMBER, 4_649) == Declined(Reason.AMOUNT_RULE)
    assert await post(billers_at, "p2", quote, WATER_NUMBER) == Declined(Reason.AMOUNT_RULE)
    assert await billers_at.stage.written_off("W-LI") == ZERO
    fresh = await billers_at.network.query(WATER, WATER_NUMBER)
    assert fresh.id != quote.id
    assert isinstance(await post(billers_at, "p1", fresh, WATER_NUMBER), Settled)


async def test_a_shut_door_refuses_no_order(billers_at: BillerCase) -> None:
    quote = await billers_at.network.query(WATER, WATER_NUMBER)
    kind = "declined_by_biller_maintenance"
    await billers_at.stage.control.fault("biller", kind, operation="post", uses=1)
    assert await post(billers_at, "p1", quote, WATER_NUMBER) == Declined(Reason.BILLER_DOWN)
    assert isinstance(await post(billers_at, "p1", quote, WATER_NUMBER), Settled)


async def test_a_quote_of_somebody_else_does_not_count(billers_at: BillerCase) -> None:
    mine = await billers_at.network.query(WATER, WATER_NUMBER)
    other = await billers_at.network.query(PARTS, PARTS_NUMBER)
    assert await post(billers_at, "p1", mine, WATER_NUMBER, quote_id=other.id) == Declined(
        Reason.QUOTE_EXPIRED
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"due_fen": 4_651}, Reason.BILL_CHANGED),
        ({"paid_elsewhere_fen": 1_000}, Reason.BILL_CHANGED),
        ({"paid_elsewhere_fen": 0}, Reason.NOTHING_DUE),
    ],
)
async def test_a_bill_that_changed_meanwhile_is_not_posted_at_the_old_price(
    billers_at: BillerCase, change: dict[str, int], reason: Reason
) -> None:
    quote = await billers_at.network.query(WATER, WATER_NUMBER)
    await billers_at.stage.control.change_account("W-LI", **change)
    assert await post(billers_at, "p1", quote, WATER_NUMBER) == Declined(reason)
    assert await billers_at.stage.written_off("W-LI") == ZERO


@pytest.mark.parametrize(
    ("biller", "number", "fen"),
    [
        (WATER, WATER_NUMBER, 4_649),
        (WATER, WATER_NUMBER, 4_651),
        (PARTS, PARTS_NUMBER, 99),
        (PARTS, PARTS_NUMBER, 3_121),
        (METER, METER_NUMBER, 500),
        (METER, METER_NUMBER, 1_500),
        (METER, METER_NUMBER, 501_000),
    ],
)
async def test_amounts_outside_the_rule_are_refused(
    billers_at: BillerCase, biller: BillerId, number: str, fen: int
) -> None:
    quote = await billers_at.network.query(biller, number)
    assert await post(billers_at, "p1", quote, number, fen) == Declined(Reason.AMOUNT_RULE)


async def test_a_part_payment_leaves_the_rest_due(billers_at: BillerCase) -> None:
    quote = await billers_at.network.query(PARTS, PARTS_NUMBER)
    assert isinstance(await post(billers_at, "p1", quote, PARTS_NUMBER, 2_000), Settled)
    assert await post(billers_at, "p2", quote, PARTS_NUMBER, 1_120) == Declined(Reason.BILL_CHANGED)
    rest = await billers_at.network.query(PARTS, PARTS_NUMBER)
    assert rest.due == Money(1_120)
    assert isinstance(await post(billers_at, "p2", rest, PARTS_NUMBER), Settled)


async def test_a_withheld_acknowledgement_is_pending_until_it_comes(billers_at: BillerCase) -> None:
    await billers_at.stage.control.acks("manual")
    quote = await billers_at.network.query(LATE, LATE_NUMBER)
    assert isinstance(await post(billers_at, "p1", quote, LATE_NUMBER), Pending)
    assert isinstance(await billers_at.network.post_status(LATE, OrderNumber("p1")), Pending)
    assert await post(billers_at, "p2", quote, LATE_NUMBER) == Declined(Reason.BILL_CHANGED)
    assert await billers_at.stage.written_off("E-CHENG") == ZERO
    await billers_at.stage.control.acknowledge("E-CHENG", Money(12_592))
    assert isinstance(await billers_at.network.post_status(LATE, OrderNumber("p1")), Settled)
    assert (await billers_at.network.query(LATE, LATE_NUMBER)).due == ZERO


async def test_acknowledgements_can_be_withheld_for_one_account(billers_at: BillerCase) -> None:
    await billers_at.stage.control.change_account("W-LI", acks="manual")
    water = await billers_at.network.query(WATER, WATER_NUMBER)
    late = await billers_at.network.query(LATE, LATE_NUMBER)
    assert isinstance(await post(billers_at, "p1", water, WATER_NUMBER), Pending)
    assert isinstance(await post(billers_at, "p2", late, LATE_NUMBER), Settled)


async def test_the_statement_tells_what_was_written_off_that_day_only(billers_at: BillerCase) -> None:
    today = shanghai(await billers_at.stage.now()).date()
    quoted = await billers_at.network.query(WATER, WATER_NUMBER)
    settled = await post(billers_at, "o1", quoted, WATER_NUMBER)
    assert isinstance(settled, Settled)
    await billers_at.stage.control.acks("manual")
    await post(billers_at, "o2", await billers_at.network.query(PARTS, PARTS_NUMBER), PARTS_NUMBER)
    await billers_at.stage.advance(hours=15)  # midnight in Shanghai exactly
    await billers_at.stage.control.acknowledge("W-CHENG", Money(3_120))
    assert [row async for row in billers_at.network.statement(today)] == [
        StatementRow(OrderNumber("o1"), "post", Money(4_650), settled.at)
    ]
    tomorrow = [row async for row in billers_at.network.statement(today + timedelta(days=1))]
    assert [(row.order, row.kind, row.amount) for row in tomorrow] == [("o2", "post", Money(3_120))]
    with pytest.raises(Refused) as refused:
        await anext(billers_at.network.statement(today + timedelta(days=2)))
    assert refused.value.reason is Reason.NOT_READY


async def test_health_tells_whether_the_billers_are_there(billers_at: BillerCase) -> None:
    assert (await billers_at.network.health()).up
    await billers_at.stage.control.fault("biller", "down")
    assert not (await billers_at.network.health()).up
    with pytest.raises(OutcomeUnknown) as unknown:
        await billers_at.network.query(WATER, WATER_NUMBER)
    assert unknown.value.reason is Reason.BILLER_DOWN
    await billers_at.stage.control.clear_faults()
    assert (await billers_at.network.health()).up
    assert not (await billers_at.nowhere().health()).up


async def test_nobody_there_means_nothing_was_sent(billers_at: BillerCase) -> None:
    with pytest.raises(NotSent):
        await billers_at.nowhere().query(WATER, WATER_NUMBER)
    with pytest.raises(NotSent):
        await billers_at.nowhere().billers()
    quote = await billers_at.network.query(WATER, WATER_NUMBER)
    request = PostPayment(OrderNumber("p1"), WATER, WATER_NUMBER, quote.id, quote.due)
    for answer in (
        await billers_at.nowhere().post(request),
        await billers_at.nowhere().post_status(WATER, OrderNumber("p1")),
    ):
        assert isinstance(answer, Unknown)
        assert not answer.sent


@pytest.mark.parametrize(
    "fault",
    [
        "timeout_then_paid_after",
        "timeout_never_paid",
        "slow",
        "error_500",
        "error_500_after",
        "lost_answer",
        "half_answer",
        "garbled_answer",
        "down",
    ],
)
async def test_without_a_usable_answer_a_posting_is_unknown_and_stays_single(
    wired_billers: BillerCase, fault: str
) -> None:
    quote = await wired_billers.network.query(METER, METER_NUMBER)
    await wired_billers.stage.control.fault("biller", fault, seconds=90, operation="post", uses=1)
    answer = await post(wired_billers, "p1", quote, METER_NUMBER, 5_000, impatient=True)
    assert isinstance(answer, Unknown)
    assert answer.sent
    await wired_billers.stage.control.clear_faults()
    assert isinstance(await post(wired_billers, "p1", quote, METER_NUMBER, 5_000), Settled)
    await wired_billers.stage.advance(seconds=120)
    assert (await wired_billers.network.query(METER, METER_NUMBER)).balance == Money(6_860)


async def test_a_posting_under_way_is_not_found_and_then_there(wired_billers: BillerCase) -> None:
    quote = await wired_billers.network.query(WATER, WATER_NUMBER)
    await wired_billers.stage.control.fault("biller", "timeout_then_paid_after", seconds=90, account="W-LI")
    assert isinstance(await post(wired_billers, "p1", quote, WATER_NUMBER, impatient=True), Unknown)
    assert await wired_billers.network.post_status(WATER, OrderNumber("p1")) == NotFound()
    await wired_billers.stage.advance(seconds=90)
    assert isinstance(await wired_billers.network.post_status(WATER, OrderNumber("p1")), Settled)


async def test_no_answer_to_a_question_raises(wired_billers: BillerCase) -> None:
    await wired_billers.stage.control.fault("biller", "slow", seconds=20, operation="query")
    with pytest.raises(OutcomeUnknown):
        await wired_billers.impatient.query(WATER, WATER_NUMBER)
