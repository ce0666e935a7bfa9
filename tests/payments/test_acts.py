"""What must be true before anybody's money moves: who said yes, to what, and how."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from data.ids import QuoteId
from data.model import May, Utility
from data.money import Money
from data.store import journal
from data.store.payments import act_lines, payments, quotes
from data.store.people import instruments
from payments.acts import AlreadyConfirmed, Confirmed, LineWish, Proposed, Refusal, Strength
from payments.authority import access, accounts
from payments.limits import Limits
from payments.states import ActState, State
from tests.payments.household import (
    CHENGFS,
    CHENM,
    E_LI,
    E_ZHANG,
    LIJG,
    LIMIN,
    W_CHENG,
    W_LI,
    XIAOZHOU,
    ZHANGGF,
    House,
    lend_purse,
)


def _count(house: House) -> int:
    return house.store.run_now(lambda tx: tx.conn.scalar(sa.select(sa.func.count()).select_from(payments)))


# --- saying yes -----------------------------------------------------------------------------------------------------


async def test_a_second_yes_gets_the_stored_outcome(house: House) -> None:
    act = await house.proposed(CHENM, E_ZHANG)
    first = await house.confirm(act.act, act.digest, CHENM)
    second = await house.confirm(act.act, act.digest, CHENM)
    assert isinstance(first, Confirmed)
    assert second == AlreadyConfirmed(first.payments)
    assert _count(house) == 1


async def test_a_yes_to_something_else_confirms_nothing(quick: House) -> None:
    act = await quick.proposed(CHENM, E_ZHANG)
    assert await quick.confirm(act.act, "0" * 64, CHENM) == Refusal("digest_changed")
    assert _count(quick) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"amount_fen": 99_999},
        {"account": E_LI},
        {"instrument": "pm-limin"},
        {"biller": "bj-water"},
        {"method": "hosted"},
    ],
)
async def test_a_line_changed_after_the_read_back_confirms_nothing(quick: House, change: dict) -> None:
    act = await quick.proposed(CHENM, E_ZHANG)
    quick.store.run_now(lambda tx: tx.conn.execute(sa.update(act_lines).values(**change)))
    assert await quick.confirm(act.act, act.digest, CHENM) == Refusal("digest_changed")
    assert _count(quick) == 0


async def test_a_yes_that_comes_too_late_asks_for_a_new_quote(house: House) -> None:
    act = await house.proposed(CHENM, E_ZHANG)
    house.town.pass_time(timedelta(minutes=31))
    assert await house.confirm(act.act, act.digest, CHENM) == Refusal("quote_expired")
    assert await house.confirm(act.act, act.digest, CHENM) == Refusal("act_expired")
    assert _count(house) == 0


async def test_a_quote_ends_when_a_payment_is_written_off(quick: House) -> None:
    # A child and a parent at once: the second yes must not pay the same bill again.
    mother = await quick.proposed(ZHANGGF, E_ZHANG, method="hosted")
    await quick.paid(CHENM, E_ZHANG)
    late = await quick.confirm(mother.act, mother.digest, ZHANGGF)
    assert isinstance(late, Refusal)
    assert late.reason == "quote_expired"
    assert len(quick.town.captures) == 1


async def test_an_unfinished_payment_holds_its_account(house: House) -> None:
    mother = await house.proposed(ZHANGGF, E_ZHANG, method="hosted")
    payment = await house.confirmed(CHENM, E_ZHANG)
    assert await house.confirm(mother.act, mother.digest, ZHANGGF) == Refusal(
        "previous_unfinished", payment, E_ZHANG
    )
    refused = await house.propose(CHENM, E_ZHANG)
    assert (refused.reason, refused.payment) == ("previous_unfinished", payment)


async def test_a_new_proposal_replaces_the_older_one(quick: House) -> None:
    old = await quick.proposed(CHENGFS, W_CHENG)
    new = await quick.proposed(CHENGFS, W_CHENG)
    assert await quick.confirm(old.act, old.digest, CHENGFS) == Refusal("act_superseded")
    assert isinstance(await quick.confirm(new.act, new.digest, CHENGFS), Confirmed)


async def test_a_cancelled_proposal_cannot_be_confirmed_any_more(quick: House) -> None:
    act = await quick.proposed(CHENM, E_ZHANG)
    assert quick.store.run_now(lambda tx: quick.till.cancel(tx, act.act, CHENM, quick.now))
    assert not quick.store.run_now(lambda tx: quick.till.cancel(tx, act.act, CHENM, quick.now))
    assert await quick.confirm(act.act, act.digest, CHENM) == Refusal("act_cancelled")


async def test_a_stranger_cannot_cancel(quick: House) -> None:
    act = await quick.proposed(CHENM, E_ZHANG)
    assert not quick.store.run_now(lambda tx: quick.till.cancel(tx, act.act, LIMIN, quick.now))


async def test_only_the_one_who_was_asked_can_say_yes(quick: House) -> None:
    act = await quick.proposed(CHENM, E_ZHANG)
    assert await quick.confirm(act.act, act.digest, LIMIN) == Refusal("no_permission")


async def test_nobody_confirms_an_act_that_is_not_there(quick: House) -> None:
    assert await quick.confirm("act_none", "0" * 64, CHENM) == Refusal("no_such_act")


# --- how firm the yes must be ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["word", "key", "button", "spoken"])
async def test_in_a_chat_no_yes_without_a_second_factor_pays(quick: House, kind: str) -> None:
    act = await quick.proposed(CHENM, E_ZHANG)
    assert act.strength is Strength.CODE
    done = await quick.confirm(act.act, act.digest, CHENM, kind=kind, factor=None)
    assert done == Refusal("stronger_yes_needed")
    assert isinstance(await quick.confirm(act.act, act.digest, CHENM, factor="pin"), Confirmed)


async def test_on_the_telephone_a_key_is_enough_inside_the_daughters_grant(quick: House) -> None:
    quick.store.run_now(lambda tx: lend_purse(tx, quick.now))
    act = await quick.proposed(LIJG, E_LI, Money(10_000), channel="voice")
    assert (act.strength, act.payer, act.confirmer) == (Strength.KEY, LIMIN, LIJG)
    assert (act.payer_relation, act.instrument) == ("daughter", "pm-limin")
    for kind in ("word", "spoken"):
        weak = await quick.confirm(act.act, act.digest, LIJG, kind=kind, factor=None, channel="voice")
        assert weak == Refusal("stronger_yes_needed")
    done = await quick.confirm(act.act, act.digest, LIJG, kind="key", factor=None, channel="voice")
    assert isinstance(done, Confirmed)
    await quick.runner.due()
    assert quick.news(LIMIN)[0] == "captured_for_you"
    assert quick.news(LIJG)[0] == "captured"
    assert quick.breaches() == []


async def test_an_elders_own_money_needs_his_second_factor_on_the_telephone_too(quick: House) -> None:
    act = await quick.proposed(CHENGFS, W_CHENG, channel="voice")
    assert act.strength is Strength.CODE


async def test_a_page_at_the_rail_needs_no_factor_since_the_payer_pays_there_himself(
    quick: House,
) -> None:
    act = await quick.proposed(LIJG, W_LI)
    assert (act.method, act.strength, act.instrument) == ("hosted", Strength.KEY, None)
    assert isinstance(await quick.confirm(act.act, act.digest, LIJG, factor=None), Confirmed)


async def test_a_large_first_payment_to_a_new_account_waits_for_a_relative(quick: House) -> None:
    quick.town.due["0319001200345678"] = Money(50_001)
    quick.store.run_now(lambda tx: _typed(tx, quick))
    act = await quick.proposed(LIMIN, E_ZHANG)
    assert act.strength is Strength.APPROVAL
    assert await quick.confirm(act.act, act.digest, LIMIN) == Refusal("approval_needed")
    assert _count(quick) == 0


async def test_up_to_the_limit_a_new_account_is_paid_with_the_second_factor(quick: House) -> None:
    quick.town.due["0319001200345678"] = Money(50_000)
    quick.store.run_now(lambda tx: _typed(tx, quick))
    act = await quick.proposed(LIMIN, E_ZHANG, channel="voice")
    assert act.strength is Strength.CODE


async def test_after_a_warning_of_a_swindle_a_first_payment_waits_for_the_family_and_a_known_one_does_not(
    quick: House,
) -> None:
    quick.town.due["0319001200345678"] = Money(50_00)
    quick.store.run_now(lambda tx: _typed(tx, quick))
    quick.store.run_now(lambda tx: _warned(tx, quick))
    assert (await quick.proposed(LIMIN, E_ZHANG)).strength is Strength.APPROVAL
    assert (await quick.proposed(LIMIN, W_LI)).strength is Strength.CODE
    quick.clock.advance(Limits().after_warning + timedelta(seconds=1))
    quick.store.run_now(lambda tx: _typed(tx, quick))
    assert (await quick.proposed(LIMIN, E_ZHANG)).strength is Strength.CODE


async def test_a_warning_between_proposal_and_yes_makes_the_yes_wait(quick: House) -> None:
    quick.town.due["0319001200345678"] = Money(50_00)
    quick.store.run_now(lambda tx: _typed(tx, quick))
    act = await quick.proposed(LIMIN, E_ZHANG)
    assert act.strength is Strength.CODE
    quick.store.run_now(lambda tx: _warned(tx, quick))
    assert await quick.confirm(act.act, act.digest, LIMIN) == Refusal("approval_needed")
    assert _count(quick) == 0


def _warned(tx, house: House) -> None:
    journal.record(tx, kind=journal.WARNED, person=LIMIN, actor=LIMIN, subject="web", at=house.now)


def _typed(tx, house: House) -> None:
    """limin typed the number of a stranger's account and said the masked name is right."""
    account = house.town.holders
    access.name_confirmed(
        tx,
        LIMIN,
        "gz-electricity",
        Utility.ELECTRICITY,
        "0319001200345678",
        account["0319001200345678"],
        house.now,
    )


