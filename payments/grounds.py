"""What one payment rests on: the words somebody agreed to, what set it off, the price, the yes, and the caps of that moment.

Each is a line of the chain an auditor reads (`tracing`), with its time and the row it stands in; what does not fit is a gap.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.ids import PersonId
from data.money import Money
from data.store.audit import audit
from data.store.engine import Tx
from data.store.mandates import consents, debits, readings
from data.store.mandates import mandates as mandates_table
from data.store.payments import acts
from data.store.people import grants
from data.store.post import events
from data.store.sealing import BrokenSeal
from payments import agreeing, approving, mandates
from payments.acts import ActView, digest_of
from payments.authority import people
from payments.limits import spent_under
from payments.mandates import Mandate
from payments.quoting import amount_fits, kept_quote
from payments.rewinding import around, as_it_stood, terms_before
from payments.rising import terms_at
from payments.states import ActState, Payment
from payments.terms import MandateKind, Terms

_NOTICE = timedelta(hours=24)  # of a bill debit (M-I12)


@dataclass(frozen=True, slots=True)
class Link:
    """One line of the chain: what it is, when it was, in which row it stands, and what it says. Amounts in fen."""

    step: str
    at: datetime | None
    row: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is missing or contradicts itself. `part`: consent, trigger, quote, act, caps, money, book or told."""

    part: str
    why: str
    row: str


@dataclass(slots=True)
class Chain:
    """Lines and gaps as they are found, in the order of cause and effect."""

    links: list[Link] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    def add(self, step: str, at: datetime | None, row: str, **facts: Any) -> None:
        self.links.append(Link(step, at, row, facts))

    def must(self, holds: bool, part: str, why: str, row: str) -> bool:
        """Notes a gap unless it holds."""
        if not holds:
            self.gaps.append(Gap(part, why, row))
        return holds


def of_debit(tx: Tx, chain: Chain, payment: Payment, act: ActView) -> None:
    """A payment that a mandate made: consent, agreement, what set it off, the price and the caps."""
    row = tx.conn.execute(sa.select(debits).where(debits.c.payment == payment.id)).one_or_none()
    if not chain.must(row is not None, "trigger", "no debit names this payment", f"payments {payment.id}"):
        return
    assert row is not None
    held = _mandate(tx, row.mandate)
    if not chain.must(held is not None, "consent", "the agreement is not there", f"debits {row.id}"):
        return
    assert held is not None
    _consent(tx, chain, payment, act, held)
    _agreement(tx, chain, payment, held)
    (_reading if held.terms.kind is MandateKind.TOP_UP else _announcement)(tx, chain, payment, act, held, row)
    chain.add("debit", row.created_at, f"debits {row.id}", cause=row.cause, fen=row.amount_fen)
    _asked_first(tx, chain, act)
    _quote(tx, chain, act, payment)
    _mandate_caps(tx, chain, payment, held)


def of_yes(tx: Tx, chain: Chain, payment: Payment, act: ActView) -> None:
    """A payment somebody said yes to: who began it, the price, whose second yes it needed, the yes, and the caps."""
    row = tx.conn.execute(sa.select(acts).where(acts.c.id == act.id)).one()
    at = f"acts {act.id}"
    began = {"by": act.proposer, "name": name_of(tx, act.proposer), "channel": act.channel}
    _quote(tx, chain, act, payment)
    chain.add("proposed", row.created_at, at, strength=act.strength.value, digest=act.digest, **began)
    _requests(tx, chain, act)
    said = act.evidence or {}
    if not chain.must(bool(said), "consent", "nobody's yes is recorded", at):
        return
    second = said.get("approved")
    chain.must(said.get("by") == act.confirmer, "consent", "another than the one asked said yes", at)
    _yes(tx, chain, act, "yes", said, None if second else row.decided_at)
    if second:
        _yes(tx, chain, act, "approval", second, row.decided_at)
        chain.must(second["by"] != said.get("by"), "consent", "both yeses are of one person", at)
    _confirmed_line(tx, chain, act)
    _grant_caps(tx, chain, payment, act)


