"""The town's back door, for tests, the demonstration and acceptance scripts; it opens to the control token only."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import select, update

from data.ids import fresh
from integrations.ports import Reason
from integrations.sandbox import statement_routes
from integrations.sandbox.biller_routes import PROBLEMS, OrderKey
from integrations.sandbox.control_wire import (
    AccountChange,
    AckMode,
    AckRequest,
    Address,
    CallbackFired,
    CallbackRequest,
    ClockReply,
    ClockRequest,
    Done,
    FaultMeaning,
    FaultRequest,
    Funds,
    Inspection,
    SeedRequest,
    Side,
    WorldRequest,
)
from integrations.sandbox.fault_kinds import MEANING, FaultKind
from integrations.sandbox.front_door import Door
from integrations.sandbox.spoiling import problem
from integrations.sandbox.town import billers, callbacks, delayed, faults, inspect, rail, world
from integrations.sandbox.town import tables as t
from integrations.sandbox.town.callbacks import Postman
from integrations.sandbox.town.moment import Books, Moment, Refusal, in_calendar
from integrations.sandbox.wire import Problem

Key = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]
_PROBLEMS = {401: {"model": Problem, "description": "Not opened by this token"}, **PROBLEMS}


def routes(books: Books, postman: Postman, token: str, door: Door | None = None) -> APIRouter:
    """The router of the control port."""

    async def opened(offered: Key) -> None:
        if offered is None or not secrets.compare_digest(offered.credentials.encode(), token.encode()):
            raise HTTPException(401, "The control port needs its token.", {"WWW-Authenticate": "Bearer"})

    router = APIRouter(
        prefix="/control", tags=["control"], dependencies=[Depends(opened)], responses=_PROBLEMS
    )
    _town(router, books, postman, door)
    _faults(router, books, door)
    _messages(router, books, postman)
    statement_routes.control(router, books)
    return router


def _town(router: APIRouter, books: Books, postman: Postman, door: Door | None) -> None:
    @router.post("/world", response_model=Done)
    async def load(body: WorldRequest) -> JSONResponse:
        if door is not None:
            await door.open()
        return _told(books, lambda moment: world.load(books, moment, body))

    @router.post("/clock", response_model=ClockReply)
    async def clock(body: ClockRequest) -> JSONResponse:
        """What became due meanwhile has happened, and its callbacks were tried, when this answers."""
        if (body.at is None) == (body.seconds is None):
            return problem(Reason.CONFIG, "Give either at or seconds.", 409)
        with books.moment() as moment:
            now = body.at or moment.now + timedelta(seconds=body.seconds or 0)
            if now < moment.now or not in_calendar(now):
                return problem(Reason.CONFIG, "A clock goes forward, and not beyond the calendar.", 409)
            books.set_clock(moment, now)
        with books.moment() as moment:
            delayed.run_due(moment)
        await postman.deliver_due()
        return JSONResponse(ClockReply(now=now).model_dump(mode="json"))

    @router.post("/accounts/{account}", response_model=Done)
    async def account(account: OrderKey, body: AccountChange) -> JSONResponse:
        return _told(books, lambda moment: world.change_account(moment, account, body))

    @router.post("/purses/{purse}", response_model=Done)
    async def purse(purse: OrderKey, body: Funds) -> JSONResponse:
        return _told(books, lambda moment: _fill(moment, purse, body.funds_fen))

    @router.post("/ack_mode", response_model=Done)
    async def ack_mode(body: AckMode) -> JSONResponse:
        return _told(books, lambda moment: _set_acks(moment, body.acks))

    @router.post("/callback_url", response_model=Done)
    async def callback_url(body: Address) -> JSONResponse:
        postman.url = body.url
        return _told(books, lambda moment: moment.db.execute(update(t.clock).values(callback_url=body.url)))

    @router.post("/acks", response_model=Done)
    async def ack(body: AckRequest) -> JSONResponse:
        return _told(books, lambda moment: _acknowledge(moment, body))

    @router.get("/inspect")
    async def look() -> Inspection:
        with books.moment() as moment:
            delayed.run_due(moment)
            return inspect.everything(moment)


def _faults(router: APIRouter, books: Books, door: Door | None) -> None:
    @router.get("/faults")
    async def known() -> list[FaultMeaning]:
        """Everything that can be arranged, by name."""
        return [FaultMeaning(kind=kind, meaning=MEANING[kind]) for kind in FaultKind]

    @router.post("/faults", response_model=Done)
    async def arrange(body: FaultRequest) -> JSONResponse:
        if body.kind is not FaultKind.CONNECTION_REFUSED:
            return _told(books, lambda moment: faults.arrange(moment, body))
        if door is None:
            return problem(Reason.CONFIG, "To refuse connections the town must be a process of its own.", 409)
        await door.shut()
        return _done()

    @router.post("/seed", response_model=Done)
    async def seed(body: SeedRequest) -> JSONResponse:
        return _told(books, lambda moment: faults.seed(moment, body))

    @router.delete("/faults", response_model=Done)
    async def clear(side: Side | None = None) -> JSONResponse:
        if door is not None:
            await door.open()
        return _told(books, lambda moment: faults.clear(moment, side))


def _messages(router: APIRouter, books: Books, postman: Postman) -> None:
    @router.post("/orders/{order}/capture", response_model=Done)
    async def capture(order: OrderKey) -> JSONResponse:
        answer = _told(books, lambda moment: _capture(moment, order))
        await postman.deliver_due()
        return answer

    @router.post("/callbacks", response_model=CallbackFired)
    async def fire(body: CallbackRequest) -> JSONResponse | CallbackFired:
        try:
            with books.moment() as moment:
                fired = _prepare(moment, postman, body)
        except Refusal as refusal:
            return problem(refusal.reason, refusal.message, refusal.status)
        status = await postman.send(fired.body, fired.headers) if body.deliver else 0
        return fired.model_copy(update={"http_status": status})


def _told(books: Books, what: Callable[[Moment], object]) -> JSONResponse:
    try:
        with books.moment() as moment:
            what(moment)
    except Refusal as refusal:
        return problem(refusal.reason, refusal.message, refusal.status)
    return _done()


def _done() -> JSONResponse:
    return JSONResponse(Done().model_dump())


def _fill(moment: Moment, purse: str, fen: int) -> None:
    if moment.db.execute(select(t.purses.c.id).where(t.purses.c.id == purse)).first() is None:
        raise Refusal(Reason.CONFIG, "No such purse in town.", 404)
    moment.db.execute(update(t.purses).where(t.purses.c.id == purse).values(funds=fen))


def _set_acks(moment: Moment, acks: str) -> None:
    moment.db.execute(update(t.clock).values(acks=acks))


def _acknowledge(moment: Moment, body: AckRequest) -> None:
    order = billers.pending_posting(moment, body.account, body.amount_fen)
    if order is None:
        raise Refusal(Reason.NOTHING_DUE, "No posting of this account and amount waits.", 409)
    billers.acknowledge(moment, order)


def _capture(moment: Moment, order: str) -> None:
    """Whatever keeps this order from collecting is over; a request put off is executed now."""
    delayed.run_key(moment, order)
    if moment.db.execute(select(t.orders.c.number).where(t.orders.c.number == order)).first() is None:
        raise Refusal(Reason.CONFIG, "The rail knows no such order.", 404)
    rail.capture(moment, order)


def _prepare(moment: Moment, postman: Postman, body: CallbackRequest) -> CallbackFired:
    """Sign the message as asked. A rightly signed `paid` is true: the money moves first, without a callback of its own."""
    known = moment.db.execute(select(t.orders).where(t.orders.c.number == body.order)).first()
    if body.status == "paid" and body.signature == "right" and body.amount_fen is None:
        _capture_quietly(moment, body.order)
        known = moment.db.execute(select(t.orders).where(t.orders.c.number == body.order)).first()
    amount = body.amount_fen if body.amount_fen is not None else (known.amount if known else 0)
    word = "failed" if body.status == "failed_late" else body.status
    text = callbacks.body_of(moment, body.order, word, amount)
    event_id = body.event_id or fresh("evt")
    at = moment.now - timedelta(seconds=body.age_seconds)
    headers = callbacks.signed_headers(postman.signer, event_id, at, text)
    if body.signature == "wrong":
        headers["webhook-signature"] = callbacks.another_hand(headers["webhook-signature"])
    elif body.signature == "missing":
        del headers["webhook-signature"]
    return CallbackFired(event_id=event_id, body=text, headers=headers, http_status=0)


def _capture_quietly(moment: Moment, order: str) -> None:
    style = t.orders.c.callback_style
    delayed.run_key(moment, order)
    moment.db.execute(update(t.orders).where(t.orders.c.number == order).values({style: "no_callback"}))
    _capture(moment, order)
