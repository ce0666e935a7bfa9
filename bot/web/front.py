"""The first page: who are you today, in which language, in which letter size."""

from __future__ import annotations

import secrets

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from bot.web import visitors
from bot.web.house import House, Refused, field, see_other
from bot.web.visitors import Visitor
from data.ids import PersonId

NEWCOMER = "newcomer"


def routes(house: House) -> APIRouter:
    """/, /choose, /leave and /view."""
    router = APIRouter()

    @router.get("/")
    async def first(request: Request) -> Response:
        return await _choice(house, request, house.visitor(request))

    @router.post("/choose")
    async def choose(request: Request) -> Response:
        visitor = house.visitor(request)
        form = await house.form(request, visitor)
        return await _become(house, request, visitor, field(form, "person"))

    @router.post("/leave")
    async def leave(request: Request) -> Response:
        visitor = house.visitor(request)
        await house.form(request, visitor)
        return house.remember(request, see_other("/"), visitor.becomes(None))

    @router.post("/view")
    async def view(request: Request) -> Response:
        visitor = house.visitor(request)
        form = await house.form(request, visitor)
        liked = await _like(house, visitor, field(form, "locale"), field(form, "size"))
        return house.remember(request, see_other(_back(field(form, "back"))), liked)

    return router


async def _choice(house: House, request: Request, visitor: Visitor, notice: str = "") -> Response:
    residents = await house.talks.residents(visitor.locale) if house.demo else []
    status = 422 if notice else 200
    return house.page(request, visitor, "choose.html", status, residents=residents, notice=notice)


async def _become(house: House, request: Request, visitor: Visitor, wanted: str) -> Response:
    residents = await house.talks.residents(visitor.locale) if house.demo else []
    if house.demo and wanted == NEWCOMER:
        return house.remember(request, see_other("/talk"), visitor.becomes(_somebody_new()))
    for resident in residents:
        if resident.id == wanted:
            # Default letters say nothing; the largest were chosen by somebody who needs them.
            large = True if visitor.size == "largest" else None
            await house.talks.prefer(resident.id, locale=visitor.locale, large=large)
            return house.remember(request, see_other("/talk"), visitor.becomes(resident.id))
    return await _choice(house, request, visitor, "unknown_person")


def _somebody_new() -> PersonId:
    """Somebody the town does not know; his talk begins with becoming known."""
    return PersonId(f"{NEWCOMER}_{secrets.token_hex(8)}")


async def _like(house: House, visitor: Visitor, locale: str, size: str) -> Visitor:
    """Takes a language or a letter size, and tells the conversation of it."""
    if locale not in {"", *visitors.LOCALES} or size not in {"", *visitors.SIZES}:
        raise Refused(422, "bad_choice")
    if visitor.person and locale:
        await house.talks.prefer(visitor.person, locale=locale)
    if visitor.person and size:
        await house.talks.prefer(visitor.person, large=size == "largest")
    return visitor.likes(locale, size)


def _back(wanted: str) -> str:
    """Only pages of ours: a form may not send people elsewhere."""
    return wanted if wanted in {"/", "/talk", "/receipt", "/staff", "/staff/sign-in"} else "/"
