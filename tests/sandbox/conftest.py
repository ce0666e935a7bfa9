"""A sandbox process shared by these tests, its world put back to the beginning for each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.contracts.stage import Town, over_http
from tests.servers import SandboxHandle, start_sandbox


@pytest.fixture(scope="package")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as handle:
        yield handle


@pytest.fixture
async def town(sandbox: SandboxHandle) -> AsyncIterator[Town]:
    async with over_http(sandbox) as fresh:
        yield fresh
        await fresh.stage.control.callbacks_to(None)
