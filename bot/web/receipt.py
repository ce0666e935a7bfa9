"""The page where anybody types the code of a receipt and is told whether it is genuine: what, when, for whom it was paid."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from bot.web.house import House, field, waited_minutes
from bot.web.throttle import Throttle
from data.money import Money

# A grandchild with a crumpled receipt needs a few tries; 40 bits are not guessed by ten in five minutes.
TRIES = 10
_LONGEST = 40  # of a code as somebody may write it; what is longer is no code


@dataclass(frozen=True, slots=True)
class Genuine:
    """What a receipt may say to whoever holds it: no name, and of the account number its end."""

    amount: Money
    biller: str  # as people call it, in the visitor's language
    day: date
    tail: str


@dataclass(frozen=True, slots=True)
class Answered:
    """`genuine` for a code of ours. `troubled`: the code may be ours, and the book needs to be looked at first."""

    genuine: Genuine | None = None
    troubled: bool = False


# A code and a language → what the book says.
Receipts = Callable[[str, str], Awaitable[Answered]]


def routes(house: House, receipts: Receipts) -> APIRouter:
    """/receipt: the form, and what comes of it. The code may stand in the address; it is asked about only when sent."""
    router = APIRouter()
    throttle = Throttle(house.clock, TRIES)

    @router.get("/receipt")
    async def empty(request: Request) -> Response:
        return _page(house, request, request.query_params.get("code", ""))

    @router.post("/receipt")
    async def asked(request: Request) -> Response:
        visitor = house.visitor(request)
        code = field(await house.form(request, visitor), "code").strip()
        name = request.client.host if request.client else ""
        wait = throttle.seconds_to_wait(name)
        if wait > 0:
            return _page(house, request, code, 429, slow=waited_minutes(wait))
        answered = await receipts(code[:_LONGEST], visitor.locale)
        if answered.genuine is None:
            throttle.wrong(name)
        # Right or wrong, the page is the same page with the same status: only its words differ.
        return _page(house, request, code, answered=answered)

    return router


def _page(
    house: House,
    request: Request,
    code: str,
    status: int = 200,
    *,
    answered: Answered | None = None,
    slow: int = 0,
) -> Response:
    values = {"code": code[:_LONGEST], "answered": answered, "slow": slow}
    return house.page(request, house.visitor(request), "receipt.html", status, **values)
