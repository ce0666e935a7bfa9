"""A sample of talks says how they went, and nothing of who spoke; the same seed draws the same talks."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from data.events import InboundEvent, InboundKind
from data.ids import PersonId
from data.model import Person, Role
from data.store import journal
from data.store.audit import audit
from data.store.engine import Sealer, Store, Tx
from dialogues import conversations, sampling
from dialogues.model import Conversation, Preferences, Said
from dialogues.sampling import Scored
from payments.authority import people
from payments.tracing import NotAnAuditor

FEBRUARY = date(2026, 2, 1)
START = datetime(2026, 1, 31, 16, 0, tzinfo=UTC)  # midnight in Shanghai
QIAN, LIMIN, LIJG = PersonId("qian"), PersonId("limin"), PersonId("lijg")
AT = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)


@pytest.fixture
def store(sealer: Sealer) -> Store:
    made = Store.in_memory(sealer)
    made.run_now(lambda tx: people.add_person(tx, Person(QIAN, "钱老师", role=Role.AUDITOR), START))
    made.run_now(lambda tx: people.add_person(tx, Person(LIMIN, "李敏"), START))
    return made


def turn(
    tx: Tx,
    at: datetime,
    *commands: str,
    person: PersonId = LIMIN,
    kind: InboundKind = InboundKind.TEXT,
    words: str = "x",
) -> None:
    event = InboundEvent("telegram", f"{person}-{at.isoformat()}", person, kind, at, text=words)
    talk = Conversation(person=person, release="", preferences=Preferences())
    conversations.record_turn(tx, talk, event, list(commands), [Said(response="r", text="李敏，好的")], words)


def one(store: Store, *turns: tuple[float, InboundKind, tuple[str, ...]]) -> Scored:
    """The one talk these turns make; seconds from the beginning of the month."""

    def write(tx: Tx) -> None:
        for seconds, kind, commands in turns:
            turn(tx, START + timedelta(seconds=seconds), *commands, kind=kind)

    store.run_now(write)
    (found,) = store.run_now(lambda tx: sampling.sampled(tx, FEBRUARY, 20, 1)).talks
    return found


TEXT, ANSWER, STAFF = InboundKind.TEXT, InboundKind.ANSWER, InboundKind.STAFF


@pytest.mark.parametrize(
    ("turns", "scored"),
    [
        ([(0, TEXT, ("StartFlow",)), (9, ANSWER, ("Answered",))], Scored(1, 0, False, "served", 9)),
        (
            [(0, TEXT, ("StartFlow",)), (5, TEXT, ("Affirm",)), (65, TEXT, ("Code",))],
            Scored(3, 0, False, "agreed", 65),
        ),
        (
            [(0, TEXT, ("CannotHandle",)), (5, TEXT, ("StartFlow",)), (8, TEXT, ("Stop",))],
            Scored(3, 1, False, "stopped", 8),
        ),
        ([(0, TEXT, ("Repeat",)), (5, TEXT, ("Human",))], Scored(2, 1, True, "handed_over", 5)),
        ([(0, TEXT, ("StartFlow",)), (60, STAFF, ())], Scored(1, 0, True, "handed_over", 60)),
        ([(0, TEXT, ("StartFlow",)), (9, TEXT, ("CannotHandle",))], Scored(2, 1, False, "not_understood", 9)),
    ],
)
def test_how_a_talk_went(
    store: Store, turns: list[tuple[float, InboundKind, tuple[str, ...]]], scored: Scored
) -> None:
    assert one(store, *turns) == scored


def many(store: Store, talks: int = 40) -> None:
    """Talks of two people through the month, full of what must not come out."""

    def write(tx: Tx) -> None:
        for n in range(talks):
            at = START + timedelta(hours=3 * n)
            whose = (LIMIN, LIJG)[n % 2]
            for step in range(1 + n % 5):
                words = "我是李敏，户号1100223344，电话01055503333"
                turn(tx, at + timedelta(seconds=20 * step), "StartFlow", person=whose, words=words)

    store.run_now(write)


def test_the_same_seed_draws_the_same_talks_and_another_seed_others(store: Store) -> None:
    many(store)

    def drawn(seed: int) -> sampling.Sample:
        return store.run_now(lambda tx: sampling.sampled(tx, FEBRUARY, 20, seed))

    assert drawn(7) == drawn(7)
    assert drawn(7).digest != drawn(8).digest
    assert (len(drawn(7).talks), drawn(7).of) == (20, 40)


def test_nothing_of_anybody_is_in_it(store: Store) -> None:
    many(store)
    lines = store.run_now(lambda tx: sampling.sampled(tx, FEBRUARY, 20, 7)).as_lines()
    rows = [json.loads(line) for line in lines.splitlines()]
    assert all(set(row) == {"turns", "repairs", "handoff", "outcome", "seconds"} for row in rows)
    assert all(row["outcome"] in sampling.OUTCOMES for row in rows)
    assert not [
        word for word in ("李敏", "limin", "lijg", "3344", "3333", "telegram", "2026") if word in lines
    ]


def test_a_pause_of_half_an_hour_and_another_person_begin_another_talk(store: Store) -> None:
    def write(tx: Tx) -> None:
        for minutes in (0, 10, 41, 45):
            turn(tx, START + timedelta(minutes=minutes), "StartFlow")
        turn(tx, START + timedelta(minutes=46), "StartFlow", person=LIJG)

    store.run_now(write)
    found = store.run_now(lambda tx: sampling.sampled(tx, FEBRUARY, 20, 1))
    assert sorted((talk.turns, talk.seconds) for talk in found.talks) == [(1, 0), (2, 240), (2, 600)]


def test_news_nobody_answered_is_no_talk(store: Store) -> None:
    store.run_now(lambda tx: turn(tx, START, "News", kind=InboundKind.RESULT))
    assert store.run_now(lambda tx: sampling.sampled(tx, FEBRUARY, 20, 1)).talks == ()


@pytest.mark.parametrize("seconds", [-1, 28 * 86_400])
def test_only_the_month_that_was_asked_for(store: Store, seconds: int) -> None:
    store.run_now(lambda tx: turn(tx, START + timedelta(seconds=seconds), "StartFlow"))
    assert store.run_now(lambda tx: sampling.sampled(tx, FEBRUARY, 20, 1)).of == 0


def test_drawing_is_written_down_with_its_seed_and_mark(store: Store) -> None:
    many(store)
    drawn = store.run_now(lambda tx: sampling.draw(tx, FEBRUARY, 5, 7, QIAN, AT))
    line = store.run_now(lambda tx: tx.conn.execute(sa.select(audit)).one())
    assert (line.kind, line.actor, line.body["seed"], line.body["digest"]) == (
        "data_read",
        QIAN,
        7,
        drawn.digest,
    )


def test_nobody_but_an_auditor_draws_and_the_try_stays(store: Store) -> None:
    many(store)
    with pytest.raises(NotAnAuditor):
        store.run_now(lambda tx: sampling.draw(tx, FEBRUARY, 5, 7, LIMIN, AT))
    assert store.run_now(journal.kinds) == ["access_refused"]
