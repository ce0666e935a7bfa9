"""The second factor: three tries, one use, ten minutes, one act; and its digits appear nowhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from data.ids import ActId, PersonId
from data.model import Person, Role
from data.store import journal
from data.store.engine import Store, Tx
from data.store.schema import metadata
from payments.authority import factors, people, staff
from payments.authority.factors import (
    Checked,
    FactorBlocked,
    FactorExpired,
    FactorPassed,
    FactorWrong,
    IssuedCode,
    PinProblem,
)
from tests.databases import KINDS, Databases

AT = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
LIMIN, LIJG, ZHAO = map(PersonId, ("limin", "lijg", "zhao"))
ACT, OTHER_ACT = ActId("act_1"), ActId("act_2")
BINDING = "E-LI:10000:pm-limin"
PIN = "4071"


def enrolled(tx: Tx) -> None:
    people.add_person(tx, Person(LIMIN, "李敏"), AT)
    people.add_person(tx, Person(LIJG, "李建国", elder=True), AT)
    people.add_person(tx, Person(ZHAO, "赵工", Role.OPERATOR), AT)
    people.add_address(tx, LIMIN, "sms", "01055503333", AT, verified=True)
    people.relate(tx, LIJG, LIMIN, "daughter")
    assert factors.set_pin(tx, LIMIN, PIN, AT) is None


@pytest.fixture(params=KINDS)
def three(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Store]:
    with databases.store(request.param, enrolled) as store:
        yield store


def issue(store: Store, at: datetime = AT, act: ActId = ACT, person: PersonId = LIMIN) -> IssuedCode:
    return store.run_now(lambda tx: factors.issue_code(tx, person, act, BINDING, at))


def check(
    store: Store,
    digits: str,
    at: datetime = AT,
    act: ActId | None = ACT,
    binding: str = BINDING,
    person: PersonId = LIMIN,
) -> Checked:
    return store.run_now(lambda tx: factors.check(tx, person, act, binding, digits, at))


def wrong_code(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


# --- PIN --------------------------------------------------------------------------------------------------------


def test_the_right_pin_passes_again_and_again(three: Store) -> None:
    assert [check(three, PIN) for _ in range(3)] == [FactorPassed("pin")] * 3


def test_three_wrong_pins_block_for_a_day_even_the_right_one(three: Store) -> None:
    tries = [check(three, pin) for pin in ("4072", "4073", "4074")]
    assert tries == [FactorWrong(2), FactorWrong(1), FactorBlocked(AT + DAY)]
    assert check(three, PIN, AT + DAY - MINUTE) == FactorBlocked(AT + DAY)
    assert check(three, PIN, AT + DAY) == FactorPassed("pin")


def test_after_the_block_there_are_three_new_tries(three: Store) -> None:
    for _ in range(3):
        check(three, "0000")
    again = [check(three, "0000", AT + DAY) for _ in range(3)]
    assert again == [FactorWrong(2), FactorWrong(1), FactorBlocked(AT + 2 * DAY)]
    assert check(three, PIN, AT + DAY) == FactorBlocked(AT + 2 * DAY)


def test_a_right_pin_forgives_the_wrong_ones_before_it(three: Store) -> None:
    for _ in range(4):
        assert check(three, "4072") == FactorWrong(2)
        assert check(three, PIN) == FactorPassed("pin")


@pytest.mark.parametrize("digits", ["", "407", "40712", "4071000", "四零七一", "407１", "' or 1=1"])
def test_anything_else_is_a_wrong_pin(three: Store, digits: str) -> None:
    assert check(three, digits) == FactorWrong(2)


def test_a_pin_is_its_owners(three: Store) -> None:
    three.run_now(lambda tx: factors.set_pin(tx, LIJG, "2946", AT))
    assert check(three, PIN, person=LIJG) == FactorWrong(2)
    assert check(three, "2946", person=LIJG) == FactorPassed("pin")


@pytest.mark.parametrize(
    ("pin", "problem"),
    [
        ("123", PinProblem.LENGTH),
        ("1234567", PinProblem.LENGTH),
        ("12a4", PinProblem.NOT_DIGITS),
        ("１２３９", PinProblem.NOT_DIGITS),
        ("", PinProblem.NOT_DIGITS),
        ("1111", PinProblem.TOO_SIMPLE),
        ("1234", PinProblem.TOO_SIMPLE),
        ("987654", PinProblem.TOO_SIMPLE),
        ("3333", PinProblem.TOO_SIMPLE),
        ("503333", PinProblem.TOO_SIMPLE),  # the end of her telephone number
        ("2580", None),
        ("824617", None),
    ],
)
def test_which_pins_are_taken(three: Store, pin: str, problem: PinProblem | None) -> None:
    assert three.run_now(lambda tx: factors.set_pin(tx, LIMIN, pin, AT)) is problem
    assert isinstance(check(three, pin or "x"), FactorPassed) is (problem is None)


def test_a_blocked_pin_is_not_unblocked_by_choosing_another(three: Store) -> None:
    for _ in range(3):
        check(three, "0000")
    assert three.run_now(lambda tx: factors.set_pin(tx, LIMIN, "2580", AT)) is PinProblem.BLOCKED
    assert check(three, "2580") == FactorBlocked(AT + DAY)


# --- codes ------------------------------------------------------------------------------------------------------


def test_a_code_passes_once(three: Store) -> None:
    code = issue(three).code
    assert (len(code), code.isdigit()) == (6, True)
    assert check(three, code, AT + 9 * MINUTE) == FactorPassed("code")
    assert check(three, code, AT + 9 * MINUTE) == FactorExpired()


def test_a_code_lives_ten_minutes(three: Store) -> None:
    issued = issue(three)
    assert issued.expires_at == AT + 10 * MINUTE
    assert check(three, issued.code, issued.expires_at) == FactorExpired()


@pytest.mark.parametrize(
    ("act", "binding", "person"),
    [
        (OTHER_ACT, BINDING, LIMIN),
        (ACT, "E-LI:10001:pm-limin", LIMIN),
        (None, BINDING, LIMIN),
        (ACT, BINDING, LIJG),
    ],
    ids=["another act", "another amount", "no act", "another person"],
)
def test_a_code_is_worth_nothing_elsewhere(
    three: Store, act: ActId | None, binding: str, person: PersonId
) -> None:
    code = issue(three).code
    assert not isinstance(check(three, code, act=act, binding=binding, person=person), FactorPassed)


def test_after_three_wrong_tries_the_right_code_is_dead(store: Store) -> None:
    store.run_now(lambda tx: people.add_person(tx, Person(LIMIN, "李敏"), AT))
    code = issue(store).code
    assert [check(store, wrong_code(code)) for _ in range(3)] == [
        FactorWrong(2),
        FactorWrong(1),
        FactorWrong(0),
    ]
    assert check(store, code) == FactorExpired()


def test_a_new_code_ends_the_one_before(three: Store) -> None:
    first, second = issue(three).code, issue(three, AT + MINUTE).code
    if first != second:  # one in a million is the same, and then both are right
        assert not isinstance(check(three, first, AT + MINUTE), FactorPassed)
    assert check(three, second, AT + MINUTE) == FactorPassed("code")


def test_guessing_codes_with_ever_new_codes_ends_for_the_day(store: Store) -> None:
    store.run_now(lambda tx: people.add_person(tx, Person(LIMIN, "李敏"), AT))
    results: list[Checked] = []
    for n in range(3):
        code = issue(store, AT + n * MINUTE).code
        results += [check(store, wrong_code(code), AT + n * MINUTE) for _ in range(3)]
    assert results[-1] == FactorBlocked(AT + DAY)
    fresh = issue(store, AT + 4 * MINUTE).code
    assert check(store, fresh, AT + 4 * MINUTE) == FactorBlocked(AT + DAY)


def test_who_has_both_may_use_either(three: Store) -> None:
    code = issue(three).code
    assert check(three, PIN) == FactorPassed("pin")
    assert check(three, code) == FactorPassed("code")


def test_who_has_neither_has_nothing_to_try(three: Store) -> None:
    assert check(three, "2946", person=LIJG) == FactorExpired()


def test_six_wrong_digits_count_against_the_code_and_a_pin_of_six(three: Store) -> None:
    three.run_now(lambda tx: factors.set_pin(tx, LIMIN, "824617", AT))
    for _ in range(3):
        result = check(three, wrong_code(issue(three).code))
    assert result == FactorBlocked(AT + DAY)


# --- what is written and shown ----------------------------------------------------------------------------------


def test_every_check_is_in_the_book(three: Store) -> None:
    check(three, "0000")
    check(three, PIN)
    assert three.run_now(journal.kinds) == ["second_factor_failed", "second_factor_passed"]


def test_digits_appear_in_no_repr_no_log_and_no_table(three: Store, caplog: pytest.LogCaptureFixture) -> None:
    three.run_now(lambda tx: factors.set_pin(tx, LIMIN, "824617", AT))
    with caplog.at_level(logging.DEBUG):
        issued = issue(three)
        results = [check(three, wrong_code(issued.code)), check(three, "824617"), check(three, issued.code)]

    def everything(tx: Tx) -> str:
        return repr(
            [tuple(row) for table in metadata.sorted_tables for row in tx.conn.execute(sa.select(table))]
        )

    shown = repr(issued) + repr(results) + caplog.text + three.run_now(everything)
    assert "824617" not in shown
    assert issued.code not in shown


def test_the_same_pin_of_two_people_does_not_look_the_same(three: Store) -> None:
    three.run_now(lambda tx: factors.set_pin(tx, LIJG, PIN, AT))
    hashes = three.run_now(lambda tx: list(tx.conn.scalars(sa.text("SELECT hash FROM pins"))))
    assert len(set(hashes)) == 2
    assert all(h.startswith("$argon2id$") for h in hashes)


# --- the staff page ---------------------------------------------------------------------------------------------


def test_staff_signs_in_for_one_shift(three: Store) -> None:
    three.run_now(lambda tx: factors.set_pin(tx, ZHAO, "1864", AT))
    session = three.run_now(lambda tx: staff.sign_in(tx, ZHAO, "1864", AT))
    assert isinstance(session, staff.SignedIn)
    assert session.token not in repr(session)

    def who(at: datetime, token: str = session.token) -> PersonId | None:
        return three.run_now(lambda tx: staff.signed_in(tx, token, at))

    assert (who(AT), who(AT, "made up"), who(AT + staff.SHIFT)) == (ZHAO, None, None)
    three.run_now(lambda tx: staff.sign_out(tx, session.token))
    assert who(AT) is None


def test_a_wrong_pin_or_a_person_who_is_not_staff_does_not_get_in(three: Store) -> None:
    three.run_now(lambda tx: factors.set_pin(tx, ZHAO, "1864", AT))
    assert three.run_now(lambda tx: staff.sign_in(tx, ZHAO, "1865", AT)) == FactorWrong(2)
    assert three.run_now(lambda tx: staff.sign_in(tx, LIMIN, PIN, AT)) == FactorExpired()
    with pytest.raises(people.UnknownPerson):
        three.run_now(lambda tx: staff.sign_in(tx, PersonId("nobody"), "1864", AT))
