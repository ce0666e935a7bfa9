"""What a playground arranges and testifies for auditors: a month of earlier talks, and that every look was written down."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from data.clock import shanghai
from data.events import InboundEvent, InboundKind
from data.model import Role
from data.store.audit import audit
from data.store.engine import Tx
from data.store.payments import acts, payments
from data.store.talks import turns
from data.town import World
from dialogues import conversations, sampling
from dialogues.model import Conversation, Preferences, Said
from dialogues.testing.world import Movement, Unsupported
from payments.looking_back import month_bounds
from payments.tracing import AUDIT, READERS

if TYPE_CHECKING:
    from bot.playground import Playground

TALKS = "200_generated_talks"
_SEED = 200
_LOOKS = frozenset({AUDIT, "sample"})
# How the talks went: what the person said, what of it was understood, in turn.
_COURSES = (
    (("查电费", "StartFlow"), ("谢谢", "Bye")),
    (("交水费 {number}", "StartFlow"), ("对", "Affirm"), ("确认", "Affirm"), ("1234", "Code")),
    (("那个什么", "CannotHandle"), ("我说交费", "StartFlow"), ("不弄了", "Stop")),
    (("我是{name}，帮我查费", "StartFlow"), ("再说一遍", "Repeat"), ("人工", "Human")),
    (("交电费", "StartFlow"), ("不是二十，是三十", "CorrectSlot"), ("嗯", "Affirm"), ("{pin}", "Code")),
    (("电话{phone}欠多少", "StartFlow"), ("啥", "CannotHandle")),
)


async def arrange_history(world: Playground, value: Any) -> None:
    """`given.history` of a named sample: two hundred talks of last month, as the log of talks keeps them."""
    if value != TALKS:
        raise Unsupported(f"given.history.{value}")
    month = shanghai(world.start_at).date().replace(day=1) - timedelta(days=1)
    await world.app.store.run(lambda tx: _write(tx, world.world, month.replace(day=1)))


def _write(tx: Tx, world: World, month: date) -> None:
    chance = Random(_SEED)  # noqa: S311 -- invented talks, not a secret
    start, end = month_bounds(month)
    family = sorted(p.id for p in world.people.values() if p.person.role is Role.FAMILY)
    step = (end - start) / 200
    for n in range(200):
        person = world.people[chance.choice(family)]
        at = start + step * n + timedelta(minutes=chance.randint(0, 90))
        known = [world.accounts[a].number for a in world.saved.get(person.id, ())] or ["3100456712"]
        told = {"number": chance.choice(known), "name": person.name, "phone": person.phone, "pin": person.pin}
        _talk(tx, n, Conversation(person=person.id, release="", preferences=Preferences()), at, told, chance)


def _talk(tx: Tx, n: int, talk: Conversation, at: datetime, told: dict[str, str], chance: Random) -> None:
    for turn, (words, command) in enumerate(chance.choice(_COURSES)):
        event = InboundEvent("telegram", f"earlier-{n}-{turn}", talk.person, InboundKind.TEXT, at)
        heard = conversations.masked(words.format(**told))
        said = [Said(response="earlier", text=f"{told['name']}，好的。")]
        conversations.record_turn(tx, talk, event, [command], said, heard)
        at += timedelta(seconds=chance.randint(3, 90))


def more(tx: Tx, world: World, captures: Iterable[Movement]) -> dict[str, Any]:
    """The facts that scripts ask for by their own names."""
    staff = {str(p.id) for p in world.people.values() if p.person.role in READERS}
    looks = tx.conn.execute(sa.select(audit).where(audit.c.kind == "data_read")).all()
    theirs = [row for row in looks if row.actor in staff and row.body.get("verb") in _LOOKS]
    facts: dict[str, Any] = {
        "reads_logged": _all_logged(tx, staff, len(theirs)),
        "captures_by_audit": _captured_by(tx, staff, captures),
    }
    samples = [row.body for row in theirs if row.body["verb"] == "sample"]
    return facts | ({"export": _export(tx, world, samples[-1])} if samples else {})


def _all_logged(tx: Tx, staff: set[str], lines: int) -> bool:
    """Whoever audited in a talk left at least one line for each time he was answered."""
    rows = tx.conn.execute(sa.select(turns).where(turns.c.person.in_(staff))).all()
    told = [tx.seal.open("turns.said", f"{row.channel}:{row.event_id}", row.said) for row in rows]
    answered = sum(bool(json.loads(texts)) for texts in told)
    return 0 < answered <= lines


def _captured_by(tx: Tx, staff: set[str], captures: Iterable[Movement]) -> list[dict[str, Any]]:
    """Money that moved on an auditor's or operator's word."""
    theirs = sa.or_(acts.c.proposer.in_(staff), acts.c.confirmer.in_(staff), acts.c.payer.in_(staff))
    query = sa.select(payments.c.id).join(acts, acts.c.id == payments.c.act).where(theirs)
    made = set(tx.conn.scalars(query))
    return [{"account": one.account, "fen": one.fen} for one in captures if one.intent in made]


def _export(tx: Tx, world: World, drawn: dict[str, Any]) -> dict[str, Any]:
    """The sample that was told of, drawn again: the same one, and nothing of anybody in it."""
    month = date.fromisoformat(f"{drawn['month']}-01")
    again = sampling.sampled(tx, month, drawn["count"], drawn["seed"])
    text = again.as_lines()
    return {
        "count": len(again.talks),
        "contains_pii": any(secret in text for secret in _personal(world)),
        "same_seed_same_sample": again.digest == drawn["digest"],
        "fields": [f.name for f in fields(sampling.Scored)] if all(map(asdict, again.talks)) else [],
    }


def _personal(world: World) -> set[str]:
    people = {word for p in world.people.values() for word in (str(p.id), p.name, p.phone, p.pin)}
    accounts = {word for a in world.accounts.values() for word in (str(a.id), a.number, a.holder_name)}
    return (people | accounts) - {""}