async def test_saving_an_account_in_this_talk_does_not_make_it_an_old_one(quick: House) -> None:
    quick.town.due["0319001200345678"] = Money(50_001)
    quick.store.run_now(lambda tx: accounts.save_for(tx, LIMIN, E_ZHANG, "", quick.now))
    assert (await quick.proposed(LIMIN, E_ZHANG)).strength is Strength.APPROVAL


async def test_a_helper_begins_and_the_elder_says_yes(quick: House) -> None:
    act = await quick.proposed(XIAOZHOU, W_CHENG, channel="console")
    assert (act.payer, act.confirmer, act.strength) == (CHENGFS, CHENGFS, Strength.CODE)
    assert await quick.confirm(act.act, act.digest, XIAOZHOU) == Refusal("no_permission")
    assert isinstance(await quick.confirm(act.act, act.digest, CHENGFS, factor="pin"), Confirmed)
    assert {"started_by_helper", "confirmed_by_elder"} <= set(quick.audit())


async def test_a_helper_pays_nothing_with_her_own_money(quick: House) -> None:
    refused = await quick.propose(XIAOZHOU, W_CHENG, method="hosted")
    assert refused == Refusal("no_permission")


# --- grants and caps ------------------------------------------------------------------------------------------------


async def test_a_grant_taken_back_between_proposal_and_yes_pays_nothing(house: House) -> None:
    house.store.run_now(lambda tx: lend_purse(tx, house.now))
    act = await house.proposed(LIJG, E_LI, Money(10_000), channel="voice")
    house.store.run_now(lambda tx: access.revoke(tx, LIMIN, LIJG, house.now))
    done = await house.confirm(act.act, act.digest, LIJG, kind="key", factor=None, channel="voice")
    assert done == Refusal("no_permission")
    assert _count(house) == 0


