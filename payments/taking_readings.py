"""What a meter or bill says, acted on with care: one account, one transaction, every guarantee of automatic payments in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from data.ids import AccountId, PaymentId
from data.model import Quote
from payments import bill_debits, mandates, readings, reminding, topping_up, unheard, warnings
from payments.debiting import Round
from payments.opening import till_account
from payments.quoting import overtaken
from payments.readings import Taken
from payments.terms import MandateKind, MandateState

MOMENT = timedelta(
    microseconds=1
)  # a question lies at least this long after all that was known when it was asked


def take_reading(hand: Round, account: AccountId, quote: Quote, asked_at: datetime) -> list[PaymentId]:
    """What a meter or bill says, acted on; gives the payments written. Late, repeated and backward readings change nothing.

    `asked_at` is when it was asked; what was written off since is not in the answer, which is then left alone.
    """
    # What was known when it was asked is known now, whatever the clock of this process says since. On a clock that
    # stands the question lies a moment after now; what is done about the answer is done now, or nobody would find it due.
    hand = replace(hand, at=max(hand.at, asked_at - MOMENT))
    tx = hand.tx
    if overtaken(tx, account, asked_at):
        return []
    payer = mandates.live_at(tx, account)
    if payer is not None:
        tx.alone(f"purse:{payer.payer}")
        if topping_up.wait_a_little(hand, payer, quote):
            mandates.note(tx, payer.id, read_at=hand.at)
            return []
    taken = Taken.NEW
    if quote.balance is not None:
        taken = readings.take(tx, account, quote.balance, quote.daily_use, asked_at, hand.at)
    if taken is Taken.STALE:
        return []
    return _act_on(hand, account, quote, asked_at, new=taken is Taken.NEW)


def _act_on(
    hand: Round, account: AccountId, quote: Quote, asked_at: datetime, *, new: bool
) -> list[PaymentId]:
    tx = hand.tx
    held = mandates.live_at(tx, account, hold=True)
    if held is not None:
        mandates.note(tx, held.id, read_at=hand.at)
        warnings.over(tx, account, hand.at, frozenset({"mandate_unread"}))
    unheard.heard(tx, [account])
    reading = readings.newest(tx, account) if quote.balance is not None else None
    made: PaymentId | None = None
    if held is not None and held.terms.kind is MandateKind.BILL_DEBIT and reading is None:
        made = bill_debits.act_on(hand, held, quote, asked_at)
    elif held is not None and held.terms.kind is MandateKind.TOP_UP and reading is not None:
        made = topping_up.act_on(hand, held, quote, reading, asked_at, new=new)
    pays = held is not None and held.state is MandateState.ACTIVE and not topping_up.gave_up(hand, held)
    if reading is not None and not pays:
        reminding.look(hand, till_account(tx, account), reading)
    if reading is None and not pays:
        reminding.look_at_bill(hand, till_account(tx, account), quote)
    return [made] if made else []
