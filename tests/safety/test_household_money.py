"""What relatives and helpers may try with a household's money: more than was lent, their own approval, after a word back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from data.ids import PersonId
from data.model import May
from data.money import Money
from data.store.engine import Tx
from payments import approving, linking
from payments.acts import AlreadyConfirmed, Confirmed, Refusal, Strength
from payments.authority import access, invitations
from payments.authority.invitations import Offer
from payments.states import State
from payments.terms import Clauses, Terms
from tests.payments.automatic import BILL, agreed, allow
from tests.payments.conftest import house, quick
from tests.payments.household import (
    CHENGFS,
    E_LI,
    E_ZHANG,
    LIJG,
    LIMIN,
    XIAOZHOU,
    House,
)
from tests.payments.test_approving import typed

__all__ = ["house", "quick"]

YOUNG = timedelta(hours=73)


def lend(house: House, per_month: Money) -> None:
    """The daughter lends her father her purse, as an invitation does: small for 72 hours, then as agreed."""

    def linked(tx: Tx) -> None:
        offer = Offer("father", "spend", Money(10_000), per_month)
        opened = invitations.open_invitation(tx, LIMIN, offer, house.now)
        assert invitations.take_up(tx, opened.id, LIJG, house.now)
        found = invitations.waiting(tx, LIMIN, opened.id, house.now)
        assert found is not None
        invitations.link(tx, found, house.now)

    house.store.run_now(linked)


async def test_a_lent_purse_has_one_cap_a_month_however_many_leaves_it_rests_on(quick: House) -> None:
    """Small for 72 hours and then as agreed are two rows of leave; the month is one."""
    lend(quick, Money(15_000))
    first = await quick.proposed(LIJG, E_LI, Money(10_000), channel="voice")
    assert first.payer == LIMIN
    assert isinstance(
        await quick.confirm(first.act, first.digest, LIJG, kind="key", factor="pin", channel="voice"),
        Confirmed,
    )
    await quick.runner.due()
    await quick.later(YOUNG)
    assert quick.town.captures != []
    again = await quick.propose(LIJG, E_LI, Money(10_000), channel="voice", method="purse")
    assert again == Refusal("over_cap")


async def test_nobody_gives_the_second_yes_to_what_he_began_himself(quick: House) -> None:
    """A helper with leave to pay begins with the elder's purse; the elder says yes; the relative's yes is not hers."""
    quick.store.run_now(lambda tx: access.grant(tx, CHENGFS, LIMIN, [May.PAY], quick.now - YOUNG))
    quick.store.run_now(lambda tx: typed(tx, quick))
    act = await quick.proposed(CHENGFS, E_ZHANG)
    assert act.strength is Strength.APPROVAL

    def began_by_her(tx: Tx) -> tuple[PersonId, ...]:
        found = replace(quick.till.act(tx, act.act), proposer=LIMIN, evidence={"by": CHENGFS})
        return approving.deciders(tx, found, quick.now)

    assert quick.store.run_now(began_by_her) == ()


async def test_a_relative_whose_leave_is_gone_hears_nothing_of_a_payment_another_agreed_to(
    quick: House,
) -> None:
    """Two were asked, one agreed, the other's leave was taken back: his late yes tells him nothing."""
    quick.store.run_now(lambda tx: access.grant(tx, CHENGFS, LIMIN, [May.PAY], quick.now - YOUNG))
    quick.store.run_now(lambda tx: access.grant(tx, CHENGFS, XIAOZHOU, [May.PAY], quick.now - YOUNG))
    quick.store.run_now(lambda tx: typed(tx, quick))
    act = await quick.proposed(CHENGFS, E_ZHANG)
    assert await quick.confirm(act.act, act.digest, CHENGFS, factor="pin") == Refusal("approval_asked")
    assert isinstance(await quick.confirm(act.act, act.digest, LIMIN, factor="pin"), Confirmed)
    quick.store.run_now(lambda tx: linking.unlink(tx, CHENGFS, XIAOZHOU, CHENGFS, quick.now))
    assert await quick.confirm(act.act, act.digest, XIAOZHOU, factor="pin") == Refusal("act_confirmed")
    assert isinstance(await quick.confirm(act.act, act.digest, CHENGFS, factor="pin"), AlreadyConfirmed)


async def test_a_charge_not_sent_yet_is_called_back_by_a_lower_cap(quick: House) -> None:
    """一次最多30 while a debit of 46.50 is written and not sent: it is not sent."""
    allow(quick)
    held = agreed(quick, BILL)
    await quick.sweep()
    await quick.later(timedelta(hours=25))
    swept = await quick.sweeper.run()
    assert len(swept.payments) == 1
    lowered = quick.store.run_now(
        lambda tx: quick.till.take_less(tx, held.id, LIMIN, quick.now, Clauses(per_charge=Money(3_000)))
    )
    assert isinstance(lowered, Terms)
    await quick.runner.advance_now(swept.payments)
    assert quick.view(swept.payments[0]).state is State.CANCELLED
    assert quick.town.captures == []
