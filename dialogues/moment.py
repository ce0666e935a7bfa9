"""One step of a talk in the making: the conversation so far, and what shall be said and done.

Everything that moves a talk is a function from a Moment to a Moment. What must not happen raises Fault, and a fault goes to
a person, never to the next step (law L4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from dialogues import predicate, responses, slots
from dialogues.flowfile import START
from dialogues.model import (
    Call,
    CancelAct,
    Conversation,
    Effect,
    Facts,
    Flow,
    Frame,
    Rejection,
    Release,
    Say,
    Step,
    TrailMark,
)
from dialogues.predicate import Predicate, PredicateError, Scope

HUMAN = "human_help"  # the flow that brings a person, wherever it is called for
LISTENING = frozenset({"ask", "confirm", "code", "resume"})
WAITING = frozenset({"call", "propose", "check", "commit", "outcome"})
SENT = frozenset(
    {"commit", "outcome"}
)  # the yes is on its way or with the till: nothing can be put right any more

_CALLS_WITHOUT_A_WORD = 30  # actions one business may run without asking anything in between
# Said with a response whether or not it speaks of them: what a claim about money is held against, and the page to pay on.
_ALWAYS_WITH_IT = ("payment", "link")


class Fault(Exception):
    """Something of ours is wrong. Carries the moment before it, so that what was done is not undone."""

    def __init__(self, moment: Moment, what: str) -> None:
        super().__init__(what)
        self.moment = moment
        self.what = what


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that happened inside a step, in the words of conversation tests (flow_started, slot_was_set …)."""

    kind: str
    name: str
    value: Any = field(default=None, repr=False)
    step: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """The conversation as it stands in the middle of a step."""

    release: Release
    facts: Facts
    talk: Conversation
    effects: tuple[Effect, ...] = ()
    steps: int = 0
    noted: tuple[Noted, ...] = ()

    @property
    def top(self) -> Frame:
        """The piece of business on top."""
        if not self.talk.stack:
            raise Fault(self, "nothing is under way")
        return self.talk.stack[-1]

    @property
    def phase(self) -> str:
        """What the talk is doing: the phase of the frame on top, or "open" when nothing is under way."""
        return self.talk.stack[-1].phase if self.talk.stack else "open"


# --- looking -----------------------------------------------------------------------------------------------------


def flow_of(m: Moment, frame: Frame) -> Flow:
    """The flow a frame runs."""
    flow = m.release.flows.get(frame.flow)
    if flow is None:
        raise Fault(m, f"there is no flow {frame.flow}")
    return flow


def step_of(m: Moment, frame: Frame) -> Step:
    """The step a frame stands at."""
    step = flow_of(m, frame).steps.get(frame.step)
    if step is None:
        raise Fault(m, f"flow {frame.flow} has no step {frame.step}")
    return step


def value(m: Moment, slot: str) -> Any:
    """What a slot holds now."""
    if slot in m.talk.slots:
        return m.talk.slots[slot]
    known = m.release.slots.get(slot)
    return known.initial if known else None


def base_of(m: Moment, position: int = -1) -> int:
    """Where the business starts that the frame at this position belongs to: below it stand the frames that called it."""
    position %= len(m.talk.stack)
    while position > 0 and m.talk.stack[position].kind == "call":
        position -= 1
    return position


def business_name(m: Moment) -> str:
    """What the business on top is called by people."""
    return flow_name(m, m.talk.stack[base_of(m)].flow)


def flow_name(m: Moment, name: str) -> str:
    """What a flow is called by people, in the language of the talk."""
    flow = m.release.flows.get(name)
    if flow is None:
        return name
    return (
        flow.name.get(m.talk.preferences.locale)
        or flow.name.get(responses.DEFAULT_LOCALE)
        or flow.description
    )


def holds(m: Moment, condition: Predicate) -> bool:
    """Whether a condition of the top frame's flow holds. One that cannot be decided is a fault."""
    initial = {name: slot.initial for name, slot in m.release.slots.items() if slot.initial is not None}
    context: dict[str, Any] = {}
    if m.talk.stack:
        context = {**m.top.context, "misses": m.top.misses}
    facts = responses.fact_values(m.talk, m.facts)
    try:
        return predicate.holds(condition, Scope({**initial, **m.talk.slots}, context, facts))
    except PredicateError as error:
        raise Fault(m, f"a condition cannot be decided: {error}") from None


def rejected(m: Moment, slot: str, new: Any) -> Rejection | None:
    """Why a value may not stand in a slot, whoever says it and wherever; None when it may."""
    known = m.release.slots.get(slot)
    if known is None or not known.rejections:
        return None
    trial = with_talk(m, slots={**m.talk.slots, slot: new})
    return next((one for one in known.rejections if holds(trial, one.condition)), None)


# --- changing ----------------------------------------------------------------------------------------------------


def with_talk(m: Moment, **changes: Any) -> Moment:
    """The same moment with the conversation changed."""
    return replace(m, talk=replace(m.talk, **changes))


def with_top(m: Moment, **changes: Any) -> Moment:
    """The same moment with the top frame changed."""
    return with_talk(m, stack=(*m.talk.stack[:-1], replace(m.top, **changes)))


def with_context(m: Moment, **values: Any) -> Moment:
    """The same moment with facts added to the top frame's context."""
    return with_top(m, context={**m.top.context, **values})


def without_context(m: Moment, *names: str) -> Moment:
    """The same moment with facts taken out of the top frame's context."""
    return with_top(m, context=slots.without(m.top.context, names))


