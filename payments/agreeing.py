"""Agreeing to an automatic payment: what is read back, the payer's firm yes, and the record of it that everything rests on.

A mandate names payer, account, biller, trigger, amount, caps, expiry, channel and the very words that were read back;
one without any of these is none.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data.catalogue import Catalogue
from data.clock import shanghai
from data.ids import AccountId, ActId, BillerId, InstrumentId, PersonId, fresh
from data.model import AmountRule, Exactness, May
from data.money import Money
from data.store.engine import Tx
from data.store.mandates import consents, mandates
from data.store.payments import acts
from payments import drafting, readings
from payments.acts import ActView, AlreadyConfirmed, Confirmed, Evidence, Refusal, Strength, weak_yes
from payments.authority import access, people
from payments.drafting import Draft
from payments.dry_run import dry_run
from payments.limits import Limits
from payments.mandates import M, Mandate, end_of_day, live_at, move, not_before_its_charges, note, of_act
from payments.notices import notice
from payments.opening import till_account
from payments.quoting import last_quote
from payments.rising import RAISED_AFTER, lesser, raised, terms_before
from payments.states import ActState, move_act
from payments.stopping import audit, call_back
from payments.terms import MandateKind, ProposedMandate, Terms
from payments.usage import use_of

KIND = "mandate"
_FEN = Money(1)


def propose_mandate(
    tx: Tx,
    *,
    proposer: PersonId,
    terms: Terms,
    channel: str,
    at: datetime,
    limits: Limits,
    catalogue: Catalogue,
    replaces: str | None = None,
    purse: InstrumentId | None = None,
) -> ProposedMandate | Refusal:
    """Writes down what is to be read back; a newer proposal for the account replaces the proposer's older one.

    The proposer pays with a purse of his own: the one named, else the one that pays already, else the first he saved.
    `replaces` names his live mandate that this one changes or lets go on.
    """
    refusal = _refused(tx, proposer, terms, at, limits, catalogue, replaces, purse)
    if refusal is not None:
        return refusal
    chosen = purse or _purse(tx, proposer, terms.account)
    _supersede(tx, proposer, terms.account, at)
    digest = digest_of(proposer, terms, chosen, replaces)
    until = at + limits.act_lifetime
    act = drafting.put(tx, Draft.own(KIND, proposer, digest, channel, at, until))
    _write(tx, act, terms, till_account(tx, terms.account).biller, proposer, chosen, replaces, at)
    tried = dry_run(terms, use_of(tx, terms.account, at))
    return ProposedMandate(
        act, digest, Strength.CODE, proposer, chosen, terms, tried, until, **_rising(tx, proposer, terms, at)
    )


def _purse(tx: Tx, payer: PersonId, account: AccountId) -> InstrumentId:
    """A change of the terms leaves the money where it comes from."""
    own = [instrument.id for instrument in access.instruments_of(tx, payer)]
    live = live_at(tx, account)
    kept = live is not None and live.payer == payer and live.instrument in own
    return live.instrument if live is not None and kept else own[0]


def _rising(tx: Tx, payer: PersonId, terms: Terms, at: datetime) -> dict[str, Any]:
    """From when counts what takes more than before, and what counts until then; nothing when none does."""
    before = terms_before(tx, terms.account, payer, terms.kind, at)
    higher = raised(terms, before) if before is not None else frozenset()
    if before is None or not higher:
        return {}
    return {"rises_at": at + RAISED_AFTER, "raised": higher, "until_then": lesser(terms, before)}


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
    """The payer's yes: everything is checked again, and consent and mandate are written together, or nothing is."""
    tx.alone(f"purse:{found.payer}")
    wanted = of_act(tx, found.id)
    same = digest_of(found.payer, wanted.terms, wanted.instrument, wanted.replaces)
    if digest != found.digest or same != found.digest:
        return Refusal("digest_changed")
    if found.state is ActState.CONFIRMED:
        return AlreadyConfirmed(())
    # Two payers agreeing for one account at the same moment: the second finds the first.
    tx.alone(f"mandate:{wanted.account}")
    refusal = _agree_refused(tx, found, wanted, evidence, at, limits, catalogue)
    if refusal is not None:
        return refusal
    said = evidence.body(mandate=wanted.id)
    moved = move_act(tx, found.id, ActState.PROPOSED, ActState.CONFIRMED, at, evidence=said)
    assert moved, "the act's row is held since it was read as wanted"
    _put_in_force(tx, wanted, evidence, at)
    return Confirmed(())