async def test_access_taken_back_between_proposal_and_yes_pays_nothing(quick: House) -> None:
    act = await quick.proposed(LIMIN, W_LI)
    quick.store.run_now(lambda tx: access.revoke(tx, LIJG, LIMIN, quick.now))
    done = await quick.confirm(act.act, act.digest, LIMIN)
    assert (done.reason, _count(quick)) == ("no_permission", 0)


async def test_nobody_pays_an_account_he_may_not_see(quick: House) -> None:
    quoted = await quick.quote(CHENGFS, W_CHENG)
    wish = LineWish(W_CHENG, quoted.quote.id, quoted.quote.due)
    refused = quick.store.run_now(
        lambda tx: quick.till.propose(tx, proposer=LIMIN, wishes=[wish], channel="telegram", at=quick.now)
    )
    assert refused == Refusal("no_permission", account=W_CHENG)


async def test_one_payment_above_the_grants_cap_is_refused(quick: House) -> None:
    quick.store.run_now(lambda tx: lend_purse(tx, quick.now, per_payment=Money(20_000)))
    assert isinstance(await quick.propose(LIJG, E_LI, Money(20_000), channel="voice"), Proposed)
    over = await quick.propose(LIJG, E_LI, Money(21_000), channel="voice")
    assert over == Refusal("over_cap")


