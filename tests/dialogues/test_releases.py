"""The flows a talk under way is in lie beside it in the store, for every program that takes the next word, and go when nobody is in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from data.events import InboundEvent, InboundKind
from data.ids import PersonId
from data.store.engine import Store
from data.store.retention import forget_releases
from data.store.talks import flow_releases
from dialogues import content, conversations
from dialogues.actions.ports import Action, InsideAction, Result
from dialogues.model import Conversation, Frame, Release, Told
from dialogues.releases import Place, Releases
from dialogues.turn import House
from tests.dialogues.talking import ACTIONS, shop

NOON = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def release_with(word: str) -> Release:
    """The shop saying one thing differently."""
    sentences = shop().responses["zh"]
    bigger = (replace(sentences["utter_bigger"][0], text=word),)
    return content.named(
        replace(shop(), responses={**shop().responses, "zh": {**sentences, "utter_bigger": bigger}})
    )


def actions(**changed: Any) -> dict[str, Action]:
    """The shop's Python; an action that is None is not there."""
    specs = {name: replace(spec, **(changed.get(name) or {})) for name, spec in ACTIONS.items()}
    return {
        name: InsideAction(spec, lambda room, slots: Result("found"))
        for name, spec in specs.items()
        if changed.get(name, {}) is not None
    }


def house(release: Release, releases: Releases | None = None, **changed: Any) -> House:
    nobody: Any = None
    return House(
        release,
        nobody,
        nobody,
        nobody,
        actions=actions(**changed),
        releases=releases or Releases(),
    )


def talk(release: Release, person: str = "p1", **state: Any) -> Conversation:
    """A talk that waits for an answer in these flows."""
    return Conversation(
        PersonId(person), release.id, **{"stack": (Frame("pay", "kind", phase="ask"),), **state}
    )


def keep(store: Store, where: House, one: Conversation, at: datetime = NOON, person: str = "p1") -> str:
    """As a turn does: the talk and its flows in one transaction."""

    def turn(tx: Any) -> str:
        kept = where.releases.keep(tx, where.release, one, at)
        before = conversations.load(tx, one.person, "", "zh").revision
        event = InboundEvent("web", "e", one.person, InboundKind.TEXT, at)
        conversations.save(tx, replace(one, revision=before + 1), before, event)
        return kept

    kept = store.run_now(turn)
    where.releases.written(kept, at)
    return kept


def place(store: Store, where: House, one: Conversation) -> Place:
    return store.run_now(lambda tx: where.releases.place(tx, where, one))


def rows(store: Store) -> dict[str, datetime]:
    table = flow_releases.c
    return {
        row.id: row.seen_at
        for row in store.run_now(lambda tx: tx.conn.execute(sa.select(table.id, table.seen_at)).all())
    }


OLD, NEW = release_with("老话"), release_with("新话")


def test_a_talk_under_way_brings_its_flows_into_the_store_and_writes_them_once_an_hour(store: Store) -> None:
    here = house(OLD)
    assert keep(store, here, talk(OLD)) == OLD.id
    assert keep(store, here, talk(OLD), NOON + HOUR / 2) == ""
    assert rows(store) == {OLD.id: NOON}
    assert keep(store, here, talk(OLD), NOON + HOUR) == OLD.id
    assert rows(store) == {OLD.id: NOON + HOUR}
    assert keep(store, house(OLD), talk(OLD), NOON + 2 * HOUR) == OLD.id  # another program of the same flows
    assert rows(store) == {OLD.id: NOON + 2 * HOUR}


def test_a_transaction_that_was_taken_back_is_not_counted_as_written(store: Store) -> None:
    here = house(OLD)

    def breaks(tx: Any) -> None:
        here.releases.keep(tx, OLD, talk(OLD), NOON)
        raise OSError("the process died")

    with pytest.raises(OSError, match="died"):
        store.run_now(breaks)
    assert rows(store) == {}
    assert keep(store, here, talk(OLD)) == OLD.id
    assert rows(store) == {OLD.id: NOON}


def test_a_talk_at_rest_needs_no_flows(store: Store) -> None:
    assert keep(store, house(OLD), talk(OLD, stack=())) == ""
    assert rows(store) == {}


def test_every_program_goes_on_in_the_flows_a_talk_began_with(store: Store) -> None:
    keep(store, house(OLD), talk(OLD))
    there = place(store, house(NEW), talk(OLD))
    assert (there.gone, there.talk) == (False, talk(OLD))
    assert there.house.release.responses["zh"]["utter_bigger"][0].text == "老话"
    assert content.content(there.house.release) == content.content(OLD)


