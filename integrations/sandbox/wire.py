"""What the town's billers and its rail say and hear over HTTP: the published shapes, used by both ends.

Amounts are whole fen, instants ISO 8601 with a zone, account numbers travel in bodies only (an address ends up in logs).
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from data.model import Exactness, Utility
from integrations.ports import MOST_NUMBERS, Reason


def whole(value: object) -> object:
    """JSON knows one kind of number: 100.0 is the integer 100, and 100.5, "100" and true are not integers."""
    return int(value) if type(value) is float and value.is_integer() else value


def _day(value: object) -> object:
    """A day is written 2026-03-10; without this check a bare number would pass as a day, too."""
    if isinstance(value, date) or (
        isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value)
    ):
        return value
    raise ValueError("not a day")


def _instant(value: object) -> object:
    """An instant is a text with a zone; without this check a bare number would pass as one, too."""
    if isinstance(value, datetime) or (isinstance(value, str) and _INSTANT.fullmatch(value)):
        return value
    raise ValueError("not an instant")


_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]{8,}([Zz]|[+-][0-9]{2}:?[0-9]{2})")
Day = Annotated[date, BeforeValidator(_day)]
Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]
Yes = Annotated[bool, Field(strict=True)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Fen = Annotated[int, Field(strict=True, ge=0, le=100_000_000), BeforeValidator(whole)]
Positive = Annotated[int, Field(strict=True, ge=1, le=5_000_000), BeforeValidator(whole)]
Lifetime = Annotated[int, Field(strict=True, ge=60, le=86_400), BeforeValidator(whole)]
Number = Annotated[str, Field(pattern=r"^[0-9]{4,30}$")]
Phone = Annotated[str, Field(pattern=r"^[0-9]{5,15}$")]
Order = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
BillerKey = Annotated[str, Field(pattern=r"^[a-z_-]{3,40}$")]


class Shape(BaseModel):
    """Knows its keys and takes no other."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Problem(Shape):
    """Why nothing happened, in the manner of RFC 9457. `reason` is stable and machine-read, `message` is for people."""

    type: str = "about:blank"
    title: str
    status: int
    reason: Reason
    message: str


class HealthReply(Shape):
    """Whether this side of the town answers."""

    up: bool
    detail: str = ""


# --- billers ----------------------------------------------------------------------------------------------------


class FormReply(Shape):
    """What an account number looks like and where it is printed."""

    name: dict[str, str]
    pattern: str
    min_digits: int
    max_digits: int
    example: str
    where: dict[str, str]


class RuleReply(Shape):
    """Which amounts are taken."""

    exactness: Exactness
    minimum_fen: int
    maximum_fen: int
    step_fen: int


class BillerReply(Shape):
    """One biller with everything a payer has to know."""

    id: str
    name: dict[str, str]
    utility: Utility
    city: str
    form: FormReply
    rule: RuleReply
    prepaid: bool
    can_find_accounts: bool


class FindRequest(Shape):
    """Which accounts are registered under this telephone number?"""

    phone: Phone


class HintReply(Shape):
    """One account found; the holder is masked."""

    number: str
    holder_masked: str


class NumberRequest(Shape):
    """A question about one account."""

    number: Number


class HolderReply(Shape):
    """The holder's masked name and nothing else."""

    holder_masked: str


class LineReply(Shape):
    """One line of a bill."""

    kind: Literal["arrears", "late_fee", "balance"]
    amount_fen: int
    days: int = 0
    rate: str = ""
    rule_version: str = ""


class QuoteReply(Shape):
    """What is payable now, for as long as the quote lasts."""

    id: str
    biller: str
    holder_masked: str
    due_fen: int
    lines: tuple[LineReply, ...]
    rule: RuleReply
    expires_at: AwareDatetime
    due_date: date | None = None
    balance_fen: int | None = None
    daily_use_fen: int | None = None


class NumbersRequest(Shape):
    """The same question about many accounts of one biller."""

    numbers: Annotated[tuple[Number, ...], Field(min_length=1, max_length=MOST_NUMBERS)]


class BalanceReply(Shape):
    """What is said of one number: its quote, or the reason why there is none."""

    number: str
    quote: QuoteReply | None = None
    reason: Reason | None = None


class BalancesReply(Shape):
    """One row for each number asked about, in the order asked."""

    biller: str
    rows: tuple[BalanceReply, ...]


class BalancesAnswer(Shape):
    """The same as it is heard: a row that cannot be read is no answer about its number, and spoils no other's."""

    biller: str
    rows: tuple[Any, ...]


class UsageRequest(Shape):
    """How much did this account use in each of the last whole months?"""

    number: Number
    months: Annotated[int, Field(strict=True, ge=1, le=36), BeforeValidator(whole)] = 12


class MonthReply(Shape):
    """One month, named by its first day."""

    month: date
    used_fen: Fen


class UsageReply(Shape):
    """The oldest month first; months the biller does not know are left out."""

    months: tuple[MonthReply, ...]


class PostRequest(Shape):
    """Write this collected amount off. The same order with the same account and amount is the same posting for ever.

    A refusal of an order with a quote is final: the two get it again for ever. A fresh quote may go with the same order. A
    shut door (biller_closed_window, biller_down, rate_limited) refuses nothing: the same may be sent again later.
    """

    order: Order
    number: Number
    quote: Annotated[str, Field(min_length=1, max_length=64)]
    amount_fen: Positive


# --- the rail ---------------------------------------------------------------------------------------------------


class ChargeRequest(Shape):
    """Collect from a saved purse."""

    order: Order
    instrument: Annotated[str, Field(min_length=1, max_length=64)]
    token: Annotated[str, Field(min_length=1, max_length=128)]
    amount_fen: Positive
    payee: BillerKey


class StartRequest(Shape):
    """Open a hosted page."""

    order: Order
    amount_fen: Positive
    payee: BillerKey
    description: Annotated[str, Field(max_length=200)] = ""
    lifetime_seconds: Lifetime = 900


class StartedReply(Shape):
    """The hosted page is open until then."""

    order: str
    url: str
    expires_at: AwareDatetime


class RefundRequest(Shape):
    """Give back, under one refund number for ever."""

    refund: Order
    order: Order
    amount_fen: Positive


class OutcomeReply(Shape):
    """What became of a number. `not_found` comes with status 200: a 404 may come from anything in between."""

    number: str
    state: Literal["settled", "pending", "declined", "closed", "not_found"]
    reference: str = ""
    amount_fen: int = 0
    at: AwareDatetime | None = None
    reason: Reason | None = None
    poll_after_seconds: int = 5


class CallbackData(Shape):
    """What a callback says about one order."""

    order: str
    status: Literal["paid", "failed", "pending", "refunded"]
    amount_fen: Fen
    at: AwareDatetime


class CallbackBody(Shape):
    """The signed body of a callback (Standard Webhooks)."""

    type: str
    timestamp: AwareDatetime
    data: CallbackData
