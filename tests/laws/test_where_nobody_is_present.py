"""L1, L7 and L13 where money moves by itself: only as agreed, while the word stands, and the elder knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest

from data.money import Money
from payments import agreeing, debited, debiting, health, linking, stopping, topping_up
from payments.authority import access
from payments.authority.access import Allowed
from payments.terms import ProposedMandate
from tests.payments.automatic import agreed, allow, capped, meter, propose, stop, told, took, yes
from tests.payments.conftest import quick
from tests.payments.household import LIJG, LIMIN, House

__all__ = ["quick"]

DAY = timedelta(days=1)
TOP_UP = 10_000


async def breaches(house: House) -> list[str]:
    """Without a yes, with one, beyond its cap, after 停, and after the father took his leave back."""
    allow(house)
    found: list[str] = []
    terms = capped(per_month=Money(2 * TOP_UP), per_day=3)
    proposed = propose(house, terms)
    assert isinstance(proposed, ProposedMandate)
    await meter(house, 1_790)
    found += [] if took(house) == [] else ["L1: taken without a yes"]
    await meter(house, 9_000)
    yes(house, proposed, factor=None)
    await meter(house, 1_780)
    found += [] if took(house) == [] else ["L1: taken on a yes without a factor"]
    await meter(house, 9_000)
    mandate = agreed(house, terms).id
    found += [] if told(house, LIJG, "mandate_set_for_you") else ["L7: the elder was not told of it"]
    await meter(house, 1_700)
    await meter(house, 1_650)
    found += [] if took(house) == [TOP_UP] else [f"L1: one low meter, and taken was {took(house)}"]
    found += [] if told(house, LIJG, "auto_for_you") else ["L7: the elder was not told of the money"]
    for n in (1, 2):
        await meter(house, 9_000 + n)
        await meter(house, 1_600 - n)
    found += [] if sum(took(house)) <= terms.per_month.fen else [f"L1: above the cap: {took(house)}"]
    return found + await _after_the_word_is_back(house, mandate)


async def _after_the_word_is_back(house: House, mandate: str) -> list[str]:
    """Next month there is room again under the cap: only the word is missing."""
    found = []
    stop(house, mandate)
    before = len(took(house))
    await meter(house, 9_000, 31 * DAY)
    await meter(house, 1_500)
    found += [] if len(took(house)) == before else ["L1: taken after 停"]
    await meter(house, 9_000)
    if house.store.run_now(lambda tx: house.till.mandates_of(tx, LIMIN, house.now)):
        return [*found, "L1: it stands after 停"]
    agreed(house, capped(per_day=3))
    house.store.run_now(lambda tx: linking.unlink(tx, LIJG, LIMIN, LIJG, house.now))
    heard = len(house.news(LIMIN))
    await meter(house, 1_400)
    found += [] if len(took(house)) == before else ["L13: taken without the leave it rests on"]
    reminded = [kind for kind in house.news(LIMIN)[heard:] if kind == "low_balance"]
    return found + (["L13: told of a meter that is nobody's business any more"] if reminded else [])


async def test_money_moves_by_itself_only_while_the_word_stands(quick: House) -> None:
    assert await breaches(quick) == []
    assert quick.breaches() == []


def _whoever(*_: object) -> Allowed:
    return Allowed("own")


def _stopping_only_says_so(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(stopping, "end", lambda *_: None)


def _leave_once_given_lasts(patch: pytest.MonkeyPatch) -> None:
    always = SimpleNamespace(**{**vars(access), "may": _whoever})
    for module in (health, debiting, debited):
        patch.setattr(module, "access", always)


def _caps_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(topping_up, "obstacle", lambda *_: None)


def _the_elder_hears_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(agreeing, "_inform_holder", lambda *_, **__: None)


@pytest.mark.parametrize(
    "mistake",
    [
        _stopping_only_says_so,
        _leave_once_given_lasts,
        _caps_are_forgotten,
        _the_elder_hears_nothing,
    ],
)
async def test_a_breach_is_seen(
    quick: House, monkeypatch: pytest.MonkeyPatch, mistake: Callable[[pytest.MonkeyPatch], None]
) -> None:
    mistake(monkeypatch)
    assert await breaches(quick) != []
