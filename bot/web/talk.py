"""The talk page: what was said, large answer buttons, a field to write in, and 人工 and 停 always in sight."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from bot.web.house import (
    MOST_CHARACTERS,
    MOST_DIGITS,
    NEXT_FORM,
    House,
    Refused,
    digits_of,
    field,
    see_other,
    wants_fragment,
    words_of,
)
from bot.web.ports import Resident
from bot.web.showing import shown, shown_phone
from bot.web.visitors import Visitor
from data.ids import PersonId

REVISION = "X-Talk-Revision"


@dataclass(frozen=True)
class Seat:
    """A visitor who chose somebody to be."""

    visitor: Visitor
    person: PersonId


def routes(house: House) -> APIRouter:
    """/talk and what its forms send."""
    router = APIRouter(prefix="/talk")

    @router.get("")
    async def talk(request: Request) -> Response:
        visitor = house.visitor(request)
        if visitor.person is None:
            return see_other("/")
        return await _page(house, request, Seat(visitor, visitor.person))

    @router.get("/live")
    async def fragment(request: Request) -> Response:
        return await _fragment(house, request, _seat(house, request))

    @router.get("/events")
    async def events(request: Request) -> Response:
        return house.streams.stream(house.talks.changes(_seat(house, request).person))

    @router.post("/look")
    async def look(request: Request) -> Response:
        seat = _seat(house, request)
        await house.form(request, seat.visitor)
        return see_other("/talk#newest")

    @router.post("/say")
    async def say(request: Request) -> Response:
        return await _say(house, request, _seat(house, request))

    @router.post("/press")
    async def press(request: Request) -> Response:
        seat = _seat(house, request)
        token = field(await house.form(request, seat.visitor), "token")[:200]
        # Bound to the button itself: a double tap and two open pages are one press.
        await house.talks.press(seat.person, token, house.event(seat.visitor, "press", token))
        return await _answered(house, request, seat)

    @router.post("/keypad")
    async def keypad(request: Request) -> Response:
        return await _keypad(house, request, _seat(house, request))

    return router


async def too_big(house: House, request: Request) -> Response:
    """More than we read. With scripts the text still stands in its field; without them the page leads back to it.

    Nobody knows in which language so much was written, so the page says it in every one.
    """
    visitor = house.visitor(request)
    if visitor.person is not None and wants_fragment(request):
        return await _fragment(house, request, Seat(visitor, visitor.person), 413, notice="too_big")
    back = "/" if visitor.person is None else "/talk#say"
    return house.notice(request, 413, "too_big", back, in_every_language=True)


def _seat(house: House, request: Request) -> Seat:
    visitor = house.visitor(request)
    if visitor.person is None:
        raise Refused(403, "stale")
    return Seat(visitor, visitor.person)


async def _say(house: House, request: Request, seat: Seat) -> Response:
    form = await house.form(request, seat.visitor)
    try:
        text = words_of(form)
    except Refused as refused:
        return await _again(house, request, seat, refused, written=field(form, "text"))
    await house.talks.say(seat.person, text, house.event(seat.visitor, "say", field(form, "once"), text))
    return await _answered(house, request, seat)


async def _keypad(house: House, request: Request, seat: Seat) -> Response:
    """One key of the keypad on the screen. With scripts the page collects the digits and only sends them."""
    form = await house.form(request, seat.visitor)
    key = field(form, "key")
    if key != "send":
        return await _page(
            house, request, seat, keypad_open=True, digits=_pressed(field(form, "digits"), key)
        )
    try:
        digits = digits_of(form)
    except Refused as refused:
        return await _again(house, request, seat, refused, keypad_open=True)
    await house.talks.keys(
        seat.person, digits, house.event(seat.visitor, "keys", field(form, "once"), digits)
    )
    return await _answered(house, request, seat)


def _pressed(digits: str, key: str) -> str:
    if key == "back":
        return digits[:-1]
    more = digits + key
    return more[:MOST_DIGITS] if more.isascii() and more.isdecimal() else ""


async def _answered(house: House, request: Request, seat: Seat) -> Response:
    """After the person did something: the changed part for a script, the page anew without one."""
    if not wants_fragment(request):
        return see_other("/talk#newest")
    response = await _fragment(house, request, seat)
    response.headers[NEXT_FORM] = house.new_form()
    return response


async def _again(house: House, request: Request, seat: Seat, refused: Refused, **values: Any) -> Response:
    """Says what was wrong with the input, beside the talk; what was written is not lost."""
    if wants_fragment(request):
        return await _fragment(house, request, seat, refused.status, notice=refused.key)
    return await _page(house, request, seat, refused.status, notice=refused.key, **values)


async def _page(house: House, request: Request, seat: Seat, status: int = 200, **values: Any) -> Response:
    talk = await _talk(house, seat)
    typed = {"written": "", "keypad_open": False, "digits": "", "notice": ""}
    return house.page(request, seat.visitor, "talk.html", status, **(talk | typed | values))


async def _fragment(
    house: House, request: Request, seat: Seat, status: int = 200, notice: str = ""
) -> Response:
    talk = await _talk(house, seat)
    response = house.page(request, seat.visitor, "talk_live.html", status, **talk, notice=notice)
    response.headers[REVISION] = str(talk["revision"])
    return response


async def _talk(house: House, seat: Seat) -> dict[str, Any]:
    # Orders what a page receives: a fragment read earlier may arrive later, and then says nothing new.
    read_at = time.time_ns() // 1000
    entries = await house.talks.history(seat.person)
    messages = await house.talks.phone(seat.person) if house.demo else []
    liking = await house.talks.liking(seat.person)
    return {
        "name": await _name(house, seat),
        "entries": shown(entries),
        "messages": shown_phone(messages),
        "revision": read_at,
        "size": _size(seat.visitor.size, liking.large),
        "most": MOST_CHARACTERS,
        "most_digits": MOST_DIGITS,
    }


async def _name(house: House, seat: Seat) -> str:
    residents: list[Resident] = await house.talks.residents(seat.visitor.locale)
    return next((resident.name for resident in residents if resident.id == seat.person), "")


def _size(chosen: str, asked_for_large: bool) -> str:
    """Who asked for bigger letters in the talk has the largest; who took that back has large ones."""
    if asked_for_large:
        return "largest"
    return "large" if chosen == "largest" else chosen
