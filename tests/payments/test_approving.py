"""Another's yes: asked for once, given once, by the right one, in time; either side ends it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from data.ids import AccountId, BillerId, PersonId
from data.model import May, Utility
from data.money import Money
from payments import approving, linking
from payments.acts import AlreadyConfirmed, Confirmed, Refusal, Strength
from payments.authority import access
from payments.authority.invitations import COOLING
from payments.states import ActState
from tests.payments.household import House

XIAOZHOU, CHENGFS, LIMIN, CHENM = (PersonId(p) for p in ("xiaozhou", "chengfs", "limin", "chenm"))
W_CHENG = AccountId("W-CHENG")


async def asked(house: House) -> Any:
    act = await house.proposed(XIAOZHOU, W_CHENG, channel="console")
    assert house.store.run_now(lambda tx: house.till.ask_another(tx, act.act, house.now)) == (CHENGFS,)
    return act


def state(house: House, act: Any) -> ActState:
    return house.store.run_now(lambda tx: house.till.act(tx, act.act)).state


async def test_the_owner_takes_over_what_was_proposed_and_agrees_once(quick: House) -> None:
    act = await asked(quick)
    seen = quick.store.run_now(lambda tx: quick.till.taken_over(tx, act.act, CHENGFS, quick.now))
    assert (seen.digest, seen.total, seen.strength) == (act.digest, act.total, Strength.CODE)
    assert isinstance(await quick.confirm(act.act, act.digest, CHENGFS, factor="pin"), Confirmed)
    assert isinstance(await quick.confirm(act.act, act.digest, CHENGFS, factor="pin"), AlreadyConfirmed)
    assert quick.news(XIAOZHOU)[0] == approving.GIVEN


async def test_nobody_else_takes_it_over_or_agrees(quick: House) -> None:
    act = await asked(quick)
    for other in (XIAOZHOU, LIMIN):
        seen = quick.store.run_now(lambda tx, o=other: quick.till.taken_over(tx, act.act, o, quick.now))
        assert seen == Refusal("no_permission")
        assert await quick.confirm(act.act, act.digest, other, factor="pin") == Refusal("no_permission")
    assert state(quick, act) is ActState.APPROVAL_WAIT


async def test_his_no_is_told_and_recorded(quick: House) -> None:
    act = await asked(quick)
    assert quick.store.run_now(lambda tx: quick.till.cancel(tx, act.act, CHENGFS, quick.now))
    assert "elder_refused" in quick.audit()
    assert quick.news(XIAOZHOU) == [approving.REFUSED]
    assert await quick.confirm(act.act, act.digest, CHENGFS, factor="pin") == Refusal("act_cancelled")


async def test_too_late_is_nobodys_yes(quick: House) -> None:
    act = await asked(quick)
    late = quick.now + timedelta(days=1)
    assert quick.store.run_now(lambda tx: approving.expire_due(tx, late)) == 1
    assert quick.news(XIAOZHOU) == [approving.EXPIRED]
    assert state(quick, act) is ActState.EXPIRED


async def test_taking_the_permission_back_ends_what_waits(quick: House) -> None:
    act = await asked(quick)
    quick.store.run_now(lambda tx: linking.unlink(tx, CHENGFS, XIAOZHOU, CHENGFS, quick.now))
    assert state(quick, act) is ActState.CANCELLED
    assert await quick.confirm(act.act, act.digest, CHENGFS, factor="pin") == Refusal("act_cancelled")


async def test_a_revoked_leave_wins_even_where_the_act_still_stands(quick: House) -> None:
    act = await asked(quick)
    quick.store.run_now(lambda tx: access.revoke(tx, CHENGFS, XIAOZHOU, quick.now, [May.START_PAYMENT]))
    assert await quick.confirm(act.act, act.digest, CHENGFS, factor="pin") == Refusal("no_permission")


async def test_a_first_payment_of_an_elder_needs_his_yes_and_a_relatives(quick: House) -> None:
    quick.store.run_now(
        lambda tx: access.grant(tx, CHENGFS, LIMIN, [May.BILLS, May.PAY], quick.now - COOLING)
    )
    account = AccountId("E-ZHANG")
    quick.town.due["0319001200345678"] = Money(20_000)
    quick.store.run_now(lambda tx: typed(tx, quick))
    act = await quick.proposed(CHENGFS, account)
    assert act.strength is Strength.APPROVAL
    assert await quick.confirm(act.act, act.digest, LIMIN, factor="pin") == Refusal("no_permission")
    assert await quick.confirm(act.act, act.digest, CHENGFS, factor="pin") == Refusal("approval_asked")
    assert quick.news(LIMIN) == [approving.ASKED]
    assert await quick.confirm(act.act, act.digest, CHENGFS, factor="pin") == Refusal("no_permission")
    assert isinstance(await quick.confirm(act.act, act.digest, LIMIN, factor="pin"), Confirmed)
    found = quick.store.run_now(lambda tx: quick.till.act(tx, act.act))
    assert (found.evidence["by"], found.evidence["approved"]["by"]) == (CHENGFS, LIMIN)


def typed(tx: Any, house: House) -> None:
    """He typed a stranger's number and said that the masked name is right."""
    number = "0319001200345678"
    holder = house.town.holders[number]
    access.name_confirmed(
        tx, CHENGFS, BillerId("gz-electricity"), Utility.ELECTRICITY, number, holder, house.now
    )


# --- several relatives --------------------------------------------------------------------------------------------