def of_act(tx: Tx, chain: Chain, payment: Payment, act: ActView) -> None:
    """That the payment is the very line that was agreed to, and nothing of it was changed since."""
    where = f"acts {act.id}"
    chain.must(act.state is ActState.CONFIRMED, "act", f"the act is {act.state.value}", where)
    digest = digest_of(act.proposer, act.payer, act.confirmer, act.lines)
    chain.must(digest == act.digest, "act", "the act was changed after it was read back", where)
    line = act.lines[payment.line] if payment.line < len(act.lines) else None
    named = line and (line.account, line.amount, line.method, line.instrument)
    paid = (payment.account, payment.amount, payment.method, payment.instrument)
    same = named == paid and act.payer == payment.payer
    chain.must(same, "act", "the payment is not what was agreed to", f"payments {payment.id}")
    chain.add(
        "act",
        tx.conn.scalar(sa.select(acts.c.decided_at).where(acts.c.id == act.id)),
        where,
        kind=act.kind,
        line=payment.line + 1,
        lines=len(act.lines),
        fen=line.amount.fen if line else None,
        digest=act.digest,
    )


def name_of(tx: Tx, person: str | None) -> str:
    """A person's name for an auditor; his id when nobody of that id is enrolled."""
    found = people.find(tx, PersonId(person)) if person else None
    return found.name if found else str(person or "")


# --- an automatic payment ------------------------------------------------------------------------------------------


def _mandate(tx: Tx, mandate: str) -> Mandate | None:
    try:
        return mandates.read(tx, mandate)
    except mandates.NoSuchMandate:
        return None


def terms_then(tx: Tx, held: Mandate, at: datetime) -> Terms:
    """The terms as they stood just after `at`: what was lowered later is put back."""
    row = tx.conn.execute(sa.select(mandates_table).where(mandates_table.c.id == held.id)).one()._mapping
    back = {**row, **terms_before(tx, held.id, at)}
    return replace(
        held.terms,
        below=_money(back["below_fen"]),
        amount=_money(back["amount_fen"]),
        per_charge=Money(back["per_charge_fen"]),
        per_month=Money(back["per_month_fen"]),
        per_day=back["per_day"],
        ask_above=back["ask_above"],
    )


def _money(fen: int | None) -> Money | None:
    return None if fen is None else Money(fen)


def _consent(tx: Tx, chain: Chain, payment: Payment, act: ActView, held: Mandate) -> None:
    """The clause itself: the exact words, whose they are, and that neither they nor the terms were changed."""
    named = (act.evidence or {}).get("consent")
    row = tx.conn.execute(sa.select(consents).where(consents.c.id == named)).one_or_none()
    at = f"consents {named}"
    if not chain.must(row is not None, "consent", "no consent is recorded", f"acts {act.id}"):
        return
    assert row is not None
    words = _words(tx, row)
    chain.must(words is not None, "consent", "the words do not open: they were changed or moved", at)
    mine = (row.mandate, row.person) == (held.id, payment.payer)
    chain.must(mine, "consent", "the consent is another's, or for another agreement", at)
    chain.must(row.at <= payment.created_at, "consent", "the consent is younger than the payment", at)
    agreed = terms_then(tx, held, row.at)
    facts = [agreed.digest(), words]
    same = hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest() == row.digest
    chain.must(same or words is None, "consent", "words or terms are not those agreed to", at)
    chain.must(_act_of(tx, held, agreed), "consent", "the terms are not those that were read back", at)
    chain.add(
        "consent",
        row.at,
        at,
        by=row.person,
        name=name_of(tx, row.person),
        channel=row.channel,
        event=row.event,
        factor=row.factor,
        words=words,
        wording=row.wording,
        hash=row.digest,
    )


def _words(tx: Tx, row: sa.Row[Any]) -> str | None:
    try:
        return tx.seal.open("consents.words", row.id, row.words)
    except BrokenSeal:
        return None


def _act_of(tx: Tx, held: Mandate, agreed: Terms) -> bool:
    digest = agreeing.digest_of(held.payer, agreed, held.instrument, held.replaces)
    return tx.conn.scalar(sa.select(acts.c.digest).where(acts.c.id == held.act)) == digest


