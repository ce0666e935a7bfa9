"""A talk in other flows than it began in: at rest it simply moves; in the middle it goes on at its first open question.

What the person said is kept, as far as today's flows know it; each piece of business runs from its beginning and asks only what
is not answered yet. Whatever was read back is read back anew, and no yes of before counts (law L1): neither one that is on its
way now nor one that was given to an earlier question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dialogues import digit_entry, responses, slots
from dialogues.business import RENEWED, bring_human, go_on
from dialogues.flowfile import START
from dialogues.model import (
    Answered,
    Conversation,
    Flow,
    Frame,
    Heard,
    Input,
    News,
    Release,
    Renewed,
    Step,
    Told,
)
from dialogues.moment import (
    HUMAN,
    SENT,
    Moment,
    cancel_acts,
    fill,
    marked,
    say,
    start_mark,
    with_context,
    with_talk,
)
from dialogues.questions import ask_again, asks_of, choices_of
from dialogues.repair import PATIENCE
from nlu.commands import (
    Affirm,
    Bye,
    CancelFlow,
    CannotHandle,
    Choose,
    Code,
    Command,
    CorrectSlot,
    Deny,
    DoubtfulDigits,
    Human,
    Resume,
    SetSlot,
    Silence,
    Skip,
    StartFlow,
    Stop,
)

GONE, GONE_BELOW = "utter_business_gone", "utter_business_gone_below"

# How often a business was taken up so. Between programs whose Python differs it could be without end (L10).
_TIMES = "renewals"
# An answer to one of these is a yes to something; it is asked for again.
_YES = frozenset({"confirm", "consent", "code"})
_LEAVING = (Human, Stop, CancelFlow, Bye)
# Answers to the question that was open. All others begin or ask something of their own.
_TO_THE_QUESTION = (
    Affirm,
    CannotHandle,
    Choose,
    Code,
    CorrectSlot,
    Deny,
    DoubtfulDigits,
    Resume,
    SetSlot,
    Silence,
    Skip,
)


# --- at rest ------------------------------------------------------------------------------------------------------


def at_rest(talk: Conversation) -> bool:
    """Whether nothing is under way, so that other flows disturb nobody."""
    return not talk.stack and not talk.pending_wishes


def moved(talk: Conversation, release: Release) -> Conversation:
    """A talk at rest in another release: with the values it still knows, and what can still be said again."""
    told = tuple(one for one in talk.last_said if _sayable(release, one, talk.preferences.locale))
    return replace(talk, release=release.id, slots=_usable(release, talk.slots), last_said=told)


def _sayable(release: Release, told: Told, locale: str) -> bool:
    try:
        return set(responses.value_names(release, told.response, locale)) <= told.values.keys()
    except responses.CannotSay:
        return False


# --- what a word means to a talk whose flows are gone ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moves:
    """First the talk is taken up in today's flows; then comes what of the event may still count."""

    first: Renewed
    then: tuple[Input, ...] = ()


def unknown(inputs: Sequence[Input], there: Release, today: Release) -> bool:
    """Whether something is wished or told that the flows of the talk have never heard of, and today's have."""
    wanted = {one.flow for one in inputs if isinstance(one, News)}
    wanted |= {
        c.flow for one in inputs if isinstance(one, Heard) for c in one.commands if isinstance(c, StartFlow)
    }
    return any(name not in there.flows and name in today.flows for name in wanted)


def moves(inputs: Sequence[Input], talk: Conversation, there: Release, today: Release) -> Moves | None:
    """What becomes of an event; None when nothing happens to the talk and it may stay as it stands.

    `there`: the flows the words were understood in, those of the talk when they are still known.
    """
    if not inputs:
        return None
    match inputs[0]:
        case Heard(commands):
            return _said(commands, talk, there, today)
        case Answered(call_id):
            # What was looked up is looked up anew; a lookup of something that lies below waits for its turn.
            waits = talk.top is not None and talk.top.phase == "call" and talk.top.call_id == call_id
            return Moves(Renewed("goes_on")) if waits else None
    return Moves(Renewed("waits"), tuple(inputs))


