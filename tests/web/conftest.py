"""A scripted town behind the real pages; a real browser; the real program with a fresh demo town."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from bot.web import create_pages
from data.clock import VirtualClock
from tests.web.app_process import demo_process
from tests.web.at_the_browser import chromium
from tests.web.scripted_town import ScriptedStaff, ScriptedTalks

SECRET = "a-secret-of-the-tests-only-0123456789"


@pytest.fixture
def talks() -> ScriptedTalks:
    return ScriptedTalks()


@pytest.fixture
def staff(talks: ScriptedTalks) -> ScriptedStaff:
    return ScriptedStaff(talks)


@pytest.fixture
async def web(
    talks: ScriptedTalks, staff: ScriptedStaff, clock: VirtualClock
) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a cookie jar, at the pages of the scripted town."""
    app = create_pages(talks, staff, secret=SECRET, demo=True, clock=clock)
    async with client_of(app) as client:
        yield client


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A fresh town for each talk: a bill is paid once only."""
    with demo_process(tmp_path) as address:
        yield address


def client_of(app: object) -> httpx.AsyncClient:
    """Exceptions that reach the server are the test's; those the pages should calm must not."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://town")  # type: ignore[arg-type]
