"""Seeded weather for a house: who is killed or frozen, at which moment of the business, and for how long he is away."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import sqlalchemy as sa

from benchmarks.paying import crowd
from data.store.engine import Store, Tx
from data.store.payments import payments
from integrations.sandbox.control import SandboxControl
from integrations.sandbox.fault_kinds import FaultKind as K
from payments.states import FINAL
from tests.crash.chaos import House, Process
from tests.crash.labour import LEASE
from tests.databases import SEALER

_LOOK_SECONDS = 0.05
BUSINESS_SECONDS = 400.0
_LARGE = 100  # payments
_DEAF_USES = 14
_LONGER_THAN_A_LEASE = LEASE.total_seconds() + 0.7
# What goes wrong at rail and biller besides: time-outs after the effect, lost and half answers, and wild callbacks.
TROUBLES = (
    K.TIMEOUT_THEN_PAID_AFTER,
    K.TIMEOUT_NEVER_PAID,
    K.LOST_ANSWER,
    K.HALF_ANSWER,
    K.ERROR_500,
    K.ERROR_500_AFTER,
    K.GARBLED_ANSWER,
    K.DUPLICATE_CALLBACK,
    K.DUPLICATE_CALLBACK,
    K.REORDERED_CALLBACKS,
)


class Blow(StrEnum):
    """What strikes. Who is killed comes back; who is frozen goes on as if no time had passed."""

    WORKER = "kill -9 of a worker, back under its name"
    WORKER_RENAMED = "kill -9 of a worker, another one in its place"
    COUNTER = "kill -9 of the counter"
    TOWN = "kill -9 of the sandbox"
    POSTGRESQL = "kill -9 of PostgreSQL"
    FREEZE_WORKER = "SIGSTOP of a worker for longer than a lease"
    FREEZE_COUNTER = "SIGSTOP of the counter for longer than a lease"
    FREEZE_TOWN = "SIGSTOP of the sandbox for longer than an answer is waited for"

    @property
    def kills(self) -> bool:
        return self.value.startswith("kill")


@dataclass(frozen=True)
class Strike:
    """A blow when so many payments were begun, some milliseconds later, and away for some time (seconds)."""

    blow: Blow
    after: int
    delay: float
    away: float
    whom: int


@dataclass
class Weather:
    """What happened in a storm, for the judge and for the story of a failure."""

    seed: str
    kills: int = 0
    struck_at_work: int = 0  # payments somebody was working on at the instants of the blows
    stuck: str = ""  # what was waited for in vain
    story: list[str] = field(default_factory=list)


def plan(seed: str, size: int, blows: Sequence[Blow]) -> list[Strike]:
    """The blows in an order of chance, spread over the whole business of `size` payments."""
    dice = random.Random(seed)
    order = list(blows)
    dice.shuffle(order)
    # The first one meets a house at work, the last one leaves it something to do.
    gap = size * 0.9 / len(order)
    return [
        Strike(
            blow,
            int(size * 0.05 + gap * (n + dice.random() * 0.6)),
            dice.uniform(0, 0.25),
            dice.uniform(0.1, 1.2),
            dice.randrange(100),
        )
        for n, blow in enumerate(order)
    ]


def strike_all(
    house: House, seed: str, blows: Sequence[Blow], *, percent: int = 12, patience: float = BUSINESS_SECONDS
) -> Weather:
    """Lets the storm pass over a house at business; returns when the last yes is given and everybody is back.

    `percent` of the calls at rail and biller go wrong. Whatever is waited for comes within `patience` seconds, or the
    weather tells what did not.
    """
    weather = Weather(seed)
    dice = random.Random(f"{seed} faults")
    number = dice.randrange(2**32)
    house.town_do(lambda control: _trouble(control, number, percent, house.size.payments))
    store = Store.open(house.url, SEALER)
    try:
        for strike in plan(seed, house.size.payments, blows):
            if not _await_payments(house, weather, store, strike.after, patience):
                return weather
            time.sleep(strike.delay)
            weather.struck_at_work += store.run_now(_at_work)
            _tell(house, weather, strike)
            _strike(house, strike)
            weather.kills += strike.blow.kills
        if not _await_payments(house, weather, store, house.size.payments, patience):
            return weather
    finally:
        store.close()
    weather.story.append(f"{_clock(house)} the last yes")
    return weather


async def _trouble(control: SandboxControl, seed: int, percent: int, size: int) -> None:
    await control.seed_faults(seed, *TROUBLES, percent=percent)
    # One meter whose write-off the biller answers for so long with nothing but errors that a person is called.
    if size >= _LARGE:
        deaf = next(iter(crowd(1).accounts))
        await control.fault("biller", K.ERROR_500, account=deaf, operation="post", uses=_DEAF_USES)
    # A few definite noes, so that money also goes back and payments end in every way.
    for n in range(max(1, size // 50)):
        await control.plan("rail", "charge", *["none"] * (7 + n % 5), K.DECLINED)
        await control.plan("biller", "post", *["none"] * (5 + n % 7), K.DECLINED)


def _at_work(tx: Tx) -> int:
    held = sa.select(sa.func.count()).where(payments.c.lease_owner.is_not(None))
    return int(tx.conn.scalar(held) or 0)


def _await_payments(house: House, weather: Weather, store: Store, count: int, patience: float) -> bool:
    """Until so many payments are begun; those of a meter that waits for a person are not waited for."""
    until = time.monotonic() + patience
    while (missing := store.run_now(lambda tx: count - _begun_or_stuck(tx, house))) > 0:
        if time.monotonic() > until:
            weather.stuck = f"lost: {missing} of {count} payments were never begun"
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def _begun_or_stuck(tx: Tx, house: House) -> int:
    count = sa.select(payments.c.account, sa.func.count()).group_by(payments.c.account)
    begun = {row[0]: row[1] for row in tx.conn.execute(count)}
    stuck = set(tx.conn.scalars(sa.select(payments.c.account).where(payments.c.state == "needs_human")))
    return sum(house.size.rounds if home in stuck else made for home, made in begun.items())


def open_payments(tx: Tx) -> list[str]:
    """Payments that are not over and that no person looks at."""
    ended = [state.value for state in FINAL] + ["needs_human"]
    return list(tx.conn.scalars(sa.select(payments.c.id).where(payments.c.state.not_in(ended))))


def _tell(house: House, weather: Weather, strike: Strike) -> None:
    weather.story.append(
        f"{_clock(house)} after {strike.after} payments: {strike.blow}, away for {strike.away:.1f} s"
    )


def _clock(house: House) -> str:
    return f"{time.monotonic() - house.begun:6.1f} s"


def _strike(house: House, strike: Strike) -> None:
    worker = house.workers[strike.whom % len(house.workers)]
    match strike.blow:
        case Blow.WORKER:
            _killed(worker, strike.away)
        case Blow.WORKER_RENAMED:
            _killed(worker, strike.away, anew=f"{worker.name}-{worker.lives}")
        case Blow.COUNTER:
            _killed(house.counter, strike.away)
        case Blow.TOWN:
            _killed(house.town, strike.away)
        case Blow.POSTGRESQL:
            assert house.postgresql is not None
            house.postgresql.kill()
            time.sleep(strike.away)
            house.postgresql.start()
        case Blow.FREEZE_WORKER:
            _frozen(worker, _LONGER_THAN_A_LEASE)
        case Blow.FREEZE_COUNTER:
            _frozen(house.counter, _LONGER_THAN_A_LEASE)
        case Blow.FREEZE_TOWN:
            _frozen(house.town, strike.away)


def _killed(whom: Process, away: float, anew: str = "") -> None:
    whom.kill()
    time.sleep(away)
    whom.spec["name"] = anew or whom.name
    whom.start()


def _frozen(whom: Process, away: float) -> None:
    whom.freeze()
    time.sleep(away)
    whom.thaw()