def test_today_is_where_a_talk_of_today_and_one_at_rest_are(store: Store) -> None:
    here = house(NEW)
    assert place(store, here, talk(NEW)) == Place(here, talk(NEW))
    resting = talk(
        OLD,
        stack=(),
        slots={"nickname": "auntie", "lost": 1},
        last_said=(Told("utter_bigger", {}), Told("utter_of_yesterday", {}), Told("utter_due", {})),
    )
    moved = place(store, here, resting)
    assert (moved.house, moved.gone) == (here, False)
    assert (moved.talk.release, moved.talk.slots) == (NEW.id, {"nickname": "auntie"})
    assert moved.talk.last_said == (Told("utter_bigger", {}),)  # what is due cannot be said without an amount


def test_flows_that_nobody_kept_are_gone(store: Store) -> None:
    there = place(store, house(NEW), talk(OLD))
    assert (there.gone, there.house.release, there.talk) == (True, NEW, talk(OLD))


@pytest.mark.parametrize(
    "changed",
    [
        {"action_quote": None},
        {"action_quote": {"outcomes": ("due", "nothing_due")}},
        {"action_quote": {"reads": ("kind", "account", "nickname")}},
        {"action_holder": {"writes": ("holder", "nickname")}},
    ],
)
def test_flows_whose_actions_promise_something_else_are_gone_and_still_understood(
    store: Store, changed: dict[str, Any]
) -> None:
    keep(store, house(OLD), talk(OLD))
    there = place(store, house(NEW, **changed), talk(OLD))
    assert there.gone
    assert there.house.release.responses["zh"]["utter_bigger"][0].text == "老话"


def test_an_action_the_flows_do_not_rely_on_may_change(store: Store) -> None:
    keep(store, house(OLD), talk(OLD))
    there = place(store, house(NEW, action_note_digit_doubt={"outcomes": ("noted", "lost")}), talk(OLD))
    assert not there.gone


def test_damaged_flows_are_gone(store: Store) -> None:
    keep(store, house(OLD), talk(OLD))
    store.run_now(lambda tx: tx.conn.execute(flow_releases.update().values(content=NEW.packed)))
    assert place(store, house(NEW), talk(OLD)).gone


def test_a_newer_engine_finds_its_own_words_beside_the_kept_ones(store: Store) -> None:
    old = content.named(
        replace(OLD, responses={k: {n: v for n, v in s.items() if n != "utter_renewed"} for k, s in OLD.responses.items()})
    )  # fmt: skip
    keep(store, house(old), talk(old))
    there = place(store, house(NEW), talk(old)).house.release
    assert there.responses["zh"]["utter_renewed"] == NEW.responses["zh"]["utter_renewed"]
    assert there.responses["zh"]["utter_bigger"][0].text == "老话"


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    sa.event.listen(store.engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(store.engine, "before_cursor_execute", note)


def test_a_turn_costs_no_question_to_the_store_once_the_flows_are_known(sqlite_store: Store) -> None:
    keep(sqlite_store, house(OLD), talk(OLD))
    here = house(NEW)
    place(sqlite_store, here, talk(OLD))
    with statements(sqlite_store) as asked:
        place(sqlite_store, here, talk(OLD))
        place(sqlite_store, here, talk(NEW))
        place(sqlite_store, here, talk(OLD, stack=()))
    assert [one for one in asked if "BEGIN" not in one] == []


def test_only_so_many_releases_are_known_by_heart(sqlite_store: Store) -> None:
    kept = [release_with(f"第{n}句") for n in range(5)]
    for number, release in enumerate(kept):
        keep(sqlite_store, house(release), talk(release, f"p{number}"))
    here = house(NEW, Releases(most=2))
    with statements(sqlite_store) as asked:
        for release in (*kept, kept[4], kept[3], kept[0]):
            assert not place(sqlite_store, here, talk(release)).gone
    assert len([one for one in asked if "flow_releases" in one]) == 6


async def test_flows_nobody_is_in_are_forgotten_after_days_and_no_others(store: Store) -> None:
    used, left, young = (release_with(word) for word in ("有人", "没人", "刚来"))
    keep(store, house(used), talk(used, "p1"))
    keep(store, house(left), talk(left, "p2"))
    keep(store, house(left), talk(left, "p2", stack=()), NOON + HOUR)
    keep(store, house(young), talk(young, "p3"), NOON + timedelta(days=5))
    keep(store, house(young), talk(young, "p3", stack=()), NOON + timedelta(days=5))
    assert await forget_releases(store, NOON + timedelta(days=3)) == 1
    assert rows(store).keys() == {used.id, young.id}
    assert await forget_releases(store, NOON + timedelta(days=3)) == 0


def test_what_was_forgotten_under_a_program_that_lives_is_written_again(store: Store) -> None:
    here = house(OLD)
    keep(store, here, talk(OLD))
    store.run_now(lambda tx: tx.conn.execute(sa.delete(flow_releases)))
    keep(store, here, talk(OLD), NOON + HOUR)
    assert rows(store) == {OLD.id: NOON + HOUR}
