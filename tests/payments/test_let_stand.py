"""A first payment nobody can agree to: it stands for a day, pays nothing by itself, and one word ends it (settled 5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from data.ids import AccountId, BillerId
from data.model import May, Utility
from data.money import Money
from data.store import letters
from data.store.engine import Tx
from payments import let_stand
from payments.acts import Confirmed, Proposed, Refusal, Strength
from payments.authority import access, accounts
from payments.authority.invitations import COOLING
from payments.let_stand import GOOD_FOR, RIPE, STANDS
from tests.payments.conftest import house, quick
from tests.payments.household import CHENGFS, E_ZHANG, LIJG, LIMIN, XIAOZHOU, House
from tests.payments.test_approving import typed

__all__ = ["house", "quick"]

DUE = Money(12_345)


def stand(house: House, amount: Money = DUE, account: AccountId = E_ZHANG) -> tuple[Any, ...]:
    return house.store.run_now(lambda tx: let_stand.begin(tx, CHENGFS, [(account, amount)], house.now))


async def begun(house: House) -> Proposed:
    """He types a stranger's number and wants to pay; nobody he trusts can agree."""
    house.store.run_now(lambda tx: typed(tx, house))
    act = await house.proposed(CHENGFS, E_ZHANG)
    assert act.strength is Strength.APPROVAL
    return act


async def test_after_a_day_his_own_yes_is_enough_and_not_before(quick: House) -> None:
    await begun(quick)
    stand(quick)
    quick.clock.advance(STANDS - timedelta(seconds=1))
    assert (await quick.proposed(CHENGFS, E_ZHANG)).strength is Strength.APPROVAL
    quick.clock.advance(timedelta(seconds=1))
    act = await quick.proposed(CHENGFS, E_ZHANG)
    assert act.strength is Strength.CODE
    assert await quick.confirm(act.act, act.digest, CHENGFS, kind="key", factor=None) == Refusal(
        "stronger_yes_needed"
    )
    assert isinstance(await quick.confirm(act.act, act.digest, CHENGFS, factor="pin"), Confirmed)


async def test_what_ended_before_the_yes_needs_a_relative_again(quick: House) -> None:
    await begun(quick)
    stand(quick)
    quick.clock.advance(STANDS)
    act = await quick.proposed(CHENGFS, E_ZHANG)
    assert act.strength is Strength.CODE
    quick.store.run_now(lambda tx: let_stand.end(tx, CHENGFS, quick.now))  # a relative's no, or his own word
    refused = await quick.confirm(act.act, act.digest, CHENGFS, factor="pin")
    assert refused == Refusal("approval_needed")
    await quick.runner.due()
    assert quick.town.captures == []


async def test_the_day_pays_nothing_and_confirms_no_older_act(quick: House) -> None:
    act = await begun(quick)
    stand(quick)
    quick.clock.advance(STANDS)
    assert await quick.confirm(act.act, act.digest, CHENGFS, factor="pin") == Refusal("quote_expired")
    await quick.runner.due()
    assert quick.town.captures == []


async def test_it_counts_for_about_the_amount_he_slept_on(quick: House) -> None:
    await begun(quick)
    stand(quick)
    quick.clock.advance(STANDS)
    quick.town.due["0319001200345678"] = Money(13_579)  # a tenth more: late fees
    assert (await quick.proposed(CHENGFS, E_ZHANG)).strength is Strength.CODE
    quick.town.due["0319001200345678"] = Money(13_580)
    assert (await quick.proposed(CHENGFS, E_ZHANG)).strength is Strength.APPROVAL


async def test_asked_again_the_day_goes_on_and_a_larger_amount_begins_anew(quick: House) -> None:
    await begun(quick)
    (first,) = stand(quick)
    quick.clock.advance(timedelta(hours=20))
    assert stand(quick) == (first,)
    (larger,) = stand(quick, Money(20_000))
    assert larger.ripe_at == quick.now + STANDS
    quick.clock.advance(timedelta(hours=4))
    assert (await quick.proposed(CHENGFS, E_ZHANG)).strength is Strength.APPROVAL


async def test_one_word_ends_it_and_the_day_begins_again(quick: House) -> None:
    await begun(quick)
    stand(quick)
    assert quick.stop(CHENGFS).let_stand == 1
    quick.clock.advance(STANDS - timedelta(minutes=1))
    assert (await quick.proposed(CHENGFS, E_ZHANG)).strength is Strength.APPROVAL


async def test_it_is_over_after_three_days(quick: House) -> None:
    await begun(quick)
    stand(quick)
    quick.clock.advance(STANDS + GOOD_FOR)
    quick.store.run_now(lambda tx: typed(tx, quick))
    assert (await quick.proposed(CHENGFS, E_ZHANG)).strength is Strength.APPROVAL


async def test_only_who_may_pay_it_lets_it_stand(quick: House) -> None:
    """Nobody opened this bill by a confirmed name, and a helper's leave to begin is no leave to pay."""
    assert stand(quick) == ()
    begun_by_her = quick.store.run_now(
        lambda tx: let_stand.begin(tx, XIAOZHOU, [(AccountId("W-CHENG"), Money(3_120))], quick.now)
    )
    assert begun_by_her == ()


async def test_it_is_asked_about_once_when_the_day_is_over(quick: House) -> None:
    await begun(quick)
    stand(quick)
    stand(quick)

    def due(tx: Tx, after: timedelta) -> list[str]:
        return [n.kind for n in letters.news_due(tx, quick.now + after, CHENGFS)]

    assert quick.store.run_now(lambda tx: due(tx, STANDS - timedelta(seconds=1))) == []
    assert quick.store.run_now(lambda tx: due(tx, STANDS)) == [RIPE]


async def test_saving_the_number_first_is_no_shorter_way(quick: House) -> None:
    await begun(quick)
    quick.store.run_now(lambda tx: accounts.save_for(tx, CHENGFS, E_ZHANG, "", quick.now))
    quick.clock.advance(STANDS - timedelta(minutes=1))
    assert (await quick.proposed(CHENGFS, E_ZHANG)).strength is Strength.APPROVAL


async def test_a_relatives_no_ends_what_stood(quick: House) -> None:
    quick.store.run_now(lambda tx: access.grant(tx, CHENGFS, LIMIN, [May.PAY], quick.now - COOLING))
    act = await begun(quick)
    stand(quick)
    assert await quick.confirm(act.act, act.digest, CHENGFS, factor="pin") == Refusal("approval_asked")
    assert quick.store.run_now(lambda tx: quick.till.cancel(tx, act.act, LIMIN, quick.now))
    quick.clock.advance(STANDS)
    quick.store.run_now(lambda tx: typed(tx, quick))
    assert (await quick.proposed(CHENGFS, E_ZHANG)).strength is Strength.APPROVAL


async def test_another_persons_day_is_not_his(quick: House) -> None:
    """What the elder let stand says nothing about somebody else's first payment to the same account."""
    await begun(quick)
    stand(quick)
    quick.clock.advance(STANDS)
    quick.town.due["0319001200345678"] = Money(50_001)
    number = "0319001200345678"
    quick.store.run_now(
        lambda tx: access.name_confirmed(
            tx, LIMIN, BillerId("gz-electricity"), Utility.ELECTRICITY, number, "张*芳", quick.now
        )
    )
    assert (await quick.proposed(LIMIN, E_ZHANG)).strength is Strength.APPROVAL
    assert quick.store.run_now(lambda tx: let_stand.living(tx, LIJG, quick.now)) == []
