"""Every event is taken once, every letter goes out in its order and not twice, all news are told once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from data.ids import PersonId
from data.store import letters
from data.store.engine import Store, Tx
from data.store.letters import Letter

AT = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LIMIN, LIJG = PersonId("limin"), PersonId("lijg")


def put(tx: Tx, body: str = "{}", person: PersonId = LIMIN, channel: str = "web", **more: Any) -> str | None:
    return letters.put_letter(tx, person=person, channel=channel, body=body, cause="e1", at=AT, **more)


def lease(
    store: Store, at: datetime = AT, channel: str | None = None, person: PersonId | None = None
) -> list[str]:
    def take(tx: Tx) -> list[Letter]:
        return letters.lease_letters(tx, channel=channel, person=person, at=at, lease=MINUTE)

    return [letter.body for letter in store.run_now(take)]


def in_hand(store: Store, at: datetime = AT) -> list[Letter]:
    return store.run_now(lambda tx: letters.lease_letters(tx, channel=None, person=None, at=at, lease=MINUTE))


def put_all(store: Store, *bodies: str, **more: Any) -> list[str]:
    return store.run_now(lambda tx: [put(tx, body, **more) or "" for body in bodies])


# --- what came in -----------------------------------------------------------------------------------------------


async def test_an_event_delivered_twenty_times_at_once_is_taken_once(store: Store) -> None:
    def deliver(tx: Tx) -> bool:
        return letters.first_seen(tx, "telegram", "17", LIMIN, AT)

    seen = await asyncio.gather(*(store.run(deliver) for _ in range(20)))
    assert seen.count(True) == 1
    assert store.run_now(lambda tx: letters.first_seen(tx, "wechat", "17", LIMIN, AT))


def test_a_repeated_delivery_finds_the_stored_reply(store: Store) -> None:
    def answer(tx: Tx) -> None:
        letters.first_seen(tx, "telegram", "17", LIMIN, AT)
        letters.store_reply(tx, "telegram", "17", '{"text": "尾号3344"}')

    assert store.run_now(lambda tx: letters.stored_reply(tx, "telegram", "17")) is None
    store.run_now(answer)
    assert store.run_now(lambda tx: letters.stored_reply(tx, "telegram", "17")) == '{"text": "尾号3344"}'


# --- what goes out ----------------------------------------------------------------------------------------------


def test_letters_are_leased_in_the_order_in_which_they_were_written(store: Store) -> None:
    put_all(store, "1", "2", "3")
    assert lease(store) == ["1", "2", "3"]


def test_a_leased_letter_is_not_leased_again_until_the_lease_runs_out(store: Store) -> None:
    put_all(store, "1")
    assert lease(store) == ["1"]
    assert lease(store, AT + MINUTE - timedelta(seconds=1)) == []
    assert lease(store, AT + MINUTE) == ["1"]


def test_a_sent_letter_is_never_leased_again(store: Store) -> None:
    [first] = put_all(store, "1")
    lease(store)
    assert store.run_now(lambda tx: letters.mark_sent(tx, first, AT))
    assert not store.run_now(lambda tx: letters.mark_sent(tx, first, AT))
    assert lease(store, AT + 60 * MINUTE) == []


def test_the_same_news_makes_one_letter(store: Store) -> None:
    assert store.run_now(lambda tx: put(tx, dedupe="captured:pay_1:limin"))
    assert store.run_now(lambda tx: put(tx, dedupe="captured:pay_1:limin")) is None
    assert len(lease(store)) == 1


def test_two_letters_without_dedupe_are_two_letters(store: Store) -> None:
    put_all(store, "same", "same")
    assert lease(store) == ["same", "same"]


def test_a_letter_waits_for_its_hour(store: Store) -> None:
    put_all(store, "早上好", not_before=AT + 60 * MINUTE)
    assert lease(store) == []
    assert lease(store, AT + 60 * MINUTE) == ["早上好"]


def test_leasing_for_one_channel_or_person_leaves_the_others(store: Store) -> None:
    put_all(store, "web")
    put_all(store, "telephone", channel="voice", person=LIJG)
    assert lease(store, channel="voice") == ["telephone"]
    assert lease(store, person=LIMIN) == ["web"]


def test_a_later_letter_does_not_overtake_one_that_is_being_sent(store: Store) -> None:
    put_all(store, "1")
    lease(store)
    put_all(store, "2")
    put_all(store, "for his father", person=LIJG)
    assert lease(store) == ["for his father"]
    assert lease(store, AT + MINUTE) == ["1", "2", "for his father"]


def test_a_letter_that_was_not_taken_is_tried_again_at_its_time_or_given_up(store: Store) -> None:
    put_all(store, "1")
    [first] = in_hand(store)
    store.run_now(lambda tx: letters.mark_later(tx, first, AT + 5 * MINUTE))
    assert lease(store, AT + 4 * MINUTE) == []
    [again] = in_hand(store, AT + 5 * MINUTE)
    assert not store.run_now(lambda tx: letters.end(tx, first, "given_up", AT)), "it is in another's hand"
    assert store.run_now(lambda tx: letters.end(tx, again, "given_up", AT))
    assert lease(store, AT + 60 * MINUTE) == []
    [letter] = store.run_now(lambda tx: letters.letters_to(tx, LIMIN))
    assert (letter.state, letter.tries, letter.doubts) == ("given_up", 2, 0)


def test_a_letter_goes_only_along_the_table_of_its_life(store: Store) -> None:
    [first] = put_all(store, "1")

    def told(state: str) -> int:
        return store.run_now(lambda tx: letters.mark_told(tx, [first], state, AT))

    assert told("read") == 0, "it was not even sent"
    lease(store)
    assert store.run_now(lambda tx: letters.mark_sent(tx, first, AT))
    assert [told(state) for state in ("delivered", "delivered", "read", "delivered")] == [1, 0, 1, 0]
    [letter] = store.run_now(lambda tx: letters.letters_to(tx, LIMIN))
    assert not store.run_now(lambda tx: letters.end(tx, letter, "failed", AT)), "what was read did not fail"
    [letter] = store.run_now(lambda tx: letters.letters_to(tx, LIMIN))
    assert letter.state == "read"


def test_a_letter_whose_carrier_died_is_known_to_be_doubtful(store: Store) -> None:
    put_all(store, "1")
    lease(store)
    lease(store, AT + 2 * MINUTE)
    [letter] = store.run_now(lambda tx: letters.letters_to(tx, LIMIN))
    assert (letter.tries, letter.doubts) == (2, 1)


def test_what_was_not_even_handed_over_was_no_try(store: Store) -> None:
    put_all(store, "1")
    [first] = in_hand(store)
    assert store.run_now(lambda tx: letters.mark_later(tx, first, AT + MINUTE, untried=True))
    [again] = in_hand(store, AT + MINUTE)
    assert (again.tries, again.doubts) == (1, 0)
    assert store.run_now(lambda tx: letters.mark_later(tx, again, AT + 2 * MINUTE, doubtful=True))
    [last] = in_hand(store, AT + 2 * MINUTE)
    assert (last.tries, last.doubts) == (2, 1)


def test_a_dropped_letter_is_not_sent(store: Store) -> None:
    [first] = put_all(store, "1")
    assert store.run_now(lambda tx: letters.drop(tx, first))
    assert lease(store) == []


def test_what_was_written_to_a_person_can_be_read_from_any_point(store: Store) -> None:
    put_all(store, "1", "2")
    put_all(store, "not his", person=LIJG)
    first, second = store.run_now(lambda tx: letters.letters_to(tx, LIMIN))
    assert (first.body, second.body) == ("1", "2")
    [later] = store.run_now(lambda tx: letters.letters_to(tx, LIMIN, since_seq=first.seq))
    assert later == second


async def test_who_reads_on_from_a_number_misses_nothing(store: Store) -> None:
    """Letters written at the same time become visible in the order of their numbers."""
    seen: list[str] = []

    async def read_on() -> None:
        since = 0
        while len(seen) < 40:
            for letter in await store.run(partial(letters.letters_to, person=LIMIN, since_seq=since)):
                seen.append(letter.body)
                since = letter.seq
            await asyncio.sleep(0)

    writers = (store.run(partial(put, body=str(n))) for n in range(40))
    await asyncio.wait_for(asyncio.gather(read_on(), *writers), timeout=20)
    assert sorted(map(int, seen)) == list(range(40))


async def test_two_postmen_never_carry_the_same_letter(store: Store) -> None:
    for n in range(20):
        put_all(store, str(n), person=PersonId(f"p{n}"))

    def take(tx: Tx) -> list[Letter]:
        return letters.lease_letters(tx, channel=None, person=None, at=AT, lease=MINUTE, limit=3)

    carried = [
        letter.id for some in await asyncio.gather(*(store.run(take) for _ in range(10))) for letter in some
    ]
    assert len(carried) == len(set(carried)) == 20


def test_a_letter_shows_its_words_in_no_repr(store: Store) -> None:
    put_all(store, "尾号3344")
    assert "3344" not in repr(store.run_now(lambda tx: letters.letters_to(tx, LIMIN)))


# --- news -------------------------------------------------------------------------------------------------------


def tell(tx: Tx, id: str = "captured:pay_1:limin", **more: Any) -> bool:
    return letters.put_news(
        tx, id=id, person=LIMIN, kind="captured", body={"payment": "pay_1"}, at=AT, **more
    )


def due(store: Store, at: datetime = AT, person: PersonId | None = None) -> list[str]:
    return [news.id for news in store.run_now(lambda tx: letters.news_due(tx, at, person))]


def test_news_are_written_once_and_served_once(store: Store) -> None:
    assert [store.run_now(tell), store.run_now(tell)] == [True, False]
    [news] = store.run_now(lambda tx: letters.news_due(tx, AT))
    assert (news.person, news.kind, news.body) == (LIMIN, "captured", {"payment": "pay_1"})
    served = [store.run_now(lambda tx: letters.mark_served(tx, news.id, AT)) for _ in range(2)]
    assert (served, due(store)) == ([True, False], [])


def test_served_news_are_not_written_again(store: Store) -> None:
    store.run_now(tell)
    store.run_now(lambda tx: letters.mark_served(tx, "captured:pay_1:limin", AT))
    assert not store.run_now(tell)
    assert due(store) == []


def test_news_wait_for_their_hour_and_belong_to_their_person(store: Store) -> None:
    store.run_now(lambda tx: tell(tx, not_before=AT + MINUTE))
    assert (due(store), due(store, AT + MINUTE, LIJG)) == ([], [])
    assert due(store, AT + MINUTE, LIMIN) == ["captured:pay_1:limin"]


# --- tickets ----------------------------------------------------------------------------------------------------


def call_for_help(tx: Tx, person: PersonId = LIJG, at: datetime = AT, kind: str = "human") -> Any:
    return letters.open_ticket(tx, kind=kind, person=person, reason="asked", summary="要交水费", at=at)


def test_a_person_has_one_open_ticket_of_a_kind(store: Store) -> None:
    first = store.run_now(call_for_help)
    assert store.run_now(call_for_help) == first
    assert store.run_now(lambda tx: call_for_help(tx, kind="callback")) != first


def test_whoever_waits_longest_is_first_and_a_taken_ticket_has_one_owner(store: Store) -> None:
    later = store.run_now(lambda tx: call_for_help(tx, LIMIN, AT + MINUTE))
    first = store.run_now(call_for_help)
    assert [t.id for t in store.run_now(letters.tickets_waiting)] == [first, later]
    take = partial(letters.take_ticket, id=first, at=AT)
    taken = [store.run_now(partial(take, owner=PersonId(who))) for who in "ab"]
    assert taken == [True, False]
    ticket = store.run_now(lambda tx: letters.ticket(tx, first))
    assert ticket is not None
    assert (ticket.owner, ticket.state, ticket.summary) == ("a", "taken", "要交水费")
    assert [t.id for t in store.run_now(letters.tickets_waiting)] == [later]


def test_a_closed_ticket_is_over_and_a_new_one_can_be_opened(store: Store) -> None:
    first = store.run_now(call_for_help)
    closed = [store.run_now(lambda tx: letters.close_ticket(tx, first, AT)) for _ in range(2)]
    assert closed == [True, False]
    assert store.run_now(lambda tx: letters.open_ticket_of(tx, LIJG)) is None
    second = store.run_now(call_for_help)
    found = store.run_now(lambda tx: letters.open_ticket_of(tx, LIJG))
    assert found is not None
    assert (found.id, found.id != first) == (second, True)


async def test_ten_calls_for_help_at_once_are_one_ticket(store: Store) -> None:
    assert len(set(await asyncio.gather(*(store.run(call_for_help) for _ in range(10))))) == 1
