"""The residents' side of the page: every word goes through the desk, and the page reads what was said from the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.app import Application
from bot.web.ports import BOT, ME, Entry, Liking, Resident, Sms
from data.events import InboundEvent, InboundKind
from data.ids import PersonId
from data.model import Person, Role
from data.store import delivery, letters
from data.store.engine import Tx
from data.store.talks import turns
from data.town import World
from dialogues import codes, staffing, strangers, wire
from dialogues.relations import relation_word
from payments.authority import people

CHANNEL = "web"
_HUMAN = {
    k.value
    for k in (InboundKind.TEXT, InboundKind.VOICE, InboundKind.KEY, InboundKind.BUTTON, InboundKind.CALL)
}
_ENTRIES_A_TURN = 100
_TOLD = ("daughter", "son", "husband", "wife", "mother")  # what a caption says of a relative


class WebTalks:
    """Talks of the page. `town` names who lives in the demo town; without one, whoever is enrolled."""

    def __init__(self, application: Application, town: World | None = None) -> None:
        self._app = application
        self._town = town

    async def residents(self, locale: str) -> list[Resident]:
        """The people of the town in its own order, staff left out."""
        return await self._app.store.run(lambda tx: _residents(tx, self._town, locale))

    async def say(self, person: PersonId, text: str, event_id: str) -> None:
        """The person wrote this."""
        await self._serve(person, InboundKind.TEXT, event_id, text=text)

    async def press(self, person: PersonId, token: str, event_id: str) -> None:
        """The person pressed a button."""
        await self._serve(person, InboundKind.BUTTON, event_id, payload={"token": token})

    async def keys(self, person: PersonId, digits: str, event_id: str) -> None:
        """The person used the keypad on the screen."""
        await self._serve(person, InboundKind.KEY, event_id, text=digits)

    async def _serve(
        self,
        person: PersonId,
        kind: InboundKind,
        event_id: str,
        text: str = "",
        payload: Mapping[str, Any] | None = None,
    ) -> None:
        event = InboundEvent(
            CHANNEL, event_id, person, kind, self._app.clock.now(), text=text, payload=dict(payload or {})
        )
        await self._app.desk.serve(event)
        await self._app.carrier.deliver()

    async def history(self, person: PersonId, since_seq: int = 0) -> list[Entry]:
        """What was said after `since_seq`, oldest first. The person's own page asks: what it is given, it shows."""
        at = self._app.clock.now()

        def read(tx: Tx) -> list[Entry]:
            whose = _whose(tx, person)
            _note_shown(tx, whose, at)
            return history(tx, whose, since_seq)

        return await self._app.store.run(read)

    async def phone(self, person: PersonId) -> list[Sms]:
        """Messages to the person's other phone."""
        return await self._app.store.run(lambda tx: _phone(tx, _whose(tx, person)))

    async def liking(self, person: PersonId) -> Liking:
        """Language and letter size as the conversation keeps them."""
        return await self._app.store.run(lambda tx: _liking(tx, _whose(tx, person)))

    async def prefer(self, person: PersonId, *, locale: str | None = None, large: bool | None = None) -> None:
        """Keeps what was chosen with the page's own buttons, through the door like everything else."""
        now = self._app.clock.now()
        event = InboundEvent(
            CHANNEL, f"prefer_{now.timestamp()}", person, InboundKind.PREFER, now,
            payload={"locale": locale, "large": large},
        )  # fmt: skip
        await self._app.desk.serve(event)

    def changes(self, person: PersonId) -> AsyncIterator[None]:
        """One item whenever this person's page should be read again."""
        return self._app.web.changes(person)


def _whose(tx: Tx, person: PersonId) -> PersonId:
    """Whose page it is: a browser that was linked to somebody shows that person's talk."""
    return strangers.person_of(tx, CHANNEL, person)


def history(tx: Tx, person: PersonId, since_seq: int = 0) -> list[Entry]:
    """Turns and letters of a talk woven together: each reply stands under what it answers."""
    first = since_seq // _ENTRIES_A_TURN
    rows = tx.conn.execute(
        sa.select(turns).where(turns.c.person == person, turns.c.seq >= first).order_by(turns.c.seq)
    ).all()
    replies: defaultdict[str, list[letters.Letter]] = defaultdict(list)
    for letter in letters.letters_to(tx, person):
        if letter.channel not in codes.ELSEWHERE and letter.state not in delivery.UNSEEN:
            replies[letter.cause].append(letter)
    entries = [e for row in rows for e in _entries(tx, row, replies)]
    return [e for e in entries if e.seq > since_seq]


