"""The two counterparties of a household bill, as small ports: who sends the bill, and who collects the money.

A port never hides what it does not know. `Unknown` means the request may have had its effect; only `NotSent` and a
confirmed close allow another order number (settled 3 and 10).

Errors that mean "could not even ask" form one small tree:

    GatewayError(code, user_key)
    ├── NotSent            nothing left this machine: the same step may be tried again
    ├── Refused            the counterparty answered with a reason; nothing happened there
    └── OutcomeUnknown     asked, no usable answer: query under the same number
        └── BadSignature   an answer whose signature is wrong counts as no answer, and raises an alarm
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from data.ids import BillerId, InstrumentId, OrderNumber, QuoteId
from data.model import Biller, MonthUse, Quote
from data.money import Money


class Reason(StrEnum):
    """Why something was refused or is not known (the error taxonomy of the trade; EQ codes of 生活缴费 map onto it)."""

    ACCOUNT_NOT_FOUND = "account_not_found"
    WRONG_REGION = "wrong_region"
    NOTHING_DUE = "nothing_due"
    BILL_CHANGED = "bill_changed"
    QUOTE_EXPIRED = "quote_expired"
    NOT_PAYABLE_ONLINE = "not_payable_online"
    IC_CARD_REQUIRED = "ic_card_required"
    BILLER_CLOSED = "biller_closed_window"
    BILLER_DOWN = "biller_down"
    RAIL_DOWN = "rail_down"
    AMOUNT_RULE = "amount_rule_violated"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    DECLINED = "declined"
    PAYER_BLOCKED = "payer_blocked"
    DUPLICATE_NUMBER = "duplicate_number"  # the same number with other content
    SIGNATURE = "signature_invalid"
    RATE_LIMITED = "rate_limited"
    NOT_SENT = "not_sent"
    UNKNOWN = "outcome_unknown"
    CLOSED = "closed"
    CONFIG = "config"
    NOT_READY = "not_ready"  # a daily file that is not written yet


class GatewayError(Exception):
    """A counterparty could not be asked, or answered with a refusal. `reason` is stable; people hear its own sentence."""

    def __init__(self, reason: Reason, raw: str = "") -> None:
        super().__init__(f"{reason.value} {raw}".strip())
        self.reason = reason
        self.raw = raw


class NotSent(GatewayError):
    """Nothing left this machine."""


class Refused(GatewayError):
    """A definite no, with its reason."""


class OutcomeUnknown(GatewayError):
    """Asked, and no usable answer came: the effect may have happened."""


class BadSignature(OutcomeUnknown):
    """An answer or callback that is not signed by whom it claims."""


# --- what became of an order ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Settled:
    """It happened. `reference` is the counterparty's own number, `amount` what really moved."""

    reference: str
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class Pending:
    """Accepted, not finished: ask again after `poll_after`."""

    poll_after: timedelta = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Declined:
    """A definite no for this number; no money moved and none will."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class NotFound:
    """The counterparty does not know the number. NOT a proof of failure: the request may still be under way."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """No usable answer. `sent=False` only when certainly nothing left this machine."""

    cause: str
    sent: bool = True


Outcome = Settled | Pending | Declined | NotFound | Unknown


# --- billers ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AccountHint:
    """An account a biller found for a registered telephone number; the number stays masked until the holder is confirmed."""

    biller: BillerId
    number: str = field(repr=False)
    holder_masked: str = ""


@dataclass(frozen=True, slots=True)
class PostPayment:
    """Write this paid amount off against the bill."""

    order: OrderNumber
    biller: BillerId
    number: str = field(repr=False)
    quote: QuoteId = QuoteId("")
    amount: Money = Money(0)


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a counterparty answers now."""

    up: bool
    detail: str = ""


# The most numbers one question of `BillerNetwork.balances` may name.
MOST_NUMBERS = 500


