"""What is at hand while an answer from outside is written down, and what every kind of answer may need."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from data.store import journal
from data.store.engine import Tx
from integrations.ports import Capabilities
from payments import differences, states
from payments.asking import Ask
from payments.limits import Limits
from payments.news import call_for_help, concerned
from payments.states import Payment, State

log = logging.getLogger("bangjiao.payments")

# When the payment is due again (None: never by itself), or the one thing to ask at once.
Then = datetime | Ask | None

OTHER_AMOUNT = "amount_differs"
# What a statement knew before us may be known here now.
_EXPLAINING = frozenset({State.PAID, State.SETTLED, State.REFUNDING, State.REFUNDED})


@dataclass(frozen=True, slots=True)
class Hand:
    """What is at hand while an answer is written down."""

    tx: Tx
    at: datetime
    limits: Limits
    rail: str
    can: Capabilities


def go(hand: Hand, held: Payment, frm: State, to: State, **columns: Any) -> None:
    moved = states.move(hand.tx, held.id, frm, to, hand.at, **columns)
    assert moved, "the row is leased and held since it was read"
    if to in _EXPLAINING and differences.concerns(hand.tx, held.id):
        differences.explain(hand.tx, hand.at, held.id)


def give_to_human(hand: Hand, held: Payment, now: State, kind: str, reason: str) -> Then:
    go(hand, held, now, State.NEEDS_HUMAN, reason=reason, attempt=0)
    call_for_help(hand.tx, held, kind, reason, hand.at)
    return hand.at + hand.limits.slow_poll


def audit(hand: Hand, held: Payment, kind: str) -> None:
    who = concerned(hand.tx, held)
    journal.record(
        hand.tx,
        kind=kind,
        person=held.payer,
        actor=who.confirmer,
        subject=held.id,
        at=hand.at,
        body={"fen": held.amount.fen, "account": held.account},
    )


def other_amount(hand: Hand, held: Payment) -> Then:
    """Never seen from an honest rail: nothing is booked on a guess, a person looks."""
    log.error("alarm: the counterparty's amount differs from the payment's: %s", held.id)
    if held.state is State.NEEDS_HUMAN:
        return hand.at + hand.limits.slow_poll
    return give_to_human(hand, held, held.state, "payment_unclear", OTHER_AMOUNT)