async def asked_of_two(house: House) -> Any:
    """An elder pays a stranger's bill; his daughter and his son are asked for the second yes."""

    def let_both(tx: Any) -> None:
        for relative in (LIMIN, CHENM):
            access.grant(tx, CHENGFS, relative, [May.BILLS, May.PAY], house.now - COOLING)
        typed(tx, house)

    house.store.run_now(let_both)
    act = await house.proposed(CHENGFS, AccountId("E-ZHANG"))
    assert await house.confirm(act.act, act.digest, CHENGFS, factor="pin") == Refusal("approval_asked")
    return act


async def test_all_relatives_are_asked_and_the_first_yes_decides(quick: House) -> None:
    act = await asked_of_two(quick)
    assert quick.news(LIMIN) == quick.news(CHENM) == [approving.ASKED]
    assert isinstance(await quick.confirm(act.act, act.digest, CHENM, factor="pin"), Confirmed)
    assert quick.news(CHENGFS) == [approving.GIVEN]
    assert quick.news(LIMIN) == [approving.ASKED, approving.SETTLED]
    assert await quick.confirm(act.act, act.digest, LIMIN, factor="pin") == Refusal("act_confirmed")


async def test_the_no_of_one_relative_ends_it_and_everybody_hears(quick: House) -> None:
    act = await asked_of_two(quick)
    assert quick.store.run_now(lambda tx: quick.till.cancel(tx, act.act, LIMIN, quick.now))
    assert (quick.news(CHENGFS), quick.news(CHENM)) == (
        [approving.REFUSED],
        [approving.ASKED, approving.CLOSED],
    )
    assert await quick.confirm(act.act, act.digest, CHENM, factor="pin") == Refusal("act_cancelled")
    assert "elder_refused" in quick.audit()


async def test_a_relatives_stop_is_a_no(quick: House) -> None:
    act = await asked_of_two(quick)
    assert quick.stop(LIMIN).cancelled_acts == (act.act,)
    assert quick.news(CHENGFS) == [approving.REFUSED]


async def test_a_stop_of_somebody_who_was_not_asked_ends_nothing(quick: House) -> None:
    act = await asked_of_two(quick)
    assert quick.stop(XIAOZHOU).cancelled_acts == ()
    assert state(quick, act) is ActState.APPROVAL_WAIT


async def test_a_late_yes_tells_who_began_it_once(quick: House) -> None:
    act = await asked_of_two(quick)
    late = quick.now + timedelta(days=1)
    quick.store.run_now(lambda tx: approving.expire_due(tx, late))
    for _ in range(2):
        found = quick.store.run_now(lambda tx: approving.too_late(tx, act.act, LIMIN, late))
        assert found is not None
    assert quick.news(CHENGFS) == [approving.EXPIRED, approving.LATE]
    assert quick.store.run_now(lambda tx: approving.too_late(tx, act.act, XIAOZHOU, late)) is None


async def test_when_the_last_who_could_agree_is_gone_nobody_waits_for_him(quick: House) -> None:
    act = await asked_of_two(quick)
    quick.store.run_now(lambda tx: linking.unlink(tx, CHENGFS, LIMIN, CHENGFS, quick.now))
    assert state(quick, act) is ActState.APPROVAL_WAIT
    quick.store.run_now(lambda tx: linking.unlink(tx, CHENGFS, CHENM, CHENGFS, quick.now))
    assert state(quick, act) is ActState.EXPIRED
    assert quick.news(CHENGFS) == [approving.EXPIRED]


async def test_a_helper_gives_no_familys_yes(quick: House) -> None:
    """Whatever leave she has: one helper begins and another agrees would be no second pair of eyes."""
    quick.store.run_now(
        lambda tx: access.grant(tx, CHENGFS, XIAOZHOU, [May.BILLS, May.PAY], quick.now - COOLING)
    )
    quick.store.run_now(lambda tx: typed(tx, quick))
    act = await quick.proposed(CHENGFS, AccountId("E-ZHANG"))
    assert quick.store.run_now(lambda tx: quick.till.approvers(tx, act, quick.now)) == ()
    assert await quick.confirm(act.act, act.digest, CHENGFS, factor="pin") == Refusal("approval_needed")


async def test_the_digest_of_another_act_agrees_to_nothing(quick: House) -> None:
    act = await asked_of_two(quick)
    other = await quick.proposed(LIMIN, AccountId("W-LI"))
    assert await quick.confirm(act.act, other.digest, LIMIN, factor="pin") == Refusal("digest_changed")
    assert await quick.confirm(other.act, act.digest, CHENM, factor="pin") == Refusal("digest_changed")
    assert state(quick, act) is ActState.APPROVAL_WAIT


async def test_a_relative_of_yesterday_gives_no_second_yes(quick: House) -> None:
    """A swindler has himself invited before he asks for money: for 72 hours a new relative agrees to nothing."""
    quick.store.run_now(lambda tx: access.grant(tx, CHENGFS, LIMIN, [May.BILLS, May.PAY], quick.now))
    quick.store.run_now(lambda tx: typed(tx, quick))
    quick.clock.advance(timedelta(hours=23))
    act = await quick.proposed(CHENGFS, AccountId("E-ZHANG"))
    assert await quick.confirm(act.act, act.digest, CHENGFS, factor="pin") == Refusal("approval_needed")
    quick.clock.advance(timedelta(hours=49))
    assert quick.store.run_now(lambda tx: approving.approvers(tx, CHENGFS, quick.now)) == (LIMIN,)
