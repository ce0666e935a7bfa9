"""A whole town to play talks in: the real desk, till and store, the sandbox over HTTP, and clocks that only the script moves.

It fills the `World` port of the conversation tests. One sandbox process serves all cases, each of which loads its own
town; the application is built afresh for every case and can be killed and built again on the same store.
"""

from __future__ import annotations

import io
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

from bot import demo
from bot.app import Application, Words, build, enrol_town, read_words
from bot.playground import abilities, book_evidence, elsewhere, evidence, people_evidence
from bot.playground.arranging import arrange_given, changed
from bot.playground.deploying import Program, deploy
from bot.playground.enrolled import EnrolledTowns, shipped_world, with_relatives
from bot.playground.ground import in_memory, next_due, poke, seconds
from bot.playground.roads import Roads
from bot.playground.watching import TalkRecorder
from bot.settings import Settings
from data.clock import SHANGHAI, VirtualClock
from data.events import InboundEvent, InboundKind
from data.ids import PersonId
from data.model import Role
from data.money import Money
from data.town import World, parse_world, with_elders
from dialogues import staffing
from dialogues.actions import ACTIONS
from dialogues.actions.ports import Action, InsideAction
from dialogues.testing.world import Sent, Stage, Unsupported, WorldFacts
from integrations.sandbox.control import SandboxControl
from payments.authority import people

START = datetime(2026, 3, 10, 9, 0, tzinfo=SHANGHAI).astimezone(UTC)
GIVEN_SINCE = START - timedelta(days=1)
_TIMEOUT_SECONDS = 0.2  # settled 30: how long the client waits while the sandbox holds an answer


@dataclass
class _Life:
    """What one person's channel remembers of his last input, for redelivery and double taps."""

    last: InboundEvent | None = None
    count: int = 0


@contextmanager
def playground(
    settings: Settings, gateway_seconds: float = _TIMEOUT_SECONDS
) -> Iterator[Callable[[], Playground]]:
    """A factory of fresh worlds that share one sandbox process, ended on leaving. `gateway_seconds`: how long an answer is awaited."""
    with (
        tempfile.TemporaryDirectory(prefix="bangjiao-play-", dir=in_memory()) as folder,
        demo.sandbox(Path(folder)) as town,
    ):
        count = iter(range(1_000_000))
        words, enrolled = read_words(settings), EnrolledTowns(Path(folder))

        def fresh() -> Playground:
            case = Path(folder) / f"case{next(count)}"
            case.mkdir()
            return Playground(
                settings, town, case, words=words, enrolled=enrolled, gateway_seconds=gateway_seconds
            )

        yield fresh


