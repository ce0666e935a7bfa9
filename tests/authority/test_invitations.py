"""An invitation: one code, once, a quarter of an hour, few guesses, both sides asked, and a purse lent small at first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from data.ids import InstrumentId, PersonId
from data.model import May
from data.money import Money
from data.store.engine import Store, Tx
from data.town import load_world
from payments.authority import access, invitations, looks, people
from payments.authority.invitations import Invitation, Offer, WrongCode

AT = load_world().start
GIVER, SON, OTHER = PersonId("zhanggf"), PersonId("chenm"), PersonId("limin")
SEE = Offer("son", "see")


def linked(tx: Tx, offer: Offer, giver: PersonId = GIVER, taker: PersonId = SON) -> None:
    opened = invitations.open_invitation(tx, giver, offer, AT)
    found = invitations.find(tx, taker, opened.code, AT)
    assert isinstance(found, Invitation)
    assert invitations.take_up(tx, found.id, taker, AT)
    taken = invitations.waiting(tx, giver, found.id, AT)
    assert taken is not None
    invitations.link(tx, taken, AT)


def test_nothing_is_allowed_before_the_giver_knows_the_taker(town: Store) -> None:
    def go(tx: Tx) -> list[looks.Link]:
        opened = invitations.open_invitation(tx, GIVER, SEE, AT)
        found = invitations.find(tx, SON, opened.code, AT)
        assert isinstance(found, Invitation)
        invitations.take_up(tx, found.id, SON, AT)
        return looks.given_by(tx, GIVER, AT)

    assert town.run_now(go) == []


def test_what_was_offered_is_granted_for_a_year_and_both_are_related(town: Store) -> None:
    town.run_now(lambda tx: linked(tx, SEE))
    (link,) = town.run_now(lambda tx: looks.given_by(tx, GIVER, AT))
    assert (link.taker, link.verbs, link.until) == (SON, SEE.verbs, AT + timedelta(days=365))
    assert town.run_now(lambda tx: looks.given_by(tx, GIVER, AT + timedelta(days=366))) == []
    assert "son" in {
        r.kind for r in town.run_now(lambda tx: people.relatives(tx, GIVER)) if r.relative == SON
    }


def test_a_code_is_good_once(town: Store) -> None:
    def go(tx: Tx) -> object:
        opened = invitations.open_invitation(tx, GIVER, SEE, AT)
        found = invitations.find(tx, SON, opened.code, AT)
        assert isinstance(found, Invitation)
        assert invitations.take_up(tx, found.id, SON, AT)
        assert not invitations.take_up(tx, found.id, OTHER, AT)
        return invitations.find(tx, OTHER, opened.code, AT)

    assert isinstance(town.run_now(go), WrongCode)


def test_a_newer_code_makes_the_older_worthless_and_nobody_takes_his_own(town: Store) -> None:
    def go(tx: Tx) -> list[object]:
        first = invitations.open_invitation(tx, GIVER, SEE, AT)
        second = invitations.open_invitation(tx, GIVER, SEE, AT)
        assert first.code not in repr(first)
        return [invitations.find(tx, SON, first.code, AT), invitations.find(tx, GIVER, second.code, AT)]

    # A chance of one in a million that both codes are the same is a chance this test takes.
    assert all(isinstance(found, WrongCode) for found in town.run_now(go))


def test_a_quarter_of_an_hour(town: Store) -> None:
    def go(tx: Tx, later: timedelta) -> object:
        return invitations.find(tx, SON, invitations.open_invitation(tx, GIVER, SEE, AT).code, AT + later)

    assert isinstance(town.run_now(lambda tx: go(tx, timedelta(minutes=14))), Invitation)
    assert isinstance(town.run_now(lambda tx: go(tx, timedelta(minutes=15))), WrongCode)


def test_five_wrong_codes_and_even_the_right_one_waits_an_hour(town: Store) -> None:
    def go(tx: Tx) -> tuple[list[int], object, object]:
        opened = invitations.open_invitation(tx, GIVER, SEE, AT)
        wrong = str((int(opened.code) + 1) % 10**6).zfill(6)
        answers = [invitations.find(tx, SON, wrong, AT) for _ in range(5)]
        left = [a.tries_left for a in answers if isinstance(a, WrongCode)]
        now = invitations.find(tx, SON, opened.code, AT)
        later = AT + timedelta(minutes=61)
        again = invitations.open_invitation(tx, GIVER, SEE, later)
        return left, now, invitations.find(tx, SON, again.code, later)

    left, now, later = town.run_now(go)
    assert left == [4, 3, 2, 1, 0]
    assert isinstance(now, WrongCode)
    assert isinstance(later, Invitation)


@pytest.mark.parametrize(
    ("later", "cap"), [(timedelta(0), 10_000), (timedelta(hours=71), 10_000), (timedelta(hours=72), 30_000)]
)
def test_a_purse_is_lent_small_for_the_first_three_days(town: Store, later: timedelta, cap: int) -> None:
    giver, offer = PersonId("chengfs"), Offer("relative", "spend", Money(30_000), Money(60_000))
    town.run_now(lambda tx: linked(tx, offer, giver))
    (lent,) = town.run_now(lambda tx: access.spending_grants(tx, SON, AT + later))
    assert (lent.payer, lent.instrument) == (giver, InstrumentId("pm-cheng"))
    assert (lent.per_payment, lent.per_month) == (Money(cap), Money(60_000))


def test_taking_it_back_ends_the_young_and_the_later_leave(town: Store) -> None:
    giver, offer = PersonId("chengfs"), Offer("relative", "spend", Money(30_000), Money(60_000))
    town.run_now(lambda tx: linked(tx, offer, giver))
    town.run_now(lambda tx: access.revoke(tx, giver, SON, AT))
    after = [AT + timedelta(hours=h) for h in (0, 80)]
    assert [town.run_now(lambda tx, at=at: access.spending_grants(tx, SON, at)) for at in after] == [[], []]
    assert May.CONFIRM_PAYMENT in offer.verbs
