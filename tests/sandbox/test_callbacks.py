"""What the rail tells by itself: signed so that an independent library agrees, repeated on schedule, and only a hint."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from data.ids import OrderNumber
from data.money import Money
from integrations.ports import BadSignature, Pending, Refund
from integrations.sandbox.control import SandboxControl
from tests.contracts.stage import RailCase, Town, rail_case
from tests.servers import CallbackReceiver, callback_receiver, start_sandbox


@pytest.fixture
async def told(town: Town) -> AsyncIterator[tuple[RailCase, CallbackReceiver]]:
    """A rail in town that tells a receiver."""
    with callback_receiver() as receiver:
        await town.stage.control.callbacks_to(receiver.url)
        yield rail_case(town), receiver
        await town.stage.control.callbacks_to(None)


async def arrived(receiver: CallbackReceiver, count: int) -> list[dict[str, Any]]:
    """The data of the first `count` callbacks, as soon as they are there."""
    async with asyncio.timeout(20):
        while len(receiver.received) < count:
            await asyncio.sleep(0.01)
    return [json.loads(one.body)["data"] for one in receiver.received]


async def settled_deliveries(case: RailCase, attempts: int) -> None:
    """Waits until the one callback of this test was tried that often."""
    async with asyncio.timeout(20):
        while sum(c.attempts for c in (await case.stage.control.inspect()).callbacks) < attempts:
            await asyncio.sleep(0.01)


async def test_an_independent_library_accepts_our_signature_and_no_other(tmp_path: Path) -> None:
    with (
        callback_receiver() as receiver,
        start_sandbox(tmp_path, receiver.url, clock="system") as handle,
    ):
        control = SandboxControl(handle.url, handle.control_token)
        fired = await control.callback("o1", "failed", amount_fen=4_650)
        forged = await control.callback("o1", "failed", amount_fen=4_650, signature="wrong")
        await control.aclose()
    assert (fired.http_status, forged.http_status) == (204, 204)
    good, bad = receiver.received
    body = Webhook(handle.secret).verify(good.body, good.headers)
    assert (body["type"], body["data"]["order"]) == ("payment.failed", "o1")
    with pytest.raises(WebhookVerificationError):
        Webhook(handle.secret).verify(bad.body, bad.headers)


async def test_capture_decline_and_refund_are_told(told: tuple[RailCase, CallbackReceiver]) -> None:
    case, receiver = told
    await case.rail.charge(case.charge("o1"))
    await case.rail.charge(case.charge("o2", fen=99_999))
    await case.rail.refund(Refund(OrderNumber("o1"), OrderNumber("r1"), Money(50)))
    data = await arrived(receiver, 3)
    said = {(d["order"], d["status"], d["amount_fen"]) for d in data}
    assert said == {("o1", "paid", 4_650), ("o2", "failed", 99_999), ("o1", "refunded", 50)}
    now = await case.stage.now()
    for one in receiver.received:
        assert case.rail.parse_callback(one.body, one.headers, now).order in ("o1", "o2")


async def test_a_callback_that_is_not_taken_comes_again_on_schedule_with_the_same_id(
    told: tuple[RailCase, CallbackReceiver],
) -> None:
    case, receiver = told
    receiver.status = 500
    await case.rail.charge(case.charge("o1"))
    await settled_deliveries(case, 1)
    await case.stage.advance(seconds=4)
    assert len(receiver.received) == 1
    await case.stage.advance(seconds=1)
    await case.stage.advance(seconds=299)
    assert len(receiver.received) == 2
    receiver.status = 204
    await case.stage.advance(seconds=1)
    await case.stage.advance(hours=24)
    assert len(receiver.received) == 3
    ids = {one.headers["webhook-id"] for one in receiver.received}
    stamps = {one.headers["webhook-timestamp"] for one in receiver.received}
    assert (len(ids), len(stamps)) == (1, 3)
    (seen,) = (await case.stage.control.inspect()).callbacks
    assert (seen.state, seen.attempts, seen.last_http_status) == ("delivered", 3, 204)


async def test_a_callback_nobody_ever_takes_is_given_up(told: tuple[RailCase, CallbackReceiver]) -> None:
    case, receiver = told
    receiver.status = 503
    await case.rail.charge(case.charge("o1"))
    await settled_deliveries(case, 1)
    for _ in range(12):
        await case.stage.advance(hours=24)
    (seen,) = (await case.stage.control.inspect()).callbacks
    assert (seen.state, seen.attempts) == ("given_up", 10)


async def test_whoever_answers_gone_is_left_alone(told: tuple[RailCase, CallbackReceiver]) -> None:
    case, receiver = told
    receiver.status = 410
    await case.rail.charge(case.charge("o1"))
    await settled_deliveries(case, 1)
    await case.stage.advance(hours=24)
    assert len(receiver.received) == 1


@pytest.mark.parametrize(("fault", "count"), [("duplicate_callback", 2), ("no_callback", 0)])
async def test_callbacks_come_twice_or_never_on_request(
    told: tuple[RailCase, CallbackReceiver], fault: str, count: int
) -> None:
    case, receiver = told
    await case.stage.control.fault("rail", fault)
    await case.rail.charge(case.charge("o1"))
    await arrived(receiver, count)
    await case.stage.advance(seconds=10)
    assert [one.headers["webhook-id"] for one in receiver.received] == count * [
        one.headers["webhook-id"] for one in receiver.received[:1]
    ]
    assert await case.stage.captured("o1") == [Money(4_650)]


async def test_a_callback_with_a_wrong_signature_on_request(
    told: tuple[RailCase, CallbackReceiver],
) -> None:
    case, receiver = told
    await case.stage.control.fault("rail", "wrong_signature")
    await case.rail.charge(case.charge("o1"))
    await arrived(receiver, 1)
    now = await case.stage.now()
    with pytest.raises(BadSignature):
        case.rail.parse_callback(receiver.received[0].body, receiver.received[0].headers, now)


async def test_a_late_execution_is_told_when_it_happens(told: tuple[RailCase, CallbackReceiver]) -> None:
    case, receiver = told
    await case.stage.control.fault("rail", "timeout_then_paid_after", seconds=90)
    await case.impatient.charge(case.charge("o1"))
    assert receiver.received == []
    await case.stage.advance(seconds=90)
    (data,) = await arrived(receiver, 1)
    assert (data["order"], data["status"]) == ("o1", "paid")


async def test_a_fired_paid_is_true_and_every_other_word_is_only_a_word(
    told: tuple[RailCase, CallbackReceiver],
) -> None:
    case, receiver = told
    await case.stage.control.fault("rail", "pending")
    await case.rail.charge(case.charge("o1"))
    for word in ("failed", "pending", "refunded", "failed_late"):
        await case.stage.control.callback("o1", word)
        assert isinstance(await case.rail.status(OrderNumber("o1")), Pending)
    for _ in range(3):
        await case.stage.control.callback("o1", "paid")
    data = await arrived(receiver, 7)
    assert [d["status"] for d in data] == ["failed", "pending", "refunded", "failed"] + ["paid"] * 3
    assert await case.stage.captured("o1") == [Money(4_650)]


async def test_the_public_contract_holds_no_control_port(town: Town) -> None:
    contract = (await town.client.get(f"{town.url}/openapi.json")).json()
    assert not [path for path in contract["paths"] if path.startswith(("/control", "/pay"))]
    answer = await town.client.post(f"{town.url}/control/callbacks", json={"order": "o1"})
    assert isinstance(answer, httpx.Response)
    assert answer.status_code == 401
