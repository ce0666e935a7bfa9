"""What the processes of the chaos proof do: the sandbox town, the real worker, and a counter where people say yes.

The worker is `bangjiao worker`, the counter is `bangjiao serve` with people at it who top their meters up again and again;
only their clock (it is always morning), their patience and the last step of a letter's way are the test's.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from benchmarks.paying import crowd
from bot import app, carrier, working
from bot.app import Application, build
from bot.channels import Delivery
from bot.serving import announce_json, pages, serve
from bot.settings import Settings
from data.ids import AccountId, PersonId, fresh
from data.money import Money
from data.store.engine import Tx
from data.store.payments import payments
from data.town.world import TownAccount
from dialogues import desk
from dialogues.model import Said
from integrations.sandbox.__main__ import main as town
from payments.acts import Confirmed, Evidence, LineWish, Proposed
from payments.limits import Limits
from payments.quoting import Quoted
from payments.states import FINAL
from tests.crash.life import Log
from tests.crash.mutants import spoil

LEASE = timedelta(seconds=4)
# Whoever died is missed after seconds instead of half a minute, and nobody waits three minutes to ask again.
# A person is called after seconds too, not after a day.
LIMITS = Limits(
    lease=LEASE,
    polls=tuple(timedelta(seconds=s) for s in (0.5, 1, 2)),
    unposted=timedelta(seconds=8),
    slow_poll=timedelta(seconds=2),
)
SECRET = "only for tests, never for people"
_GATEWAY_SECONDS = 1.5  # the rest of a lease is for a machine that is busy with other tests
_ROAD_SECONDS = 0.02
_LOOK_SECONDS = 0.2
_AT_ONCE = 6  # people served at the counter at the same time
_AMOUNTS = (1_000, 2_000, 3_000, 5_000, 10_000)


class Shifted:
    """The machine's clock, set to another day."""

    def __init__(self, seconds: float) -> None:
        self._ahead = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead


class Road:
    """A channel whose letters have arrived when they are written down; that it has them it says a little later."""

    def __init__(self, name: str, log: Log) -> None:
        self.name = name
        self._log = log

    async def send(self, person: PersonId, said: Said) -> Delivery:
        self._log.write("told", [person, said.payment, said.response])
        await asyncio.sleep(_ROAD_SECONDS)
        return Delivery.TAKEN


def prepare() -> None:
    """Reads what a worker reads only when it starts."""
    import dbos  # noqa: F401


def live(spec: dict[str, Any]) -> None:
    """One process of the proof, until it is told to end or is killed."""
    if spec["role"] == "town":
        os.environ["BANGJIAO_SANDBOX_SECRET"] = spec["gateway_secret"]
        os.environ["BANGJIAO_SANDBOX_CONTROL_TOKEN"] = spec["control_token"]
        town(
            ["--port", str(spec["port"]), "--database", spec["database"], "--callback-url", spec["callbacks"]]
        )
        return
    # Like the lease of a payment: who died is missed after seconds. A letter is held longer than anybody is frozen.
    desk._NEWS_AGAIN, carrier._LEASE = LEASE, 2 * LEASE
    app._LOOK_SECONDS = 5.0
    if spec["mutant"]:
        spoil(spec["mutant"])
    asyncio.run(_work(spec) if spec["role"] == "worker" else Counter(spec).live())


def _settings(spec: dict[str, Any]) -> Settings:
    return Settings(
        database_url=spec["database_url"],
        secret=SecretStr(SECRET),
        gateway_url=spec["gateway_url"],
        gateway_secret=SecretStr(spec["gateway_secret"]),
        gateway_timeout_seconds=_GATEWAY_SECONDS,
        executor=spec["name"],
    )


def _built(spec: dict[str, Any], settings: Settings) -> Application:
    log = Log(spec["log"])
    names = ("telegram", "web", "sms", "sms_before", "console", "voice")
    roads = {name: Road(name, log) for name in names}
    return build(settings, clock=Shifted(spec["ahead"]), limits=LIMITS, channels=roads)


