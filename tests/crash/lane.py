"""Plays one payment through lives that are killed and lives that recover, and gathers everybody's testimony."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from data import catalogue
from data.clock import shanghai
from data.ids import AccountId, PersonId
from data.money import Money
from data.store.engine import Tx
from data.town import load_world
from integrations.sandbox.control import SandboxControl
from integrations.sandbox.control_wire import Inspection, Side
from payments.acts import Confirmed, Evidence
from payments.authority import accounts, enrol, numbers
from payments.limits import Limits
from payments.terms import MandateKind, ProposedMandate, Terms
from payments.till import Till
from tests.crash.life import Spec, line_of
from tests.crash.resident import STORIES
from tests.databases import Databases
from tests.servers import ROOT, SandboxHandle, start_sandbox

START = load_world().start
RESTART = timedelta(seconds=2)
KILLED = -9


@dataclass(frozen=True)
class Fault:
    """What goes wrong outside, at the first call of its kind. `seconds` as the sandbox takes them."""

    side: str
    kind: str
    seconds: float = 0

    @property
    def name(self) -> str:
        return f"{self.side}:{self.kind}"


@dataclass(frozen=True)
class Case:
    """One payment. `kills`: the point at which the first, the second … life ends; the last one is not killed."""

    kind: str  # of database
    story: str
    fault: Fault | None = None
    kills: tuple[int, ...] = ()
    restart: timedelta = RESTART
    mutant: str = ""  # a mistake put into every life

    def __str__(self) -> str:
        fault = f" {self.fault.name}" if self.fault else ""
        pause = f" restart after {self.restart}" if self.restart != RESTART else ""
        return f"{self.kind} {self.story}{fault}{pause} killed at {self.kills}"


@dataclass
class Told:
    """The log of one life, as the world outside remembers it."""

    exit: int
    lines: list[tuple[str, Any]]
    town: Inspection  # right after its end

    def all(self, what: str) -> list[Any]:
        return [value for name, value in self.lines if name == what]

    def one(self, what: str) -> Any:
        return next(iter(self.all(what)), None)


@dataclass
class Played:
    """What came of a case. `url` is valid while the case lasts."""

    case: Case
    url: str
    lives: list[Told] = field(default_factory=list)

    @property
    def last_point(self) -> str:
        """Where the last killed life ended."""
        killed = [life for life in self.lives if life.exit == KILLED]
        return str(killed[-1].all("point")[-1]) if killed else "-"


class Nursery:
    """Client of tests.crash.nursery."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def bear(self, spec: Spec) -> int:
        """Lets one life happen; how it ended (-9: killed)."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line_of(spec) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the nursery is gone"
        return int(json.loads(answer)["exit"])


@contextmanager
def nursery() -> Iterator[Nursery]:
    """A nursery until the block ends. Its arithmetic uses one thread, or it could not fork."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.crash.nursery"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Nursery(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(10)


@dataclass
class Lane:
    """One sandbox and one nursery: one case after the other."""

    databases: Databases
    town: SandboxHandle
    births: Nursery
    folder: Path
    count: int = 0

    @contextmanager
    def played(self, case: Case) -> Iterator[Played]:
        """Plays the case from a fresh town and a fresh database."""
        with self.databases.url(case.kind, agreed if STORIES[case.story].by_itself else enrolled) as url:
            asyncio.run(self._fresh_town(case.fault))
            played = Played(case, url)
            spec = self._first(case, url)
            for kill_at in (*case.kills, 0):
                spec = replace(spec, log=self._log(), kill_at=kill_at)
                played.lives.append(self._live(spec))
                if played.lives[-1].exit != KILLED:
                    break
                spec = self._next(spec, played.lives[-1], case.restart)
            yield played

    def _first(self, case: Case, url: str) -> Spec:
        return Spec(
            log="",
            database_url=url,
            gateway_url=self.town.url,
            gateway_secret=self.town.secret,
            control_token=self.town.control_token,
            story=case.story,
            mutant=case.mutant,
            at=START.isoformat(),
            timeout_seconds=0.5 if case.fault else 10.0,
        )

    def _log(self) -> str:
        self.count += 1
        return str(self.folder / f"life-{self.count}.jsonl")

    def _live(self, spec: Spec) -> Told:
        ended = self.births.bear(spec)
        text = Path(spec.log).read_text("utf-8")
        lines = [next(iter(json.loads(line).items())) for line in text.splitlines()]
        return Told(ended, lines, asyncio.run(self._testimony()))

    def _next(self, spec: Spec, life: Told, restart: timedelta) -> Spec:
        """What the world remembers of a killed life, for the next one."""
        acknowledged = set(life.all("acknowledged"))
        sent = {delivery["id"]: delivery for delivery in (*spec.pending, *life.all("sent"))}
        at = datetime.fromisoformat((life.all("clock") or [spec.at])[-1])
        answered, inputs = (life.all("spoke") or [(spec.answered, spec.inputs)])[-1]
        mine = [m for m in life.all("told") if m["person"] == STORIES[spec.story].person]
        return replace(
            spec,
            at=(at + restart).isoformat(),
            pending=tuple(d for id, d in sent.items() if id not in acknowledged),
            seen=(*spec.seen, *mine),
            answered=answered,
            inputs=inputs,
        )

    async def _fresh_town(self, fault: Fault | None) -> None:
        async with self._back_door() as control:
            await control.load_world(load_world(), START)
            await control.callbacks_to(None)
            # Enough to be charged twice: a purse too small for it would hide the mistake.
            for purse in ("pm-cheng", "pm-limin"):
                await control.set_funds(purse, Money(100_000))
            if fault is not None:
                await control.fault(Side(fault.side), fault.kind, seconds=fault.seconds)

    async def _testimony(self) -> Inspection:
        async with self._back_door() as control:
            return await control.inspect()

    @asynccontextmanager
    async def _back_door(self) -> AsyncIterator[SandboxControl]:
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            yield SandboxControl(self.town.url, self.town.control_token, client)


def enrolled(tx: Tx) -> None:
    """Everybody of the demo town, at its start; who has no purse has at least her own meter saved."""
    world, page = load_world(), STORIES["page"]
    enrol.enrol_world(tx, world, START)
    account = numbers.add_account(tx, world.accounts[AccountId(page.account)].account, START)
    accounts.save_for(tx, PersonId(page.person), account, "", START)


def agreed(tx: Tx) -> None:
    """The same town, and a daughter whose purse tops her father's meter up: it holds less than the threshold already."""
    enrolled(tx)
    story, till = STORIES["mandate"], Till(catalogue.load(), Limits())
    payer, amount = PersonId(story.person), Money(story.fen)
    terms = Terms(
        MandateKind.TOP_UP,
        AccountId(story.account),
        per_charge=amount,
        per_month=amount * 3,
        valid_until=shanghai(START).date() + timedelta(days=365),
        below=Money(2_000),
        amount=amount,
    )
    proposed = till.propose_mandate(tx, proposer=payer, terms=terms, channel=story.channel, at=START)
    assert isinstance(proposed, ProposedMandate), proposed
    yes = Evidence("before", story.channel, payer, "word", "pin", words="read back", wording="before")
    done = till.confirm(tx, act=proposed.act, digest=proposed.digest, evidence=yes, at=START)
    assert isinstance(done, Confirmed), done


@contextmanager
def lane(databases: Databases, folder: Path) -> Iterator[Lane]:
    """A lane with a sandbox and a nursery of its own, with its logs in `folder`."""
    folder.mkdir()
    with start_sandbox(folder) as town, nursery() as births:
        yield Lane(databases, town, births, folder)
