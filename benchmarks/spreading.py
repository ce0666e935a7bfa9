"""What it costs to share the work: durable payments by one, two and four workers on one PostgreSQL, and how soon a dead one is relieved."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.figures import Row, Spread, why_missed
from benchmarks.starting import cpu_of
from payments.limits import Limits
from tests.crash.together import Street, Worker, running, street, until
from tests.databases import Databases

Tell = Callable[[str], None]

_DEARER = 1.15  # processor time of a payment, at most, against one worker
_RELIEVED_SECONDS = 5.0
_IDLE_SECONDS = 2.0
# As the shipped worker has them.
_SCAN_SECONDS = 1.0
_AT_ONCE = 8


@dataclass(frozen=True)
class _Round:
    """One round: payments, how long they took, and the workers' processor time, idle and at work."""

    payments: int
    seconds: float
    cpu_ms: float
    idle_ms_a_second: float

    @property
    def cpu_each(self) -> float:
        """Processor milliseconds a payment."""
        return self.cpu_ms / self.payments

    @property
    def net_each(self) -> float:
        """The same without what the workers would have used for looking while nothing is to be done."""
        return max(0.1, self.cpu_ms - self.seconds * self.idle_ms_a_second) / self.payments


def shared(databases: Databases, crews: Sequence[int], payments: int, rounds: int, tell: Tell) -> list[Row]:
    """Payments that wait in the rows when the workers are let loose: their processor time for each, whoever carried it.

    Everything counts, looking for work and for the dead as well. `crews` are growing numbers of workers, the first of
    them one. At the end they are killed one by one with payments in their hands, and the clock runs until somebody else
    may carry those on.
    """
    with tempfile.TemporaryDirectory(prefix="bangjiao-spread-") as folder:
        return asyncio.run(_measured(databases, Path(folder), crews, payments, rounds, tell))


async def _measured(
    databases: Databases, folder: Path, crews: Sequence[int], payments: int, rounds: int, tell: Tell
) -> list[Row]:
    deaths = max(crews) - 1
    enough = max(payments, 2 * max(crews) * _AT_ONCE)  # so that nobody's hands stay empty
    households = len(crews) * (rounds + 1) * payments + deaths * enough
    found: dict[int, list[_Round]] = {n: [] for n in crews}
    async with street(databases, folder, households) as at:
        with ExitStack() as lives:
            workers: list[Worker] = []
            for n in crews:
                workers += [_start(lives, at, f"worker-{k}") for k in range(len(workers), n)]
                await at.all_end(await at.agree(payments))  # a worker's first ones are dearer
                for k in range(rounds):
                    tell(f"spreading, {n} workers, round {k + 1} of {rounds}")
                    found[n].append(await _round(at, workers, payments))
            relieved = [await _relieved(at, workers, enough, tell) for _ in range(deaths)]
        doubles = await _doubles(at)
    rows = [_row(n, found[n], found[1], doubles) for n in crews[1:]]
    return [*rows, _relief(Spread.of(relieved))]


def _start(lives: ExitStack, at: Street, name: str) -> Worker:
    """A worker with the leases and the pace of the shipped one."""
    lease = Limits().lease.total_seconds()
    wanted = at.wanted(name, lease_seconds=lease, scan_seconds=_SCAN_SECONDS, at_once=_AT_ONCE)
    return lives.enter_context(running(wanted))


async def _round(at: Street, workers: Sequence[Worker], payments: int) -> _Round:
    before = _cpu(workers)
    await asyncio.sleep(_IDLE_SECONDS)
    idle = (_cpu(workers) - before) / _IDLE_SECONDS
    _tell_all(workers, signal.SIGSTOP)
    some = await at.agree(payments)
    before = _cpu(workers)
    _tell_all(workers, signal.SIGCONT)
    seconds = await at.all_end(some)
    return _Round(payments, seconds, _cpu(workers) - before, idle)


async def _relieved(at: Street, workers: list[Worker], payments: int, tell: Tell) -> float:
    """Seconds from the death of the last of them until nothing is in its hands any more; its peers live on."""
    dies = workers[-1]
    tell(f"spreading, the death of {dies.name}")
    _tell_all(workers, signal.SIGSTOP)  # so that its peers leave it something
    await at.slow_rail(1.0, payments)
    some = await at.agree(payments)
    _tell_all(workers, signal.SIGCONT)
    await until(lambda: at.held_by(dies.name) > 0, "it to work")
    workers.pop().dies()
    seconds = await until(partial(at.idle, dies.name), "its payments to be let go")
    await at.all_end(some)
    return seconds


async def _doubles(at: Street) -> int:
    """Orders that were collected or written off more than once."""
    seen = await at.control.inspect()
    collected = [c.order for c in seen.captures]
    posted = [p.order for p in seen.posts if p.state == "settled"]
    return len(collected) - len(set(collected)) + len(posted) - len(set(posted))


def _cpu(workers: Sequence[Worker]) -> float:
    return sum(cpu_of(w.process.pid) for w in workers)


def _tell_all(workers: Sequence[Worker], sign: signal.Signals) -> None:
    for worker in workers:
        worker.send(sign)


def _row(count: int, ours: list[_Round], alone: list[_Round], doubles: int) -> Row:
    each, one = Spread.of(r.cpu_each for r in ours), Spread.of(r.cpu_each for r in alone)
    ratio = each.median / one.median
    met = ratio <= _DEARER and not doubles
    seconds = Spread.of(r.seconds for r in ours).median
    return Row(
        f"durable payments woken by {count} workers on one PostgreSQL, processor time of each payment", "ms", each,
        "one worker", one, ratio, f"≤ {_DEARER} × one, 0 doubles", met,
        "" if met else why_missed(each.median * ours[0].payments, seconds * 1e3), each.median,
        {
            "doubles": float(doubles),
            "payments_a_second": ours[0].payments / seconds,
            "payments_a_second_alone": alone[0].payments / Spread.of(r.seconds for r in alone).median,
            "idle_ms_a_second_of_each": Spread.of(r.idle_ms_a_second / count for r in ours).median,
            "ratio_without_looking_for_work": Spread.of(r.net_each for r in ours).median
            / Spread.of(r.net_each for r in alone).median,
        },
    )  # fmt: skip


def _relief(seconds: Spread) -> Row:
    lease = Limits().lease.total_seconds()
    met = seconds.most <= _RELIEVED_SECONDS
    return Row(
        "a worker dies for good: until its payments may be carried on", "s", seconds,
        "waiting until its leases run out", Spread.of([lease]), seconds.median / lease,
        f"≤ {_RELIEVED_SECONDS:.0f} s", met, "" if met else why_missed(0, 1),
    )  # fmt: skip
