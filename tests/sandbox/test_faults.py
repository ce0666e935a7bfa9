"""A fault strikes the call it was arranged for, and no other."""

from __future__ import annotations

import asyncio

import pytest

from data.ids import BillerId, InstrumentId, OrderNumber
from data.money import Money
from integrations.ports import (
    Charge,
    Declined,
    OutcomeUnknown,
    PostPayment,
    Reason,
    Refused,
    Settled,
    Unknown,
)
from integrations.sandbox.biller import SandboxBillers
from integrations.sandbox.control import ControlError, SandboxControl, read_fault
from integrations.sandbox.fault_kinds import FaultKind
from integrations.sandbox.rail import SandboxRail
from tests.contracts.stage import Town, rail_case


def rail(town: Town, seconds: float = 20) -> SandboxRail:
    return SandboxRail(town.url, town.secret, client=town.client, timeout_seconds=seconds)


def charge(order: str, payee: str = "bj-water", fen: int = 1_000) -> Charge:
    token = "purse-5h2k-limin"
    return Charge(OrderNumber(order), InstrumentId("pm-limin"), token, Money(fen), BillerId(payee))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("declined", Reason.DECLINED),
        ("declined_by_biller_maintenance", Reason.BILLER_DOWN),
        ("insufficient_funds", Reason.INSUFFICIENT_FUNDS),
    ],
)
async def test_a_fault_for_the_next_call_strikes_once(town: Town, kind: str, reason: Reason) -> None:
    await town.stage.control.fault("rail", kind)
    assert await rail(town).charge(charge("o1")) == Declined(reason)
    assert isinstance(await rail(town).charge(charge("o2")), Settled)
    assert await rail(town).charge(charge("o1")) == Declined(reason)  # a declined number stays declined


async def test_a_fault_by_account_strikes_its_payee_on_the_rail_until_cleared(town: Town) -> None:
    await town.stage.control.fault("rail", "declined_by_biller_maintenance", account="G-LI")
    for order in ("g1", "g2"):
        assert await rail(town).charge(charge(order, "bj-gas")) == Declined(Reason.BILLER_DOWN)
    assert isinstance(await rail(town).charge(charge("w1", "bj-water")), Settled)
    await town.stage.control.clear_faults()
    assert isinstance(await rail(town).charge(charge("g3", "bj-gas")), Settled)


async def test_a_fault_by_order_waits_for_that_order(town: Town) -> None:
    await town.stage.control.fault("rail", "declined", order="o2")
    assert isinstance(await rail(town).charge(charge("o1")), Settled)
    assert await rail(town).charge(charge("o2")) == Declined(Reason.DECLINED)


async def test_a_fault_by_account_strikes_that_account_only_at_the_biller(town: Town) -> None:
    billers = SandboxBillers(town.url, client=town.client)
    await town.stage.control.fault("biller", "error_500", account="E-CHENG")
    with pytest.raises(OutcomeUnknown):
        await billers.query(BillerId("sh-electricity"), "3100456712")
    neighbour = await billers.query(BillerId("sh-electricity"), "3100456721")
    assert neighbour.due == Money(21_000)


async def test_a_biller_in_maintenance_refuses_with_its_reason(town: Town) -> None:
    billers = SandboxBillers(town.url, client=town.client)
    await town.stage.control.fault("biller", "declined_by_biller_maintenance", account="W-LI")
    with pytest.raises(Refused) as refused:
        await billers.query(BillerId("bj-water"), "2200556677")
    assert refused.value.reason is Reason.BILLER_DOWN


async def test_a_side_that_is_down_answers_nothing_and_the_other_side_lives(town: Town) -> None:
    await town.stage.control.fault("rail", "down")
    assert isinstance(await rail(town).charge(charge("o1")), Unknown)
    assert isinstance(await rail(town).status(OrderNumber("o1")), Unknown)
    assert (await SandboxBillers(town.url, client=town.client).health()).up
    await town.stage.control.clear_faults("biller")
    assert not (await rail(town).health()).up
    await town.stage.control.clear_faults("rail")
    assert (await rail(town).health()).up


async def test_a_slow_answer_comes_when_the_towns_clock_has_moved_on(town: Town) -> None:
    await town.stage.control.fault("rail", "slow", seconds=20)
    waiting = asyncio.create_task(rail(town).charge(charge("o1")))
    while not await town.stage.captured("o1"):
        await asyncio.sleep(0.01)
    assert not waiting.done()
    await town.stage.advance(seconds=20)
    assert isinstance(await waiting, Settled)


async def test_every_request_is_on_record_by_its_number(town: Town) -> None:
    await town.stage.control.fault("rail", "error_500")
    await rail(town).charge(charge("o1"))
    await rail(town).charge(charge("o1"))
    await rail(town).status(OrderNumber("o1"))
    seen = await town.stage.control.inspect()
    assert [(c.operation, c.outcome) for c in seen.calls if c.key == "o1"] == [
        ("charge", "error"),
        ("charge", "settled"),
        ("status", "settled"),
    ]


async def test_a_capture_names_the_account_once_it_is_posted(town: Town) -> None:
    case = rail_case(town)
    await case.rail.charge(case.charge("o1"))
    billers = SandboxBillers(town.url, client=town.client)
    quote = await billers.query(BillerId("bj-water"), "2200556677")
    await billers.post(
        PostPayment(OrderNumber("o1"), BillerId("bj-water"), "2200556677", quote.id, quote.due)
    )
    seen = await town.stage.control.inspect()
    assert [(c.account, c.amount_fen, c.purse) for c in seen.captures] == [("W-LI", 4_650, "pm-limin")]
    assert [(p.account, p.state) for p in seen.posts] == [("W-LI", "settled")]


async def test_the_control_port_opens_to_its_token_only(town: Town) -> None:
    for token in ("guessed", "wrong"):
        with pytest.raises(ControlError, match="401"):
            await SandboxControl(town.url, token, town.client).inspect()


async def test_mistakes_at_the_control_port_are_told(town: Town) -> None:
    control = town.stage.control
    now = await town.stage.now()
    for wrong in (
        control.fault("rail", "declined", account="E-NOWHERE"),
        control.change_account("E-NOWHERE", due_fen=1),
        control.set_funds("pm-nobody", Money(1)),
        control.acknowledge("W-LI", Money(4_650)),
        control.capture("never"),
        control.set_clock(now.replace(year=2020)),
    ):
        with pytest.raises(ControlError, match=r"^4(04|09)"):
            await wrong


def test_faults_are_read_as_the_scripts_write_them() -> None:
    assert read_fault("declined") == (FaultKind.DECLINED, 0)
    assert read_fault({"timeout_then_paid_after": "90s"}) == (FaultKind.TIMEOUT_THEN_PAID_AFTER, 90)
    assert read_fault({"slow": "2m"}) == (FaultKind.SLOW, 120)
    for nonsense in ("sometimes", {"slow": "a while"}):
        with pytest.raises(ValueError, match=r"sometimes|a while"):
            read_fault(nonsense)
