"""Pieces of business on the stack: begun, called, linked, interrupted, ended, dropped, and taken up again.

Each piece of business has its slots to itself: when another one comes on top, the values of the one below are put on a
shelf in its frame and brought back when it is uncovered, so that asking about water never changes the electricity payment.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from dialogues import slots
from dialogues.flowfile import HANDOFF
from dialogues.model import CancelAct, Frame, StopEverything
from dialogues.moment import (
    HUMAN,
    SENT,
    WAITING,
    Fault,
    Moment,
    base_of,
    business_name,
    cancel_acts,
    emit,
    fill,
    flow_of,
    marked,
    next_id,
    note_flow,
    rejected,
    say,
    start_mark,
    step_of,
    value,
    with_context,
    with_talk,
    with_top,
    without_context,
)
from dialogues.questions import AGAIN_COUNTS, ask_again

RENEWED = "renewed"  # in a frame's context: it is gone on with in other flows than it began in, and nobody was told yet
ASIDE = "aside"  # in the context of a frame that tells news elsewhere: what lies below was not interrupted
STOPPING = "stop."  # how the call ids of StopEverything begin: nobody is left on the stack to wait for it


def begin(m: Moment, name: str, given: Mapping[str, Any] | None = None, *, kind: str = "regular") -> Moment:
    """Puts a piece of business on top. Values that cannot stand in their slots are left out."""
    flow = m.release.flows.get(name)
    if flow is None:
        raise Fault(m, f"there is no flow {name}")
    known = {slot: v for slot, v in (given or {}).items() if slots.usable(m.release.slots.get(slot), v)}
    refused = {slot: found for slot, v in known.items() if (found := rejected(m, slot, v)) is not None}
    known = {slot: v for slot, v in known.items() if slot not in refused}
    if m.talk.stack:
        m = with_context(m, shelf=dict(m.talk.slots))
        m = with_talk(m, slots={})
        kind = "interrupt" if kind == "regular" else kind
    m = _cleared(m, {slot for slot, v in (given or {}).items() if v is None})
    frame = Frame(flow.id, flow.first, kind, trail=start_mark(m, tuple(known)))  # type: ignore[arg-type]
    m = note_flow(with_talk(m, stack=(*m.talk.stack, frame), misses=0), "flow_started", frame)
    m = fill(m, known)
    for slot, rejection in refused.items():
        m = say(m, rejection.utter, {slot: (given or {})[slot]})
    return m


def call_flow(m: Moment, name: str) -> Moment:
    """Puts a flow on top that belongs to the one below: same slots, and back to it at the end."""
    flow = m.release.flows.get(name)
    if flow is None:
        raise Fault(m, f"there is no flow {name}")
    m, frame = with_top(m, phase="run"), Frame(flow.id, flow.first, "call")
    return note_flow(with_talk(m, stack=(*m.talk.stack, frame)), "flow_started", frame)


def link_flow(m: Moment, name: str) -> Moment:
    """Ends the flow on top and begins another in its place, with the values that flow keeps. A person is a flow too."""
    target = m.release.flows.get(HUMAN if name == HANDOFF else name)
    if target is None:
        raise Fault(m, f"there is no flow {name}")
    frame = m.top
    m = note_flow(m, "flow_completed", frame)
    m = note_flow(m, "flow_started", Frame(target.id, target.first))
    if frame.kind == "call":
        return with_top(
            m, flow=target.id, step=target.first, phase="run", trail=frame.trail, context={}, misses=0
        )
    kept = frozenset(flow_of(m, frame).persisted)
    m = _cleared(m, _touched(m, (frame,)) - kept)
    kind = "link" if frame.kind == "regular" else frame.kind
    given = tuple(name for name in m.talk.slots if name in kept)
    return with_talk(
        m, stack=(*m.talk.stack[:-1], Frame(target.id, target.first, kind, trail=start_mark(m, given)))
    )


def end(m: Moment) -> Moment:
    """The flow on top is done: its values are forgotten, but for those it keeps, and what lies below comes up."""
    frame = m.top
    m = note_flow(m, "flow_cancelled" if frame.context.get("called_off") else "flow_completed", frame)
    if frame.kind == "call":
        return _return(m)
    kept = {
        slot: m.talk.slots[slot] for slot in flow_of(m, frame).persisted if m.talk.slots.get(slot) is not None
    }
    return uncover(_popped(m, (frame,), kept), frame)


def drop(m: Moment) -> Moment:
    """Takes the business on top away, with the flows it called, and cancels what it proposed."""
    frames = m.talk.stack[base_of(m) :]
    for frame in reversed(frames):
        m = note_flow(m, "flow_cancelled", frame)
    return _popped(cancel_acts(m, frames), frames, {})


def withdrawn(m: Moment, act: str) -> Moment:
    """What another began and asked this person's yes for is decided: the question about it is put away, unanswered."""
    place = next(
        (
            at
            for at, frame in enumerate(m.talk.stack)
            if frame.context.get("lasting") and frame.context.get("act") == act and frame.phase not in SENT
        ),
        None,
    )
    return m if place is None else drop(bring_to_top(m, place, "system"))


