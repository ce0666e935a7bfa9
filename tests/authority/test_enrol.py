"""The demonstration town as the application knows it on its first morning."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from data.ids import ActId, PersonId
from data.store.engine import Store, Tx
from data.store.people import accounts as account_rows
from data.town import World
from payments.authority import factors, people
from payments.authority.enrol import enrol_world

AT = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)


def test_everybody_is_enrolled_with_his_pin(town: Store, world: World) -> None:
    assert {p.id for p in town.run_now(people.everybody)} == set(world.people)

    def pin(tx: Tx) -> factors.Checked:
        pin = world.people[PersonId("lijg")].pin
        return factors.check(tx, PersonId("lijg"), ActId("act_1"), "", pin, AT)

    assert town.run_now(pin) == factors.FactorPassed("pin")


def test_the_home_telephone_rings_for_both_the_father_first(town: Store) -> None:
    assert town.run_now(lambda tx: people.person_at(tx, "voice", "01055501111")) == ["lijg", "wangxy"]


def test_who_writes_has_another_address_for_his_codes(town: Store) -> None:
    reached = town.run_now(lambda tx: people.addresses_of(tx, PersonId("limin")))
    assert {a.channel for a in reached} == {"telegram", "voice", "sms"}
    assert all(a.verified for a in reached)


def test_notices_go_to_the_chat_somebody_uses_and_ring_only_who_has_none(town: Store, world: World) -> None:
    """Everybody at once: an order left to chance would send half of them to the telephone."""
    for person in world.people:
        first = next(
            a for a in town.run_now(lambda tx, p=person: people.addresses_of(tx, p)) if a.channel != "sms"
        )
        assert first.channel == (world.people[person].channel or "voice"), person


def test_relations_are_told_from_both_sides(town: Store) -> None:
    def kinds(person: str) -> dict[str, str]:
        found = town.run_now(lambda tx: people.relatives(tx, PersonId(person)))
        return {r.relative: r.kind for r in found}

    assert kinds("limin") == {"lijg": "father", "wangxy": "mother"}
    assert kinds("lijg") == {"limin": "daughter", "wangxy": "wife"}
    assert kinds("chengfs") == {"xiaozhou": "helper"}


def test_only_accounts_somebody_told_us_of_are_kept(town: Store) -> None:
    kept = town.run_now(lambda tx: set(tx.conn.scalars(sa.select(account_rows.c.id))))
    assert kept == {"E-LI", "W-LI", "G-LI", "E-CHENG", "W-CHENG", "G-CHENG"}


def test_a_town_with_a_pin_nobody_may_choose_is_refused_whole(store: Store, world: World) -> None:
    limin = PersonId("limin")
    weak = replace(world, people={**world.people, limin: replace(world.people[limin], pin="1111")})
    with pytest.raises(ValueError, match="too_simple"):
        store.run_now(lambda tx: enrol_world(tx, weak, AT))
    assert store.run_now(people.everybody) == []