async def test_money_in_flight_counts_against_the_months_cap(house: House) -> None:
    house.store.run_now(lambda tx: lend_purse(tx, house.now, per_month=Money(14_000)))
    await _by_phone(house, E_LI, Money(10_000))
    over = await house.propose(LIJG, W_LI, channel="voice")
    assert over == Refusal("over_cap")
    assert house.breaches(at_rest=False) == []


async def test_two_proposals_within_the_cap_are_not_both_confirmed_over_it(house: House) -> None:
    house.store.run_now(lambda tx: lend_purse(tx, house.now, per_month=Money(14_000)))
    first = await house.proposed(LIJG, E_LI, Money(10_000), channel="voice")
    second = await house.proposed(LIJG, W_LI, channel="voice")
    for act, expected in ((first, Confirmed), (second, Refusal)):
        done = await house.confirm(act.act, act.digest, LIJG, kind="key", factor=None, channel="voice")
        assert isinstance(done, expected), done
    assert house.breaches(at_rest=False) == []


async def test_a_failed_payment_gives_its_place_under_the_cap_back(quick: House) -> None:
    quick.store.run_now(lambda tx: lend_purse(tx, quick.now, per_month=Money(10_000)))
    payment = await _by_phone(quick, E_LI, Money(10_000))
    quick.stop(LIJG)
    assert quick.view(payment).state is State.CANCELLED
    assert isinstance(await quick.propose(LIJG, E_LI, Money(10_000), channel="voice"), Proposed)


async def test_the_months_cap_begins_anew_at_midnight_in_shanghai(quick: House) -> None:
    quick.clock.at = quick.clock.at.replace(month=3, day=31, hour=15, minute=59)  # 23:59 in Shanghai
    quick.store.run_now(lambda tx: lend_purse(tx, quick.now, per_month=Money(10_000)))
    await _by_phone(quick, E_LI, Money(10_000))
    await quick.runner.due()
    assert await quick.propose(LIJG, E_LI, Money(1_000), channel="voice") == Refusal("over_cap")
    quick.town.pass_time(timedelta(minutes=1))
    assert isinstance(await quick.propose(LIJG, E_LI, Money(1_000), channel="voice"), Proposed)


async def _by_phone(house: House, account, amount):
    act = await house.proposed(LIJG, account, amount, channel="voice")
    done = await house.confirm(act.act, act.digest, LIJG, kind="key", factor=None, channel="voice")
    assert isinstance(done, Confirmed), done
    return done.payments[0]


# --- what may be proposed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fen", [1, 12_344, 12_346, -12_345])
async def test_a_bill_is_paid_in_its_exact_amount(quick: House, fen: int) -> None:
    refused = await quick.propose(CHENM, E_ZHANG, Money(fen))
    assert refused == Refusal("amount_rule", account=E_ZHANG)


@pytest.mark.parametrize(
    ("fen", "fits"), [(1_000, True), (999, False), (1_500, False), (500_000, True), (501_000, False)]
)
async def test_a_meter_takes_whole_steps_between_its_bounds(quick: House, fen: int, fits: bool) -> None:
    assert isinstance(await quick.propose(LIMIN, E_LI, Money(fen)), Proposed) is fits


async def test_where_nothing_is_due_nothing_is_paid(quick: House) -> None:
    quick.town.due["0319001200345678"] = Money(0)
    assert await quick.propose(CHENM, E_ZHANG, Money(100)) == Refusal("nothing_due", account=E_ZHANG)


async def test_a_quote_of_another_account_pays_nothing(quick: House) -> None:
    quoted = await quick.quote(LIMIN, W_LI)
    wish = LineWish(E_LI, quoted.quote.id, quoted.quote.due)
    refused = quick.store.run_now(
        lambda tx: quick.till.propose(tx, proposer=LIMIN, wishes=[wish], channel="telegram", at=quick.now)
    )
    assert refused == Refusal("quote_expired", account=E_LI)


async def test_only_billers_of_the_catalogue_are_paid(quick: House) -> None:
    quoted = await quick.quote(CHENM, E_ZHANG)
    quick.store.run_now(lambda tx: tx.conn.execute(sa.update(quotes).values(biller="somebody")))
    wish = LineWish(E_ZHANG, QuoteId(quoted.quote.id), quoted.quote.due)
    refused = quick.store.run_now(
        lambda tx: quick.till.propose(tx, proposer=CHENM, wishes=[wish], channel="telegram", at=quick.now)
    )
    assert refused == Refusal("biller_not_in_catalogue", account=E_ZHANG)


