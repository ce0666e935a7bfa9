"""The composition root: the only place that names concrete adapters and ties the rooms of the house together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from bot.bells import Bells
from bot.carrier import Carrier
from bot.channels import Channel, Delivery
from bot.channels.web import WebChannel
from bot.pace import Pace
from bot.settings import Settings
from data import catalogue as catalogue_data
from data.catalogue import Catalogue
from data.clock import Clock, SystemClock
from data.ids import PaymentId, PersonId
from data.store.engine import Sealer, Store, Tx
from data.store.presence import Presence
from data.town import World, load_world
from dialogues import loader
from dialogues.actions import SPECS
from dialogues.desk import Desk
from dialogues.hearing import still_so
from dialogues.model import Release, Said
from dialogues.turn import House
from integrations.ports import BillerNetwork, PaymentRail
from integrations.sandbox.biller import SandboxBillers
from integrations.sandbox.rail import SandboxRail
from nlu import classifier
from nlu.engine import Engine
from nlu.engines.elsewhere import Adviser, Elsewhere
from nlu.engines.llm import LanguageModel
from nlu.engines.rasa import Rasa
from nlu.swindles import Watch
from nlu.understand import OFFERED, Understanding
from payments import alarms
from payments.advance import Advance
from payments.authority import enrol, people
from payments.callbacks import Callbacks
from payments.limits import Limits
from payments.pacing import Pace as BillerPace
from payments.quoting import Quoting
from payments.reconcile import Reconciled, Reconciliation
from payments.runner import InlineRunner
from payments.shift import Shift
from payments.sweep import Sweep, Swept
from payments.taking_over import TakingOver
from payments.till import Till
from payments.warnings import Ladder
from payments.watching import RailWatch

log = structlog.get_logger("bangjiao.app")

FLOWS = Path(loader.__file__).parent
NLU_DATA = Path(classifier.__file__).parent.parent / "data" / "nlu"
_BEAT_SECONDS = 1.0
_LOOK_SECONDS = 15.0
_DRAIN_SECONDS = 10.0  # longer than an answer of the gateway is waited for
_STEP_SECONDS = 5.0  # a round over the meters goes on this often
_SPREAD = 0.8  # of its interval a round takes, so that a biller sees a flat rate and the last page is in time
_PAGES_AT_ONCE = 4


@dataclass
class Application:
    """The assembled house. `run_background` keeps time for it; `close` puts it away."""

    settings: Settings
    clock: Clock
    store: Store
    catalogue: Catalogue
    billers: SandboxBillers
    rail: SandboxRail
    till: Till
    advance: Advance
    runner: InlineRunner
    callbacks: Callbacks
    desk: Desk
    carrier: Carrier
    web: WebChannel
    bells: Bells
    sweeper: Sweep
    ladder: Ladder
    rail_watch: RailWatch
    books: Reconciliation
    presence: Presence
    shift: Shift
    taking_over: TakingOver
    pace: Pace
    _beats: list[asyncio.Task[None]] = field(default_factory=list)

    async def come_in(self) -> None:
        """Takes this process's name, and what a dead one left under it. Raises NameTaken when a live one has it."""
        await self.presence.come()
        await self.taking_over.let_go()
        self.desk.pace = self.pace  # where people come in; who plays a talk or measures turns is not counted

    async def sweep(self, every: timedelta = timedelta(0), spread: timedelta = timedelta(0)) -> Swept:
        """Reads the meters and bills that are due, pays what is to be paid by itself, and tells of it."""
        swept = await self.sweeper.run(every, spread)
        await self.runner.advance_now(swept.payments)
        await self.store.run(lambda tx: self.ladder.climb(tx, self.clock.now()))
        await self.tell()
        return swept

    async def reconcile(self, day: date | None = None) -> list[Reconciled]:
        """Compares the statements of a day with the book, or those of every past night; what differs is asked and told."""
        done = [await self.books.run(day)] if day is not None else await self.books.due()
        await self.runner.advance_now(p for one in done for p in one.asked)
        if done:
            await self.tell()
        return done

    async def beat(self) -> None:
        """One round of what time brings: due payments, news, calls a dead process left, letters not yet taken."""
        await self.runner.due()
        await self.tell()

    async def tell(self) -> None:
        """News, letters not yet taken, and calls a dead process left; trouble with one is not the others' trouble."""
        carry = self.carrier
        for duty in (self.desk.tell_news, carry.pass_on, carry.deliver, self.desk.take_up_calls):
            try:
                await duty()
            except Exception:
                log.exception("a duty failed; the next round tries again", duty=duty.__qualname__)

    def start_beating(self) -> None:
        """Keeps beating in the background until `close`, and listens for bells of other processes."""
        if self.settings.redis_url:
            self.bells.start()
        self._beats.append(asyncio.create_task(self._beat_for_ever()))
        self._beats.append(asyncio.create_task(self._take_over_for_ever()))

    def start_watching(self) -> None:
        """Keeps an eye on meters, bills, the rail and the house in the background until `close`; processes share it."""
        self._beats.append(asyncio.create_task(self._watch_for_ever()))
        self._beats.append(asyncio.create_task(self._look_after_for_ever()))

    async def look_after(self) -> None:
        """Whether the rail answers, who may be told that it does again, and what an operator has to hear of."""
        patience = alarms.Patience(
            sweep=max(timedelta(seconds=3 * self.settings.sweep_seconds), alarms.Patience().sweep)
        )
        try:
            if await self.rail_watch.look():
                await self.tell()
            await self.reconcile()
        finally:  # a file nobody can read must not silence everything else
            await self.store.run(lambda tx: alarms.look(tx, self.clock.now(), patience))

    async def _look_after_for_ever(self) -> None:
        while True:
            try:
                await self.look_after()
            except Exception:
                log.exception("a look after the house failed; the next one tries again")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _watch_for_ever(self) -> None:
        every = timedelta(seconds=self.settings.sweep_seconds)
        while True:
            try:
                await self.sweep(every, every * _SPREAD)
            except Exception:
                log.exception("a round over the meters failed; the next one tries again")
            await asyncio.sleep(min(self.settings.sweep_seconds, _STEP_SECONDS))

    async def _beat_for_ever(self) -> None:
        while True:
            try:
                await self.beat()
            except Exception:
                log.exception("a round failed; the next one tries again")
            await asyncio.sleep(_BEAT_SECONDS)

    async def _take_over_for_ever(self) -> None:
        while True:
            try:
                if self.shift.begins and await self.taking_over.look():
                    await self.runner.due()
            except Exception:
                log.exception("a look for what dead processes left failed; the next one tries again")
            await asyncio.sleep(_BEAT_SECONDS)

    async def close(self) -> None:
        """Begins no payment's step any more, lets those under way end for a while, and closes what was opened."""
        ended = await self.shift.end(_DRAIN_SECONDS)
        for task in self._beats:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self.desk.rest()
        if not ended:
            await self.taking_over.let_go()
        await self.presence.go()
        await self.bells.close()
        if isinstance(engine := self.desk.house.understanding.engine, Elsewhere):
            await engine.aclose()
        await self.pace.close()
        await self.billers.aclose()
        await self.rail.aclose()
        self.store.close()