def digest_of(payer: PersonId, terms: Terms, purse: InstrumentId, replaces: str | None) -> str:
    """What was read back, as one value: whose purse, which terms, and what it takes the place of."""
    facts = [KIND, payer, terms.digest(), purse, replaces]
    return hashlib.sha256(json.dumps(facts, separators=(",", ":")).encode()).hexdigest()


# --- may it be? -------------------------------------------------------------------------------------------------


def _refused(
    tx: Tx,
    payer: PersonId,
    terms: Terms,
    at: datetime,
    limits: Limits,
    catalogue: Catalogue,
    replaces: str | None,
    purse: InstrumentId | None,
) -> Refusal | None:
    account = terms.account
    if access.may(tx, payer, May.MANDATE, account, at) is None:
        return Refusal("no_permission", account=account)
    biller = till_account(tx, account).biller
    if biller not in catalogue.rows:
        return Refusal("biller_not_in_catalogue", account=account)
    own = [instrument.id for instrument in access.instruments_of(tx, payer)]
    if not own or (purse is not None and purse not in own):
        return Refusal("no_purse", account=account)
    reason = terms_refused(tx, terms, biller, at, limits, catalogue)
    if reason is not None:
        return Refusal(reason, account=account)
    live = live_at(tx, account)
    if live is not None and (live.id != replaces or live.payer != payer):
        return Refusal("mandate_exists", account=account, mandate=live.id)
    # Who just changed his telephone may be somebody else: nothing rises for 72 hours (settled 23).
    moved = live is not None and purse not in (None, live.instrument)
    if people.cooling(tx, payer, at) and (moved or _is_more(tx, payer, terms, at)):
        return Refusal("cooling", account=account)
    return None


def _is_more(tx: Tx, payer: PersonId, terms: Terms, at: datetime) -> bool:
    """Whether these terms take more than this payer's agreement for the account did; all of a new one is more."""
    before = terms_before(tx, terms.account, payer, terms.kind, at)
    return before is None or bool(raised(terms, before))


def terms_refused(
    tx: Tx, terms: Terms, biller: BillerId, at: datetime, limits: Limits, catalogue: Catalogue
) -> str | None:
    """Why nobody may agree to these terms; None when somebody may."""
    prepaid, rule = _nature(tx, terms.account, biller, catalogue)
    if prepaid is not (terms.kind is MandateKind.TOP_UP):
        return "not_prepaid"
    if terms.valid_until <= shanghai(at).date():
        return "bad_expiry"
    if terms.per_charge < _FEN or terms.per_month < _FEN or terms.per_day < 1:
        return "amount_rule"
    if terms.kind is MandateKind.TOP_UP and (wrong := _top_up_refused(terms, rule)):
        return wrong
    over = terms.per_charge > limits.mandate_charge or terms.per_month > limits.mandate_month
    return "limits" if over or terms.per_day > limits.mandate_per_day else None


def _top_up_refused(terms: Terms, rule: AmountRule) -> str | None:
    if terms.below is None or terms.amount is None or terms.below < _FEN:
        return "amount_rule"
    step = rule.step.fen if rule.exactness is Exactness.RANGE else 1
    if not rule.minimum <= terms.amount <= rule.maximum or terms.amount.fen % step:
        return "amount_rule"
    return "cap_below_amount" if terms.amount > min(terms.per_charge, terms.per_month) else None


def _nature(tx: Tx, account: AccountId, biller: BillerId, catalogue: Catalogue) -> tuple[bool, AmountRule]:
    """Whether it is a meter that is paid before, and which amounts it takes: as the biller said last, else as it usually is."""
    told = last_quote(tx, account)
    if told is not None:
        return told.quote.prepaid, told.quote.rule
    usual = catalogue.biller(biller)
    return usual.prepaid, usual.rule


