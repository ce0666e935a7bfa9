"""The hosted page a payer opens: large, plain, without JavaScript; what he does there is what the rail says."""

from __future__ import annotations

import re

from data.ids import OrderNumber
from data.money import Money
from integrations.ports import Declined, Pending, Reason, Settled
from tests.contracts.stage import RailCase, Town, rail_case


async def opened(town: Town, order: str = "o1") -> tuple[RailCase, str]:
    case = rail_case(town)
    return case, (await case.rail.start(case.page(order))).url


async def test_the_page_shows_payee_and_amount_and_pays_once(town: Town) -> None:
    case, url = await opened(town)
    page = await town.client.get(url)
    assert page.status_code == 200
    for word in ("京城自来水", "46.50元", "水费 尾号6677", "付款", "不付了"):
        assert word in page.text
    paid = await town.client.post(url, data={"action": "pay"}, follow_redirects=True)
    assert "已付款" in paid.text
    assert "<button" not in paid.text
    again = await town.client.post(url, data={"action": "pay"})
    assert again.status_code == 303
    assert isinstance(await case.rail.status(OrderNumber("o1")), Settled)
    assert await case.stage.captured("o1") == [Money(4_650)]


async def test_cancelling_closes_the_order(town: Town) -> None:
    case, url = await opened(town)
    assert isinstance(await case.rail.status(OrderNumber("o1")), Pending)
    answer = await town.client.post(url, data={"action": "cancel"}, follow_redirects=True)
    assert answer.status_code == 410
    assert "没有扣钱" in answer.text
    await town.client.post(url, data={"action": "pay"})
    assert await case.rail.status(OrderNumber("o1")) == Declined(Reason.CLOSED)
    assert await case.stage.captured("o1") == []


async def test_a_page_past_its_time_collects_nothing(town: Town) -> None:
    case, url = await opened(town)
    await case.stage.advance(minutes=15)
    assert (await town.client.get(url)).status_code == 410
    await town.client.post(url, data={"action": "pay"})
    assert await case.stage.captured("o1") == []


async def test_a_guessed_page_does_not_exist_and_nonsense_is_refused(town: Town) -> None:
    _, url = await opened(town)
    assert (await town.client.get(f"{town.url}/pay/aaaaaaaaaaaaaaaaaaaaaa")).status_code == 404
    assert (await town.client.post(url, data={"action": "steal"})).status_code == 422
    assert (await town.client.post(url)).status_code == 422


async def test_the_page_is_large_needs_no_script_and_trusts_no_text(town: Town) -> None:
    case = rail_case(town)
    order = case.page("o1")
    spiteful = type(order)(order.order, order.amount, order.payee, "<script>alert(1)</script>")
    page = (await town.client.get((await case.rail.start(spiteful)).url)).text
    assert "<script" not in page
    assert "http" not in page  # nothing is fetched from anywhere
    assert min(int(size) for size in re.findall(r"font[^;]*?(\d+)px", page)) >= 24
    assert "min-height: 72px" in page
