"""THE DOOR: every word, key, button, answer and piece of news enters a conversation here, and here only.

One event is one turn in one transaction. What a turn leaves to do outside (asking a biller, carrying out a payment) is
done after it, without lock and transaction, and comes back through this door as an event of its own; 停 and 人工 may
overtake it. Whoever waits longer than a few seconds is told so.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from data.clock import Clock
from data.events import InboundEvent, InboundKind
from data.ids import PaymentId, PersonId, fresh
from data.store import delivery, letters
from data.store.engine import Store, Tx
from dialogues import codes, conversations, outside_calls, pacing, staffing, turn, wire
from dialogues.actions import ACTIONS
from dialogues.actions.ports import Outside, OutsideAction, Result
from dialogues.hearing import readable
from dialogues.model import Said
from dialogues.outside_calls import OutsideCall
from dialogues.pacing import Pace, no_limit
from dialogues.turn import House, Taken
from nlu.engine import Parse
from nlu.engines import ahead
from payments.authority import wishes
from payments.quoting import Quoting
from payments.reconcile import Reconciliation

log = structlog.get_logger("bangjiao.desk")

PATIENCE_SECONDS = 3.0  # after this the person hears 正在查
_AGAIN = 5  # times a turn is taken again when another process was quicker
_ANSWER_WINDOW = timedelta(minutes=30)  # an outcome within it answers what the person just asked (L12)
_NEWS_AGAIN = timedelta(minutes=1)  # after a mistake of ours


@dataclass(frozen=True, slots=True)
class Served:
    """What came of one event: the messages it led to so far."""

    said: tuple[Said, ...]
    repeated: bool = False
    silent: bool = False
    ended: bool = False


CarryOut = Callable[[Iterable[PaymentId]], Awaitable[Any]]


class Desk:
    """Serves people, one turn after another for each of them, everybody else in parallel."""

    def __init__(
        self,
        store: Store,
        house: House,
        quoting: Quoting,
        carry_out: CarryOut,
        clock: Clock,
        *,
        ring: Callable[[PersonId], None],
        patience_seconds: float = PATIENCE_SECONDS,
        books: Reconciliation | None = None,
        pace: Pace = no_limit,
    ) -> None:
        self.store = store
        self.house = house
        self.clock = clock
        self.quoting = quoting
        self._carry_out = carry_out
        self._patience = patience_seconds
        self._books = books
        self.pace = pace
        self._locks: defaultdict[PersonId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._ring = ring
        self._under_way: set[asyncio.Task[None]] = set()

    # --- the door ---------------------------------------------------------------------------------------------

    async def serve(self, event: InboundEvent) -> Served:
        """One event of one person. Returns when all that follows has happened, or patience is over."""
        event = readable(event)
        if too_many := await pacing.beyond(self.pace, self.house.understanding, event):
            return await self._too_many(event, first=too_many == 1)
        taken = await self._take(event)
        if taken.repeated:
            return Served(tuple(taken.said), repeated=True)
        said = taken.said + await self._said_after(taken)
        return Served(tuple(said), silent=taken.silent and not said, ended=taken.ended)

    async def _too_many(self, event: InboundEvent, *, first: bool) -> Served:
        """Not read, and said so once: nothing was begun or changed by it."""
        if not first:
            return Served((), silent=True)
        taken = await self._take(self._note(event.person, "too_many"))
        return Served(tuple(taken.said))

    async def _said_after(self, taken: Taken) -> list[Said]:
        """What followed from a turn that left something to do; most turns leave nothing, and read nothing again."""
        if not (taken.calls or taken.payments):
            return []
        await self._follow(taken)
        return await self.store.run(lambda tx: _said_since(tx, taken.person, taken.since))

    async def _take(self, event: InboundEvent) -> Taken:
        async with self._locks[event.person]:
            try:
                taken = await self._turn(event)
            except Exception:
                log.exception("a turn broke", channel=event.channel, kind=event.kind.value)
                taken = await self.store.run(lambda tx: turn.apologise(tx, self.house, event))
        for person in taken.touched:
            self._ring(person)
        return taken

    async def _turn(self, event: InboundEvent) -> Taken:
        """The turn, taken again when another process was quicker, or when an engine elsewhere had to be asked before."""
        opinions: dict[ahead.About, Parse] = {}

        def taken(tx: Tx) -> Taken:
            return ahead.within(opinions, lambda: turn.take(tx, self.house, event))

        for _ in range(_AGAIN):
            try:
                done = await self.store.run(taken)
            except conversations.Overtaken:
                continue
            except ahead.Unasked as unasked:
                opinions |= await unasked.ask()
                continue
            self.house.releases.written(done.kept, event.at)
            return done
        raise conversations.Overtaken(event.person)

    async def _follow(self, taken: Taken) -> None:
        """Outside calls and payments of a turn; a note to the person when they take long."""
        tasks = [self._start(self._ask(call)) for call in taken.calls]
        if taken.payments:
            tasks.append(self._start(self._pay(taken.payments)))
        if not tasks:
            return
        _, slow = await asyncio.wait(tasks, timeout=self._patience)
        if not slow:
            return
        for call in taken.calls:
            await self._take(self._event_of_call(call, {"patience": True}, suffix=":patience"))
        if taken.payments and not taken.calls:
            await self._working(taken)

    def _start(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def rest(self) -> None:
        """Waits until nothing is under way any more (shutdown, tests)."""
        while self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)

    # --- outside ----------------------------------------------------------------------------------------------

    async def _ask(self, call: OutsideCall) -> None:
        action = ACTIONS[call.action]
        assert isinstance(action, OutsideAction), "only outside actions are handed out"
        person = await self.store.run(lambda tx: staffing.peek(tx, call.person))
        locale = person.preferences.locale if person else "zh"
        room = Outside(
            self.store, self.quoting, self.house.catalogue, self.clock, call.person, locale, self._books
        )
        result = await _within(action, room, call)
        payload = {"outcome": result.outcome, "slots": dict(result.slots)}
        await self._follow(await self._take(self._event_of_call(call, payload)))

    def _event_of_call(self, call: OutsideCall, payload: dict[str, Any], suffix: str = "") -> InboundEvent:
        return InboundEvent(
            channel="answer",
            event_id=call.id + suffix,
            person=call.person,
            kind=InboundKind.ANSWER,
            at=self.clock.now(),
            payload={"id": call.id, **payload},
        )

    async def _pay(self, payments: list[PaymentId]) -> None:
        await self._carry_out(payments)
        await self.tell_news()

    async def _working(self, taken: Taken) -> None:
        """The rail takes its time: said without any claim about money."""
        await self._take(self._note(taken.person, "working"))

    def _note(self, person: PersonId, act: str) -> InboundEvent:
        """Something the house says of itself, that touches no piece of business."""
        return InboundEvent(
            channel="answer",
            event_id=fresh(act),
            person=person,
            kind=InboundKind.STAFF,
            at=self.clock.now(),
            payload={"act": act, "staff": person},
        )

    async def take_up_calls(self) -> int:
        """Outside calls that a dead process left waiting: asked again, as nothing was sent that moves money."""
        now = self.clock.now()
        left = await self.store.run(lambda tx: outside_calls.left(tx, now))
        for call in left:
            if call.action in ACTIONS:
                await self._ask(call)
            else:
                await self._take(self._event_of_call(call, {"outcome": "trouble", "slots": {}}))
        return len(left)

    # --- news -------------------------------------------------------------------------------------------------

    async def tell_news(self) -> int:
        """Serves every due row of news through this door; at night only what somebody waits for (L12)."""
        now = self.clock.now()
        due = await self.store.run(lambda tx: _due(tx, self.house, now))
        for news in due:
            await self._tell(news)
        return len(due)

    async def _tell(self, news: letters.News) -> None:
        event = InboundEvent(
            channel=letters.NEWS,
            event_id=news.id,
            person=news.person,
            kind=InboundKind.RESULT,
            at=self.clock.now(),
            payload={"id": news.id, "kind": news.kind, "body": news.body},
        )
        try:
            async with self._locks[news.person]:
                taken = await self._turn(event)
        except Exception:
            log.exception("news could not be told; it is kept and tried again", kind=news.kind)
            await self.store.run(lambda tx: _keep_for_later(tx, news, self.clock.now()))
            return
        self._ring(news.person)
        await self._follow(taken)


def _due(tx: Tx, house: House, now: datetime) -> list[letters.News]:
    """What may be told now. The rest is put off to the morning, so that it stands in nobody's way meanwhile."""
    house.till.expire_waiting(tx, now)
    told = []
    for news in letters.news_due(tx, now):
        if may_ring(house, tx, news, now):
            told.append(news)
        else:
            quiet = wishes.quiet_for(tx, news.person, news.kind, news.body)
            letters.hold_news(tx, news.id, quiet.over(now))
    return told