def _agree_refused(
    tx: Tx,
    found: ActView,
    proposed: Mandate,
    evidence: Evidence,
    at: datetime,
    limits: Limits,
    catalogue: Catalogue,
) -> Refusal | None:
    weak = weak_yes(tx, found, evidence, at)
    if weak is not None:
        return weak
    if not evidence.words:
        return Refusal("words_missing")
    return _refused(
        tx, found.payer, proposed.terms, at, limits, catalogue, proposed.replaces, proposed.instrument
    )


# --- writing ------------------------------------------------------------------------------------------------------


def _write(
    tx: Tx,
    act: ActId,
    terms: Terms,
    biller: BillerId,
    payer: PersonId,
    purse: InstrumentId,
    replaces: str | None,
    at: datetime,
) -> None:
    tx.conn.execute(
        sa.insert(mandates).values(
            id=fresh("man"),
            act=act,
            kind=terms.kind.value,
            state=M.AWAITING_PAYER.value,
            account=terms.account,
            biller=biller,
            payer=payer,
            instrument=purse,
            below_fen=terms.below.fen if terms.below else None,
            amount_fen=terms.amount.fen if terms.amount else None,
            per_charge_fen=terms.per_charge.fen,
            per_month_fen=terms.per_month.fen,
            per_day=terms.per_day,
            ask_above=terms.ask_above,
            valid_until=end_of_day(terms.valid_until),
            failures=0,
            replaces=replaces,
            created_at=at,
            updated_at=at,
        )
    )


def _supersede(tx: Tx, proposer: PersonId, account: AccountId, at: datetime) -> None:
    older = (
        sa.select(acts.c.id)
        .join(mandates, mandates.c.act == acts.c.id)
        .where(
            acts.c.proposer == proposer,
            acts.c.state == ActState.PROPOSED.value,
            mandates.c.account == account,
        )
    )
    drafting.replace_all(tx, older, at)


def _put_in_force(tx: Tx, proposed: Mandate, evidence: Evidence, at: datetime) -> None:
    old = live_at(tx, proposed.account, hold=True)
    if old is not None:
        at = not_before_its_charges(tx, old, at)  # the new one begins when the old one ends
        move(tx, old, M.REVOKED, at, reason="changed")
        call_back(tx, old, at)
        if old.state is not M.SUSPENDED:
            # A change is no new episode: what was charged for this low reading is not charged again.
            note(tx, proposed.id, episode=old.episode)
    moved = move(tx, proposed, M.ACTIVE, at, active_at=at)
    assert moved, "the row is held since it was read"
    consent = _record(tx, proposed, evidence, at)
    readings.remember_quote(tx, proposed.account, at)
    audit(tx, "consent_recorded", proposed, evidence.by, at, {"consent": consent, "factor": evidence.factor})
    if old is not None:
        audit(tx, "mandate_changed", proposed, evidence.by, at, {"before": old.id})
    else:
        audit(tx, "mandate_created", proposed, evidence.by, at, {})
    _inform_holder(tx, proposed, at, changed=old is not None)


def _record(tx: Tx, proposed: Mandate, evidence: Evidence, at: datetime) -> str:
    """The yes as it was given, word for word, sealed."""
    consent = fresh("con")
    facts = [proposed.terms.digest(), evidence.words]
    tx.conn.execute(
        sa.insert(consents).values(
            id=consent,
            person=evidence.by,
            mandate=proposed.id,
            channel=evidence.channel,
            event=evidence.event_id,
            words=tx.seal.seal("consents.words", consent, evidence.words),
            wording=evidence.wording,
            digest=hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest(),
            factor=evidence.factor,
            at=at,
        )
    )
    return consent


def _inform_holder(tx: Tx, proposed: Mandate, at: datetime, *, changed: bool) -> None:
    """Another's own money: the holder is told, on his own channel, and can stop it with one word (L7)."""
    holder = till_account(tx, proposed.account).holder
    if holder is not None and holder != proposed.payer:
        body = {
            "mandate": proposed.id,
            "account": proposed.account,
            "payer": proposed.payer,
            "holder": holder,
            "changed": changed,
        }
        notice(tx, holder, "mandate_set_for_you", proposed.id, body, at)