class Named:
    """A channel under another name: in the demo town every road ends at the page."""

    def __init__(self, name: str, channel: Channel) -> None:
        self._name = name
        self._channel = channel

    @property
    def name(self) -> str:
        return self._name

    async def send(self, person: PersonId, said: Said) -> Delivery:
        """Hands the message to the channel behind."""
        return await self._channel.send(person, said)


# In the demo town every road ends at the page, which shows whatever a person sees and his other telephone.
_OF_THE_TOWN = ("sms", "sms_before", "telegram", "console", "voice")


def _ending_at(web: WebChannel, *, town: bool) -> dict[str, Channel]:
    return {name: Named(name, web) for name in ("web", *(_OF_THE_TOWN if town else ()))}


def _promised(roads: Mapping[str, Channel]) -> frozenset[str]:
    """The roads by which somebody may be told that he is told by them: nobody is rung up by a page."""
    return frozenset(n for n, road in roads.items() if n != "voice" or not isinstance(road, Named))


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    store: Store | None = None,
    limits: Limits | None = None,
    channels: Mapping[str, Channel] | None = None,
    words: Words | None = None,
) -> Application:
    """Ties everything together. Raises what a wrong setting or a missing model deserves, in one sentence."""
    words = words or read_words(settings)
    clock = clock or SystemClock()
    store = store or open_store(settings)
    catalogue = catalogue_data.load()
    billers, rail = gateway(settings)
    till = Till(catalogue, limits or Limits())
    settings = settings.named("house")
    presence = Presence(store, settings.executor)
    shift = Shift(lambda: presence.held)
    advance = Advance(store, billers, rail, clock, catalogue, till.limits, shift)
    runner = InlineRunner(store, advance, clock, owner=settings.executor)
    web = WebChannel()
    roads = dict(channels) if channels is not None else _ending_at(web, town=settings.town)
    house = House(words.release, words.understanding, till, catalogue, roads=_promised(roads))
    bells = Bells(settings.redis_url, web.wake)
    books = Reconciliation(store, rail, billers, clock, till.limits)
    sweeper = Sweep(
        store,
        billers,
        clock,
        catalogue,
        till.limits,
        pace=BillerPace(settings.biller_per_second),
        owner=settings.executor,
        hands=_PAGES_AT_ONCE,
    )
    desk = Desk(
        store,
        house,
        Quoting(store, billers, catalogue, clock),
        runner.advance_now,
        clock,
        ring=bells.ring,
        patience_seconds=settings.patience_seconds,
        books=books,
    )

    async def wake(payment: PaymentId) -> None:
        await runner.advance_now([payment])
        await desk.tell_news()

    return Application(
        settings, clock, store, catalogue, billers, rail, till, advance, runner,
        Callbacks(store, rail, clock, wake), desk, Carrier(store, roads, clock, partial(still_so, house)), web, bells,
        sweeper, Ladder(till.limits), RailWatch(store, rail, clock), books,
        presence, shift, TakingOver(store, clock, settings.executor),
        Pace(settings.messages_a_minute, settings.redis_url),
    )  # fmt: skip


