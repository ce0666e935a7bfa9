"""The billers of the sandbox town behind the `BillerNetwork` port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date
from typing import Any

import httpx
from pydantic import ValidationError

from data.ids import BillerId, OrderNumber, QuoteId
from data.model import AccountForm, AmountRule, Biller, BillLine, MonthUse, Quote
from data.money import Money
from integrations.ports import (
    MOST_NUMBERS,
    AccountHint,
    GatewayError,
    Health,
    Outcome,
    OutcomeUnknown,
    PostPayment,
    Reason,
    Refused,
    StatementRow,
)
from integrations.sandbox.control_wire import Side
from integrations.sandbox.http import Asker, looking, moving
from integrations.sandbox.statement_wire import read
from integrations.sandbox.wire import (
    BalanceReply,
    BalancesAnswer,
    BillerReply,
    HealthReply,
    HintReply,
    HolderReply,
    OutcomeReply,
    QuoteReply,
    RuleReply,
    UsageReply,
)


class SandboxBillers:
    """Talks to the town's billers; `timeout_seconds` is how long one answer is waited for.

    `secrets` verify its answers; two while a key is being changed.
    """

    def __init__(
        self,
        base_url: str,
        *secrets: str,
        timeout_seconds: float = 10.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self._town = Asker(base_url, timeout_seconds, client, secrets)

    async def billers(self) -> list[Biller]:
        """Everybody who can be paid here. Raises NotSent or OutcomeUnknown."""
        return [_biller(row) for row in await self._town.ask("GET", "/billers", list[BillerReply])]

    async def find_accounts(self, biller: BillerId, phone: str) -> list[AccountHint]:
        """Accounts of this telephone number; Refused(CONFIG) where the biller offers no look-up."""
        rows = await self._town.ask("POST", f"/billers/{biller}/find", list[HintReply], {"phone": phone})
        return [AccountHint(biller, row.number, row.holder_masked) for row in rows]

    async def holder(self, biller: BillerId, number: str) -> str:
        """The holder's masked name. Raises Refused(ACCOUNT_NOT_FOUND), NotSent, OutcomeUnknown."""
        reply = await self._town.ask("POST", f"/billers/{biller}/holder", HolderReply, {"number": number})
        return reply.holder_masked

    async def query(self, biller: BillerId, number: str) -> Quote:
        """What is payable now. Raises Refused, NotSent, OutcomeUnknown."""
        reply = await self._town.ask("POST", f"/billers/{biller}/quotes", QuoteReply, {"number": number})
        if reply.biller != biller:
            raise OutcomeUnknown(Reason.UNKNOWN, "a quote of another biller")
        return _quote(reply)

    async def balances(self, biller: BillerId, numbers: Sequence[str]) -> dict[str, Quote | GatewayError]:
        """The same for many accounts at once. Raises Refused, NotSent, OutcomeUnknown for all of them; ValueError."""
        if len(numbers) > MOST_NUMBERS:
            raise ValueError(f"more than {MOST_NUMBERS} numbers in one question")
        if not numbers:
            return {}
        asked = {"numbers": list(numbers)}
        reply = await self._town.ask("POST", f"/billers/{biller}/balances", BalancesAnswer, asked)
        if reply.biller != biller:
            raise OutcomeUnknown(Reason.UNKNOWN, "balances of another biller")
        told = dict(_balances(biller, reply.rows))
        return {number: told.get(number, _nothing_said()) for number in numbers}

    async def usage(self, biller: BillerId, number: str, months: int = 12) -> list[MonthUse]:
        """The last whole months. Raises Refused (CONFIG where none is told), NotSent, OutcomeUnknown."""
        asked = {"number": number, "months": months}
        reply = await self._town.ask("POST", f"/billers/{biller}/usage", UsageReply, asked)
        return [MonthUse(row.month, Money(row.used_fen)) for row in reply.months]

    async def post(self, request: PostPayment) -> Outcome:
        """Write a collected amount off, once per order. A refusal is final for its quote; a fresh one may go with the same order."""
        body = {
            "order": request.order,
            "number": request.number,
            "quote": request.quote,
            "amount_fen": request.amount.fen,
        }
        asked = self._town.ask("POST", f"/billers/{request.biller}/posts", OutcomeReply, body)
        return await moving(asked, request.order)

    async def post_status(self, biller: BillerId, order: OrderNumber) -> Outcome:
        """What became of a posting. NotFound is no proof of failure."""
        asked = self._town.ask("GET", f"/billers/{biller}/posts/{order}", OutcomeReply)
        return await looking(asked, order)

    async def statement(self, day: date) -> AsyncIterator[StatementRow]:
        """What was written off on a Shanghai day. Raises NotSent, Refused, OutcomeUnknown before the first row."""
        response = await self._town.send("GET", f"/statements/billers/{day.isoformat()}")
        for row in read(response.text, Side.BILLER):
            yield row

    async def health(self) -> Health:
        """Whether the billers answer now."""
        try:
            reply = await self._town.ask("GET", "/health/billers", HealthReply)
        except GatewayError as error:
            return Health(False, error.reason.value)
        return Health(reply.up, reply.detail)

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._town.close()


# Reasons which say that the number itself was not looked at: it may be asked again as it is.
_NOT_NOW = frozenset({Reason.UNKNOWN, Reason.BILLER_DOWN, Reason.RATE_LIMITED})


def _balances(biller: BillerId, rows: Iterable[Any]) -> Iterable[tuple[str, Quote | GatewayError]]:
    for row in rows:
        try:
            said = BalanceReply.model_validate(row, extra="ignore")
        except ValidationError:
            continue
        yield said.number, _balance(biller, said)


def _balance(biller: BillerId, said: BalanceReply) -> Quote | GatewayError:
    if said.quote is not None and said.reason is None and said.quote.biller == biller:
        return _quote(said.quote)
    if said.quote is None and said.reason is not None:
        return (OutcomeUnknown if said.reason in _NOT_NOW else Refused)(said.reason, "one of many")
    return _nothing_said()


def _nothing_said() -> OutcomeUnknown:
    return OutcomeUnknown(Reason.UNKNOWN, "nothing usable was said of this number")


def _rule(reply: RuleReply) -> AmountRule:
    return AmountRule(
        reply.exactness, Money(reply.minimum_fen), Money(reply.maximum_fen), Money(reply.step_fen)
    )


def _biller(reply: BillerReply) -> Biller:
    form = reply.form
    return Biller(
        id=BillerId(reply.id),
        name=reply.name,
        utility=reply.utility,
        city=reply.city,
        form=AccountForm(form.name, form.pattern, form.min_digits, form.max_digits, form.example, form.where),
        rule=_rule(reply.rule),
        prepaid=reply.prepaid,
        can_find_accounts=reply.can_find_accounts,
    )


def _quote(reply: QuoteReply) -> Quote:
    return Quote(
        id=QuoteId(reply.id),
        biller=BillerId(reply.biller),
        holder_masked=reply.holder_masked,
        due=Money(reply.due_fen),
        lines=tuple(
            BillLine(line.kind, Money(line.amount_fen), line.days, line.rate, line.rule_version)
            for line in reply.lines
        ),
        rule=_rule(reply.rule),
        expires_at=reply.expires_at,
        due_date=reply.due_date,
        balance=Money(reply.balance_fen) if reply.balance_fen is not None else None,
        daily_use=Money(reply.daily_use_fen) if reply.daily_use_fen is not None else None,
    )
