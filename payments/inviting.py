"""Agreeing to let somebody help: what is read back, the giver's firm yes with a factor, and the code that comes of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from data.ids import ActId, PersonId
from data.model import May
from data.money import Money
from data.store import letters
from data.store.engine import Tx
from payments import drafting
from payments.acts import AlreadyConfirmed, Evidence, Refusal, view, weak_yes
from payments.authority import access, invitations, people
from payments.authority.invitations import Invitation, Offer, Opened
from payments.drafting import Draft
from payments.limits import Limits
from payments.states import ActState, move_act

KIND = "invite"
TAKEN, LINKED, NOT_LINKED = "invitation_taken", "linked", "not_linked"


@dataclass(frozen=True, slots=True)
class ProposedOffer:
    """Ready to be read back."""

    act: ActId
    digest: str
    until: datetime


def propose_offer(
    tx: Tx, giver: PersonId, offer: Offer, channel: str, at: datetime, limits: Limits
) -> ProposedOffer | Refusal:
    """Writes down what somebody shall be let do. Refusals: no_purse, caps_missing, cooling, amount_rule."""
    if May.CONFIRM_PAYMENT in offer.verbs and (why := _cannot_lend(tx, giver, offer, at)):
        return Refusal(why)
    digest = digest_of(giver, offer)
    act = drafting.put(tx, Draft.own(KIND, giver, digest, channel, at, at + limits.act_lifetime))
    return ProposedOffer(act, digest, at + invitations.GRANT_LIFE)


def _cannot_lend(tx: Tx, giver: PersonId, offer: Offer, at: datetime) -> str:
    if not access.instruments_of(tx, giver):
        return "no_purse"
    if offer.per_payment is None or offer.per_month is None:
        return "caps_missing"
    if not Money(0) < offer.per_payment <= offer.per_month:
        return "amount_rule"
    # Who just changed his telephone may be somebody else: nothing rises for 72 hours (settled 23).
    return "cooling" if people.cooling(tx, giver, at) else ""


def digest_of(giver: PersonId, offer: Offer) -> str:
    """What was read back, as one value."""
    caps = [None if cap is None else cap.fen for cap in (offer.per_payment, offer.per_month)]
    facts = [giver, offer.relation, sorted(offer.verbs), *caps]
    return hashlib.sha256(json.dumps(facts, separators=(",", ":")).encode()).hexdigest()


def agree(
    tx: Tx, act: ActId, digest: str, offer: Offer, evidence: Evidence, at: datetime
) -> Opened | AlreadyConfirmed | Refusal:
    """The giver's yes: a code for exactly what was read back. A second yes makes no second code."""
    found = view(tx, act, hold=True)
    if digest != found.digest or digest_of(found.proposer, offer) != found.digest:
        return Refusal("digest_changed")
    if found.state is ActState.CONFIRMED:
        return AlreadyConfirmed(())
    refusal = weak_yes(tx, found, evidence, at)
    if refusal is not None:
        return refusal
    moved = move_act(tx, act, ActState.PROPOSED, ActState.CONFIRMED, at, evidence=evidence.body())
    assert moved, "its row is held"
    return invitations.open_invitation(tx, found.proposer, offer, at)


# --- from the code to the link ------------------------------------------------------------------------------------


def take_up(tx: Tx, invitation: str, taker: PersonId, giver: PersonId, at: datetime) -> bool:
    """The taker knows the giver; the giver is asked whether he knows the taker. False: it is gone or taken."""
    if not invitations.take_up(tx, invitation, taker, at):
        return False
    _tell(tx, TAKEN, invitation, giver, {"who": taker, "invitation": invitation}, at)
    return True


def answer(tx: Tx, invitation: str, giver: PersonId, *, knows: bool, at: datetime) -> Invitation | None:
    """The giver's word about who took it up: linked, or not; both hear of it. None when nothing waits any more."""
    found = invitations.waiting(tx, giver, invitation, at)
    if found is None or found.taken_by is None:
        return None
    if knows:
        invitations.link(tx, found, at)
    else:
        invitations.close(tx, invitation, at)
    _tell(tx, LINKED if knows else NOT_LINKED, invitation, found.taken_by, {"who": giver}, at)
    return found


def stop(tx: Tx, giver: PersonId, at: datetime) -> int:
    """停 where the giver was asked who took his invitation up: nobody is linked, and who waits hears so; gives how many."""
    asked = invitations.all_waiting(tx, giver, at)
    return sum(answer(tx, one.id, giver, knows=False, at=at) is not None for one in asked)


def _tell(tx: Tx, kind: str, invitation: str, person: PersonId, body: dict[str, str], at: datetime) -> None:
    letters.put_news(tx, id=f"{kind}:{invitation}", person=person, kind=kind, body=body, at=at)
