"""What every page needs at hand: who is there, words in the right language, and safe forms."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.web import visitors
from bot.web.live import Streams
from bot.web.ports import StaffDesk, Talks
from bot.web.showing import clean, clock
from bot.web.visitors import Seals, Visitor
from bot.web.wording import Wording
from data.clock import Clock

HTMX = "hx-request"
NEXT_FORM = "X-Next-Form"
MOST_CHARACTERS = 500
MOST_DIGITS = 32
_HERE = Path(__file__).parent


class Refused(Exception):
    """This request is not served; the person gets a calm page that says why."""

    def __init__(self, status: int, key: str) -> None:
        super().__init__(key)
        self.status = status
        self.key = key


@dataclass(frozen=True)
class House:
    """The pages' surroundings, made once."""

    talks: Talks
    staff: StaffDesk
    seals: Seals
    clock: Clock
    wording: Wording
    demo: bool
    templates: jinja2.Environment
    streams: Streams
    receipts: bool = False  # whether there is a page for them

    # --- who is there ---

    def visitor(self, request: Request) -> Visitor:
        """The visitor of this request: from the cookie, or new."""
        now = self.clock.now()
        known = visitors.read_visitor(self.seals, request.cookies.get(visitors.VISITOR_COOKIE, ""), now)
        return known or visitors.new_visitor(
            now, visitors.preferred_locale(request.headers.get("accept-language", ""))
        )

    def remember(self, request: Request, response: Response, visitor: Visitor) -> Response:
        """Puts the visitor's cookie on the answer."""
        self.set_cookie(
            request, response, visitors.VISITOR_COOKIE, visitors.write_visitor(self.seals, visitor)
        )
        return response

    def set_cookie(
        self,
        request: Request,
        response: Response,
        name: str,
        value: str,
        path: str = "/",
        strict: bool = False,
    ) -> None:
        response.set_cookie(
            name,
            value,
            max_age=int(visitors.VISIT.total_seconds()),
            path=path,
            httponly=True,
            secure=request.url.scheme == "https",
            samesite="strict" if strict else "lax",
        )

    # --- forms ---

    async def form(self, request: Request, visitor: Visitor) -> FormData:
        """The fields of a form that we gave to this visitor; Refused when we did not."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise Refused(415, "bad")
        form = await request.form(max_fields=20)
        if not self.seals.matches(field(form, "csrf"), "csrf", visitor.id):
            raise Refused(403, "stale")
        return form

    def new_form(self) -> str:
        """Names one filling-in of a form."""
        return secrets.token_hex(8)

    def event(self, visitor: Visitor, kind: str, *parts: str) -> str:
        """The event id of what this form says: the same when it is sent twice, another when it says something else.

        It is bound to the person and holds nothing readable: a short PIN could be found from an open hash.
        """
        return f"web_{self.seals.mark('event', str(visitor.person), kind, *parts)}"

    # --- pages ---

    def page(
        self, request: Request, visitor: Visitor, template: str, status: int = 200, **values: Any
    ) -> Response:
        """A page in the visitor's language and letter size, with his cookie."""
        body = self.templates.get_template(template).render(self._values(visitor) | values)
        return self.remember(request, HTMLResponse(body, status), visitor)

    def notice(
        self, request: Request, status: int, key: str, back: str = "/", *, in_every_language: bool = False
    ) -> Response:
        """A calm page for something that did not work. `key` names a sentence; KEY_title, where it exists, its head."""
        if HTMX in request.headers and status in {401, 403}:
            return Response(status_code=status, headers={"HX-Refresh": "true"})
        titles = self.wording.sentences["zh"]
        title = f"{key}_title" if f"{key}_title" in titles else "bad_title"
        visitor = self.visitor(request)
        others = [code for code in visitors.LOCALES if in_every_language and code != visitor.locale]
        said = {code: self.wording.say(code, key, most=MOST_CHARACTERS) for code in others}
        values = {"title_key": title, "key": key, "others": said, "back": back, "most": MOST_CHARACTERS}
        return self.page(request, visitor, "notice.html", status, **values)

    def _values(self, visitor: Visitor) -> dict[str, Any]:
        def say(key: str, **values: object) -> str:
            return self.wording.say(visitor.locale, key, **values)

        return {
            "t": say,
            "several": lambda key: self.wording.several(visitor.locale, key),
            "visitor": visitor,
            "demo": self.demo,
            "receipts": self.receipts,
            "csrf": self.seals.mark("csrf", visitor.id),
            "form_id": self.new_form(),
            "locales": visitors.LOCALES,
            "sizes": visitors.SIZES,
        }


def field(form: FormData, name: str) -> str:
    """One text field, as it came; empty when it is missing."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def words_of(form: FormData) -> str:
    """What somebody wrote, free of hidden characters; Refused when there is nothing or far too much."""
    text = clean(field(form, "text"))
    if not text:
        raise Refused(422, "empty")
    if len(text) > MOST_CHARACTERS:
        raise Refused(422, "too_long")
    return text


def digits_of(form: FormData) -> str:
    """Digits of the keypad; Refused when there are none, too many, or something else."""
    digits = field(form, "digits")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= MOST_DIGITS):
        raise Refused(422, "digits_only")
    return digits


def wants_fragment(request: Request) -> bool:
    """Whether a script asks for the changed part only."""
    return HTMX in request.headers


def see_other(address: str) -> RedirectResponse:
    """After a form: read the page anew, so that a reload sends nothing again."""
    return RedirectResponse(address, 303)


def waited_minutes(seconds: float) -> int:
    return max(1, math.ceil(seconds / 60))


def templates() -> jinja2.Environment:
    """Our templates: everything put into them is escaped, a name that is not there is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clock"] = clock
    return environment
