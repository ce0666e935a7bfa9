"""Becoming known: a number proven by its code, few codes and few tries, nobody's household entered, and a number that moved."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from data.ids import PersonId
from data.store.engine import Store, Tx
from data.store.people import enrolments
from data.town import load_world
from payments.authority import enrolling, factors, people
from payments.authority.enrolling import Enrolled, PhoneProblem
from payments.authority.factors import FactorExpired, FactorPassed, FactorWrong, IssuedCode, PinProblem

AT = load_world().start
NEW, OTHER = PersonId("browser_1"), PersonId("browser_2")
LIMIN, LIJG, WANGXY = PersonId("limin"), PersonId("lijg"), PersonId("wangxy")
UNKNOWN, OF_LIMIN, OF_LIJG = "01055507070", "01055503333", "01055501111"


def sent(tx: Tx, talker: PersonId = NEW, phone: str = UNKNOWN, at: datetime = AT) -> str:
    issued = enrolling.send_code(tx, talker, phone, at)
    assert isinstance(issued, IssuedCode)
    return issued.code


def prove(tx: Tx, talker: PersonId = NEW, phone: str = UNKNOWN, at: datetime = AT) -> None:
    assert enrolling.check_code(tx, talker, sent(tx, talker, phone, at), at) == FactorPassed("code")


def other_than(code: str) -> str:
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def test_a_newcomer_is_enrolled_and_reached_at_his_number(town: Store) -> None:
    def go(tx: Tx) -> object:
        prove(tx)
        done = enrolling.enrol(tx, NEW, "web", "王芳", "5826", "zh", AT)
        reached = {(a.channel, a.verified) for a in people.addresses_of(tx, NEW)}
        factor = factors.check(tx, NEW, None, "", "5826", AT)
        return done, reached, people.person(tx, NEW).name, factor, people.cooling(tx, NEW, AT)

    done, reached, name, factor, cooling = town.run_now(go)  # type: ignore[misc]
    assert done == Enrolled(NEW, known=False)
    assert reached == {("web", True), ("sms", True), ("voice", True)}
    assert (name, factor, cooling) == ("王芳", FactorPassed("pin"), False)


def test_nobody_is_enrolled_without_the_code(town: Store) -> None:
    def go(tx: Tx) -> object:
        wrong = enrolling.check_code(tx, NEW, other_than(sent(tx)), AT)
        return wrong, enrolling.enrol(tx, NEW, "web", "王芳", "5826", "zh", AT), people.find(tx, NEW)

    assert town.run_now(go) == (FactorWrong(2), None, None)


def test_three_wrong_tries_kill_the_code_and_the_right_one_comes_too_late(town: Store) -> None:
    def go(tx: Tx) -> list[object]:
        code = sent(tx)
        return [enrolling.check_code(tx, NEW, d, AT) for d in (*[other_than(code)] * 3, code)]

    assert town.run_now(go) == [FactorWrong(2), FactorWrong(1), FactorExpired(), FactorExpired()]


def test_a_code_is_good_once_for_ten_minutes_and_for_who_asked(town: Store) -> None:
    def go(tx: Tx) -> list[object]:
        code = sent(tx)
        sent(tx, OTHER, "01055508080")
        return [
            enrolling.check_code(tx, OTHER, code, AT),
            enrolling.check_code(tx, NEW, code, AT + timedelta(minutes=10)),
            enrolling.check_code(tx, NEW, code, AT),
            enrolling.check_code(tx, NEW, code, AT),
        ]

    assert town.run_now(go) == [FactorWrong(2), FactorExpired(), FactorPassed("code"), FactorExpired()]


def test_a_proof_is_no_proof_after_half_an_hour(town: Store) -> None:
    def go(tx: Tx) -> object:
        prove(tx)
        return enrolling.enrol(tx, NEW, "web", "王芳", "5826", "zh", AT + timedelta(minutes=30))

    assert town.run_now(go) is None


@pytest.mark.parametrize("phone", [UNKNOWN, OF_LIMIN])
def test_a_known_number_answers_as_an_unknown_one(town: Store, phone: str) -> None:
    def go(tx: Tx) -> list[type]:
        return [
            type(enrolling.send_code(tx, PersonId(f"b{n}"), "+86 " + phone if n else phone, AT))
            for n in range(4)
        ]

    assert town.run_now(go) == [IssuedCode, IssuedCode, IssuedCode, PhoneProblem]


def test_whoever_asks_for_many_numbers_gets_no_more_codes(town: Store) -> None:
    def go(tx: Tx) -> tuple[list[type], type]:
        today = [type(enrolling.send_code(tx, NEW, f"1390000000{n}", AT)) for n in range(6)]
        return today, type(enrolling.send_code(tx, NEW, UNKNOWN, AT + timedelta(hours=25)))

    assert town.run_now(go) == ([IssuedCode] * 5 + [PhoneProblem], IssuedCode)


@pytest.mark.parametrize("phone", ["95598", "12345678901", "139000012345", "１３９００００１２３４5", ""])
def test_what_is_no_number_gets_no_code(town: Store, phone: str) -> None:
    assert town.run_now(lambda tx: enrolling.send_code(tx, NEW, phone, AT)) is PhoneProblem.NO_NUMBER


def test_the_number_stands_nowhere_as_it_is(town: Store) -> None:
    def go(tx: Tx) -> bytes:
        code = sent(tx)
        row = tx.conn.execute(sa.select(enrolments)).one()
        assert code.encode() not in row.digest
        return bytes(row.phone)

    assert UNKNOWN.encode() not in town.run_now(go)


@pytest.mark.parametrize("pin", ["1234", "7777", "7070", "12a4", "123"])
def test_a_weak_pin_enrols_nobody(town: Store, pin: str) -> None:
    def go(tx: Tx) -> tuple[bool, object]:
        prove(tx)
        problem = enrolling.enrol(tx, NEW, "web", "王芳", pin, "zh", AT)
        return isinstance(problem, PinProblem), people.find(tx, NEW)

    assert town.run_now(go) == (True, None)


def test_a_known_person_has_one_more_address_which_cools_off(town: Store) -> None:
    def go(tx: Tx) -> object:
        prove(tx, phone=OF_LIMIN)
        linked = enrolling.link_known(tx, NEW, "web", "李敏", AT)
        soon, later = AT + timedelta(hours=71), AT + timedelta(hours=72)
        cooling = people.cooling(tx, LIMIN, soon), people.cooling(tx, LIMIN, later)
        return linked, people.person_at(tx, "web", NEW), cooling

    assert town.run_now(go) == (LIMIN, [LIMIN], (True, False))


@pytest.mark.parametrize("name", ["李建国", "王芳"])
def test_the_number_alone_makes_nobody_somebody_else(town: Store, name: str) -> None:
    def go(tx: Tx) -> object:
        prove(tx, phone=OF_LIMIN)
        return enrolling.link_known(tx, NEW, "web", name, AT), people.person_at(tx, "web", NEW)

    assert town.run_now(go) == (None, [])


def test_a_name_without_the_code_links_nobody(town: Store) -> None:
    def go(tx: Tx) -> object:
        sent(tx, phone=OF_LIMIN)
        return enrolling.link_known(tx, NEW, "web", "李敏", AT), people.person_at(tx, "web", NEW)

    assert town.run_now(go) == (None, [])


def test_who_enrols_with_a_households_telephone_enters_no_household(town: Store) -> None:
    def go(tx: Tx) -> object:
        prove(tx, phone=OF_LIJG)
        enrolling.enrol(tx, NEW, "web", "王芳", "5826", "zh", AT)
        return people.households(tx, {NEW, LIJG}), people.person_at(tx, "voice", OF_LIJG)

    households, reached = town.run_now(go)  # type: ignore[misc]
    assert households == {NEW: {NEW}, LIJG: {LIJG, WANGXY}}
    assert reached == [LIJG, WANGXY]


def test_a_changed_number_selects_him_the_old_one_nobody_and_he_cools_off(town: Store) -> None:
    def go(tx: Tx) -> object:
        prove(tx, LIMIN, UNKNOWN)
        assert enrolling.change_number(tx, LIMIN, AT)
        again = enrolling.change_number(tx, LIMIN, AT)
        old = people.person_at(tx, "sms", OF_LIMIN) + people.person_at(tx, "voice", OF_LIMIN)
        new = people.person_at(tx, "sms", UNKNOWN)
        told = [a.external_id for a in people.addresses_of(tx, LIMIN) if a.channel == enrolling.BEFORE]
        return again, old, new, told, people.cooling(tx, LIMIN, AT + timedelta(hours=71))

    assert town.run_now(go) == (False, [], [LIMIN], [OF_LIMIN], True)


def test_a_number_does_not_move_unproven(town: Store) -> None:
    def go(tx: Tx) -> object:
        sent(tx, LIMIN, UNKNOWN)
        return enrolling.change_number(tx, LIMIN, AT), people.person_at(tx, "sms", OF_LIMIN)

    assert town.run_now(go) == (False, [LIMIN])


def test_a_lifted_pin_is_free_to_set_for_a_day_and_once(town: Store) -> None:
    def go(tx: Tx) -> list[bool]:
        before = factors.lifted(tx, LIJG, AT)
        factors.lift_pin(tx, LIJG, LIMIN, AT, {})
        lifted = [factors.lifted(tx, LIJG, AT + timedelta(hours=h)) for h in (0, 23, 24)]
        factors.set_pin(tx, LIJG, "7193", AT)
        return [before, *lifted, factors.lifted(tx, LIJG, AT)]

    assert town.run_now(go) == [False, True, True, False, False]