def _note_shown(tx: Tx, person: PersonId, at: datetime) -> None:
    """What stands on his page is delivered; what he wrote something beneath, he has read."""
    wrote = tx.conn.scalar(
        sa.select(sa.func.max(turns.c.at)).where(turns.c.person == person, turns.c.kind.in_(_HUMAN))
    )
    before = letters.in_state(tx, person, CHANNEL, "delivered", wrote) if wrote is not None else []
    letters.mark_told(tx, before, "read", at)
    letters.mark_told(tx, letters.in_state(tx, person, CHANNEL, "sent"), "delivered", at)


def _entries(tx: Tx, row: Any, replies: Mapping[str, list[letters.Letter]]) -> list[Entry]:
    cause = f"{row.channel}:{row.event_id}"
    found: list[Entry] = []
    heard = tx.seal.open("turns.heard", cause, row.heard)
    base = row.seq * _ENTRIES_A_TURN
    if heard and row.kind in _HUMAN:
        found.append(Entry(base, ME, heard, row.at))
    for n, letter in enumerate(replies.get(cause, ()), start=1):
        said = wire.load_said(letter.body)
        speaker = BOT if said.speaker == "bot" else said.speaker
        found.append(
            Entry(
                base + n,
                speaker,
                said.text,
                letter.created_at,
                said.buttons,
                said.asks,
                said.link,
                said.large,
            )
        )
    return found


def _phone(tx: Tx, person: PersonId) -> list[Sms]:
    found = (letter for letter in letters.letters_to(tx, person) if letter.channel == codes.SMS)
    return [Sms(letter.created_at, wire.load_said(letter.body).text) for letter in found]


def _liking(tx: Tx, person: PersonId) -> Liking:
    talk = staffing.peek(tx, person)
    if talk is None:
        who = people.find(tx, person)
        return Liking() if who is None else Liking(who.locale, who.low_sight)
    return Liking(talk.preferences.locale, talk.preferences.large)


# --- who lives here -----------------------------------------------------------------------------------------------


def _residents(tx: Tx, town: World | None, locale: str) -> list[Resident]:
    order = {p: n for n, p in enumerate(town.people)} if town else {}
    found = [p for p in people.everybody(tx) if p.role in (Role.FAMILY, Role.HELPER)]
    found.sort(key=lambda p: order.get(p.id, len(order)))
    return [Resident(p.id, p.name, _caption(tx, p, town, locale), p.locale) for p in found]


def _caption(tx: Tx, person: Person, town: World | None, locale: str) -> str:
    """Who somebody is, in a few words: age, what is special about his sight or phone, and whose relative he is."""
    zh = locale == "zh"
    age = town.people[person.id].age if town and person.id in town.people else None
    parts = [f"{age}岁" if zh else f"aged {age}"] if age else []
    if person.role is Role.HELPER:
        parts.append("社区帮办员" if zh else "community helper")
    if person.low_sight:
        parts.append("眼神不太好" if zh else "poor sight")
    if not person.smartphone:
        parts.append("只有老式电话" if zh else "plain telephone only")
    parts += _relatives(person.id, town, locale)
    return ("，".join(parts) if zh else ", ".join(parts)) or ("居民" if zh else "resident")


def _relatives(person: PersonId, town: World | None, locale: str) -> list[str]:
    """李建国的女儿，在外地: whose child somebody is, the first thing a visitor wants to know of him."""
    if town is None:
        return []
    names: dict[str, list[str]] = {}
    for relation in town.relations:
        word = relation_word(relation.kind, locale)
        if relation.person == person and word and relation.kind in _TOLD:
            names.setdefault(word, []).append(town.people[relation.of].name)
    if locale == "zh":
        return [f"{'和'.join(others)}的{word}" for word, others in names.items()]
    return [f"{word} of {' and '.join(others)}" for word, others in names.items()]
