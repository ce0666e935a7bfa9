"""Whoever we do not know: greeted, told how to become known, and brought to a person when he asks; never shown a bill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.events import InboundEvent, InboundKind
from data.model import Role
from data.store import journal, letters
from data.store.engine import Tx
from dialogues import conversations, responses, staffing
from dialogues.model import Conversation, Facts, Preferences, Said, Say
from nlu.commands import Expectation, Human, Refuse, Utterance
from nlu.text import spoken_locale
from payments.authority import people

if TYPE_CHECKING:
    from dialogues.turn import House


def answer(tx: Tx, house: House, event: InboundEvent) -> tuple[Said, ...]:
    """What an unknown address hears. Nothing of a talk is kept for it, so nothing can be guessed from it either."""
    if event.kind not in (
        InboundKind.TEXT,
        InboundKind.VOICE,
        InboundKind.KEY,
        InboundKind.CALL,
        InboundKind.BUTTON,
    ):
        return ()
    locale = spoken_locale(event.text, "zh")
    spoken = event.channel == "voice"
    keys = event.text if event.kind is InboundKind.KEY else ""
    words = Utterance(text="" if keys else event.text, keys=keys, voice=spoken)
    commands = house.understanding.understand(words, Expectation(voice=spoken, locale=locale))
    if any(isinstance(c, Human) for c in commands):
        return (
            _say(house, event, locale, "utter_human_coming", {"ahead": _ticket(tx, house, event, locale)}),
        )
    refused = next((c.kind for c in commands if isinstance(c, Refuse)), None)
    return (_say(house, event, locale, f"utter_refuse_{refused}" if refused else "utter_stranger", {}),)


def _say(house: House, event: InboundEvent, locale: str, response: str, values: dict[str, int]) -> Said:
    talk = Conversation(event.person, house.release.id, preferences=Preferences(locale=locale))
    facts = Facts(event.at, event.channel, event.channel == "voice")
    shape = responses.render(house.release, Say(response, values), talk, facts)[0]
    return Said(response=response, text=shape.text, asks="open")


def _remember_channel(tx: Tx, house: House, event: InboundEvent, locale: str) -> None:
    """Whoever takes the ticket answers where the stranger asked."""
    if staffing.peek(tx, event.person) is None:
        talk = Conversation(
            event.person,
            house.release.id,
            preferences=Preferences(locale=locale),
            channel=event.channel,
            revision=1,
        )
        conversations.save(tx, talk, 0, event)


def _ticket(tx: Tx, house: House, event: InboundEvent, locale: str) -> int:
    """A ticket for somebody without a name; gives how many wait before him."""
    ahead = len([t for t in letters.tickets_waiting(tx) if t.person != event.person])
    _remember_channel(tx, house, event, locale)
    ticket = letters.open_ticket(
        tx, kind="human", person=event.person, reason="stranger", summary="", at=event.at
    )
    journal.record(
        tx, kind="handoff_started", person=event.person, actor=event.person, subject=ticket, at=event.at
    )
    for helper in (p for p in people.everybody(tx) if p.role is Role.OPERATOR):
        letters.put_news(
            tx,
            id=f"handoff:{ticket}:{helper.id}",
            person=helper.id,
            kind="handoff",
            body={"who": "一位还没登记的人", "note": None, "ticket": ticket, "person": event.person},
            at=event.at,
        )
    return ahead
