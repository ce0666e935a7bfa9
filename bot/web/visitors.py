"""Who sits at a browser: a signed cookie, and the proofs that a form was ours."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from data.ids import PersonId

VISITOR_COOKIE = "bangjiao"
STAFF_COOKIE = "bangjiao_staff"
VISIT = timedelta(hours=12)
LOCALES = ("zh", "en")
SIZES = ("standard", "large", "largest")  # 20, 28 and 36 px


@dataclass(frozen=True, slots=True)
class Visitor:
    """One browser: which resident it is, and how its page looks."""

    id: str
    until: datetime
    person: PersonId | None = None
    locale: str = "zh"
    size: str = "large"

    def becomes(self, person: PersonId | None) -> Visitor:
        """The same browser as somebody else, under a new id: forms of before are worth nothing afterwards."""
        return replace(self, id=secrets.token_hex(16), person=person)

    def likes(self, locale: str | None = None, size: str | None = None) -> Visitor:
        return replace(self, locale=locale or self.locale, size=size or self.size)


def new_visitor(now: datetime, locale: str) -> Visitor:
    """A browser we have not seen."""
    return Visitor(id=secrets.token_hex(16), until=now + VISIT, locale=locale)


class Seals:
    """Signs what leaves for a browser and must come back unchanged. Every purpose has its own key."""

    def __init__(self, secret: str) -> None:
        if len(secret) < 16:
            raise ValueError("the web secret is shorter than 16 characters")
        self._secret = secret.encode()

    def __repr__(self) -> str:
        return "Seals(…)"

    def mark(self, purpose: str, *parts: str) -> str:
        """Names these parts without showing them: 32 characters, the same for the same parts."""
        key = hmac.digest(self._secret, purpose.encode(), hashlib.sha256)
        message = "".join(f"{len(part)}:{part}" for part in parts)
        return hmac.new(key, message.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]

    def matches(self, given: str, purpose: str, *parts: str) -> bool:
        return hmac.compare_digest(
            given.encode("utf-8", "surrogatepass"), self.mark(purpose, *parts).encode()
        )

    def close(self, purpose: str, value: dict[str, object]) -> str:
        """A readable, signed text for a cookie."""
        body = base64.urlsafe_b64encode(json.dumps(value, ensure_ascii=False).encode()).decode().rstrip("=")
        return f"{body}.{self.mark(purpose, body)}"

    def open(self, purpose: str, text: str) -> dict[str, object] | None:
        """What was closed; None when it was touched or is not ours."""
        body, _, mark = text.partition(".")
        if not self.matches(mark, purpose, body):
            return None
        try:
            value = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        except (binascii.Error, ValueError):
            return None
        return value if isinstance(value, dict) else None


def write_visitor(seals: Seals, visitor: Visitor) -> str:
    """The cookie of this visitor."""
    return seals.close(
        "visitor",
        {
            "id": visitor.id,
            "until": visitor.until.isoformat(),
            "person": visitor.person,
            "locale": visitor.locale,
            "size": visitor.size,
        },
    )


def read_visitor(seals: Seals, cookie: str, now: datetime) -> Visitor | None:
    """The visitor of this cookie; None when it is forged or over."""
    value = seals.open("visitor", cookie)
    if value is None:
        return None
    person = value["person"]
    visitor = Visitor(
        id=str(value["id"]),
        until=datetime.fromisoformat(str(value["until"])),
        person=PersonId(str(person)) if person else None,
        locale=str(value["locale"]),
        size=str(value["size"]),
    )
    return visitor if now < visitor.until else None


def preferred_locale(accept_language: str) -> str:
    """Chinese unless the browser asks for English first."""
    return "en" if accept_language.strip().lower().startswith("en") else "zh"
