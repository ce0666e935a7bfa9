"""The other elders a helper of the town looks after: invented from a fixed seed, the same in every run."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

from data.clock import shanghai
from data.ids import AccountId, BillerId, PersonId
from data.model import May, Person, Utility
from data.money import Money
from data.town.world import TownAccount, TownGrant, TownPerson, World

_SEED = 30
_FAMILY = "王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高梁"
_GIVEN = (
    "秀兰",
    "玉珍",
    "桂英",
    "淑华",
    "凤英",
    "德明",
    "国强",
    "志刚",
    "永福",
    "长根",
    "阿宝",
    "金娣",
    "惠芬",
    "根发",
    "文彬",
)
_BILLERS = (
    (Utility.ELECTRICITY, BillerId("sh-electricity"), "31008"),
    (Utility.WATER, BillerId("sh-water"), "32008"),
)


def with_elders(world: World, helper: PersonId) -> World:
    """The town with as many elders of this helper as it says she has, each with a grant to her and a bill or two.

    Two of three have a plain telephone; some owe nothing this week, so that a list has something to leave out.
    """
    there = sum(grant.to == helper for grant in world.grants)
    chance = random.Random(_SEED)  # noqa: S311 -- invented people, not a secret
    people, accounts, grants = dict(world.people), dict(world.accounts), list(world.grants)
    for n in range(world.people[helper].elders - there):
        elder = _elder(n, chance)
        people[elder.id] = elder
        for account in _bills(world, elder, n, chance):
            accounts[account.id] = account
        grants.append(TownGrant(elder.id, helper, frozenset({May.BILLS, May.START_PAYMENT})))
    return replace(world, people=people, accounts=accounts, grants=tuple(grants))


def _elder(n: int, chance: random.Random) -> TownPerson:
    name = chance.choice(_FAMILY) + chance.choice(_GIVEN)
    plain = n % 3 != 0
    person = Person(PersonId(f"elder{n + 1:02d}"), name, elder=True, smartphone=not plain)
    return TownPerson(
        person,
        "voice" if plain else "telegram",
        phone=f"021558{n + 1:05d}",
        age=chance.randint(68, 92),
    )


def _bills(world: World, elder: TownPerson, n: int, chance: random.Random) -> list[TownAccount]:
    """Numbers that no other account of the town has: the running number stands at their end."""
    today = shanghai(world.start).date()
    return [
        TownAccount(
            AccountId(f"{utility.value[0].upper()}-{elder.id}"),
            biller,
            utility,
            f"{begin}{n + 1:05d}",
            elder.name,
            elder.id,
            due=Money(chance.randint(1_500, 24_000)),
            due_date=today + timedelta(days=chance.randint(-6, 20)),
        )
        for utility, biller, begin in _BILLERS[: chance.randint(1, 2)]
    ]
