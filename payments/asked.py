"""A payment by itself that is unlike the past: the payer is asked first, and only his own firm yes to it makes it.

The yes is one to exactly this payment, under the agreement that was made: its caps, its purse and its end hold as ever.
No, or no answer within a day, leaves this one out; the reminder speaks then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data.catalogue import Catalogue
from data.ids import AccountId, ActId, InstrumentId, PaymentId, PersonId, QuoteId
from data.model import Quote
from data.money import Money
from data.store.engine import Tx
from data.store.mandates import debits, mandates
from payments import drafting
from payments.acts import (
    ActLine,
    ActView,
    AlreadyConfirmed,
    Confirmed,
    Evidence,
    Proposed,
    Refusal,
    Strength,
    digest_of,
    weak_yes,
)
from payments.confirming import Held, payment_row
from payments.debiting import KIND, Round, change, consent_of, obstacle
from payments.drafting import Draft
from payments.limits import Limits
from payments.mandates import Mandate, read
from payments.quoting import kept_quote
from payments.rising import terms_at
from payments.states import ActState, move_act, open_at
from payments.terms import MandateKind, Terms


@dataclass(frozen=True, slots=True)
class Question:
    """One payment the payer was asked about and has not answered."""

    debit: str
    account: AccountId
    amount: Money


def waiting(tx: Tx, person: PersonId) -> list[Question]:
    """What this payer was asked and has not answered, the newest first."""
    query = (
        sa.select(debits.c.id, mandates.c.account, debits.c.amount_fen)
        .join(mandates, mandates.c.id == debits.c.mandate)
        .where(mandates.c.payer == person, debits.c.state == "asking")
        .order_by(debits.c.created_at.desc(), debits.c.id)
    )
    return [Question(r.id, AccountId(r.account), Money(r.amount_fen)) for r in tx.conn.execute(query)]


def propose(
    tx: Tx,
    *,
    debit: str,
    quote: QuoteId,
    proposer: PersonId,
    channel: str,
    at: datetime,
    limits: Limits,
    catalogue: Catalogue,
) -> Proposed | Refusal:
    """The payment he was asked about, to read back at what the biller says now.

    Refusals beside those of a payment: nothing_asked, not_needed, mandate_over, over_charge_cap, over_day_cap,
    over_month_cap, no_purse.
    """
    tx.alone(f"purse:{proposer}")
    found = _open_question(tx, debit)
    if found is None or found.payer != proposer:
        return Refusal("nothing_asked")
    priced = _priced(Round(tx, at, limits, catalogue), found, quote)
    if isinstance(priced, Refusal):
        return priced
    line = ActLine(found.account, found.biller, quote, priced, "purse", found.instrument)
    digest, until = digest_of(proposer, proposer, proposer, (line,)), at + limits.act_lifetime
    drafting.supersede(tx, proposer, [found.account], at)
    draft = replace(Draft.own(KIND, proposer, digest, channel, at, until), lines=(line,))
    act = drafting.put(tx, draft, evidence={"debit": debit})
    return _to_read_back(act, digest, line, proposer, found.instrument, until)


def _to_read_back(
    act: ActId, digest: str, line: ActLine, payer: PersonId, purse: InstrumentId, until: datetime
) -> Proposed:
    return Proposed(
        act=act,
        digest=digest,
        strength=Strength.CODE,
        payer=payer,
        confirmer=payer,
        instrument=purse,
        method="purse",
        lines=(line,),
        total=line.amount,
        questions=(),
        payer_relation="self",
        expires_at=until,
    )


def agree(
    tx: Tx,
    found: ActView,
    digest: str,
    evidence: Evidence,
    at: datetime,
    *,
    limits: Limits,
    catalogue: Catalogue,
) -> Confirmed | AlreadyConfirmed | Refusal:
    """The payer's yes: all is checked again with mandate and purse held, and the payment is written, or nothing is."""
    now_digest = digest_of(found.proposer, found.payer, found.confirmer, found.lines)
    if digest != found.digest or now_digest != found.digest:
        return Refusal("digest_changed")
    if found.state is ActState.CONFIRMED:
        return AlreadyConfirmed(found.payments)
    tx.alone(f"purse:{found.payer}")
    debit = str((found.evidence or {}).get("debit", ""))
    refusal = weak_yes(tx, found, evidence, at)
    held = _open_question(tx, debit)
    if refusal is not None or held is None:
        return refusal or Refusal("nothing_asked")
    hand, line = Round(tx, at, limits, catalogue), found.lines[0]
    priced = _priced(hand, held, line.quote)
    if isinstance(priced, Refusal):
        return priced
    if priced != line.amount:
        return Refusal("amount_rule")
    return _write(hand, held, found, debit, evidence)