def _said(commands: Sequence[Command], talk: Conversation, there: Release, today: Release) -> Moves:
    if leaving := tuple(c for c in commands if _leaves(c, talk)):
        return Moves(Renewed("leaves"), (Heard(leaving),))
    if others := tuple(c for c in commands if not isinstance(c, _TO_THE_QUESTION)):
        return Moves(Renewed("waits"), (Heard(others),))
    return Moves(Renewed("goes_on", dict(_answers(commands, talk, there, today))))


def _leaves(command: Command, talk: Conversation) -> bool:
    """A person, a stop, a no to what was read back: nothing of it needs today's question first (L3)."""
    no = (
        isinstance(command, Deny) and talk.top is not None and talk.top.phase in {"confirm", "code", "resume"}
    )
    return no or isinstance(command, _LEAVING)


def _answers(
    commands: Sequence[Command], talk: Conversation, there: Release, today: Release
) -> Iterator[tuple[str, Any]]:
    """What was just said as values: to the question asked, or another value for one given before. Never a yes."""
    step = _open_question(talk, there)
    asked = step.collect if step is not None and _answerable(step, talk) else ""
    for command in commands:
        match command:
            case SetSlot(slot, value) | CorrectSlot(slot, value) if slot == asked or slot in talk.slots:
                if value is None or slots.usable(today.slots.get(slot), value):
                    yield slot, value
            case Choose(value) if step is not None and asked and value in choices_of(step, talk, there):
                chosen = slots.from_choice(today.slots.get(asked), value)
                if slots.usable(today.slots.get(asked), chosen):
                    yield asked, chosen


def _answerable(step: Step, talk: Conversation) -> bool:
    """Whether the answer to a question may be taken over: no yes, and no digits of which more were to come."""
    return asks_of(step) not in _YES and not (digit_entry.in_parts(step) and talk.channel == "voice")


def _open_question(talk: Conversation, there: Release) -> Step | None:
    top = talk.top
    flow = there.flows.get(top.flow) if top is not None and top.phase == "ask" else None
    step = flow.steps.get(top.step) if flow is not None and top is not None else None
    return step if step is not None and step.collect else None


# --- taking up in today's flows -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Business:
    """One piece of business with the flows it called, and the values it has to itself."""

    frames: tuple[Frame, ...]
    values: Mapping[str, Any]


def renewed(m: Moment, how: Renewed) -> Moment:
    """The talk in the flows of this moment. What was proposed and not confirmed is withdrawn: it is read back anew."""
    before = _businesses(m.talk)
    after = [_taken_over(m, one) for one in before]
    m = cancel_acts(m, _unconfirmed(before))
    m = _restacked(m, [one for one in after if one is not None])
    if how.how == "leaves":
        return m
    lost = [_is_lost(m, one) for one in before]
    if lost and lost[-1]:
        m = say(m, GONE)
    elif any(lost):
        m = say(m, GONE_BELOW)
    if how.how == "waits" or not m.talk.stack or m.phase != "resume":
        return m
    if m.top.context[_TIMES] >= PATIENCE:
        return bring_human(m, "misses")
    if before and after[-1] is None:
        return ask_again(m)
    return go_on(_with_answers(m, how.answers))


def _businesses(talk: Conversation) -> list[_Business]:
    """Bottom first. Values of what lies below are on the shelf of its topmost frame."""
    stack = talk.stack
    begins = [at for at, frame in enumerate(stack) if frame.kind != "call" or at == 0]
    found = []
    for begin, end in zip(begins, [*begins[1:], len(stack)], strict=True):
        frames = stack[begin:end]
        values = talk.slots if end == len(stack) else frames[-1].context.get("shelf", {})
        found.append(_Business(frames, values))
    return found


def _unconfirmed(businesses: Sequence[_Business]) -> tuple[Frame, ...]:
    return tuple(frame for one in businesses for frame in one.frames)


def _is_lost(m: Moment, business: _Business) -> bool:
    """Whether somebody has to hear that it cannot be gone on with. Of money on its way he hears by its news."""
    base = business.frames[0]
    return base.flow not in m.release.flows and base.flow != HUMAN and business.frames[-1].phase not in SENT


