"""Whose money pays: one's own purse, a relative's within a spending grant, the elder's own, or a page at the rail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from data.ids import AccountId, InstrumentId, PersonId
from data.model import May
from data.store.engine import Tx
from payments.authority import access, people
from payments.opening import till_account


@dataclass(frozen=True, slots=True)
class Purse:
    """The money an act is paid with, who owns it, who must say yes, and under which grant."""

    method: str  # "purse" | "hosted"
    payer: PersonId
    confirmer: PersonId
    instrument: InstrumentId | None = None
    grant: access.Spending | None = None
    relation: str = "self"


def choose_purse(
    tx: Tx, proposer: PersonId, wanted: list[AccountId], channel: str, method: str, at: datetime
) -> Purse | None:
    """The purse for these accounts, or None when nobody's money may be used.

    On the telephone a relative's purse comes first where it was given for exactly that; elsewhere one's own.
    `method` "auto" falls back to a page at the rail, "purse" does not, "hosted" wants the page.
    """
    own_money = all(access.may(tx, proposer, May.PAY, account, at) for account in wanted)
    page = Purse("hosted", proposer, proposer) if own_money else None
    if method == "hosted":
        return page
    own = _own_purse(tx, proposer) if own_money else None
    lent = _lent_purse(tx, proposer, wanted, at)
    found = (lent or own) if channel == "voice" else (own or lent)
    found = found or _elders_purse(tx, proposer, wanted, at)
    return found or (page if method == "auto" else None)


def why_none(tx: Tx, proposer: PersonId, wanted: list[AccountId], method: str, at: datetime) -> str:
    """Why nobody's money may be used: leave is lacking only where it is; a missing wallet is no missing leave."""
    if all(access.may(tx, proposer, May.PAY, account, at) for account in wanted):
        return "no_purse"
    begins = all(access.may(tx, proposer, May.START_PAYMENT, account, at) for account in wanted)
    if method == "hosted" or not begins:
        return "no_permission"  # a page is paid with one's own money
    holders = {till_account(tx, account).holder for account in wanted}
    return "holder_no_purse" if len(holders) == 1 else "several_holders"


def _own_purse(tx: Tx, person: PersonId) -> Purse | None:
    mine = access.instruments_of(tx, person)
    return Purse("purse", person, person, mine[0].id) if mine else None


def _lent_purse(tx: Tx, person: PersonId, wanted: list[AccountId], at: datetime) -> Purse | None:
    """A relative's purse, for what the household has saved: a number read out in this talk is not what it was lent for."""
    lent = access.spending_grants(tx, person, at)
    seen = [access.may(tx, person, May.BILLS, account, at) for account in wanted]
    if not lent or any(one is None or one.reason == "talk" for one in seen):
        return None
    grant = lent[0]
    relation = relation_of(tx, person, grant.payer)
    return Purse("purse", grant.payer, person, grant.instrument, grant, relation)


def _elders_purse(tx: Tx, helper: PersonId, wanted: list[AccountId], at: datetime) -> Purse | None:
    """A helper may begin a payment from the holder's own purse; the holder says yes on his own channel (L7)."""
    if not all(access.may(tx, helper, May.START_PAYMENT, account, at) for account in wanted):
        return None
    holders = {till_account(tx, account).holder for account in wanted}
    holder = holders.pop() if len(holders) == 1 else None
    mine = access.instruments_of(tx, holder) if holder else []
    return Purse("purse", holder, holder, mine[0].id) if holder and mine else None


def relation_of(tx: Tx, person: PersonId, other: PersonId) -> str:
    """What `other` is to `person`: "self", "daughter", … or "" when nothing is known."""
    if person == other:
        return "self"
    return next((r.kind for r in people.relatives(tx, person) if r.relative == other), "")


def still_good(
    tx: Tx,
    confirmer: PersonId,
    payer: PersonId,
    grant_id: str | None,
    instrument: InstrumentId | None,
    at: datetime,
) -> Purse | None:
    """The purse an act was read back with, if it may still be used at this moment."""
    if grant_id is not None:
        same = (g for g in access.spending_grants(tx, confirmer, at) if g.grant_id == grant_id)
        grant = next((g for g in same if g.payer == payer and g.instrument == instrument), None)
        return Purse("purse", payer, confirmer, instrument, grant) if grant else None
    if confirmer != payer:
        return None
    if instrument is None:
        return Purse("hosted", payer, confirmer)
    kept = any(i.id == instrument for i in access.instruments_of(tx, payer))
    return Purse("purse", payer, confirmer, instrument) if kept else None
