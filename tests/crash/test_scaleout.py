"""Several workers, one PostgreSQL: whoever dies, is stopped, is cut off or goes home, everybody's payment ends exactly once."""

from __future__ import annotations

import asyncio
import random
import signal
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from data.ids import PaymentId
from tests.crash.together import Street, running, street, until
from tests.databases import Databases

pytestmark = [pytest.mark.crash, pytest.mark.timeout(600)]

# Of the issue, from the death to the last payment; the gateway's own time comes on top.
TAKEN_OVER_SECONDS = 5.0
FEW = 6
_SLOW = 1.0


async def busy(at: Street, name: str, payments: int = FEW) -> list[PaymentId]:
    """New payments at a rail that takes its time, some of them in the hands of this worker now."""
    await at.slow_rail(_SLOW, payments)
    some = await at.agree(payments)
    await until(lambda: at.held_by(name) > 0, f"{name} to work")
    return some


async def test_the_frozen_and_the_cut_off_are_relieved_and_nothing_happens_twice(
    databases: Databases, tmp_path: Path
) -> None:
    """One worker stays; beside it another freezes, comes back to find its work done, loses its line and goes on."""
    async with street(databases, tmp_path, 3 * FEW) as at:
        with running(at.wanted("stays")), running(at.wanted("freezes")) as freezes:
            some = await busy(at, "freezes")
            freezes.send(signal.SIGSTOP)
            # The kernel answers for a stopped process: only when its line is cut it is taken for dead.
            assert at.cut("freezes") == 1
            await at.all_end(some)
            freezes.send(signal.SIGCONT)
            some = await at.agree(FEW)
            at.cut("freezes")
            await at.all_end(some)
            # It has its name again and works on.
            some = await busy(at, "freezes")
            assert freezes.ends() == 0
            await at.all_end(some)
        await at.judge()


async def test_a_rolling_deploy_a_death_and_a_rollback_strand_nothing(
    databases: Databases, tmp_path: Path
) -> None:
    """The new program starts beside the old one, which is told to end; then the new one dies for good beside the old one."""
    async with street(databases, tmp_path, 3 * FEW) as at:
        with ExitStack() as lives:
            old = lives.enter_context(running(at.wanted("old")))
            new = lives.enter_context(running(at.wanted("new", version="2")))
            some = await busy(at, "old")
            assert old.ends() == 0
            assert at.held_by("old") == 0, "what was under way has ended, the rest is nobody's"
            await at.all_end(some)

            lives.enter_context(running(at.wanted("old-again")))
            some = await busy(at, "new")
            new.dies()
            await at.all_end(some)
            await at.all_end(await at.agree(FEW))
        await at.judge()


@pytest.mark.prove
async def test_after_a_death_everything_ends_within_five_seconds(
    databases: Databases, tmp_path: Path
) -> None:
    """Ten times: two workers, one killed with payments in its hands; the gateway's own time is not counted."""
    async with street(databases, tmp_path, 240) as at:
        with running(at.wanted("stays")):
            for n in range(10):
                with running(at.wanted(f"dies-{n}")) as dies:
                    some = await busy(at, dies.name, 24)
                    dies.dies()
                    took = await until(partial(at.idle, dies.name), "its payments to be let go")
                    assert took <= TAKEN_OVER_SECONDS, f"round {n}: {took:.1f} s"
                    await at.all_end(some)
        await at.judge()


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(3))
async def test_four_workers_under_random_trouble(databases: Databases, tmp_path: Path, seed: int) -> None:
    """Two hundred payments while workers are killed, stopped, cut off, sent home and replaced at random."""
    dice = random.Random(seed)
    async with street(databases, tmp_path, 200) as at:
        with ExitStack() as lives:
            workers = [lives.enter_context(running(at.wanted(f"w{n}"))) for n in range(4)]
            await at.slow_rail(0.3, 100)
            for n in range(20):
                await at.agree(10)
                await asyncio.sleep(dice.uniform(0, 0.5))
                one = dice.choice(workers)
                match dice.randrange(4):
                    case 0:
                        one.dies()
                    case 1:
                        assert one.ends() == 0
                    case 2:
                        at.cut(one.name)
                        continue
                    case _:
                        one.send(signal.SIGSTOP)
                        at.cut(one.name)
                        await asyncio.sleep(dice.uniform(0, 5))
                        one.send(signal.SIGCONT)
                        continue
                workers.remove(one)
                workers.append(lives.enter_context(running(at.wanted(f"w{4 + n}"))))
            await at.all_end(at.made)
        await at.judge()
