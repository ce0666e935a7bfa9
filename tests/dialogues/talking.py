"""A talk with the engine over a small shop of bills: what is put in, what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from data.ids import PersonId
from dialogues import engine, expectation, guard, loader
from dialogues.model import (
    ActionSpec,
    Answered,
    Call,
    Conversation,
    Effect,
    Facts,
    Heard,
    Input,
    News,
    Propose,
    Release,
    Say,
)
from nlu.commands import Affirm, Command, Expectation, StartFlow

FIXTURES = Path(__file__).parent / "fixtures"
NUMBER = "03190012"
NOON = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
T = TypeVar("T")

ACTIONS = {
    spec.name: spec
    for spec in (
        ActionSpec("action_holder", ("found", "not_found"), ("kind", "account"), ("holder",)),
        ActionSpec("action_quote", ("due", "nothing_due", "trouble"), ("account",), ("due",), outside=True),
        ActionSpec("action_places", ("listed",), (), ("places",)),
        ActionSpec("action_open_ticket", ("opened",), ("reason",), ("reason",)),
        ActionSpec("action_note_digit_doubt", ("noted",)),
    )
}
# What each action of the shop answers when nothing goes wrong.
ANSWERS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "action_holder": ("found", {"holder": "张*芳"}),
    "action_quote": ("due", {"due": 12345}),
    "action_places": ("listed", {"places": {"east": ["东门"], "west": ["西门"]}}),
    "action_open_ticket": ("opened", {}),
}


@cache
def shop() -> Release:
    """The release of the fixture files."""
    files = [FIXTURES / "domain.yml", FIXTURES / "flows.yml", *sorted((FIXTURES / "responses").glob("*.yml"))]
    return loader.load(files, ACTIONS)


class Talk:
    """One conversation, and what the last input led to."""

    def __init__(self, *, spoken: bool = False, release: Release | None = None, **state: Any) -> None:
        self.release = release or shop()
        self.facts = Facts(NOON, "voice" if spoken else "web", spoken, {})
        self.now = Conversation(PersonId("p1"), self.release.id, **state)
        self.effects: tuple[Effect, ...] = ()
        self.before: tuple[Conversation, Input] | None = None  # what the last step was given

    def put(self, input: Input) -> Talk:
        """One input as it is."""
        self.before = (self.now, input)
        self.now, self.effects = engine.step(self.release, self.now, input, self.facts)
        return self

    def say(self, *commands: Command) -> Talk:
        """What somebody means, past the guard."""
        return self.put(Heard(commands))

    def guarded(self, *commands: Command, prompt: int | None = None) -> Talk:
        """What somebody means, as far as the guard lets it count."""
        return self.say(*guard.allowed(commands, self.now, self.expects, prompt))

    def answer(self, outcome: str, **slots: Any) -> Talk:
        """The answer to the newest call, proposal, check or commit."""
        return self.put(Answered(self.waiting, outcome, slots))

    def news(self, outcome: str = "", act: str = "", **slots: Any) -> Talk:
        """News of the till."""
        return self.put(News("tell_result", slots, act, outcome))

    def serve(self, **other: tuple[str, dict[str, Any]]) -> Talk:
        """Answers every action asked for, as the shop does when nothing goes wrong."""
        effects = list(self.effects)
        while calls := [e for e in self.effects if isinstance(e, Call) and e.action in ANSWERS]:
            outcome, slots = other.get(calls[-1].action) or ANSWERS[calls[-1].action]
            self.put(Answered(calls[-1].call_id, outcome, slots))
            effects += self.effects
        self.effects = tuple(effects)
        return self

    @property
    def expects(self) -> Expectation:
        return expectation.expectation(self.release, self.now, self.facts.spoken)

    @property
    def waiting(self) -> str:
        """The call id of the frame on top."""
        assert self.now.top is not None
        return self.now.top.call_id

    @property
    def said(self) -> list[str]:
        return [effect.response for effect in self.effects if isinstance(effect, Say)]

    @property
    def asked(self) -> tuple[str, str | None]:
        """The last thing said and what is waited for after it."""
        last = [effect for effect in self.effects if isinstance(effect, Say)][-1]
        return last.response, last.asks

    @property
    def phase(self) -> str:
        return self.now.top.phase if self.now.top else "open"

    @property
    def at(self) -> tuple[str, str]:
        assert self.now.top is not None
        return self.now.top.flow, self.now.top.step

    def only(self, kind: type[T]) -> T:
        """The one effect of this kind."""
        (found,) = self.all(kind)
        return found

    def all(self, kind: type[T]) -> list[T]:
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def copy(self) -> Talk:
        """The same talk, to be led elsewhere."""
        other = Talk(release=self.release)
        other.now, other.effects, other.facts = self.now, self.effects, replace(self.facts)
        return other


def at_amount(*, spoken: bool = False, **given: Any) -> Talk:
    """A payment that waits for its amount."""
    talk = Talk(spoken=spoken).say(StartFlow("pay", {"kind": "power", "account": NUMBER, **given})).serve()
    return talk.say(Affirm()).serve()


def at_read_back(strength: str = "code", *, spoken: bool = False) -> Talk:
    """A payment that waits for its yes."""
    talk = at_amount(spoken=spoken, amount=5000)
    talk.only(Propose)
    return talk.answer("proposed", act="act1", digest="d1", strength=strength, method="零钱")
