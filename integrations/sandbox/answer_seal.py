"""How an answer of the town shows that it is the town's own, and the answer to this question and to no other.

The signature is that of Standard Webhooks over the body; its id is the question's own number with the HTTP status, so
that neither an old answer nor a no in place of a yes can be slipped in. Real gateways sign their answers, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hmac import compare_digest

from standardwebhooks import Webhook

from integrations.ports import BadSignature, Reason

ASKED = "request-id"
_AT, _SIGNED = "answer-timestamp", "answer-signature"
_STAMP_DIGITS = 10  # seconds since 1970 until the year 2286: more digits are a time no calendar has


class AnswerSeal:
    """Signs with the first key and accepts any; two while a key is being changed."""

    def __init__(self, *secrets: str) -> None:
        self._keys = tuple(Webhook(secret) for secret in secrets)

    def __bool__(self) -> bool:
        """Whether there is a key: without one nothing can be signed or verified."""
        return bool(self._keys)

    def sign(self, request_id: str, status: int, at: datetime, body: bytes) -> dict[str, str]:
        """The headers of an answer."""
        signed = self._keys[0].sign(_id(request_id, status), at, body.decode())
        return {_AT: str(int(at.timestamp())), _SIGNED: signed}

    def verify(self, request_id: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Raises BadSignature for an answer by somebody else, to another question, or changed on the way."""
        stamp, offered = headers.get(_AT, ""), headers.get(_SIGNED, "").encode()
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _STAMP_DIGITS):
            raise BadSignature(Reason.SIGNATURE, "an answer without a signature")
        at = datetime.fromtimestamp(int(stamp), UTC)
        try:
            right = [key.sign(_id(request_id, status), at, body.decode()).encode() for key in self._keys]
        except UnicodeDecodeError:
            raise BadSignature(Reason.SIGNATURE, "an unreadable answer") from None
        if not any(compare_digest(one, offered) for one in right):
            raise BadSignature(Reason.SIGNATURE, "an answer with a wrong signature")


def _id(request_id: str, status: int) -> str:
    return f"{request_id}.{status}"
