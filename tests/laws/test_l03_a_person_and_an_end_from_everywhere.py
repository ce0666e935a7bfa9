"""L3: from every state 人工 reaches a person in one turn and 停 ends it; what was sent is told, and no factor is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest

from data.events import InboundKind
from data.ids import PersonId
from data.store import letters
from data.store.engine import Tx
from dialogues import listening, repair
from dialogues.testing import invariants
from dialogues.testing.invariants import Stopped, Turn
from payments.till import Stopped as TillStopped
from payments.till import Till
from tests.safety.real_town import RealTown

# Who stands where, and how he got there. What is asked there stands last.
CHATS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "nothing begun": ("limin", (), "open"),
    "which bill": ("limin", ("充一百",), "choice"),
    "which account": ("chenm", ("交电费",), "account"),
    "which city": ("chenm", ("我不知道户号", "电费"), "choice"),
    "looking for paper": ("chenm", ("我不知道户号", "电费", "广州"), "account"),
    "whose name": ("chenm", ("交电费", "0319001200345678"), "name_check"),
    "now or later": ("chengfs", ("查电费",), "choice"),
    "how much": ("limin", ("交电费",), "amount"),
    "read back": ("limin", ("交水费",), "confirm"),
    "code": ("limin", ("交水费", "确认"), "code"),
    "go on or not": ("limin", ("交水费", "电费还有多少"), "choice"),
    "which preference": ("limin", ("我想换个设置",), "choice"),
    "code for a PIN": ("limin", ("我要设密码",), "code"),
    "new PIN": ("limin", ("我要设密码", "{code}"), "code"),
    "not understood": ("limin", ("交水费", "哇啦哇啦", "呜噜呜噜"), "confirm"),
    "English": ("limin", ("pay my water bill",), "confirm"),
}
CALLS: dict[str, tuple[str, ...]] = {
    "nothing begun": (),
    "read back": ("交水费",),
    "how much": ("充电费",),
    "which account": ("交暖气费",),
    "code": ("交水费", "1"),
}


async def breaches(town: RealTown, word: str, states: Iterable[str] = CHATS) -> list[str]:
    """The word said in each of these states."""
    await town.open("limin", "chenm", "chengfs")
    found: list[str] = []
    for name in states:
        person, way, asks = CHATS[name]
        await _at_rest(town, person)
        for line in way:
            await town.says(person, await town.code(person) if line == "{code}" else line)
        if (await town.asks(person) or "open") != asks:
            found.append(f"{name} could not be reached")
        found += [f"{name}: {one}" for one in await _said(town, person, word)]
    return found + await town.broken()


async def _at_rest(town: RealTown, person: str) -> None:
    """Nothing under way, nobody waiting."""
    await town.says(person, "停")
    await town.app.store.run(lambda tx: _close_tickets(tx, town))


def _close_tickets(tx: Tx, town: RealTown) -> None:
    for ticket in letters.tickets_open(tx):
        letters.close_ticket(tx, ticket.id, town.clock.now())


async def _said(town: RealTown, person: str, word: str) -> list[str]:
    """What is broken after the word, said here."""
    wish = "human" if word in {*invariants.HUMAN_WORDS, "0", "0#"} else "stop"
    mark = len(await town.sent())
    before = len((await town.facts()).gateway_calls or ())
    kind = InboundKind.KEY if word[0] in "0*" else InboundKind.TEXT
    heard = await town.do(town.message(person, word, kind=kind))
    turn = Turn(person, town.clock.now(), mark, wish)
    view = await town.view(turn)
    found = [*(invariants.person_in_one_turn(view) or ()), *(invariants.stop_ends_it(view) or ())]
    asks = await town.asks(person)
    if not heard:
        found.append("silence")
    if wish == "stop" and asks != "open":
        found.append(f"still asks for {asks}")
    if wish == "stop" and len(view.facts.gateway_calls or ()) != before:
        found.append("something went to the rail")
    return found


@pytest.mark.parametrize("word", ["人工", "停", "不弄了"])
async def test_from_every_state_of_a_chat(town: RealTown, word: str) -> None:
    assert await breaches(town, word) == []


@pytest.mark.parametrize("key", ["0", "*", "0#"])
async def test_from_every_state_of_a_call(town: RealTown, key: str) -> None:
    await town.open("limin", channel="voice")
    for name, way in CALLS.items():
        await _at_rest(town, "limin")
        for line in way:
            await town.voice("limin", [line], 0.95)
        if key in {"0", "0#"} and ((await town.asks("limin")) in {"account", "amount"}) is not (key == "0#"):
            continue  # while digits are collected 0 is a digit and 0# the person; elsewhere 0 alone
        assert await _said(town, "limin", key) == [], name


async def test_stop_while_the_result_is_not_known_is_answered_honestly(town: RealTown) -> None:
    await town.open("limin")
    await town.control.fault("rail", "timeout_then_paid_after", seconds=90, operation="charge", uses=1)
    await town.says("limin", "交水费", "确认", town.pin("limin"))
    heard = await town.says("limin", "停")
    assert any("已经交出去" in text for text in heard)
    assert not any("没有扣" in text for text in heard)
    await town.later_by(timedelta(minutes=10))
    # It is told what became of it: taken, or called back; never left in the air.
    last = [s.response for s in await town.heard_by("limin")]
    assert {"utter_captured", "utter_payment_stopped"} & set(last)
    assert await town.broken() == []


async def test_stopping_needs_no_second_factor_even_when_it_is_blocked(town: RealTown) -> None:
    await town.open("chengfs")
    await town.says("chengfs", "交水费", "付", "1593", "7024", "8461")
    await town.says("chengfs", "交水费")
    assert await _said(town, "chengfs", "停") == []


def _no_person(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(listening, "bring_human", lambda m, reason: repair.miss(m))


def _no_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(listening, "stop_everything", lambda m: repair.miss(m))


@pytest.mark.parametrize(("word", "mistake"), [("人工", _no_person), ("停", _no_end)])
async def test_a_state_without_a_way_out_is_seen(
    town: RealTown, monkeypatch: pytest.MonkeyPatch, word: str, mistake: Callable[[pytest.MonkeyPatch], None]
) -> None:
    mistake(monkeypatch)
    assert await breaches(town, word, ["read back", "which account"]) != []


async def _stopped_before_sending(town: RealTown) -> list[str]:
    """The yes is recorded and its process died; then 停, and time passes."""
    await town.open("limin")
    await town.says("limin", "交水费", "确认")

    async def nobody(payments: object) -> None:
        """Died."""

    town.app.desk._carry_out = nobody
    await town.app.desk.serve(town.message("limin", town.pin("limin")))
    await town.says("limin", "停")
    facts = await town.facts()
    town.stops.append(Stopped("limin", invariants.charged(facts) or 0, len(facts.confirmations or ())))
    await town.later_by(timedelta(minutes=10))
    return [f"collected after 停: {c}" for c in await town.captures()]


async def test_what_was_not_sent_when_stop_was_said_is_never_sent(town: RealTown) -> None:
    assert await _stopped_before_sending(town) == []


async def test_a_stop_that_stops_nothing_is_seen(town: RealTown, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(self: Till, tx: Tx, person: PersonId, at: Any) -> TillStopped:
        return TillStopped((), (), ())

    monkeypatch.setattr(Till, "stop", nothing)
    assert await _stopped_before_sending(town) != []
