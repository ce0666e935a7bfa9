"""What a turn costs: at the store beside the bare statements, from door to reply, and fifty talks at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import sqlalchemy as sa

from benchmarks.figures import Row, Spread, Stopwatch, why_missed
from benchmarks.ground import SENTENCES, Prepared, application, house, person, settled, words
from data.events import InboundEvent
from data.ids import PersonId
from data.store.engine import Store, Tx
from data.store.talks import calls
from dialogues import conversations, turn
from dialogues.model import Frame, Release
from dialogues.turn import House
from tests.databases import SEALER, Databases

AT_ONCE = 50
_WARM = 2 * len(SENTENCES)
Tell = Callable[[str], None]


def at_the_store(databases: Databases, count: int, tell: Tell) -> Row:
    """One text turn without understanding: load, step, commit; the peer runs the very same statements, bare.

    The statements of the same turns are written down at a third copy of the database first. Then each turn is taken
    at ours and its statements are run through SQLAlchemy Core at the peer's, in one thread hop, one after the other.
    """
    tell("one turn at the store, beside its bare statements")
    events = _events(count + _WARM)
    scripts = _written_down(databases, events)
    with databases.url("sqlite", settled(1)) as ours, databases.url("sqlite", settled(1)) as theirs:
        taken, bare, cpu = asyncio.run(_side_by_side(ours, theirs, events, scripts))
    ratio = taken.median / bare.median
    met = ratio <= 4 and taken.p99 <= 10
    return Row(
        "one text turn without understanding, SQLite (WAL, synchronous=FULL)", "ms", taken,
        "the same statements through SQLAlchemy Core, one thread hop", bare, ratio,
        "p50 ≤ 4 × peer, p99 ≤ 10 ms idle", met, "" if met else why_missed(cpu, taken.median), cpu,
        {"statements": len(scripts[-1])},
    )  # fmt: skip


def _events(count: int) -> list[InboundEvent]:
    return [words(person(0), SENTENCES[n % len(SENTENCES)]) for n in range(count)]


def _prepared(release: Release | None = None) -> House:
    found = replace(house(), understanding=Prepared(house().understanding))
    return replace(found, release=release) if release else found


@dataclass
class _Script:
    """The statements of one turn with their values."""

    lines: list[tuple[Any, Any]] = field(default_factory=list)

    def note(self, _conn: Any, statement: Any, many: Any, one: Any, _options: Any) -> None:
        """Listens to SQLAlchemy."""
        self.lines.append((statement, list(many) or one))

    def play(self, tx: Tx) -> None:
        """The bare statements, their rows fetched."""
        for statement, values in self.lines:
            result = tx.conn.execute(statement, values)
            if result.returns_rows:
                result.all()


def _written_down(databases: Databases, events: list[InboundEvent]) -> list[list[tuple[Any, Any]]]:
    scripts, rooms = [], _prepared()
    with databases.store("sqlite", settled(1)) as store:
        for event in events:
            script = _Script()
            sa.event.listen(store.engine, "before_execute", script.note)
            store.run_now(partial(_take, rooms, event))
            sa.event.remove(store.engine, "before_execute", script.note)
            scripts.append(script.lines)
    return scripts


def _take(rooms: House, event: InboundEvent, tx: Tx) -> None:
    taken = turn.take(tx, rooms, event)
    assert taken.said, "a turn that says nothing is not the turn that is measured"
    assert not taken.calls, "a turn that asks outside is not the turn that is measured"


async def _side_by_side(
    ours: str, theirs: str, events: list[InboundEvent], scripts: list[list[tuple[Any, Any]]]
) -> tuple[Spread, Spread, float]:
    left, right, rooms = Store.open(ours, SEALER), Store.open(theirs, SEALER), _prepared()
    taken, bare = [], []
    for event, lines in zip(events, scripts, strict=True):
        with Stopwatch() as one:
            await left.run(partial(_take, rooms, event))
        with Stopwatch() as other:
            await right.run(_Script(lines).play)
        taken.append(one)
        bare.append(other)
    left.close()
    right.close()
    return (
        Spread.of(x.ms for x in taken[_WARM:]),
        Spread.of(x.ms for x in bare[_WARM:]),
        Spread.of(x.cpu_ms for x in taken[_WARM:]).median,
    )


def with_more_flows(databases: Databases, count: int, tell: Tell, times: int = 10) -> Row:
    """The same turn in a house with ten times the flows: its cost must not grow with what it does not use."""
    tell("one turn with ten times the flows")
    more = {f"{name}_{n}": replace(flow, id=f"{name}_{n}") for n in range(1, times)
            for name, flow in house().release.flows.items()}  # fmt: skip
    large = replace(house().release, flows={**house().release.flows, **more})
    events = _events(count + _WARM)
    with databases.store("sqlite", settled(1)) as left, databases.store("sqlite", settled(1)) as right:
        small, big = _prepared(), _prepared(large)
        # In turn, so that both meet the same neighbours on the machine.
        rows = [(_timed(left, small, event), _timed(right, big, event)) for event in events][_WARM:]
    few, many = Spread.of(a.ms for a, _ in rows), Spread.of(b.ms for _, b in rows)
    ratio = Spread.of(b.cpu_ms for _, b in rows).median / Spread.of(a.cpu_ms for a, _ in rows).median
    return Row(
        f"one text turn, {len(large.flows)} flows", "ms", many, f"{len(house().release.flows)} flows", few, ratio,
        "ratio of processor time ≤ 1.15", ratio <= 1.15, "" if ratio <= 1.15 else "grows with the flows",
        Spread.of(b.cpu_ms for _, b in rows).median,
    )  # fmt: skip


class _Undone(Exception):
    """Takes a turn back, so that the next one meets the same talk."""


def stacked(databases: Databases, count: int, tell: Tell, depth: int = 8) -> Row:
    """The same turn with so many pieces of business under way, each interrupted by the next, beside one.

    The sentence is not understood, so the open question is put once more; every turn is taken back (no commit in the figure).
    """
    tell("one turn with many pieces of business under way")
    frames, rooms = _frames(depth), _prepared()
    with databases.store("sqlite", settled(2)) as store:
        store.run_now(partial(_interrupted, stack=(replace(frames[-1], kind="regular"),), who=person(0)))
        store.run_now(partial(_interrupted, stack=frames, who=person(1)))
        rows = [tuple(_taken_back(store, rooms, person(n)) for n in (0, 1)) for _ in range(count + _WARM)]
    one, many = (Spread.of(row[n].ms for row in rows[_WARM:]) for n in (0, 1))
    cpu = [Spread.of(row[n].cpu_ms for row in rows[_WARM:]).median for n in (0, 1)]
    ratio = cpu[1] / cpu[0]
    return Row(
        f"one text turn, {depth} pieces of business under way", "ms", many, "one under way", one, ratio,
        "ratio of processor time ≤ 1.5", ratio <= 1.5, "" if ratio <= 1.5 else "grows with the stack", cpu[1],
    )  # fmt: skip


def _frames(depth: int) -> tuple[Frame, ...]:
    """Different flows, each waiting at a question of its own; the last is on top."""
    questions = [
        (flow.id, step.id)
        for flow in house().release.flows.values()
        for step in list(flow.steps.values())[:1]
        if step.kind == "collect" and not step.metadata.get("choices_from")
    ]
    assert len(questions) >= depth, "too few flows begin with a question"
    below = [Frame(flow, step, "interrupt", "resume") for flow, step in questions[: depth - 1]]
    return (*below, Frame(*questions[depth - 1], "interrupt", "ask"))


def _interrupted(tx: Tx, stack: tuple[Frame, ...], who: PersonId) -> None:
    found = conversations.load(tx, who, house().release.id, "zh")
    after = replace(found, stack=stack, revision=found.revision + 1)
    conversations.save(tx, after, found.revision, words(who, ""))


def _taken_back(store: Store, rooms: House, who: PersonId) -> Stopwatch:
    def take(tx: Tx) -> None:
        _take(rooms, words(who, "今天天气怎么样"), tx)
        raise _Undone

    with Stopwatch() as one, suppress(_Undone):
        store.run_now(take)
    return one


def _timed(store: Store, rooms: House, event: InboundEvent) -> Stopwatch:
    with Stopwatch() as one:
        store.run_now(partial(_take, rooms, event))
    return one


def door_to_reply(databases: Databases, count: int, tell: Tell) -> Row:
    """One text turn whole: `Desk.serve` from the message to what was said, understanding included.

    Only sentences that ask nobody outside: the peer is the understanding of the same sentences alone.
    """
    tell("one turn, door to reply")
    with application(databases, "sqlite", 1) as app:
        served, understood = asyncio.run(_served(app.desk.serve, _events(count + _WARM)))
        outside = app.store.run_now(lambda tx: tx.conn.scalar(sa.select(sa.func.count()).select_from(calls)))
    assert not outside, "a sentence asked outside"
    whole, alone = Spread.of(x.ms for x in served), Spread.of(x.ms for x in understood)
    return Row(
        "one text turn whole, door to reply, no outside call", "ms", whole,
        "understanding the same sentences alone", alone, whole.median / alone.median,
        "≥ 3 × faster than a Rasa parse, once Rasa stands beside us", None, "", Spread.of(x.cpu_ms for x in served).median,
    )  # fmt: skip


async def _served(serve: Any, events: list[InboundEvent]) -> tuple[list[Stopwatch], list[Stopwatch]]:
    from nlu.commands import Expectation, Utterance

    served, understood = [], []
    for event in events:
        with Stopwatch() as whole:
            came = await serve(event)
        assert came.said, "a turn that says nothing is not the turn that is measured"
        with Stopwatch() as alone:
            house().understanding.understand(Utterance(text=event.text), Expectation())
        served.append(whole)
        understood.append(alone)
    return served[_WARM:], understood[_WARM:]


# --- fifty talks at once ------------------------------------------------------------------------------------------


def at_once(databases: Databases, sizes: tuple[int, int], turns: int, blocks: int, tell: Tell) -> list[Row]:
    """Turns a second of one process with fifty talks at once, on both databases, and on SQLite with many talks open."""
    few = {kind: _crowd(databases, kind, sizes[0], turns, blocks, tell) for kind in ("sqlite", "postgresql")}
    many = _crowd(databases, "sqlite", sizes[1], turns, blocks, tell)
    return [
        *(_crowd_row(kind, sizes[0], few) for kind in few),
        _growth_row("sqlite", sizes, few["sqlite"], many),
    ]


@dataclass(frozen=True)
class _Crowd:
    """Turns a second of each block, and the processor time of one turn."""

    rate: Spread
    cpu_ms: float


def _crowd(databases: Databases, kind: str, size: int, turns: int, blocks: int, tell: Tell) -> _Crowd:
    tell(f"{AT_ONCE} talks at once, {size} open, {kind}")
    with application(databases, kind, size) as app:
        watches = asyncio.run(_crowded(app.desk.serve, size, turns, blocks))
    rate = Spread.of(turns / x.ms * 1e3 for x in watches)
    return _Crowd(rate, Spread.of(x.cpu_ms / turns for x in watches).median)


async def _crowded(serve: Any, size: int, turns: int, blocks: int) -> list[Stopwatch]:
    async def talk(first: int, block: int) -> None:
        for n in range(turns // AT_ONCE):
            # Over all the open talks, so that no page of the database is always at hand.
            who = person((first + (block * 1_000 + n) * AT_ONCE) % size)
            assert (await serve(words(who, SENTENCES[n % len(SENTENCES)]))).said

    watches = []
    for block in range(blocks + 1):
        with Stopwatch() as watch:
            await asyncio.gather(*(talk(first, block) for first in range(AT_ONCE)))
        watches.append(watch)
    return watches[1:]


def _crowd_row(kind: str, size: int, found: dict[str, _Crowd]) -> Row:
    other = "postgresql" if kind == "sqlite" else "sqlite"
    mine, theirs = found[kind], found[other]
    met = mine.rate.median >= 300 if kind == "sqlite" else None
    alone = 1e3 / mine.cpu_ms
    why = why_missed(mine.cpu_ms, 1e3 / mine.rate.median) + f"; a whole core would carry {alone:.0f}/s"
    return Row(
        f"turns a second, {AT_ONCE} talks at once, one process, {kind}", "1/s", mine.rate, f"the same, {other}",
        theirs.rate, mine.rate.median / theirs.rate.median, "≥ 300/s" if kind == "sqlite" else "",
        met, "" if met else why, mine.cpu_ms, {"per_second_of_a_whole_core": alone, "open": size},
    )  # fmt: skip


def _growth_row(kind: str, sizes: tuple[int, int], few: _Crowd, many: _Crowd) -> Row:
    ratio = many.cpu_ms / few.cpu_ms
    met = ratio <= 1.15
    return Row(
        f"the same with {sizes[1]} talks open, {kind}", "1/s", many.rate, f"{sizes[0]} open", few.rate, ratio,
        "flat: ratio of processor time a turn ≤ 1.15", met, "" if met else "grows with the open talks", many.cpu_ms,
    )  # fmt: skip
