"""What a test or a demonstration may do to the town through its control port, and what it may look at."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, Field

from integrations.ports import Reason
from integrations.sandbox.wire import Fen, Order, Shape


class Side(StrEnum):
    """Which counterparty a fault belongs to."""

    BILLER = "biller"
    RAIL = "rail"


class FaultKind(StrEnum):
    """What can go wrong, by the words of the acceptance scripts and a few more."""

    TIMEOUT_THEN_PAID_AFTER = "timeout_then_paid_after"  # no answer; executed `seconds` later
    TIMEOUT_NEVER_PAID = "timeout_never_paid"  # no answer, never executed
    SLOW = "slow"  # executed at once, answered `seconds` later
    ERROR_500 = "error_500"  # not executed
    ERROR_500_AFTER = "error_500_after"  # executed, and then an error
    LOST_ANSWER = "lost_answer"  # executed, connection dropped
    HALF_ANSWER = "half_answer"  # executed, connection dropped in the middle of the answer
    GARBLED_ANSWER = "garbled_answer"  # executed, answered with something that is no answer
    DECLINED = "declined"
    DECLINED_BY_BILLER_MAINTENANCE = "declined_by_biller_maintenance"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    PENDING = "pending"  # the rail accepts and does not finish by itself
    DOWN = "down"  # everything of this side (or of this account) answers 503
    DUPLICATE_CALLBACK = "duplicate_callback"
    WRONG_SIGNATURE = "wrong_signature"  # of the callback
    NO_CALLBACK = "no_callback"


class FaultRequest(Shape):
    """Set a fault: for an account, for an order, or (neither) for the next call.

    On the rail an account means its biller as payee. `operation` defaults to the ones that move something;
    `uses` defaults to 1 for the next call and to "until cleared" otherwise.
    """

    side: Side
    kind: FaultKind
    seconds: float = Field(default=0, ge=0, le=604_800)
    account: str | None = None
    order: Order | None = None
    operation: str | None = None
    uses: int | None = Field(default=None, ge=1)


class AccountIn(Shape):
    """One account of a world as the billers keep it."""

    id: str
    biller: str
    number: str
    holder: str
    phones: tuple[str, ...] = ()
    due_fen: Fen = 0
    due_date: date | None = None
    balance_fen: int | None = None
    daily_use_fen: Fen | None = None
    ic_card: bool = False
    usage_fen: dict[date, Fen] = Field(
        default_factory=dict
    )  # the first day of a month -> what was used in it


class PurseIn(Shape):
    """One purse of a world as the rail keeps it."""

    id: str
    owner: str
    token: str
    funds_fen: Fen


class WorldRequest(Shape):
    """Forget everything and start with this town at this instant."""

    now: AwareDatetime
    accounts: tuple[AccountIn, ...]
    purses: tuple[PurseIn, ...]


class AccountChange(Shape):
    """What changed at the biller; keys left out stay as they are. `paid_elsewhere_fen` 0 means all of it.

    `used_fen` is what a prepaid meter used up since it was read last; it never falls below nothing.
    """

    due_fen: Fen | None = None
    due_date: date | None = None
    balance_fen: int | None = None
    daily_use_fen: Fen | None = None
    paid_elsewhere_fen: Fen | None = None
    used_fen: Fen | None = None
    acks: Literal["immediate", "manual", "default"] | None = None


class AckRequest(Shape):
    """The biller acknowledges a posting it had withheld."""

    account: str
    amount_fen: Fen


class ClockRequest(Shape):
    """Set the town's clock to `at`, or move it forward by `seconds`; exactly one."""

    at: AwareDatetime | None = None
    seconds: float | None = Field(default=None, ge=0)


class ClockReply(Shape):
    """What time the town has now."""

    now: AwareDatetime


class AckMode(Shape):
    """When billers acknowledge postings."""

    acks: Literal["immediate", "manual"]


class Address(Shape):
    """Where callbacks go; None = nowhere, they are kept."""

    url: str | None


class Funds(Shape):
    """What is in a purse."""

    funds_fen: Fen


class CallbackRequest(Shape):
    """Fire a callback about an order. `paid` first makes the rail capture; every other status is only a word.

    `age_seconds` dates the signature back. `deliver=False` gives the signed message back without sending it.
    """

    order: Order
    status: Literal["paid", "failed", "failed_late", "pending", "refunded"] = "paid"
    signature: Literal["right", "wrong", "missing"] = "right"
    amount_fen: Fen | None = None
    age_seconds: float = 0
    event_id: str | None = None
    deliver: bool = True


class CallbackFired(Shape):
    """The message as it was signed, and how the application answered (0 = not delivered)."""

    event_id: str
    body: str
    headers: dict[str, str]
    http_status: int


class Capture(Shape):
    """Money the rail really took."""

    order: str
    amount_fen: int
    payee: str
    purse: str  # "" when paid on the hosted page
    at: AwareDatetime
    account: str  # "" until a posting of this order tells the account


class Posting(Shape):
    """What a biller was told to write off."""

    order: str
    biller: str
    account: str
    amount_fen: int
    state: Literal["pending", "settled"]


class RefundSeen(Shape):
    """Money the rail gave back."""

    refund: str
    order: str
    amount_fen: int
    at: AwareDatetime


class OrderSeen(Shape):
    """An order as the rail keeps it."""

    order: str
    kind: Literal["charge", "hosted", "number"]
    state: Literal["open", "processing", "paid", "declined", "closed"]
    amount_fen: int
    reason: Reason | None


class Call(Shape):
    """One request the town got."""

    side: Side
    operation: str
    key: str  # the order or refund number, "" for a question
    outcome: str
    at: AwareDatetime


class CallbackSeen(Shape):
    """One callback the rail owes or has delivered."""

    event_id: str
    order: str
    status: str
    state: Literal["due", "delivered", "given_up", "kept"]
    attempts: int
    last_http_status: int


class Inspection(Shape):
    """Everything the town can testify about."""

    now: AwareDatetime
    captures: tuple[Capture, ...]
    posts: tuple[Posting, ...]
    refunds: tuple[RefundSeen, ...]
    orders: tuple[OrderSeen, ...]
    calls: tuple[Call, ...]
    callbacks: tuple[CallbackSeen, ...]
    faults: int
