"""One question over HTTP to an engine: a small JSON answer, or none. What is large, slow or of another kind is no answer."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx

from nlu.engines.elsewhere import NoOpinion

_LARGEST = 64 * 1024  # bytes; an opinion is a line


class Line:
    """Keeps one connection to an address as long as the event loop lives that opened it."""

    def __init__(self, url: str, *, headers: dict[str, str] | None = None) -> None:
        self._url = url.rstrip("/")
        self._headers = headers or {}
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON. Raises NoOpinion, or httpx.HTTPError when nobody answers.

        Redirects are not followed: a sentence goes to the address that was configured and to no other.
        """
        async with self._open().stream(method, self._url + path, json=body) as answer:
            kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            if answer.status_code != httpx.codes.OK or kind != "application/json":
                raise NoOpinion(f"status {answer.status_code}")
            return _read(await _whole(answer))

    async def aclose(self) -> None:
        """Closes what is open."""
        if self._client is not None and self._loop is asyncio.get_running_loop():
            await self._client.aclose()
        self._client = self._loop = None

    def _open(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            # The address is an operator's; a proxy of the machine has no business between us and it.
            self._client = httpx.AsyncClient(headers=self._headers, trust_env=False, follow_redirects=False)
            self._loop = loop
        return self._client


async def _whole(answer: httpx.Response) -> bytes:
    held = b""
    async for part in answer.aiter_bytes():
        held += part
        if len(held) > _LARGEST:
            raise NoOpinion("too large")
    return held


def _read(written: bytes) -> Any:
    try:
        return json.loads(written)
    except (ValueError, RecursionError) as error:
        raise NoOpinion("no JSON") from error
