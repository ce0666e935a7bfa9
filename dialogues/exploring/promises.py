"""What must hold of every step of the walk and of every state it comes to; each broken promise keeps the way that showed it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dialogues import responses
from dialogues.business import STOPPING
from dialogues.exploring import asking, keypad
from dialogues.exploring.happening import Event
from dialogues.exploring.walking import SPOKEN, WRITTEN, Node, Taken, Walk
from dialogues.model import (
    Alarm,
    Commit,
    Conversation,
    Effect,
    Facts,
    Heard,
    Preferences,
    Say,
    StopEverything,
)
from dialogues.moment import HUMAN, LISTENING, SENT
from dialogues.predicate import PredicateError
from nlu.commands import Affirm, CancelFlow, Code, Human, Stop

PERSON, EXIT, LOOP, READ_BACK, KEYS, DEAD_END, FAULT = (
    "person in one turn",
    "exit in one turn",
    "no loop",
    "read back before a yes",
    "answered by keys",
    "no dead end",
    "nothing fails",
)
LAWS = (PERSON, EXIT, LOOP, READ_BACK, KEYS, DEAD_END, FAULT)
_MOST_TURNS = 4  # after so many nobody is reached any more
_CALL_OFF_STEPS = 40


Then = tuple[tuple[Event, tuple[Effect, ...], Conversation], ...]  # what happened after a state, step by step


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that does not hold: at which state, and what had to happen there to show it."""

    law: str
    what: str
    node: Node
    then: Then = ()

    @property
    def length(self) -> int:
        """How many things happen in the conversation that shows it."""
        return self.node.depth + len(self.then)


HUMAN_EVENT = Event("asks for a person", Heard((Human(),)))
STOP_EVENT = Event("says stop", Heard((Stop(),)))
CANCEL_EVENT = Event("says never mind", Heard((CancelFlow(),)))


