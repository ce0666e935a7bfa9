"""One turn of a talk, inside one transaction: understand, guard, step, and write down all that follows.

Nothing here asks the outside and nothing waits. What must be asked outside is handed back to the desk, which asks
after the transaction and brings the answer through the same door.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

import structlog

from data.catalogue import Catalogue
from data.events import InboundEvent, InboundKind
from data.ids import ActId, PaymentId, PersonId
from data.model import Person, masked_name
from data.store import letters
from data.store.engine import Tx
from dialogues import (
    codes,
    conversations,
    engine,
    hearing,
    outside_calls,
    renewal,
    replying,
    saying,
    staffing,
    strangers,
    wire,
)
from dialogues.actions import ACTIONS
from dialogues.actions.ports import Action, Inside, InsideAction
from dialogues.counter import Counter, Verdict
from dialogues.model import (
    Alarm,
    Answered,
    Call,
    CancelAct,
    CheckFactor,
    Commit,
    Conversation,
    Effect,
    EndTalk,
    Facts,
    Input,
    IssueCode,
    News,
    Propose,
    Release,
    Renewed,
    Said,
    Say,
    SetPreference,
    StopEverything,
)
from dialogues.moment import Moment, Noted
from dialogues.outside_calls import OutsideCall
from dialogues.releases import Place, Releases
from dialogues.responses import CannotSay
from nlu.understand import Understanding
from payments import not_told
from payments.authority import people, wishes
from payments.till import Till

log = structlog.get_logger("bangjiao.turn")

_INPUTS_A_TURN = 60  # far above any honest turn; a flow that keeps answering itself goes to a person
# What the house says of itself, whatever the talk is about.
_OWN_NOTES = {"working": "utter_working", "too_many": "utter_too_many"}


@dataclass(slots=True)
class Taken:
    """What a turn left to do: outside calls, payments to carry out, people to look up from their page."""

    person: PersonId
    said: list[Said] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)
    calls: list[OutsideCall] = field(default_factory=list)
    payments: list[PaymentId] = field(default_factory=list)
    touched: set[PersonId] = field(default_factory=set)
    repeated: bool = False
    silent: bool = False
    ended: bool = False
    revision: int = 0
    kept: str = ""  # the release that was written down with the talk
    since: int = 0  # the newest letter when something was left to do: what comes of that has higher numbers


@dataclass(frozen=True, slots=True)
class House:
    """What every turn needs and no turn changes."""

    release: Release
    understanding: Understanding
    till: Till
    catalogue: Catalogue
    observe: Callable[[PersonId, Input, Sequence[Noted]], None] | None = None
    actions: Mapping[str, Action] = field(default_factory=lambda: ACTIONS)
    releases: Releases = field(default_factory=Releases)
    roads: Collection[str] | None = None  # by which people can be told something; None: by every one


def take(tx: Tx, house: House, event: InboundEvent) -> Taken:
    """Serves one event. A repeated delivery finds its row and gets what was answered then (L1)."""
    event = strangers.whose(tx, event)
    if not letters.first_seen(tx, event.channel, event.event_id, event.person, event.at):
        return _repeated(tx, event)
    person = people.find(tx, event.person)
    newcomer = person is None and not _with_staff(tx, event)
    if newcomer and not strangers.begins_or_goes_on(tx, house, event):
        return _stranger(tx, house, event)
    person = person or strangers.nobody(event)
    conversation = conversations.load(tx, event.person, house.release.id, person.locale, person.voice_notes)
    place = house.releases.place(tx, house, conversation)
    taking = _Taking(tx, place.house, event, person, place.talk, Taken(event.person))
    taking.newcomer, taking.place, taking.today = newcomer, place, house
    taking.serve()
    return taking.taken


def _repeated(tx: Tx, event: InboundEvent) -> Taken:
    stored = letters.stored_reply(tx, event.channel, event.event_id)
    known = set(json.loads(stored)) if stored else set()
    said = (
        [wire.load_said(x.body) for x in letters.letters_to(tx, event.person) if x.id in known]
        if known
        else []
    )
    return Taken(event.person, said=said, letters=sorted(known), repeated=True)


def apologise(tx: Tx, house: House, event: InboundEvent) -> Taken:
    """A turn that broke is answered all the same, in its place: nothing was done, and a person looks (L4)."""
    event = strangers.whose(tx, event)
    if not letters.first_seen(tx, event.channel, event.event_id, event.person, event.at):
        return _repeated(tx, event)
    person = people.find(tx, event.person) or strangers.nobody(event)
    conversation = conversations.load(tx, event.person, house.release.id, person.locale, person.voice_notes)
    taking = _Taking(tx, house, event, person, conversation, Taken(event.person))
    taking.give_up()
    return taking.taken


def _with_staff(tx: Tx, event: InboundEvent) -> bool:
    """Somebody we do not know may still be served by a person of ours, and then talks with that person."""
    talk = staffing.peek(tx, event.person)
    return talk is not None and (event.kind is InboundKind.STAFF or talk.mode == "human")


def _stranger(tx: Tx, house: House, event: InboundEvent) -> Taken:
    """Somebody we do not know is told how he becomes known, and reaches a person; he sees nobody's bills (settled 26)."""
    said = strangers.answer(tx, house, event)
    strangers.note(tx, house, event, said)
    taken = Taken(event.person, said=list(said), touched={event.person})
    taken.letters += [replying.post(tx, event, event.channel, one) for one in said]
    letters.store_reply(tx, event.channel, event.event_id, json.dumps(taken.letters))
    return taken