def cancel(m: Moment) -> Moment:
    """Not this piece of business any more. What another began ends for both: it waited for this person's yes."""
    ended = m.talk.stack[base_of(m)]
    lasting = [f.context["act"] for f in m.talk.stack[base_of(m) :] if f.context.get("lasting")]
    m = emit(m, *(CancelAct(act) for act in lasting))
    m = say(m, "utter_flow_cancelled", {"flow_name": business_name(m)})
    return uncover(drop(m), ended)


def uncover(m: Moment, ended: Frame) -> Moment:
    """What lies below comes up: asked about after an interruption, simply asked again after news."""
    if not m.talk.stack:
        return m
    if (ended.flow == HUMAN or m.talk.mode == "human") and m.phase not in WAITING - {"call"}:
        # Silently: a person is coming. What was being looked up is looked up anew when it is taken up again.
        return set_aside(m, call_id="")
    if m.phase in WAITING:
        return m
    if ended.kind == "system":
        return m if ended.context.get(ASIDE) else _as_before(m)
    return ask_again(set_aside(m))


def set_aside(m: Moment, **changes: Any) -> Moment:
    """The business on top waits to be taken up again; its question will be a fresh one then."""
    return with_top(without_context(m, AGAIN_COUNTS), phase="resume", misses=0, **changes)


def go_on(m: Moment) -> Moment:
    """Goes on with the interrupted business on top. What was read back is read back anew: prices may be old."""
    m = told_of_renewal(m)
    step = step_of(m, m.top)
    if step.kind == "collect" and value(m, step.collect) is None:
        return ask_again(with_top(m, phase="ask", misses=0))
    return with_top(m, phase="run", misses=0)


def told_of_renewal(m: Moment) -> Moment:
    """One sentence for whoever finds other flows than he left, before the first question in them."""
    return say(without_context(m, RENEWED), "utter_renewed") if RENEWED in m.top.context else m


def stop_everything(m: Moment) -> Moment:
    """停: nothing is left under way, nothing further is sent. The honest sentence comes with the till's answer (L3)."""
    m = cancel_acts(m, m.talk.stack)
    for frame in reversed(m.talk.stack):
        m = note_flow(m, "flow_cancelled", frame)
    m = with_talk(m, stack=(), slots={}, pending_wishes=(), misses=0, silences=0)
    return emit(m, StopEverything(next_id(m, STOPPING)))


def bring_human(m: Moment, reason: str) -> Moment:
    """A person, at once, from wherever the talk stands. The business below is kept for later (L3)."""
    m = _without_human(m)
    if m.talk.stack:
        m = without_context(m, "calls")  # a person was offered: the business does not go round by itself
    m = begin(m, HUMAN, {"reason": reason}, kind="interrupt" if m.talk.stack else "regular")
    return with_talk(m, silences=0)