class Promises:
    """Looks at a walk while it is taken."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.release = walk, walk.release
        self.most_to_human = 0
        self.most_to_exit = 0
        self._sayable: dict[tuple[str, frozenset[str]], str] = {}
        self._asked: set[object] = set()

    # --- of a step --------------------------------------------------------------------------------------------

    def of_step(self, taken: Taken) -> Iterator[Broken]:
        """Nothing fails, nothing is asked the same way three times, nothing is paid that was not read back."""
        then = ((taken.event, taken.effects, taken.talk),)
        if taken.error:
            yield Broken(FAULT, f"the engine raised {taken.error}", taken.node, then)
            return
        for what in self._wrong_effects(taken.effects, taken.talk):
            yield Broken(LOOP if "circle" in what else FAULT, what, taken.node, then)
        if taken.heeded.times >= asking.SAME_WAY:
            response = taken.heeded.question[0]
            yield Broken(
                LOOP, f"{response} is asked the same way {taken.heeded.times} times", taken.node, then
            )
        yield from self._unread(taken, then)

    def _unread(self, taken: Taken, then: Then) -> Iterator[Broken]:
        before = taken.node.heeded
        said_yes = self._says_yes(taken, before.read_back)
        for effect in taken.effects:
            if not isinstance(effect, Commit):
                continue
            if effect.act != before.read_back:
                yield Broken(
                    READ_BACK,
                    "a yes is sent to the till, and the act was not read back just before",
                    taken.node,
                    then,
                )
            elif not (before.agreed or said_yes):
                yield Broken(READ_BACK, "a yes is sent to the till that nobody said", taken.node, then)

    @staticmethod
    def _says_yes(taken: Taken, read_back: str) -> bool:
        heard = taken.event.input
        return bool(read_back) and isinstance(heard, Heard) and isinstance(heard.commands[0], Affirm | Code)

    def _wrong_effects(self, effects: tuple[Effect, ...], talk: Conversation) -> Iterator[str]:
        for effect in effects:
            if isinstance(effect, Alarm):
                yield effect.what
            elif isinstance(effect, Say) and (problem := self._unsayable(effect, talk)):
                yield problem

    def _unsayable(self, say: Say, talk: Conversation) -> str:
        """Why a sentence cannot be said in some language, written or spoken; "" when it can."""
        held = frozenset(name for name, value in say.values.items() if value is not None)
        key = (say.response, held)
        if key not in self._sayable:
            self._sayable[key] = self._rendered_everywhere(say, talk)
        return self._sayable[key]

    def _rendered_everywhere(self, say: Say, talk: Conversation) -> str:
        for locale in self.release.responses:
            if say.response not in self.release.responses[locale]:
                return f"{say.response} is not written in {locale}"
            for facts in (WRITTEN, SPOKEN):
                speaking = _in(talk, locale)
                try:
                    responses.render(self.release, say, speaking, facts)
                except (responses.CannotSay, PredicateError) as problem:
                    if not self._filled_in(say, locale, facts):
                        return f"{say.response} cannot be said in {locale}: {problem}"
        return ""

    def _filled_in(self, say: Say, locale: str, facts: Facts) -> bool:
        """Whether only values are missing that our own language does not need: the engine looks those up when it says it."""
        ours = set(responses.value_names(self.release, say.response, responses.DEFAULT_LOCALE))
        theirs = set(responses.value_names(self.release, say.response, locale))
        return bool(theirs - ours - facts.person_values.keys())

    # --- of a state -------------------------------------------------------------------------------------------

    def of_state(self, node: Node) -> Iterator[Broken]:
        """A person, an end, an answer by keys, and another way of asking, wherever somebody can speak."""
        if node.top is None or not self.walk.visible(node.talk):
            return
        yield from self._person(node)
        yield from self._stop(node)
        yield from self._cancel(node)
        if node.top.phase in LISTENING:
            yield from keypad.unanswerable(self.walk, node, KEYS, Broken)
            if self._first_time_at(node):
                yield from self._asked_again(node)
                yield from self._put_right(node)

    def _person(self, node: Node) -> Iterator[Broken]:
        talk, effects = self.walk.step(node.talk, HUMAN_EVENT.input)
        then = ((HUMAN_EVENT, effects, talk),)
        for what in self._wrong_effects(effects, talk):
            yield Broken(FAULT, what, node, then)
        if _with_a_person(talk):
            self.most_to_human = max(self.most_to_human, 1)
            return
        turns = self._turns_to_human(talk)
        self.most_to_human = max(self.most_to_human, turns)
        late = f"after {turns} turns" if turns <= _MOST_TURNS else "never"
        yield Broken(PERSON, f"a person comes {late}", node, then)

    def _turns_to_human(self, talk: Conversation) -> int:
        """How many turns it takes: asking again, or answering whatever is asked first."""
        reached = [talk]
        for turns in range(2, _MOST_TURNS + 1):
            found: list[Conversation] = []
            for one in reached:
                for event in [HUMAN_EVENT, *self.walk.happening.next(one)][:6]:
                    after = self._through(self.walk.step(one, event.input)[0])
                    if _with_a_person(after):
                        return turns
                    found.append(after)
            reached = found[:20]
        return _MOST_TURNS + 1

    def _through(self, talk: Conversation) -> Conversation:
        """On through what the house answers within the turn, as usual."""
        for _ in range(_CALL_OFF_STEPS):
            if _with_a_person(talk) or self.walk.visible(talk):
                return talk
            talk, _effects = self.walk.step(talk, self.walk.happening.next(talk)[0].input)
        return talk

    def _stop(self, node: Node) -> Iterator[Broken]:
        talk, effects = self.walk.step(node.talk, STOP_EVENT.input)
        ends = (
            not talk.stack and not talk.pending_wishes and any(isinstance(e, StopEverything) for e in effects)
        )
        then = ((STOP_EVENT, effects, talk),)
        if not ends:
            self.most_to_exit = _MOST_TURNS + 1
            yield Broken(EXIT, "stop does not end it", node, then)
        elif any(isinstance(e, Commit) for e in effects):
            yield Broken(EXIT, "stop sends something", node, then)
        else:
            self.most_to_exit = max(self.most_to_exit, 1)
            yield from self._stopped(node, talk, then)

    def _stopped(self, node: Node, talk: Conversation, then: Then) -> Iterator[Broken]:
        """The till's answer to a stop is told, whatever it is."""
        key = (talk.mode, node.talk.preferences.locale)
        if key in self._asked:
            return
        self._asked.add(key)
        for event in self.walk.happening.stopped(STOPPING):
            after, effects = self.walk.step(talk, event.input)
            for what in self._wrong_effects(effects, after):
                yield Broken(FAULT, what, node, (*then, (event, effects, after)))

    def _cancel(self, node: Node) -> Iterator[Broken]:
        """算了 leaves the business on top: no question of it follows, whatever the house answers meanwhile."""
        top = node.top
        if top is None or top.phase in SENT or top.flow == HUMAN:
            return
        talk, effects = self.walk.step(node.talk, CANCEL_EVENT.input)
        base = _base(node.talk)
        waiting: list[tuple[Conversation, Then]] = [(talk, ((CANCEL_EVENT, effects, talk),))]
        for _ in range(_CALL_OFF_STEPS):
            if not waiting:
                return
            one, then = waiting.pop(0)
            for what in self._wrong_effects(then[-1][1], one):
                yield Broken(FAULT, what, node, then)
            left = len(one.stack) <= base or one.stack[base].flow != node.talk.stack[base].flow
            if self.walk.visible(one) and not left and not _with_a_person(one):
                yield Broken(EXIT, f"never mind leads back into {one.stack[-1].flow}", node, then)
                return
            if not self.walk.visible(one) and not left:
                for event in self.walk.happening.next(one):
                    after, effects = self.walk.step(one, event.input)
                    waiting.append((after, (*then, (event, effects, after))))

    def _first_time_at(self, node: Node) -> bool:
        """Each question once: how it is asked again does not depend on the values held meanwhile."""
        top = node.top
        if top is None or top.misses or node.heeded.times > 1:
            return False
        frames = node.talk.stack[_base(node.talk) :]
        given = tuple(event.says for event in self.walk.happening.corrections(node.talk))
        place = (tuple((f.flow, f.step, f.phase, f.context.get("strength")) for f in frames), given)
        new = place not in self._asked
        self._asked.add(place)
        return new

    def _asked_again(self, node: Node) -> Iterator[Broken]:
        """Each reason to ask again, again and again: another way of asking, then a person."""
        for found in asking.stuck(self.walk, node):
            yield Broken(FAULT if found.fails else LOOP, found.what, node, found.then)

    def _put_right(self, node: Node) -> Iterator[Broken]:
        """Each value given so far was wrong: the talk goes back and comes to a question again, with a person at hand."""
        for event in self.walk.happening.corrections(node.talk):
            talk, effects = self.walk.step(node.talk, event.input)
            then: Then = ((event, effects, talk),)
            while not (_with_a_person(talk) or self.walk.visible(talk)) and len(then) < _CALL_OFF_STEPS:
                following = self.walk.happening.next(talk)[0]
                talk, effects = self.walk.step(talk, following.input)
                then = (*then, (following, effects, talk))
            for _, found, at in then:
                for what in self._wrong_effects(found, at):
                    yield Broken(FAULT, what, node, then)
            if not _with_a_person(self.walk.step(talk, HUMAN_EVENT.input)[0]):
                yield Broken(PERSON, "no person comes after something was put right", node, then)


def _with_a_person(talk: Conversation) -> bool:
    """A person was asked for: the request is on its way, nothing is asked first."""
    top = talk.top
    return top is not None and top.flow == HUMAN and top.phase == "call"


def _base(talk: Conversation) -> int:
    at = len(talk.stack) - 1
    while at > 0 and talk.stack[at].kind == "call":
        at -= 1
    return at


def _in(talk: Conversation, locale: str) -> Conversation:
    return replace(talk, preferences=Preferences(locale=locale))