def _taken_over(m: Moment, business: _Business) -> _Business | None:
    base, top = business.frames[0], business.frames[-1]
    flow = m.release.flows.get(base.flow)
    if flow is None or base.flow == HUMAN:
        return None
    values = _usable(m.release, business.values)
    if top.phase in SENT:
        return _Business(business.frames, values) if _fits(m.release, business.frames) else None
    values = slots.without(values, _yeses(m.release, flow))
    names = tuple(sorted(values))
    frame = Frame(flow.id, flow.first, base.kind, "resume", start_mark(m, names))
    asked = [mark.step for mark in base.trail if _still_asks(flow, mark.step, mark.slots, values)]
    context = {"asked": asked, _TIMES: base.context.get(_TIMES, 0) + 1}
    return _Business((replace(frame, context=context),), values)


def _usable(release: Release, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values today's slots can hold, without those that rest on one that is gone."""
    kept = {name: v for name, v in values.items() if v is None or slots.usable(release.slots.get(name), v)}
    kept = {name: v for name, v in kept.items() if name in release.slots}
    return slots.without(kept, slots.dependents(release.slots, values.keys() - kept.keys()))


def _yeses(release: Release, flow: Flow) -> frozenset[str]:
    """Slots in which a yes stands, or a code."""
    return frozenset(
        step.collect
        for one in slots.with_called(release, flow)
        for step in one.steps.values()
        if step.collect and asks_of(step) in _YES
    )


def _still_asks(flow: Flow, name: str, filled: tuple[str, ...], values: Mapping[str, Any]) -> bool:
    """Whether a question that was answered in this talk is the same question today."""
    step = flow.steps.get(name)
    return step is not None and bool(step.collect) and step.collect in filled and step.collect in values


def _fits(release: Release, frames: Sequence[Frame]) -> bool:
    """Whether a payment with the till can come back to where it was begun: each call, and the step that commits."""
    steps = [flow.steps.get(f.step) if (flow := release.flows.get(f.flow)) else None for f in frames]
    calls = all(
        step is not None and step.kind == "call" and step.flow == above.flow
        for step, above in zip(steps, frames[1:], strict=False)
    )
    return calls and steps[-1] is not None and "commit" in steps[-1].metadata


def _restacked(m: Moment, kept: Sequence[_Business]) -> Moment:
    """The stack anew. Its questions get fresh numbers, so that no button of before answers one of them."""
    below = [(*one.frames[:-1], _shelved(one.frames[-1], one.values)) for one in kept[:-1]]
    top = [(*kept[-1].frames[:-1], _shelved(kept[-1].frames[-1], None))] if kept else []
    m = with_talk(
        m,
        release=m.release.id,
        stack=tuple(frame for frames in (*below, *top) for frame in frames),
        slots=dict(kept[-1].values) if kept else {},
        pending_wishes=tuple(w for w in m.talk.pending_wishes if getattr(w, "flow", "") in m.release.flows),
        last_said=(),
        prompt=m.talk.prompt + 1,
        misses=0,
        silences=0,
    )
    return with_context(m, **{RENEWED: True}) if m.talk.stack and m.phase == "resume" else m


def _shelved(frame: Frame, values: Mapping[str, Any] | None) -> Frame:
    context = slots.without(frame.context, {"shelf"})
    return replace(frame, context=context if values is None else {**context, "shelf": dict(values)})


def _with_answers(m: Moment, answers: Mapping[str, Any]) -> Moment:
    """What was just said counts as asked and answered."""
    if not answers:
        return m
    flow = m.release.flows[m.top.flow]
    asked = [
        step.id for step in flow.steps.values() if step.collect and answers.get(step.collect) is not None
    ]
    m = marked(fill(m, answers), START, tuple(sorted({*answers, *m.talk.slots})))
    return with_context(m, asked=list(dict.fromkeys((*m.top.context.get("asked", ()), *asked))))


__all__ = ["Moves", "at_rest", "moved", "moves", "renewed", "unknown"]
