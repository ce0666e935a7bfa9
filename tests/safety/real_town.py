"""The real application as an attacker meets it: one or several processes over one database, the sandbox over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

import bot.app
from bot import demo
from bot.app import Application, Words, read_words
from bot.playground import GIVEN_SINCE, Playground, evidence
from bot.playground.enrolled import shipped_world
from bot.settings import Settings
from data.events import InboundEvent, InboundKind
from data.ids import PersonId
from data.store.engine import Store, Tx
from data.store.schema import metadata
from dialogues import staffing
from dialogues.desk import Served
from dialogues.expectation import expectation
from dialogues.testing import invariants
from dialogues.testing.invariants import Stopped, Turn, View
from dialogues.testing.world import Sent, Stage
from payments.authority import enrol
from tests.databases import KINDS, SEALER, Databases

SECRET = "a-secret-of-the-tests-only-0123456789"
WORLD = shipped_world


@cache
def words() -> Words:
    """Flows and trained words are read once: no test changes them."""
    return read_words(Settings())


def enrolled(tx: Tx) -> None:
    """Everybody of the town, as they stood the day before."""
    enrol.enrol_world(tx, WORLD(), GIVEN_SINCE)


@dataclass
class RealTown(Playground):
    """A playground on any of the two databases, whose application may run several times at once.

    `more` are further processes: their own desk, till, connections and locks, nothing shared but the database.
    """

    url: str = ""
    patience_seconds: float = 3.0
    gateway_seconds: float = 0.25
    more: list[Application] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    stops: list[Stopped] = field(default_factory=list)
    spoken: dict[str, str] = field(default_factory=dict)
    seen: int = 0
    count: int = 0

    # --- building ---------------------------------------------------------------------------------------------

    async def open(self, *people: str, channel: str = "telegram", locale: str = "") -> RealTown:
        """Opens the town for these people, on one kind of channel."""
        locales = dict.fromkeys(people, locale) if locale else {}
        await self.start(Stage(channels=dict.fromkeys(people, channel), locales=locales))
        await self._quietly()
        await self._begin()
        return self

    def _build(self) -> None:
        self._application = self._process("worker-1")
        desk = self._application.desk
        desk.house = replace(desk.house, observe=self.recorder.observe)

    def _process(self, executor: str) -> Application:
        settings = self.settings.model_copy(
            update={
                "database_url": self.url,
                "secret": SecretStr(SECRET),
                "gateway_url": self.town.url,
                "gateway_secret": SecretStr(self.town.secret),
                "gateway_timeout_seconds": self.gateway_seconds,
                "patience_seconds": self.patience_seconds,
                "executor": executor,
                "town": True,
            }
        )
        return bot.app.build(settings, clock=self.clock, store=Store.open(self.url, SEALER), words=words())

    def another_process(self) -> Application:
        """The same application once more on the same database."""
        self.more.append(self._process(f"worker-{len(self.more) + 2}"))
        return self.more[-1]

    async def close(self) -> None:
        """Ends every process and forgets everything."""
        for process in self.more:
            await process.close()
        await super().close()

    # --- people act -------------------------------------------------------------------------------------------

    def message(
        self, person: str, text: str = "", *, token: str = "", id: str = "", kind: InboundKind | None = None
    ) -> InboundEvent:
        """Something this person does, as his channel delivers it."""
        self.count += 1
        self.spoken[person] = f"{self.spoken.get(person, '')}\n{text}"
        return InboundEvent(
            self.channel_of(person),
            id or f"e{self.count}",
            PersonId(person),
            kind or (InboundKind.BUTTON if token else InboundKind.TEXT),
            self.clock.now(),
            text=text,
            payload={"token": token} if token else {},
        )

    async def do(self, event: InboundEvent, process: Application | None = None) -> list[str]:
        """Serves one event and all that follows at this instant; the texts its person was sent meanwhile."""
        newest = await self.app.store.run(evidence.last_letter)
        self.turns.append(Turn(event.person, self.clock.now(), 0))
        await (process or self.app).desk.serve(event)
        await self.settle()
        since = await self.app.store.run(lambda tx: evidence.sent(tx, newest))
        return [s.text for s in since if s.person == event.person]

    async def settle(self) -> None:
        """All that follows at this instant, in every process."""
        for process in (self.app, *self.more):
            await process.desk.rest()
        await self._settle()

    async def later_by(self, by: timedelta) -> None:
        """Time passes; what becomes due happens in its order."""
        await self._advance(by)

    async def says(self, person: str, *lines: str) -> list[str]:
        """The person writes these lines, one after the other; what he was sent after the last one."""
        heard: list[str] = []
        for line in lines:
            heard = await self.do(self.message(person, line))
        return heard

    async def at_once(self, *what: tuple[Application, InboundEvent]) -> list[Served]:
        """Several processes are given something in the same moment."""
        served = await asyncio.gather(*(process.desk.serve(event) for process, event in what))
        await self.settle()
        return list(served)

    async def button(self, person: str, title: str) -> str:
        """The token of the newest button with this title that the person was sent."""
        found = await self.app.store.run(lambda tx: evidence.buttons_of(tx, PersonId(person)))
        return [b.token for b in found if b.title == title][-1]

    async def code(self, person: str) -> str:
        """The newest one-time code on this person's other phone."""
        return await self.second_factor(person, "code")

    def pin(self, person: str) -> str:
        """The PIN this person chose."""
        return self.world.people[PersonId(person)].pin

    # --- looking ----------------------------------------------------------------------------------------------

    async def heard_by(self, person: str) -> list[Sent]:
        """Every message this person was sent on his own channel."""
        return [s for s in await self.sent() if s.person == person]

    async def captures(self) -> list[tuple[str, int]]:
        """What the rail really took, by the world's names: account and fen."""
        return [(c.account, c.fen) for c in (await self.facts()).captures or ()]

    async def asks(self, person: str) -> str | None:
        """What this person's talk waits for now."""
        talk = await self.app.store.run(lambda tx: staffing.peek(tx, PersonId(person)))
        release = self.app.desk.house.release
        return expectation(release, talk, talk.channel == "voice").asks if talk else None

    async def view(self, fresh_turn: Turn | None = None) -> View:
        """Everything sent and true until now, as the promises of every talk are judged by."""
        return View(await self.facts(), await self.sent(), 0, self.turns, self.stops, fresh_turn, self.spoken)

    async def broken(self) -> list[str]:
        """Every promise of talks (S-I) that does not hold now, those about money rows (M-I) among them."""
        found, _ = invariants.check(await self.view())
        return found

    def rows(self) -> str:
        """Every row of every table as text, as the database shows it to whoever may read it."""
        with self.app.store.engine.connect() as conn:
            tables = [conn.execute(sa.select(table)).all() for table in metadata.sorted_tables]
        return "\n".join(_shown(value) for rows in tables for row in rows for value in row)

    def database_bytes(self) -> bytes:
        """Every byte of the SQLite files, what is not yet merged from the log among them."""
        file = Path(self.url.removeprefix("sqlite:///"))
        found = sorted(file.parent.glob(f"{file.name}*"))
        assert any(path.name.endswith("-wal") for path in found), (
            "the write-ahead log is part of the database"
        )
        return b"".join(path.read_bytes() for path in found)


def _shown(value: Any) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


Towns = Callable[..., RealTown]


@contextmanager
def towns(databases: Databases, sandbox: demo.Town, folder: Path) -> Iterator[Towns]:
    """A maker of towns; everything they hold is given back on leaving."""
    with ExitStack() as kept:

        def make(kind: str = "sqlite", **how: Any) -> RealTown:
            url = kept.enter_context(databases.url(kind, enrolled))
            return RealTown(Settings(), sandbox, folder, url=url, world=WORLD(), **how)

        yield make


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[demo.Town]:
    """One sandbox process; every test loads the town anew."""
    with demo.sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def make_town(databases: Databases, sandbox: demo.Town, tmp_path: Path) -> Iterator[Towns]:
    """Makes towns on either database."""
    with towns(databases, sandbox, tmp_path) as make:
        yield make


@pytest.fixture
async def town(make_town: Towns) -> Any:
    """A town on SQLite, not yet opened; closed afterwards."""
    made = make_town()
    yield made
    await made.close()


@pytest.fixture(params=KINDS)
async def either(request: pytest.FixtureRequest, make_town: Towns) -> Any:
    """A town on each of the two databases, not yet opened; closed afterwards."""
    made = make_town(request.param)
    yield made
    await made.close()
