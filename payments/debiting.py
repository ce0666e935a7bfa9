"""Taking money by itself: only under a mandate in force at this moment, within its caps, and written before it is sent.

Everything is looked at in the transaction that writes the payment, with mandate and purse held: whoever stops it, lowers
a cap or takes a permission back at the same time is either seen here, or finds the payment unsent and cancels it (M-I12).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import sqlalchemy as sa

from data.catalogue import Catalogue
from data.clock import shanghai
from data.ids import ActId, PaymentId, QuoteId, fresh
from data.model import May, Quote
from data.money import Money
from data.store.engine import Tx
from data.store.mandates import consents, debits
from payments import drafting, mandates, pausing
from payments.acts import ActLine, Evidence, digest_of, view
from payments.authority import access
from payments.confirming import Held, payment_row
from payments.drafting import Draft
from payments.limits import Limits
from payments.mandates import Mandate
from payments.notices import notice
from payments.opening import till_account
from payments.quoting import amount_fits, keep
from payments.rising import terms_at
from payments.states import ActState
from payments.terms import EVERY_TIME, MandateState
from payments.usage import same_month_last_year, use_of

KIND = "debit"


@dataclass(frozen=True, slots=True)
class Round:
    """What is at hand while one account is looked at."""

    tx: Tx
    at: datetime
    limits: Limits
    catalogue: Catalogue


def obstacle(hand: Round, held: Mandate, quote: Quote, amount: Money) -> str | None:
    """Why this may not be taken now, or None. The caller holds purse and mandate."""
    tx, terms = hand.tx, terms_at(hand.tx, held, hand.at)
    if held.state is not MandateState.ACTIVE or hand.at >= held.valid_until:
        return "mandate_over"
    if access.may(tx, held.payer, May.MANDATE, held.account, hand.at) is None:
        return "no_permission"
    if held.biller not in hand.catalogue.rows:
        return "biller_not_in_catalogue"
    if not has_purse(tx, held):
        return "no_purse"
    if amount.fen <= 0 or not amount_fits(amount, quote):
        return "amount_rule"
    if (rests := pausing.hindrance(tx, [held.biller])) is not None:
        return rests.reason
    if amount > terms.per_charge:
        return "over_charge_cap"
    if mandates.times_today(tx, held, hand.at) >= terms.per_day:
        return "over_day_cap"
    _, spent = mandates.spent_this_month(tx, held, hand.at)
    return "over_month_cap" if spent + amount > terms.per_month else None


def has_purse(tx: Tx, held: Mandate) -> bool:
    """Whether the purse it was agreed for is still the payer's."""
    return any(i.id == held.instrument for i in access.instruments_of(tx, held.payer))


def asks_first(
    hand: Round, held: Mandate, amount: Money, daily_use: Money | None = None
) -> dict[str, Any] | None:
    """Why the payer is asked before this is taken, as it is told; None: it is taken as agreed."""
    if terms_at(hand.tx, held, hand.at).ask_above == EVERY_TIME:
        return {"each_time": True}
    usual = unlike_the_past(hand, held, amount, daily_use)
    return None if usual is None else {"usual_fen": usual.fen}


def unlike_the_past(
    hand: Round, held: Mandate, amount: Money, daily_use: Money | None = None
) -> Money | None:
    """What the same month of last year used, when this amount, or the present pace, is more than `ask_above` times that.

    A top-up is compared singly (settled 6). Without that month: the median of those known; with fewer than three, nothing.
    """
    ask_above = terms_at(hand.tx, held, hand.at).ask_above
    if ask_above is None:
        return None
    today = shanghai(hand.at).date()
    usual = same_month_last_year(hand.tx, held.account, today) or _median(hand, held)
    if not usual:
        return None
    first = today.replace(day=1)
    days = ((first + timedelta(days=32)).replace(day=1) - first).days
    most = max(amount, (daily_use or Money(0)) * days)
    return usual if most > usual * ask_above else None


def _median(hand: Round, held: Mandate) -> Money | None:
    known = [m.used.fen for m in use_of(hand.tx, held.account, hand.at)]
    return Money(int(median(known))) if len(known) >= 3 else None


# --- rows ---------------------------------------------------------------------------------------------------------


def of_cause(tx: Tx, held: Mandate, cause: str) -> list[sa.Row[Any]]:
    """Every try for one low episode or one bill, the first first."""
    tries = sa.or_(debits.c.cause == cause, debits.c.cause.startswith(f"{cause}#", autoescape=True))
    query = sa.select(debits).where(debits.c.mandate == held.id, tries)
    rows = tx.conn.execute(query).all()
    return sorted(rows, key=lambda r: int(r.cause.rpartition("#")[2]) if "#" in r.cause else 0)


def write(hand: Round, held: Mandate, cause: str, state: str, amount: Money, **more: Any) -> str:
    """A debit's row; the cause makes it happen once."""
    debit = fresh("deb")
    new = hand.tx.put_new(
        debits,
        id=debit,
        mandate=held.id,
        cause=cause,
        state=state,
        amount_fen=amount.fen,
        created_at=hand.at,
        updated_at=hand.at,
        **more,
    )
    assert new, "the mandate is held, and its debits of this cause were looked at"
    return debit


def change(hand: Round, debit: str, state: str, **more: Any) -> None:
    """What became of a debit that was written before."""
    values = {"state": state, "updated_at": hand.at, **more}
    hand.tx.conn.execute(sa.update(debits).where(debits.c.id == debit).values(**values))


def make(
    hand: Round, held: Mandate, quote: Quote, amount: Money, debit: str, asked_at: datetime
) -> PaymentId | None:
    """The payment, on the authority of the mandate and its consent; None: somebody else's took the account just now."""
    tx = hand.tx
    if not keep(tx, held.payer, held.account, quote, asked_at, hand.at):
        return None
    try:
        with tx.conn.begin_nested():
            act = _act(hand, held, quote.id, amount, debit)
            payment = payment_row(tx, view(tx, act), 0, hand.at)
    except Held:
        return None
    change(hand, debit, "made", payment=payment)
    _tell_started(hand, held, quote, amount, payment)
    return payment


def _act(hand: Round, held: Mandate, quote: QuoteId, amount: Money, debit: str) -> ActId:
    line = ActLine(held.account, held.biller, quote, amount, "purse", held.instrument)
    digest = digest_of(held.payer, held.payer, held.payer, (line,))
    on = mandates.agreed_on(hand.tx, held)
    draft = replace(Draft.own(KIND, held.payer, digest, on, hand.at, hand.at), lines=(line,))
    yes = Evidence(debit, "mandate", held.payer, "mandate")
    return drafting.put(
        hand.tx,
        draft,
        ActState.CONFIRMED,
        yes.body(mandate=held.id, consent=consent_of(hand.tx, held)),
    )


def consent_of(tx: Tx, held: Mandate) -> str | None:
    """The record of the yes this mandate stands on."""
    return tx.conn.scalar(sa.select(consents.c.id).where(consents.c.mandate == held.id))


def _tell_started(hand: Round, held: Mandate, quote: Quote, amount: Money, payment: PaymentId) -> None:
    body = {
        "mandate": held.id,
        "payment": payment,
        "account": held.account,
        "biller": held.biller,
        "holder": till_account(hand.tx, held.account).holder,
        "payer": held.payer,
        "balance_fen": quote.balance.fen if quote.balance is not None else None,
        "amount_fen": amount.fen,
    }
    notice(hand.tx, held.payer, "auto_started", payment, body, hand.at)
