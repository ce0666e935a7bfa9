"""Looking at automatic payments: which there are, why one took money, the one the payer was asked about, and 知道了."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from data.money import Money
from dialogues.actions.mandate_meant import described, line, meant, payer_word
from dialogues.actions.ports import Arguments, Inside, Result, bill_name, inside
from payments.terms import Charge
from payments.till import PaymentView

_LATELY = timedelta(days=62)


@inside("action_list_mandates", "some none", reads="utility relation", writes="mandate_list")
def list_mandates(room: Inside, slots: Arguments) -> Result:
    """Every one this person pays or lives with, and what ended by itself lately: silence would look like service."""
    lapsed = room.till.lapsed_mandates(room.tx, room.person, room.now)
    if utility := slots.get("utility"):
        lapsed = [m for m in lapsed if m.utility == utility]
    found = [*meant(room, slots), *lapsed]
    if not found:
        return Result("none")
    return Result("some", {"mandate_list": "\n".join(line(room, m) for m in found)})


@inside(
    "action_why_charged",
    "meter bill paid_by_you not_taken nothing",
    reads="utility amount",
    writes="amount payment bill_name tail holder balance below agreed_at charged_at who own reason",
)
def why_charged(room: Inside, slots: Arguments) -> Result:
    """The newest charge that fits: which agreement it rests on, since when, and what the meter said then."""
    charges = [
        c
        for c in room.till.recent_charges(room.tx, room.now, person=room.person)
        if _fits(slots, c.amount, room.till.outcome(room.tx, c.payment)) and room.now - c.at <= _LATELY
    ]
    paid = [
        p
        for p in room.till.payments_of(room.tx, room.person)
        if _fits(slots, p.amount, p) and room.now - p.created_at <= _LATELY
    ]
    by_itself = {c.payment for c in charges}
    own = next((p for p in paid if p.id not in by_itself), None)
    if charges and (own is None or own.captured_at is None or own.created_at <= charges[0].at):
        return _because_agreed(room, charges[0])
    return _because_paid(room, own) if own is not None else Result("nothing")


def _fits(slots: Arguments, amount: Money, payment: PaymentView) -> bool:
    wanted, utility = slots.get("amount"), slots.get("utility")
    return (not isinstance(wanted, int) or amount.fen == wanted) and utility in (None, payment.utility)


def _because_agreed(room: Inside, charge: Charge) -> Result:
    view = room.till.outcome(room.tx, charge.payment)
    facts = _payment_slots(room, view) | {
        "balance": _fen(charge.balance),
        "below": _fen(charge.terms.below),
        "agreed_at": charge.agreed_at.isoformat(),
        "who": payer_word(room, charge.payer),
        "own": charge.payer == room.person,
    }
    return Result("meter" if charge.balance is not None and charge.terms.below else "bill", facts)


def _because_paid(room: Inside, view: PaymentView) -> Result:
    facts = _payment_slots(room, view)
    if view.captured_at is not None:
        return Result("paid_by_you", facts)
    return Result("not_taken", facts) if view.told == "refused" else Result("nothing")


def _payment_slots(room: Inside, view: PaymentView) -> dict[str, Any]:
    return {
        "amount": view.amount.fen,
        "payment": view.id,
        "bill_name": bill_name(room.catalogue, view.utility, room.locale),
        "tail": view.tail,
        "holder": view.holder_masked,
        "charged_at": (view.captured_at or view.created_at).isoformat(),
    }


# --- the payment the payer was asked about, and one word to a warning or an announcement ------------------------------


@inside(
    "action_asked_debit",
    "asked nothing",
    reads="last_account",
    writes="debit account_id utility amount bill_name biller_name tail holder prepaid mandate who",
)
def asked_debit(room: Inside, slots: Arguments) -> Result:
    """The question that was just told, else the newest one that is open."""
    found = room.till.asked_about(room.tx, room.person)
    told = [q for q in found if q.account == slots.get("last_account")] or found
    live = room.till.mandate_at(room.tx, told[0].account, room.now) if told else None
    if live is None:
        return Result("nothing")
    facts = described(room, live) | {"debit": told[0].debit, "amount": told[0].amount.fen}
    return Result("asked", facts)


@inside("action_acknowledge", "noted nothing")
def acknowledge(room: Inside, slots: Arguments) -> Result:
    """知道了: nobody further up need be told."""
    return Result("noted" if room.till.acknowledge(room.tx, room.person, room.now) else "nothing")


@inside(
    "action_skip_debit", "skipped nothing", reads="utility relation", writes="bill_name tail holder prepaid"
)
def skip_debit(room: Inside, slots: Arguments) -> Result:
    """The announced payment of a bill is left out this once; the next one is announced again."""
    for mandate in meant(room, slots):
        if room.till.skip_debit(room.tx, mandate.terms.account, room.person, room.now):
            facts = described(room, mandate)
            return Result(
                "skipped", {name: facts[name] for name in ("bill_name", "tail", "holder", "prepaid")}
            )
    return Result("nothing")


def _fen(amount: Money | None) -> int | None:
    return None if amount is None else amount.fen


ACTIONS = (list_mandates, why_charged, asked_debit, acknowledge, skip_debit)
