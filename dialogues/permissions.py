"""News between people as a talk understands them: who may help whom from now on, who may not any more, who vouches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from data.catalogue import Catalogue
from data.ids import PersonId
from data.model import masked_name
from data.money import Money
from data.store.engine import Tx
from dialogues import consents, model
from dialogues.naming import named
from payments import inviting, linking
from payments.authority import people, vouching
from payments.authority.invitations import Offer
from payments.till import Till

_LINKING = frozenset(
    {
        inviting.TAKEN,
        inviting.LINKED,
        inviting.NOT_LINKED,
        linking.ENDED_GIVER,
        linking.ENDED_TAKER,
        "reminder",
        "address_added",
        "pin_vouch",
        "pin_vouched",
    }
)
KINDS = consents.KINDS | _LINKING


def news_of(
    tx: Tx,
    till: Till,
    catalogue: Catalogue,
    person: PersonId,
    kind: str,
    body: dict[str, Any],
    locale: str,
    at: datetime,
) -> model.News | None:
    """One row of such news as an input of the engine; None when the matter is over meanwhile."""
    if kind == inviting.TAKEN:
        return model.News("confirm_link", _taker(tx, PersonId(body["who"]), str(body["invitation"])))
    if kind == "pin_vouch":
        elder = PersonId(body["elder"])
        if not vouching.waits(tx, elder, person, at):
            return None
        return model.News("vouch", {"who": named(tx, person, elder, locale), "elder": elder})
    if kind in consents.KINDS:
        return consents.news_of(tx, till, catalogue, person, kind, body, locale, at)
    who = named(tx, person, PersonId(body["who"]), locale)
    return model.News("tell_permission", {"news": kind, **_facts(body), "who": who})


def _taker(tx: Tx, taker: PersonId, invitation: str) -> dict[str, Any]:
    """Whoever took an invitation up, as its giver may check him: masked name and the end of his telephone number."""
    known = people.addresses_of(tx, taker)
    phones = [a.external_id for a in known if a.verified and a.channel in people.TELEPHONES]
    who = masked_name(people.person(tx, taker).name)
    return {"who": who, "invitation": invitation, "phone_tail": phones[0][-4:] if phones else None}


def offer_of(slots: Mapping[str, Any]) -> Offer:
    """What a giver was asked and answered, as an offer."""
    lent = slots["invite_may"] == "spend"
    caps = [
        Money(int(slots[name])) if lent and slots.get(name) else None for name in ("lend_once", "lend_month")
    ]
    return Offer(str(slots["invite_who"]), str(slots["invite_may"]), *caps)


def _facts(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in ("who", "on_channel")}
