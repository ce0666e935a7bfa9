"""不对,是水费: a value given before is replaced, and only what depended on it is asked again.

A correction goes back along the trail of this talk, to the earliest step that filled the value, and runs on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from dialogues import predicate, slots
from dialogues.business import bring_human
from dialogues.flowfile import START
from dialogues.model import Frame, Step, TrailMark
from dialogues.moment import (
    LISTENING,
    SENT,
    Moment,
    base_of,
    cancel_acts,
    exists,
    flow_of,
    marked,
    rejected,
    say,
    step_of,
    value,
    with_context,
    with_talk,
    with_top,
    without_context,
)
from dialogues.questions import AGAIN_COUNTS, SHORT, ask_again
from dialogues.repair import PATIENCE, already_sent, miss, nothing_to, once_more

_OF_ONE_QUESTION = (
    "prompt",
    "collected",
    "doubt",
    "doubt_values",
    "rounds",
    "calls",
    "outcome",
    "tries_left",
    AGAIN_COUNTS,
)
_OF_ACT = ("act", "digest", "strength", "facts", "how")
_AS_IT_IS = "utter_request_as_it_is"


def correct(m: Moment, changes: Mapping[str, Any]) -> Moment:
    """Replaces values given before; None only says that a value was wrong."""
    if m.phase == "open":
        return nothing_to(m, "utter_nothing_to_correct")
    if m.phase in SENT:
        return already_sent(m)
    if m.top.context.get("lasting"):
        return _as_it_was_begun(m)
    if any(v is not None and not slots.usable(m.release.slots.get(slot), v) for slot, v in changes.items()):
        return miss(m)
    for slot, v in changes.items():
        if v is not None and (rejection := rejected(m, slot, v)) is not None:
            return miss(m, rejection.utter, {slot: v})
    real = {slot: v for slot, v in changes.items() if v is None or v != value(m, slot)}
    if not real:
        return once_more(m, "same_value") if m.phase in LISTENING else m
    if all(v is None for v in real.values()):
        m, times = _said_wrong(m)
        if times >= PATIENCE:
            return bring_human(m, "misses")
        if m.phase in {"confirm", "code"} and (asked := _ask_in_place(m, list(real))) is not None:
            return asked
    places = [place for slot in real if (place := _place(m, slot)) is not None]
    return _go_back(m, min(places), real) if places else _put_in(m, real)


def _as_it_was_begun(m: Moment) -> Moment:
    """What another began is agreed to as it stands or not at all: a read-back of anything else would be a lie (L1)."""
    m, times = _said_wrong(m)
    if times >= PATIENCE:
        return bring_human(m, "misses")
    return ask_again(say(m, _AS_IT_IS) if exists(m, _AS_IT_IS) else m, SHORT)


def _said_wrong(m: Moment) -> tuple[Moment, int]:
    """How often this business was said to be wrong without saying what is right; the third time a person looks (L10)."""
    at = base_of(m)
    base = m.talk.stack[at]
    times = int(base.context.get("said_wrong", 0)) + 1
    base = replace(base, context={**base.context, "said_wrong": times})
    return with_talk(m, stack=(*m.talk.stack[:at], base, *m.talk.stack[at + 1 :])), times


def _ask_in_place(m: Moment, wrong: list[str]) -> Moment | None:
    """What is right instead, of a value that nobody was asked for: going back would only bring the same one again.

    The read-back stays open; the right value, said now, is a correction. None where there is a question to go back to.
    """
    response = f"utter_say_{wrong[0]}"
    if len(wrong) > 1 or _was_asked(m, wrong[0]) or not exists(m, response):
        return None
    return ask_again(say(m, response), SHORT)


def _was_asked(m: Moment, slot: str) -> bool:
    """Whether a question of this business, or of a flow it called, brought the value; not the wish, not an action."""
    frames = m.talk.stack[base_of(m) :]
    brought = [(frame, mark) for frame in frames for mark in frame.trail if slot in mark.slots]
    with_the_wish = any(mark.step == START for _, mark in brought)
    return not with_the_wish and any(not _by_action(m, frame, mark) for frame, mark in brought)


def _by_action(m: Moment, frame: Frame, mark: TrailMark) -> bool:
    step = flow_of(m, frame).steps.get(mark.step)
    return step is not None and step.kind == "action"


def in_trail(m: Moment, slot: str) -> bool:
    """Whether a step of the business on top filled this slot."""
    return any(slot in mark.slots for frame in m.talk.stack[base_of(m) :] for mark in frame.trail)


def _place(m: Moment, slot: str) -> tuple[int, int] | None:
    """Frame and trail mark of the earliest step that asked for the slot or made use of it.

    A step that sets a fixed value, or an action that writes the slot without reading it, would only undo the correction.
    Failing that: where the wish itself brought it, or the earliest step that filled something which depends on it.
    """
    marks = [
        (at, number, mark)
        for at in range(base_of(m), len(m.talk.stack))
        for number, mark in enumerate(m.talk.stack[at].trail)
    ]
    if not any(slot in mark.slots for _, _, mark in marks):
        return _place_of_dependents(m, slot)
    places = [(at, number) for at, number, mark in marks if _takes(m, m.talk.stack[at], mark, slot)]
    brought = [(at, number) for at, number, mark in marks if mark.step == START and slot in mark.slots]
    return min(places or brought, default=None)


def _place_of_dependents(m: Moment, slot: str) -> tuple[int, int] | None:
    gone = slots.dependents(m.release.slots, {slot})
    places = [
        (at, number)
        for at in range(base_of(m), len(m.talk.stack))
        for number, mark in enumerate(m.talk.stack[at].trail)
        if not gone.isdisjoint(mark.slots)
    ]
    return min(places) if places and _belongs(m, slot) else None


def _takes(m: Moment, frame: Frame, mark: TrailMark, slot: str) -> bool:
    """Whether a step asked for the slot, or did what it did because of it."""
    step = flow_of(m, frame).steps.get(mark.step)
    if step is None:
        return False
    if any(path == predicate.Path("slots", slot) for path in _looked_at(step)):
        return True
    match step.kind:
        case "collect":
            return step.collect == slot
        case "call":
            called = m.release.flows.get(step.flow)
            return slot in mark.slots or (called is not None and slot in slots.used_by(m.release, called))
    spec = m.release.actions.get(step.action)
    return spec is not None and slot in spec.reads


def _looked_at(step: Step) -> Iterator[predicate.Path]:
    """What decided where the talk went after a step."""
    for branch in step.next:
        if branch.condition is not None:
            yield from predicate.paths(branch.condition)


def _belongs(m: Moment, slot: str) -> bool:
    """Whether the business on top has any use for the slot."""
    return any(slot in slots.used_by(m.release, flow_of(m, frame)) for frame in m.talk.stack[base_of(m) :])


def _go_back(m: Moment, place: tuple[int, int], changes: Mapping[str, Any]) -> Moment:
    at, number = place
    m = cancel_acts(m, m.talk.stack[at:])
    frame = m.talk.stack[at]
    mark = frame.trail[number]
    kept = frame.trail[: number + 1] if mark.step == START else frame.trail[:number]
    m = with_talk(m, stack=(*m.talk.stack[: at + 1],))
    m = _changed(with_top(m, trail=kept), changes)
    step = flow_of(m, m.top).first if mark.step == START else mark.step
    return _run_from(m, step, changes)


def _run_from(m: Moment, step: str, changes: Mapping[str, Any]) -> Moment:
    """Runs on from a step; what is still filled is not asked again, what was corrected to nothing is."""
    flow = flow_of(m, m.top)
    filled = {one.id for one in flow.steps.values() if one.collect and value(m, one.collect) is not None}
    given = {one.id for one in flow.steps.values() if changes.get(one.collect) is not None}
    asked = tuple(one for one in m.top.context.get("asked", ()) if one in filled)
    m = without_context(m, *_OF_ONE_QUESTION, *_OF_ACT)
    m = with_context(m, asked=list(dict.fromkeys((*asked, *sorted(given)))))
    return with_top(m, step=step, phase="run", call_id="", misses=0)


def _changed(m: Moment, changes: Mapping[str, Any]) -> Moment:
    gone = slots.dependents(m.release.slots, changes) - changes.keys()
    unset = {slot for slot, v in changes.items() if v is None}
    given = {slot: v for slot, v in changes.items() if v is not None}
    return with_talk(m, slots={**slots.without(m.talk.slots, gone | unset), **given})


def _put_in(m: Moment, changes: Mapping[str, Any]) -> Moment:
    """A value nothing was filled with so far: taken when the business has a use for it."""
    given = {slot: v for slot, v in changes.items() if v is not None and _belongs(m, slot)}
    if not given or m.phase not in LISTENING:
        return nothing_to(m, "utter_nothing_to_correct")
    m = marked(_changed(m, given), START, tuple(given))
    step = step_of(m, m.top)
    if m.phase in {"confirm", "code"} or step.collect in given:
        return _run_from(cancel_acts(m, (m.top,)), step.id, given)
    return ask_again(m)
