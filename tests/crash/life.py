"""One life of the application, in a process of its own: it serves a payment talk until all is told, or until it is killed.

What the outside world would remember of it (what was sent to it, what it acknowledged, what it told) is written to a
file line by line, so that the next life is treated as a real channel and a real rail would treat it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from bot.app import Application, build
from bot.channels import Delivery
from bot.settings import Settings
from data.clock import VirtualClock
from data.events import InboundEvent, InboundKind
from data.ids import PersonId
from data.model import Person
from data.store import letters
from data.store.engine import Tx
from data.store.payments import payments
from data.store.post import events, outbox
from data.store.talks import calls
from dialogues import wire
from dialogues.model import Said
from integrations.sandbox.control import SandboxControl
from payments.authority import people
from tests.crash.mutants import spoil
from tests.crash.points import MortalStore, Points, mind_the_outside
from tests.crash.resident import STORIES, Message, Resident
from tests.databases import SEALER

_SWEEP = timedelta(minutes=5)
_MOST_ROUNDS = 40
_HORIZON = timedelta(hours=3)


@dataclass(frozen=True)
class Spec:
    """Everything one life needs to know. `pending` was sent before and never acknowledged; `seen` was told before."""

    log: str
    database_url: str
    gateway_url: str
    gateway_secret: str = field(repr=False)
    control_token: str = field(repr=False)
    story: str
    at: str
    kill_at: int = 0
    mutant: str = ""
    timeout_seconds: float = 10.0
    pending: tuple[dict[str, Any], ...] = ()
    seen: tuple[Message, ...] = ()
    answered: int = 0  # so many of `seen` had come when the person last spoke
    inputs: int = 0


class Log:
    """A file that keeps every line although the process dies after it."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(self, what: str, value: Any) -> None:
        os.write(self._file, json.dumps({what: value}, ensure_ascii=False).encode() + b"\n")


class Road:
    """A channel to the person: what it was handed has arrived."""

    def __init__(self, name: str, resident: Resident, log: Log) -> None:
        self.name = name
        self._resident = resident
        self._log = log

    async def send(self, person: PersonId, said: Said) -> Delivery:
        message = {
            "person": person,
            "channel": self.name,
            **{k: getattr(said, k) for k in ("response", "text", "asks", "claims", "link", "payment")},
        }
        self._log.write("told", message)
        if person == self._resident.story.person:
            self._resident.seen.append(message)
        return Delivery.TAKEN


