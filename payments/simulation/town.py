"""A town in memory: billers and a rail that keep their side of the contract exactly, behind a network that does not.

What is lost, late or broken happens on the way only. A delayed request is executed when its time comes, as a real one
would be: that is the fault which shows who mistakes "not found" for "failed".
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from data.clock import SHANGHAI, VirtualClock, shanghai
from data.ids import BillerId, OrderNumber, QuoteId
from data.model import AmountRule, Biller, Exactness, MonthUse, Quote
from data.money import ZERO, Money
from integrations.ports import (
    MOST_NUMBERS,
    AccountHint,
    BadSignature,
    CallbackEvent,
    Capabilities,
    Charge,
    Closed,
    Declined,
    GatewayError,
    Health,
    NotFound,
    NotSent,
    Outcome,
    OutcomeUnknown,
    Pending,
    PostPayment,
    Reason,
    Refund,
    Refused,
    Settled,
    Started,
    StartPayment,
    StatementRow,
    Unknown,
)

# What may happen on the way to a counterparty and back.
OK = "ok"
REQUEST_LOST = "request_lost"
ANSWER_LOST = "answer_lost"
DELAYED = "delayed"  # executed after `Town.delay`, long after we stopped waiting
NOT_SENT = "not_sent"
BROKEN = "broken"  # it was done, and reading the answer breaks
FAULTS = (OK, REQUEST_LOST, ANSWER_LOST, DELAYED, NOT_SENT, BROKEN)

Effect = Callable[[], object]
_FRESH = timedelta(
    seconds=300
)  # by the receiver's clock; an older word of a gateway is no word (the port's contract)
# The counter is shut: nothing was said about the order.
_SHUT = (Reason.BILLER_CLOSED, Reason.BILLER_DOWN, Reason.RATE_LIMITED)


@dataclass
class Order:
    """A number as the rail knows it."""

    amount: Money
    state: str  # "settled" | "declined" | "closed" | "page"
    at: datetime


@dataclass
class Town:
    """Both counterparties and the way to them. `fault` decides for each call; `visit` runs while a call is under way."""

    clock: VirtualClock
    off: timedelta = timedelta(0)  # of the rail's clock; the billers' is right
    memory: timedelta = timedelta(hours=24)  # of numbers, for sending again
    records: timedelta = timedelta(days=365)  # of orders, for asking about them
    delay: timedelta = timedelta(minutes=7)
    closes: bool = True
    orders: dict[OrderNumber, Order] = field(default_factory=dict)
    captures: list[tuple[OrderNumber, Money]] = field(default_factory=list)
    refunds: dict[OrderNumber, tuple[OrderNumber, Money]] = field(default_factory=dict)
    posts: dict[OrderNumber, tuple[str, Money]] = field(default_factory=dict)
    post_refusals: dict[tuple[OrderNumber, QuoteId], Reason] = field(default_factory=dict)
    due: dict[str, Money] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    prepaid: dict[str, Money] = field(default_factory=dict)
    daily_use: dict[str, Money] = field(default_factory=dict)
    used: dict[str, list[MonthUse]] = field(default_factory=dict)
    due_dates: dict[str, date] = field(default_factory=dict)
    silent: bool = False  # no biller answers a question
    declines: Reason | None = None
    refuses_posting: Reason | None = None
    pending_polls: int = 0
    fault: Callable[[str], str] = lambda _operation: OK
    visit: Callable[[str], Awaitable[None]] | None = None
    told: list[dict[str, object]] = field(default_factory=list)  # callbacks not delivered yet
    book: list[StatementRow] = field(
        default_factory=list
    )  # what both counterparties will put into their daily files
    _late: list[tuple[datetime, Effect]] = field(default_factory=list)
    _counter: int = 0

    def copied(self, clock: VirtualClock) -> Town:
        """The same town on another clock: what happens in one of them does not show in the other."""
        twin = replace(self, clock=clock)
        for name, value in vars(self).items():
            if isinstance(value, dict | list):
                setattr(twin, name, value.copy())
        twin.orders = {number: replace(order) for number, order in self.orders.items()}
        return twin

    # --- time -----------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """What the rail takes for now."""
        return self.clock.at + self.off

    def pass_time(self, by: timedelta) -> None:
        """The clock moves; requests that were held up on the way arrive in their order."""
        until = self.clock.now() + by
        while self._late and min(at for at, _ in self._late) <= until:
            index = min(range(len(self._late)), key=lambda i: self._late[i][0])
            at, effect = self._late.pop(index)
            self.clock.at = max(self.clock.at, at)
            effect()
        self.clock.at = until

    def next_late(self) -> datetime | None:
        """When the next request that was held up on the way arrives."""
        return min((at for at, _ in self._late), default=None)

    # --- the way there and back -------------------------------------------------------------------------------------

    async def _call(self, operation: str, effect: Callable[[], Outcome]) -> Outcome:
        fault = self.fault(operation)
        if fault == NOT_SENT:
            raise NotSent(Reason.NOT_SENT)
        if fault == REQUEST_LOST:
            raise OutcomeUnknown(Reason.UNKNOWN)
        if fault == DELAYED:
            self._late.append((self.clock.now() + self.delay, effect))
            raise OutcomeUnknown(Reason.UNKNOWN)
        outcome = effect()
        if self.visit is not None:
            await self.visit(operation)
        if fault == ANSWER_LOST:
            return Unknown("no answer")
        if fault == BROKEN:
            raise RuntimeError("an answer nobody could read")
        return outcome

    # --- rail -------------------------------------------------------------------------------------------------------

    def remembered(self, number: OrderNumber, memory: timedelta) -> Order | None:
        """The rail forgets that a number was used after its memory, as Stripe's pruned keys do."""
        order = self.orders.get(number)
        return None if order is None or self.now() - order.at > memory else order

    def charged(self, number: OrderNumber, amount: Money) -> Outcome:
        known = self.remembered(number, self.memory)
        if known is None:
            known = Order(amount, "declined" if self.declines else "settled", self.now())
            self.orders[number] = known
            if known.state == "settled":
                self._capture(number, amount)
        if known.amount != amount and known.state != "closed":
            raise Refused(Reason.DUPLICATE_NUMBER)
        return self._outcome(number)

    def _capture(self, number: OrderNumber, amount: Money) -> None:
        self.captures.append((number, amount))
        self._enter(number, "capture", amount)
        self._tell(number, "paid", amount)

    def _enter(self, number: OrderNumber, kind: str, amount: Money) -> None:
        self.book.append(StatementRow(number, kind, amount, self.now()))

    def said_of(self, day: date, *kinds: str) -> list[StatementRow]:
        """What the file of a Shanghai day holds. Raises Refused(NOT_READY) before ten of the next morning."""
        ready = datetime(day.year, day.month, day.day, 10, tzinfo=SHANGHAI) + timedelta(days=1)
        if self.now() < ready:
            raise Refused(Reason.NOT_READY)
        return [row for row in self.book if shanghai(row.at).date() == day and row.kind in kinds]

    def pay_page(self, number: OrderNumber) -> bool:
        """The payer pays on the page, if it is still open."""
        order = self.orders.get(number)
        if order is None or order.state != "page":
            return False
        order.state = "settled"
        self._capture(number, order.amount)
        return True

    def _outcome(self, number: OrderNumber) -> Outcome:
        order = self.remembered(number, self.records)
        if order is None:
            return NotFound()
        match order.state:
            case "settled":
                return Settled(f"r-{number}", order.amount, order.at)
            case "declined":
                return Declined(self.declines or Reason.DECLINED)
            case "closed":
                return Declined(Reason.CLOSED)
            case _:
                return Pending()

    def _status(self, number: OrderNumber) -> Outcome:
        if self.pending_polls > 0:
            self.pending_polls -= 1
            return Pending()
        return self._outcome(number)

    def _close(self, number: OrderNumber) -> Outcome:
        order = self.orders.get(number)
        if order is None or order.state == "page":
            amount = order.amount if order else ZERO
            self.orders[number] = Order(amount, "closed", self.now())
        return self._outcome(number)

    def late_capture(self, number: OrderNumber) -> None:
        """A rail that breaks its word: money on a number it had closed or declined."""
        order = self.orders[number]
        order.state, order.at = "settled", self.now()
        self._capture(number, order.amount)

    def _refund(self, request: Refund) -> Outcome:
        if request.refund not in self.refunds:
            self.refunds[request.refund] = (request.order, request.amount)
            self._enter(request.order, "refund", request.amount)
        return self._refund_status(request.refund)

    def _refund_status(self, refund: OrderNumber) -> Outcome:
        found = self.refunds.get(refund)
        return Settled(f"f-{refund}", found[1], self.now()) if found else NotFound()

    def _tell(self, number: OrderNumber, status: str, amount: Money) -> None:
        self._counter += 1
        self.told.append({"id": f"ev{self._counter}", "order": number, "status": status, "fen": amount.fen})

    # --- billers ----------------------------------------------------------------------------------------------------

    def _post(self, request: PostPayment) -> Outcome:
        if request.order in self.posts:
            return self._post_status(request.order)
        refusal = self._post_refusal(request)
        if refusal is not None:
            return Declined(refusal)
        if request.number in self.due:
            self.due[request.number] -= request.amount
        if request.number in self.prepaid:
            self.prepaid[request.number] += request.amount
        self.posts[request.order] = (request.number, request.amount)
        self._enter(request.order, "post", request.amount)
        return self._post_status(request.order)

    def _post_refusal(self, request: PostPayment) -> Reason | None:
        """Refused once is refused for ever under this number and quote; a shut counter refuses nothing."""
        order = (request.order, request.quote)
        refusal = self.post_refusals.get(order, self.refuses_posting)
        if refusal is None and self.due.get(request.number, request.amount) < request.amount:
            refusal = Reason.NOTHING_DUE
        if refusal is not None and refusal not in _SHUT:
            self.post_refusals[order] = refusal
        return refusal

    def _post_status(self, order: OrderNumber) -> Outcome:
        found = self.posts.get(order)
        return Settled(f"b-{order}", found[1], self.now()) if found else NotFound()


