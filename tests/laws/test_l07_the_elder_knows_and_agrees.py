"""L7: paid with one's own money, the elder is informed; the elder's money moves on the elder's own yes; usage is opted in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from data.ids import AccountId, PersonId
from data.model import May
from data.store.payments import acts
from payments import news
from payments.authority import access
from payments.purse import Purse
from tests.safety.real_town import RealTown


async def breaches(town: RealTown) -> list[str]:
    """A daughter pays her father's bill; a helper wants to pay an elder's bill with the elder's purse."""
    await town.open("limin", "lijg", "xiaozhou", "chengfs")
    await town.says("limin", "交水费", "确认", town.pin("limin"))
    told = [s.text for s in await town.heard_by("lijg")]
    found = [] if any("46.50元" in t and "女儿" in t for t in told) else [f"the elder was told {told}"]
    await town.says("xiaozhou", "帮程福生交水费", "付", town.pin("xiaozhou"), town.pin("chengfs"))
    if ("W-CHENG", 3_120) in await town.captures():
        found.append("a helper spent the elder's money")
    yeses = await town.app.store.run(
        lambda tx: tx.conn.execute(sa.select(acts).where(acts.c.state == "confirmed")).all()
    )
    found += [
        f"{act.payer}'s purse opened by {act.evidence['by']}"
        for act in yeses
        if act.evidence["by"] != act.payer and act.grant_id is None
    ]
    return found + [f"{who} sees usage of {account}" for who, account in _usage(town)] + await town.broken()


def _usage(town: RealTown) -> list[tuple[str, str]]:
    """Who else may see how much an elder uses; in this town nobody agreed to that."""
    others = [
        (person, account)
        for person in town.world.people
        for account, known in town.world.accounts.items()
        if known.holder != person
    ]
    return [(str(p), str(a)) for p, a in others if _may_see_usage(town, p, a)]


def _may_see_usage(town: RealTown, person: PersonId, account: AccountId) -> bool:
    at = town.clock.now()
    return town.app.store.run_now(lambda tx: access.may(tx, person, May.USAGE, account, at)) is not None


async def test_the_elder_knows_and_agrees(town: RealTown) -> None:
    assert await breaches(town) == []


def _the_elder_is_not_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        "payments.collecting.tell_captured",
        lambda tx, payment, at: news.tell(tx, payment, "captured", at),
    )


def _the_helpers_yes_is_enough(patch: pytest.MonkeyPatch) -> None:
    def wrong(tx: Any, helper: PersonId, wanted: Any, at: Any) -> Purse:
        elder = PersonId("chengfs")
        return Purse("purse", elder, helper, access.instruments_of(tx, elder)[0].id)

    patch.setattr("payments.purse._elders_purse", wrong)
    patch.setattr(
        "payments.confirming.still_good",
        lambda tx, confirmer, payer, grant, instrument, at: Purse("purse", payer, confirmer, instrument),
    )


def _usage_comes_with_the_bills(patch: pytest.MonkeyPatch) -> None:
    right = access.decide
    patch.setattr(
        access,
        "decide",
        lambda standing, verb, account, holder: right(
            standing, May.BILLS if verb is May.USAGE else verb, account, holder
        ),
    )


@pytest.mark.parametrize(
    "mistake", [_the_elder_is_not_told, _the_helpers_yes_is_enough, _usage_comes_with_the_bills]
)
async def test_a_breach_is_seen(
    town: RealTown, monkeypatch: pytest.MonkeyPatch, mistake: Callable[[pytest.MonkeyPatch], None]
) -> None:
    mistake(monkeypatch)
    assert await breaches(town) != []
