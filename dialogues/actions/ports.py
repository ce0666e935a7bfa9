"""What an action of a talk is given and what it gives back: the transaction or the outside world, never both."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from data.catalogue import Catalogue
from data.clock import Clock
from data.ids import PersonId
from data.model import Utility
from data.store.engine import Store, Tx
from dialogues.model import ActionSpec, Conversation, Facts, Preferences, Release
from payments.quoting import Quoting
from payments.reconcile import Reconciliation
from payments.till import Till

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """How an action went: one of its declared outcomes, the slots it writes, and a changed preference if any."""

    outcome: str
    slots: Mapping[str, Any] = field(default_factory=dict)
    preferences: Preferences | None = None


@dataclass(frozen=True, slots=True)
class Inside:
    """What an action inside the turn's transaction may use. No call to the outside is possible here."""

    tx: Tx
    person: PersonId
    facts: Facts
    conversation: Conversation
    release: Release
    till: Till
    catalogue: Catalogue
    event_id: str
    roads: Collection[str] | None = (
        None  # by which this house can tell somebody something; None: by every one
    )

    @property
    def now(self) -> datetime:
        return self.facts.now

    @property
    def locale(self) -> str:
        return self.conversation.preferences.locale


@dataclass(frozen=True, slots=True)
class Outside:
    """What an action outside lock and transaction may use. Its answer comes back through the door as an event."""

    store: Store
    quoting: Quoting
    catalogue: Catalogue
    clock: Clock
    person: PersonId
    locale: str
    books: Reconciliation | None = None  # the daily statements, where the house has them


@dataclass(frozen=True, slots=True)
class InsideAction:
    """An action that reads and writes our own records only."""

    spec: ActionSpec
    run: Callable[[Inside, Arguments], Result]


@dataclass(frozen=True, slots=True)
class OutsideAction:
    """An action that asks somebody else."""

    spec: ActionSpec
    run: Callable[[Outside, Arguments], Awaitable[Result]]


Action = InsideAction | OutsideAction


def inside(
    name: str, outcomes: str, *, reads: str = "", writes: str = ""
) -> Callable[[Callable[[Inside, Arguments], Result]], InsideAction]:
    """Declares an action inside the transaction; outcomes and slots as words separated by spaces."""

    def declare(run: Callable[[Inside, Arguments], Result]) -> InsideAction:
        spec = ActionSpec(name, tuple(outcomes.split()), tuple(reads.split()), tuple(writes.split()))
        return InsideAction(spec, run)

    return declare


def outside(
    name: str, outcomes: str, *, reads: str = "", writes: str = "", reads_others: bool = False
) -> Callable[[Callable[[Outside, Arguments], Awaitable[Result]]], OutsideAction]:
    """Declares an action that asks the outside world."""

    def declare(run: Callable[[Outside, Arguments], Awaitable[Result]]) -> OutsideAction:
        spec = ActionSpec(
            name,
            tuple(outcomes.split()),
            tuple(reads.split()),
            tuple(writes.split()),
            outside=True,
            reads_others=reads_others,
        )
        return OutsideAction(spec, run)

    return declare


def bill_name(catalogue: Catalogue, utility: str, locale: str) -> str:
    """What people call this bill: 电费, electricity bill."""
    word = catalogue.words[Utility(utility)][locale]
    return f"{word} bill" if locale == "en" else word