async def test_several_bills_are_confirmed_as_one_and_paid_each_by_itself(house: House) -> None:
    water = await house.quote(LIMIN, W_LI)
    power = await house.quote(LIMIN, E_LI)
    wishes = [
        LineWish(W_LI, water.quote.id, water.quote.due),
        LineWish(E_LI, power.quote.id, Money(5_000)),
    ]
    act = house.store.run_now(
        lambda tx: house.till.propose(tx, proposer=LIMIN, wishes=wishes, channel="telegram", at=house.now)
    )
    assert isinstance(act, Proposed)
    assert act.total == Money(9_650)
    done = await house.confirm(act.act, act.digest, LIMIN)
    await house.runner.advance_now(done.payments)
    assert [house.view(p).state for p in done.payments] == [State.SETTLED, State.SETTLED]
    assert sorted(m.fen for _, m in house.town.captures) == [4_650, 5_000]
    assert house.breaches() == []


async def test_several_bills_are_confirmed_together_or_not_at_all(house: House) -> None:
    water = await house.quote(LIMIN, W_LI)
    power = await house.quote(LIMIN, E_LI)
    wishes = [
        LineWish(W_LI, water.quote.id, water.quote.due),
        LineWish(E_LI, power.quote.id, Money(5_000)),
    ]
    act = house.store.run_now(
        lambda tx: house.till.propose(tx, proposer=LIMIN, wishes=wishes, channel="telegram", at=house.now)
    )
    held = await house.confirmed(LIJG, E_LI, Money(1_000), method="hosted")
    done = await house.confirm(act.act, act.digest, LIMIN)
    assert done == Refusal("previous_unfinished", held, E_LI)
    assert _count(house) == 1


async def test_an_unusual_amount_is_asked_about_with_what_is_usual(quick: House) -> None:
    for _ in range(3):
        await quick.paid(LIMIN, E_LI, Money(5_000))
        quick.town.pass_time(timedelta(days=31))
    assert (await quick.proposed(LIMIN, E_LI, Money(10_000))).questions == ()
    (asked,) = (await quick.proposed(LIMIN, E_LI, Money(11_000))).questions
    assert (asked.kind, asked.usual) == ("unusual_amount", Money(5_000))


async def test_the_code_is_bound_to_what_was_read_back(quick: House) -> None:
    act = await quick.proposed(CHENM, E_ZHANG)
    code = quick.store.run_now(lambda tx: quick.till.issue_code(tx, act.act, quick.now)).code
    other = await quick.proposed(LIMIN, W_LI)
    wrong = quick.store.run_now(lambda tx: quick.till.check_factor(tx, other.act, CHENM, code, quick.now))
    right = quick.store.run_now(lambda tx: quick.till.check_factor(tx, act.act, CHENM, code, quick.now))
    assert type(wrong).__name__ != "FactorPassed"
    assert type(right).__name__ == "FactorPassed"


async def test_an_act_shows_who_what_and_how(quick: House) -> None:
    act = await quick.proposed(CHENM, E_ZHANG)
    await quick.confirm(act.act, act.digest, CHENM)
    seen = quick.store.run_now(lambda tx: quick.till.act(tx, act.act))
    assert (seen.state, seen.total, seen.payer) == (ActState.CONFIRMED, Money(12_345), CHENM)
    assert seen.evidence["factor"] == "code"


async def test_a_purse_that_is_not_the_payers_any_more_is_not_charged(quick: House) -> None:
    act = await quick.proposed(CHENM, E_ZHANG)
    quick.store.run_now(
        lambda tx: tx.conn.execute(
            sa.update(instruments).where(instruments.c.id == "pm-chenm").values(owner=LIMIN)
        )
    )
    assert await quick.confirm(act.act, act.digest, CHENM) == Refusal("no_permission")


async def test_a_missing_wallet_is_called_by_its_name_and_a_missing_leave_by_its(quick: House) -> None:
    """The helper may begin; what lacks is the old man's wallet, not his leave."""
    quick.store.run_now(
        lambda tx: tx.conn.execute(sa.delete(instruments).where(instruments.c.owner == CHENGFS))
    )
    assert await quick.propose(XIAOZHOU, W_CHENG) == Refusal("holder_no_purse")
    quick.store.run_now(lambda tx: access.revoke(tx, CHENGFS, XIAOZHOU, quick.now, [May.START_PAYMENT]))
    assert await quick.propose(XIAOZHOU, W_CHENG) == Refusal("no_permission")
