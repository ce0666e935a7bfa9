"""What the rail tells the application by itself: signed messages, repeated on a schedule until they are taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import Row, insert, select, text, update
from standardwebhooks import Webhook

from data.ids import fresh
from integrations.sandbox.fault_kinds import FaultKind
from integrations.sandbox.town import tables as t
from integrations.sandbox.town.faults import skew_seconds
from integrations.sandbox.town.moment import Moment
from integrations.sandbox.wire import CallbackBody, CallbackData

# Standard Webhooks: the wait before the next attempt, after each attempt that failed; then it is given up.
RETRY_AFTER = tuple(
    timedelta(seconds=s) for s in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
ANSWER_WITHIN_SECONDS = 5.0
_GONE = 410  # the receiver wants no more of these
_STALE = timedelta(days=30)
_COPIES = {FaultKind.DUPLICATE_CALLBACK.value: 2, FaultKind.FIFTY_CALLBACKS.value: 50}
_REORDERED = ("refunded", "paid", "pending", "failed")


def body_of(moment: Moment, order: str, word: str, amount: int) -> str:
    """The text that is signed: what is said about an order at this instant."""
    data = CallbackData.model_validate(
        {"order": order, "status": word, "amount_fen": amount, "at": moment.now}
    )
    kind = "refund.settled" if word == "refunded" else f"payment.{word}"
    return CallbackBody(type=kind, timestamp=moment.now, data=data).model_dump_json()


def tell(moment: Moment, row: Row[Any], word: str, amount: int) -> None:
    """Owe the application what happened to an order, in the way this order was told to be told about."""
    kind = row.callback_style.partition(":")[0]
    if kind == FaultKind.NO_CALLBACK:
        return
    words = _REORDERED if kind == FaultKind.REORDERED_CALLBACKS and word == "paid" else (word,)
    order = fresh("nobodys") if kind == FaultKind.UNKNOWN_ORDER_CALLBACK else row.number
    if kind == FaultKind.FORGED_AMOUNT:
        amount = 1 if amount != 1 else 2
    for each in words:
        queue(moment, order, each, amount, row.callback_style)


def queue(moment: Moment, order: str, word: str, amount: int, style: str = "") -> str:
    """Owe the application one message, in the transaction that made it true."""
    event_id = fresh("evt")
    skewed = replace(moment, now=moment.now + timedelta(seconds=skew_seconds(style)))
    moment.db.execute(
        insert(t.callbacks).values(
            event_id=event_id,
            order=order,
            status=word,
            body=body_of(skewed, order, word, amount),
            style=style,
            state="due",
            attempts=0,
            next_at=moment.now,
            last_http_status=0,
        )
    )
    return event_id


def signed_headers(signer: Webhook, event_id: str, at: Any, body: str) -> dict[str, str]:
    """The three headers of Standard Webhooks; the id is the same in every attempt, the instant is the attempt's."""
    return {
        "content-type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signer.sign(event_id, at, body),
    }


class Postman:
    """Carries due messages to the application, one round at a time."""

    def __init__(
        self, moment: Callable[[], AbstractContextManager[Moment]], secret: str, url: str | None
    ) -> None:
        self._moment = moment
        self.signer = Webhook(secret)
        self.url = url
        self._round = asyncio.Lock()
        self._client: httpx.AsyncClient | None = None

    async def deliver_due(self) -> None:
        """Try every message that is due now, in the order in which they came about."""
        async with self._round:
            with self._moment() as moment:
                wanted = (t.callbacks.c.state == "due") & (t.callbacks.c.next_at <= moment.now)
                in_turn = select(t.callbacks).where(wanted).order_by(t.callbacks.c.next_at, text("rowid"))
                rows = moment.db.execute(in_turn).all()
            for row in rows:
                await self._deliver(row)

    async def _deliver(self, row: Row[Any]) -> None:
        with self._moment() as moment:
            at = moment.now + timedelta(seconds=skew_seconds(row.style))
        if row.style == FaultKind.STALE_CALLBACK:
            at -= _STALE
        headers = signed_headers(self.signer, row.event_id, at, row.body)
        if row.style == FaultKind.WRONG_SIGNATURE:
            headers["webhook-signature"] = another_hand(headers["webhook-signature"])
        copies = _COPIES.get(row.style, 1)
        *_, answer = await asyncio.gather(*(self.send(row.body, headers) for _ in range(copies)))
        with self._moment() as moment:
            _note(moment, row, answer, kept=self.url is None)

    async def send(self, body: str, headers: Mapping[str, str]) -> int:
        """One attempt: the application's HTTP status, 0 when none came or there is nobody to tell."""
        if self.url is None:
            return 0
        if self._client is None:
            # The town talks to this machine only: a proxy of the environment has no business here.
            self._client = httpx.AsyncClient(timeout=ANSWER_WITHIN_SECONDS, trust_env=False)
        try:
            answer = await self._client.post(self.url, content=body.encode(), headers=dict(headers))
        except httpx.HTTPError:
            return 0
        return answer.status_code

    async def close(self) -> None:
        """Let the connections go."""
        if self._client is not None:
            await self._client.aclose()


def another_hand(signature: str) -> str:
    """A well-formed signature by somebody who does not know the key."""
    version, _, mac = signature.partition(",")
    return f"{version},{mac[:-6][::-1]}{mac[-6:]}"


def _note(moment: Moment, row: Row[Any], answer: int, kept: bool) -> None:
    attempts = row.attempts + 1
    values: dict[str, Any] = {"attempts": attempts, "last_http_status": answer}
    if kept:
        values["state"] = "kept"
    elif 200 <= answer < 300:
        values["state"] = "delivered"
    elif answer == _GONE or attempts > len(RETRY_AFTER):
        values["state"] = "given_up"
    else:
        values["next_at"] = moment.now + RETRY_AFTER[attempts - 1]
    moment.db.execute(update(t.callbacks).where(t.callbacks.c.event_id == row.event_id).values(**values))
