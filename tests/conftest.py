"""What every test may ask for: real databases, a clock that stands still, a key that opens nothing of value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from bot import logs
from bot.playground import Playground, playground
from bot.settings import Settings
from data.clock import VirtualClock
from data.store.engine import Sealer, Store
from tests.databases import KINDS, SEALER, Databases


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    with Databases() as servers:
        yield servers


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Store]:
    """The same promise on both databases."""
    with databases.store(request.param) as fresh:
        yield fresh


@pytest.fixture
def sqlite_store(databases: Databases) -> Iterator[Store]:
    with databases.store("sqlite") as fresh:
        yield fresh


@pytest.fixture
def redis_url(databases: Databases) -> str:
    """An empty Valkey."""
    import redis

    with redis.Redis.from_url(databases.redis_url) as client:
        client.flushall()
    return databases.redis_url


@pytest.fixture
def sealer() -> Sealer:
    return SEALER


@pytest.fixture
def clock() -> VirtualClock:
    """Tuesday, 10 March 2026, nine in the morning in Shanghai."""
    return VirtualClock(datetime(2026, 3, 10, 1, 0, tzinfo=UTC))


def pytest_configure(config: pytest.Config) -> None:
    """Logs go through the house's own mask in tests too, and only what is worse than a warning is shown."""
    logs.set_up("ERROR")


# --- worlds for whole talks ---------------------------------------------------------------------------------------

_STACK = pytest.StashKey[ExitStack]()
_FACTORY = pytest.StashKey[Callable[[], Playground]]()


def pytest_world_factory(config: pytest.Config) -> Callable[[], Playground]:
    """Fresh worlds for talks; one sandbox process serves the whole test session."""
    if _FACTORY not in config.stash:
        config.stash[_STACK] = stack = ExitStack()
        config.stash[_FACTORY] = stack.enter_context(playground(Settings(), gateway_seconds=0.5))
    return config.stash[_FACTORY]


def pytest_unconfigure(config: pytest.Config) -> None:
    if _STACK in config.stash:
        config.stash[_STACK].close()