def bring_to_top(m: Moment, place: int, kind: str | None = None) -> Moment:
    """Moves the business that the frame at this place belongs to over the others."""
    stack = m.talk.stack
    first, last = base_of(m, place), place
    while last + 1 < len(stack) and stack[last + 1].kind == "call":
        last += 1
    if last == len(stack) - 1:
        return m
    m = with_context(m, shelf=dict(m.talk.slots))
    stack = m.talk.stack
    block = stack[first : last + 1]
    if kind is not None:
        block = (replace(block[0], kind=kind), *block[1:])  # type: ignore[arg-type]
    return _unshelved(with_talk(m, stack=(*stack[:first], *stack[last + 1 :], *block)), {})


# --- below the surface -------------------------------------------------------------------------------------------


def _return(m: Moment) -> Moment:
    """Back to the flow that called: what was filled counts as filled at the step of the call."""
    child = m.top
    filled = tuple(dict.fromkeys(slot for mark in child.trail for slot in mark.slots))
    m = with_talk(m, stack=m.talk.stack[:-1])
    m = marked(m, m.top.step, filled)
    calls = int(child.context.get("calls", 0)) + (
        0 if "prompt" in child.context else int(m.top.context.get("calls", 0))
    )
    m = with_context(m, calls=calls)
    step = step_of(m, m.top)
    if step.kind == "call":
        return with_top(m, phase="decided")
    return go_on(m)


def _as_before(m: Moment) -> Moment:
    """The open question again; a read-back anew, because its prompt is no longer the newest."""
    if m.phase in {"confirm", "code"}:
        return with_top(m, phase="run")
    return m if m.phase == "run" else ask_again(m)


def _popped(m: Moment, frames: tuple[Frame, ...], kept: Mapping[str, Any]) -> Moment:
    """Takes frames off the top; `kept` outlives them."""
    touched = _touched(m, frames)
    m = with_talk(m, stack=m.talk.stack[: -len(frames)])
    if m.talk.stack:
        return _unshelved(m, kept)
    return _cleared(m, touched - kept.keys())


def _unshelved(m: Moment, kept: Mapping[str, Any]) -> Moment:
    """The values of the business now on top, and what the one above it leaves, as far as both can be true together."""
    shelf: Mapping[str, Any] = m.top.context.get("shelf", {})
    against = {slot for slot, v in kept.items() if shelf.get(slot) is not None and shelf[slot] != v}
    untrue = slots.dependents(m.release.slots, against) | against
    added = {slot: v for slot, v in kept.items() if slot not in untrue and shelf.get(slot) is None}
    return without_context(with_talk(m, slots={**shelf, **added}), "shelf")


def _touched(m: Moment, frames: tuple[Frame, ...]) -> frozenset[str]:
    """Every slot these frames filled or could have."""
    found: set[str] = set()
    for frame in frames:
        flow = m.release.flows.get(frame.flow)
        found |= slots.used_by(m.release, flow) if flow else set()
        found.update(slot for mark in frame.trail for slot in mark.slots)
    return frozenset(found)


def _cleared(m: Moment, names: Collection[str]) -> Moment:
    return with_talk(m, slots=slots.without(m.talk.slots, names)) if names else m


def _without_human(m: Moment) -> Moment:
    """Somebody who asks for a person twice gets one request, the newest."""
    place = next(
        (p for p, frame in enumerate(m.talk.stack) if frame.flow == HUMAN and frame.kind != "call"), None
    )
    if place is None:
        return m
    if base_of(m) == place:
        return drop(m)
    last = place
    while m.talk.stack[last + 1].kind == "call":
        last += 1
    return with_talk(m, stack=(*m.talk.stack[:place], *m.talk.stack[last + 1 :]))
