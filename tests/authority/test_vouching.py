"""A forgotten PIN: who may vouch, only when asked, once, not as a trade; and nothing rises for three days (settled 23)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from data.ids import PersonId
from data.model import May
from data.store import journal
from data.store.audit import audit
from data.store.engine import Store, Tx
from payments.authority import access, factors, people, vouching

AT = datetime(2026, 3, 10, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIJG, LIMIN, CHENGFS, XIAOZHOU, ZHAO, CHENM = (
    PersonId(p) for p in ("lijg", "limin", "chengfs", "xiaozhou", "zhao", "chenm")
)


def vouched(tx: Tx, person: PersonId, by: PersonId, at: datetime = AT) -> bool:
    return vouching.vouch(tx, person, by, at)


def test_a_relative_comes_first_then_staff_when_nobody_answers(town: Store) -> None:
    def go(tx: Tx) -> list[object]:
        first = vouching.ask(tx, LIJG, AT)
        return [
            first,
            vouching.who_may(tx, LIJG, AT + HOUR),
            vouching.ask(tx, LIJG, AT + 2 * HOUR),
            vouched(tx, LIJG, ZHAO, AT + 2 * HOUR),
        ]

    assert town.run_now(go) == [(LIMIN,), (LIMIN,), (ZHAO,), True]


def test_staff_wait_for_their_turn_and_a_relative_who_answers_late_is_heard(town: Store) -> None:
    def go(tx: Tx) -> list[bool]:
        vouching.ask(tx, LIJG, AT)
        early = vouched(tx, LIJG, ZHAO, AT + HOUR)
        return [early, vouching.waits(tx, LIJG, ZHAO, AT + 2 * HOUR), vouched(tx, LIJG, LIMIN, AT + 3 * HOUR)]

    assert town.run_now(go) == [False, True, True]


def test_a_helper_he_lets_look_after_his_bills_comes_before_the_desk(town: Store) -> None:
    assert town.run_now(lambda tx: vouching.ask(tx, CHENGFS, AT)) == (XIAOZHOU,)


def test_nobody_vouches_unasked_or_for_himself_or_as_a_stranger(town: Store) -> None:
    def go(tx: Tx) -> list[bool]:
        unasked = vouched(tx, LIJG, LIMIN)
        vouching.ask(tx, LIJG, AT)
        return [unasked, *(vouched(tx, LIJG, by) for by in (LIJG, CHENM, XIAOZHOU))]

    assert town.run_now(go) == [False] * 4


def test_a_second_word_to_the_same_request_does_not_take_the_new_pin_away(town: Store) -> None:
    def go(tx: Tx) -> list[object]:
        vouching.ask(tx, LIJG, AT)
        first = vouched(tx, LIJG, LIMIN)
        factors.set_pin(tx, LIJG, "7193", AT)
        return [first, vouched(tx, LIJG, LIMIN), factors.has_pin(tx, LIJG)]

    assert town.run_now(go) == [True, False, True]


def test_a_request_lives_a_day_and_a_leave_taken_back_wins(town: Store) -> None:
    def go(tx: Tx) -> list[bool]:
        vouching.ask(tx, LIJG, AT)
        late = vouched(tx, LIJG, LIMIN, AT + DAY)
        vouching.ask(tx, LIJG, AT + DAY)
        access.revoke(tx, LIJG, LIMIN, AT + DAY)
        return [late, vouched(tx, LIJG, LIMIN, AT + DAY)]

    assert town.run_now(go) == [False, False]


def test_twice_a_week_and_then_in_person(town: Store) -> None:
    def go(tx: Tx) -> list[object]:
        for n in (0, 1):
            vouching.ask(tx, LIJG, AT + n * DAY)
            assert vouched(tx, LIJG, LIMIN, AT + n * DAY)
        return [vouching.ask(tx, LIJG, AT + 2 * DAY), vouching.ask(tx, LIJG, AT + 8 * DAY)]

    assert town.run_now(go) == [(), (LIMIN,)]


def test_staff_vouch_for_five_people_a_day(town: Store) -> None:
    elders = [PersonId(f"elder{n}") for n in range(6)]

    def go(tx: Tx) -> list[bool]:
        asker = people.person(tx, CHENGFS)
        for elder in elders:
            people.add_person(tx, type(asker)(elder, "程福生"), AT - DAY)
            access.grant(tx, elder, XIAOZHOU, [May.BILLS], AT - DAY)
            vouching.ask(tx, elder, AT)
        return [vouched(tx, elder, XIAOZHOU) for elder in elders]

    assert town.run_now(go) == [True] * 5 + [False]


def test_it_is_in_the_audit_and_nothing_rises_for_three_days(town: Store) -> None:
    def go(tx: Tx) -> list[object]:
        before, seq = people.cooling(tx, CHENGFS, AT), journal.newest(tx)
        vouching.ask(tx, CHENGFS, AT)
        vouched(tx, CHENGFS, XIAOZHOU)
        factors.set_pin(tx, CHENGFS, "7193", AT)
        line = tx.conn.execute(sa.select(audit).where(audit.c.seq > seq, audit.c.kind == "pin_lifted")).one()
        cooling = [people.cooling(tx, CHENGFS, AT + timedelta(hours=h)) for h in (1, 71, 72)]
        return [before, line.actor, line.body["as"], *cooling]

    assert town.run_now(go) == [False, XIAOZHOU, "staff", True, True, False]


# --- begun by staff who serves him ----------------------------------------------------------------------------------


def test_staff_begins_and_nothing_changes_before_his_own_yes(town: Store) -> None:
    def go(tx: Tx) -> list[object]:
        begun = vouching.begin(tx, CHENGFS, ZHAO, AT)
        still = factors.has_pin(tx, CHENGFS)
        agreed = vouching.agreed(tx, CHENGFS, ZHAO, AT + HOUR)
        free = factors.lifted(tx, CHENGFS, AT + HOUR), people.cooling(tx, CHENGFS, AT + HOUR)
        return [begun, still, agreed, free, vouching.agreed(tx, CHENGFS, ZHAO, AT + HOUR)]

    assert town.run_now(go) == [True, True, True, (True, True), False]


def test_his_yes_counts_for_nothing_that_was_not_begun_or_is_a_day_old_or_was_begun_by_family(
    town: Store,
) -> None:
    def go(tx: Tx) -> list[bool]:
        unasked = vouching.agreed(tx, CHENGFS, ZHAO, AT)
        by_family = vouching.begin(tx, LIJG, LIMIN, AT)
        vouching.begin(tx, CHENGFS, ZHAO, AT)
        another = vouching.agreed(tx, CHENGFS, XIAOZHOU, AT)
        return [unasked, by_family, another, vouching.agreed(tx, CHENGFS, ZHAO, AT + DAY)]

    assert town.run_now(go) == [False] * 4


def test_it_is_no_trade_and_not_done_over_and_over(town: Store) -> None:
    def go(tx: Tx) -> list[bool]:
        done = []
        for n in range(3):
            factors.set_pin(tx, CHENGFS, "580273", AT + n * HOUR)
            begun = vouching.begin(tx, CHENGFS, ZHAO, AT + n * HOUR)
            done.append(begun and vouching.agreed(tx, CHENGFS, ZHAO, AT + n * HOUR))
        return done

    assert town.run_now(go) == [True, True, False]
