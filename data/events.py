"""What can happen to a conversation: words, keys, buttons, calls, and news from the till."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from data.ids import PersonId


class InboundKind(StrEnum):
    """How an event reached us."""

    TEXT = "text"
    VOICE = "voice"  # recogniser text, with alternatives
    KEY = "key"  # telephone key or on-screen keypad
    BUTTON = "button"  # an opaque bound token
    PHOTO = "photo"
    SILENCE = "silence"
    CALL = "call"  # somebody rings
    HANGUP = "hangup"
    ANSWER = "answer"  # an outside action came back (payload: call_id, outcome, slots)
    RESULT = "result"  # an `events` row of the till or another room (payload: its body)
    STAFF = "staff"  # take over, say, hand back (payload: act, …)
    PREFER = "prefer"  # the page's own buttons for language and size (payload: locale, large)


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """One event for one person. (channel, event_id) is unique for ever: a repeated delivery gets the stored reply."""

    channel: str
    event_id: str
    person: PersonId
    kind: InboundKind
    at: datetime
    text: str = field(default="", repr=False)
    nbest: tuple[str, ...] = field(default=(), repr=False)
    confidence: float = 1.0
    seconds: float = 0.0  # of silence
    payload: dict[str, Any] = field(default_factory=dict, repr=False)