def emit(m: Moment, *effects: Effect) -> Moment:
    """Adds what shall be done."""
    said = [Noted("bot_uttered", e.response) for e in effects if isinstance(e, Say)]
    called = [Noted("action_executed", e.action) for e in effects if isinstance(e, Call)]
    return replace(note(m, *said, *called), effects=m.effects + effects)


def note(m: Moment, *what: Noted) -> Moment:
    """Remembers for tests what happened."""
    return replace(m, noted=m.noted + what) if what else m


def note_flow(m: Moment, kind: str, frame: Frame) -> Moment:
    """Remembers that a flow was started, completed or cancelled, and where it stood."""
    return note(m, Noted(kind, frame.flow, step=frame.step))


def fill(m: Moment, values: Mapping[str, Any]) -> Moment:
    """Puts values into slots. What depended on a value that changed is forgotten, unless it comes along.

    A value that comes for the first time changes nothing: 充一百 was said before the account was known.
    """
    changed = [name for name, new in values.items() if value(m, name) not in (None, new)]
    m = note(m, *(Noted("slot_was_set", k, v) for k, v in values.items() if v not in (None, value(m, k))))
    gone = slots.dependents(m.release.slots, changed) - values.keys()
    return with_talk(m, slots={**slots.without(m.talk.slots, gone), **values})


def marked(m: Moment, step: str, names: tuple[str, ...]) -> Moment:
    """Remembers a step really taken. A step taken again stands in the trail once, at its latest place."""
    kept = tuple(mark for mark in m.top.trail if mark.step != step)
    before = next((mark.slots for mark in m.top.trail if mark.step == step), ())
    return with_top(m, trail=(*kept, TrailMark(step, tuple(dict.fromkeys((*before, *names))), m.talk.turn)))


def start_mark(m: Moment, names: tuple[str, ...]) -> tuple[TrailMark, ...]:
    """The trail of a business whose wish came with values."""
    return (TrailMark(START, names, m.talk.turn),) if names else ()


def next_id(m: Moment, kind: str = "") -> str:
    """A name for a call, never used before in this talk: the number of the step and of the effect."""
    return f"{kind}{m.talk.turn}.{len(m.effects)}"


def call(m: Moment, effect: Effect, call_id: str, phase: str) -> Moment:
    """Asks for something and waits for its answer."""
    asked = int(m.top.context.get("calls", 0)) + 1
    if asked > _CALLS_WITHOUT_A_WORD:
        raise Fault(m, f"flow {m.top.flow} goes round in circles")
    m = with_context(m, calls=asked)
    return emit(with_top(m, phase=phase, call_id=call_id), effect)


def call_action(m: Moment, action: str) -> Moment:
    """Runs an action with the slots it reads and what it must know of the business."""
    spec = m.release.actions.get(action)
    if spec is None:
        raise Fault(m, f"there is no action {action}")
    call_id = next_id(m)
    known = {name: m.top.context.get(name) for name in ("outcome", "act")}
    context = {"flow": m.top.flow, "step": m.top.step, "misses": m.top.misses, **known}
    arguments = {name: value(m, name) for name in spec.reads} | {"context": context}
    return call(m, Call(call_id, action, arguments, spec.outside, spec.deadline_seconds), call_id, "call")


def cancel_acts(m: Moment, frames: tuple[Frame, ...]) -> Moment:
    """Nobody wants what these frames proposed any more; what was confirmed, or another began, is not touched."""
    acts = [
        frame.context["act"]
        for frame in frames
        if frame.context.get("act") and frame.phase not in SENT and not frame.context.get("lasting")
    ]
    return emit(m, *(CancelAct(act) for act in acts))


# --- saying ------------------------------------------------------------------------------------------------------

Asks = Literal["account", "name_check", "amount", "confirm", "choice", "consent", "code", "open"]


def say(
    m: Moment,
    response: str,
    extra: Mapping[str, Any] | None = None,
    *,
    asks: str | None = None,
    slower: bool = False,
) -> Moment:
    """Says a response with the values it speaks of. One that cannot be said is a fault, found now and not when sending."""
    values = _values_for(m, response, extra or {})
    if asks is not None:
        m = with_talk(m, prompt=m.talk.prompt + 1)
    said = Say(response, values, asks, m.talk.prompt if asks is not None else 0, slower)
    try:
        responses.render(m.release, said, m.talk, m.facts)
    except (responses.CannotSay, PredicateError) as error:
        raise Fault(m, f"{response} cannot be said: {error}") from None
    return emit(m, said)


def ask(
    m: Moment, response: str, asks: str, extra: Mapping[str, Any] | None = None, *, slower: bool = False
) -> Moment:
    """Says a response that the top frame then waits for an answer to."""
    m = say(m, response, extra, asks=asks, slower=slower)
    return without_context(with_context(m, prompt=m.talk.prompt), "calls")


def exists(m: Moment, response: str) -> bool:
    """Whether there are words for a response."""
    return responses.exists(m.release, response)


def _values_for(m: Moment, response: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    """The facts a response may need, kept with it so that it can be said again as it was."""
    try:
        names = responses.value_names(m.release, response, m.talk.preferences.locale)
    except responses.CannotSay as error:
        raise Fault(m, str(error)) from None
    known = m.top.context.get("facts", {}) if m.talk.stack else {}
    held = {name: known.get(name, value(m, name)) for name in (*names, *_ALWAYS_WITH_IT)}
    spare = {*m.facts.person_values, *_ALWAYS_WITH_IT}
    return {name: one for name, one in held.items() if one is not None or name not in spare} | dict(extra)
