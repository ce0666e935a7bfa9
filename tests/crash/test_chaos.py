"""Real processes in a storm: workers, counter, sandbox and PostgreSQL killed and frozen under load, and every fen in its place."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.crash.chaos import Cradle, Size, cradle, house
from tests.crash.mortal_postgresql import mortal_postgresql
from tests.crash.storm import BUSINESS_SECONDS, Blow, Weather, strike_all
from tests.crash.verdict import Verdict, judged
from tests.databases import KINDS

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]

B = Blow
SMALL = {
    "sqlite": (Size(8, 3, 1), (B.WORKER, B.COUNTER, B.TOWN, B.FREEZE_WORKER)),
    "postgresql": (Size(8, 3, 2), (B.WORKER, B.POSTGRESQL, B.TOWN, B.FREEZE_COUNTER)),
}
FULL = {
    "sqlite": (
        Size(42, 12, 1),
        (*[B.WORKER] * 3, *[B.WORKER_RENAMED] * 3, *[B.TOWN] * 4, *[B.COUNTER] * 4,
         B.FREEZE_WORKER, B.FREEZE_WORKER, B.FREEZE_COUNTER, B.FREEZE_TOWN),
    ),
    "postgresql": (
        Size(42, 12, 2),
        (*[B.WORKER] * 3, *[B.WORKER_RENAMED] * 3, *[B.TOWN] * 3, *[B.COUNTER] * 2, *[B.POSTGRESQL] * 4,
         B.FREEZE_WORKER, B.FREEZE_WORKER, B.FREEZE_COUNTER, B.FREEZE_TOWN),
    ),
}  # fmt: skip
SEED = 20260310
_REST_SECONDS = 90.0


@pytest.fixture(scope="module")
def births() -> Iterator[Cradle]:
    with cradle() as found:
        yield found


def test_a_short_storm(births: Cradle, tmp_path: Path) -> None:
    """Both houses at once: most of the time somebody is away, and leases are waited for."""
    with ThreadPoolExecutor(len(KINDS)) as both:
        ended = {k: both.submit(storm, births, tmp_path / k, k, *SMALL[k], seed=SEED) for k in KINDS}
        for played in ended.values():
            weather, verdict = played.result()
            assert not verdict.broken, verdict.report(weather)


@pytest.mark.prove
@pytest.mark.parametrize("kind", KINDS)
def test_a_long_storm(births: Cradle, tmp_path: Path, kind: str) -> None:
    size, blows = FULL[kind]
    weather, verdict = storm(births, tmp_path / kind, kind, size, blows, seed=SEED)
    assert not verdict.broken, verdict.report(weather)
    assert weather.kills >= 12
    assert weather.struck_at_work > 0, "the blows must meet somebody at work"
    assert sum(verdict.states.values()) >= 500
    assert verdict.helped > 0, "one meter's biller was deaf long enough for a person to be called"


TEETH = {
    "sends again under a new number": "number that is not ours",
    "takes silence for a no": "was told as not charged, and the rail took the money",
    "forgets what was under way": "lost: ",
    "forgets a yes": "was confirmed to its owner, and its payments are not there",
    "ignores leases of letters": "letters came twice",
    "tells news again": " times: ",
}


@pytest.mark.prove
@pytest.mark.parametrize("mutant", TEETH)
def test_the_judge_sees_mistakes(births: Cradle, tmp_path: Path, mutant: str) -> None:
    """A house with a mistake in it does not get through a storm; that the storm is worth something is seen here only."""
    _, verdict = storm(
        births,
        tmp_path / "house",
        "sqlite",
        Size(8, 3, 2),
        (B.WORKER, B.TOWN),
        seed=SEED,
        mutant=mutant,
        percent=40,
        patience=30,
    )
    assert any(TEETH[mutant] in broken for broken in verdict.broken), verdict.broken


def storm(
    births: Cradle,
    folder: Path,
    kind: str,
    size: Size,
    blows: tuple[Blow, ...],
    *,
    seed: int,
    mutant: str = "",
    percent: int = 12,
    patience: float = BUSINESS_SECONDS,
) -> tuple[Weather, Verdict]:
    """One house through one storm."""
    folder.mkdir()
    with ExitStack() as kept:
        server = kept.enter_context(mortal_postgresql(folder / "data")) if kind == "postgresql" else None
        url = server.url if server else f"sqlite:///{folder / 'house.db'}"
        opened = kept.enter_context(
            house(births, folder / "house", url, size, mutant=mutant, postgresql=server)
        )
        weather = strike_all(opened, f"{seed} {kind}", blows, percent=percent, patience=patience)
        return weather, judged(opened, weather, rest_seconds=min(patience, _REST_SECONDS))