def _keep_for_later(tx: Tx, news: letters.News, now: datetime) -> None:
    """Nothing that is true of somebody's money is ever dropped: a person looks, and it is tried again."""
    letters.hold_news(tx, news.id, now + _NEWS_AGAIN)
    letters.open_ticket(
        tx,
        kind="trouble",
        person=news.person,
        reason="news",
        summary=f"{news.kind} {news.body.get('payment', '')}",
        at=now,
    )


async def _within(action: OutsideAction, room: Outside, call: OutsideCall) -> Result:
    """The action's result; no answer in time, or a mistake of ours, is `trouble` and never the next step (L4)."""
    try:
        async with asyncio.timeout(call.deadline_seconds):
            return await action.run(room, call.arguments)
    except TimeoutError:
        return Result("trouble", {"trouble": "biller_down"})
    except Exception:
        log.exception("action failed", action=call.action)
        return Result("trouble", {"trouble": "ours"})


def may_ring(house: House, tx: Tx, news: letters.News, now: datetime) -> bool:
    """Day, by the hours this person asked for; a cut-off within 24 hours; or an answer to what he did within the last half hour."""
    if not wishes.quiet_for(tx, news.person, news.kind, news.body).holds(now):
        return True
    if news.body.get("urgent"):
        return True  # it would go dark before the morning
    payment = news.body.get("payment")
    if not payment:
        return news.kind == "handoff"
    begun = house.till.outcome(tx, PaymentId(payment)).created_at
    return news.person == news.body.get("by") and now - begun <= _ANSWER_WINDOW


def _said_since(tx: Tx, person: PersonId, seq: int) -> list[Said]:
    found = letters.letters_to(tx, person, seq)
    return [
        wire.load_said(x.body)
        for x in found
        if x.channel not in codes.ELSEWHERE and x.state not in delivery.UNSEEN
    ]


__all__ = ["Desk", "Served", "may_ring"]
