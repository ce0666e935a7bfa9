"""The reply of a turn on its way: put into the outbox, begun differently when it would be the third of its kind."""

from __future__ import annotations

import zlib
from dataclasses import replace

from data.events import InboundEvent
from data.store import letters
from data.store.engine import Tx
from dialogues import codes, saying, wire
from dialogues.model import Conversation, Facts, Release, Said, Say


def post(tx: Tx, event: InboundEvent, channel: str, said: Said) -> str:
    """Puts a reply into the outbox of this channel; gives the letter's id."""
    letter = letters.put_letter(
        tx,
        person=event.person,
        channel=channel,
        body=wire.dump_said(said),
        cause=f"{event.channel}:{event.event_id}",
        at=event.at,
    )
    assert letter is not None, "a reply has no twin"
    return letter


def in_other_words(release: Release, conversation: Conversation, facts: Facts, said: Said) -> Said:
    """The third time in a row a sentence begins differently: nobody is talked at by a parrot (L10)."""
    earlier = [reply.split() for reply in conversation.recent]
    if len(earlier) == 2 and all(mark(said.text) in reply for reply in earlier):
        once_more = saying.plain(release, "utter_once_more", {}, conversation, facts)
        return replace(said, text=f"{once_more}\n{said.text}")
    return said


def with_link(release: Release, conversation: Conversation, facts: Facts, say: Say, link: str) -> Said:
    """What was said to be on its way to the other phone is: a link can be read there, not heard here."""
    written = replace(facts, spoken=False, channel=codes.SMS)
    text = saying.plain(release, say.response, say.values, conversation, written)
    return Said(response=say.response, text=f"{text}\n{link}", to_channel=codes.SMS)


def mark(text: str) -> str:
    """A short mark of a text, to compare it with the next."""
    return format(zlib.crc32(text.encode()), "x")
