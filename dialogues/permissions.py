"""News between people as a talk understands them: a yes that is asked for, given or refused, a permission given or taken back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from data.catalogue import Catalogue
from data.ids import ActId, PersonId
from data.model import Role, Utility, masked_name
from data.money import Money
from data.store.engine import Tx
from dialogues import model
from dialogues.actions.ports import bill_name
from dialogues.relations import relation_word
from payments import approving, inviting, linking
from payments.acts import ActView
from payments.authority import people
from payments.authority.invitations import Offer
from payments.opening import till_account
from payments.purse import relation_of
from payments.states import ActState
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
KINDS = approving.KINDS | _LINKING


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
        return model.News("vouch", {"who": named(tx, person, elder, locale), "elder": elder})
    if kind not in approving.KINDS:
        who = named(tx, person, PersonId(body["who"]), locale)
        return model.News("tell_permission", {"news": kind, **_facts(body), "who": who})
    found = till.act(tx, ActId(body["act"]))
    slots = act_slots(tx, catalogue, found, locale) | {"news": kind}
    if kind == approving.ASKED:
        # It may have waited for the morning: who may not decide any more hears nothing of the bill (L6).
        if found.state is not ActState.APPROVAL_WAIT or person not in approving.deciders(tx, found, at):
            return None
        slots["who"] = named(tx, person, found.proposer, locale)
        return model.News("approve_payment", slots)
    slots["who"] = named(tx, person, found.payer if person == found.proposer else found.proposer, locale)
    return model.News("tell_permission", slots)


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


def act_slots(tx: Tx, catalogue: Catalogue, found: ActView, locale: str) -> dict[str, Any]:
    """What an act is about: which bills of whom and how much in all, never an account number."""
    shown = [till_account(tx, line.account) for line in found.lines]
    names = dict.fromkeys(bill_name(catalogue, Utility(a.utility), locale) for a in shown)
    first = shown[0]
    return {
        "act_id": found.id,
        "amount": found.total.fen,
        "bill_name": (", " if locale == "en" else "、").join(names),
        "biller_name": catalogue.biller(first.biller).name[locale],
        "prepaid": catalogue.biller(first.biller).prepaid,
        "holder": first.holder_masked,
        "tail": first.tail,
    }


def named(tx: Tx, person: PersonId, other: PersonId, locale: str) -> str:
    """Another by name and by what he is to this person: 您女儿李敏, 社区帮办员周慧."""
    known = people.find(tx, other)
    if known is None:
        return "有人" if locale == "zh" else "Somebody"
    viewer = people.find(tx, person)
    if viewer is not None and viewer.role is Role.HELPER:
        return masked_name(known.name)
    kind = relation_of(tx, person, other)
    if known.role is Role.HELPER:
        kind = "helper"
    word = relation_word(kind, locale)
    if word is None:
        return masked_name(known.name)  # nobody to each other yet: an invitation refused tells no full name
    if locale == "en":
        return f"{known.name}, {'the community' if kind == 'helper' else 'your'} {word}"
    return f"{word}{known.name}" if kind == "helper" else f"您{word}{known.name}"
