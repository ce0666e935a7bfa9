"""The adapters under contract. A new one is one line in RAILS or BILLER_NETWORKS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.contracts.stage import (
    BillerCase,
    RailCase,
    biller_case,
    in_process,
    over_http,
    rail_case,
)
from tests.servers import SandboxHandle, start_sandbox


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    """A real sandbox process with a standing clock; tests share it and reload its world."""
    with start_sandbox(tmp_path_factory.mktemp("town")) as handle:
        yield handle


async def _rail_over_http(request: pytest.FixtureRequest) -> AsyncIterator[RailCase]:
    async with over_http(request.getfixturevalue("town")) as town:
        yield rail_case(town)


async def _rail_in_process(_request: pytest.FixtureRequest) -> AsyncIterator[RailCase]:
    async with in_process() as town:
        yield rail_case(town)


async def _billers_over_http(request: pytest.FixtureRequest) -> AsyncIterator[BillerCase]:
    async with over_http(request.getfixturevalue("town")) as town:
        yield biller_case(town)


async def _billers_in_process(_request: pytest.FixtureRequest) -> AsyncIterator[BillerCase]:
    async with in_process() as town:
        yield biller_case(town)


RAILS = {"sandbox": _rail_over_http, "sandbox-asgi": _rail_in_process}
BILLER_NETWORKS = {"sandbox": _billers_over_http, "sandbox-asgi": _billers_in_process}
# Only these can withhold an answer, cut a connection or run into a time-out.
RAILS_ON_A_WIRE = ("sandbox",)
BILLER_NETWORKS_ON_A_WIRE = ("sandbox",)


@pytest.fixture(params=RAILS)
async def rail_at(request: pytest.FixtureRequest) -> AsyncIterator[RailCase]:
    """Every rail in turn, in a fresh world."""
    async for case in RAILS[request.param](request):
        yield case


@pytest.fixture(params=RAILS_ON_A_WIRE)
async def wired_rail(request: pytest.FixtureRequest) -> AsyncIterator[RailCase]:
    """Every rail behind a real connection."""
    async for case in RAILS[request.param](request):
        yield case


@pytest.fixture(params=BILLER_NETWORKS)
async def billers_at(request: pytest.FixtureRequest) -> AsyncIterator[BillerCase]:
    """Every biller network in turn, in a fresh world."""
    async for case in BILLER_NETWORKS[request.param](request):
        yield case


@pytest.fixture(params=BILLER_NETWORKS_ON_A_WIRE)
async def wired_billers(request: pytest.FixtureRequest) -> AsyncIterator[BillerCase]:
    """Every biller network behind a real connection."""
    async for case in BILLER_NETWORKS[request.param](request):
        yield case
