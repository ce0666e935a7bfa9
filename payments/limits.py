"""How much, how often and for how long: the figures that keep a mistake small and a wait short."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

import sqlalchemy as sa

from data.clock import SHANGHAI, shanghai
from data.ids import AccountId, PersonId
from data.money import Money
from data.store.engine import Tx
from data.store.payments import acts, payments
from data.store.people import grants

# Money that is not, or no longer, spent. Everything else counts against a cap, in flight or done (M-I11).
GIVEN_BACK = ("failed", "cancelled", "refunding", "refunded")

Month = tuple[int, int]

_NEW_ACCOUNT = Money(50_000)  # 500 yuan
_MOST_CHARGE = Money(500_000)  # 5,000 yuan, a winter's heating
_MOST_MONTH = Money(1_000_000)
_LITTLE = Money(2_000)  # 20 yuan


@dataclass(frozen=True, slots=True)
class Limits:
    """Every figure the till decides by. Amounts in fen, spans of time by the injected clock."""

    # Above this a first payment to an account nobody of the household paid before waits for a relative (settled 5).
    new_account: Money = _NEW_ACCOUNT
    # So long after a warning of a swindle the first payment to such an account waits for a relative, whatever the sum.
    after_warning: timedelta = timedelta(hours=24)
    # A read-back is good this long, and never longer than the biller's quote.
    act_lifetime: timedelta = timedelta(minutes=30)
    # The page where a payer pays by himself.
    page_lifetime: timedelta = timedelta(minutes=15)
    # Polling as the trade does it (Cashfree's published schedule), the last one for ever.
    polls: tuple[timedelta, ...] = tuple(timedelta(seconds=s) for s in (5, 15, 30, 60, 180))
    page_poll: timedelta = timedelta(seconds=30)
    # What never left this machine is tried again this long, then given up: nobody pays behind a person's back.
    unsent: timedelta = timedelta(seconds=20)
    # After a power cut a confirmed payment that was never sent is still sent within this time, not later.
    send_within: timedelta = timedelta(minutes=10)
    # A person looks at what stays unknown this long; the rail is asked on, slowly.
    unknown: timedelta = timedelta(minutes=30)
    unposted: timedelta = timedelta(hours=24)
    unrefunded: timedelta = timedelta(hours=24)
    slow_poll: timedelta = timedelta(minutes=30)
    # The payer hears of money taken and not written off after this long, not at the first hiccup.
    post_patience: timedelta = timedelta(minutes=2)
    # Longer than any counterparty's time-out: whoever holds a payment longer has died.
    lease: timedelta = timedelta(seconds=30)
    # Automatic payments: the most that may be agreed to, once, in a month, and how often in a day.
    mandate_charge: Money = _MOST_CHARGE
    mandate_month: Money = _MOST_MONTH
    mandate_per_day: int = 3
    # A pause or an outage this short is nobody's worry; a meter that is low for longer is told to the payer.
    rest_unheard: timedelta = timedelta(hours=2)
    # What failed is tried again once a day.
    mandate_again: timedelta = timedelta(hours=24)
    # A bill debit is told so long before it is made, counted from an hour at which people are told things.
    debit_notice: timedelta = timedelta(hours=24)
    # A meter or bill nobody could read for so long, and an end that is so near, are told to the payer.
    mandate_unread: timedelta = timedelta(hours=48)
    mandate_ends_soon: timedelta = timedelta(days=14)
    # Without an automatic payment: a reminder when the meter lasts this many days or fewer, or, where nobody knows
    # how long it lasts, when it holds less than this.
    remind_days: int = 3
    # A bill nobody pays by itself is told so many days before it is due, and once more on the day.
    remind_bill_days: int = 3
    remind_below: Money = _LITTLE
    # A warning nobody answers climbs to the next person after this long, sooner when the light may go out within a day.
    rung: timedelta = timedelta(hours=12)
    rung_urgent: timedelta = timedelta(hours=2)

    def wait(self, attempt: int) -> timedelta:
        """How long until the next question, the `attempt`-th (from 0) of its kind."""
        return self.polls[min(attempt, len(self.polls) - 1)]


def month_start(at: datetime) -> datetime:
    """The first instant of the Shanghai month of `at`, in UTC."""
    local = shanghai(at)
    return datetime(local.year, local.month, 1, tzinfo=SHANGHAI).astimezone(UTC)


def next_month_start(at: datetime) -> datetime:
    """The first instant of the following Shanghai month, in UTC."""
    return month_start(month_start(at) + timedelta(days=32))


def spent_under(tx: Tx, grant_id: str, at: datetime, until: datetime | None = None) -> Money:
    """What was confirmed under a spending grant in this Shanghai month (or `until` then), money in flight included.

    Also under every other leave of the same giver to the same taker: a month has one cap, whichever row was used.
    """
    this = sa.select(grants.c.giver, grants.c.taker).where(grants.c.id == grant_id).subquery()
    between_them = sa.select(grants.c.id).join(
        this, sa.and_(grants.c.giver == this.c.giver, grants.c.taker == this.c.taker)
    )
    total = tx.conn.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(payments.c.amount_fen), 0))
        .join(acts, acts.c.id == payments.c.act)
        .where(
            acts.c.grant_id.in_(between_them),
            payments.c.created_at >= month_start(at),
            payments.c.created_at <= until if until else payments.c.created_at < next_month_start(at),
            payments.c.state.not_in(GIVEN_BACK),
        )
    )
    return Money(int(total or 0))


def within_caps(
    amounts: list[Money], per_payment: Money | None, per_month: Money | None, spent: Money
) -> bool:
    """Whether these further payments keep to a grant's caps. No cap is no limit."""
    if per_payment is not None and any(a > per_payment for a in amounts):
        return False
    return per_month is None or spent.fen + sum(a.fen for a in amounts) <= per_month.fen


def paid_before(tx: Tx, payer: PersonId, account: AccountId) -> bool:
    """Whether this payer ever had a payment written off at this account."""
    found = tx.conn.scalar(
        sa.select(sa.func.count()).where(
            payments.c.payer == payer, payments.c.account == account, payments.c.state == "settled"
        )
    )
    return bool(found)


def paid_by_month(tx: Tx, account: AccountId) -> dict[Month, Money]:
    """What was written off at an account, by Shanghai month."""
    rows = tx.conn.execute(
        sa.select(payments.c.amount_fen, payments.c.posted_at).where(
            payments.c.account == account, payments.c.state == "settled"
        )
    )
    sums: dict[Month, Money] = {}
    for fen, posted in rows:
        local = shanghai(posted)
        month = (local.year, local.month)
        sums[month] = sums.get(month, Money(0)) + Money(fen)
    return sums


def compared_with(amount: Money, history: Mapping[Month, Money], at: datetime) -> Money | None:
    """The usual amount when `amount` is more than twice it, else None (settled 6).

    Usual is the same month of last year, else the median; fewer than three earlier bills ask nothing.
    """
    local = shanghai(at)
    usual = history.get((local.year - 1, local.month))
    if usual is None:
        if len(history) < 3:
            return None
        usual = Money(int(median(m.fen for m in history.values())))
    return usual if amount.fen > 2 * usual.fen else None
