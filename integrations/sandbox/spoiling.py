"""Answers that are none: the work was done, and what comes back is cut, foreign, incomplete or nothing at all."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse

from integrations.ports import Reason
from integrations.sandbox.fault_kinds import FaultKind
from integrations.sandbox.wire import Problem

DROP = "bangjiao.drop"  # ASGI extension of our own server process: cut the connection
# What an answer has to say; without it, it says nothing.
_SAID = frozenset(
    {
        "state",
        "reference",
        "amount_fen",
        "at",
        "up",
        "id",
        "url",
        "due_fen",
        "holder_masked",
        "rule",
        "months",
        "rows",
    }
)
_SURPRISE = {"loyalty_points": 3, "promotion": {"text": "抽奖", "ids": [1, 2]}}


def spoilt(kind: FaultKind, answer: Response) -> Response:
    """What comes instead of this answer."""
    match kind:
        case FaultKind.ERROR_500_AFTER:
            return problem(Reason.UNKNOWN, "An error after the work was done.", 500)
        case FaultKind.GARBLED_ANSWER:
            return Response(b"<html>gateway busy</html>", media_type="text/html")
        case FaultKind.HALF_ANSWER:
            return HalfAnswer(bytes(answer.body))
        case FaultKind.WRONG_LENGTH:
            half = bytes(answer.body)[: len(answer.body) // 2]
            return Response(half, answer.status_code, media_type=answer.media_type)
        case FaultKind.ANOTHER_ORDER:
            return _changed(answer, _of_another)
        case FaultKind.UNKNOWN_FIELDS:
            return _changed(answer, lambda said: said | _SURPRISE)
        case FaultKind.MISSING_FIELDS:
            return _changed(answer, lambda said: {k: v for k, v in said.items() if k not in _SAID})
        case FaultKind.WRONG_ANSWER_SIGNATURE:
            return answer
        case _:
            return NoAnswer()


def _changed(answer: Response, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Response:
    """The same answer with other fields; each row of a list, too. What is no JSON stays as it is."""
    if not isinstance(answer, JSONResponse):
        return answer
    said = json.loads(bytes(answer.body))
    other = [change(row) for row in said] if isinstance(said, list) else change(said)
    return JSONResponse(other, answer.status_code, media_type=answer.media_type)


def _of_another(said: dict[str, Any]) -> dict[str, Any]:
    """Somebody else's answer: his number, his biller."""
    others = {"number": "somebody-elses-order", "order": "somebody-elses-order", "biller": "somebody-elses"}
    return said | {key: value for key, value in others.items() if key in said}


def problem(reason: Reason, message: str, status: int) -> JSONResponse:
    """A refusal or a failure in the published form."""
    content = Problem(title=reason.value, status=status, reason=reason, message=message)
    return JSONResponse(
        content.model_dump(mode="json"), status_code=status, media_type="application/problem+json"
    )


class NoAnswer(Response):
    """Cuts the connection without a word. Needs the real server: in-process there is no connection to cut."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        drop = scope.get("extensions", {}).get(DROP)
        if drop is None:
            raise RuntimeError("a lost answer needs the sandbox's own server process")
        drop()
        while (await receive())["type"] != "http.disconnect":
            pass  # the rest of a body nobody wants


class HalfAnswer(Response):
    """The first half of an answer whose header promises all of it; the server then cuts the connection."""

    media_type = "application/json"

    async def __call__(self, scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
