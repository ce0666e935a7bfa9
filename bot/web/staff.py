"""The staff page: who waits, the person's screen mirrored, take over, answer, hand back."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from bot.web.house import (
    MOST_CHARACTERS,
    NEXT_FORM,
    House,
    Refused,
    field,
    see_other,
    waited_minutes,
    wants_fragment,
    words_of,
)
from bot.web.ports import Colleague, Mirror, Waiting
from bot.web.showing import minutes_since, shown
from bot.web.throttle import Throttle
from bot.web.visitors import STAFF_COOKIE
from data.ids import AccountId, PersonId

_NEW_PIN = "new-pin"  # stands beside the accounts in the form that gives a talk back


class SignInFirst(Exception):
    """Nobody of the staff is signed in at this browser."""


def routes(house: House) -> APIRouter:
    """/staff, its sign-in, and one page a person."""
    router = APIRouter(prefix="/staff")
    throttle = Throttle(house.clock)

    @router.get("/sign-in")
    async def door(request: Request) -> Response:
        return _door(house, request)

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        return await _sign_in(house, request, throttle)

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        await house.form(request, house.visitor(request))
        await house.staff.sign_out(_token(house, request))
        response = see_other("/staff/sign-in")
        response.delete_cookie(STAFF_COOKIE, path="/staff")
        return response

    @router.get("")
    async def queue(request: Request) -> Response:
        return await _queue(house, request, await _colleague(house, request), "staff_queue.html")

    @router.get("/live")
    async def queue_fragment(request: Request) -> Response:
        return await _queue(house, request, await _colleague(house, request), "staff_queue_live.html")

    @router.get("/events")
    async def events(request: Request) -> Response:
        await _colleague(house, request)
        return house.streams.stream(house.staff.changes())

    @router.get("/talk/{person}")
    async def mirror(request: Request, person: str) -> Response:
        return await _mirror(house, request, await _colleague(house, request), PersonId(person))

    @router.get("/talk/{person}/live")
    async def mirror_fragment(request: Request, person: str) -> Response:
        colleague = await _colleague(house, request)
        return await _mirror(house, request, colleague, PersonId(person), "staff_talk_live.html")

    @router.post("/talk/{person}/{what}")
    async def do(request: Request, person: str, what: str) -> Response:
        return await _do(house, request, await _colleague(house, request), PersonId(person), what)

    return router


# --- the door ---


def _door(house: House, request: Request, status: int = 200, notice: str = "") -> Response:
    return house.page(request, house.visitor(request), "staff_sign_in.html", status, notice=notice)


async def _sign_in(house: House, request: Request, throttle: Throttle) -> Response:
    visitor = house.visitor(request)
    form = await house.form(request, visitor)
    name = field(form, "name").strip()[:80]
    if wait := throttle.seconds_to_wait(name):
        notice = house.wording.say(visitor.locale, "staff_slow", minutes=waited_minutes(wait))
        return _door(house, request, 429, notice)
    token = await house.staff.sign_in(name, field(form, "password"))
    if token is None:
        throttle.wrong(name)
        return _door(house, request, 401, house.wording.say(visitor.locale, "staff_wrong"))
    throttle.right(name)
    response = see_other("/staff")
    sealed = house.seals.close("staff", {"token": token})
    house.set_cookie(request, response, STAFF_COOKIE, sealed, path="/staff", strict=True)
    return response


def _token(house: House, request: Request) -> str:
    opened = house.seals.open("staff", request.cookies.get(STAFF_COOKIE, ""))
    return str(opened["token"]) if opened else ""


async def _colleague(house: House, request: Request) -> Colleague:
    token = _token(house, request)
    colleague = await house.staff.who(token) if token else None
    if colleague is None:
        raise SignInFirst
    return colleague


# --- the queue ---


async def _queue(house: House, request: Request, colleague: Colleague, template: str) -> Response:
    waiting = await house.staff.queue(colleague)
    rows = [(entry, _minutes(house, entry)) for entry in waiting]
    return house.page(request, house.visitor(request), template, colleague=colleague, rows=rows, size="")


def _minutes(house: House, waiting: Waiting) -> int:
    return minutes_since(waiting.since, house.clock.now())


# --- one person's talk ---


async def _mirror(
    house: House,
    request: Request,
    colleague: Colleague,
    person: PersonId,
    template: str = "staff_talk.html",
    status: int = 200,
    **values: Any,
) -> Response:
    mirror = await house.staff.mirror(colleague, person)
    if mirror is None:
        raise Refused(404, "not_found")
    typed = {"notice": "", "written": ""}
    page = _mirrored(mirror, colleague) | typed | values
    return house.page(request, house.visitor(request), template, status, **page)


def _mirrored(mirror: Mirror, colleague: Colleague) -> dict[str, Any]:
    return {
        "colleague": colleague,
        "waiting": mirror.waiting,
        "entries": shown(mirror.entries),
        "accounts": mirror.accounts,
        "mine": mirror.waiting.mode == "human" and mirror.waiting.staff == colleague.name,
        "most": MOST_CHARACTERS,
        "size": "",
    }


async def _do(house: House, request: Request, colleague: Colleague, person: PersonId, what: str) -> Response:
    """Take over, say, or hand back; then the talk again, or the queue when it is given back."""
    form = await house.form(request, house.visitor(request))
    try:
        done = await _act(house, colleague, person, what, form)
    except Refused as refused:
        if refused.status != 422:
            raise
        typed = {"notice": refused.key, "written": field(form, "text")}
        return await _mirror(house, request, colleague, person, _template(request), 422, **typed)
    if not done:
        return await _mirror(
            house, request, colleague, person, _template(request), 409, notice="staff_too_late"
        )
    if what == "hand-back":
        return _to_queue(request)
    if not wants_fragment(request):
        return see_other(f"/staff/talk/{person}#newest")
    response = await _mirror(house, request, colleague, person, "staff_talk_live.html")
    response.headers[NEXT_FORM] = house.new_form()
    return response


async def _act(house: House, colleague: Colleague, person: PersonId, what: str, form: FormData) -> bool:
    mark = field(form, "once")
    match what:
        case "take":
            event = _event(house, colleague, person, what, mark)
            return await house.staff.take(colleague, person, event)
        case "say":
            text = words_of(form)
            event = _event(house, colleague, person, what, mark, text)
            return await house.staff.say(colleague, person, text, event)
        case "hand-back":
            account = field(form, "account")
            event = _event(house, colleague, person, what, mark, account)
            if account == _NEW_PIN:
                return await house.staff.hand_back(colleague, person, None, event, reset_pin=True)
            return await house.staff.hand_back(
                colleague, person, AccountId(account) if account else None, event
            )
        case _:
            raise Refused(404, "not_found")


def _event(house: House, colleague: Colleague, person: PersonId, *parts: str) -> str:
    return f"staff_{house.seals.mark('staff event', colleague.id, person, *parts)}"


def _template(request: Request) -> str:
    return "staff_talk_live.html" if wants_fragment(request) else "staff_talk.html"


def _to_queue(request: Request) -> Response:
    if wants_fragment(request):
        return Response(headers={"HX-Redirect": "/staff"})
    return see_other("/staff")
