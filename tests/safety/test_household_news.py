"""What people are told of a household after its word was taken back: nothing more, also where the news had waited a night."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from data.clock import shanghai
from data.ids import PersonId
from data.model import May
from data.store import letters
from data.store.engine import Tx
from dialogues import model, results
from integrations.ports import Reason
from payments import linking
from payments.acts import Refusal
from payments.authority import access, accounts, looks
from payments.looking_back import paid_in
from tests.payments.automatic import BILL, agreed, allow, meter
from tests.payments.conftest import house, quick
from tests.payments.household import CHENGFS, E_LI, E_ZHANG, LIJG, LIMIN, W_LI, XIAOZHOU, House, catalogue
from tests.payments.test_approving import typed

__all__ = ["house", "quick"]

DAY = timedelta(days=1)


def waiting(house: House, person: PersonId) -> list[tuple[str, model.News | None]]:
    """Every piece of news that waits for a person, as it would be told now."""

    def told(tx: Tx) -> list[tuple[str, model.News | None]]:
        news = letters.news_due(tx, house.now + 1000 * DAY, person, 500)
        return [
            (
                n.kind,
                results.news_of(tx, house.till, catalogue(), person, n.kind, n.body, "zh", house.now),
            )
            for n in news
        ]

    return house.store.run_now(told)


def unlink(house: House, giver: PersonId, taker: PersonId) -> None:
    house.store.run_now(lambda tx: linking.unlink(tx, giver, taker, giver, house.now))


def of_kind(house: House, person: PersonId, kind: str) -> list[model.News | None]:
    return [news for found, news in waiting(house, person) if found == kind]


async def low(house: House) -> PersonId:
    """The daughter's reminder that the meter is low, nothing being paid by itself."""
    house.store.run_now(lambda tx: accounts.save_for(tx, LIMIN, E_LI, "爸妈家", house.now - DAY))
    await meter(house, 600)
    return LIMIN


async def asked(house: House) -> PersonId:
    agreed(house)
    house.town.declines = Reason.INSUFFICIENT_FUNDS
    house.store.run_now(lambda tx: access.grant(tx, LIJG, XIAOZHOU, [May.BILLS], house.now))
    await meter(house, 1_790)
    for _ in range(2):
        await house.later(timedelta(hours=12))
        await house.store.run(lambda tx: house.ladder.climb(tx, house.now))
    return XIAOZHOU


async def ahead(house: House) -> PersonId:
    agreed(house, BILL)
    await house.sweep()
    return LIMIN


@pytest.mark.parametrize(
    ("kind", "happens"), [("low_balance", low), ("warning", asked), ("debit_ahead", ahead)]
)
async def test_news_of_an_account_end_with_the_leave_they_rest_on(
    quick: House, kind: str, happens: Callable[[House], Any]
) -> None:
    allow(quick)
    person = await happens(quick)
    (before,) = of_kind(quick, person, kind)
    assert before is not None
    unlink(quick, LIJG, person)
    (after,) = of_kind(quick, person, kind)
    assert after is None


async def test_of_ones_own_money_one_hears_also_then_but_not_what_is_on_the_meter(quick: House) -> None:
    allow(quick)
    agreed(quick)
    await meter(quick, 1_790)
    unlink(quick, LIJG, LIMIN)
    (posted,) = of_kind(quick, LIMIN, "auto_posted")
    assert posted is not None
    assert posted.slots["amount"] == 10_000
    assert "balance_after" not in posted.slots


async def test_who_may_not_agree_any_more_is_not_asked(quick: House) -> None:
    """A relative is asked at night for a second yes, and in the night his leave is taken back."""
    quick.store.run_now(
        lambda tx: access.grant(tx, CHENGFS, LIMIN, [May.BILLS, May.PAY], quick.now - timedelta(hours=73))
    )
    quick.store.run_now(lambda tx: typed(tx, quick))
    act = await quick.proposed(CHENGFS, E_ZHANG)
    assert await quick.confirm(act.act, act.digest, CHENGFS, factor="pin") == Refusal("approval_asked")
    (question,) = of_kind(quick, LIMIN, "approval_asked")
    assert question is not None
    unlink(quick, CHENGFS, LIMIN)
    assert of_kind(quick, LIMIN, "approval_asked") == [None]


async def test_looking_back_with_anothers_leave_leaves_a_line_he_can_ask_for(quick: House) -> None:
    """F3: who looked at my bills counts what was told of them, also of past months."""
    quick.store.run_now(lambda tx: access.grant(tx, LIJG, XIAOZHOU, [May.BILLS], quick.now))
    await quick.paid(LIMIN, W_LI)
    month = shanghai(quick.now).date()
    found = quick.store.run_now(lambda tx: paid_in(tx, quick.till, XIAOZHOU, month, quick.now))
    assert [one.times for one in found] == [1]
    seen = quick.store.run_now(lambda tx: looks.looked_at(tx, LIJG, quick.now))
    assert (XIAOZHOU, ("water",)) in [(look.actor, look.utilities) for look in seen]
