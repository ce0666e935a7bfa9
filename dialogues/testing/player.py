"""Plays one script in one world: step by step, with the promises of every talk looked at after each step."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from dialogues.testing import assertions, deploys, expecting, invariants, outcome
from dialogues.testing.invariants import Stopped, Turn, View
from dialogues.testing.moment import Moment
from dialogues.testing.script import (
    Advance,
    Check,
    Disturb,
    Event,
    Expect,
    Heard,
    Human,
    Race,
    Script,
    Step,
    Tap,
)
from dialogues.testing.wandering import Wanderer
from dialogues.testing.world import Sent, Stage, Unsupported, World, WorldFacts

_PLACEHOLDER = re.compile(
    r"\{(valid_code|wrong_code|valid_pin|wrong_pin|helper_login|token|invitation_code)\}"
)
_CODE = re.compile(r"\s*\{(valid_code|wrong_code)\}\s*")
_WITH_DIGITS = frozenset({"account", "amount", "code"})  # where the key 0 is a digit


class CaseFailed(Exception):
    """Something is not as the script or an invariant promises; the text says where and what."""


@dataclass
class Player:
    """One performance. `judged` False: the steps are played and invariants hold, but expectations are not looked at."""

    script: Script
    world: World
    library: Mapping[str, Script] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    judged: bool = True
    seed: int = 0
    after: Callable[[Player, Step], Awaitable[None]] | None = None
    wanderer: Wanderer | None = None  # who goes on elsewhere at each step
    unknown: set[str] = field(default_factory=set)  # invariants this world does not tell enough to judge
    _sent: Sequence[Sent] = ()
    _facts: WorldFacts | None = None
    _seen: int = 0  # messages that the invariants have looked at
    _mark: int = 0
    _events: dict[str, int] = field(default_factory=dict)
    _captures_before: int = 0
    _calls_before: int = 0
    _written_off: dict[str, list[str]] = field(default_factory=dict)  # by the earlier talk
    _turns: list[Turn] = field(default_factory=list)
    _stops: list[Stopped] = field(default_factory=list)
    _spoken: dict[str, str] = field(default_factory=dict)
    _hung_up: str = "nobody"

    async def play(self) -> None:
        """The whole script. Raises CaseFailed, or Unsupported with the key that is missing."""
        await self.world.start(self._stage())
        for name in names(self.script.given.get("history")):
            await self._before(name)
        await self._arrange(self.script.given)
        await self._look(None)
        self._captures_before = len(self.facts.captures or ())
        self._calls_before = len(self.facts.gateway_calls or ())
        for step in self.script.steps:
            await self._step(step)
        if self.judged:
            self._end()

    @property
    def facts(self) -> WorldFacts:
        assert self._facts is not None
        return self._facts

    @property
    def moment(self) -> Moment:
        """How things stand now."""
        return Moment(
            self.script.persona,
            self._sent,
            self.facts,
            self._mark,
            dict(self._events),
            self._captures_before,
            self._calls_before,
            self._written_off,
        )

    # --- before the first step ---

    def _stage(self) -> Stage:
        earlier = names(self.script.given.get("history"))
        played = [self._script(n, "given.history") for n in earlier if not self._is_sample(n)]
        channels = {s.persona: s.channel for s in (*played, self.script) if s.channel}
        locales = {self.script.persona: self.script.locale} if self.script.locale else {}
        return Stage(self.script.town, channels, locales, self.script.start, self.script.persona)

    def _script(self, name: str, key: str) -> Script:
        if name not in self.library:
            raise Unsupported(f"{key}.{name}")
        return self.library[name]

    def _is_sample(self, name: str) -> bool:
        """A named sample of earlier talks that the world itself knows, and no script."""
        return name not in self.library and self.world.supports(f"given.history.{name}")

    async def _before(self, name: str) -> None:
        if self._is_sample(name):
            await self.world.arrange({"history": name})
        else:
            await self._play_before(self._script(name, "given.history"))
            known = {intent for intents in self._written_off.values() for intent in intents}
            self._written_off[name] = [m.intent for m in self.facts.posted or () if m.intent not in known]

    async def _play_before(self, earlier: Script) -> None:
        """An earlier talk: what it left behind is what counts."""
        for name in names(earlier.given.get("history")):
            await self._before(name)
        await self._arrange(earlier.given)
        await self._look(None)
        for step in earlier.steps:
            if not isinstance(step, (Expect, Check)):
                await self._do(step, earlier.persona)

    async def _arrange(self, given: Mapping[str, Any]) -> None:
        own = {k: v for k, v in given.items() if k not in ("history", "interleavings")}
        if "mandate" in own:
            own["mandate"] = self._mandates(own["mandate"])
        if own:
            await self.world.arrange(own)

    def _mandates(self, value: Any) -> list[Any]:
        """An id stands for the mandates that script leaves behind."""
        if isinstance(value, str):
            return list(self._script(value, "given.mandate").then.get("mandates", ()))
        return list(value) if isinstance(value, list) else [value]

    # --- steps ---

    async def _step(self, step: Step) -> None:
        match step:
            case Expect():
                if self.judged:
                    _fail(step, expecting.complaints(step, self.moment, self.left_out))
            case Check():
                if self.judged:
                    _fail(step, assertions.complaints(step, self.moment))
            case _:
                await self._do(step, self.script.persona)
                if self.after is not None:
                    await self.after(self, step)
                    await self._look(step)

    async def _do(self, step: Step, persona: str) -> None:
        turn: Turn | None = None
        if isinstance(step, (Human, Race)):
            turn = self._begin(step, persona)
        if self.wanderer is not None and isinstance(step, Human):
            step = await self.wanderer.step(self, step, step.person or persona)
        try:
            await self._happens(step, persona)
        except AssertionError as wrong:
            raise CaseFailed(f"{step.where}: {wrong}") from None
        await self._look(step, turn)

    def _begin(self, step: Human | Race, persona: str) -> Turn:
        """A human step begins: from here on counts what was sent since."""
        self._mark = len(self._sent)
        self._events = {p: len(t.events or ()) for p, t in self.facts.talks.items()}
        actors = [s for s in step.steps if isinstance(s, Human)] if isinstance(step, Race) else [step]
        for actor in actors:
            person = actor.person or persona
            self._turns.append(Turn(person, self.facts.now, self._mark, self._wish(actor, person)))
        return self._turns[-1] if actors else Turn(persona, self.facts.now, self._mark)

    def _wish(self, step: Human, person: str) -> str:
        """human or stop, where that is beyond doubt."""
        if step.kind == "key":
            asks = [s.asks for s in self._sent if s.person == person and s.asks]
            digits = bool(asks) and asks[-1] in _WITH_DIGITS
            words = {"0#": "human", "*": "stop", **({} if digits else {"0": "human"})}
            return words.get(step.value, "")
        words = {
            **dict.fromkeys(invariants.HUMAN_WORDS, "human"),
            **dict.fromkeys(invariants.STOP_WORDS, "stop"),
        }
        text = step.value.nbest[0] if isinstance(step.value, Heard) else step.value
        text = text.command if isinstance(text, Tap) else text
        return words.get(text.strip(" 。!！.").lower(), "") if isinstance(text, str) else ""

    async def _happens(self, step: Step, persona: str) -> None:
        match step:
            case Human():
                await self._act(step, step.person or persona)
            case Advance(by=by):
                await self.world.advance(by)
            case Event(name="process"):
                await self.world.restart()
            case Event(name="deploy", value=value):
                await self.world.event("deploy", deploys.read(value, step.where))
            case Event(name=name, value=value):
                await self.world.event(name, value)
            case Race(steps=steps):
                await self._race(steps, persona)
            case Disturb(kind=kind, person=person):
                await self.disturb(kind, person or persona)
            case _:
                raise AssertionError(f"not a step that happens: {step}")

    async def disturb(self, kind: str, person: str) -> None:
        """redeliver | double_tap | restart."""
        if kind == "restart":
            await self.world.restart()
        elif kind == "redeliver":
            await self.world.redeliver(person)
        else:
            await self.world.double_tap(person)

    async def _race(self, steps: Sequence[Human | Advance | Event], persona: str) -> None:
        """All at once, begun in an order that the seed decides."""
        order = list(steps)
        random.Random(self.seed).shuffle(order)  # noqa: S311 -- an order of play, not a secret
        ends = await asyncio.gather(*(self._happens(s, persona) for s in order), return_exceptions=True)
        for wrong in ends:
            if wrong is not None:
                raise wrong

    async def _act(self, step: Human, person: str) -> None:
        world, value = self.world, step.value
        match step.kind:
            case "say":
                await self._say(person, value)
            case "voice":
                heard = [await self._filled(text, person) for text in value.nbest]
                self._note(person, *heard)
                await world.voice(person, heard, value.confidence)
            case "key":
                keys = await self._filled(value, person)
                self._note(person, keys)
                await world.key(person, keys)
            case "tap":
                await world.tap(person, value.command, value.arguments)
            case "press":
                await world.press(person, value.label, value.back)
            case "photo":
                await world.photo(person, value.file, value.content)
            case "silence":
                await world.silence(person, value)
            case "call_in":
                await world.call_in(person, value)
            case "hangup":
                self._hung_up = "person" if self._hung_up == "nobody" else self._hung_up
                await world.hangup(person)
            case unknown:
                raise Unsupported(f"step.{unknown}")

    async def _say(self, person: str, text: str) -> None:
        """A yes with a code is two messages: nobody has the code before the yes."""
        words = _CODE.sub("", text)
        if (code := _CODE.search(text)) is None or not words:
            filled = await self._filled(text, person)
            self._note(person, filled)
            await self.world.say(person, filled)
            return
        filled = await self._filled(words, person)
        self._note(person, filled)
        await self.world.say(person, filled)
        if await self._code_is_asked(person):
            await self.world.say(person, await self._digits(code[1], person))

    async def _code_is_asked(self, person: str) -> bool:
        self._sent, self._facts = await self.world.sent(), await self.world.facts()
        talk = self.facts.talks.get(person)
        if talk is not None and talk.waits_for is not None:
            return talk.waits_for == "code"
        return expecting.asked(self.moment.heard(person), self.moment, person) == "code"

    async def _filled(self, text: str, person: str) -> str:
        for name in dict.fromkeys(_PLACEHOLDER.findall(text)):
            text = text.replace("{" + name + "}", await self._digits(name, person))
        return text

    async def _digits(self, name: str, person: str) -> str:
        if name in ("helper_login", "token", "invitation_code"):
            return await self.world.placeholder(person, name)
        right, _, kind = name.partition("_")
        factor: Literal["code", "pin"] = "code" if kind == "code" else "pin"
        digits = await self.world.second_factor(person, factor)
        # Wrong by its last digit, so that it looks right in everything else.
        return digits if right == "valid" else digits[:-1] + str((int(digits[-1]) + 1) % 10)

    def _note(self, person: str, *texts: str) -> None:
        self._spoken[person] = "\n".join((self._spoken.get(person, ""), *texts))

    # --- looking ---

    async def _look(self, step: Step | None, turn: Turn | None = None) -> None:
        """What is sent and true now; whatever must hold of every talk is looked at."""
        self._sent, self._facts = await self.world.sent(), await self.world.facts()
        seen, self._seen = self._seen, len(self._sent)
        if self.facts.not_there:
            raise Unsupported(", ".join(dict.fromkeys(self.facts.not_there)))
        self._note_hang_up(self._sent[seen:])
        if turn is not None and turn.wish == "stop":
            self._note_stop(turn.person)
        view = View(self.facts, self._sent, seen, self._turns, self._stops, turn, self._spoken)
        broken, unknown = invariants.check(view)
        self.unknown |= unknown
        if broken:
            raise CaseFailed(f"{step.where if step else self.script.where}: " + "; ".join(broken))

    def _note_hang_up(self, news: Sequence[Sent]) -> None:
        if self._hung_up == "nobody" and any(s.ends for s in news):
            self._hung_up = "bot" if self.facts.tickets else "bot_before_ticket"

    def _note_stop(self, person: str) -> None:
        if (orders := invariants.charged(self.facts)) is not None:
            self._stops.append(Stopped(person, orders, len(self.facts.confirmations or ())))

    def _end(self) -> None:
        found = outcome.complaints(self.script.then, self.moment, self._hung_up)
        found += outcome.complaints(self.script.then.get("for_every_order", {}), self.moment, self._hung_up)
        if found:
            raise CaseFailed(f"{self.script.where}: then: " + "; ".join(found))


def names(value: Any) -> list[str]:
    """What a `history` names: one talk, several, or none."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(v) for v in value]


def _fail(step: Step, found: Sequence[str]) -> None:
    if found:
        raise CaseFailed(f"{step.where}: " + "; ".join(found))