def _write(hand: Round, held: Mandate, found: ActView, debit: str, evidence: Evidence) -> Confirmed | Refusal:
    try:
        with hand.tx.conn.begin_nested():
            moved = move_act(
                hand.tx,
                found.id,
                ActState.PROPOSED,
                ActState.CONFIRMED,
                hand.at,
                evidence=evidence.body(debit=debit, mandate=held.id, consent=consent_of(hand.tx, held)),
            )
            assert moved, "the act's row is held since it was read as proposed"
            payment: PaymentId = payment_row(hand.tx, found, 0, hand.at)
    except Held as taken:
        in_the_way = open_at(hand.tx, taken.account)
        return Refusal("previous_unfinished", in_the_way.id if in_the_way else None, taken.account)
    change(hand, debit, "made", payment=payment)
    return Confirmed((payment,))


def _open_question(tx: Tx, debit: str) -> Mandate | None:
    """The mandate, held, under which this was asked and not answered."""
    mandate = tx.conn.scalar(sa.select(debits.c.mandate).where(debits.c.id == debit))
    if mandate is None:
        return None
    held = read(tx, str(mandate), hold=True)
    state = tx.conn.scalar(sa.select(debits.c.state).where(debits.c.id == debit))
    return held if state == "asking" else None


def _priced(hand: Round, held: Mandate, quote: QuoteId) -> Money | Refusal:
    """What it costs by this quote, or why it may not be taken now."""
    kept = kept_quote(hand.tx, quote)
    if kept is None or kept.account != held.account or kept.expires_at <= hand.at:
        return Refusal("quote_expired", account=held.account)
    if _not_needed(terms_at(hand.tx, held, hand.at), kept.quote):
        return Refusal("not_needed", account=held.account)
    in_the_way = open_at(hand.tx, held.account)
    if in_the_way is not None:
        return Refusal("previous_unfinished", in_the_way.id, held.account)
    fixed = terms_at(hand.tx, held, hand.at).amount
    amount = kept.quote.due if fixed is None else fixed
    why = obstacle(hand, held, kept.quote, amount)
    return amount if why is None else Refusal(why, account=held.account)


def _not_needed(counting: Terms, quote: Quote) -> bool:
    """Somebody filled the meter or paid the bill meanwhile."""
    if counting.kind is MandateKind.BILL_DEBIT:
        return not quote.due
    below = counting.below
    return quote.balance is None or below is None or quote.balance >= below


def lapsed(hand: Round, row: Any) -> bool:
    """Whether nobody answered for a day: silence is no yes, and the question is then over."""
    if hand.at - row.created_at < hand.limits.mandate_again:
        return False
    change(hand, row.id, "skipped", reason="unanswered")
    return True


def moot(hand: Round, held: Mandate) -> None:
    """The meter is full again, or nothing is due: what was asked needs no answer any more."""
    asking = sa.and_(debits.c.mandate == held.id, debits.c.state == "asking")
    values = {"state": "skipped", "reason": "not_needed", "updated_at": hand.at}
    hand.tx.conn.execute(sa.update(debits).where(asking).values(**values))
