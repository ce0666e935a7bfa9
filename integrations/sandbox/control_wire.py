"""What a test or a demonstration may do to the town through its control port, and what it may look at."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, Field

from integrations.ports import Reason
from integrations.sandbox.fault_kinds import FaultKind
from integrations.sandbox.wire import (
    BillerKey,
    Day,
    Fen,
    Instant,
    Name,
    Number,
    Order,
    Phone,
    Shape,
    Yes,
    whole,
)

_A_DECADE = 315_360_000
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000), BeforeValidator(whole)]
Balance = Annotated[int, Field(strict=True, ge=-100_000_000, le=100_000_000), BeforeValidator(whole)]
Delay = Annotated[float, Field(strict=True, ge=0, le=604_800)]
Long = Annotated[float, Field(strict=True, ge=0, le=_A_DECADE)]
Age = Annotated[float, Field(strict=True, ge=-_A_DECADE, le=_A_DECADE)]
Words = Annotated[str, Field(min_length=1, max_length=128)]
# The town talks to this machine only.
Here = Annotated[
    str, Field(pattern=r"^http://(127\.0\.0\.1|localhost)(:[0-9]{1,5})?(/[A-Za-z0-9/_.-]{0,100})?$")
]


class Side(StrEnum):
    """Which counterparty a fault belongs to."""

    BILLER = "biller"
    RAIL = "rail"


class Done(Shape):
    """What was asked for has happened."""

    done: Literal[True] = True


class FaultMeaning(Shape):
    """One thing that can go wrong, and what then happens."""

    kind: FaultKind
    meaning: str


class SeedRequest(Shape):
    """From now on chance makes trouble: the same seed, kinds and order of calls always make the same.

    `percent` of the calls that move something are struck, each once; arranged faults come first. No `kinds`: all that
    chance may choose.
    """

    seed: Annotated[int, Field(strict=True, ge=0, le=2**53), BeforeValidator(whole)]
    percent: Annotated[int, Field(strict=True, ge=0, le=100), BeforeValidator(whole)] = 25
    kinds: tuple[FaultKind, ...] = ()


class FaultRequest(Shape):
    """Set a fault: for an account, for an order, or (neither) for the next call. Older ones strike first.

    On the rail an account means its biller as payee. `operation` defaults to the ones that move something;
    `uses` defaults to 1 for the next call and to "until cleared" otherwise.
    """

    side: Side
    kind: FaultKind
    seconds: Delay = 0
    account: Name | None = None
    order: Order | None = None
    operation: Name | None = None
    uses: Count | None = None


class AccountIn(Shape):
    """One account of a world as the billers keep it."""

    id: Name
    biller: BillerKey
    number: Number
    holder: Words
    phones: tuple[Phone, ...] = ()
    due_fen: Fen = 0
    due_date: Day | None = None
    balance_fen: Balance | None = None
    daily_use_fen: Fen | None = None
    ic_card: Yes = False
    usage_fen: dict[Day, Fen] = Field(default_factory=dict)  # the first day of a month -> what was used in it


class PurseIn(Shape):
    """One purse of a world as the rail keeps it."""

    id: Name
    owner: Name
    token: Words
    funds_fen: Fen


class WorldRequest(Shape):
    """Forget everything and start with this town at this instant."""

    now: Instant
    accounts: tuple[AccountIn, ...]
    purses: tuple[PurseIn, ...]


class AccountChange(Shape):
    """What changed at the biller; keys left out stay as they are. `paid_elsewhere_fen` 0 means all of it.

    `used_fen` is what a prepaid meter used up since it was read last; it never falls below nothing.
    """

    due_fen: Fen | None = None
    due_date: Day | None = None
    balance_fen: Balance | None = None
    daily_use_fen: Fen | None = None
    paid_elsewhere_fen: Fen | None = None
    used_fen: Fen | None = None
    acks: Literal["immediate", "manual", "default"] | None = None


class AckRequest(Shape):
    """The biller acknowledges a posting it had withheld."""

    account: Name
    amount_fen: Fen


class ClockRequest(Shape):
    """Set the town's clock to `at`, or move it forward by `seconds`; exactly one."""

    at: Instant | None = None
    seconds: Long | None = None


class ClockReply(Shape):
    """What time the town has now."""

    now: AwareDatetime


class AckMode(Shape):
    """When billers acknowledge postings."""

    acks: Literal["immediate", "manual"]


class Address(Shape):
    """Where callbacks go; None = nowhere, they are kept."""

    url: Here | None


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
    age_seconds: Age = 0
    event_id: Name | None = None
    deliver: Yes = True


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