async def _work(spec: dict[str, Any]) -> None:
    working.build = partial(_built, spec)  # type: ignore[assignment]
    await working.work(_settings(spec))


class Counter:
    """People who top their meters up, one payment of each meter at a time, until each has made its `rounds`."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.log = Log(spec["log"])
        self.dice = random.Random(spec["name"])
        self.homes = list(crowd(spec["homes"]).accounts.values())
        self.app = _built(spec, _settings(spec))
        self._served: set[AccountId] = set()

    async def live(self) -> None:
        """Serves pages and callbacks as `bangjiao serve` does, with people at the door."""
        listening = socket.create_server(("127.0.0.1", self.spec["port"]))
        people = asyncio.create_task(self._people())
        announce = partial(announce_json, serves=self.spec["name"])
        await serve(self.app, pages(self.app, demo=False), listening, announce)
        people.cancel()

    async def _people(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                for home in await self._whose_turn():
                    self._served.add(home.id)
                    tasks.create_task(self._pays(home))
                await asyncio.sleep(_LOOK_SECONDS)

    async def _whose_turn(self) -> list[TownAccount]:
        try:
            made, busy = await self.app.store.run(_standing)
        except sa.exc.DBAPIError:
            return []
        waiting = [
            home
            for home in self.homes
            if made.get(home.id, 0) < self.spec["rounds"] and home.id not in busy | self._served
        ]
        waiting.sort(key=lambda home: made.get(home.id, 0))
        return waiting[: max(0, _AT_ONCE - len(self._served))]

    async def _pays(self, home: TownAccount) -> None:
        """One payment from the question to the yes; whatever comes in between, somebody tries again later."""
        try:
            made = await self._says_yes(home)
            if made is not None and self.dice.random() < self.spec["at_once"]:
                await self.app.runner.advance_now(made.payments)
        except Exception as trouble:
            self.log.write("trouble", type(trouble).__name__)
        finally:
            self._served.discard(home.id)

    async def _says_yes(self, home: TownAccount) -> Confirmed | None:
        owner, clock, till = PersonId(str(home.holder)), self.app.clock, self.app.till
        quoted = await self.app.desk.quoting.quote(owner, home.id)
        if not isinstance(quoted, Quoted):
            return None
        wish = LineWish(home.id, quoted.quote.id, Money(self.dice.choice(_AMOUNTS)))
        act = await self.app.store.run(
            lambda tx: till.propose(tx, proposer=owner, wishes=[wish], channel="web", at=clock.now())
        )
        if not isinstance(act, Proposed):
            return None
        yes = Evidence(fresh("chaos"), "web", owner, "word", "pin")
        made = await self.app.store.run(
            lambda tx: till.confirm(tx, act=act.act, digest=act.digest, evidence=yes, at=clock.now())
        )
        if not isinstance(made, Confirmed):
            return None
        # From here on nobody may forget it: he was told that it will be paid.
        self.log.write("yes", [act.act, list(made.payments), wish.amount.fen])
        return made


def _standing(tx: Tx) -> tuple[dict[AccountId, int], set[AccountId]]:
    """How many payments each meter has had, and which have one that is not over."""
    rows = tx.conn.execute(sa.select(payments.c.account, payments.c.state)).all()
    made: dict[AccountId, int] = {}
    for row in rows:
        made[row.account] = made.get(row.account, 0) + 1
    ended = {state.value for state in FINAL} | {"refunding"}
    return made, {row.account for row in rows if row.state not in ended}


def lines_of(path: str, what: str) -> list[Any]:
    """What a process wrote down under this word."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as log:
        found = [json.loads(line) for line in log if line.endswith("\n")]
    return [value for line in found for name, value in line.items() if name == what]


__all__ = ["LEASE", "LIMITS", "SECRET", "Counter", "Shifted", "lines_of", "live", "prepare"]
