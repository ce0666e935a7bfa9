"""What must hold of the money rows at any moment (M-I1 to M-I17, as far as rows can show it); each breach is a sentence.

Run after every test and simulated step, where all rows fit into memory and the rail's own truth may be looked at. A living
database is asked the same, page by page, by `payments/doctor.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from data.catalogue import Catalogue
from data.ids import OrderNumber
from data.money import ZERO, Money
from data.store import letters
from data.store.engine import Tx
from data.store.payments import acts as acts_table
from data.store.payments import ledger as ledger_table
from data.store.payments import payments
from payments import acts, invariants_of_mandates, ledger, states
from payments.authority import access
from payments.limits import spent_under
from payments.states import FINAL, ActState, Payment, State

# Here money is known to have been collected, or is known not to have been.
_COLLECTED = frozenset(
    {
        State.PAID,
        State.POSTING,
        State.POST_UNKNOWN,
        State.SETTLED,
        State.POST_FAILED,
        State.REFUNDING,
        State.REFUNDED,
    }
)
_NOT_COLLECTED = frozenset({State.FAILED, State.CANCELLED})
# Built once: the simulator looks after everything that happens.
_ALL = sa.select(payments).order_by(payments.c.created_at)
_LENT = (
    sa.select(acts_table.c.grant_id, acts_table.c.confirmer, sa.func.max(payments.c.created_at))
    .join(payments, payments.c.act == acts_table.c.id)
    .where(acts_table.c.grant_id.is_not(None))
    .group_by(acts_table.c.grant_id, acts_table.c.confirmer)
)
_OWED = ledger.CLEARING  # what was taken of payers and neither written off nor given back yet
_BOOK = sa.select(
    ledger_table.c.kind,
    ledger_table.c.payment,
    ledger_table.c.debit,
    ledger_table.c.credit,
    ledger_table.c.amount_fen,
)


def check(
    tx: Tx,
    rail_captures: Iterable[tuple[OrderNumber, Money]] | None = None,
    *,
    rail_refunds: Mapping[OrderNumber, tuple[OrderNumber, Money]] | None = None,
    catalogue: Catalogue | None = None,
    at_rest: bool = False,
) -> list[str]:
    """Every breach, as text; empty when all is well.

    `rail_captures` and `rail_refunds` are the rail's own truth, where it may be looked at. `at_rest`: nothing is under
    way any more, so what the rail knows must be known here too.
    """
    rows = [states.of_row(r) for r in tx.conn.execute(_ALL)]
    breaches: list[str] = []
    for payment in rows:
        breaches += _of_one(tx, payment)
        if catalogue is not None and payment.biller not in catalogue.rows:
            breaches.append(f"M-I16 {payment.id} pays somebody outside the catalogue")
    breaches += _of_bills(rows)
    breaches += _of_caps(tx)
    breaches += invariants_of_mandates.breaches(tx) + invariants_of_mandates.without_mandate(tx)
    breaches += _of_book(tx, rows)
    if rail_captures is not None:
        breaches += _of_rail(rows, Counter(rail_captures), at_rest)
    if rail_refunds is not None:
        breaches += _of_refunds(rows, rail_refunds, at_rest)
    return breaches


def _of_one(tx: Tx, payment: Payment) -> list[str]:
    act = acts.view(tx, payment.act)
    line = act.lines[payment.line]
    confirmed = act.state is ActState.CONFIRMED and act.evidence is not None
    named = (line.account, line.amount, act.payer) == (payment.account, payment.amount, payment.payer)
    digest = acts.digest_of(act.proposer, act.payer, act.confirmer, act.lines)
    never_sent = payment.state in (State.CONFIRMED, State.CANCELLED) and payment.captured_at is None
    waits = payment.state in FINAL or payment.next_at is not None or _somebody_looks(tx, payment)
    facts = {
        "L1 was confirmed by nobody": not confirmed,
        "L1 was confirmed by another": confirmed and act.evidence["by"] != act.confirmer,  # type: ignore[index]
        "L1 is not what was confirmed": not named or digest != act.digest,
        "M-I5 was sent before it said so": payment.sent_at is None and not never_sent,
        "M-I7 is collected without its time": (payment.captured_at is not None)
        != (payment.state in _COLLECTED or _collected_by_human(payment)),
        "M-I7 is settled without its time": (payment.posted_at is not None)
        != (payment.state is State.SETTLED),
        "M-I7 is refunded without its time": (payment.refunded_at is not None)
        != (payment.state is State.REFUNDED),
        "M-I15 waits for nobody": not waits,
    }
    return [f"{what}: {payment.id} {payment.state}" for what, breached in facts.items() if breached]


def _collected_by_human(payment: Payment) -> bool:
    return payment.state is State.NEEDS_HUMAN and payment.captured_at is not None


def _somebody_looks(tx: Tx, payment: Payment) -> bool:
    return letters.open_ticket_of(tx, payment.payer) is not None


def _of_bills(rows: list[Payment]) -> list[str]:
    settled = Counter((p.account, p.quote) for p in rows if p.state is State.SETTLED)
    held = Counter(p.account for p in rows if p.state not in FINAL and p.state is not State.REFUNDING)
    twice = [f"M-I2 a bill was settled {n} times: {bill}" for bill, n in settled.items() if n > 1]
    return twice + [f"M-I2 an account has {n} open payments: {a}" for a, n in held.items() if n > 1]


def _of_caps(tx: Tx) -> list[str]:
    over = []
    for grant_id, confirmer, last in tx.conn.execute(_LENT).all():
        grants = access.spending_grants(tx, confirmer, last)
        cap = next((g.per_month for g in grants if g.grant_id == grant_id), None)
        if cap is not None and spent_under(tx, grant_id, last, until=last) > cap:
            over.append(f"M-I11 more was spent than the month's cap: {grant_id}")
    return over


def _of_book(tx: Tx, rows: list[Payment]) -> list[str]:
    breaches = [f"M-I8 the book is broken at line {b.seq}: {b.why}" for b in ledger.verify(tx)]
    lines = tx.conn.execute(_BOOK).all()
    held = sum(p.amount.fen for p in rows if p.captured_at and not p.posted_at and not p.refunded_at)
    owed = sum(line.amount_fen * ((line.credit == _OWED) - (line.debit == _OWED)) for line in lines)
    if owed != held:
        breaches.append("M-I8 the book does not balance")
    entered = {(line.kind, line.payment): Money(line.amount_fen) for line in lines}
    expected: dict[tuple[str, str], Money] = {}
    for p in rows:
        moved = {"capture": p.captured_at, "post": p.posted_at, "refund": p.refunded_at}
        expected |= {(kind, p.id): p.amount for kind, when in moved.items() if when is not None}
    if entered != expected or len(entered) != len(lines):
        breaches.append("M-I8 the book and the payments differ")
    return breaches


def _of_rail(rows: list[Payment], captures: Counter[tuple[OrderNumber, Money]], at_rest: bool) -> list[str]:
    ours = {p.number: p for p in rows}
    breaches = []
    for (number, amount), times in captures.items():
        payment = ours.get(number)
        if payment is None:
            breaches.append("M-I1 the rail collected under a number that is not ours")
            continue
        if times > 1 or amount != payment.amount:
            breaches.append(f"M-I1 {payment.id} was collected {times} times, {amount}")
        if payment.sent_at is None and payment.state is not State.REFUNDING:
            breaches.append(f"M-I5 {payment.id} was collected before it was written as sent")
        if at_rest and payment.state in _NOT_COLLECTED:
            breaches.append(f"M-I4 {payment.id} is {payment.state}, and the rail has the money")
        if at_rest and payment.captured_at is None and payment.state is not State.NEEDS_HUMAN:
            breaches.append(f"M-I3 {payment.id} was collected, and we do not know")
    collected = {number for number, _ in captures}
    breaches += [
        f"L2 {p.id} says collected, the rail does not"
        for p in rows
        if p.captured_at is not None and p.number not in collected
    ]
    return breaches


def _of_refunds(
    rows: list[Payment], refunds: Mapping[OrderNumber, tuple[OrderNumber, Money]], at_rest: bool
) -> list[str]:
    given: dict[OrderNumber, Money] = {}
    for order, amount in refunds.values():
        given[order] = given.get(order, ZERO) + amount
    breaches = []
    for p in rows:
        back = given.get(p.number, ZERO)
        if back > p.amount:
            breaches.append(f"M-I9 {p.id}: more was given back than collected")
        if p.state is State.REFUNDED and back != p.amount:
            breaches.append(f"L2 {p.id} says refunded, the rail does not")
        if at_rest and back and p.state not in (State.REFUNDED, State.REFUNDING):
            breaches.append(f"M-I9 {p.id} was given back while {p.state}")
    return breaches