def open_store(settings: Settings) -> Store:
    """The store, brought to the newest form of its tables."""
    url = settings.database_url
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    secret, before = settings.secret.get_secret_value(), settings.secret_before.get_secret_value()
    store = Store.open(url, Sealer.from_secret(secret, before))
    store.migrate()
    store.take_up_keys()
    return store


RAILS = ("sandbox",)  # the names under which this house may pause them


def gateway(settings: Settings) -> tuple[SandboxBillers, SandboxRail]:
    """The two counterparties at the configured address."""
    if not settings.gateway_url:
        raise SystemExit(
            "No payment gateway is configured. Set BANGJIAO_GATEWAY_URL, or try `bangjiao demo`."
        )
    seconds = settings.gateway_timeout_seconds
    secret = settings.gateway_secret.get_secret_value()
    if not secret:
        raise SystemExit("No key for the gateway's callbacks is configured. Set BANGJIAO_GATEWAY_SECRET.")
    return (
        SandboxBillers(settings.gateway_url, secret, timeout_seconds=seconds),
        SandboxRail(settings.gateway_url, secret, timeout_seconds=seconds),
    )


@dataclass(frozen=True, slots=True)
class Words:
    """What the house says and what it understands. Read once; several applications of a process may share it."""

    release: Release
    understanding: Understanding


def read_words(settings: Settings) -> Words:
    """Flows, sentences and trained words from their files. Raises FlowErrors, or NotTrained."""
    flows = release()
    begun = {flow.id for flow in flows.flows.values() if flow.intents}
    watch = Watch.load(NLU_DATA, settings.cache_dir)
    return Words(flows, Understanding(load_engine(settings), OFFERED | begun, watch))


def release() -> Release:
    """All flows, slots and sentences of the house. Raises FlowErrors naming file and line."""
    return loader.load_folder(FLOWS, SPECS)


def load_engine(settings: Settings) -> Engine:
    """The trained understanding of both languages, and beside it the engine elsewhere that the settings name."""
    ours = classifier.Embedded.load(NLU_DATA, settings.cache_dir)
    adviser = adviser_of(settings, ours.intents)
    return ours if adviser is None else Elsewhere(adviser, ours, budget_seconds=settings.nlu_budget_seconds)


def adviser_of(settings: Settings, intents: frozenset[str]) -> Adviser | None:
    """Who is asked besides ours; None for the default. Stops a start whose settings do not say where."""
    match settings.nlu_engine:
        case "rasa":
            if not settings.rasa_url:
                raise SystemExit("No Rasa server is configured. Set BANGJIAO_RASA_URL (see `make rasa`).")
            return Rasa({"zh": settings.rasa_url, "en": settings.rasa_url_en}, intents)
        case "llm":
            return language_model(settings, intents)
    return None


def language_model(settings: Settings, intents: frozenset[str]) -> LanguageModel:
    """The language model at the address of the settings. Stops a start whose settings do not say where."""
    if not (settings.llm_url and settings.llm_model):
        raise SystemExit("No language model is configured. Set BANGJIAO_LLM_URL and BANGJIAO_LLM_MODEL.")
    key = settings.llm_key.get_secret_value()
    return LanguageModel(settings.llm_url, settings.llm_model, key, intents)


def enrol_town(store: Store, world: World | None, at: Any) -> bool:
    """Enrols the demo town unless somebody is enrolled already; True when it did."""
    town = world or load_world()

    def write(tx: Tx) -> bool:
        if people.anybody(tx):
            return False
        enrol.enrol_world(tx, town, at)
        return True

    return store.run_now(write)


def ports(application: Application) -> tuple[BillerNetwork, PaymentRail]:
    """The application's counterparties as the ports they fill (checked by the type checker here, once)."""
    billers: BillerNetwork = application.billers
    rail: PaymentRail = application.rail
    return billers, rail