class FakeRail:
    """The town's rail as a port."""

    name = "fake"

    def __init__(self, town: Town) -> None:
        self.town = town

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(idempotency_window=self.town.memory, supports_close=self.town.closes)

    async def charge(self, request: Charge) -> Outcome:
        town = self.town
        return await town._call("charge", lambda: town.charged(request.order, request.amount))

    async def start(self, request: StartPayment) -> Started:
        town = self.town

        def effect() -> Outcome:
            if request.order not in town.orders:
                town.orders[request.order] = Order(request.amount, "page", town.now())
            return Pending()

        answer = await town._call("start", effect)
        if isinstance(answer, Unknown):
            raise OutcomeUnknown(Reason.UNKNOWN)
        return Started(f"https://rail.example/{request.order}", town.now() + request.lifetime)

    async def status(self, order: OrderNumber) -> Outcome:
        return await self.town._call("status", lambda: self.town._status(order))

    async def close(self, order: OrderNumber) -> Closed | Settled | Unknown:
        came = await self.town._call("close", lambda: self.town._close(order))
        match came:
            case Settled() | Unknown():
                return came
            case Declined():
                return Closed()
            case _:
                return Unknown("neither closed nor collected")

    async def refund(self, request: Refund) -> Outcome:
        return await self.town._call("refund", lambda: self.town._refund(request))

    async def refund_status(self, refund: OrderNumber) -> Outcome:
        return await self.town._call("refund_status", lambda: self.town._refund_status(refund))

    def parse_callback(self, raw: bytes, headers: Mapping[str, str], now: datetime) -> CallbackEvent:
        if headers.get("signature") != "right":
            raise BadSignature(Reason.SIGNATURE)
        said = json.loads(raw)
        if abs(said.get("at", now.timestamp()) - now.timestamp()) > _FRESH.total_seconds():
            raise BadSignature(Reason.SIGNATURE)
        return CallbackEvent(said["id"], OrderNumber(said["order"]), said["status"], Money(said["fen"]), now)

    async def statement(self, day: date) -> AsyncIterator[StatementRow]:
        for row in self.town.said_of(day, "capture", "refund"):
            yield row

    async def health(self) -> Health:
        return Health(True)


