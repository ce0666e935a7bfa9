"""Keeping conversations and every turn of them; the revision decides when two processes serve one person at once."""

from __future__ import annotations

import json
import re

import sqlalchemy as sa

from data.events import InboundEvent
from data.ids import PersonId
from data.store.engine import Tx
from data.store.talks import conversations, turns
from dialogues import renewal, wire
from dialogues.model import Conversation, Preferences, Said

_PLACE = "conversations.state"
# Digits as typed and as spoken: 4071, 4 0 7 1, 四零七一. Amounts said in words hold a 十 or 百 and stay.
_DIGITS = re.compile(
    r"\d(?:[\s-]?\d){3,}|[零〇一二三四五六七八九幺洞](?:\s?[零〇一二三四五六七八九幺洞]){3,}"
)

# Built once: building a statement costs more than running it, and these run in every turn.
_OF = sa.select(conversations).where(conversations.c.person == sa.bindparam("who"))
_NEXT = (
    conversations.update()
    .where(conversations.c.person == sa.bindparam("who"), conversations.c.revision == sa.bindparam("before"))
    .values({c: sa.bindparam(f"new_{c}") for c in ("state", "revision", "release", "updated_at")})
)
_TURN = turns.insert()


class Overtaken(Exception):
    """Another process wrote this conversation meanwhile; the turn is taken again from its beginning."""


def load(tx: Tx, person: PersonId, release: str, locale: str, aloud: bool = False) -> Conversation:
    """The conversation as it stands, or a new one in this language, answered aloud too if so wished. The row is held until the turn is over."""
    tx.alone(f"conversation:{person}")
    row = tx.conn.execute(_OF, {"who": person}).one_or_none()
    if row is None:
        return Conversation(
            person=person, release=release, preferences=Preferences(locale=locale, voice_reply=aloud)
        )
    return wire.load(tx.seal.open(_PLACE, person, row.state))


def save(tx: Tx, conversation: Conversation, before: int, event: InboundEvent) -> None:
    """Writes it with the next revision. Raises Overtaken."""
    sealed = tx.seal.seal(_PLACE, conversation.person, wire.dump(conversation))
    values = {
        "state": sealed,
        "revision": conversation.revision,
        "release": "" if renewal.at_rest(conversation) else conversation.release,
        "updated_at": event.at,
    }
    if before == 0:
        written = tx.put_new(conversations, person=conversation.person, **values)
    else:
        new = {f"new_{name}": value for name, value in values.items()}
        done = tx.conn.execute(_NEXT, {"who": conversation.person, "before": before, **new})
        written = done.rowcount == 1
    if not written:
        raise Overtaken(conversation.person)


def record_turn(
    tx: Tx, conversation: Conversation, event: InboundEvent, commands: list[str], said: list[Said], heard: str
) -> None:
    """One line of the log of talks: texts sealed and with every longer run of digits masked, commands by name."""
    row = f"{event.channel}:{event.event_id}"
    texts = json.dumps([masked(s.text) for s in said], ensure_ascii=False)
    tx.conn.execute(
        _TURN,
        {
            "person": conversation.person,
            "channel": event.channel,
            "event_id": event.event_id,
            "kind": event.kind.value,
            "heard": tx.seal.seal("turns.heard", row, heard),
            "said": tx.seal.seal("turns.said", row, texts),
            "commands": commands,
            "revision": conversation.revision,
            "at": event.at,
        },
    )


def masked(text: str) -> str:
    """A text with account numbers, cards and codes reduced to their last four digits at most."""
    return _DIGITS.sub(lambda m: _tail(m[0]), text)


def _tail(run: str) -> str:
    digits = re.sub(r"\s|-", "", run)
    return f"****{digits[-4:]}" if len(digits) >= 8 else "*" * len(digits)
