"""The yes: everything is checked again in the transaction that writes the payment rows, or nothing is written."""

from __future__ import annotations

from datetime import datetime

from data.catalogue import Catalogue
from data.ids import AccountId, ActId, OrderNumber, PaymentId, fresh
from data.model import May
from data.store import journal
from data.store.engine import Tx
from data.store.payments import payments
from payments import approving
from payments.acts import (
    VOICE,
    ActView,
    AlreadyConfirmed,
    Confirmed,
    Evidence,
    LineWish,
    NoSuchAct,
    Refusal,
    Strength,
    digest_of,
    view,
)
from payments.authority import access
from payments.limits import Limits
from payments.proposing import caps_hold, needs_approval, wish_refused
from payments.purse import still_good
from payments.states import ActState, State, move_act, open_at


def confirm(
    tx: Tx,
    *,
    act: ActId,
    digest: str,
    evidence: Evidence,
    at: datetime,
    catalogue: Catalogue,
    limits: Limits,
) -> Confirmed | AlreadyConfirmed | Refusal:
    """The yes. Everything is checked again here, where the payment rows are written; a second yes gets the first's."""
    try:
        found = view(tx, act, hold=True)
    except NoSuchAct:
        return Refusal("no_such_act")
    # A digest that was not read back confirms nothing, and a changed row confirms nothing either.
    now_digest = digest_of(found.proposer, found.payer, found.confirmer, found.lines)
    if digest != found.digest or now_digest != found.digest:
        return Refusal("digest_changed")
    if found.state is ActState.CONFIRMED:
        # Another relative agreed meanwhile: who was only asked learns no more than that.
        mine = evidence.by in _said_yes(found)
        return AlreadyConfirmed(found.payments) if mine else Refusal("act_confirmed")
    refusal = _confirm_refused(tx, found, evidence, at, catalogue, limits)
    if refusal is not None:
        return refusal
    if found.strength is Strength.APPROVAL and found.evidence is None:
        return _ask_the_family(tx, found, evidence, at)
    try:
        with tx.conn.begin_nested():
            made = _write_payments(tx, found, evidence, at)
    except Held as held:
        in_the_way = open_at(tx, held.account)
        return Refusal("previous_unfinished", in_the_way.id if in_the_way else None, held.account)
    _note_confirmed(tx, found, evidence, at)
    if found.state is ActState.APPROVAL_WAIT:
        approving.agreed(tx, found, evidence.by, at)
    return Confirmed(made)


def _said_yes(found: ActView) -> set[str]:
    """Whose yes an act was confirmed with."""
    approved = (found.evidence or {}).get("approved") or {}
    return {found.confirmer, approved.get("by", found.confirmer)}


def _ask_the_family(tx: Tx, found: ActView, evidence: Evidence, at: datetime) -> Refusal:
    """The first of two yeses: a relative is asked for the second, where there is one (settled 5)."""
    asked = approving.ask_another(tx, found.id, at, evidence.body())
    return Refusal("approval_asked" if asked else "approval_needed")


def _write_payments(tx: Tx, found: ActView, evidence: Evidence, at: datetime) -> tuple[PaymentId, ...]:
    said = evidence.body()
    kept = said if found.evidence is None else {**found.evidence, "approved": said}
    moved = move_act(tx, found.id, found.state, ActState.CONFIRMED, at, evidence=kept)
    assert moved, "the act's row is held since it was read as waiting for a yes"
    return tuple(payment_row(tx, found, n, at) for n in range(len(found.lines)))


def _confirm_refused(
    tx: Tx, found: ActView, evidence: Evidence, at: datetime, catalogue: Catalogue, limits: Limits
) -> Refusal | None:
    if found.state not in (ActState.PROPOSED, ActState.APPROVAL_WAIT):
        return Refusal(f"act_{found.state.value}")
    if evidence.by not in approving.deciders(tx, found, at):
        return Refusal("no_permission")
    if found.expires_at <= at:
        if not approving.expire(tx, found, at):
            move_act(tx, found.id, ActState.PROPOSED, ActState.EXPIRED, at)
        return Refusal("quote_expired")
    weak = _too_weak(found, evidence)
    if weak is not None:
        return weak
    # Two yeses over one purse wait for each other here, so that neither overlooks the other's money.
    tx.alone(f"purse:{found.payer}")
    for line in found.lines:
        refusal = wish_refused(
            tx, found.proposer, LineWish(line.account, line.quote, line.amount), at, catalogue
        )
        if refusal is not None:
            return refusal
    purse = still_good(tx, found.confirmer, found.payer, found.grant_id, found.lines[0].instrument, at)
    if purse is None or not _may_still_pay(tx, found, at):
        return Refusal("no_permission")
    if not caps_hold(tx, purse, [line.amount for line in found.lines], at):
        return Refusal("over_cap")
    alone = found.strength is Strength.CODE
    if alone and needs_approval(tx, found.proposer, purse, found.lines, at, limits):
        return Refusal("approval_needed")
    return None


def _may_still_pay(tx: Tx, found: ActView, at: datetime) -> bool:
    """Who proposed it still has the leave he proposed it with, at the moment of the yes: a leave taken back wins."""
    if found.grant_id is not None:
        return True  # the grant itself was just checked
    verb = May.PAY if found.proposer == found.payer else May.START_PAYMENT
    return all(access.may(tx, found.proposer, verb, line.account, at) for line in found.lines)


def _too_weak(found: ActView, evidence: Evidence) -> Refusal | None:
    match found.strength:
        case Strength.CODE | Strength.APPROVAL:
            enough = evidence.factor in ("pin", "code")
        case Strength.KEY:
            hosted = found.lines[0].method == "hosted"
            # 嗯 and 对 on the telephone may be the television; a key is not.
            enough = evidence.kind in ("key", "button") or (hosted and evidence.channel != VOICE)
    return None if enough else Refusal("stronger_yes_needed")


class Held(Exception):
    """Somebody else's payment took the account between our look and our row."""

    def __init__(self, account: AccountId) -> None:
        super().__init__(account)
        self.account = account


def payment_row(tx: Tx, found: ActView, n: int, at: datetime) -> PaymentId:
    """The payment with its number for ever, before anything is sent."""
    line, payment = found.lines[n], PaymentId(fresh("pay"))
    new = tx.put_new(
        payments,
        id=payment,
        act=found.id,
        line=n,
        account=line.account,
        biller=line.biller,
        quote=line.quote,
        payer=found.payer,
        amount_fen=line.amount.fen,
        method=line.method,
        instrument=line.instrument,
        number=OrderNumber(fresh("bj", 24)),
        state=State.CONFIRMED.value,
        attempt=0,
        next_at=at,
        stop_asked=False,
        created_at=at,
        updated_at=at,
    )
    if not new:
        raise Held(line.account)
    return payment


def _note_confirmed(tx: Tx, found: ActView, evidence: Evidence, at: datetime) -> None:
    # An elder who says yes to what somebody else started is worth a line of its own.
    kind = "confirmed" if found.proposer == found.confirmer else "confirmed_by_elder"
    body = {
        "payer": found.payer,
        "lines": [{"account": x.account, "fen": x.amount.fen} for x in found.lines],
        "kind": evidence.kind,
        "factor": evidence.factor,
        "channel": evidence.channel,
    }
    journal.record(tx, kind=kind, person=found.payer, actor=evidence.by, subject=found.id, at=at, body=body)
