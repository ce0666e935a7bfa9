"""Whoever we do not know: greeted, asked to enrol when he wants something, brought to a person when he asks; never shown a bill.

He has no row among the people: every gate then lets nothing through by itself. What he begins is stepped by the same engine
as everybody's talk, and whatever is not on the short list below is taken back before anything of it happens.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from data.events import InboundEvent, InboundKind
from data.ids import PersonId
from data.model import Person, Role
from data.store import journal, letters
from data.store.engine import Tx
from dialogues import conversations, responses, staffing
from dialogues.model import Conversation, Facts, Heard, Preferences, Said, Say
from nlu.commands import Expectation, Human, Refuse, StartFlow, Utterance
from nlu.text import spoken_locale
from payments.authority import people

if TYPE_CHECKING:
    from dialogues.turn import House


ENROL = "enrol"
# What somebody unknown may do: become known, reach a person, ask what there is, choose language and size.
_FREE = frozenset({ENROL, "human_help", "capabilities", "change_preferences", "tell_staff"})
_CARRIED = ("utility",)  # of his wish: the kind of bill, never a number or an amount


def whose(tx: Tx, event: InboundEvent) -> InboundEvent:
    """The event as its person's: an address that was added to somebody later speaks for him.

    The channel names what it knows; an id that is a person's own, or nobody's, stays.
    """
    whose = person_of(tx, event.channel, event.person)
    return event if whose == event.person else replace(event, person=whose)


def person_of(tx: Tx, channel: str, talker: PersonId) -> PersonId:
    """Who speaks when the channel names this one: himself, or whoever has this as a further address."""
    if people.find(tx, talker) is not None:
        return talker
    found = people.person_at(tx, channel, talker)
    return found[0] if len(found) == 1 else talker


def nobody(event: InboundEvent) -> Person:
    """Stands for somebody without a row while he proves himself."""
    return Person(event.person, "?", locale=spoken_locale(event.text, "zh"))


def begins_or_goes_on(tx: Tx, house: House, event: InboundEvent) -> bool:
    """Whether a newcomer is in a talk of his own: he wishes something, is being enrolled, or chose language and size."""
    if event.kind in (InboundKind.PREFER, InboundKind.ANSWER):
        return True
    talk = staffing.peek(tx, event.person)
    if talk is not None and talk.stack:
        return True
    if event.kind not in (InboundKind.TEXT, InboundKind.VOICE):
        return False
    locale = talk.preferences.locale if talk else spoken_locale(event.text, "zh")
    said = Utterance(text=event.text, voice=event.kind is InboundKind.VOICE)
    commands = house.understanding.understand(said, Expectation(locale=locale))
    return any(isinstance(c, StartFlow) for c in commands)


def beyond(talk: Conversation) -> StartFlow | None:
    """What stands in this talk that somebody unknown may not do; None when nothing does."""
    frame = next((f for f in reversed(talk.stack) if f.flow not in _FREE and f.kind != "call"), None)
    if frame is None:
        return None
    return StartFlow(frame.flow, {name: talk.slots[name] for name in _CARRIED if talk.slots.get(name)})


def enrols_first(wish: StartFlow, before: Conversation) -> Heard:
    """The same wish, once he is known. Whoever is being enrolled already is asked the open question again."""
    begun = any(frame.flow == ENROL for frame in before.stack)
    return Heard((StartFlow(ENROL, {} if begun else {"enrol_wish": wish.flow, **wish.slots}),))


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


def note(tx: Tx, house: House, event: InboundEvent, said: tuple[Said, ...]) -> None:
    """One line of the log of talks, numbers masked: his page shows him what was said."""
    if said:
        talk = Conversation(event.person, house.release.id, channel=event.channel)
        heard = "" if event.kind is InboundKind.KEY else conversations.masked(event.text)
        conversations.record_turn(tx, talk, event, [], list(said), heard)


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
    for helper in people.of_role(tx, Role.OPERATOR):
        letters.put_news(
            tx,
            id=f"handoff:{ticket}:{helper.id}",
            person=helper.id,
            kind="handoff",
            body={"who": "一位还没登记的人", "note": None, "ticket": ticket, "person": event.person},
            at=event.at,
        )
    return ahead