def _agreement(tx: Tx, chain: Chain, payment: Payment, held: Mandate) -> None:
    at, terms = f"mandates {held.id}", terms_then(tx, held, payment.created_at)
    begun = held.active_at is not None and held.active_at <= payment.created_at
    chain.must(begun, "consent", "the agreement was not in force yet", at)
    over = held.ended_at is not None and held.ended_at < payment.created_at
    chain.must(not over, "consent", "the agreement had ended", at)
    chain.must(payment.created_at < held.valid_until, "consent", "the agreement had run out", at)
    rested = sa.and_(
        audit.c.subject == held.id, audit.c.kind == "mandate_suspended", audit.c.at < payment.created_at
    )
    chain.must(not tx.conn.scalar(sa.select(sa.exists().where(rested))), "consent", "it rested then", at)
    chain.add(
        "mandate",
        held.active_at,
        at,
        kind=terms.kind.value,
        below_fen=terms.below.fen if terms.below else None,
        amount_fen=terms.amount.fen if terms.amount else None,
        per_charge_fen=terms.per_charge.fen,
        per_month_fen=terms.per_month.fen,
        valid_until=held.terms.valid_until.isoformat(),
    )


def _reading(tx: Tx, chain: Chain, payment: Payment, act: ActView, held: Mandate, row: sa.Row[Any]) -> None:
    same = sa.and_(readings.c.account == payment.account, readings.c.at == row.read_at)
    found = tx.conn.execute(sa.select(readings).where(same)).one_or_none() if row.read_at else None
    at = f"readings {payment.account} {row.read_at.isoformat() if row.read_at else ''}".strip()
    if not chain.must(found is not None, "trigger", "the reading that set it off is not there", at):
        return
    assert found is not None
    below = terms_then(tx, held, payment.created_at).below
    low = below is not None and found.balance_fen < below.fen
    chain.must(low, "trigger", "the reading was not low", at)
    newer = held.active_at is not None and found.at > held.active_at
    chain.must(newer, "trigger", "the reading is older than the agreement", at)
    chain.add(
        "reading",
        found.at,
        at,
        balance_fen=found.balance_fen,
        below_fen=below.fen if below else None,
        received_at=found.received_at.isoformat(),
    )


def _announcement(
    tx: Tx, chain: Chain, payment: Payment, act: ActView, held: Mandate, row: sa.Row[Any]
) -> None:
    at = f"debits {row.id}"
    own_yes = (act.evidence or {}).get("factor") in ("pin", "code")
    told = row.announced_at is not None and row.announced_at + _NOTICE <= payment.created_at
    chain.must(told or own_yes, "trigger", "the bill was not told a day before", at)
    more = row.announced_at is not None and payment.amount.fen > row.amount_fen
    chain.must(not more or own_yes, "trigger", "more was taken than was told", at)
    chain.add("announced", row.announced_at, at, fen=row.amount_fen, cause=row.cause)


def _asked_first(tx: Tx, chain: Chain, act: ActView) -> None:
    """One that was unlike the past: the payer's own yes to exactly this."""
    said = act.evidence or {}
    if said.get("factor") is not None:
        decided = tx.conn.scalar(sa.select(acts.c.decided_at).where(acts.c.id == act.id))
        _yes(tx, chain, act, "yes", said, decided)


# --- a yes ---------------------------------------------------------------------------------------------------------


def _yes(tx: Tx, chain: Chain, act: ActView, step: str, said: dict[str, Any], at: datetime | None) -> None:
    facts = {name: said.get(name) for name in ("by", "channel", "event", "kind", "factor")}
    chain.add(step, at, f"acts {act.id}", name=name_of(tx, said.get("by")), **facts)


def _requests(tx: Tx, chain: Chain, act: ActView) -> None:
    """Whom the act waited for: the news that asked for another's yes."""
    asked = sa.and_(
        events.c.kind == approving.ASKED,
        events.c.id.startswith(f"{approving.ASKED}:{act.id}:", autoescape=True),
    )
    for row in tx.conn.execute(sa.select(events).where(asked).order_by(events.c.created_at, events.c.id)):
        chain.add("asked", row.created_at, f"events {row.id}", of=row.person, name=name_of(tx, row.person))


