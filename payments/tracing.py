"""Where a yuan came from: the whole chain of one payment, from the words somebody agreed to down to the biller's receipt.

For auditors and operators only, and every look is written into the audit like anybody's: the household sees who looked.
Nothing is taken on trust: what is missing or contradicts itself is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.clock import SHANGHAI
from data.ids import PaymentId, PersonId
from data.model import Role
from data.money import Money
from data.store import journal
from data.store.audit import audit
from data.store.engine import Remembered, Tx
from data.store.payments import acts as acts_table
from data.store.payments import callbacks, payments
from data.store.payments import ledger as ledger_table
from data.store.people import accounts
from data.store.post import events
from payments import acts, grounds, ledger, states
from payments.authority import people
from payments.grounds import Chain, Gap, Link
from payments.opening import till_account
from payments.states import Payment, State

__all__ = ["AT_THE_MACHINE", "Gap", "Link", "NotAnAuditor", "Trace", "allowed", "on_day", "trace"]

# Whoever stands at the machine with its secret, and gave no name.
AT_THE_MACHINE = PersonId("machine")
AUDIT = "audit"  # the verb of such a look in the audit
READERS = frozenset({Role.AUDITOR, Role.OPERATOR})
_STARTS = "0" * 64
_TOLD = (
    "captured",
    "captured_for_you",
    "captured_started",
    "auto_posted",
    "auto_for_you",
    "posted",
    "refunding",
)
_NOTED = ("captured", "posted", "refund_requested", "refunded", "duplicate_payment_found")


class NotAnAuditor(Remembered):
    """Only an auditor or operator may read this; that somebody else tried stays in the audit."""

    def __init__(self, by: PersonId, subject: str, at: datetime, concerned: PersonId | None = None) -> None:
        super().__init__(by)
        self._by, self._subject, self._at, self._concerned = by, subject, at, concerned or by

    def remember(self, tx: Tx) -> None:
        """The line about the try."""
        journal.record(
            tx,
            kind="access_refused",
            person=self._concerned,
            actor=self._by,
            subject=self._subject,
            at=self._at,
            body={"verb": AUDIT},
        )


@dataclass(frozen=True, slots=True)
class Trace:
    """The chain of one payment. Account numbers are masked; `whole` says that nothing is missing or contradicts."""

    payment: PaymentId
    by_itself: bool
    state: State
    amount: Money
    payer: PersonId
    payer_name: str
    holder_masked: str
    tail: str
    biller: str
    utility: str
    links: tuple[Link, ...]
    gaps: tuple[Gap, ...]

    @property
    def whole(self) -> bool:
        return not self.gaps

    def first(self, step: str) -> Link | None:
        """The first line of this kind."""
        return next((link for link in self.links if link.step == step), None)

    def as_json(self) -> dict[str, Any]:
        """Everything as plain values: amounts in fen, times in UTC."""
        return {
            "payment": self.payment,
            "by_itself": self.by_itself,
            "state": self.state.value,
            "fen": self.amount.fen,
            "payer": self.payer,
            "account": {
                "holder": self.holder_masked,
                "tail": self.tail,
                "biller": self.biller,
                "utility": self.utility,
            },
            "whole": self.whole,
            "links": [
                {"step": x.step, "at": x.at.isoformat() if x.at else None, "row": x.row, **x.facts}
                for x in self.links
            ],
            "gaps": [{"part": gap.part, "why": gap.why, "row": gap.row} for gap in self.gaps],
        }


def allowed(tx: Tx, by: PersonId) -> bool:
    """Whether this person may read anybody's chain."""
    if by == AT_THE_MACHINE:
        return True
    found = people.find(tx, by)
    return found is not None and found.role in READERS


