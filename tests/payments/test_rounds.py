"""The pages of a round: every account on exactly one of them, whoever takes it; and how fast a biller may be asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from data.ids import AccountId, BillerId, PersonId
from data.model import Account, Person, Utility
from data.store.engine import Store, Tx
from data.store.mandates import mandates
from data.store.payments import acts
from payments import pacing, rounds
from payments.authority import accounts, numbers, people
from payments.pacing import Pace
from tests.databases import SEALER

AT = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)
NOBODY = PersonId("p")
BILLER = BillerId("bj-electricity")


def town(dice: Random, count: int) -> tuple[Store, set[str]]:
    """Accounts in a random order, some kept, some paid by themselves, some both and some neither."""
    store = Store.in_memory(SEALER)
    wanted: set[str] = set()

    def settle(tx: Tx) -> None:
        people.add_person(tx, Person(NOBODY, "王"), AT)
        act = {
            "id": "act",
            "kind": "mandate",
            "state": "confirmed",
            "channel": "web",
            "digest": "",
            "strength": "pin",
        }
        who = dict.fromkeys(("proposer", "payer", "confirmer"), NOBODY)
        tx.conn.execute(sa.insert(acts), act | who | {"created_at": AT, "expires_at": AT})
        for n, id in enumerate(dice.sample(range(10**6), count)):
            account = AccountId(f"{dice.choice(('acc_', 'E-', 'a'))}{id:06}")
            numbers.add_account(tx, Account(account, BILLER, Utility.ELECTRICITY, f"{n:010}"), AT)
            kept, agreed = dice.random() < 0.5, dice.random() < 0.5
            if kept:
                accounts.save_for(tx, NOBODY, account, "", AT)
            if agreed:
                tx.conn.execute(sa.insert(mandates), _agreement(account))
            if kept or agreed:
                wanted.add(account)

    store.run_now(settle)
    return store, wanted


def begun(store: Store) -> rounds.Cycle:
    """A round that just began."""
    cycle = store.run_now(lambda tx: rounds.opened(tx, AT, timedelta(0)))
    assert cycle is not None
    return cycle


def _agreement(account: AccountId) -> dict[str, object]:
    return {
        "id": f"m{account}", "act": "act", "kind": "top_up", "state": "active", "account": account, "biller": BILLER,
        "payer": NOBODY, "instrument": "i", "per_charge_fen": 1, "per_month_fen": 1, "valid_until": AT,
        "created_at": AT, "active_at": AT, "updated_at": AT,
    }  # fmt: skip


@pytest.mark.parametrize(("count", "size"), [(0, 3), (1, 1), (40, 1), (40, 7), (40, 13), (40, 100)])
def test_every_account_is_on_exactly_one_page(count: int, size: int) -> None:
    store, wanted = town(Random(count * 31 + size), count)
    cycle = begun(store)
    seen: list[str] = []
    last = ""
    while (
        page := store.run_now(lambda tx: rounds.take_page(tx, cycle, "one", AT, size=size, in_hand=[]))
    ) is not None:
        assert page.after == last
        last = page.upto
        seen += [account for account in wanted if page.after < account <= page.upto]
        store.run_now(lambda tx, page=page: rounds.page_done(tx, page))
    assert sorted(seen) == sorted(wanted)
    assert store.run_now(lambda tx: rounds.closed(tx, cycle, AT))
    assert not store.run_now(lambda tx: rounds.closed(tx, cycle, AT))
    assert (
        store.run_now(lambda tx: rounds.opened(tx, AT + timedelta(minutes=4), timedelta(minutes=5))) is None
    )


def test_a_page_finished_while_another_hand_looks_for_one_is_not_read_again() -> None:
    store, _ = town(Random(5), 12)
    cycle = begun(store)
    first = store.run_now(lambda tx: rounds.take_page(tx, cycle, "one", AT, size=2))
    assert first is not None

    class Finished(tuple[tuple[str, str], ...]):
        """What this process has in hand, emptied by the hand that ends its page just when the other one looks."""

        tx: Tx

        def __contains__(self, key: object) -> bool:
            rounds.page_done(self.tx, first)
            return False

    def look(tx: Tx) -> rounds.Page | None:
        hands = Finished()
        hands.tx = tx
        return rounds.take_page(tx, cycle, "one", AT, size=2, in_hand=hands)

    other = store.run_now(look)
    assert other is not None
    assert other.after == first.upto


def test_a_round_nobody_moved_for_long_is_given_up_and_who_was_heard_of_is_not_overstated() -> None:
    store, _ = town(Random(1), 12)
    whole = begun(store)
    page = store.run_now(lambda tx: rounds.take_page(tx, whole, "one", AT, size=100))
    assert page is not None
    store.run_now(lambda tx: rounds.page_done(tx, page))
    assert store.run_now(lambda tx: rounds.closed(tx, whole, AT))
    later = AT + timedelta(hours=5)
    cut = store.run_now(lambda tx: rounds.opened(tx, later, timedelta(hours=1)))
    assert cut is not None
    assert cut.heard_at == AT
    store.run_now(lambda tx: rounds.take_page(tx, cut, "one", later, size=3))
    assert store.run_now(lambda tx: rounds.opened(tx, later + timedelta(minutes=59), timedelta(0))) == cut
    new = store.run_now(lambda tx: rounds.opened(tx, later + timedelta(minutes=61), timedelta(0)))
    assert new is not None
    assert new.id != cut.id
    assert new.heard_at == AT  # the one that was given up heard of some only


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.tuples(st.floats(0, 30), st.integers(1, 12)), min_size=1, max_size=25),
    st.integers(1, 5),
    st.integers(1, 10),
)
def test_in_no_span_of_time_is_a_biller_asked_more_than_its_bucket_gives(
    asked: list[tuple[float, int]], per_second: int, burst: int
) -> None:
    store, at = Store.in_memory(SEALER), AT
    pace = Pace(float(per_second), burst)
    given_at: list[tuple[datetime, int]] = []
    for seconds, wanted in asked:
        at += timedelta(seconds=seconds)
        leave = store.run_now(lambda tx, at=at, n=wanted: pacing.leaves(tx, pace, {BILLER: n}, at))[BILLER]
        assert 0 <= leave.now <= wanted
        assert leave.now == wanted or leave.again_at > at
        given_at.append((at, leave.now))
    for i, (begin, _) in enumerate(given_at):
        for until, _ in given_at[i:]:
            span = sum(count for when, count in given_at if begin <= when <= until)
            assert span <= burst + per_second * (until - begin).total_seconds() + 1e-6


def test_a_biller_that_is_silent_rests_longer_each_time_and_is_forgiven_when_it_answers() -> None:
    store, pace, rests = Store.in_memory(SEALER), Pace(None), []
    for _ in range(9):
        store.run_now(lambda tx: pacing.silent(tx, pace, BILLER, AT))
        rests.append(store.run_now(lambda tx: pacing.leaves(tx, pace, {BILLER: 1}, AT))[BILLER].again_at - AT)
    assert rests == [timedelta(minutes=m) for m in (1, 2, 4, 8, 16, 32, 64, 64, 64)]
    store.run_now(lambda tx: pacing.answered(tx, {BILLER}))
    assert store.run_now(lambda tx: pacing.leaves(tx, pace, {BILLER: 7}, AT))[BILLER].now == 7
