"""Agreeing to an automatic payment: tried out first, agreed to firmly and in words that are kept, stopped with one word."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from data.ids import InstrumentId, PersonId
from data.model import Instrument, May
from data.money import Money
from data.store.mandates import consents, mandates
from data.store.people import instruments
from payments.acts import AlreadyConfirmed, Confirmed, Refusal
from payments.authority import access, factors
from payments.dry_run import dry_run
from payments.quoting import Trouble
from payments.terms import MandateState, ProposedMandate, Terms
from tests.payments.automatic import (
    BILL,
    LAST_YEAR,
    TOP_UP,
    WORDS,
    agreed,
    at,
    capped,
    lower,
    propose,
    stop,
    told,
    yes,
)
from tests.payments.household import (
    CHENGFS,
    CHENM,
    E_LI,
    LIJG,
    LIMIN,
    W_CHENG,
    W_LI,
    XIAOZHOU,
    ZHANGGF,
    House,
)

# --- the dry run ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [5_000, 1_860])
def test_last_year_would_have_been_twelve_times_and_never_more_than_twice_a_month(start: int) -> None:
    tried = dry_run(TOP_UP, LAST_YEAR, Money(start))
    assert tried is not None
    assert (tried.times, tried.total, tried.most_in_a_month, tried.capped) == (12, Money(120_000), 2, 0)


def test_a_cap_that_is_too_small_shows_in_the_dry_run() -> None:
    tried = dry_run(capped(per_month=Money(10_000)), LAST_YEAR)
    assert tried is not None
    assert tried.most_in_a_month == 1
    assert tried.capped > 0


def test_of_bills_each_month_counts_once_and_those_above_the_cap_are_named() -> None:
    tried = dry_run(BILL, LAST_YEAR)
    assert tried is not None
    assert (tried.times, tried.most_in_a_month, tried.capped) == (8, 1, 4)
    assert dry_run(BILL, []) is None


async def test_a_proposal_is_tried_out_on_what_the_biller_tells(family: House) -> None:
    before = propose(family)
    assert isinstance(before, ProposedMandate)
    assert before.dry_run is None
    use = await family.quoting.last_year(LIMIN, E_LI)
    assert use == LAST_YEAR
    proposed = propose(family)
    assert isinstance(proposed, ProposedMandate)
    assert proposed.dry_run is not None
    assert (proposed.dry_run.times, proposed.dry_run.total) == (12, Money(120_000))


async def test_what_was_used_is_told_to_nobody_without_leave(lis: House) -> None:
    assert await lis.quoting.last_year(CHENM, E_LI) == Trouble("access_refused")
    assert await lis.quoting.last_year(LIMIN, W_LI) == Trouble("config")  # this biller tells nothing
    assert "access_refused" in lis.audit()


# --- agreeing -------------------------------------------------------------------------------------------------------


def test_a_mandate_is_in_force_after_a_firm_yes_and_the_words_are_kept(family: House) -> None:
    found = agreed(family)
    assert (found.state, found.payer, found.holder, found.terms) == (MandateState.ACTIVE, LIMIN, LIJG, TOP_UP)
    assert (found.tail, found.holder_masked, found.spent_this_month) == ("3344", "李*国", Money(0))
    assert family.audit()[-2:] == ["consent_recorded", "mandate_created"]
    row = family.store.run_now(lambda tx: tx.conn.execute(sa.select(consents)).one())
    assert (row.person, row.mandate, row.factor, row.channel) == (LIMIN, found.id, "code", "telegram")
    assert WORDS.encode() not in row.words
    opened = family.store.run_now(lambda tx: tx.seal.open("consents.words", row.id, row.words))
    assert opened == WORDS
    # Another's own money: the elder is told (L7), on whatever channel is his.
    assert [b["payer"] for b in told(family, LIJG, "mandate_set_for_you")] == [LIMIN]
    assert family.news(LIMIN) == []
    assert family.breaches() == []


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"factor": None}, "stronger_yes_needed"),  # never a bare 好的
        ({"by": LIJG}, "no_permission"),
        ({"words": ""}, "words_missing"),
    ],
)
def test_a_yes_that_is_not_firm_his_own_and_in_words_agrees_to_nothing(
    lis: House, how: dict[str, object], reason: str
) -> None:
    proposed = propose(lis)
    assert isinstance(proposed, ProposedMandate)
    refused = yes(lis, proposed, **how)
    assert isinstance(refused, Refusal)
    assert refused.reason == reason
    assert at(lis) is None


def test_a_second_yes_changes_nothing(lis: House) -> None:
    proposed = propose(lis)
    assert isinstance(proposed, ProposedMandate)
    assert yes(lis, proposed) == Confirmed(())
    assert yes(lis, proposed) == AlreadyConfirmed(())
    assert lis.audit().count("consent_recorded") == 1


def test_terms_changed_after_they_were_read_back_are_agreed_to_by_nobody(lis: House) -> None:
    proposed = propose(lis)
    assert isinstance(proposed, ProposedMandate)
    lis.store.run_now(lambda tx: tx.conn.execute(sa.update(mandates).values(per_month_fen=90_000)))
    refused = yes(lis, proposed)
    assert isinstance(refused, Refusal)
    assert refused.reason == "digest_changed"


def test_leave_taken_back_before_the_yes_counts(lis: House) -> None:
    proposed = propose(lis)
    assert isinstance(proposed, ProposedMandate)
    lis.store.run_now(lambda tx: access.revoke(tx, LIJG, LIMIN, lis.now, [May.MANDATE]))
    refused = yes(lis, proposed)
    assert isinstance(refused, Refusal)
    assert refused.reason == "no_permission"


async def test_a_proposal_runs_out_and_a_newer_one_takes_its_place(lis: House) -> None:
    first, second = propose(lis), propose(lis, capped(per_month=Money(20_000)))
    assert isinstance(first, ProposedMandate)
    assert isinstance(second, ProposedMandate)
    refused = yes(lis, first)
    assert isinstance(refused, Refusal)
    assert refused.reason == "act_superseded"
    await lis.later(timedelta(minutes=31))
    refused = yes(lis, second)
    assert isinstance(refused, Refusal)
    assert refused.reason == "act_expired"
    states = lis.store.run_now(lambda tx: tx.conn.scalars(sa.select(mandates.c.state)).all())
    assert states == ["expired", "expired"]


def test_stopping_the_talk_drops_what_was_only_proposed(lis: House) -> None:
    proposed = propose(lis)
    assert isinstance(proposed, ProposedMandate)
    assert lis.stop(LIMIN).cancelled_acts == (proposed.act,)
    refused = yes(lis, proposed)
    assert isinstance(refused, Refusal)
    assert refused.reason == "act_cancelled"


_WATER_TOP_UP = replace(TOP_UP, account=W_LI)


@pytest.mark.parametrize(
    ("terms", "by", "reason"),
    [
        (TOP_UP, CHENM, "no_permission"),
        (TOP_UP, LIJG, "no_purse"),  # his own account, and no purse of his own
        (_WATER_TOP_UP, LIMIN, "not_prepaid"),
        (replace(BILL, account=E_LI), LIMIN, "not_prepaid"),
        (capped(amount=Money(1_550)), LIMIN, "amount_rule"),
        (capped(below=None), LIMIN, "amount_rule"),
        (capped(below=Money(0)), LIMIN, "amount_rule"),
        (capped(per_day=0), LIMIN, "amount_rule"),
        (capped(per_charge=Money(9_000)), LIMIN, "cap_below_amount"),
        (capped(per_month=Money(9_000)), LIMIN, "cap_below_amount"),
        (capped(valid_until=date(2026, 3, 10)), LIMIN, "bad_expiry"),
        (capped(per_month=Money(5_000_000)), LIMIN, "limits"),
    ],
)
def test_what_cannot_be_agreed_to_is_said_at_once(
    lis: House, terms: Terms, by: PersonId, reason: str
) -> None:
    refused = propose(lis, terms, by)
    assert isinstance(refused, Refusal)
    assert refused.reason == reason


def test_a_helper_who_may_begin_payments_agrees_to_none_for_anybody(lis: House) -> None:
    refused = propose(lis, replace(BILL, account=W_CHENG), XIAOZHOU)
    assert isinstance(refused, Refusal)
    assert refused.reason == "no_permission"
    # The elder agrees himself, with his own purse.
    assert agreed(lis, replace(BILL, account=W_CHENG), CHENGFS).payer == CHENGFS
    assert told(lis, CHENGFS, "mandate_set_for_you") == []


def test_one_account_has_one_automatic_payment(lis: House) -> None:
    live = agreed(lis)
    again = propose(lis)
    assert isinstance(again, Refusal)
    assert (again.reason, again.mandate) == ("mandate_exists", live.id)
    changed = agreed(lis, capped(per_month=Money(20_000)), replaces=live.id)
    assert changed.terms.per_month == Money(20_000)
    assert lis.audit()[-2:] == ["consent_recorded", "mandate_changed"]
    views = lis.store.run_now(lambda tx: lis.till.mandates_of(tx, LIMIN, lis.now))
    assert [v.id for v in views] == [changed.id]


def test_payer_and_holder_see_it_and_nobody_else_does(lis: House) -> None:
    live = agreed(lis)
    seen = {
        who: [v.id for v in lis.store.run_now(lambda tx, who=who: lis.till.mandates_of(tx, who, lis.now))]
        for who in (LIMIN, LIJG, CHENM, ZHANGGF)
    }
    assert seen == {LIMIN: [live.id], LIJG: [live.id], CHENM: [], ZHANGGF: []}


# --- stopping -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("by", "other"), [(LIMIN, LIJG), (LIJG, LIMIN)])
def test_either_side_stops_it_with_one_word_and_the_other_hears(
    family: House, by: PersonId, other: PersonId
) -> None:
    live = agreed(family)
    assert stop(family, live.id, by)
    assert at(family) is None
    assert family.audit()[-1] == "mandate_revoked"
    assert [b["by"] for b in told(family, other, "mandate_stopped_for_you")] == [by]
    assert told(family, by, "mandate_stopped_for_you") == []
    assert not stop(family, live.id, by)


@pytest.mark.parametrize(("by", "other"), [(LIMIN, LIJG), (LIJG, LIMIN)])
def test_who_lowers_it_or_lets_it_rest_is_named_to_the_other_once(
    lis: House, by: PersonId, other: PersonId
) -> None:
    live = agreed(lis)
    assert lower(lis, live.id, by, per_month=Money(20_000))
    (lowered,) = told(lis, other, "mandate_lowered_for_you")
    assert (lowered["by"], lowered["per_month_fen"], lowered["below_fen"]) == (by, 20_000, 2_000)
    lis.clock.advance(timedelta(hours=1))
    assert lower(lis, live.id, by, per_month=Money(15_000))  # and it is told each time
    assert lis.store.run_now(lambda tx: lis.till.pause_mandate(tx, live.id, by, lis.now))
    assert [b["by"] for b in told(lis, other, "mandate_paused_for_you")] == [by]
    assert len(told(lis, other, "mandate_lowered_for_you")) == 2
    for kind in ("mandate_lowered_for_you", "mandate_paused_for_you"):
        assert told(lis, by, kind) == []


def test_a_stranger_stops_nothing(lis: House) -> None:
    live = agreed(lis)
    assert not stop(lis, live.id, CHENM)
    assert not stop(lis, "man_nobody", LIMIN)
    assert at(lis) is not None


def test_a_pause_is_at_once_and_going_on_needs_the_second_factor(lis: House) -> None:
    live = agreed(lis)
    assert lis.store.run_now(lambda tx: lis.till.pause_mandate(tx, live.id, LIJG, lis.now))
    assert lis.store.run_now(lambda tx: lis.till.pause_mandate(tx, live.id, LIJG, lis.now))  # said twice
    paused = at(lis)
    assert paused is not None
    assert paused.state is MandateState.PAUSED
    assert not lis.store.run_now(lambda tx: lis.till.pause_mandate(tx, live.id, CHENM, lis.now))
    proposed = lis.store.run_now(
        lambda tx: lis.till.resume_mandate(
            tx, mandate=live.id, proposer=LIMIN, channel="telegram", at=lis.now
        )
    )
    assert isinstance(proposed, ProposedMandate)
    refused = yes(lis, proposed, factor=None)
    assert isinstance(refused, Refusal)
    assert yes(lis, proposed) == Confirmed(())
    resumed = at(lis)
    assert resumed is not None
    assert (resumed.state, resumed.terms) == (MandateState.ACTIVE, TOP_UP)


def test_less_is_possible_at_once_and_more_is_not(lis: House) -> None:
    live = agreed(lis)

    assert not lower(lis, live.id, per_month=Money(40_000))
    assert not lower(lis, live.id, per_month=Money(9_000))  # less than one charge would only ever fail
    assert not lower(lis, live.id, CHENM, per_month=Money(20_000))
    assert lower(lis, live.id, per_month=Money(20_000))
    found = at(lis)
    assert found is not None
    assert found.terms.per_month == Money(20_000)


# --- what is told of them -----------------------------------------------------------------------------------------


def test_one_that_cannot_pay_says_so_before_any_round_found_out(lis: House) -> None:
    agreed(lis)
    live = at(lis)
    assert live is not None
    assert (live.hindered, live.counting) == (None, TOP_UP)
    lis.store.run_now(lambda tx: tx.conn.execute(sa.delete(instruments).where(instruments.c.owner == LIMIN)))
    live = at(lis)
    assert live is not None
    assert live.hindered == "no_purse"
    lis.store.run_now(lambda tx: access.revoke(tx, LIJG, LIMIN, lis.now))
    live = at(lis)
    assert live is not None
    assert live.hindered == "no_permission"


async def test_one_that_ended_by_itself_is_told_of_for_a_month_and_one_stopped_is_not(lis: House) -> None:
    agreed(lis)
    lis.store.run_now(lambda tx: access.revoke(tx, LIJG, LIMIN, lis.now))
    await lis.sweep()

    def lapsed() -> list[str | None]:
        return [m.reason for m in lis.store.run_now(lambda tx: lis.till.lapsed_mandates(tx, LIMIN, lis.now))]

    assert lapsed() == ["no_permission"]
    await lis.later(timedelta(days=32))
    assert lapsed() == []


def test_one_that_was_stopped_did_not_lapse(lis: House) -> None:
    live = agreed(lis)
    assert stop(lis, live.id)
    assert lis.store.run_now(lambda tx: lis.till.lapsed_mandates(tx, LIMIN, lis.now)) == []


# --- from which purse ---------------------------------------------------------------------------------------------


def _second_purse(house: House) -> InstrumentId:
    second = Instrument(InstrumentId("pm-second"), LIMIN, "purse-second")
    house.store.run_now(lambda tx: access.add_instrument(tx, second, house.now + timedelta(seconds=1)))
    return second.id


def _from(house: House, purse: InstrumentId, by: PersonId = LIMIN) -> ProposedMandate | Refusal:
    live = at(house)
    return house.store.run_now(
        lambda tx: house.till.propose_mandate(
            tx,
            proposer=by,
            terms=live.terms if live else TOP_UP,
            channel="telegram",
            at=house.now,
            replaces=live.id if live else None,
            purse=purse,
        )
    )


async def test_another_purse_pays_after_a_firm_yes_and_a_later_change_of_the_terms_leaves_it(
    lis: House,
) -> None:
    first, second = agreed(lis), _second_purse(lis)
    proposed = _from(lis, second)
    assert isinstance(proposed, ProposedMandate)
    assert (proposed.purse, proposed.terms, proposed.rises_at) == (second, first.terms, None)
    weak = yes(lis, proposed, factor=None)
    assert isinstance(weak, Refusal)
    live = at(lis)
    assert live is not None
    assert live.instrument == first.instrument
    assert yes(lis, proposed) == Confirmed(())
    moved = at(lis)
    assert moved is not None
    assert (moved.instrument, moved.terms) == (second, first.terms)
    later = agreed(lis, capped(per_month=Money(40_000)), replaces=moved.id)
    assert later.instrument == second


def test_nobody_pays_from_a_purse_that_is_not_his(lis: House) -> None:
    agreed(lis)
    assert _from(lis, InstrumentId("pm-chenm")) == Refusal("no_purse", account=E_LI)


def test_a_purse_taken_away_before_the_yes_is_not_agreed_to(lis: House) -> None:
    agreed(lis)
    second = _second_purse(lis)
    proposed = _from(lis, second)
    assert isinstance(proposed, ProposedMandate)
    lis.store.run_now(lambda tx: tx.conn.execute(sa.delete(instruments).where(instruments.c.id == second)))
    assert yes(lis, proposed) == Refusal("no_purse", account=E_LI)


def test_who_just_changed_his_telephone_moves_no_purse(lis: House) -> None:
    agreed(lis)
    second = _second_purse(lis)
    lis.store.run_now(lambda tx: factors.lift_pin(tx, LIMIN, LIJG, lis.now, {}))
    assert _from(lis, second) == Refusal("cooling", account=E_LI)
