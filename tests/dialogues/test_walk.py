"""Anything said in any order: the engine never fails, never runs in a circle, never pays without a yes to the newest question."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dialogues import engine, responses, wire
from dialogues.model import (
    Alarm,
    Answered,
    Call,
    CheckFactor,
    Commit,
    Effect,
    EndTalk,
    News,
    Propose,
    Release,
    Renewed,
    Say,
)
from dialogues.moment import HUMAN
from nlu import commands as c
from tests.dialogues.talking import ACTIONS, Talk, shop
from tests.dialogues.test_renewal import RELEASES

FLOWS = [*shop().flows, "no_such_flow"]
DEPLOYED = [shop(), *RELEASES.values()]
KINDS = st.sampled_from(["power", "water", "gas"])
NUMBERS = st.sampled_from(["03190012", "031900123456", "0319", "own", ""])
AMOUNTS = st.sampled_from([0, 5000, 12345, 99999, -1, True, "many"])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "kind": KINDS,
    "account": NUMBERS,
    "amount": AMOUNTS,
    "name_ok": st.sampled_from([True, False, "yes"]),
    "nickname": st.sampled_from(["auntie", "李"]),
    "place": st.sampled_from(["east", "nowhere"]),
    "method": st.just("零钱"),
    "no_such_slot": st.just("x"),
}
SLOTS = st.sampled_from(list(VALUES))
SLOT_AND_VALUE = SLOTS.flatmap(lambda slot: st.tuples(st.just(slot), VALUES[slot]))

COMMANDS = st.one_of(
    st.builds(c.StartFlow, st.sampled_from(FLOWS), st.dictionaries(SLOTS, st.none(), max_size=2)),
    SLOT_AND_VALUE.map(lambda pair: c.StartFlow("pay", dict([pair]))),
    SLOT_AND_VALUE.map(lambda pair: c.SetSlot(*pair)),
    SLOT_AND_VALUE.map(lambda pair: c.CorrectSlot(*pair)),
    SLOTS.map(lambda slot: c.CorrectSlot(slot, None)),
    st.builds(
        c.DoubtfulDigits,
        st.just("account"),
        st.sampled_from(["0319?012", "03?9?012", "0319"]),
        st.sampled_from([(c.Doubt(4, ("4", "10")),), (c.Doubt(2, ("1", "7")), c.Doubt(4, ("4", "10"))), ()]),
    ),
    st.builds(c.Affirm, st.sampled_from(["word", "spoken", "key", "button"])),
    st.builds(c.Deny),
    st.builds(
        c.Choose,
        st.sampled_from(["power", "yes", "no", "human", "stop", "4", "10", "look", "east", "nonsense"]),
    ),
    st.builds(c.Code, st.just("1234")),
    st.builds(c.CancelFlow),
    st.builds(c.Stop),
    st.builds(c.Human),
    st.builds(c.Repeat, st.booleans(), st.booleans()),
    st.builds(c.Bigger),
    st.builds(c.Explain, st.sampled_from(["why", "how", "when"])),
    st.builds(c.Skip),
    st.builds(c.Resume),
    st.builds(c.Silence, st.just(8.0)),
    st.builds(c.Bye),
    st.builds(c.Greet),
    st.builds(c.Refuse, st.sampled_from(["card_number", "scam"])),
    st.builds(c.Clarify, st.lists(st.sampled_from(FLOWS), max_size=4).map(tuple)),
    st.builds(c.CannotHandle, st.sampled_from(["not_understood", "not_offered", "nothing_to_confirm"])),
)

ANSWERED: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "action_holder": [("found", {"holder": "张*芳"}), ("not_found", {})],
    "action_quote": [("due", {"due": 12345}), ("nothing_due", {}), ("trouble", {})],
    "action_places": [("listed", {"places": {"east": ["东门"]}})],
    "action_open_ticket": [("opened", {})],
    "action_note_digit_doubt": [("noted", {})],
    "propose": [
        *[
            ("proposed", {"act": "act", "digest": "d", "strength": s, "method": "零钱"})
            for s in ("key", "code", "approval")
        ],
        ("refused", {"reason": "over_cap"}),
    ],
    "check": [("passed", {"factor": "pin"}), ("wrong", {"tries_left": 2}), ("blocked", {}), ("expired", {})],
    "commit": [("submitted", {}), ("already", {}), ("refused", {"reason": "quote_expired"})],
    "stop": [("nothing_sent", {}), ("in_flight", {})],
}


class Walk(RuleBasedStateMachine):
    """A talk in which anything may be said and anything may come back."""

    spoken = False

    def __init__(self) -> None:
        super().__init__()
        self.talk = Talk()
        self.owed: dict[str, str] = {}  # call id -> what was asked
        self.acts = 0
        self.last_yes: int | None = None  # the prompt a yes was said to, while that yes is being carried out
        self.same_question: list[tuple[str, bool]] = []
        self.committed: set[str] = set()

    @initialize()
    def begin(self) -> None:
        self.talk = Talk(spoken=self.spoken)

    # --- what can happen --------------------------------------------------------------------------------------

    @rule(said=st.lists(COMMANDS, min_size=1, max_size=3), past_guard=st.booleans())
    def speak_freely(self, said: list[c.Command], past_guard: bool) -> None:
        self.speak(said, past_guard=past_guard)

    def speak(self, said: list[c.Command], *, past_guard: bool) -> None:
        before = self.talk.now
        (self.talk.guarded if past_guard else self.talk.say)(*said)
        if (
            any(isinstance(one, c.Affirm) for one in said)
            and before.top is not None
            and before.top.phase == "confirm"
        ):
            assert before.top.context["act"]
            self.last_yes = before.prompt
        self._checked(before.prompt)

    @rule(yes=st.integers(0, 4))
    def answer_well(self, yes: int) -> None:
        """Just what was asked for, most of the time, so that the walk gets as far as the money."""
        expects = self.talk.expects
        asks: dict[str, c.Command] = {
            "open": c.StartFlow("pay", {"kind": "power"}),
            "account": c.SetSlot("account", "03190012"),
            "amount": c.SetSlot("amount", 5000),
            "code": c.Code("1234"),
            "choice": c.Choose(next(iter(expects.choices), "")),
        }
        command = asks.get(expects.asks) or (c.Affirm("key") if yes else c.Deny())
        self.speak([command], past_guard=True)

    @rule(steps=st.integers(1, 8))
    def go_well_for_a_while(self, steps: int) -> None:
        """Answers on both sides, each as wished for."""
        for _ in range(steps):
            if self.owed and self.talk.phase not in {"open", "ask", "confirm", "code", "resume"}:
                self.answer(0, 1)
            else:
                self.answer_well(1)

    @rule(number=st.integers(0, 9), wild=st.integers(0, 19))
    def answer(self, number: int, wild: int) -> None:
        if not self.owed:
            return
        call_id = list(self.owed)[-1]
        possible = ANSWERED[self.owed.pop(call_id)]
        outcome, slots = possible[number % len(possible)]
        if outcome == "proposed":
            self.acts += 1
            slots = {**slots, "act": f"act{self.acts}"}
        before = self.talk.now.prompt
        self.talk.put(Answered(call_id, "never_promised" if wild == 0 else outcome, slots))
        self._checked(before)

    @rule(outcome=st.sampled_from(["paid", "refused", "checking"]), known=st.booleans())
    def news(self, outcome: str, known: bool) -> None:
        act = next(iter(self.committed), "") if known else "other"
        before = self.talk.now.prompt
        self.talk.put(News("tell_result", {"amount": 5000, "payment": "pay1"}, act, outcome))
        self._checked(before)

    @rule(mode=st.sampled_from(["bot", "waiting"]))
    def staff(self, mode: Literal["bot", "waiting"]) -> None:
        self.talk.now = replace(self.talk.now, mode=mode)

    @rule(flows=st.sampled_from(DEPLOYED), how=st.sampled_from(["goes_on", "waits", "leaves"]))
    def deploy(self, flows: Release, how: Literal["goes_on", "waits", "leaves"]) -> None:
        """Other flows come, and those of before are gone."""
        before, self.last_yes = self.talk.now.prompt, None
        self.talk.release = flows
        self.talk.put(Renewed(how))
        assert not self.talk.all(Alarm)
        self._checked(before)

    # --- what must hold ---------------------------------------------------------------------------------------

    def _checked(self, prompt_before: int) -> None:
        assert not any(
            "circle" in one.what or "cannot be said" in one.what for one in self.talk.all(Alarm)
        ), self.talk.all(Alarm)
        for effect in self.talk.effects:
            self._note(effect)
        for say in self.talk.all(Say):
            assert responses.render(self.talk.release, say, self.talk.now, self.talk.facts)

    def _note(self, effect: Effect) -> None:
        match effect:
            case Call():
                assert effect.call_id not in self.owed
                assert effect.arguments.keys() - {"context"} == set(ACTIONS[effect.action].reads)
                self.owed[effect.call_id] = effect.action
            case Propose():
                self.owed[effect.call_id] = "propose"
            case CheckFactor():
                self.owed[effect.call_id] = "check"
            case Commit():
                assert self.last_yes is not None, "paid without a yes"
                assert effect.act not in self.committed, "the same act twice"
                self.committed.add(effect.act)
                self.owed[effect.call_id] = "commit"
                self.last_yes = None
            case _ if hasattr(effect, "call_id"):
                self.owed[effect.call_id] = "stop"
            case EndTalk():
                assert self.talk.phase not in {"confirm", "code", "ask"}

    @invariant()
    def holds_in_every_state(self) -> None:
        self._comes_to_rest()
        self._survives_a_restart()
        self._is_deterministic()
        self._brings_a_person_in_one_step()
        self._ends_in_one_step()
        self._is_never_asked_the_same_way_three_times()

    def _comes_to_rest(self) -> None:
        assert self.talk.phase in {
            "open",
            "ask",
            "call",
            "propose",
            "confirm",
            "code",
            "check",
            "commit",
            "outcome",
            "resume",
        }
        assert len(self.talk.now.stack) <= 3 * len(FLOWS)

    def _survives_a_restart(self) -> None:
        assert wire.load(wire.dump(self.talk.now)) == self.talk.now

    def _is_deterministic(self) -> None:
        """The step just taken, taken once more, is the same step."""
        if self.talk.before is None:
            return
        again, effects = engine.step(self.talk.release, *self.talk.before, self.talk.facts)
        assert effects == self.talk.effects
        assert replace(again, mode=self.talk.now.mode) == self.talk.now

    def _brings_a_person_in_one_step(self) -> None:
        asking = self.talk.copy().say(c.Human())
        assert asking.now.top is not None
        assert asking.now.top.flow == HUMAN
        assert [call.action for call in asking.all(Call)] == ["action_open_ticket"]

    def _ends_in_one_step(self) -> None:
        stopped = self.talk.copy().say(c.Stop())
        assert stopped.now.stack == ()
        assert stopped.now.pending_wishes == ()
        assert not stopped.all(Commit)

    def _is_never_asked_the_same_way_three_times(self) -> None:
        """Three things not understood in a row: three different ways, and the third is a person."""
        talk = self.talk.copy()
        if talk.phase not in {"open", "ask", "confirm", "code", "resume"}:
            return
        heard = []
        for _ in range(3):
            heard.append(tuple(talk.say(c.CannotHandle()).said))
            if talk.now.top is not None and talk.now.top.flow == HUMAN:
                return
        raise AssertionError(f"no person after three misses: {heard}")


class WalkByTelephone(Walk):
    """The same, heard and keyed."""

    spoken = True


_SETTINGS = settings(
    max_examples=40,
    stateful_step_count=60,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    database=None,
    suppress_health_check=list(HealthCheck),
)
# Each walk has its own case, so that its limit of time is its own, too.
TestWalkInWriting, TestWalkByTelephone = Walk.TestCase, WalkByTelephone.TestCase
TestWalkInWriting.settings = TestWalkByTelephone.settings = _SETTINGS