class _Taking:
    """One turn while it lasts."""

    def __init__(
        self, tx: Tx, house: House, event: InboundEvent, person: Person, found: Conversation, taken: Taken
    ) -> None:
        self.tx, self.house, self.event, self.person, self.taken = tx, house, event, person, taken
        self.before, self.found_at = found.revision, found.channel
        self.conversation = self._arrived(found)
        self.commands: list[str] = []
        self.asked = ""
        self.shown: str | None = None
        self.cancelled_something = False
        self.newcomer = False
        self.place = Place(house, found)
        self.today = house
        self.queue: deque[Input] = deque()

    def _arrived(self, found: Conversation) -> Conversation:
        """The channel of the person's own words; news and answers go where he spoke last, or to his usual address."""
        event = self.event
        if event.kind not in (InboundKind.ANSWER, InboundKind.RESULT, InboundKind.STAFF):
            return replace(found, channel=event.channel, turn=found.turn + 1)
        wanted = (event.payload.get("body") or {}).get("on_channel")
        if wanted:
            return replace(found, channel=str(wanted), turn=found.turn + 1)
        if found.channel:
            return replace(found, turn=found.turn + 1)
        known = people.addresses_of(self.tx, event.person)
        usual = next((a.channel for a in known if a.channel not in codes.ELSEWHERE), "console")
        return replace(found, channel=usual, turn=found.turn + 1)

    @property
    def facts(self) -> Facts:
        channel = self.conversation.channel
        shown = {"person_name": self.person.name if channel != "voice" else ""}
        return Facts(now=self.event.at, channel=channel, spoken=channel == "voice", person_values=shown)

    # --- the turn ---------------------------------------------------------------------------------------------

    def serve(self) -> None:
        heard = hearing.hear(self.tx, self.house, self.event, self.conversation, self.facts)
        self.commands, self.asked, self.shown = list(heard.names), heard.asked, heard.shown
        if heard.silent:
            self.taken.silent = True
        if heard.conversation is not None:
            self.conversation = heard.conversation
        inputs = self._in_todays_flows(self._aside(heard.inputs))
        for say in heard.said_at_once:
            self._say(say)
        self.queue.extend(inputs)
        if self.event.kind is InboundKind.STAFF:
            self._staff()
        self._run()
        self._write()

    def _in_todays_flows(self, inputs: tuple[Input, ...]) -> tuple[Input, ...]:
        """A talk whose flows are gone, or have never heard of this, is taken up in today's; gives what still counts then."""
        there, today = self.house.release, self.today.release
        if not (self.place.gone or renewal.unknown(inputs, there, today)):
            return inputs
        moves = renewal.moves(inputs, self.conversation, there, today) or self._of_staff()
        if moves is None:
            return ()
        self.house = self.today
        self.queue.append(moves.first)
        self._run()
        return moves.then

    def _aside(self, inputs: tuple[Input, ...]) -> tuple[Input, ...]:
        """What is open stays where it was asked: a yes read back anew on another road could not be given in the talk."""
        if not (self._told_elsewhere and self.conversation.stack):
            return inputs
        return tuple(self._only_told(one) if isinstance(one, News) else one for one in inputs)

    def _only_told(self, news: News) -> News:
        """News that ask something themselves come on top as ever."""
        flow = self.house.release.flows.get(news.flow)
        asks = flow is not None and any(
            step.kind in ("collect", "call", "link") for step in flow.steps.values()
        )
        return news if asks else replace(news, aside=True)

    def _of_staff(self) -> renewal.Moves | None:
        own = self.event.payload.get("act") in _OWN_NOTES
        return renewal.Moves(Renewed("leaves")) if self.event.kind is InboundKind.STAFF and not own else None

    def give_up(self) -> None:
        """Only the apology and the ticket: the talk stands where it stood before this event."""
        self._trouble("a turn broke")
        match self.event.kind:
            case InboundKind.ANSWER:
                self._give_up_call()
            case InboundKind.RESULT:
                # Told by the person who looks: the same news would break the same turn for ever.
                letters.mark_served(self.tx, str(self.event.payload["id"]), self.event.at)
        self._write()

    def _run(self) -> None:
        facts = self.facts
        for _ in range(_INPUTS_A_TURN):
            if not self.queue:
                return
            before, heard = self.conversation, self.queue.popleft()
            after = self._step(before, heard, facts)
            self.conversation = after.talk
            if self.house.observe is not None:
                self.house.observe(before.person, heard, after.noted)
            for effect in after.effects:
                self._carry(effect)
        self._trouble("a turn did not come to rest")

    def _step(self, before: Conversation, heard: Input, facts: Facts) -> Moment:
        """One step of the engine. Of what somebody unknown may not begin nothing happens: he enrols first (settled 26)."""
        if not self.newcomer or people.find(self.tx, self.event.person) is not None:
            return engine.traced(self.house.release, before, heard, facts)
        before = replace(before, pending_wishes=())
        after = engine.traced(self.house.release, before, heard, facts)
        if (wish := strangers.beyond(after.talk)) is None:
            return after
        return engine.traced(self.house.release, before, strangers.enrols_first(wish, before), facts)

    def _write(self) -> None:
        recent = self.conversation.recent
        if self.taken.said:
            recent = (*recent[-1:], " ".join(replying.mark(said.text) for said in self.taken.said))
        self.conversation = replace(
            self.conversation, revision=self.before + 1, recent=recent, channel=self._talk_goes_on_at
        )
        self.taken.revision = self.conversation.revision
        self.taken.kept = self.house.releases.keep(
            self.tx, self.house.release, self.conversation, self.event.at
        )
        conversations.save(self.tx, self.conversation, self.before, self.event)
        conversations.record_turn(
            self.tx, self.conversation, self.event, self.commands, self.taken.said, self._heard_text()
        )
        letters.store_reply(self.tx, self.event.channel, self.event.event_id, json.dumps(self.taken.letters))
        self.taken.touched.add(self.event.person)
        if self.taken.calls or self.taken.payments:
            self.taken.since = letters.newest(self.tx, self.event.person)

    @property
    def _talk_goes_on_at(self) -> str:
        """News told on another road do not take the talk there: nobody answers a text message here."""
        elsewhere = self._told_elsewhere or self.conversation.channel in codes.ELSEWHERE
        return self.found_at if elsewhere else self.conversation.channel

    @property
    def _told_elsewhere(self) -> bool:
        """A notice on the road he wished for, or on his next one because the first did not carry."""
        body = self.event.payload.get("body") or {}
        if self.event.kind is not InboundKind.RESULT or body.get("on_channel") in (None, self.found_at):
            return False
        kind = str(self.event.payload["kind"])
        notice = wishes.group_of(kind, body, self.event.person) is not None
        return notice or not_told.TRIED in body

    def _heard_text(self) -> str:
        """What the log of talks may show of the person's words: never a code, never a whole number."""
        if self.event.kind is InboundKind.KEY:
            return "•" * min(len(self.event.text), 8)
        if self.shown is not None:
            return self.shown
        return "••••" if self.asked == "code" else conversations.masked(self.event.text)

    # --- effects ----------------------------------------------------------------------------------------------

    def _carry(self, effect: Effect) -> None:
        match effect:
            case Say():
                self._say(effect)
            case Call():
                self._call(effect)
            case Propose():
                self._decided(effect.call_id, self._counter.propose(effect))
            case IssueCode():
                self._counter.issue_code(effect)
            case CheckFactor():
                self._decided(effect.call_id, self._counter.check_factor(effect))
            case Commit():
                self._decided(effect.call_id, self._counter.commit(effect))
            case CancelAct():
                done = self.house.till.cancel(self.tx, ActId(effect.act), self.event.person, self.event.at)
                self.cancelled_something = self.cancelled_something or done
            case StopEverything():
                self._decided(effect.call_id, self._counter.stop(self.cancelled_something))
            case SetPreference():
                self._keep(effect)
            case EndTalk():
                self.taken.ended = True
                if self.taken.said:
                    self._mark_last_as_end()
            case Alarm():
                self._alarm(effect.what)  # the engine has its own words for the person
            case _:
                assert_never(effect)

    def _answer(self, call_id: str, outcome: str, slots: Mapping[str, Any] | None = None) -> None:
        self.queue.append(Answered(call_id, outcome, slots or {}))

    @property
    def _counter(self) -> Counter:
        return Counter(self.tx, self.house, self.event, self.conversation, self.facts)

    def _decided(self, call_id: str, verdict: Verdict) -> None:
        self.taken.payments += verdict.payments
        self._answer(call_id, verdict.outcome, verdict.slots)
        if verdict.news is not None:
            self.queue.append(verdict.news)

    def _say(self, say: Say) -> None:
        act = str((self.conversation.top.context.get("act") if self.conversation.top else "") or "")
        try:
            said = saying.said(self.tx, self.house, self.conversation, self.facts, say, act, self.event.at)
        except CannotSay as problem:
            self._trouble(f"{say.response}: {problem}")
            return
        if said is None:
            self._trouble(f"{say.response} would have claimed what is not so")
            return
        release = self.house.release
        self._post(replying.in_other_words(release, self.conversation, self.facts, said))
        if said.link and self.facts.spoken:
            written = replying.with_link(release, self.conversation, self.facts, say, said.link)
            replying.post(self.tx, self.event, codes.SMS, written)

    def _post(self, said: Said) -> None:
        self.taken.letters.append(replying.post(self.tx, self.event, self.conversation.channel, said))
        self.taken.said.append(said)

    def _mark_last_as_end(self) -> None:
        """The last message of a talk says that it is the last."""
        last = replace(self.taken.said[-1], ends=True, asks=None)
        letters.drop(self.tx, self.taken.letters.pop())
        self.taken.said.pop()
        self._post(last)

    def _call(self, call: Call) -> None:
        action = self.house.actions[call.action]
        if not isinstance(action, InsideAction):
            self.taken.calls.append(outside_calls.begin(self.tx, self.event, call))
            return
        room = Inside(
            tx=self.tx,
            person=self.event.person,
            facts=self.facts,
            conversation=self.conversation,
            release=self.house.release,
            till=self.house.till,
            catalogue=self.house.catalogue,
            event_id=f"{self.event.channel}:{self.event.event_id}",
            roads=self.house.roads,
        )
        result = action.run(room, call.arguments)
        if result.preferences is not None:
            self.conversation = replace(self.conversation, preferences=result.preferences)
            self._keep_preferences()
        self._answer(call.call_id, result.outcome, result.slots)

    # --- the person and the staff -----------------------------------------------------------------------------

    def _keep(self, effect: SetPreference) -> None:
        self.conversation = replace(self.conversation, preferences=effect.preferences)
        self._keep_preferences()

    def _keep_preferences(self) -> None:
        people.prefer(self.tx, self.event.person, locale=self.conversation.preferences.locale)

    def _staff(self) -> None:
        if (own := _OWN_NOTES.get(self.event.payload["act"])) is not None:
            self._say(Say(own, {}))
            return
        outcome = staffing.act(self.tx, self.event, self.conversation)
        for frame in self.conversation.stack if not outcome.conversation.stack else ():
            if (act := frame.context.get("act")) and not frame.context.get("lasting"):
                self.house.till.cancel(self.tx, ActId(str(act)), self.event.person, self.event.at)
        self.conversation = outcome.conversation
        for said in outcome.said:
            self._post(said)
        self.queue.extend(outcome.inputs)

    def _give_up_call(self) -> None:
        """Nobody waits any longer for an answer that could not be taken."""
        outside_calls.drop(self.tx, self.event.payload["id"])
        self.conversation = replace(self.conversation, stack=(), slots={}, pending_wishes=())

    def _trouble(self, what: str) -> None:
        """Something of ours is wrong: said honestly, and a person looks (L4: it fails closed)."""
        self._alarm(what)
        said = saying.said(
            self.tx, self.house, self.conversation, self.facts, Say("utter_trouble", {}), "", self.event.at
        )
        assert said is not None, "the words for trouble claim nothing"
        self._post(said)

    def _alarm(self, what: str) -> None:
        """A person looks."""
        log.error("alarm", what=what, person=self.event.person)
        name = masked_name(self.person.name)
        letters.open_ticket(
            self.tx,
            kind="trouble",
            person=self.event.person,
            reason="alarm",
            summary=f"{name}: {what}",
            at=self.event.at,
        )
