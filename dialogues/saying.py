"""From a response to a message: rendered, its buttons bound to this person and prompt, its claims held against the till.

A sentence that says money moved is checked against the payment row before it is written; one that is not so is never said.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from data.ids import PaymentId, PersonId, fresh
from data.store.engine import Tx
from data.store.talks import tokens
from dialogues import responses
from dialogues.model import Button, ButtonSpec, Conversation, Facts, Release, Said, Say

if TYPE_CHECKING:
    from dialogues.turn import House

_BUTTON_LIFE = timedelta(days=7)


def said(
    tx: Tx, house: House, conversation: Conversation, facts: Facts, say: Say, act: str, at: datetime
) -> Said | None:
    """The message; None when it claims about money what the payment row does not say (L2)."""
    shape = responses.render(house.release, say, conversation, facts)[0]
    claims = shape.metadata.get("claims")
    payment = say.values.get("payment")
    if claims and not (payment and house.till.claim_holds(tx, PaymentId(str(payment)), str(claims))):
        return None
    buttons = () if facts.spoken else _bound(tx, conversation.person, say.prompt, act, shape.buttons, at)
    likes = conversation.preferences
    return Said(
        response=say.response,
        text=_begun(shape.text, likes.locale),
        buttons=buttons,
        asks=say.asks,
        claims=str(claims) if claims else None,
        payment=str(payment) if payment and (claims or say.values.get("link")) else None,
        interruptible=bool(shape.metadata.get("interruptible", True)),
        slower=say.slower,
        rate=likes.rate,
        large=likes.large,
        link=str(say.values["link"])
        if say.response in ("utter_pay_link", "utter_link_open") and say.values.get("link")
        else None,
    )


def _begun(text: str, locale: str) -> str:
    """A message that begins with what a bill is called begins like a sentence all the same."""
    return text[:1].upper() + text[1:] if locale == "en" else text


def plain(
    release: Release, response: str, values: Mapping[str, Any], conversation: Conversation, facts: Facts
) -> str:
    """Only the words of a response, for messages that leave by another way."""
    return responses.render(release, Say(response, values), conversation, facts)[0].text


def _bound(
    tx: Tx, person: PersonId, prompt: int, act: str, specs: tuple[ButtonSpec, ...], at: datetime
) -> tuple[Button, ...]:
    buttons = tuple(Button(spec.title, fresh("b", 24)) for spec in specs)
    if buttons:
        tx.conn.execute(
            sa.insert(tokens),
            [
                {
                    "token": button.token,
                    "person": person,
                    "prompt": prompt,
                    "payload": {"payload": spec.payload, "act": act},
                    "title": spec.title[:60],
                    "expires_at": at + _BUTTON_LIFE,
                }
                for button, spec in zip(buttons, specs, strict=True)
            ],
        )
    return buttons
