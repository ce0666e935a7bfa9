"""What a town consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from data.ids import AccountId, BillerId, InstrumentId, PersonId
from data.model import Account, Instrument, May, Person, Utility, masked_name
from data.money import ZERO, Money


@dataclass(frozen=True, slots=True)
class TownPerson:
    """Somebody of the town with his usual channel. The telephone number may be shared within a household."""

    person: Person
    channel: str
    phone: str = field(default="", repr=False)
    age: int | None = None
    shares_phone_with: PersonId | None = None
    committee: str = ""
    elders: int = 0  # how many elders a helper looks after
    pin: str = field(default="", repr=False)  # invented, for the demonstration only

    @property
    def id(self) -> PersonId:
        return self.person.id

    @property
    def name(self) -> str:
        return self.person.name


@dataclass(frozen=True, slots=True)
class Relation:
    """`person` is the `kind` of `of`: limin is the daughter of lijg."""

    person: PersonId
    of: PersonId
    kind: str


@dataclass(frozen=True, slots=True)
class TownAccount:
    """An account as the biller keeps it. Bills have `due` and `due_date`; prepaid meters `balance` and `daily_use`."""

    id: AccountId
    biller: BillerId
    utility: Utility
    number: str = field(repr=False)
    holder_name: str = field(repr=False)
    holder: PersonId | None = None  # None: somebody we do not know
    due: Money = ZERO
    due_date: date | None = None
    balance: Money | None = None
    daily_use: Money | None = None
    ic_card: bool = False  # gas is bought at a machine with a card; there is nothing to pay online

    @property
    def account(self) -> Account:
        """The account as the application knows it once it is saved."""
        return Account(
            self.id, self.biller, self.utility, self.number, self.holder, masked_name(self.holder_name)
        )


@dataclass(frozen=True, slots=True)
class TownInstrument:
    """A purse at the rail with what is in it."""

    instrument: Instrument
    funds: Money


@dataclass(frozen=True, slots=True)
class TownGrant:
    """What an elder lets somebody do; `denied` repeats what was expressly not given."""

    elder: PersonId
    to: PersonId
    may: frozenset[May]
    denied: frozenset[May] = frozenset()


@dataclass(frozen=True, slots=True)
class TopUpRule:
    """What a prepaid meter takes at once."""

    step: Money
    minimum: Money
    maximum: Money


@dataclass(frozen=True, slots=True)
class DryRun:
    """How last year's use is replayed before a mandate is agreed to."""

    start: Money
    spread: str


@dataclass(frozen=True, slots=True)
class World:
    """One whole town at its start. `start` is an aware instant."""

    start: datetime
    people: Mapping[PersonId, TownPerson]
    accounts: Mapping[AccountId, TownAccount]
    instruments: Mapping[InstrumentId, TownInstrument]
    grants: tuple[TownGrant, ...]
    saved: Mapping[PersonId, tuple[AccountId, ...]]
    relations: tuple[Relation, ...]
    rules: Mapping[str, str]
    top_up: TopUpRule
    usage_history: Mapping[AccountId, Mapping[str, Money]]  # account -> month "2025-03" -> money used
    dry_run: DryRun | None
    outlets: Mapping[str, Any]

    def phone_of(self, person: str) -> str:
        """The number on which this person is reached, his own or his household's; empty when there is none."""
        found = self.people[PersonId(person)]
        return found.phone or (self.phone_of(found.shares_phone_with) if found.shares_phone_with else "")

    def by_phone(self, phone: str) -> tuple[TownPerson, ...]:
        """Everybody reached on this number: a number selects people, it proves nobody."""
        return tuple(p for p in self.people.values() if phone and self.phone_of(p.id) == phone)

    def purse_of(self, person: str) -> TownInstrument | None:
        """This person's saved purse, if he has one."""
        return next((i for i in self.instruments.values() if i.instrument.owner == person), None)

    def relation(self, person: str, of: str) -> str | None:
        """What `person` is to `of`: "daughter", "son", …; None when the town does not say."""
        return next((r.kind for r in self.relations if r.person == person and r.of == of), None)
