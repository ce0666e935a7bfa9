"""The trained engine, once for all tests; trained into the project's ignored cache, keyed by the training files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from nlu.classifier import Embedded
from nlu.swindles import Watch
from nlu.tools import train_all
from nlu.understand import Understanding

ROOT = Path(__file__).parents[2]
TRAINING = ROOT / "data" / "nlu"
MEASURED = ROOT / "data" / "nlu-test"
CACHE = ROOT / ".cache"
# How long an example takes says how busy the machine is, and nothing of what is promised.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def engine() -> Embedded:
    train_all(TRAINING, CACHE)
    return Embedded.load(TRAINING, CACHE)


@pytest.fixture(scope="session")
def watch(engine: Embedded) -> Watch:
    return Watch.load(TRAINING, CACHE)


@pytest.fixture(scope="session")
def understanding(engine: Embedded, watch: Watch) -> Understanding:
    return Understanding(engine, watch=watch)