@dataclass
class Playground:
    """One world for one case (the port's docstrings say what each method must do)."""

    settings: Settings
    town: demo.Town
    folder: Path
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(GIVEN_SINCE))
    start_at: datetime = START
    lives: dict[str, _Life] = field(default_factory=dict)
    channels: dict[str, str] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)  # where each began
    recorder: TalkRecorder = field(default_factory=TalkRecorder)
    roads: Roads = field(default_factory=Roads)
    log: io.StringIO = field(default_factory=io.StringIO)
    world: World = field(default_factory=shipped_world)
    words: Words | None = None
    enrolled: EnrolledTowns | None = None
    gateway_seconds: float = _TIMEOUT_SECONDS
    persona: str = ""
    stubs: dict[str, InsideAction] = field(default_factory=dict)
    actions: Mapping[str, Action] = field(default_factory=lambda: ACTIONS)
    earlier: list[Program] = field(default_factory=list)
    _application: Application | None = None
    _control: SandboxControl | None = None
    _handler: logging.Handler | None = None
    _first_letter: int = 0
    _begun: bool = False
    _given_orders: frozenset[str] = frozenset()
    tampered: book_evidence.Tampered | None = None

    @property
    def app(self) -> Application:
        assert self._application is not None, "start comes first"
        return self._application

    @property
    def control(self) -> SandboxControl:
        assert self._control is not None, "start comes first"
        return self._control

    def supports(self, key: str) -> bool:
        """Whether this world can do or tell it."""
        return abilities.has(key)

    # --- building ---------------------------------------------------------------------------------------------

    async def start(self, stage: Stage) -> None:
        """Everything fresh: town, store, desk, clocks."""
        self.world = with_relatives(parse_world(stage.town)) if stage.town else shipped_world()
        if stage.persona in self.world.people and self.world.people[PersonId(stage.persona)].elders:
            self.world = with_elders(self.world, PersonId(stage.persona))
        self.start_at = (stage.start or START).astimezone(UTC)
        self.channels = dict(stage.channels)
        self.persona = stage.persona
        self._handler = logging.StreamHandler(self.log)
        logging.getLogger().addHandler(self._handler)
        self._control = SandboxControl(self.town.url, self.town.control_token)
        await self.control.load_world(self.world, self.clock.now())
        await self.control.callbacks_to(None)
        self._enrol()
        for person, locale in stage.locales.items():
            await self._prefer(person, locale)

    def _enrol(self) -> None:
        """Everybody of the town known to a fresh store: a copy of one made before, where the same town was."""
        kept = self.enrolled.of(self.world) if self.enrolled else None
        if kept is not None:
            shutil.copyfile(kept, self._database)
            self._build()
            return
        self._build()
        enrol_town(self.app.store, self.world, self.clock.now())
        if self.enrolled:
            self.enrolled.keep(self.world, self._database)

    @property
    def _database(self) -> Path:
        return self.folder / "bangjiao.db"

    def _build(self) -> None:
        settings = self.settings.model_copy(
            update={
                "database_url": f"sqlite:///{self._database}",
                "secret": SecretStr("a secret of the playground only"),
                "gateway_url": self.town.url,
                "gateway_secret": SecretStr(self.town.secret),
                "gateway_timeout_seconds": self.gateway_seconds,
                "patience_seconds": 3.0,
            }
        )
        self._application = build(settings, clock=self.clock, words=self.words)
        self.watch()

    def watch(self) -> None:
        """What happens in the talks is noted; actions that a test case answers itself take the place of ours."""
        desk, actions = self.app.desk, {**self.actions, **self.stubs}
        desk.house = replace(desk.house, observe=self.recorder.observe, actions=actions)

    async def _prefer(self, person: str, locale: str) -> None:
        await self.serve(person, InboundKind.PREFER, payload={"locale": locale})

    async def arrange(self, given: Mapping[str, Any]) -> None:
        """Makes a `given` true, silently."""
        await arrange_given(self, given)
        await self._quietly()

    async def _quietly(self) -> None:
        """Nothing arranged counts as told or done in the talk."""
        await self.app.desk.tell_news()
        self._first_letter = await self.app.store.run(evidence.last_letter)
        self._given_orders = frozenset(c.order for c in (await self.control.inspect()).captures)
        self.recorder.clear()

    async def move_to(self, at: datetime) -> None:
        """Both clocks at an instant that is not past."""
        self.clock.at = max(self.clock.at, at)
        await self.control.set_clock(self.clock.at)

    async def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            await self.move_to(self.start_at)

    # --- people act -------------------------------------------------------------------------------------------

    async def say(self, person: str, text: str) -> None:
        """The person writes."""
        await self._begin()
        served = await self.app.store.run(lambda tx: self._serving(tx, person))
        for other in served:
            await self._staff(other, person, "say", text=text)
        if not served:
            await self._human(person, InboundKind.TEXT, text=text)

    def _serving(self, tx: Any, person: str) -> list[PersonId]:
        who = self.world.people.get(PersonId(person))
        return staffing.serving(tx, PersonId(person)) if who and who.person.role is not Role.FAMILY else []

    async def voice(self, person: str, nbest: Sequence[str], confidence: float) -> None:
        """The recogniser returned alternatives."""
        await self._begin()
        await self._human(
            person, InboundKind.VOICE, text=nbest[0], nbest=tuple(nbest[1:]), confidence=confidence
        )

    async def key(self, person: str, keys: str) -> None:
        """Keys are pressed: of the telephone while we have him on it, else of the screen."""
        await self._begin()
        talk = await self.app.store.run(lambda tx: staffing.peek(tx, PersonId(person)))
        if talk is not None and talk.channel == "voice":
            self.channels[person] = "voice"
        await self._human(person, InboundKind.KEY, text=keys)

    async def tap(self, person: str, command: str, arguments: Sequence[str]) -> None:
        """A button by its meaning, or a staff command."""
        await self._begin()
        if command == "take_over":
            await self._staff(arguments[0], person, "take_over")
        elif command == "hand_back_with":
            served = await self.app.store.run(lambda tx: self._serving(tx, person))
            assert served, f"{person} has taken over nobody"
            proposed = {"reset_pin": True} if arguments[0] == "new_pin" else {"account": arguments[1]}
            await self._staff(served[0], person, "hand_back", more=proposed)
        elif command == "call_elder_now":
            await self.press(person, '/choose{"call_elder_now"}')
        else:
            await self.press(person, f"/{command}")

    async def press(self, person: str, label: str, back: int = 0) -> None:
        """A button by title or payload, also a stale one."""
        await self._begin()
        found = await self.app.store.run(lambda tx: evidence.buttons_of(tx, PersonId(person)))
        carrying = [b for b in found if label in (b.title, b.payload)]
        assert len(carrying) > back, f"no button {label} for {person}"
        await self._human(person, InboundKind.BUTTON, payload={"token": carrying[-1 - back].token})

    async def photo(self, person: str, file: str, content: str) -> None:
        """Pictures are not read yet."""
        raise Unsupported("step.photo")

    async def silence(self, person: str, lasting: timedelta) -> None:
        """The clock moves, and the telephone's silence comes to the desk."""
        await self._begin()
        await self._advance(lasting)
        await self._human(person, InboundKind.SILENCE, seconds=lasting.total_seconds())

    async def call_in(self, person: str, number: str) -> None:
        """A call from a registered number; whoever writes otherwise is on the telephone until he hangs up."""
        await self._begin()
        elsewhere.ring(self, person)
        known = await self.app.store.run(lambda tx: people.person_at(tx, "voice", number))
        assert PersonId(person) in known, f"{number} is not registered for {person}"
        await self._human(person, InboundKind.CALL)

    async def hangup(self, person: str) -> None:
        """The receiver goes down."""
        await self._human(person, InboundKind.HANGUP)
        elsewhere.hang_up(self, person)

    async def ways(self, person: str) -> tuple[str, ...]:
        """Where this person may go on."""
        return elsewhere.ways(self, person)

    async def here(self, person: str) -> str:
        """Where he acts now."""
        return self.channel_of(person)

    async def go(self, person: str, channel: str) -> None:
        """He goes on there."""
        await self._begin()
        await elsewhere.go(self, person, channel)

    async def redeliver(self, person: str) -> None:
        """The last input once more under the same event id."""
        last = self.lives.get(person, _Life()).last
        if last is not None:
            await self._follow(last)

    async def double_tap(self, person: str) -> bool:
        """The last button or single key once more under a new event id."""
        last = self.lives.get(person, _Life()).last
        if last is None or not (
            last.kind is InboundKind.BUTTON or (last.kind is InboundKind.KEY and len(last.text) == 1)
        ):
            return False
        await self._follow(replace(last, event_id=f"{last.event_id}:again", at=self.clock.now()))
        return True

    async def _human(self, person: str, kind: InboundKind, **what: Any) -> None:
        event = await self.serve(person, kind, **what)
        self.lives.setdefault(person, _Life()).last = event

    async def serve(self, person: str, kind: InboundKind, **what: Any) -> InboundEvent:
        """An event of this person, never seen before, and all that follows from it."""
        life = self.lives.setdefault(person, _Life())
        life.count += 1
        event = InboundEvent(
            self.channel_of(person),
            f"{person}-{life.count}",
            PersonId(person),
            kind,
            self.clock.now(),
            **what,
        )
        await self._follow(event)
        return event

    async def _follow(self, event: InboundEvent) -> None:
        await self.app.desk.serve(event)
        await self._settle()

    async def _settle(self) -> None:
        """All that follows at this instant."""
        await self.app.desk.rest()
        await self.app.runner.due()
        await self.app.store.run(lambda tx: self.app.ladder.climb(tx, self.clock.now()))
        await self.app.desk.tell_news()
        await self.roads.carry(self.app)

    async def _staff(
        self, person: str, staff: str, act: str, text: str = "", more: Mapping[str, Any] | None = None
    ) -> None:
        life = self.lives.setdefault(staff, _Life())
        life.count += 1
        event = InboundEvent(
            "staff", f"{staff}-{life.count}", PersonId(person), InboundKind.STAFF, self.clock.now(), text=text,
            payload={"act": act, "staff": staff, **(more or {})},
        )  # fmt: skip
        await self._follow(event)

    def channel_of(self, person: str) -> str:
        """On which kind of channel this person is played."""
        found = self.world.people.get(PersonId(person))
        return self.channels.get(person) or (found.channel if found else "") or "voice"

    # --- the world --------------------------------------------------------------------------------------------

    async def advance(self, by: timedelta) -> None:
        """Time passes; what becomes due happens in its order."""
        await self._begin()
        await self._advance(by)

    async def _advance(self, by: timedelta) -> None:
        until = self.clock.now() + by
        while (due := await next_due(self.app.store, self.clock.now(), until)) is not None:
            await self.move_to(due)
            await self._settle()
        await self.move_to(until)
        await self._settle()

    async def event(self, name: str, value: Any) -> None:
        """Something happens outside."""
        await self._begin()
        match name:
            case "biller_ack":
                await self._acknowledge(str(value["account"]), Money(int(value["fen"])))
            case "meter":
                use = {"daily_use_fen": int(value["daily_use"])} if "daily_use" in value else {}
                await self.control.change_account(
                    str(value["account"]), balance_fen=int(value["balance"]), acks="manual", **use
                )
                await self.app.sweep()
            case "callback":
                await self._callback(value["status"], value)
            case "callbacks":
                for status in value:
                    await self._callback(status, {})
            case "instruments":
                for purse, wanted in value.items():
                    await self.control.set_funds(purse, Money(int(wanted["funds"])))
            case "reconcile":
                await self.app.reconcile(book_evidence.day_of(value))
            case "gateway":
                await self._outage("rail", value)
                await self.app.rail_watch.look()
            case "billers":
                await self._outage("biller", value)
            case "channel":
                await self.roads.change(self.app, value)
            case "biller" | "change":
                await changed(self, value)
            case "deploy":
                await deploy(self, value)
            case _:
                raise Unsupported(f"event.{name}")
        await self._settle()

    async def _outage(self, side: Literal["rail", "biller"], value: Any) -> None:
        await (self.control.clear_faults(side) if value == "up" else self.control.fault(side, "down"))

    async def _acknowledge(self, account: str, amount: Money) -> None:
        seen = await self.control.inspect()
        waiting = [p for p in seen.posts if p.account == account and p.amount_fen == amount.fen]
        if any(p.state == "pending" for p in waiting):
            await self.control.acknowledge(account, amount)
        await poke(self.app.store, self.clock.now())

    async def _callback(self, status: str, how: Mapping[str, Any]) -> None:
        seen = await self.control.inspect()
        order = str(how.get("order") or (seen.orders[-1].order if seen.orders else ""))
        wanted: dict[str, Any] = {"signature": how.get("signature", "right"), "deliver": False}
        if "fen" in how:
            wanted["amount_fen"] = int(how["fen"])
        if "age" in how:
            wanted["age_seconds"] = seconds(str(how["age"]))
        fired = await self.control.callback(order, status, **wanted)
        await self.app.callbacks.receive(fired.body.encode(), fired.headers)

    async def restart(self) -> None:
        """Killed, and built again on the same store; what was only in memory is gone."""
        await self._end_application()
        self._build()
        await self._settle()

    async def _end_application(self) -> None:
        for task in list(self.app.desk._under_way):
            task.cancel()
        await self.app.close()

    # --- looking ----------------------------------------------------------------------------------------------

    async def second_factor(self, person: str, kind: Literal["code", "pin"]) -> str:
        """The right digits for this person now."""
        code = await self.app.store.run(lambda tx: evidence.newest_code(tx, PersonId(person)))
        if kind == "code" and code:
            return code
        known = self.world.people.get(PersonId(person))
        pin = known.pin if known else None
        if not pin:
            raise Unsupported("second_factor")
        return pin

    async def placeholder(self, person: str, name: str) -> str:
        """The newest invitation code anybody was told; no sign-in words exist in talks yet."""
        if name == "invitation_code":
            told = await self.app.store.run(lambda tx: people_evidence.invitation_code(tx, self.world))
            assert told is not None, "nobody was told an invitation code"
            return told
        raise Unsupported(f"placeholder.{name}")

    async def sent(self) -> Sequence[Sent]:
        """Every letter of the talk, oldest first."""
        first, carried = self._first_letter, self.roads.cut
        return await self.app.store.run(lambda tx: evidence.sent(tx, first, carried=carried))

    async def facts(self) -> WorldFacts:
        """What is true, asked of the rail, the billers and our own rows."""
        seen = await self.control.inspect()
        given, logs, wanted = self._given_orders, self.log.getvalue(), self.recorder.not_there
        facts = await self.app.store.run(
            lambda tx: evidence.facts(tx, self.world, seen, self.clock.now(), given, self.app.desk.house)
        )
        facts = await self.app.store.run(lambda tx: book_evidence.told(tx, facts, self.tampered))
        talks = {p: replace(t, events=self.recorder.events(p)) for p, t in facts.talks.items()}
        return replace(facts, logs=logs, talks=talks, not_there=tuple(wanted))

    async def close(self) -> None:
        """Stops what runs and forgets everything."""
        if self._handler is not None:
            logging.getLogger().removeHandler(self._handler)
        if self._application is not None:
            await self._end_application()
        if self._control is not None:
            await self._control.aclose()


__all__ = ["GIVEN_SINCE", "START", "Playground", "playground"]