class BillerNetwork(Protocol):
    """Those who send bills. `post` is idempotent by order number.

    A `Declined` to an order with a quote is final: the same two get the same answer for ever, whatever has changed since, so
    whoever was refused may give the money back. Another quote may go with the same order. A shut door (BILLER_CLOSED,
    BILLER_DOWN, RATE_LIMITED) is no refusal of the order, and DUPLICATE_NUMBER says something of another one.
    """

    async def billers(self) -> list[Biller]: ...

    async def find_accounts(self, biller: BillerId, phone: str) -> list[AccountHint]:
        """Accounts registered under this telephone number; Refused(CONFIG) where the biller offers no look-up."""

    async def holder(self, biller: BillerId, number: str) -> str:
        """The holder's masked name for the name check, and nothing else. Refused(ACCOUNT_NOT_FOUND)."""

    async def query(self, biller: BillerId, number: str) -> Quote:
        """The open bill or the meter's balance. Nothing due is a quote with due zero. Refused, NotSent, OutcomeUnknown."""

    async def balances(self, biller: BillerId, numbers: Sequence[str]) -> Mapping[str, Quote | GatewayError]:
        """What `query` says of each of these numbers, in one question; each number has an answer of its own.

        A number the biller refuses, or says nothing usable of, spoils no other's answer. Raises Refused, NotSent or
        OutcomeUnknown when the whole question has no answer, ValueError for more than MOST_NUMBERS numbers.
        """

    async def usage(self, biller: BillerId, number: str, months: int = 12) -> list[MonthUse]:
        """What was used in the last whole months, the oldest first; Refused(CONFIG) where the biller tells none."""

    async def post(self, request: PostPayment) -> Outcome: ...

    async def post_status(self, biller: BillerId, order: OrderNumber) -> Outcome: ...

    def statement(self, day: date) -> AsyncIterator[StatementRow]:
        """What all billers wrote off on a Shanghai day; as `PaymentRail.statement`."""

    async def health(self) -> Health: ...


# --- rails ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Charge:
    """Collect this amount from a saved purse."""

    order: OrderNumber
    instrument: InstrumentId
    token: str = field(repr=False)
    amount: Money = Money(0)
    payee: BillerId = BillerId("")


@dataclass(frozen=True, slots=True)
class StartPayment:
    """Open a hosted page (link or QR code) where the payer pays by himself."""

    order: OrderNumber
    amount: Money
    payee: BillerId
    description: str
    lifetime: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Started:
    """The hosted page is open."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Refund:
    """Give collected money back under one refund number for ever."""

    order: OrderNumber
    refund: OrderNumber
    amount: Money


@dataclass(frozen=True, slots=True)
class Closed:
    """The number is closed: it can never collect any more."""


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One line of a daily statement, by our number. Amounts are positive; a refund row says so.

    A rail tells captures and refunds, a biller network the postings its billers wrote off.
    """

    order: OrderNumber
    kind: str  # "capture" | "refund" | "post"
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class CallbackEvent:
    """A verified hint from the rail. It never changes a state by itself: the till asks back."""

    event_id: str
    order: OrderNumber
    status: str  # "paid" | "failed" | "pending" | "refunded"
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a rail can do and for how long it remembers."""

    idempotency_window: timedelta
    supports_close: bool = True
    supports_hosted_page: bool = True
    minimum: Money = Money(1)
    maximum: Money = Money(5_000_000)


class PaymentRail(Protocol):
    """Who collects the money. Every call is idempotent by order number."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    async def charge(self, request: Charge) -> Outcome: ...

    async def start(self, request: StartPayment) -> Started: ...

    async def status(self, order: OrderNumber) -> Outcome: ...

    async def close(self, order: OrderNumber) -> Closed | Settled | Unknown:
        """Close an order so that it can never collect; Settled when the money came first."""

    async def refund(self, request: Refund) -> Outcome: ...

    async def refund_status(self, refund: OrderNumber) -> Outcome: ...

    def parse_callback(self, raw: bytes, headers: Mapping[str, str], now: datetime) -> CallbackEvent:
        """Verify and read a callback; pure. Raises BadSignature for a forged, tampered or stale (±300 s) one."""

    def statement(self, day: date) -> AsyncIterator[StatementRow]:
        """The file of a Shanghai day: all of its rows or none. Raises before the first row.

        Refused(NOT_READY) while the file is not written yet, OutcomeUnknown for one that cannot be read, NotSent.
        """

    async def health(self) -> Health: ...


class Notifier(Protocol):
    """Carries a template message to an address outside our channels (SMS, family alert)."""

    async def send(self, to: str, template: str, parameters: Mapping[str, str]) -> None: ...
