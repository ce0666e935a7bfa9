"""From a town's YAML to its values; what does not fit the catalogue or names nobody is refused by name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from data import catalogue
from data.clock import SHANGHAI
from data.ids import AccountId, BillerId, InstrumentId, PersonId
from data.model import Instrument, May, Person, Role, Utility
from data.money import Money
from data.town.world import (
    DryRun,
    Relation,
    TopUpRule,
    TownAccount,
    TownGrant,
    TownInstrument,
    TownPerson,
    World,
)

HERE = Path(__file__).parent
_START = datetime(2026, 3, 10, 9, tzinfo=SHANGHAI).astimezone(UTC)  # where every acceptance script begins
_ELDER_AGE = 60
_KEYS = frozenset(
    {
        "start",
        "people",
        "relations",
        "accounts",
        "rules",
        "instruments",
        "grants",
        "saved",
        "dry_run",
        "outlets",
    }
)
_PERSON_KEYS = frozenset(
    {
        "name",
        "age",
        "channel",
        "phone",
        "shares_phone_with",
        "role",
        "smartphone",
        "large",
        "low_sight",
        "voice_notes",
        "committee",
        "elders",
        "elder",
        "pin",
        "locale",
    }
)
_ACCOUNT_KEYS = frozenset(
    {"kind", "biller", "prepaid", "number", "holder", "balance", "daily_use", "due", "due_date", "meter"}
)
_ROLES = {"helper": Role.HELPER, "operator": Role.OPERATOR, "auditor": Role.AUDITOR}


class BadWorld(ValueError):
    """The town's file says something that cannot be; the text names the place."""


def load_world(path: Path | str | None = None) -> World:
    """The town of this file (default: the one that ships). A file may hold `world:` or its content. Raises BadWorld."""
    file = Path(path) if path else HERE / "world.yml"
    content = YAML(typ="safe", pure=True).load(file.read_text("utf-8"))
    if not isinstance(content, dict):
        raise BadWorld(f"{file.name}: not a mapping")
    return parse_world(content.get("world", content))


def parse_world(block: Mapping[str, Any]) -> World:
    """The town of one `world:` mapping. Raises BadWorld."""
    for key in block:
        _known(key.startswith("usage_history_yuan.") or key in _KEYS, "world", key)
    people = {PersonId(k): _person(k, v) for k, v in block.get("people", {}).items()}
    accounts = _accounts(block.get("accounts", {}), people)
    world = World(
        start=_instant(block["start"]) if "start" in block else _START,
        people=people,
        accounts=accounts,
        instruments={InstrumentId(k): _instrument(k, v) for k, v in block.get("instruments", {}).items()},
        grants=tuple(_grant(row) for row in block.get("grants", ())),
        saved={PersonId(k): tuple(map(AccountId, v)) for k, v in block.get("saved", {}).items()},
        relations=tuple(_relation(row) for row in block.get("relations", ())),
        rules={k: v for k, v in block.get("rules", {}).items() if isinstance(v, str)},
        top_up=_top_up(block.get("rules", {}).get("topup", {})),
        usage_history=_usage(block),
        dry_run=_dry_run(block.get("dry_run")),
        outlets=block.get("outlets", {}),
    )
    _everybody_exists(world)
    return world


def _known(ok: bool, place: str, key: str) -> None:
    if not ok:
        raise BadWorld(f"{place}: unknown key {key!r}")


def _instant(text: str | datetime) -> datetime:
    at = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=SHANGHAI)).astimezone(UTC)


def _person(key: str, row: Mapping[str, Any]) -> TownPerson:
    for name in row:
        _known(name in _PERSON_KEYS, f"people.{key}", name)
    age = row.get("age")
    return TownPerson(
        person=Person(
            id=PersonId(key),
            name=row["name"],
            role=_ROLES.get(row.get("role", ""), Role.FAMILY),
            locale=row.get("locale", "zh"),
            elder=row.get("elder", (age or 0) >= _ELDER_AGE),
            low_sight=row.get("low_sight", False),
            smartphone=row.get("smartphone", True),
            voice_notes=row.get("voice_notes", False),
        ),
        channel=row.get("channel", "voice" if "shares_phone_with" in row else "console"),
        phone=row.get("phone", ""),
        age=age,
        shares_phone_with=PersonId(row["shares_phone_with"]) if "shares_phone_with" in row else None,
        committee=row.get("committee", ""),
        elders=row.get("elders", 0),
        pin=row.get("pin") or _demo_pin(key),
    )


def _demo_pin(person: str) -> str:
    """Four digits that a script without PINs gives its people, the same in every run."""
    return f"{int(hashlib.sha256(person.encode()).hexdigest(), 16) % 10_000:04d}"


