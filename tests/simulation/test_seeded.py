"""Nothing is collected twice, lost, or told otherwise than it is, whatever the dice bring."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.simulation.seeded import simulate

SEEDS = 60
SECONDS = 25
PROOF_SEEDS = 4_000


def test_weeks_by_dice() -> None:
    until = time.monotonic() + SECONDS
    played = 0
    for seed in range(SEEDS):
        assert simulate(seed) == [], f"seed {seed}"
        played += 1
        if time.monotonic() > until:
            break
    assert played >= 10, "too slow to say anything"


def test_a_seed_plays_the_same_week_again() -> None:
    from tests.simulation.seeded import Week, _same_ids

    def rows() -> list[tuple[object, ...]]:
        import asyncio

        import sqlalchemy as sa

        from data.store.payments import payments

        with _same_ids(7):
            week = Week(7)
            asyncio.run(week.go())
        return [
            tuple(r)
            for r in week.store.run_now(
                lambda tx: tx.conn.execute(
                    sa.select(payments.c.number, payments.c.state, payments.c.updated_at)
                ).all()
            )
        ]

    first = rows()
    assert first
    assert first == rows()


@pytest.mark.prove
def test_many_weeks_by_dice() -> None:
    # Far from the seeds of every day, so that the proof is not the same test again.
    with ProcessPoolExecutor(2) as processes:
        seeds = range(1_000_000, 1_000_000 + PROOF_SEEDS)
        for seed, breaches in zip(seeds, processes.map(simulate, seeds, chunksize=50), strict=True):
            assert breaches == [], f"seed {seed}"