def trace(tx: Tx, payment: PaymentId, by: PersonId, at: datetime) -> Trace:
    """The chain, and the line in the audit that `by` read it. Raises NotAnAuditor and NoSuchPayment."""
    held = note(tx, payment, by, at)
    act = acts.view(tx, held.act)
    chain = Chain()
    by_itself = act.kind == "debit"
    (grounds.of_debit if by_itself else grounds.of_yes)(tx, chain, held, act)
    grounds.of_act(tx, chain, held, act)
    _course(chain, held)
    _rail(tx, chain, held)
    _book(tx, chain, held)
    _noted(tx, chain, held)
    _told(tx, chain, held)
    account = till_account(tx, held.account)
    return Trace(
        held.id, by_itself, held.state, held.amount, held.payer, grounds.name_of(tx, held.payer),
        account.holder_masked, account.tail, account.biller, account.utility.value,
        tuple(chain.links), tuple(chain.gaps),
    )  # fmt: skip


def note(tx: Tx, payment: PaymentId, by: PersonId, at: datetime) -> Payment:
    """Writes down that `by` reads this payment, and gives it. Raises NotAnAuditor and NoSuchPayment."""
    held = states.read(tx, payment)
    holder = tx.conn.scalar(sa.select(accounts.c.holder).where(accounts.c.id == held.account))
    concerned = PersonId(holder or held.payer)
    if not allowed(tx, by):
        raise NotAnAuditor(by, held.account, at, concerned)
    body = {"verb": AUDIT, "payment": held.id}
    journal.record(tx, kind="data_read", person=concerned, actor=by, subject=held.account, at=at, body=body)
    return held


# --- finding the payment somebody asks about ------------------------------------------------------------------------


def on_day(
    tx: Tx, day: date, words: str, *, amount: Money | None = None, utility: str | None = None
) -> list[PaymentId]:
    """Payments of one Shanghai day at the accounts of whoever is named in these words; by itself first, then as made.

    Nobody is named: none. The name of a holder who is not enrolled is not known here.
    """
    start = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)
    query = (
        sa.select(payments.c.id, accounts.c.holder, acts_table.c.kind)
        .join(accounts, accounts.c.id == payments.c.account)
        .join(acts_table, acts_table.c.id == payments.c.act)
        .where(payments.c.created_at >= start, payments.c.created_at < start + timedelta(days=1))
        .order_by(payments.c.created_at, payments.c.line)
    )
    if amount is not None:
        query = query.where(payments.c.amount_fen == amount.fen)
    if utility is not None:
        query = query.where(accounts.c.utility == utility)
    found = [row for row in tx.conn.execute(query).all() if _is_named(tx, row.holder, words)]
    return [PaymentId(row.id) for row in sorted(found, key=lambda row: row.kind != "debit")]


def _is_named(tx: Tx, holder: str | None, words: str) -> bool:
    return bool(holder) and grounds.name_of(tx, holder).lower() in words.lower()


# --- what became of it ----------------------------------------------------------------------------------------------


def _course(chain: Chain, held: Payment) -> None:
    """The states of the payment by their times, which never run backwards."""
    row = f"payments {held.id}"
    chain.add("written", held.created_at, row, number=held.number, fen=held.amount.fen, method=held.method)
    steps = {
        "sent": held.sent_at,
        "captured": held.captured_at,
        "posted": held.posted_at,
        "refunded": held.refunded_at,
    }
    before, last = held.created_at, "written"
    for step, at in steps.items():
        if at is None:
            continue
        chain.must(before <= at, "money", f"{step} is earlier than {last}", row)
        chain.add(step, at, row, **_references(held, step))
        before, last = at, step
    chain.add("state", held.updated_at, row, state=held.state.value, reason=held.reason)
    settled = held.state is State.SETTLED
    chain.must(settled == (held.posted_at is not None), "money", "the state and the posting differ", row)
    back = held.state is State.REFUNDED
    chain.must(back == (held.refunded_at is not None), "money", "the state and the refund differ", row)
    needs = held.state in (State.PAID, State.POSTING, State.POST_UNKNOWN, State.SETTLED, State.POST_FAILED)
    chain.must(not needs or held.captured_at is not None, "money", "collected without its time", row)
    late = held.state in (
        State.REFUNDING,
        State.REFUNDED,
    )  # money under a number that was never sent goes back
    sent = held.captured_at is None or held.sent_at is not None or late
    chain.must(sent, "money", "collected and never sent", row)


