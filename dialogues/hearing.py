"""From an event to what the engine is told: words and keys are understood, buttons looked up, answers and news recognised."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from data.events import InboundEvent, InboundKind
from data.store import journal, letters
from data.store.engine import Tx
from data.store.talks import calls, tokens
from dialogues import duties, expectation, guard, mappings, results
from dialogues.model import Answered, Conversation, Facts, Heard, Input, News, Say
from nlu.commands import (
    Affirm,
    Choose,
    Command,
    Deny,
    Expectation,
    Greet,
    Refuse,
    Repeat,
    SetSlot,
    Silence,
    Stop,
    Utterance,
)
from payments.authority import accounts, people

if TYPE_CHECKING:
    from dialogues.turn import House

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,40}")  # what a token of ours looks like; nothing else is looked up
_HALF = re.compile("[\ud800-\udfff]")
_SUBSTITUTE = "\x1a"  # a control character made for this; a text with one is never a yes
_OF_A_BANK = frozenset({"card_number", "bank_code"})  # refused, and nothing of it is kept (L8)
_HIDDEN = "••••"


@dataclass(frozen=True, slots=True)
class HeardEvent:
    """What an event means for the turn. `asked` is the kind of question it answers; `names` go to the log of talks."""

    inputs: tuple[Input, ...] = ()
    said_at_once: tuple[Say, ...] = ()
    names: tuple[str, ...] = ()
    asked: str = ""
    silent: bool = False
    shown: str | None = None  # what the log of talks shows instead of the event's own text
    conversation: Conversation | None = None


def readable(event: InboundEvent) -> InboundEvent:
    """The event without halves of characters: a broken channel may send them, and no row and no page can hold them."""
    if not any(map(_HALF.search, (event.text, *event.nbest))):
        return event
    whole = [_HALF.sub(_SUBSTITUTE, text) for text in (event.text, *event.nbest)]
    return replace(event, text=whole[0], nbest=tuple(whole[1:]))


def hear(tx: Tx, house: House, event: InboundEvent, conversation: Conversation, facts: Facts) -> HeardEvent:
    """Reads one event of any kind."""
    match event.kind:
        case InboundKind.ANSWER:
            return _answered(tx, event)
        case InboundKind.RESULT:
            return _news(tx, house, event, conversation)
        case InboundKind.STAFF | InboundKind.PHOTO:
            return HeardEvent()
        case InboundKind.PREFER:
            return _preferred(event, conversation)
        case InboundKind.HANGUP:
            return HeardEvent(silent=True)
        case InboundKind.BUTTON:
            return _button(tx, house, event, conversation, facts)
        case _:
            return _words(tx, house, event, conversation, facts)


def _words(tx: Tx, house: House, event: InboundEvent, conversation: Conversation, facts: Facts) -> HeardEvent:
    waits_for = _expectation(tx, house, event, conversation, facts)
    commands = duties.wish(tx, event) or _understood(house, event, waits_for)
    said = event.text if event.kind in (InboundKind.TEXT, InboundKind.VOICE) else ""
    commands = mappings.applied(house.release, conversation, waits_for.slot, commands, said)
    if any(isinstance(c, Refuse) and c.kind == "scam" for c in commands):
        _note_scam(tx, event)
    return _heard(commands, conversation, waits_for, conversation.prompt)


def _note_scam(tx: Tx, event: InboundEvent) -> None:
    """That somebody was warned of a swindle is kept; what the swindler wrote is not."""
    journal.record(
        tx,
        kind="scam_warning_given",
        person=event.person,
        actor=event.person,
        subject=event.channel,
        at=event.at,
    )


def _understood(house: House, event: InboundEvent, waits_for: Expectation) -> list[Command]:
    match event.kind:
        case InboundKind.CALL:
            return [Greet()]
        case InboundKind.SILENCE:
            return [Silence(event.seconds)]
        case InboundKind.KEY:
            return house.understanding.understand(Utterance(keys=event.text), waits_for)
        case _:
            voice = event.kind is InboundKind.VOICE
            said = Utterance(text=event.text, nbest=event.nbest, confidence=event.confidence, voice=voice)
            return house.understanding.understand(said, waits_for)


def _heard(
    commands: list[Command],
    conversation: Conversation,
    waits_for: Expectation,
    prompt: int | None,
    *,
    written: bool = False,
) -> HeardEvent:
    """Commands that passed the guard. While a person speaks with him the bot keeps silent, except to stop (L3)."""
    names = tuple(type(c).__name__ for c in commands)
    bank = any(isinstance(c, Refuse) and c.kind in _OF_A_BANK for c in commands)
    heard = HeardEvent(names=names, asked=waits_for.asks, shown=_HIDDEN if bank else None)
    if conversation.mode == "human" and not any(isinstance(c, Stop) for c in commands):
        return replace(heard, silent=True)
    allowed = guard.allowed(commands, conversation, waits_for, prompt, written=written)
    return replace(heard, inputs=(Heard(tuple(allowed)),))


def _expectation(
    tx: Tx, house: House, event: InboundEvent, conversation: Conversation, facts: Facts
) -> Expectation:
    waits_for = expectation.expectation(house.release, conversation, facts.spoken)
    if "account" not in (waits_for.asks, waits_for.slot):
        return waits_for
    known = accounts.known_accounts(tx, event.person, event.at)
    return _with_known(waits_for, tuple(k.account.number for k in known))


def _with_known(waits_for: Expectation, numbers: tuple[str, ...]) -> Expectation:
    return replace(waits_for, known_numbers=numbers)


def _preferred(event: InboundEvent, conversation: Conversation) -> HeardEvent:
    """The page's own buttons for language and letter size: kept without a word."""
    likes = conversation.preferences
    locale, large = event.payload.get("locale"), event.payload.get("large")
    kept = replace(
        likes,
        locale=locale if locale in ("zh", "en") else likes.locale,
        large=bool(large) if large is not None else likes.large,
    )
    return HeardEvent(silent=True, conversation=replace(conversation, preferences=kept))


