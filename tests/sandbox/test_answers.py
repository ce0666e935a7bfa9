"""What the adapters make of answers that are not the sandbox's: by default, nothing is known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import httpx
import pytest

from data.ids import BillerId, InstrumentId, OrderNumber, QuoteId
from data.money import Money
from integrations.ports import (
    Charge,
    Declined,
    OutcomeUnknown,
    PostPayment,
    Reason,
    Refund,
    Settled,
    Unknown,
)
from integrations.sandbox.biller import SandboxBillers
from integrations.sandbox.rail import SandboxRail

CHARGE = Charge(OrderNumber("o1"), InstrumentId("pm"), "t", Money(100), BillerId("bj-water"))
POST = PostPayment(OrderNumber("o1"), BillerId("bj-water"), "2200556677", QuoteId("q"), Money(100))
PAID = {"number": "o1", "state": "settled", "reference": "cap_1", "amount_fen": 100, "at": "2026-03-10T01:00:00Z"}  # fmt: skip
PROBLEM = {"title": "declined", "status": 409, "reason": "declined", "message": "no"}


def answering(*args: object, **kwargs: object) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(*args, **kwargs)  # type: ignore[arg-type]


def failing(error: type[httpx.HTTPError]) -> Callable[[httpx.Request], httpx.Response]:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("made to fail")

    return fail


def problem(status: int, **change: object) -> Callable[[httpx.Request], httpx.Response]:
    headers = {"content-type": "application/problem+json"}
    return answering(status, json={**PROBLEM, "status": status, **change}, headers=headers)


NO_ANSWER = {
    "a 404 by something in between": answering(404, text="<html>not found</html>"),
    "a 409 by something in between": answering(409, json={"reason": "declined"}),
    "a problem with an unknown reason": problem(409, reason="full_moon"),
    "a redirect": answering(302, headers={"location": "http://127.0.0.1/login"}),
    "too many requests": problem(429, reason="rate_limited"),
    "bad gateway": answering(502, text="bad gateway"),
    "a failure with a reason": problem(503, reason="rail_down"),
    "no JSON": answering(200, text="ok"),
    "another number": answering(200, json={**PAID, "number": "o2"}),
    "an unknown state": answering(200, json={**PAID, "state": "probably"}),
    "settled without a reference": answering(200, json={**PAID, "reference": ""}),
    "settled without a time": answering(200, json={**PAID, "at": None}),
    "a time without a zone": answering(200, json={**PAID, "at": "2026-03-10T01:00:00"}),
    "declined without a reason": answering(200, json={"number": "o1", "state": "declined"}),
    "an amount with a fraction": answering(200, json={**PAID, "amount_fen": 100.5}),
    "reading failed": failing(httpx.ReadError),
    "writing failed": failing(httpx.WriteError),
    "the answer took too long": failing(httpx.ReadTimeout),
    "the connection broke": failing(httpx.RemoteProtocolError),
}


@pytest.mark.parametrize("what", NO_ANSWER)
async def test_what_is_not_explicit_is_unknown(what: str) -> None:
    client = httpx.AsyncClient(transport=httpx.MockTransport(NO_ANSWER[what]))
    rail = SandboxRail("http://town", client=client)
    billers = SandboxBillers("http://town", client=client)
    for answer in (
        await rail.charge(CHARGE),
        await rail.status(OrderNumber("o1")),
        await rail.refund(Refund(OrderNumber("o"), OrderNumber("o1"), Money(100))),
        await rail.refund_status(OrderNumber("o1")),
        await rail.close(OrderNumber("o1")),
        await billers.post(POST),
        await billers.post_status(BillerId("bj-water"), OrderNumber("o1")),
    ):
        assert isinstance(answer, Unknown)
        assert answer.sent


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
async def test_only_what_certainly_never_left_is_not_sent(error: type[httpx.HTTPError]) -> None:
    client = httpx.AsyncClient(transport=httpx.MockTransport(failing(error)))
    answer = await SandboxRail("http://town", client=client).charge(CHARGE)
    assert isinstance(answer, Unknown)
    assert not answer.sent


async def test_the_control_answers_are_read_as_they_are() -> None:
    """The same adapters do understand a right answer: the cases above are not refused for another reason."""
    client = httpx.AsyncClient(transport=httpx.MockTransport(answering(200, json=PAID)))
    assert isinstance(await SandboxRail("http://town", client=client).charge(CHARGE), Settled)
    refused = httpx.AsyncClient(transport=httpx.MockTransport(problem(409)))
    assert await SandboxRail("http://town", client=refused).charge(CHARGE) == Declined(Reason.DECLINED)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        "order,kind,amount_yuan,at\no1,capture,1.234,2026-03-10T01:00:00+00:00\n",
        "order,kind,amount_yuan,at\no1,gift,1.23,2026-03-10T01:00:00+00:00\n",
        "order,kind,amount_yuan,at\no1,capture,1.23\n",
    ],
)
async def test_half_a_statement_is_none(text: str) -> None:
    client = httpx.AsyncClient(transport=httpx.MockTransport(answering(200, text=text)))
    rows = SandboxRail("http://town", client=client).statement(date(2026, 3, 10))
    with pytest.raises(OutcomeUnknown):
        await anext(rows)


async def test_no_account_number_is_in_an_error() -> None:
    client = httpx.AsyncClient(transport=httpx.MockTransport(answering(500, text="2200556677")))
    with pytest.raises(OutcomeUnknown) as unknown:
        await SandboxBillers("http://town", client=client).query(BillerId("bj-water"), "2200556677")
    assert "2200556677" not in repr(unknown.value) + str(unknown.value)
    assert "2200556677" not in repr(POST)


async def test_of_many_balances_each_row_stands_for_itself() -> None:
    """One row that cannot be read, one too many, one of another biller's: the others still count."""
    rule = {"exactness": "exact", "minimum_fen": 1, "maximum_fen": 500_000, "step_fen": 1}
    quote = {
        "id": "q1", "biller": "bj-water", "holder_masked": "李*国", "due_fen": 4_650, "lines": [],
        "rule": rule, "expires_at": "2026-03-10T01:15:00+00:00",
    }  # fmt: skip
    rows = [
        {"number": "1000000001", "quote": quote},
        {"number": "1000000002", "quote": quote | {"due_fen": "lots"}},
        {"number": "1000000003", "quote": quote | {"biller": "bj-gas"}},
        {"number": "1000000004", "reason": "account_not_found"},
        {"number": "1000000005", "quote": quote, "reason": "account_not_found"},
        {"number": "9999999999", "quote": quote},
        "nonsense",
    ]
    answer = answering(200, json={"biller": "bj-water", "rows": rows})
    billers = SandboxBillers("http://town", client=httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    numbers = [str(1_000_000_001 + n) for n in range(6)]
    told = await billers.balances(BillerId("bj-water"), numbers)
    kinds = [type(told[number]).__name__ for number in numbers]
    assert kinds == [
        "Quote",
        "OutcomeUnknown",
        "OutcomeUnknown",
        "Refused",
        "OutcomeUnknown",
        "OutcomeUnknown",
    ]
    assert set(told) == set(numbers)
