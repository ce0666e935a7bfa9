"""A household with its money rooms, on both databases or on the quick one."""

from __future__ import annotations

import pytest

from data.clock import VirtualClock
from data.store.engine import Store
from tests.payments.automatic import BILL, agreed, allow
from tests.payments.household import House


@pytest.fixture
def house(store: Store, clock: VirtualClock) -> House:
    """The same promise on both databases."""
    made = House.over(store, clock)
    made.enrol()
    return made


@pytest.fixture
def quick(clock: VirtualClock, sealer) -> House:
    """In memory, for what the rows alone decide."""
    made = House.over(Store.in_memory(sealer), clock)
    made.enrol()
    return made


@pytest.fixture
def family(house: House) -> House:
    """The father lets his daughter agree to automatic payments; on both databases."""
    allow(house)
    return house


@pytest.fixture
def lis(quick: House) -> House:
    """The same, in memory."""
    allow(quick)
    return quick


@pytest.fixture
def billed(lis: House) -> House:
    """In memory, and her father's water bill is paid by itself."""
    agreed(lis, BILL)
    return lis
