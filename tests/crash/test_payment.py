"""`kill -9` at any moment of a payment, restart: it ends exactly once, and the person is told the truth."""

from __future__ import annotations

import pytest

from tests.crash.lane import Case, Fault
from tests.crash.sweep import Lanes, killed, moments, point, spread
from tests.databases import KINDS

pytestmark = [pytest.mark.crash, pytest.mark.timeout(600)]

FEWEST = 30
_SHOWN = 8

LATE = Fault("rail", "timeout_then_paid_after", 20)
LOST = Fault("rail", "lost_answer")


@pytest.mark.parametrize("story", ["purse", "page"])
@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_any_moment(lanes: Lanes, kind: str, story: str) -> None:
    case = Case(kind, story)
    points = moments(lanes.rehearse(case))
    assert len(points) >= FEWEST
    report(lanes.play(killed(case, points)), len(points))


@pytest.mark.parametrize("fault", [LATE, LOST], ids=lambda f: f.kind)
@pytest.mark.parametrize("kind", KINDS)
def test_killed_while_the_rail_fails(lanes: Lanes, kind: str, fault: Fault) -> None:
    """From the moment the rail is asked to collect: before that the fault has struck nobody."""
    case = Case(kind, "purse", fault)
    rehearsal = lanes.rehearse(case)
    asked = point(rehearsal, "before POST /rail/charges")
    points = spread([n for n in moments(rehearsal) if n >= asked], 12)
    report(lanes.play(killed(case, points)), len(points))


@pytest.mark.parametrize("kind", KINDS)
def test_killed_again_while_it_recovers(lanes: Lanes, kind: str) -> None:
    """The first life dies with the collected money in its hand, the second anywhere on its way back."""
    plain = Case(kind, "purse")
    (first,) = killed(plain, [point(lanes.rehearse(plain), "answered POST /rail/charges")])
    points = spread(moments(lanes.rehearse(first)), 10)
    report(lanes.play(killed(first, points)), len(points))


def report(found: list[str], played: int) -> None:
    """The broken promises with their points; the first ones are enough to begin with."""
    assert not found, f"{len(found)} promises broken at {played} points:\n" + "\n".join(found[:_SHOWN])
