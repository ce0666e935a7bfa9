"""From what was said to what is seen: no hidden characters, amounts on a line of their own, links as pictures."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import segno
from markupsafe import Markup

from bot.web.ports import BOT, ME, Entry, Sms
from data.clock import shanghai
from dialogues.model import Button

# Pages of a long talk stay light; the rest is history somebody asks staff for.
MOST_ENTRIES = 60
_AMOUNT = re.compile(
    r"(-?(?:[¥￥]\s?\d+(?:\.\d{1,2})?|\d+(?:\.\d{1,2})?\s?(?:元|yuan))[，。；！？、,.;!?]?)", re.IGNORECASE
)
_CODE = re.compile(r"((?<!\d)\d{6}(?!\d)[，。；！？、,.;!?]?)")
_WITH_TWO_AMOUNTS = 5  # pieces of a line: the amounts, and the words round them
_JOINER = "\u200d"  # holds family emoji together
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn"}


def clean(text: str) -> str:
    """The text without control, direction and other invisible characters; line ends stay."""
    kept = (char for char in text.replace("\r\n", "\n").replace("\r", "\n") if _visible(char))
    return "".join(kept).strip()


def _visible(char: str) -> bool:
    return char in {"\n", _JOINER} or unicodedata.category(char) not in _INVISIBLE


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text on a line; `kind` is "words", "amount" (stands alone, large), "figure" (one of several) or "code"."""

    text: str
    kind: str = "words"


def lines(text: str, emphasis: re.Pattern[str] = _AMOUNT, kind: str = "amount") -> list[list[Piece]]:
    """The text as lines of pieces. Nothing is added and nothing lost: joined together it is the text again."""
    return [_pieces(line, emphasis, kind) for line in clean(text).split("\n")]


def _pieces(line: str, emphasis: re.Pattern[str], kind: str) -> list[Piece]:
    parts = emphasis.split(line)
    if kind == "amount" and len(parts) > _WITH_TWO_AMOUNTS:
        kind = "figure"  # a sentence of several sums stays a sentence
    return [Piece(part, kind if index % 2 else "words") for index, part in enumerate(parts) if part]


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry, ready for the page."""

    id: str
    side: str  # me | bot | staff
    speaker: str
    text: str
    lines: list[list[Piece]]
    clock: str
    moment: str
    buttons: Sequence[Button]
    link: str | None
    picture: Markup | None
    large: bool
    newest: bool


def shown(entries: Sequence[Entry]) -> list[Shown]:
    """The end of a talk. Only the newest question that was not answered yet keeps its buttons."""
    recent = entries[-MOST_ENTRIES:]
    asking = _asking(recent)
    newest = _newest(recent)
    return [_show(entry, entry is asking, entry is newest) for entry in recent]


def _asking(entries: Sequence[Entry]) -> Entry | None:
    for entry in reversed(entries):
        if entry.speaker == ME:
            return None
        if entry.buttons:
            return entry
    return None


def _newest(entries: Sequence[Entry]) -> Entry | None:
    """Where the eye should land: the first thing said after the person's own last words."""
    first: Entry | None = None
    for entry in reversed(entries):
        if entry.speaker == ME:
            break
        first = entry
    return first or (entries[-1] if entries else None)


def _show(entry: Entry, asking: bool, newest: bool) -> Shown:
    link = web_link(entry.link)
    return Shown(
        id=f"m-{entry.seq}",
        side=entry.speaker if entry.speaker in {ME, BOT} else "staff",
        speaker=clean(entry.speaker),
        text=clean(entry.text),
        lines=lines(entry.text),
        clock=clock(entry.at),
        moment=entry.at.isoformat(),
        buttons=entry.buttons if asking else (),
        link=link,
        picture=qr(link) if link else None,
        large=entry.large,
        newest=newest,
    )


@dataclass(frozen=True, slots=True)
class ShownSms:
    """One message on the other phone, its code large."""

    clock: str
    lines: list[list[Piece]]


def shown_phone(messages: Sequence[Sms]) -> list[ShownSms]:
    """The last three messages, newest first, as a phone shows them."""
    return [ShownSms(clock(sms.at), lines(sms.text, _CODE, "code")) for sms in reversed(messages[-3:])]


def web_link(link: str | None) -> str | None:
    """The link if a browser may follow it: http or https with a host, nothing else."""
    if link is None:
        return None
    parts = urlsplit(link)
    return link if parts.scheme in {"http", "https"} and parts.hostname else None


def qr(link: str) -> Markup:
    """The link as a square picture that another phone can read, without style attributes (our policy forbids them)."""
    code = segno.make(link, error="m", micro=False)
    svg = code.svg_inline(
        scale=6, border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None
    )
    return Markup(svg)  # noqa: S704 - drawn by segno from modules; the link's text is not in it


def clock(at: datetime) -> str:
    """9:05 on a Shanghai wall clock."""
    local = shanghai(at)
    return f"{local.hour}:{local.minute:02d}"


def minutes_since(since: datetime, now: datetime) -> int:
    """Whole minutes somebody has waited."""
    return max(0, int((now - since).total_seconds() // 60))
