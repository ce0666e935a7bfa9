"""What somebody may send to the rail's callback address: only the rail's own word counts, and only as a hint to ask."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest

from bot.serving import pages
from data.ids import BillerId, OrderNumber
from data.money import Money
from integrations.ports import StartPayment
from integrations.sandbox.control_wire import CallbackFired
from tests.safety.real_town import RealTown
from tests.web.conftest import client_of

WATER = [("W-LI", 4_650)]


@pytest.fixture
async def web(town: RealTown) -> AsyncIterator[httpx.AsyncClient]:
    """The address the rail knows, with a payment whose page is open."""
    await town.open("lijg")
    await town.says("lijg", "交水费")
    await town.do(town.message("lijg", token=await town.button("lijg", "付")))
    assert (await town.heard_by("lijg"))[-1].response == "utter_pay_link"
    async with client_of(pages(town.app, demo=True, town=town.world)) as client:
        yield client


async def _order(town: RealTown) -> str:
    return (await town.control.inspect()).orders[-1].order


async def _fired(town: RealTown, status: str, order: str = "", **how: Any) -> CallbackFired:
    """A message as the rail would sign it; nothing is delivered."""
    return await town.control.callback(order or await _order(town), status, deliver=False, **how)


async def _post(web: httpx.AsyncClient, body: str | bytes, headers: Mapping[str, str]) -> int:
    return (await web.post("/callbacks/rail", content=body, headers=dict(headers))).status_code


async def _untouched(town: RealTown) -> None:
    """The payment waits for its payer as before, and nobody was told anything."""
    await town.settle()
    assert await town.captures() == []
    assert (await town.heard_by("lijg"))[-1].response == "utter_pay_link"
    assert await town.broken() == []


@pytest.mark.parametrize(
    ("how", "status"),
    [({"signature": "wrong"}, 401), ({"signature": "missing"}, 401), ({"age_seconds": 7_200}, 401)],
    ids=["forged", "unsigned", "stale"],
)
async def test_what_the_rail_did_not_sign_just_now_is_refused(
    town: RealTown, web: httpx.AsyncClient, how: dict[str, Any], status: int
) -> None:
    fired = await _fired(town, "failed", **how)
    assert await _post(web, fired.body, fired.headers) == status
    await _untouched(town)
    assert "forged_callback_refused" in ((await town.facts()).audit or ())


async def test_a_right_signature_under_other_words_is_refused(town: RealTown, web: httpx.AsyncClient) -> None:
    fired = await _fired(town, "failed")
    for old, new in (("failed", "paid"), ("4650", "1"), (await _order(town), "bj_another")):
        assert old in fired.body
        assert await _post(web, fired.body.replace(old, new), fired.headers) == 401
    await _untouched(town)


async def test_another_amount_is_refused_though_it_is_signed(town: RealTown, web: httpx.AsyncClient) -> None:
    fired = await _fired(town, "failed", amount_fen=1)
    assert await _post(web, fired.body, fired.headers) == 422
    await _untouched(town)


async def test_another_order_is_not_ours(town: RealTown, web: httpx.AsyncClient) -> None:
    """The rail signs it, and the order is that of some other house."""
    number = OrderNumber("bj_of_another_house_0001")
    await town.app.rail.start(StartPayment(number, Money(4_650), BillerId("bj-water"), "水费"))
    for status in ("failed", "pending"):
        fired = await _fired(town, status, number)
        assert await _post(web, fired.body, fired.headers) == 404
    await _untouched(town)


@pytest.mark.parametrize("status", ["failed", "pending", "refunded", "failed_late"])
async def test_a_signed_word_is_only_a_hint_and_the_rail_is_asked(
    town: RealTown, web: httpx.AsyncClient, status: str
) -> None:
    """Even the rail's own message changes nothing by itself: the page is still open, says the rail."""
    fired = await _fired(town, status)
    assert await _post(web, fired.body, fired.headers) == 200
    await _untouched(town)


async def test_a_replayed_callback_counts_once(town: RealTown, web: httpx.AsyncClient) -> None:
    fired = await _fired(town, "paid")
    assert [await _post(web, fired.body, fired.headers) for _ in range(3)] == [200, 200, 200]
    await town.settle()
    assert await town.captures() == WATER
    told = [s for s in await town.heard_by("lijg") if s.claims == "captured"]
    assert len(told) == 1
    assert list((await town.facts()).audit or ()).count("duplicate_callback_ignored") == 2
    assert await town.broken() == []


async def test_a_late_no_takes_nothing_back(town: RealTown, web: httpx.AsyncClient) -> None:
    paid, late = await _fired(town, "paid"), await _fired(town, "failed")
    assert await _post(web, paid.body, paid.headers) == 200
    before = await town.heard_by("lijg")
    assert await _post(web, late.body, late.headers) == 200
    await town.settle()
    assert await town.heard_by("lijg") == before
    assert await town.captures() == WATER
    assert "late_conflicting_callback" in ((await town.facts()).audit or ())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"type": {}}',
        b"\xff\xfe\x00",
        json.dumps({"order": 1}).encode(),
        b"[" * 60_000,
    ],
    ids=["empty", "null", "list", "half", "other type", "no text", "wrong kinds", "deep"],
)
async def test_rubbish_is_refused_calmly(town: RealTown, web: httpx.AsyncClient, body: bytes) -> None:
    fired = await _fired(town, "failed")
    assert await _post(web, body, fired.headers) == 401
    assert await _post(web, body, {}) == 401
    await _untouched(town)


@pytest.mark.parametrize("stamp", ["", "0", "-1", "999999999999", "1e9", "９９", "1773104400\u0664"])
async def test_an_impossible_time_is_refused(town: RealTown, web: httpx.AsyncClient, stamp: str) -> None:
    fired = await _fired(town, "failed")
    headers = {**fired.headers, "webhook-timestamp": stamp}
    encoded = {name.encode(): value.encode() for name, value in headers.items()}
    response = await web.post("/callbacks/rail", content=fired.body, headers=list(encoded.items()))
    assert response.status_code == 401
    await _untouched(town)


async def test_a_megabyte_is_not_even_read(town: RealTown, web: httpx.AsyncClient) -> None:
    fired = await _fired(town, "paid")
    assert await _post(web, fired.body + " " * 1_000_000, fired.headers) == 413
