"""`kill -9` at any moment of a payment, restart: it ends exactly once, and the person is told the truth."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.crash.lane import Case, Fault
from tests.crash.sweep import Lanes, killed, moments, point, spread
from tests.databases import KINDS

pytestmark = [pytest.mark.crash, pytest.mark.timeout(600)]

FEWEST = 30
MANY = 40
FEW = 6
SQLITE = "sqlite"
_SHOWN = 8

LATE = Fault("rail", "timeout_then_paid_after", 20)
LOST = Fault("rail", "lost_answer")


@pytest.mark.parametrize(("kind", "story"), [*((kind, "purse") for kind in KINDS), (SQLITE, "page")])
def test_killed_at_any_moment(lanes: Lanes, kind: str, story: str) -> None:
    """Evenly over the whole payment, first and last moment included (every single one, on both databases: make prove)."""
    case = Case(kind, story)
    points = spread(moments(lanes.rehearse(case)), MANY if story == "purse" else FEWEST)
    assert len(points) >= FEWEST
    report(lanes.play(killed(case, points)), len(points))


@pytest.mark.parametrize("kind", KINDS)
def test_killed_while_a_mandate_fires(lanes: Lanes, kind: str) -> None:
    """Between the reading, the debit's row, the charge and the write-off: once, and payer and elder are told the truth."""
    case = Case(kind, "mandate")
    rehearsal = lanes.rehearse(case)
    reads = point(rehearsal, "before POST /billers/bj-electricity/balances")
    points = spread([n for n in moments(rehearsal) if n >= reads], FEWEST)
    report(lanes.play(killed(case, points)), len(points))


@pytest.mark.parametrize("fault", [LATE, LOST], ids=lambda f: f.kind)
@pytest.mark.parametrize("kind", KINDS)
def test_killed_while_the_rail_fails(lanes: Lanes, kind: str, fault: Fault) -> None:
    """From the moment the rail is asked to collect: before that the fault has struck nobody."""
    case = Case(kind, "purse", fault)
    rehearsal = lanes.rehearse(case)
    asked = point(rehearsal, "before POST /rail/charges")
    points = spread([n for n in moments(rehearsal) if n >= asked], FEW)
    report(lanes.play(killed(case, points)), len(points))


@pytest.mark.parametrize("kind", KINDS)
def test_killed_again_while_it_recovers(lanes: Lanes, kind: str) -> None:
    """The first life dies with the collected money in its hand, the second anywhere on its way back."""
    plain = Case(kind, "purse")
    (first,) = killed(plain, [point(lanes.rehearse(plain), "answered POST /rail/charges")])
    points = spread(moments(lanes.rehearse(first)), FEW)
    report(lanes.play(killed(first, points)), len(points))


@pytest.mark.parametrize(
    ("mutant", "dies_at", "seen"),
    [
        ("sends under a new number", "answered POST /rail/charges", "the rail collected [12592, 12592"),
        ("forgets what was under way", "before POST /rail/charges", "never told|was forgotten"),
        ("tells news again", "answered POST /billers/sh-electricity/posts", "was written 2 times"),
    ],
)
def test_the_judge_sees_mistakes(lanes: Lanes, mutant: str, dies_at: str, seen: str) -> None:
    """A sweep that finds nothing is worth as much as what it would have found."""
    good = Case(SQLITE, "purse")
    (case,) = killed(replace(good, mutant=mutant), [point(lanes.rehearse(good), dies_at)])
    found = "\n".join(lanes.broken(case))
    assert any(words in found for words in seen.split("|")), found


def report(found: list[str], played: int) -> None:
    """The broken promises with their points; the first ones are enough to begin with."""
    assert not found, f"{len(found)} promises broken at {played} points:\n" + "\n".join(found[:_SHOWN])
