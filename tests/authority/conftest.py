"""The demonstration town, enrolled the day before the stories begin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from data.store.engine import Store, Tx
from data.town import World, load_world
from payments.authority.enrol import enrol_world
from tests.databases import KINDS, Databases


@pytest.fixture(scope="session")
def world() -> World:
    return load_world()


def enrolled(tx: Tx) -> None:
    town = load_world()
    enrol_world(tx, town, town.start - timedelta(days=1))


@pytest.fixture(params=KINDS)
def town(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Store]:
    with databases.store(request.param, enrolled) as store:
        yield store