def _references(held: Payment, step: str) -> dict[str, Any]:
    match step:
        case "captured":
            return {"number": held.number, "rail_reference": held.rail_reference}
        case "posted":
            return {"post_reference": held.post_reference}
        case "refunded":
            return {"refund_number": held.refund_number}
        case _:
            return {}


def _rail(tx: Tx, chain: Chain, held: Payment) -> None:
    """What the rail told of its own accord; only hints, the state rests on what it answered."""
    query = sa.select(callbacks).where(callbacks.c.number == held.number)
    for row in tx.conn.execute(query.order_by(callbacks.c.received_at, callbacks.c.event_id)):
        chain.add(
            "callback", row.received_at, f"callbacks {row.event_id}", status=row.status, verdict=row.verdict
        )


def _book(tx: Tx, chain: Chain, held: Payment) -> None:
    """The lines of the ledger: one for each movement, of this amount, unchanged and in their place."""
    query = sa.select(ledger_table).where(ledger_table.c.payment == held.id)
    rows = tx.conn.execute(query.order_by(ledger_table.c.seq)).all()
    for row in rows:
        at = f"ledger {row.seq}"
        chain.add("ledger", row.at, at, kind=row.kind, fen=row.amount_fen, debit=row.debit, credit=row.credit)
        chain.must(row.amount_fen == held.amount.fen, "book", "another amount is in the book", at)
        whole = row.hash == ledger.line_hash(tx, dict(row._mapping)) and row.previous == _hash_before(
            tx, row.seq
        )
        chain.must(whole, "book", "the line was changed", at)
    moved = {"capture": held.captured_at, "post": held.posted_at, "refund": held.refunded_at}
    wanted = sorted(kind for kind, at in moved.items() if at is not None)
    chain.must(
        sorted(row.kind for row in rows) == wanted,
        "book",
        "the book and the payment differ",
        f"payments {held.id}",
    )


def _hash_before(tx: Tx, seq: int) -> str:
    if seq == 1:
        return _STARTS
    return str(tx.conn.scalar(sa.select(ledger_table.c.hash).where(ledger_table.c.seq == seq - 1)))


def _noted(tx: Tx, chain: Chain, held: Payment) -> None:
    """The lines of the audit about the money."""
    mine = sa.and_(audit.c.subject == held.id, audit.c.kind.in_(_NOTED))
    rows = tx.conn.execute(sa.select(audit).where(mine).order_by(audit.c.seq)).all()
    for row in rows:
        at = f"audit {row.seq}"
        chain.add("audit", row.at, at, kind=row.kind, by=row.actor)
        chain.must(journal.is_whole(tx, row), "book", "the line of the audit was changed", at)
    kinds = {row.kind for row in rows}
    for kind, at_ in {"captured": held.captured_at, "posted": held.posted_at}.items():
        chain.must(at_ is None or kind in kinds, "book", f"{kind} is not in the audit", f"payments {held.id}")


def _told(tx: Tx, chain: Chain, held: Payment) -> None:
    """Who was told what and when; the payer hears of money that was taken."""
    kinds = sa.or_(*(events.c.id.startswith(f"{kind}:{held.id}:", autoescape=True) for kind in _TOLD))
    rows = tx.conn.execute(sa.select(events).where(kinds).order_by(events.c.created_at, events.c.id)).all()
    for row in rows:
        chain.add(
            "notice",
            row.created_at,
            f"events {row.id}",
            kind=row.kind,
            to=row.person,
            name=grounds.name_of(tx, row.person),
            told_at=row.served_at.isoformat() if row.served_at else None,
        )
    # What was taken by itself is told when it has arrived; until then the payer heard that it began.
    settled = held.posted_at is not None or held.refunded_at is not None
    heard = not settled or any(row.person == held.payer for row in rows)
    chain.must(heard, "told", "the payer was not told", f"payments {held.id}")
