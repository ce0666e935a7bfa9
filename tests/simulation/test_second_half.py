"""Fifty thousand stories and a thousand households over months: the second half of the proof."""

from __future__ import annotations

import pytest

from tests.simulation.proof import MONTHS, STORIES, nothing_astray, parts

HALF = 1


@pytest.mark.prove
@pytest.mark.parametrize("seeds", parts(HALF, STORIES), ids=str)
def test_stories(seeds: range, capsys: pytest.CaptureFixture[str]) -> None:
    nothing_astray(seeds, False, capsys)


@pytest.mark.prove
@pytest.mark.parametrize("seeds", parts(HALF, MONTHS), ids=str)
def test_months(seeds: range, capsys: pytest.CaptureFixture[str]) -> None:
    nothing_astray(seeds, True, capsys)
