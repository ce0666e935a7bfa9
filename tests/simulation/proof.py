"""The long proof of the simulator in halves, so that each core tells one of them."""

from __future__ import annotations

import pytest

from payments.simulation.running import simulate

# Far from the seeds of every day, so that the proof is not the same test again.
FIRST = 1_000_000
STORIES, MONTHS = 100_000, 2_000
_PARTS = 5  # of each half


def parts(half: int, of: int) -> list[range]:
    """The seeds of one half, in parts that each are a test."""
    size = of // 2 // _PARTS
    begin = FIRST + half * of // 2
    return [range(begin + n * size, begin + (n + 1) * size) for n in range(_PARTS)]


def nothing_astray(seeds: range, months: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """All is well in these seeds; says what they cost."""
    found = simulate(seeds, months=months)
    with capsys.disabled():
        print(
            f"\n  {found.seeds} stories from {seeds.start}, {found.cpu_seconds / found.seeds * 1e3:.1f} ms each"
        )
    assert found.failures == []
