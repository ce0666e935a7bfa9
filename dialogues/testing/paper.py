"""A world of nothing but flows: any folder of Rasa files played by the engine alone, with actions answered by stubs.

No store, no till, no clock of its own: a test of the format costs milliseconds. What a person types is understood as Rasa's
tests write it (`/SetSlots(a=x)`, `/intent{"entity": "value"}`), as a training sentence of the folder word for word, or by
our own closed words (人工, 好的, digits, a choice). Money never moves here; a flow that commits is unsupported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from data.ids import PersonId
from dialogues import engine, expectation, guard, loader, mappings, responses
from dialogues.folder import is_no_dialogue
from dialogues.lint import ENGINE_SAYS, ENGINE_SAYS_AT_COMMIT
from dialogues.loader import Files
from dialogues.model import (
    ActionSpec,
    Alarm,
    Answered,
    Branch,
    ButtonSpec,
    Call,
    CheckFactor,
    Commit,
    Conversation,
    Effect,
    Facts,
    Flow,
    Heard,
    Input,
    Preferences,
    Propose,
    Release,
    Say,
    Session,
    Step,
    StopEverything,
    Variation,
    Where,
)
from dialogues.moment import HUMAN
from dialogues.outcomes import asked_for
from dialogues.testing.world import Sent, SentButton, Stage, Talk, TalkEvent, Unsupported, WorldFacts
from dialogues.yamlfile import Table
from nlu.commands import Clarify, Command, SetSlot, Silence, Utterance
from nlu.engine import OUT_OF_SCOPE, Parse
from nlu.loader import TrainingFileError, load_examples
from nlu.understand import Understanding

_NOON = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
_CAN = [
    "persona.stranger",
    "fixtures",
    "stub_custom_actions",
    "step.say",
    "step.press",
    "step.key",
    "step.voice",
    "step.silence",
    "step.advance",
    "step.restart",
    "channel.web",
    "channel.chat",
    "channel.voice",
    "channel.telegram",
    "channel.console",
]
_CANNOT_ASSERT = ("money_moved", "gateway_calls", "spoken_matches")
_DONE = "done"
_NOWHERE = Where("", 0)


class _Silent:
    """An engine that guesses nothing."""

    def parse(self, text: str, locale: str = "zh") -> Parse:
        return Parse(((OUT_OF_SCOPE, 1.0),), 0.0, False)


# --- the release of any folder ------------------------------------------------------------------------------------


def dialogue_files(folder: Path) -> list[Path]:
    """The files of a folder that hold flows, slots or sentences; tests, training sentences and settings are none."""
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in {".yml", ".yaml"}]
    return [path for path in paths if not is_no_dialogue(loader.read_content(path, Files()))]


def release_of(paths: Iterable[Path]) -> Release:
    """The release of these files, with an action for every name their flows use. Raises FlowErrors."""
    files = Files()
    for path in paths:
        content = loader.read_content(path, files)
        if isinstance(content, Table):
            loader.read_file(path, content, files)
    errors = [*files.errors, *loader.crossed(files)]
    if errors:
        raise loader.FlowErrors(errors)
    session = files.session[0] if files.session else Session()
    release = Release("paper", files.flows, files.slots, files.responses, {}, session)
    return _with_a_person(replace(release, actions=_actions(release)))


def _actions(release: Release) -> dict[str, ActionSpec]:
    """What each action may come out as is what its flows ask for; it may write every slot."""
    outcomes: dict[str, dict[str, None]] = {}
    for flow in release.flows.values():
        for step in flow.steps.values():
            if step.kind == "action" and not step.action.startswith("utter_"):
                outcomes.setdefault(step.action, {}).update(dict.fromkeys(asked_for(step)))
    writes = tuple(release.slots)
    return {name: ActionSpec(name, (*found, _DONE), (), writes) for name, found in outcomes.items()}


def _with_a_person(release: Release) -> Release:
    """What our engine needs of any house: words for what it says itself, and somebody to ask."""
    said = (*ENGINE_SAYS, *ENGINE_SAYS_AT_COMMIT, "utter_person_comes")
    sentences = dict(release.responses)
    ours = sentences.get(responses.DEFAULT_LOCALE, {})
    own = {name: (Variation(name, (), None, None, {}, _NOWHERE),) for name in said if name not in ours}
    sentences[responses.DEFAULT_LOCALE] = {**own, **ours}
    step = Step("comes", "action", _NOWHERE, (Branch(None, "END"),), action="utter_person_comes")
    person = Flow(HUMAN, {}, "a person", {step.id: step}, step.id, None, (), (), _NOWHERE)
    return replace(release, responses=sentences, flows={HUMAN: person, **release.flows})


def _examples(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("nlu*.yml")):
        try:
            yield from ((one.text.strip(), one.intent) for one in load_examples(path))
        except TrainingFileError:
            continue  # told by `bangjiao nlu`; here only what can be read counts


# --- the world ----------------------------------------------------------------------------------------------------


@dataclass
class PaperWorld:
    """One folder, one case. `release` as `release_of` gives it; `folder` is where training sentences are looked for."""

    release: Release
    folder: Path | None = None
    now: datetime = _NOON
    talks: dict[str, Conversation] = field(default_factory=dict)
    events: dict[str, list[TalkEvent]] = field(default_factory=dict)
    out: list[Sent] = field(default_factory=list)
    buttons: dict[str, list[tuple[ButtonSpec, int]]] = field(default_factory=dict)
    stubs: dict[str, Any] = field(default_factory=dict)
    stage: Stage = field(default_factory=Stage)
    sentences: dict[str, list[str]] = field(default_factory=dict)

    def supports(self, key: str) -> bool:
        return key in _CAN or (
            key.startswith("assertion.") and key.removeprefix("assertion.") not in _CANNOT_ASSERT
        )

    async def start(self, stage: Stage) -> None:
        self.stage = stage
        self.now = stage.start or _NOON
        for text, intent in _examples(self.folder) if self.folder else ():
            self.sentences.setdefault(text, []).append(intent)

    async def arrange(self, given: Mapping[str, Any]) -> None:
        for key in given:
            if key not in ("slots", "stub_custom_actions"):
                raise Unsupported(f"given.{key}")
        stubs = dict(given.get("stub_custom_actions", {}))
        for name, stub in sorted(stubs.items(), key=lambda one: "::" in one[0]):  # the case's own outweigh
            self._stub(name.rpartition("::")[2], stub)
        if values := dict(given.get("slots", {})):
            talk = self._talk(self.stage.persona)
            self.talks[talk.person] = replace(talk, slots={**talk.slots, **values})

    def _stub(self, action: str, stub: Mapping[str, Any]) -> None:
        """An action may come out as its stub says, whether or not a branch speaks of it."""
        self.stubs[action] = stub
        spec = self.release.actions.get(action)
        if spec is not None and stub.get("outcome"):
            spec = replace(spec, outcomes=(*spec.outcomes, stub["outcome"]))
            self.release = replace(self.release, actions={**self.release.actions, action: spec})

    async def say(self, person: str, text: str) -> None:
        talk, waits_for = self._talk(person), self._waits_for(person)
        intents, payload = self.sentences.get(text.strip(), []), text.strip()
        begun = [f.id for f in self.release.flows.values() if set(intents) & set(f.intents)]
        if len(begun) > 1:
            self._hear(person, [Clarify(tuple(begun))])
            return
        payload = f"/{intents[0]}" if intents else payload
        commands = (
            mappings.pressed(self.release, talk, waits_for.slot, payload) if payload[:1] == "/" else None
        )
        if commands is None:
            understanding = Understanding(_Silent(), self.release.flows.keys())
            understood = understanding.understand(Utterance(text=text), waits_for)
            commands = mappings.applied(self.release, talk, waits_for.slot, understood, text)
        self._hear(person, commands, written=payload.startswith("/"))

    async def voice(self, person: str, nbest: Sequence[str], confidence: float) -> None:
        await self.say(person, nbest[0])

    async def key(self, person: str, keys: str) -> None:
        understanding = Understanding(_Silent(), self.release.flows.keys())
        self._hear(person, understanding.understand(Utterance(keys=keys), self._waits_for(person)))

    async def press(self, person: str, label: str, back: int = 0) -> None:
        carrying = [(b, p) for b, p in self.buttons.get(person, ()) if label in (b.title, b.payload)]
        assert len(carrying) > back, f"no button {label} for {person}"
        button, prompt = carrying[-1 - back]
        if prompt not in (0, self._talk(person).prompt):
            return
        asked = self._waits_for(person).slot
        commands = mappings.pressed(self.release, self._talk(person), asked, button.payload)
        if commands is None:
            await self.say(person, button.payload)
        else:
            self._hear(person, commands, written=True)

    async def tap(self, person: str, command: str, arguments: Sequence[str]) -> None:
        await self.press(person, f"/{command}")

    async def silence(self, person: str, lasting: timedelta) -> None:
        self.now += lasting
        self._hear(person, [Silence(lasting.total_seconds())])

    async def advance(self, by: timedelta) -> None:
        self.now += by

    async def restart(self) -> None:
        """Everything is a value: nothing is lost."""

    async def redeliver(self, person: str) -> None:
        raise Unsupported("step.redeliver")

    async def double_tap(self, person: str) -> bool:
        return False

    async def photo(self, person: str, file: str, content: str) -> None:
        raise Unsupported("step.photo")

    async def call_in(self, person: str, number: str) -> None:
        raise Unsupported("step.call_in")

    async def hangup(self, person: str) -> None:
        raise Unsupported("step.hangup")

    async def event(self, name: str, value: Any) -> None:
        raise Unsupported(f"event.{name}")

    async def second_factor(self, person: str, kind: Literal["code", "pin"]) -> str:
        raise Unsupported(f"second_factor.{kind}")

    async def placeholder(self, person: str, name: str) -> str:
        raise Unsupported(f"placeholder.{name}")

    async def sent(self) -> Sequence[Sent]:
        return tuple(self.out)

    async def facts(self) -> WorldFacts:
        talks = {
            person: Talk(
                dict(talk.slots), talk.mode, self._waits_for(person).asks, tuple(self._events(person))
            )
            for person, talk in self.talks.items()
        }
        asked = [
            {"kind": "human", "person": p} for p, e in self.events.items() if any(n.name == HUMAN for n in e)
        ]
        return WorldFacts(now=self.now, talks=talks, tickets=asked)

    async def close(self) -> None:
        """Nothing to stop."""

    # --- one person's talk

    def _talk(self, person: str) -> Conversation:
        locale = self.stage.locales.get(person, responses.DEFAULT_LOCALE)
        new = Conversation(PersonId(person), self.release.id, preferences=Preferences(locale=locale))
        return self.talks.setdefault(person, new)

    def _events(self, person: str) -> list[TalkEvent]:
        return self.events.setdefault(person, [])

    def _facts(self, person: str) -> Facts:
        channel = self.stage.channels.get(person, "web")
        return Facts(self.now, channel, channel == "voice")

    def _waits_for(self, person: str) -> Any:
        facts = self._facts(person)
        return expectation.expectation(self.release, self._talk(person), facts.spoken)

    def _hear(self, person: str, commands: Sequence[Command], *, written: bool = False) -> None:
        talk, waits_for = self._talk(person), self._waits_for(person)
        several = written and any(isinstance(c, SetSlot) for c in commands)
        allowed = guard.allowed(commands, talk, waits_for, talk.prompt, written=several)
        inputs: list[Input] = [Heard(allowed)]
        while inputs:
            inputs += self._take(person, inputs.pop(0))

    def _take(self, person: str, input: Input) -> Iterator[Input]:
        after = engine.traced(self.release, self._talk(person), input, self._facts(person))
        self.talks[person] = after.talk
        self._events(person).extend(TalkEvent(n.kind, n.name, n.value, n.step) for n in after.noted)
        for effect in after.effects:
            yield from self._carry(person, effect)

    def _carry(self, person: str, effect: Effect) -> Iterator[Input]:
        match effect:
            case Say():
                self._say(person, effect)
            case Call():
                yield self._stubbed(effect)
            case Propose() | CheckFactor() | Commit():
                raise Unsupported("step.commit")
            case Alarm(what):
                raise AssertionError(f"something of ours is wrong: {what}")
            case StopEverything():
                yield Answered(effect.call_id, "nothing_sent")

    def _stubbed(self, call: Call) -> Answered:
        stub = self.stubs.get(call.action, {})
        return Answered(call.call_id, stub.get("outcome") or _DONE, dict(stub.get("slots", {})))

    def _say(self, person: str, say: Say) -> None:
        talk, facts = self._talk(person), self._facts(person)
        shape = responses.render(self.release, say, talk, facts)[0]
        shown = () if facts.spoken else shape.buttons
        self.buttons.setdefault(person, []).extend((button, say.prompt) for button in shown)
        self.out.append(
            Sent(
                person,
                shape.text,
                self.now,
                channel=facts.channel,
                asks=say.asks,
                response=say.response,
                buttons=tuple(SentButton(b.title, b.payload) for b in shown),
            )
        )
