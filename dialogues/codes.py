"""Sending a one-time code to a person's other phone: never to the chat in which it is asked for (settled 23)."""

from __future__ import annotations

from datetime import datetime

from data.ids import ActId, PersonId
from data.store import letters
from data.store.engine import Tx
from dialogues import wire
from dialogues.model import Said
from payments.authority import enrolling, factors, people

SMS = "sms"
ELSEWHERE = frozenset({SMS, enrolling.BEFORE})  # other telephones: what goes there is no reply of a talk


def send(
    tx: Tx, *, person: PersonId, act: ActId, binding: str, channel: str, text: str, at: datetime, cause: str
) -> bool:
    """Issues a code and posts it; `text` holds {code}. False when the person has no second address for it."""
    if not has_second_address(tx, person, channel):
        return False
    issued = factors.issue_code(tx, person, act, binding, at)
    said = Said(response="utter_code_message", text=text.replace("{code}", issued.code), to_channel=SMS)
    letters.put_letter(tx, person=person, channel=SMS, body=wire.dump_said(said), cause=cause, at=at)
    return True


def has_second_address(tx: Tx, person: PersonId, channel: str) -> bool:
    """Whether a verified telephone is known that is not the very line the person is speaking on."""
    return channel != "voice" and reads_messages(tx, person)


def reads_messages(tx: Tx, person: PersonId) -> bool:
    """Whether text messages reach a verified telephone of this person."""
    return any(a.verified and a.channel == SMS for a in people.addresses_of(tx, person))