class FakeBillers:
    """The town's billers as a port."""

    def __init__(self, town: Town) -> None:
        self.town = town

    async def billers(self) -> list[Biller]:
        return []

    async def find_accounts(self, biller: BillerId, phone: str) -> list[AccountHint]:
        return [AccountHint(biller, number, holder) for number, holder in self.town.holders.items()]

    async def holder(self, biller: BillerId, number: str) -> str:
        if number not in self.town.holders:
            raise Refused(Reason.ACCOUNT_NOT_FOUND)
        return self.town.holders[number]

    async def query(self, biller: BillerId, number: str) -> Quote:
        if number not in self.town.holders:
            raise Refused(Reason.ACCOUNT_NOT_FOUND)
        town = self.town
        if town.silent:
            raise OutcomeUnknown(Reason.UNKNOWN)
        town._counter += 1
        balance = town.prepaid.get(number)
        rule = AmountRule(Exactness.EXACT)
        if balance is not None:
            rule = AmountRule(Exactness.RANGE, Money(1_000), Money(500_000), Money(1_000))
        return Quote(
            id=QuoteId(f"q{town._counter}"),
            biller=biller,
            holder_masked=town.holders[number],
            due=ZERO if balance is not None else town.due.get(number, ZERO),
            lines=(),
            rule=rule,
            expires_at=town.clock.now().astimezone(UTC) + timedelta(minutes=30),
            balance=balance,
            daily_use=town.daily_use.get(number),
            due_date=None if balance is not None else town.due_dates.get(number),
        )

    async def balances(self, biller: BillerId, numbers: Sequence[str]) -> dict[str, Quote | GatewayError]:
        if len(numbers) > MOST_NUMBERS:
            raise ValueError(f"more than {MOST_NUMBERS} numbers in one question")
        if self.town.silent:
            raise OutcomeUnknown(Reason.UNKNOWN)
        return {number: await self._told(biller, number) for number in numbers}

    async def _told(self, biller: BillerId, number: str) -> Quote | GatewayError:
        try:
            return await self.query(biller, number)
        except GatewayError as error:
            return error

    async def usage(self, biller: BillerId, number: str, months: int = 12) -> list[MonthUse]:
        if number not in self.town.used:
            raise Refused(Reason.CONFIG)
        return self.town.used[number][-months:]

    async def post(self, request: PostPayment) -> Outcome:
        return await self.town._call("post", lambda: self.town._post(request))

    async def post_status(self, biller: BillerId, order: OrderNumber) -> Outcome:
        return await self.town._call("post_status", lambda: self.town._post_status(order))

    async def statement(self, day: date) -> AsyncIterator[StatementRow]:
        for row in self.town.said_of(day, "post"):
            yield row

    async def health(self) -> Health:
        return Health(True)
