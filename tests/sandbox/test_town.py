"""The demonstration town is what the acceptance scripts say it is, and a town that contradicts itself is refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from data.clock import shanghai
from data.ids import AccountId, PersonId
from data.model import May, Role
from data.money import Money, total
from data.town import BadWorld, TownAccount, TownPerson, load_world, parse_world

WORLD = load_world()


def account(key: str) -> TownAccount:
    return WORLD.accounts[AccountId(key)]


def person(key: str) -> TownPerson:
    return WORLD.people[PersonId(key)]


def test_the_town_starts_on_a_tuesday_morning() -> None:
    start = shanghai(WORLD.start)
    assert (start.date(), start.hour, start.weekday()) == (date(2026, 3, 10), 9, 1)


def test_meters_and_bills_are_those_of_the_scripts() -> None:
    meter = account("E-LI")
    assert (meter.biller, meter.balance, meter.daily_use) == ("bj-electricity", Money(1_860), Money(320))
    late = account("E-CHENG")
    assert (late.biller, late.due, late.due_date) == ("sh-electricity", Money(12_345), date(2026, 2, 18))
    assert account("G-CHENG").ic_card
    assert account("E-ZHENG").holder is None
    assert account("E-CHENG").account.holder_masked == "程*生"


def test_people_share_telephones_and_relate_to_each_other() -> None:
    assert [p.id for p in WORLD.by_phone("01055501111")] == ["lijg", "wangxy"]
    assert WORLD.relation("limin", "wangxy") == "daughter"
    assert WORLD.relation("chenm", "zhanggf") == "son"
    assert WORLD.relation("xiaozhou", "chengfs") == "helper"
    assert WORLD.relation("chenm", "lijg") is None
    assert person("xiaozhou").person.role is Role.HELPER
    assert person("chengfs").person.low_sight
    assert not person("lijg").person.smartphone


def test_purses_grants_and_last_years_use_are_there() -> None:
    purse = WORLD.purse_of("chengfs")
    assert purse is not None
    assert (purse.instrument.id, purse.funds) == ("pm-cheng", Money(20_000))
    assert WORLD.purse_of("lijg") is None
    helper = next(g for g in WORLD.grants if g.to == "xiaozhou")
    assert helper.may == {May.BILLS, May.START_PAYMENT}
    assert May.CONFIRM_PAYMENT in helper.denied
    last_year = WORLD.usage_history[AccountId("E-LI")]
    assert total(list(last_year.values())) == Money(116_000)
    assert WORLD.dry_run is not None
    assert WORLD.top_up.step == Money(1_000)


def test_everybody_has_a_pin_of_his_own_and_nothing_secret_is_shown() -> None:
    pins = [p.pin for p in WORLD.people.values()]
    assert all(len(pin) == 4 and pin.isdigit() for pin in pins)
    assert len(set(pins)) == len(pins)
    shown = repr(WORLD)
    secrets = [*pins, *(a.number for a in WORLD.accounts.values())]
    secrets += [i.instrument.token for i in WORLD.instruments.values()]
    assert not [secret for secret in secrets if f"'{secret}'" in shown]


BARE = {
    "people": {
        "wu": {"name": "吴刚", "age": 70, "phone": "02155501234"},
        "wife": {"name": "常娥", "age": 68, "shares_phone_with": "wu"},
    },
    "accounts": {
        "STRANGER": {"kind": "电费", "number": "3100456721", "holder": "赵丽华", "due": 100},
        "E-WU": {"kind": "电费", "number": "3100456712", "holder": "吴刚", "due": 100},
        "G-WU": {"kind": "燃气费", "number": "3300889900", "holder": "常娥", "due": 100},
        "more_kinds": ["供暖费"],
    },
}


def test_a_script_may_leave_out_billers_and_pins() -> None:
    world = parse_world(BARE)
    billers = {key: account.biller for key, account in world.accounts.items()}
    assert billers == {"STRANGER": "sh-electricity", "E-WU": "sh-electricity", "G-WU": "sh-gas"}
    assert list(world.accounts) == ["STRANGER", "E-WU", "G-WU"]
    assert parse_world(BARE).people == world.people
    assert all(p.person.elder and bool(p.pin) for p in world.people.values())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"poeple": {}}, "poeple"),
        ({"people": {"wu": {"name": "吴刚", "hat": "red"}}}, "people.wu.*hat"),
        ({"accounts": {"X": {"kind": "会费", "number": "1234", "holder": "吴刚"}}}, "accounts.X.*会费"),
        ({"accounts": {"X": {"kind": "电费", "number": "12", "holder": "吴刚"}}}, "accounts.X"),
        ({"accounts": {"X": {"kind": "电费", "number": "1100223344", "holder": "吴刚", "prepaid": True}}}, "accounts.X.*balance"),
        ({"accounts": {"X": {"kind": "水费", "number": "1100223344", "holder": "吴刚", "biller": "bj-gas"}}}, "accounts.X.*bj-gas"),
        ({"saved": {"wu": ["E-NOWHERE"]}}, "E-NOWHERE"),
        ({"grants": [{"elder": "wu", "to": "nobody", "may": ["bills"]}]}, "nobody"),
        ({"relations": [{"person": "nobody", "of": "wu", "is": "son"}]}, "nobody"),
    ],
)  # fmt: skip
def test_a_town_that_cannot_be_is_refused_by_place(change: dict[str, Any], told: str) -> None:
    with pytest.raises(BadWorld, match=told):
        parse_world(BARE | change)