class Life:
    """The application and the world around it, as long as the process lives."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.story = STORIES[spec.story]
        self.log = Log(spec.log)
        self.points = Points(spec.kill_at, lambda name: self.log.write("point", name))
        self.clock = VirtualClock(datetime.fromisoformat(spec.at))
        self.resident = Resident(self.story, list(spec.seen), spec.answered)
        self.control = SandboxControl(spec.gateway_url, spec.control_token)
        self.end = self.clock.now() + _HORIZON
        self.inputs = spec.inputs
        self.app: Application

    async def live(self) -> None:
        """Serves until the person is content and nothing is due any more."""
        store = MortalStore.opened(self.spec.database_url, SEALER, self.points)
        store.migrate()
        self.log.write("found", await store.run(_found))
        mind_the_outside(self.points)
        if self.spec.mutant:
            spoil(self.spec.mutant)
        self.points.armed = True
        self.app = self._built(store)
        await self.control.set_clock(self.clock.now())
        for delivery in self.spec.pending:
            await self._deliver(delivery)
        at_rest = await self._goes_on()
        self.points.armed = False
        await self.control.aclose()
        await self.app.close()
        self.log.write("rest", at_rest and self.resident.content)

    async def _goes_on(self) -> bool:
        """The person acts, time passes, until neither has any reason to. False when there is no end of it."""
        for _ in range(_MOST_ROUNDS):
            if self.story.by_itself:
                await self.app.sweep()
            await self.app.beat()
            if not (await self._person_acts() or await self._time_passes()):
                return True
        return False

    def _built(self, store: MortalStore) -> Application:
        settings = Settings(
            gateway_url=self.spec.gateway_url,
            gateway_secret=SecretStr(self.spec.gateway_secret),
            gateway_timeout_seconds=self.spec.timeout_seconds,
            patience_seconds=60,  # real seconds: the machine's mood must not decide what is said
        )
        roads = {n: Road(n, self.resident, self.log) for n in ("telegram", "web", "sms", "console", "voice")}
        return build(settings, clock=self.clock, store=store, channels=roads)

    # --- what the person and time do ----------------------------------------------------------------------------

    async def _person_acts(self) -> bool:
        """Answers what was asked, pays what is open; at rest and not content, says the wish again."""
        if self.resident.content or self.story.by_itself:
            return False
        if words := self.resident.answer():
            await self._says(words)
            return True
        if self.resident.page and await self._pays_on_the_page():
            return True
        if await self._next_due() is not None:
            return False
        self.log.write("wish", await self._standing())
        await self._says(self.story.wish)
        return True

    async def _standing(self) -> dict[str, Any]:
        """What is so at the moment at which the person asks anew."""
        seen = await self.control.inspect()
        with self._unnoticed():
            found = await self.app.store.run(_found)
        return {**found, "captures": len(seen.captures)}

    @contextmanager
    def _unnoticed(self) -> Iterator[None]:
        """Looking at our rows for the test is none of the program's moments."""
        armed, self.points.armed = self.points.armed, False
        yield
        self.points.armed = armed

    async def _says(self, words: str) -> None:
        self.inputs += 1
        self.resident.answered = len(self.resident.seen)
        self.log.write("spoke", (self.resident.answered, self.inputs))
        await self._deliver({"kind": "words", "id": f"m{self.inputs}", "text": words})

    async def _pays_on_the_page(self) -> bool:
        """Pays the newest open page; the rail then tells us so, again and again until it is heard."""
        seen = await self.control.inspect()
        open_pages = [o.order for o in seen.orders if o.kind == "hosted" and o.state == "open"]
        if not open_pages:
            return False
        fired = await self.control.callback(open_pages[-1], "paid", deliver=False)
        await self._deliver({"kind": "callback", "id": fired.event_id, "text": open_pages[-1]})
        return True

    async def _time_passes(self) -> bool:
        due = await self._next_due() or self._next_round()
        if due is None:
            return False
        self.clock.at = due
        self.log.write("clock", due.isoformat())
        await self.control.set_clock(due)
        return True

    def _next_round(self) -> datetime | None:
        """A meter that did not answer in time is read again in the next round, as the program does for ever."""
        later = self.clock.now() + _SWEEP
        return later if self.story.by_itself and not self.resident.content and later <= self.end else None

    async def _next_due(self) -> datetime | None:
        with self._unnoticed():
            due = await self.app.store.run(lambda tx: _due(tx, self.clock.now()))
        return due if due is not None and due <= self.end else None

    # --- what comes in ------------------------------------------------------------------------------------------

    async def _deliver(self, delivery: Mapping[str, Any]) -> None:
        """Hands something over as its channel does: once more after a crash, under the same id, until acknowledged."""
        self.log.write("sent", dict(delivery))
        if delivery["kind"] == "callback":
            await self._rail_tells(str(delivery["text"]), str(delivery["id"]))
        else:
            await self.app.desk.serve(self._event(delivery))
        await self.app.carrier.deliver()
        self.log.write("acknowledged", delivery["id"])

    async def _rail_tells(self, order: str, event_id: str) -> None:
        """The rail signs each delivery anew, as Standard Webhooks wants it; the event keeps its id."""
        fired = await self.control.callback(order, "paid", event_id=event_id, deliver=False)
        verdict = await self.app.callbacks.receive(fired.body.encode(), fired.headers)
        assert verdict.status == 200, f"the rail was answered {verdict.status} {verdict.kind}"

    def _event(self, delivery: Mapping[str, Any]) -> InboundEvent:
        return InboundEvent(
            self.story.channel,
            str(delivery["id"]),
            PersonId(self.story.person),
            InboundKind.TEXT,
            self.clock.now(),
            text=str(delivery["text"]),
        )


def _found(tx: Tx) -> dict[str, Any]:
    """The payments as they stand, and what was written to people about money."""
    states = list(tx.conn.scalars(sa.select(payments.c.state)))
    everybody: list[Person] = people.everybody(tx)
    written = [wire.load_said(x.body) for p in everybody for x in letters.letters_to(tx, p.id)]
    return {"payments": states, "claims": [(s.claims, s.payment) for s in written if s.claims]}


def _due(tx: Tx, now: datetime) -> datetime | None:
    """The next instant at which anything of ours has to happen."""
    unsent, untold = outbox.c.state.in_(["queued", "leased"]), events.c.served_at.is_(None)
    instants = [
        (payments.c.next_at, sa.true()),
        (calls.c.deadline, calls.c.state == "waiting"),
        (outbox.c.lease_until, unsent),
        (outbox.c.not_before, unsent),
        (events.c.not_before, untold),
    ]
    found = [
        tx.conn.scalar(sa.select(column).where(column > now, when).order_by(column).limit(1))
        for column, when in instants
    ]
    return min((at for at in found if at is not None), default=None)


def spec_of(line: str) -> Spec:
    """A spec as the parent wrote it."""
    given = json.loads(line)
    return Spec(**given | {"pending": tuple(given["pending"]), "seen": tuple(given["seen"])})


def line_of(spec: Spec) -> str:
    return json.dumps(asdict(spec))
