"""Fills in forms as a browser without scripts does: hidden fields and all."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx


@dataclass
class Form:
    """One form of a page: its address, its hidden fields, its buttons as (name, value)."""

    action: str
    hidden: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(have["action"]))
            self._open = True
        elif tag == "input" and self._open and have.get("type") == "hidden":
            self.forms[-1].hidden[have["name"]] = have["value"]
        elif tag == "button" and self._open:
            self.forms[-1].buttons.append((have.get("name", ""), have.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False


def forms(page: str) -> list[Form]:
    reader = _Reader()
    reader.feed(page)
    return reader.forms


def form(page: str, action: str) -> Form:
    """The first form that goes to this address."""
    return next(form for form in forms(page) if form.action.partition("#")[0] == action)


async def send(web: httpx.AsyncClient, page: str, action: str, **values: str) -> httpx.Response:
    """Fills in the form of `page` and sends it; follows to the page that comes then."""
    return await web.post(action, data=form(page, action).hidden | values, follow_redirects=True)


async def be(web: httpx.AsyncClient, person: str = "chenm") -> str:
    """Chooses who to be; the talk page."""
    front = (await web.get("/")).text
    response = await send(web, front, "/choose", person=person)
    assert response.url.path == "/talk"
    return response.text
