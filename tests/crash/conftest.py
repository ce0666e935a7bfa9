"""Two lanes for the crash tests: as many as the smallest machine has cores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.crash.lane import lane
from tests.crash.sweep import Lanes
from tests.databases import Databases

_LANES = 2


@pytest.fixture(scope="package")
def lanes(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lanes]:
    folder = tmp_path_factory.mktemp("crash")
    with ExitStack() as stack:
        yield Lanes([stack.enter_context(lane(databases, folder / f"lane{n}")) for n in range(_LANES)])
