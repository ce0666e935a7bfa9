"""Who is enrolled, who is reached where, and who lives with whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from data.ids import PersonId
from data.model import Person, Role
from data.store.engine import Store, Tx
from data.store.people import people as rows
from payments.authority import people

AT = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)
LIJG, WANGXY, LIMIN = PersonId("lijg"), PersonId("wangxy"), PersonId("limin")
HOME = "01055501111"


@pytest.fixture
def family(store: Store) -> Store:
    def enrol(tx: Tx) -> None:
        people.add_person(tx, Person(LIJG, "李建国", elder=True, smartphone=False), AT)
        people.add_person(tx, Person(WANGXY, "王秀英", elder=True, smartphone=False), AT)
        people.add_person(tx, Person(LIMIN, "李敏", Role.FAMILY, "en", low_sight=True), AT + timedelta(1))
        people.add_address(tx, WANGXY, "voice", HOME, AT, verified=True, rank=1)
        people.add_address(tx, LIJG, "voice", HOME, AT, verified=True, rank=0)
        people.add_address(tx, LIMIN, "telegram", "limin", AT, verified=True)

    store.run_now(enrol)
    return store


def test_a_person_comes_back_as_enrolled(family: Store) -> None:
    found = family.run_now(lambda tx: people.person(tx, LIMIN))
    assert found == Person(LIMIN, "李敏", Role.FAMILY, "en", low_sight=True)
    assert [p.id for p in family.run_now(people.everybody)] == [LIJG, WANGXY, LIMIN]


def test_who_is_on_duty_is_found_without_opening_anybody_elses_name(family: Store) -> None:
    assert family.run_now(people.anybody)
    assert family.run_now(lambda tx: people.of_role(tx, Role.OPERATOR)) == []
    zhao = Person(PersonId("zhaogong"), "赵工", Role.OPERATOR)

    def enrol(tx: Tx) -> list[Person]:
        people.add_person(tx, zhao, AT)
        family_only = rows.c.role == Role.FAMILY.value
        tx.conn.execute(rows.update().where(family_only).values(name=b"cannot be opened"))
        return people.of_role(tx, Role.OPERATOR, Role.HELPER)

    assert family.run_now(enrol) == [zhao]


def test_nobody_is_invented(family: Store) -> None:
    with pytest.raises(people.UnknownPerson):
        family.run_now(lambda tx: people.person(tx, PersonId("nobody")))
    assert family.run_now(lambda tx: people.person_at(tx, "voice", "01099999999")) == []


@pytest.mark.parametrize("number", [HOME, "010-5550 1111", "+86 01055501111", "008601055501111"])
def test_a_shared_telephone_names_its_household_in_order(family: Store, number: str) -> None:
    assert family.run_now(lambda tx: people.person_at(tx, "voice", number)) == [LIJG, WANGXY]


def test_an_address_belongs_to_its_channel(family: Store) -> None:
    assert family.run_now(lambda tx: people.person_at(tx, "telegram", "limin")) == [LIMIN]
    assert family.run_now(lambda tx: people.person_at(tx, "wechat", "limin")) == []


def test_an_address_is_verified_later_and_shows_in_no_repr(family: Store) -> None:
    def ask(tx: Tx, verified: bool) -> people.Address:
        people.add_address(tx, LIMIN, "sms", "01055503333", AT, verified=verified)
        return next(a for a in people.addresses_of(tx, LIMIN) if a.channel == "sms")

    assert not family.run_now(lambda tx: ask(tx, False)).verified
    assert family.run_now(lambda tx: ask(tx, True)).verified
    found = family.run_now(lambda tx: ask(tx, False))
    assert (found.verified, found.external_id) == (True, "01055503333")
    assert "01055503333" not in repr(found)


def test_those_who_share_a_verified_telephone_are_a_household(family: Store) -> None:
    homes = family.run_now(lambda tx: people.households(tx, {LIJG, LIMIN}))
    assert homes == {LIJG: {LIJG, WANGXY}, LIMIN: {LIMIN}}


def test_claiming_a_telephone_without_proof_joins_no_household(family: Store) -> None:
    def claim(tx: Tx) -> dict[PersonId, frozenset[PersonId]]:
        people.add_address(tx, LIMIN, "voice", HOME, AT, verified=False)
        return people.households(tx, {LIMIN, LIJG})

    assert family.run_now(claim) == {LIMIN: {LIMIN}, LIJG: {LIJG, WANGXY}}


def test_relations_are_seen_from_the_person(family: Store) -> None:
    def relate(tx: Tx) -> list[people.Relation]:
        people.relate(tx, LIJG, LIMIN, "daughter")
        people.relate(tx, LIJG, LIMIN, "neighbour")
        return people.relatives(tx, LIJG)

    assert family.run_now(relate) == [people.Relation(LIMIN, "daughter")]
    assert family.run_now(lambda tx: people.relatives(tx, LIMIN)) == []


def test_preferences_are_kept(family: Store) -> None:
    family.run_now(lambda tx: people.prefer(tx, LIMIN, locale="zh", low_sight=False))
    found = family.run_now(lambda tx: people.person(tx, LIMIN))
    assert (found.locale, found.low_sight) == ("zh", False)
    family.run_now(lambda tx: people.prefer(tx, LIMIN))
    assert family.run_now(lambda tx: people.person(tx, LIMIN)) == found
