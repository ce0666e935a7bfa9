"""The town the turns are measured in: people with an open talk each, at a store, with no biller or rail to ask."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from bot.app import Application, build, read_words
from bot.settings import Settings
from data.catalogue import load
from data.clock import VirtualClock
from data.events import InboundEvent, InboundKind
from data.ids import PersonId, fresh
from data.model import Person
from data.store.engine import Store, Tx
from data.store.people import people
from data.store.post import inbox, outbox
from data.store.talks import conversations as talks
from data.store.talks import turns
from dialogues import conversations, turn, wire
from dialogues.model import Conversation
from dialogues.turn import House
from nlu.commands import Command, Expectation, Utterance
from nlu.understand import Understanding
from payments.authority.people import add_person
from payments.limits import Limits
from payments.till import Till
from tests.databases import SEALER, Databases

AT = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)
# None of them asks a biller or moves money: greeting, what can you do, not understood, the first question of a search, stop.
SENTENCES = ("你好", "你能做什么", "今天天气怎么样", "怎么找户号", "停")
_COUNT = itertools.count()
_LEFT_BY_A_TALK = (people, talks, turns, inbox, outbox)
_AT_ONCE = 500  # people a statement


class Prepared(Understanding):
    """Understanding that was finished before the clock runs: a sentence leads to the commands it led to first."""

    def __init__(self, real: Understanding) -> None:
        self._real = real
        self._known: dict[str, list[Command]] = {}

    def understand(self, utterance: Utterance, expectation: Expectation) -> list[Command]:
        """A look-up."""
        if utterance.text not in self._known:
            self._known[utterance.text] = self._real.understand(utterance, expectation)
        return self._known[utterance.text]


@cache
def house() -> House:
    """Flows, understanding, till and catalogue of the real house."""
    words = read_words(Settings())
    return House(words.release, words.understanding, Till(load(), Limits()), load())


def person(n: int) -> PersonId:
    """The n-th of the people."""
    return PersonId(f"p{n}")


def words(who: PersonId, text: str) -> InboundEvent:
    """A new message of a person."""
    return InboundEvent("web", f"bench-{next(_COUNT)}", who, InboundKind.TEXT, AT, text=text)


@dataclass(frozen=True)
class Settled:
    """A transaction function: so many people, each with an open talk and what a talk leaves in the log."""

    people: int

    def __call__(self, tx: Tx) -> None:
        """Writes one talk by the house's own means and copies it, the talk sealed anew, for everybody else."""
        add_person(tx, Person(person(0), "王0"), AT)
        for text in SENTENCES:
            turn.take(tx, house(), words(person(0), text))
        copied = [
            _Copied(table, list(tx.conn.execute(sa.select(table)).mappings())) for table in _LEFT_BY_A_TALK
        ]
        first = conversations.load(tx, person(0), house().release.id, "zh")
        for begin in range(1, self.people, _AT_ONCE):
            others = [person(n) for n in range(begin, min(begin + _AT_ONCE, self.people))]
            self._copy(tx, copied, first, others)

    def _copy(self, tx: Tx, copied: list[_Copied], first: Conversation, others: list[PersonId]) -> None:
        for of in copied:
            rows = [row for who in others for row in of.rows_of(tx, who, first)]
            tx.conn.execute(sa.insert(of.table), rows)


@dataclass(frozen=True)
class _Copied:
    """The rows one person's talk left in a table."""

    table: sa.Table
    rows: list[Any]

    def rows_of(self, tx: Tx, who: PersonId, first: Conversation) -> list[dict[str, Any]]:
        """The same for another person. What a turn reads again is sealed for him; old letters nobody opens."""
        return [self._row_of(tx, who, first, dict(row)) for row in self.rows]

    def _row_of(self, tx: Tx, who: PersonId, first: Conversation, row: dict[str, Any]) -> dict[str, Any]:
        row.pop("seq", None)
        if self.table is people:
            return row | {"id": who, "name": tx.seal.seal("people.name", who, f"王{who}")}
        if self.table is talks:
            state = wire.dump(replace(first, person=who))
            return row | {"person": who, "state": tx.seal.seal("conversations.state", who, state)}
        if self.table is outbox:
            return row | {"person": who, "id": fresh("let"), "state": "sent"}
        return row | {"person": who, "event_id": fresh("e")}


@cache
def settled(people_count: int) -> Settled:
    """One and the same function for a size, so that a database of it is made once and copied."""
    return Settled(people_count)


@contextmanager
def application(databases: Databases, kind: str, people_count: int) -> Iterator[Application]:
    """The whole application over a fresh store; nothing listens at its gateway, so an outside call would show."""
    with databases.url(kind, settled(people_count)) as url:
        settings = Settings(
            gateway_url="http://127.0.0.1:9",
            gateway_secret=SecretStr("whsec_" + "QUFB" * 10),
            log_level="ERROR",
        )
        app = build(settings, clock=VirtualClock(AT), store=Store.open(url, SEALER))
        try:
            yield app
        finally:
            app.store.close()
