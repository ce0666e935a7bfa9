"""The long proof: every single point, every trouble at rail and biller, quick and slow restarts, and deaths in recovery."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.crash.lane import RESTART, Case, Fault
from tests.crash.sweep import Lanes, every_moment, killed, moments, point, spread
from tests.crash.test_payment import LATE, LOST, report
from tests.databases import KINDS

pytestmark = [pytest.mark.crash, pytest.mark.prove, pytest.mark.timeout(3000)]

FAULTS = [
    LATE,
    LOST,
    Fault("rail", "error_500_after"),
    Fault("rail", "half_answer"),
    Fault("rail", "timeout_never_paid"),
    Fault("rail", "error_500"),
    Fault("biller", "lost_answer"),
    Fault("biller", "timeout_then_paid_after", 20),
    Fault("biller", "garbled_answer"),
]


@pytest.mark.parametrize("story", ["purse", "page"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_single_point(lanes: Lanes, kind: str, story: str) -> None:
    case = Case(kind, story)
    points = every_moment(lanes.rehearse(case))
    report(lanes.play(killed(case, points)), len(points))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
@pytest.mark.parametrize("kind", KINDS)
def test_with_every_trouble_outside(lanes: Lanes, kind: str, fault: Fault) -> None:
    case = Case(kind, "purse", fault)
    rehearsal = lanes.rehearse(case)
    asked = point(rehearsal, "before POST /rail/charges")
    points = spread([n for n in moments(rehearsal) if n >= asked], 20)
    report(lanes.play(killed(case, points)), len(points))


@pytest.mark.parametrize(
    ("story", "pause"),
    [("purse", timedelta(seconds=45)), ("purse", timedelta(minutes=20)), ("page", timedelta(minutes=20))],
    ids=str,
)
@pytest.mark.parametrize("kind", KINDS)
def test_restarted_late(lanes: Lanes, kind: str, story: str, pause: timedelta) -> None:
    """After leases have run out; and after so long that nothing may be sent any more, and the bill is paid anew."""
    case = Case(kind, story)
    points = moments(lanes.rehearse(case))
    report(lanes.play(killed(replace(case, restart=pause), points)), len(points))


@pytest.mark.parametrize("fault", [None, LATE], ids=lambda f: f.kind if f else "well")
@pytest.mark.parametrize("kind", KINDS)
def test_killed_twice_anywhere(lanes: Lanes, kind: str, fault: Fault | None) -> None:
    plain = Case(kind, "purse", fault)
    rehearsal = lanes.rehearse(plain)
    paid = point(rehearsal, "before POST /rail/charges") - 6  # from the turn that takes the PIN
    for first in killed(plain, spread([n for n in moments(rehearsal) if n >= paid], 6)):
        points = spread(moments(lanes.rehearse(first)), 6)
        report(lanes.play(killed(first, points)), len(points))


@pytest.mark.parametrize("kind", KINDS)
def test_killed_three_times(lanes: Lanes, kind: str) -> None:
    """A machine that keeps falling over: each life gets a little further."""
    case = Case(kind, "purse", restart=RESTART)
    start = point(lanes.rehearse(case), "before POST /rail/charges")
    cases = [replace(case, kills=(start, n, 1 + n % 20)) for n in range(4, 60, 4)]
    report(lanes.play(cases), len(cases))