def _accounts(rows: Mapping[str, Any], people: Mapping[PersonId, TownPerson]) -> dict[AccountId, TownAccount]:
    book = catalogue.load()
    kinds = {name: utility for utility, words in book.words.items() for name in words.values()}
    found: dict[AccountId, TownAccount] = {}
    # Accounts whose biller or holder says the city come first; a stranger's number is then placed beside its likes.
    named = {k: v for k, v in rows.items() if k != "more_kinds"}
    for key, row in sorted(named.items(), key=lambda item: _city_told(book, item[1], people) is None):
        for name in row:
            _known(name in _ACCOUNT_KEYS, f"accounts.{key}", name)
        try:
            utility = kinds[row["kind"]]
        except KeyError:
            raise BadWorld(f"accounts.{key}: unknown kind {row.get('kind')!r}") from None
        found[AccountId(key)] = _account(
            key, row, utility, _biller(book, key, row, utility, people, found.values()), people
        )
    return {AccountId(k): found[AccountId(k)] for k in named}


def _account(
    key: str,
    row: Mapping[str, Any],
    utility: Utility,
    biller: BillerId,
    people: Mapping[PersonId, TownPerson],
) -> TownAccount:
    holder = next((p.id for p in people.values() if p.name == row["holder"]), None)
    if row.get("prepaid", False) != ("balance" in row):
        raise BadWorld(f"accounts.{key}: a prepaid account has a balance, and only it")
    return TownAccount(
        id=AccountId(key),
        biller=biller,
        utility=utility,
        number=row["number"],
        holder_name=row["holder"],
        holder=holder,
        due=Money(row.get("due", 0)),
        due_date=_day(row.get("due_date")),
        balance=Money(row["balance"]) if "balance" in row else None,
        daily_use=Money(row["daily_use"]) if "daily_use" in row else None,
        ic_card=row.get("meter") == "ic_card",
    )


def _day(value: str | date | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _biller(
    book: catalogue.Catalogue,
    key: str,
    row: Mapping[str, Any],
    utility: Utility,
    people: Mapping[PersonId, TownPerson],
    placed: Iterable[TownAccount],
) -> BillerId:
    """The biller named, or that of the holder's city, or that of the most similar number of the same kind."""
    if "biller" in row:
        chosen = book.biller(row["biller"])
    else:
        fitting = [b for b in book.candidates(row["number"]) if b.utility == utility]
        city = _city_told(book, row, people)
        here = [b for b in fitting if b.city == city] or fitting
        if not here:
            raise BadWorld(f"accounts.{key}: no biller of this kind has such a number")
        like = {a.biller: _alike(a.number, row["number"]) for a in placed}
        chosen = max(here, key=lambda b: like.get(b.id, 0))
    if chosen.utility != utility or not catalogue.fits(chosen.form, row["number"]):
        raise BadWorld(f"accounts.{key}: kind or number does not fit {chosen.id}")
    return chosen.id


def _alike(one: str, other: str) -> int:
    """How many digits two numbers share from the front."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _city_told(
    book: catalogue.Catalogue, row: Mapping[str, Any], people: Mapping[PersonId, TownPerson]
) -> str | None:
    """The city told by the biller named or by the area code of the holder's (or the household's) telephone."""
    if "biller" in row:
        return book.biller(row["biller"]).city
    holder = next((p for p in people.values() if p.name == row.get("holder")), None)
    if holder is None:
        return None
    shared = people.get(holder.shares_phone_with) if holder.shares_phone_with else None
    city = book.city_of_phone(holder.phone or (shared.phone if shared else ""))
    return city.id if city else None


def _instrument(key: str, row: Mapping[str, Any]) -> TownInstrument:
    purse = Instrument(InstrumentId(key), PersonId(row["owner"]), row.get("token", f"purse-{key}"))
    return TownInstrument(purse, Money(row["funds"]))


def _grant(row: Mapping[str, Any]) -> TownGrant:
    return TownGrant(
        PersonId(row["elder"]),
        PersonId(row["to"]),
        frozenset(map(May, row["may"])),
        frozenset(map(May, row.get("not", ()))),
    )


def _relation(row: Mapping[str, str]) -> Relation:
    return Relation(PersonId(row["person"]), PersonId(row["of"]), row["is"])


def _top_up(row: Mapping[str, int]) -> TopUpRule:
    return TopUpRule(
        Money(row.get("step", 1_000)), Money(row.get("min", 1_000)), Money(row.get("max", 500_000))
    )


def _usage(block: Mapping[str, Any]) -> dict[AccountId, dict[str, Money]]:
    prefix = "usage_history_yuan."
    return {
        AccountId(key.removeprefix(prefix)): {str(month): Money(yuan * 100) for month, yuan in row.items()}
        for key, row in block.items()
        if key.startswith(prefix)
    }


def _dry_run(row: Mapping[str, Any] | None) -> DryRun | None:
    return DryRun(Money(row["start"]), row["spread"]) if row else None


def _everybody_exists(world: World) -> None:
    """Refuses a town that speaks of people or accounts it does not have."""
    people = {i.instrument.owner for i in world.instruments.values()} | set(world.saved)
    people |= {x for g in world.grants for x in (g.elder, g.to)}
    people |= {x for r in world.relations for x in (r.person, r.of)}
    people |= {p.shares_phone_with for p in world.people.values() if p.shares_phone_with}
    accounts = {a for saved in world.saved.values() for a in saved} | set(world.usage_history)
    for missing in sorted(people - set(world.people)) + sorted(accounts - set(world.accounts)):
        raise BadWorld(f"the world has no {missing!r}")