def _confirmed_line(tx: Tx, chain: Chain, act: ActView) -> None:
    kinds = ("confirmed", "confirmed_by_elder", "started_by_helper")
    mine = sa.and_(audit.c.subject == act.id, audit.c.kind.in_(kinds))
    rows = tx.conn.execute(sa.select(audit).where(mine).order_by(audit.c.seq)).all()
    for row in rows:
        chain.add("audit", row.at, f"audit {row.seq}", kind=row.kind, by=row.actor)
    noted = any(row.kind != "started_by_helper" for row in rows)
    chain.must(noted, "consent", "the yes is not in the audit", f"acts {act.id}")


def _quote(tx: Tx, chain: Chain, act: ActView, payment: Payment) -> None:
    line = act.lines[payment.line] if payment.line < len(act.lines) else None
    kept = kept_quote(tx, line.quote) if line else None
    at = f"quotes {line.quote if line else ''}"
    if not chain.must(kept is not None, "quote", "the price that was told is not there", at):
        return
    assert kept is not None
    chain.must(kept.account == payment.account, "quote", "the price is another account's", at)
    fits = amount_fits(payment.amount, kept.quote)
    chain.must(fits, "quote", "the amount is not what the biller asked", at)
    balance = kept.quote.balance
    chain.add(
        "quote",
        kept.created_at,
        at,
        due_fen=kept.quote.due.fen,
        balance_fen=None if balance is None else balance.fen,
    )


# --- the caps of that moment ---------------------------------------------------------------------------------------


def _mandate_caps(tx: Tx, chain: Chain, payment: Payment, held: Mandate) -> None:
    """What might be taken at most, and what had been taken by then."""
    copy = as_it_stood(tx, around(tx, payment.act), payment.created_at)

    def look(then: Tx) -> tuple[Terms, int, Money]:
        standing = mandates.read(then, held.id)
        times, spent = mandates.spent_this_month(then, standing, payment.created_at)
        return terms_at(then, standing, payment.created_at), times, spent

    try:
        terms, times, spent = copy.run_now(look)
    except mandates.NoSuchMandate:
        chain.must(False, "caps", "the agreement was not in force yet", f"mandates {held.id}")
        return
    finally:
        copy.close()
    at = f"mandates {held.id}"
    chain.must(payment.amount <= terms.per_charge, "caps", "more than agreed for one time", at)
    chain.must(spent + payment.amount <= terms.per_month, "caps", "more than agreed for a month", at)
    chain.add(
        "caps",
        payment.created_at,
        at,
        per_charge_fen=terms.per_charge.fen,
        per_month_fen=terms.per_month.fen,
        spent_before_fen=spent.fen,
        times_before=times,
    )


def _grant_caps(tx: Tx, chain: Chain, payment: Payment, act: ActView) -> None:
    """Another's purse: the leave to spend it, and what had been spent under it by then."""
    if act.grant_id is None:
        return
    row = tx.conn.execute(sa.select(grants).where(grants.c.id == act.grant_id)).one_or_none()
    at = f"grants {act.grant_id}"
    if not chain.must(row is not None, "caps", "the leave to spend is not there", at):
        return
    assert row is not None
    spent = _spent_before(tx, payment, act)
    mine = (row.giver, row.taker) == (act.payer, act.confirmer)
    chain.must(mine, "caps", "the leave is another's", at)
    stood = row.created_at <= payment.created_at and all(
        end is None or payment.created_at < end for end in (row.expires_at, row.revoked_at)
    )
    chain.must(stood, "caps", "the leave did not stand then", at)
    once = row.per_payment_fen is None or payment.amount.fen <= row.per_payment_fen
    chain.must(once, "caps", "more than allowed for one time", at)
    month = row.per_month_fen is None or spent.fen + act.total.fen <= row.per_month_fen
    chain.must(month, "caps", "more than allowed for a month", at)
    chain.add(
        "caps",
        payment.created_at,
        at,
        per_charge_fen=row.per_payment_fen,
        per_month_fen=row.per_month_fen,
        spent_before_fen=spent.fen,
        giver=row.giver,
        name=name_of(tx, row.giver),
    )


def _spent_before(tx: Tx, payment: Payment, act: ActView) -> Money:
    copy = as_it_stood(tx, around(tx, payment.act), payment.created_at)
    try:
        return copy.run_now(lambda then: spent_under(then, act.grant_id or "", payment.created_at))
    finally:
        copy.close()
