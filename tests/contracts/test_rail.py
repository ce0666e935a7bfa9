"""The contract of a payment rail: once per number, closed means closed, and what is not known is never called anything else."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from data.clock import shanghai
from data.ids import OrderNumber
from data.money import Money
from integrations.ports import (
    BadSignature,
    Closed,
    Declined,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Pending,
    Reason,
    Refund,
    Refused,
    Settled,
    StatementRow,
    Unknown,
)
from tests.contracts.stage import RailCase

NO_USABLE_ANSWER = [
    "timeout_then_paid_after",
    "timeout_never_paid",
    "slow",
    "error_500",
    "error_500_after",
    "lost_answer",
    "half_answer",
    "garbled_answer",
    "down",
]
EXECUTED_ALL_THE_SAME = {"slow", "error_500_after", "lost_answer", "half_answer", "garbled_answer"}


def refund_of(order: str, number: str, fen: int) -> Refund:
    return Refund(OrderNumber(order), OrderNumber(number), Money(fen))


async def test_a_charge_collects_and_its_status_tells_the_same(rail_at: RailCase) -> None:
    answer = await rail_at.rail.charge(rail_at.charge("o1"))
    assert isinstance(answer, Settled)
    assert answer.amount == Money(4_650)
    assert answer == await rail_at.rail.status(OrderNumber("o1"))
    assert await rail_at.stage.captured("o1") == [Money(4_650)]


async def test_repeating_a_charge_gives_the_same_answer_and_collects_once(rail_at: RailCase) -> None:
    first = await rail_at.rail.charge(rail_at.charge("o1"))
    assert [await rail_at.rail.charge(rail_at.charge("o1")) for _ in range(3)] == [first] * 3
    assert await rail_at.stage.captured("o1") == [Money(4_650)]


async def test_eight_at_once_under_one_number_collect_once(rail_at: RailCase) -> None:
    answers = await asyncio.gather(*(rail_at.rail.charge(rail_at.charge("o1")) for _ in range(8)))
    assert len({a.reference for a in answers if isinstance(a, Settled)}) == 1
    assert await rail_at.stage.captured("o1") == [Money(4_650)]


async def test_a_number_never_carries_two_contents(rail_at: RailCase) -> None:
    await rail_at.rail.charge(rail_at.charge("o1"))
    with pytest.raises(Refused) as refused:
        await rail_at.rail.charge(rail_at.charge("o1", fen=4_651))
    assert refused.value.reason is Reason.DUPLICATE_NUMBER
    with pytest.raises(Refused):
        await rail_at.rail.start(rail_at.page("o1"))
    assert await rail_at.stage.captured("o1") == [Money(4_650)]


async def test_too_little_in_the_purse_is_a_definite_no_for_this_number_for_ever(rail_at: RailCase) -> None:
    too_much = rail_at.charge("o1", fen=rail_at.funds.fen + 1)
    assert await rail_at.rail.charge(too_much) == Declined(Reason.INSUFFICIENT_FUNDS)
    await rail_at.stage.control.set_funds(rail_at.purse, Money(90_000))
    assert await rail_at.rail.charge(too_much) == Declined(Reason.INSUFFICIENT_FUNDS)
    assert await rail_at.rail.status(OrderNumber("o1")) == Declined(Reason.INSUFFICIENT_FUNDS)
    assert await rail_at.stage.captured("o1") == []


async def test_charges_spend_the_purse(rail_at: RailCase) -> None:
    assert isinstance(await rail_at.rail.charge(rail_at.charge("o1", rail_at.funds.fen)), Settled)
    assert await rail_at.rail.charge(rail_at.charge("o2", 1)) == Declined(Reason.INSUFFICIENT_FUNDS)


async def test_a_wrong_token_collects_nothing(rail_at: RailCase) -> None:
    good = rail_at.charge("o1")
    stolen = type(good)(good.order, good.instrument, "guessed", good.amount, good.payee)
    assert isinstance(await rail_at.rail.charge(stolen), Declined)
    assert await rail_at.stage.captured("o1") == []


async def test_only_billers_of_the_catalogue_are_paid(rail_at: RailCase) -> None:
    good = rail_at.charge("o1")
    to_a_person = type(good)(good.order, good.instrument, good.token, good.amount, "my-nephew")  # type: ignore[arg-type]
    assert isinstance(await rail_at.rail.charge(to_a_person), Declined)
    assert await rail_at.stage.captured("o1") == []


async def test_a_number_nobody_sent_is_not_found(rail_at: RailCase) -> None:
    assert await rail_at.rail.status(OrderNumber("never")) == NotFound()
    assert await rail_at.rail.refund_status(OrderNumber("never")) == NotFound()


async def test_a_closed_number_never_collects_even_if_closed_before_it_came(rail_at: RailCase) -> None:
    assert await rail_at.rail.close(OrderNumber("o1")) == Closed()
    assert await rail_at.rail.charge(rail_at.charge("o1")) == Declined(Reason.CLOSED)
    assert await rail_at.rail.close(OrderNumber("o1")) == Closed()
    with pytest.raises(Refused) as refused:
        await rail_at.rail.start(rail_at.page("o1"))
    assert refused.value.reason is Reason.CLOSED
    assert await rail_at.stage.captured("o1") == []


async def test_closing_after_the_money_came_tells_the_money(rail_at: RailCase) -> None:
    paid = await rail_at.rail.charge(rail_at.charge("o1"))
    assert await rail_at.rail.close(OrderNumber("o1")) == paid


async def test_a_pending_charge_waits_and_can_be_closed(rail_at: RailCase) -> None:
    await rail_at.stage.control.fault("rail", "pending", uses=2)
    assert isinstance(await rail_at.rail.charge(rail_at.charge("o1")), Pending)
    assert isinstance(await rail_at.rail.charge(rail_at.charge("o2")), Pending)
    assert await rail_at.rail.close(OrderNumber("o1")) == Closed()
    await rail_at.stage.control.capture("o1")
    await rail_at.stage.control.capture("o2")
    assert await rail_at.rail.status(OrderNumber("o1")) == Declined(Reason.CLOSED)
    assert isinstance(await rail_at.rail.status(OrderNumber("o2")), Settled)


async def test_a_hosted_page_waits_for_the_payer(rail_at: RailCase) -> None:
    first = await rail_at.rail.start(rail_at.page("o1"))
    assert first.expires_at - await rail_at.stage.now() == timedelta(minutes=15)
    assert await rail_at.rail.start(rail_at.page("o1")) == first
    assert isinstance(await rail_at.rail.status(OrderNumber("o1")), Pending)
    await rail_at.stage.control.capture("o1")
    paid = await rail_at.rail.status(OrderNumber("o1"))
    assert isinstance(paid, Settled)
    assert paid.amount == Money(4_650)


async def test_a_hosted_page_expires_for_good(rail_at: RailCase) -> None:
    await rail_at.rail.start(rail_at.page("o1", minutes=2))
    await rail_at.stage.advance(seconds=120)
    assert await rail_at.rail.status(OrderNumber("o1")) == Declined(Reason.CLOSED)
    await rail_at.stage.control.capture("o1")
    assert await rail_at.stage.captured("o1") == []


async def test_a_refund_gives_back_once_per_refund_number(rail_at: RailCase) -> None:
    await rail_at.rail.charge(rail_at.charge("o1"))
    first = await rail_at.rail.refund(refund_of("o1", "r1", 4_650))
    assert isinstance(first, Settled)
    assert await rail_at.rail.refund(refund_of("o1", "r1", 4_650)) == first
    assert await rail_at.rail.refund_status(OrderNumber("r1")) == first
    with pytest.raises(Refused):
        await rail_at.rail.refund(refund_of("o1", "r1", 4_649))
    seen = await rail_at.stage.control.inspect()
    assert [r.amount_fen for r in seen.refunds] == [4_650]


async def test_refunds_never_exceed_what_was_collected(rail_at: RailCase) -> None:
    await rail_at.rail.charge(rail_at.charge("o1"))
    assert isinstance(await rail_at.rail.refund(refund_of("o1", "r1", 3_000)), Settled)
    assert await rail_at.rail.refund(refund_of("o1", "r2", 1_651)) == Declined(Reason.AMOUNT_RULE)
    assert isinstance(await rail_at.rail.refund(refund_of("o1", "r3", 1_650)), Settled)
    assert isinstance(await rail_at.rail.refund(refund_of("unpaid", "r4", 1)), Declined)


async def test_the_statement_tells_captures_and_refunds_of_its_day_only(rail_at: RailCase) -> None:
    paid = await rail_at.rail.charge(rail_at.charge("o1"))
    await rail_at.rail.charge(rail_at.charge("declined", fen=99_999))
    today = shanghai(await rail_at.stage.now()).date()
    await rail_at.stage.advance(hours=15)  # midnight in Shanghai exactly
    await rail_at.rail.refund(refund_of("o1", "r1", 5))
    tomorrow = [row async for row in rail_at.rail.statement(today + timedelta(days=1))]
    assert isinstance(paid, Settled)
    assert [row async for row in rail_at.rail.statement(today)] == [
        StatementRow(OrderNumber("o1"), "capture", Money(4_650), paid.at)
    ]
    assert [(row.kind, row.amount) for row in tomorrow] == [("refund", Money(5))]


async def test_the_file_of_a_day_to_come_is_not_ready(rail_at: RailCase) -> None:
    rows = rail_at.rail.statement(shanghai(await rail_at.stage.now()).date() + timedelta(days=1))
    with pytest.raises(Refused) as refused:
        await anext(rows)
    assert refused.value.reason is Reason.NOT_READY


async def test_a_rightly_signed_callback_is_read(rail_at: RailCase) -> None:
    await rail_at.rail.charge(rail_at.charge("o1"))
    raw, headers = await rail_at.stage.callback("o1")
    event = rail_at.rail.parse_callback(raw, headers, await rail_at.stage.now())
    assert (event.order, event.status, event.amount) == ("o1", "paid", Money(4_650))
    shouting = {key.upper(): value for key, value in headers.items()}
    assert rail_at.rail.parse_callback(raw, shouting, await rail_at.stage.now()) == event


@pytest.mark.parametrize("how", [{"signature": "wrong"}, {"signature": "missing"}, {"age_seconds": 301}])
async def test_a_forged_or_stale_callback_is_refused(rail_at: RailCase, how: dict[str, object]) -> None:
    raw, headers = await rail_at.stage.callback("o1", status="failed", amount_fen=1, **how)
    with pytest.raises(BadSignature):
        rail_at.rail.parse_callback(raw, headers, await rail_at.stage.now())


async def test_a_callback_is_refused_when_anything_about_it_was_changed(rail_at: RailCase) -> None:
    raw, headers = await rail_at.stage.callback("o1", status="failed", amount_fen=4_650)
    now = await rail_at.stage.now()
    later = {**headers, "webhook-timestamp": str(int(now.timestamp()) + 1)}
    other_id = {**headers, "webhook-id": "evt_other"}
    for body, head, at in [
        (raw.replace(b"4650", b"4651"), headers, now),
        (raw, later, now),
        (raw, other_id, now),
        (raw, headers, now - timedelta(seconds=301)),
        (raw, {**headers, "webhook-timestamp": "soon"}, now),
        (b"\xff", headers, now),
        (raw, {}, now),
    ]:
        with pytest.raises(BadSignature):
            rail_at.rail.parse_callback(body, head, at)


async def test_health_tells_whether_the_rail_is_there(rail_at: RailCase) -> None:
    assert (await rail_at.rail.health()).up
    await rail_at.stage.control.fault("rail", "down")
    assert not (await rail_at.rail.health()).up
    await rail_at.stage.control.clear_faults("rail")
    assert (await rail_at.rail.health()).up
    assert not (await rail_at.nowhere().health()).up


async def test_nobody_there_means_nothing_was_sent(rail_at: RailCase) -> None:
    for answer in (
        await rail_at.nowhere().charge(rail_at.charge("o1")),
        await rail_at.nowhere().status(OrderNumber("o1")),
        await rail_at.nowhere().close(OrderNumber("o1")),
        await rail_at.nowhere().refund(refund_of("o1", "r1", 1)),
    ):
        assert isinstance(answer, Unknown)
        assert not answer.sent
    with pytest.raises(NotSent):
        await rail_at.nowhere().start(rail_at.page("o1"))


@pytest.mark.parametrize("fault", NO_USABLE_ANSWER)
async def test_without_a_usable_answer_a_charge_is_unknown_and_stays_single(
    wired_rail: RailCase, fault: str
) -> None:
    await wired_rail.stage.control.fault("rail", fault, seconds=90, uses=1)
    answer = await wired_rail.impatient.charge(wired_rail.charge("o1"))
    assert isinstance(answer, Unknown)
    assert answer.sent
    before = await wired_rail.stage.captured("o1")
    assert before == ([Money(4_650)] if fault in EXECUTED_ALL_THE_SAME else [])
    await wired_rail.stage.control.clear_faults()
    assert isinstance(await wired_rail.rail.charge(wired_rail.charge("o1")), Settled)
    await wired_rail.stage.advance(seconds=120)
    assert await wired_rail.stage.captured("o1") == [Money(4_650)]


async def test_not_found_is_no_proof_of_failure(wired_rail: RailCase) -> None:
    await wired_rail.stage.control.fault("rail", "timeout_then_paid_after", seconds=90)
    await wired_rail.impatient.charge(wired_rail.charge("o1"))
    assert await wired_rail.rail.status(OrderNumber("o1")) == NotFound()
    asked_at = await wired_rail.stage.now()
    await wired_rail.stage.advance(seconds=120)
    late = await wired_rail.rail.status(OrderNumber("o1"))
    assert isinstance(late, Settled)
    assert late.at == asked_at + timedelta(seconds=90)


async def test_a_late_request_finds_its_number_closed(wired_rail: RailCase) -> None:
    await wired_rail.stage.control.fault("rail", "timeout_then_paid_after", seconds=90)
    await wired_rail.impatient.charge(wired_rail.charge("o1"))
    assert await wired_rail.rail.close(OrderNumber("o1")) == Closed()
    await wired_rail.stage.advance(seconds=120)
    assert await wired_rail.stage.captured("o1") == []


@pytest.mark.parametrize("fault", ["lost_answer", "timeout_then_paid_after", "error_500_after"])
async def test_a_refund_without_an_answer_is_unknown_and_stays_single(
    wired_rail: RailCase, fault: str
) -> None:
    await wired_rail.rail.charge(wired_rail.charge("o1"))
    await wired_rail.stage.control.fault("rail", fault, seconds=90, operation="refund")
    assert isinstance(await wired_rail.impatient.refund(refund_of("o1", "r1", 4_650)), Unknown)
    assert isinstance(await wired_rail.rail.refund(refund_of("o1", "r1", 4_650)), Settled)
    await wired_rail.stage.advance(seconds=120)
    seen = await wired_rail.stage.control.inspect()
    assert [r.amount_fen for r in seen.refunds] == [4_650]


async def test_no_answer_to_a_question_or_a_page_is_unknown_too(wired_rail: RailCase) -> None:
    await wired_rail.rail.charge(wired_rail.charge("o1"))
    for operation in ("status", "close", "start", "statement"):
        await wired_rail.stage.control.fault("rail", "lost_answer", operation=operation)
    assert isinstance(await wired_rail.rail.status(OrderNumber("o1")), Unknown)
    assert isinstance(await wired_rail.rail.close(OrderNumber("o1")), Unknown)
    with pytest.raises(OutcomeUnknown):
        await wired_rail.rail.start(wired_rail.page("o2"))
    lost = wired_rail.rail.statement((await wired_rail.stage.now()).date())
    with pytest.raises(OutcomeUnknown):
        await anext(lost)