# --- buttons ------------------------------------------------------------------------------------------------------


def _button(
    tx: Tx, house: House, event: InboundEvent, conversation: Conversation, facts: Facts
) -> HeardEvent:
    """A token means what it meant when it was sent, to whom it was sent, at the prompt it was sent with."""
    row = _token(tx, event)
    if row is None:
        return _quiet(
            HeardEvent(said_at_once=(Say("utter_button_old", {}),), names=("OldButton",)), conversation
        )
    waits_for = _expectation(tx, house, event, conversation, facts)
    return _quiet(replace(_pressed(house, row, conversation, waits_for), shown=row.title), conversation)


def _quiet(heard: HeardEvent, conversation: Conversation) -> HeardEvent:
    """While a person of ours has the word an old button is not explained: only a stop counts, and one voice speaks (L3)."""
    stops = any(
        isinstance(one, Heard) and any(isinstance(c, Stop) for c in one.commands) for one in heard.inputs
    )
    if conversation.mode != "human" or stops:
        return heard
    return replace(heard, inputs=(), said_at_once=(), silent=True)


def _pressed(house: House, row: Any, conversation: Conversation, waits_for: Expectation) -> HeardEvent:
    payload, act = str(row.payload["payload"]), str(row.payload["act"])
    commands = mappings.pressed(house.release, conversation, waits_for.slot, payload)
    if commands is None:
        commands = house.understanding.understand(Utterance(text=payload), waits_for)
        return _heard(commands, conversation, waits_for, conversation.prompt)
    if isinstance(commands[0], Affirm | Deny | Choose | SetSlot) and row.prompt != conversation.prompt:
        return _old_answer(commands[0], act, conversation, waits_for)
    return _heard(commands, conversation, waits_for, row.prompt, written=True)


def _old_answer(command: Command, act: str, conversation: Conversation, waits_for: Expectation) -> HeardEvent:
    """An answer to a question that is not the newest: never a yes, always a no, and what became of it when it is over."""
    if isinstance(command, Affirm) and _stands_at(conversation, act, "code", "check", "commit", "outcome"):
        # The same yes once more (a double tap, a second tab): it was heard; the open question is only said again.
        return _heard([Repeat()], conversation, waits_for, conversation.prompt)
    if isinstance(command, Deny) and _stands_at(conversation, act, "confirm", "code"):
        return _heard([command], conversation, waits_for, conversation.prompt)
    if act and isinstance(command, Affirm | Deny):
        return HeardEvent(inputs=(News("recall_result", {"act_id": act}),), names=("OldAnswer",))
    return HeardEvent(said_at_once=(Say("utter_button_old", {}),), names=("OldButton",))


def _stands_at(conversation: Conversation, act: str, *phases: str) -> bool:
    """Whether the business on top is about this act, in one of these phases."""
    top = conversation.top
    return top is not None and bool(act) and top.context.get("act") == act and top.phase in phases


def _token(tx: Tx, event: InboundEvent) -> Any:
    token = str(event.payload.get("token", ""))
    if not _TOKEN.fullmatch(token):
        return None
    row = tx.conn.execute(sa.select(tokens).where(tokens.c.token == token)).one_or_none()
    if row is None or row.person != event.person or row.expires_at <= event.at:
        return None
    return row


# --- answers and news ---------------------------------------------------------------------------------------------


def _answered(tx: Tx, event: InboundEvent) -> HeardEvent:
    """An outside action came back; one that nobody waits for any more is put away."""
    row = tx.conn.execute(sa.select(calls).where(calls.c.id == event.payload["id"])).one_or_none()
    if row is None or row.state != "waiting":
        return HeardEvent(silent=True)
    if event.payload.get("patience"):
        return HeardEvent(said_at_once=(Say("utter_looking", {}),))
    tx.conn.execute(sa.update(calls).where(calls.c.id == row.id).values(state="answered"))
    waiting = json.loads(tx.seal.open("calls.arguments", row.id, row.arguments))
    outcome, slots = str(event.payload["outcome"]), dict(event.payload.get("slots") or {})
    return HeardEvent(inputs=(Answered(waiting["call"], outcome, slots),), names=("Answered",))


def _news(tx: Tx, house: House, event: InboundEvent, conversation: Conversation) -> HeardEvent:
    """A row of news, told once: whoever serves it first tells it."""
    if not letters.mark_served(tx, str(event.payload["id"]), event.at):
        return HeardEvent(silent=True)
    news = results.news_of(
        tx,
        house.till,
        house.catalogue,
        event.person,
        str(event.payload["kind"]),
        dict(event.payload["body"]),
        conversation.preferences.locale,
        event.at,
    )
    if news is None:
        letters.mark_superseded(tx, str(event.payload["id"]))
        return HeardEvent(silent=True)
    return HeardEvent(inputs=(news,), names=("News",))


def still_so(house: House, tx: Tx, news: letters.News, at: datetime) -> bool:
    """Whether a piece of news that waited to be sent is not overtaken: who filled a meter is not told that it is low."""
    known = people.find(tx, news.person)  # somebody nobody enrolled is told things as well
    locale = known.locale if known else "zh"
    told = results.news_of(tx, house.till, house.catalogue, news.person, news.kind, news.body, locale, at)
    return told is not None
