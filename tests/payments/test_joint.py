"""Several bills under one yes: each line is a payment of its own, and the whole is bound together or not at all."""

from __future__ import annotations

from datetime import timedelta

from data.ids import AccountId, PaymentId, PersonId
from data.money import Money
from data.store import letters
from integrations.ports import Reason
from payments.acts import AlreadyConfirmed, Confirmed, LineWish, Proposed, Refusal
from payments.looking_back import newest_refund, paid_in
from payments.states import State
from tests.payments.household import CHENM, E_LI, E_ZHANG, LIJG, LIMIN, W_LI, House
from tests.simulation import town as ways

Wanted = dict[AccountId, Money]
BOTH: Wanted = {W_LI: Money(4_650), E_LI: Money(5_000)}


async def together(house: House, person: PersonId, wanted: Wanted) -> Proposed | Refusal:
    wishes = [LineWish(a, (await house.quote(person, a)).quote.id, m) for a, m in wanted.items()]
    return await house.store.run(
        lambda tx: house.till.propose(tx, proposer=person, wishes=wishes, channel="telegram", at=house.now)
    )


async def agreed(house: House, person: PersonId, wanted: Wanted) -> tuple[PaymentId, ...]:
    act = await together(house, person, wanted)
    assert isinstance(act, Proposed), act
    done = await house.confirm(act.act, act.digest, person)
    assert isinstance(done, Confirmed), done
    return done.payments


async def test_one_yes_pays_every_line_once(house: House) -> None:
    act = await together(house, LIMIN, BOTH)
    assert isinstance(act, Proposed)
    assert act.total == Money(9_650)
    done = await house.confirm(act.act, act.digest, LIMIN)
    assert isinstance(done, Confirmed)
    again = await house.confirm(act.act, act.digest, LIMIN)
    assert again == AlreadyConfirmed(done.payments)
    await house.runner.advance_now([*done.payments, *done.payments])
    assert [house.view(p).state for p in done.payments] == [State.SETTLED, State.SETTLED]
    assert sorted(amount.fen for _, amount in house.town.captures) == [4_650, 5_000]
    assert house.breaches() == []


async def test_a_line_that_is_refused_takes_nothing_from_the_others(quick: House) -> None:
    water, power = await agreed(quick, LIMIN, BOTH)
    quick.town.declines = Reason.BILLER_DOWN
    await quick.runner.advance_now([water])
    quick.town.declines = None
    await quick.runner.advance_now([power])
    assert (quick.view(water).told, quick.view(power).told) == ("refused", "paid")
    assert [amount for _, amount in quick.town.captures] == [Money(5_000)]
    # What failed is asked for anew, alone, under an act of its own.
    (again,) = await agreed(quick, LIMIN, {W_LI: Money(4_650)})
    await quick.runner.advance_now([again])
    assert quick.view(again).act != quick.view(water).act
    assert sorted(amount.fen for _, amount in quick.town.captures) == [4_650, 5_000]
    assert quick.breaches() == []


async def test_an_account_with_an_open_payment_is_in_no_second_act(house: House) -> None:
    first = await house.confirmed(LIMIN, W_LI)
    refused = await together(house, LIMIN, BOTH)
    assert refused == Refusal("previous_unfinished", payment=first, account=W_LI)


async def test_what_became_unfinished_between_proposal_and_yes_stops_the_whole(house: House) -> None:
    act = await together(house, LIMIN, BOTH)
    assert isinstance(act, Proposed)
    await house.confirmed(LIMIN, W_LI)
    # The newer proposal for the same account has taken the older one's place: nothing of it is paid.
    refused = await house.confirm(act.act, act.digest, LIMIN)
    assert isinstance(refused, Refusal)
    assert len(house.store.run_now(lambda tx: house.till.payments_of(tx, LIMIN))) == 1


async def test_stopping_in_the_middle_tells_each_line(quick: House) -> None:
    quick.town.fault = lambda op: ways.ANSWER_LOST
    water, power = await agreed(quick, LIMIN, BOTH)
    await quick.runner.advance_now([water])
    stopped = quick.stop(LIMIN)
    assert [v.id for v in stopped.in_flight] == [water]
    assert stopped.cancelled_payments == (power,)
    told = [n.id for n in quick.store.run_now(lambda tx: letters.news_due(tx, quick.now, LIMIN, 50))]
    assert f"stopped:{power}:{LIMIN}" in told
    assert quick.store.run_now(lambda tx: quick.till.claim_holds(tx, power, "not_captured"))


async def test_a_bill_paid_elsewhere_opens_a_refund_case_until_the_money_is_back(quick: House) -> None:
    quick.town.fault = lambda op: quick.town.due.update({"0319001200345678": Money(0)}) or ways.OK
    await quick.paid(CHENM, E_ZHANG)
    assert "duplicate_payment_found" in quick.audit()
    assert quick.tickets() == []  # the money is back, nobody need look any more
    found = quick.store.run_now(lambda tx: newest_refund(tx, quick.till, CHENM, quick.now))
    assert found is not None
    assert (found.state, found.amount) == (State.REFUNDED, Money(12_345))


async def test_looking_back_sums_by_kind_and_counts_what_came_back(quick: House) -> None:
    await quick.runner.advance_now(await agreed(quick, LIMIN, BOTH))
    await quick.later(timedelta(minutes=1))
    month = quick.now.date()
    told = quick.store.run_now(lambda tx: paid_in(tx, quick.till, LIMIN, month, quick.now))
    assert sorted((one.times, one.total.fen, one.given_back.fen) for one in told) == [
        (1, 4_650, 0),
        (1, 5_000, 0),
    ]
    # The father hears what was paid for his own home; a stranger hears nothing.
    his = quick.store.run_now(lambda tx: paid_in(tx, quick.till, LIJG, month, quick.now))
    assert his == told
    assert quick.store.run_now(lambda tx: paid_in(tx, quick.till, CHENM, month, quick.now)) == []
