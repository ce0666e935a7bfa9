"""A sample of a month's talks for somebody who scores them: how they went, and nothing of who spoke or what was said.

A talk is what one person said and heard without a pause of half an hour. The same month, seed and count draw the same talks,
in the same order, from the same rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa

from data.events import InboundKind
from data.ids import PersonId
from data.store import journal
from data.store.engine import Tx
from data.store.talks import turns
from payments import tracing
from payments.looking_back import month_bounds

TALKS = "talks"  # what such a look is about, in the audit
PAUSE = timedelta(minutes=30)
# How a talk ended: a person of ours took part, the person stopped it, said yes to something, was not understood, or was served.
OUTCOMES = ("handed_over", "stopped", "agreed", "not_understood", "served")

_OWN_WORDS = frozenset(
    kind.value
    for kind in (InboundKind.TEXT, InboundKind.VOICE, InboundKind.KEY, InboundKind.BUTTON, InboundKind.PHOTO)
)
_REPAIRS = frozenset(
    {"CannotHandle", "Repeat", "CorrectSlot", "DoubtfulDigits", "Clarify", "Bigger", "Silence"}
)


@dataclass(frozen=True, slots=True)
class Scored:
    """One talk without a name: the person's own turns, how often something had to be put right, and how it ended."""

    turns: int
    repairs: int
    handoff: bool
    outcome: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Sample:
    """What was drawn, of how many."""

    talks: tuple[Scored, ...]
    of: int

    def as_lines(self) -> str:
        """One talk a line, as JSON."""
        return "".join(json.dumps(asdict(talk)) + "\n" for talk in self.talks)

    @property
    def digest(self) -> str:
        """Equal for equal samples."""
        return hashlib.sha256(self.as_lines().encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Turn:
    kind: str
    commands: tuple[str, ...]
    at: datetime


def draw(tx: Tx, month: date, count: int, seed: int, by: PersonId, at: datetime) -> Sample:
    """`count` talks of a Shanghai month (fewer when there are fewer), and the line in the audit that they were drawn.

    Raises payments.tracing.NotAnAuditor.
    """
    if not tracing.allowed(tx, by):
        raise tracing.NotAnAuditor(by, TALKS, at)
    drawn = sampled(tx, month, count, seed)
    body = {"verb": "sample", "month": f"{month:%Y-%m}", "count": count, "seed": seed}
    body |= {"drawn": len(drawn.talks), "digest": drawn.digest}
    journal.record(tx, kind="data_read", person=by, actor=by, subject=TALKS, at=at, body=body)
    return drawn


def sampled(tx: Tx, month: date, count: int, seed: int) -> Sample:
    """The sample itself, which the same rows give again and again."""
    found = [scored(talk) for talk in _talks(tx, *month_bounds(month)) if _spoken(talk)]
    chosen = Random(f"{month:%Y-%m}:{seed}").sample(found, min(count, len(found)))  # noqa: S311 -- not a secret
    return Sample(tuple(chosen), len(found))


def scored(talk: list[_Turn]) -> Scored:
    """How one talk went."""
    own = [turn for turn in talk if turn.kind in _OWN_WORDS]
    said = [name for turn in talk for name in turn.commands]
    handoff = "Human" in said or any(turn.kind == InboundKind.STAFF.value for turn in talk)
    repairs = sum(1 for turn in talk if _REPAIRS & set(turn.commands))
    seconds = int((talk[-1].at - talk[0].at).total_seconds())
    return Scored(len(own), repairs, handoff, _outcome(own, said, handoff), seconds)


def _outcome(own: list[_Turn], said: list[str], handoff: bool) -> str:
    if handoff:
        return "handed_over"
    if "Stop" in said:
        return "stopped"
    if {"Affirm", "Code"} & set(said):
        return "agreed"
    lost = bool(own) and "CannotHandle" in own[-1].commands
    return "not_understood" if lost else "served"


def _spoken(talk: list[_Turn]) -> bool:
    """News that nobody answered is no talk."""
    return any(turn.kind in _OWN_WORDS for turn in talk)


def _talks(tx: Tx, start: datetime, end: datetime) -> Iterator[list[_Turn]]:
    """The turns of a month, person by person, cut where somebody was silent for half an hour."""
    query = (
        sa.select(turns.c.person, turns.c.kind, turns.c.commands, turns.c.at)
        .where(turns.c.at >= start, turns.c.at < end)
        .order_by(turns.c.person, turns.c.at, turns.c.seq)
    )
    yield from _cut(tx.conn.execute(query))


def _cut(rows: Iterable[sa.Row[Any]]) -> Iterator[list[_Turn]]:
    talk: list[_Turn] = []
    whose = ""
    for row in rows:
        if talk and (row.person != whose or row.at - talk[-1].at > PAUSE):
            yield talk
            talk = []
        whose = row.person
        talk.append(_Turn(row.kind, tuple(row.commands), row.at))
    if talk:
        yield talk
