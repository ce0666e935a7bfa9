"""Asking the rail and the biller, and reading every answer they can give: nothing a counterparty does is an exception here.

What is not a definite answer is `Unknown`; only what certainly never left this machine says so (L2, settled 3).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar, assert_never

from data.ids import InstrumentId
from data.model import Quote
from integrations.ports import (
    BillerNetwork,
    Charge,
    Closed,
    Declined,
    GatewayError,
    NotSent,
    Outcome,
    PaymentRail,
    PostPayment,
    Reason,
    Refund,
    Refused,
    Started,
    StartPayment,
    Unknown,
)
from payments.states import Payment

log = logging.getLogger("bangjiao.payments")
A = TypeVar("A")

Answer = Outcome | Started | Closed | Quote

# A refusal of the asking, not of the order: the same number may well succeed a little later.
_LATER = frozenset(
    {
        Reason.RATE_LIMITED,
        Reason.RAIL_DOWN,
        Reason.BILLER_DOWN,
        Reason.CONFIG,
        Reason.SIGNATURE,
        Reason.UNKNOWN,
        Reason.NOT_SENT,
        Reason.DUPLICATE_NUMBER,
    }
)


_ALARMS = frozenset({Reason.DUPLICATE_NUMBER, Reason.SIGNATURE, Reason.CONFIG})


class Ask(StrEnum):
    """The one thing to do outside in a step."""

    COLLECT = "collect"  # the first time under this number
    COLLECT_AGAIN = "collect_again"  # the rail does not know the number: the same request, the same number
    QUERY = "query"
    CLOSE = "close"
    POST = "post"
    QUERY_POST = "query_post"
    REQUOTE = "requote"  # the quote ran out before the biller wrote off
    POST_AGAIN = "post_again"  # with the new quote, under the same number
    REFUND = "refund"
    QUERY_REFUND = "query_refund"


# Only here a refusal ends the order. A refused question says nothing about it, and of an order that was sent before
# the earlier request may still be under way.
_ORDERS = frozenset({Ask.COLLECT, Ask.POST, Ask.POST_AGAIN, Ask.REFUND, Ask.REQUOTE})


@dataclass(frozen=True, slots=True)
class Task:
    """What to ask, with everything it needs, read inside the transaction before it."""

    ask: Ask
    payment: Payment
    account_number: str = field(default="", repr=False)
    instrument_token: str = field(default="", repr=False)
    description: str = ""
    page_lifetime: timedelta = timedelta(0)


async def asked(task: Task, rail: PaymentRail, billers: BillerNetwork) -> Answer:
    """Asks, and gives back an answer whatever happens on the way."""
    try:
        return await _request(task, rail, billers)
    except NotSent as error:
        return Unknown(error.reason, sent=False)
    except Refused as error:
        return _read_refusal(task, error.reason)
    except GatewayError as error:
        return Unknown(error.reason)
    except Exception as error:
        # Whatever broke, the request may have had its effect; its text could hold what was sent.
        log.error("alarm: %s of %s broke: %s", task.ask, task.payment.id, type(error).__name__)
        return Unknown(Reason.UNKNOWN)


def _read_refusal(task: Task, reason: Reason) -> Answer:
    if reason in _ALARMS:
        log.error("alarm: %s refused %s: %s", task.ask, task.payment.id, reason)
    if reason in _LATER or task.ask not in _ORDERS:
        return Unknown(reason, sent=task.ask is not Ask.COLLECT)
    return Declined(reason)


def _request(task: Task, rail: PaymentRail, billers: BillerNetwork) -> Awaitable[Answer]:
    payment = task.payment
    match task.ask:
        case Ask.COLLECT | Ask.COLLECT_AGAIN:
            return _collect(task, rail)
        case Ask.QUERY:
            return rail.status(payment.number)
        case Ask.CLOSE:
            return rail.close(payment.number)
        case Ask.POST | Ask.POST_AGAIN:
            return billers.post(
                PostPayment(
                    payment.number, payment.biller, task.account_number, payment.quote, payment.amount
                )
            )
        case Ask.REQUOTE:
            return billers.query(payment.biller, task.account_number)
        case Ask.QUERY_POST:
            return billers.post_status(payment.biller, payment.number)
        case Ask.REFUND:
            assert payment.refund_number is not None
            return rail.refund(Refund(payment.number, payment.refund_number, payment.amount))
        case Ask.QUERY_REFUND:
            assert payment.refund_number is not None
            return rail.refund_status(payment.refund_number)
        case _:
            assert_never(task.ask)


def _collect(task: Task, rail: PaymentRail) -> Awaitable[Answer]:
    payment = task.payment
    if payment.method == "hosted":
        return rail.start(
            StartPayment(payment.number, payment.amount, payment.biller, task.description, task.page_lifetime)
        )
    assert payment.instrument is not None
    instrument = InstrumentId(payment.instrument)
    return rail.charge(
        Charge(payment.number, instrument, task.instrument_token, payment.amount, payment.biller)
    )
