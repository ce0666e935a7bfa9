"""The yes: everything is checked again in the transaction that writes the payment rows, or nothing is written."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from data.catalogue import Catalogue
from data.ids import AccountId, ActId, OrderNumber, PaymentId, fresh
from data.model import May
from data.store import journal
from data.store.engine import Tx
from data.store.payments import payments
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
from payments.proposing import caps_hold, wish_refused
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
        return AlreadyConfirmed(found.payments)
    refusal = _confirm_refused(tx, found, evidence, at, catalogue)
    if refusal is not None:
        return refusal
    try:
        with tx.conn.begin_nested():
            made = _write_payments(tx, found, evidence, at)
    except _Held as held:
        in_the_way = open_at(tx, held.account)
        return Refusal("previous_unfinished", in_the_way.id if in_the_way else None, held.account)
    _note_confirmed(tx, found, evidence, at)
    return Confirmed(made)


def _write_payments(tx: Tx, found: ActView, evidence: Evidence, at: datetime) -> tuple[PaymentId, ...]:
    moved = move_act(
        tx, found.id, ActState.PROPOSED, ActState.CONFIRMED, at, evidence=_evidence_body(evidence)
    )
    assert moved, "the act's row is held since it was read as proposed"
    return tuple(_payment_row(tx, found, n, at) for n in range(len(found.lines)))


def _confirm_refused(
    tx: Tx, found: ActView, evidence: Evidence, at: datetime, catalogue: Catalogue
) -> Refusal | None:
    if found.state is not ActState.PROPOSED:
        return Refusal(f"act_{found.state.value}")
    if evidence.by != found.confirmer:
        return Refusal("no_permission")
    if found.expires_at <= at:
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
    return None


def _may_still_pay(tx: Tx, found: ActView, at: datetime) -> bool:
    """Paying with one's own purse needs the leave it was proposed with, also at the moment of the yes."""
    if found.grant_id is not None or found.proposer != found.payer:
        return True  # the grant itself, and the owner's own yes, were just checked
    return all(access.may(tx, found.payer, May.PAY, line.account, at) for line in found.lines)


def _too_weak(found: ActView, evidence: Evidence) -> Refusal | None:
    match found.strength:
        case Strength.APPROVAL:
            return Refusal("approval_needed")
        case Strength.CODE:
            enough = evidence.factor in ("pin", "code")
        case Strength.KEY:
            hosted = found.lines[0].method == "hosted"
            # 嗯 and 对 on the telephone may be the television; a key is not.
            enough = evidence.kind in ("key", "button") or (hosted and evidence.channel != VOICE)
    return None if enough else Refusal("stronger_yes_needed")


def _evidence_body(evidence: Evidence) -> dict[str, Any]:
    return {
        "event": evidence.event_id,
        "channel": evidence.channel,
        "by": evidence.by,
        "kind": evidence.kind,
        "factor": evidence.factor,
    }


class _Held(Exception):
    """Somebody else's payment took the account between our look and our row."""

    def __init__(self, account: AccountId) -> None:
        super().__init__(account)
        self.account = account


def _payment_row(tx: Tx, found: ActView, n: int, at: datetime) -> PaymentId:
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
        raise _Held(line.account)
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
