"""Amounts that are none, or too much, or at the wrong moment: a clear answer at every entrance, and nothing changes."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from bot.cli import app
from data.clock import SHANGHAI
from data.ids import BillerId, InstrumentId, OrderNumber, QuoteId
from data.money import BadAmount, Money
from data.store.payments import act_lines, acts, payments
from integrations.ports import (
    Charge,
    Declined,
    OutcomeUnknown,
    PostPayment,
    Reason,
    Refund,
    Refused,
    StartPayment,
)
from integrations.sandbox.biller import SandboxBillers
from integrations.sandbox.rail import SandboxRail
from payments.acts import Refusal
from payments.limits import month_start, next_month_start
from payments.mandates import end_of_day
from tests.contracts.stage import LIMIN as PURSE
from tests.contracts.stage import in_process
from tests.payments.automatic import METER, agreed, at, capped, lower, meter, propose, took
from tests.payments.household import E_LI, E_ZHANG, LIMIN, W_LI, House

# Each of these passes for a number somewhere: in Decimal, in float, in int, in a table of another country.
NO_AMOUNTS = ["1e3", "1E3", "NaN", "nan", "Infinity", "-0", "-1", "+1", "1_000", "0.001", "1.", ".5", "1,000", "1 000",
              "0x10", "", " ", "1元", "一百", "١٢٣", "²", "4²", "①", "999999999", "1.234", "--1", "1.0.0", "1e-2"]  # fmt: skip


@pytest.mark.parametrize("text", NO_AMOUNTS)
def test_what_is_no_amount_of_yuan_is_refused_and_not_guessed(text: str) -> None:
    with pytest.raises(BadAmount):
        Money.parse(text)


@pytest.mark.parametrize(
    ("text", "fen"), [("１００", 10_000), ("１００．５", 10_050), ("0", 0), ("0.01", 1), ("46.5", 4_650)]
)
def test_what_is_one_is_read_to_the_fen_however_wide_it_is_written(text: str, fen: int) -> None:
    assert Money.parse(text) == Money(fen)


@pytest.mark.parametrize("value", [1.0, True, "100", None, Decimal(100), float("nan")])
def test_money_is_whole_fen_and_nothing_that_looks_like_it(value: Any) -> None:
    with pytest.raises(BadAmount):
        Money(value)


# --- the command line -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["1e3", "NaN", "-0", "1_000", "0.001", "0", "99999999999", "∞", "100.005"])
def test_the_command_asks_back(text: str) -> None:
    result = CliRunner().invoke(app, ["nlu", "value", "--type", "money", "--json", "--", text])
    assert (result.exit_code, set(json.loads(result.output))) == (0, {"ask"})


# --- the gateway's HTTP and the ports -------------------------------------------------------------------------------

OVER_HTTP = [*NO_AMOUNTS, "１００", 0, -1, 0.5, 100.5, True, None, 5_000_001, 10**30, [], {}]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/rail/charges", {"order": "o1", "instrument": "pm", "token": "t", "payee": "bj-water"}),
        ("/rail/orders", {"order": "o1", "payee": "bj-water"}),
        ("/rail/refunds", {"order": "o1", "refund": "r1"}),
        ("/billers/bj-water/posts", {"order": "o1", "number": "2200556677", "quote": "q"}),
    ],
)
async def test_over_http_it_is_told_and_nothing_is_kept(path: str, body: dict[str, Any]) -> None:
    async with in_process() as town:
        for amount in OVER_HTTP:
            answer = await town.client.post(town.url + path, json={**body, "amount_fen": amount})
            assert (answer.status_code, answer.json()["reason"]) == (422, "config"), amount
            assert "amount_fen" in answer.json()["message"]
        seen = await town.stage.control.inspect()
        assert (seen.orders, seen.posts, seen.refunds) == ((), (), ())


@pytest.mark.parametrize("fen", [0, -1, 5_000_001])
async def test_a_port_given_such_an_amount_is_a_definite_no(fen: int) -> None:
    async with in_process() as town:
        rail = SandboxRail(town.url, town.secret, client=town.client)
        billers = SandboxBillers(town.url, town.secret, client=town.client)
        order, payee, amount = OrderNumber("o1"), BillerId("bj-water"), Money(fen)
        purse, token = InstrumentId(PURSE.instrument.id), PURSE.instrument.token
        assert await rail.charge(Charge(order, purse, token, amount, payee)) == Declined(Reason.CONFIG)
        assert await rail.refund(Refund(order, OrderNumber("r1"), amount)) == Declined(Reason.CONFIG)
        with pytest.raises(Refused):
            await rail.start(StartPayment(order, amount, payee, ""))
        quote = await billers.query(payee, "2200556677")
        posted = await billers.post(PostPayment(order, payee, "2200556677", QuoteId(quote.id), amount))
        assert posted == Declined(Reason.CONFIG)
        assert (await town.stage.control.inspect()).orders == ()


@pytest.mark.parametrize("text", ["1e3", "NaN", "-0", "1_000", "0.001", "-5", ""])
async def test_a_statement_with_such_an_amount_is_no_statement(text: str) -> None:
    file = f"order,kind,amount_yuan,at\no1,capture,{text},2026-03-10T01:00:00+00:00\n"
    answer = httpx.MockTransport(lambda _request: httpx.Response(200, text=file))
    rows = SandboxRail("http://town", client=httpx.AsyncClient(transport=answer)).statement(date(2026, 3, 10))
    with pytest.raises(OutcomeUnknown):
        await anext(rows)


# --- the till -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("account", "fen"),
    [
        *((W_LI, fen) for fen in (-1, 1, 4_649, 4_651, 10**12)),  # an exact bill
        *((E_LI, fen) for fen in (-1_000, 1, 999, 1_001, 500_001, 10**12)),  # tens of yuan, 10 to 5,000
    ],
)
async def test_the_till_refuses_what_the_biller_does_not_take(quick: House, account: Any, fen: int) -> None:
    refused = await quick.propose(LIMIN, account, Money(fen))
    assert isinstance(refused, Refusal)
    assert refused.reason == "amount_rule"
    for table in (acts, act_lines, payments):
        assert (
            quick.store.run_now(lambda tx, t=table: tx.conn.scalar(sa.select(sa.func.count()).select_from(t)))
            == 0
        )


@pytest.mark.parametrize(
    "caps",
    [
        {"amount": Money(0)},
        {"amount": Money(-10_000)},
        {"amount": Money(999)},
        {"below": Money(0)},
        {"below": Money(-1)},
        {"per_charge": Money(0)},
        {"per_month": Money(-1)},
        {"per_month": Money(10**12)},
        {"per_charge": Money(9_999)},  # less than the amount itself
        {"per_day": 0},
        {"per_day": 99},
        {"valid_until": date(2026, 3, 10)},
    ],
    ids=str,
)
def test_no_automatic_payment_is_agreed_on_with_such_terms(lis: House, caps: dict[str, Any]) -> None:
    refused = propose(lis, capped(**caps))
    assert isinstance(refused, Refusal)
    assert refused.reason in ("amount_rule", "limits", "bad_expiry", "cap_below_amount"), refused
    assert at(lis) is None


async def test_a_cap_lowered_while_the_rail_is_being_asked_takes_nothing_more(lis: House) -> None:
    """What is at the rail already may still be collected, once; nothing further is, and the rows tell no other story."""
    found = agreed(lis)

    async def lowered(operation: str) -> None:
        if operation == "charge":
            lis.town.visit = None
            assert lower(lis, found.id, per_month=Money(10_000))

    lis.town.visit = lowered
    await meter(lis, 1_000)
    assert took(lis) == [10_000]
    assert lis.town.prepaid[METER] == Money(11_000)
    await meter(lis, 900, timedelta(days=1))
    assert took(lis) == [10_000]
    assert lis.breaches() == []


# --- the ends of months ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("year", [2026, 2027, 2028])
@pytest.mark.parametrize("month", range(1, 13))
def test_a_month_ends_at_midnight_in_shanghai_however_many_days_it_has(year: int, month: int) -> None:
    first = datetime(year, month, 1, tzinfo=SHANGHAI)
    following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=SHANGHAI)
    last_moment = following - timedelta(microseconds=1)
    for instant in (first, last_moment, first.astimezone(UTC), last_moment.astimezone(UTC)):
        assert (month_start(instant), next_month_start(instant)) == (first, following)
    assert end_of_day(last_moment.date()) == following
    assert month_start(following) == following


async def test_a_payment_of_the_last_second_counts_in_its_month_and_not_in_the_next(quick: House) -> None:
    quick.clock.at = datetime(2026, 4, 30, 15, 59, 59, tzinfo=UTC)  # 23:59:59 in Shanghai
    await quick.paid(LIMIN, W_LI)
    row = quick.store.run_now(lambda tx: tx.conn.execute(sa.select(payments)).one())
    assert month_start(row.created_at) == datetime(2026, 3, 31, 16, tzinfo=UTC)
    assert month_start(row.created_at + timedelta(seconds=1)) == datetime(2026, 4, 30, 16, tzinfo=UTC)
    assert row.account != E_ZHANG
