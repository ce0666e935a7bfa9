"""What a household paid in a month, and where money that goes back stands: for who paid it, or who was let see it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from data.clock import SHANGHAI
from data.ids import AccountId, PersonId
from data.model import May, Utility
from data.money import Money
from data.store.engine import Tx
from data.store.payments import acts, payments
from payments import states
from payments.authority import access
from payments.states import Payment, State
from payments.till import PaymentView, Till

_SEEN_BY = ("own", "grant")  # a saved account may be paid; what others paid there is not told without a grant
_REFUNDS_TOLD = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class PaidFor:
    """One kind of bill in one month: how often it was paid, how much was taken, how much of it came or comes back."""

    utility: Utility
    times: int
    total: Money
    given_back: Money
    coming_back: Money


def paid_in(
    tx: Tx,
    till: Till,
    person: PersonId,
    month: date,
    at: datetime,
    utility: Utility | None = None,
    of: Collection[AccountId] | None = None,
) -> list[PaidFor]:
    """What was collected in the Shanghai month of `month`, by kind: one's own payments, and the household's by a grant.

    `of` keeps to these accounts, when somebody asked about one home among several.
    """
    asked = [p for p in _collected(tx, month) if of is None or p.account in of]
    heard = [till.outcome(tx, p.id) for p in asked if _may_hear(tx, person, p, at)]
    found = [view for view in heard if utility in (None, view.utility)]
    for account in dict.fromkeys(view.account for view in found):
        # Own or not, by which leave: the gate knows, and writes down who looked at what is another's (F3).
        if may_look_back(tx, person, account, at):
            access.open_account(tx, person, May.BILLS, account, at)
    kinds = dict.fromkeys(view.utility for view in found)
    return [_sum(kind, [v for v in found if v.utility is kind]) for kind in kinds]


def _sum(utility: Utility, views: list[PaymentView]) -> PaidFor:
    back = [v.amount.fen for v in views if v.state is State.REFUNDED]
    coming = [v.amount.fen for v in views if v.state in (State.REFUNDING, State.POST_FAILED)]
    total = sum(v.amount.fen for v in views)
    return PaidFor(utility, len(views), Money(total), Money(sum(back)), Money(sum(coming)))


def _collected(tx: Tx, month: date) -> Iterator[Payment]:
    start, end = month_bounds(month)
    query = sa.select(payments).where(payments.c.captured_at >= start, payments.c.captured_at < end)
    for row in tx.conn.execute(query.order_by(payments.c.captured_at, payments.c.line)).all():
        yield states.of_row(row)


def month_bounds(month: date) -> tuple[datetime, datetime]:
    """The first instant of a Shanghai month and of the next one, in UTC."""
    first = datetime(month.year, month.month, 1, tzinfo=SHANGHAI)
    after = (first + timedelta(days=32)).replace(day=1)
    return first.astimezone(UTC), after.astimezone(UTC)


def _may_hear(tx: Tx, person: PersonId, payment: Payment, at: datetime) -> bool:
    if person in (payment.payer, _said_yes(tx, payment)):
        return True
    return may_look_back(tx, person, payment.account, at)


def _said_yes(tx: Tx, payment: Payment) -> str | None:
    return tx.conn.scalar(sa.select(acts.c.confirmer).where(acts.c.id == payment.act))


def may_look_back(tx: Tx, person: PersonId, account: AccountId, at: datetime) -> bool:
    """Whether he may hear what others paid here: his own account, or leave given (settled 28)."""
    seen = access.may(tx, person, May.BILLS, account, at)
    return seen is not None and seen.reason in _SEEN_BY


def newest_refund(tx: Tx, till: Till, person: PersonId, at: datetime) -> PaymentView | None:
    """The refund somebody asks after: one still under way before one that arrived; None when there was none lately."""
    back = (State.POST_FAILED, State.REFUNDING, State.REFUNDED)
    lately = [
        view
        for view in till.payments_of(tx, person, limit=50)
        if view.state in back and at - view.created_at < _REFUNDS_TOLD
    ]
    under_way = [view for view in lately if view.state is not State.REFUNDED]
    return next(iter(under_way or lately), None)
