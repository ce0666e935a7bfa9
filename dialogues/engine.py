"""What to ask, say and do next: one pure step of a talk, from what happened to what follows.

No clock, no chance, no outside: the same conversation and the same input always give the same effects, so that every talk
can be replayed and every state walked. Whatever goes wrong ends with a person, never with the next step (law L4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, assert_never
from zlib import crc32

from dialogues import commit, listening, renewal, repair, session, slots
from dialogues.business import (
    ASIDE,
    STOPPING,
    begin,
    bring_human,
    bring_to_top,
    call_flow,
    drop,
    end,
    link_flow,
    stop_everything,
    withdrawn,
)
from dialogues.flowfile import END
from dialogues.model import (
    OVER,
    Alarm,
    Answered,
    Conversation,
    Effect,
    EndTalk,
    Facts,
    Heard,
    Input,
    News,
    Release,
    Renewed,
    Say,
    Step,
    Told,
)
from dialogues.moment import (
    HUMAN,
    SENT,
    WAITING,
    Fault,
    Moment,
    base_of,
    call_action,
    cancel_acts,
    emit,
    fill,
    flow_of,
    holds,
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
from dialogues.questions import AGAIN, AGAIN_COUNTS, KEYS, ask_again, offers
from nlu.commands import CannotHandle, Command, Silence, StartFlow, Stop

MOST_STEPS = 250  # of flows in one go; more is a flow that runs in a circle
_MOST_TOLD = 6


def step(
    release: Release, conversation: Conversation, input: Input, facts: Facts
) -> tuple[Conversation, tuple[Effect, ...]]:
    """The talk after one input, and what is to be said and done. Never raises: what fails brings a person."""
    after = traced(release, conversation, input, facts)
    return after.talk, after.effects


def traced(release: Release, conversation: Conversation, input: Input, facts: Facts) -> Moment:
    """The same step with everything that happened in it, for tests that assert the way and not only the end."""
    before = Moment(release, facts, replace(conversation, turn=conversation.turn + 1))
    try:
        before = session.renewed(before) if isinstance(input, Heard) else before
        after = _run(_taken(before, input))
    except Fault as fault:
        after = _to_a_person(fault)
    return _rested(after, input)


def _taken(m: Moment, input: Input) -> Moment:
    match input:
        case Heard(commands):
            return _heard(with_talk(m, channel=m.facts.channel), commands)
        case Answered():
            return _answered(m, input)
        case News():
            return _news(m, input)
        case Renewed():
            return renewal.renewed(m, input)
        case _:
            assert_never(input)


# --- what the person said ----------------------------------------------------------------------------------------


def _heard(m: Moment, commands: Sequence[Command]) -> Moment:
    if m.talk.mode == "human":
        return stop_everything(m) if any(isinstance(command, Stop) for command in commands) else m
    if not any(isinstance(command, Silence) for command in commands):
        m = with_talk(m, silences=0)
    m, ordered = listening.ordered(m, commands or (CannotHandle(),))
    for command in ordered:
        m = _run(listening.obey(m, command, commands))
    return m


# --- what came back ----------------------------------------------------------------------------------------------


def _answered(m: Moment, answer: Answered) -> Moment:
    """An answer for whoever waits for it; one nobody waits for any more is put away (停 and 人工 overtake)."""
    if answer.call_id.startswith(STOPPING):
        return _stopped(m, answer)
    place = next(
        (at for at, f in enumerate(m.talk.stack) if f.call_id == answer.call_id and f.phase in WAITING), None
    )
    if place is None:
        return m
    if place < len(m.talk.stack) - 1:
        return _kept_for_later(m, place, answer)
    return _delivered(m, answer.outcome, dict(answer.slots))


def _kept_for_later(m: Moment, place: int, answer: Answered) -> Moment:
    """The business that asked lies below another: its answer waits with it. A verdict on a code that came too late counts
    for nothing; the read-back is made anew."""
    frame = m.talk.stack[place]
    if frame.phase == "check":
        frame = replace(frame, phase="code", call_id="")
    else:
        frame = replace(frame, context={**frame.context, "answer": [answer.outcome, dict(answer.slots)]})
    return with_talk(m, stack=(*m.talk.stack[:place], frame, *m.talk.stack[place + 1 :]))


def _delivered(m: Moment, outcome: str, answer: dict[str, Any]) -> Moment:
    match m.phase:
        case "call":
            return _acted(m, outcome, answer)
        case "propose":
            return commit.proposed(m, outcome, answer)
        case "check":
            checked = commit.checked(m, outcome, answer)
            asking = with_top(m, phase="code", call_id="")
            return checked if checked is not None else repair.ask_code_again(asking, answer.get("tries_left"))
        case "commit":
            return commit.committed(m, outcome, answer)
    return m


def _acted(m: Moment, outcome: str, answer: dict[str, Any]) -> Moment:
    """An action kept what it promised, or a person looks."""
    step = step_of(m, m.top)
    spec = m.release.actions.get(step.action)
    m = with_top(m, call_id="")
    if spec is None or outcome not in spec.outcomes:
        raise Fault(m, f"{step.action} came out as '{outcome}', which it never promised")
    if strange := answer.keys() - set(spec.writes):
        raise Fault(m, f"{step.action} wrote {', '.join(sorted(strange))}, which it never promised")
    m = marked(fill(m, answer), step.id, tuple(slot for slot, v in answer.items() if v is not None))
    return with_top(with_context(m, outcome=outcome), phase="decided")


def _stopped(m: Moment, answer: Answered) -> Moment:
    """停 is done: what was not sent is not sent, what was sent is told."""
    in_flight = answer.outcome == "in_flight"
    m = fill(m, {slot: v for slot, v in answer.slots.items() if slot in m.release.slots})
    return repair.nothing_to(m, "utter_stopped_in_flight" if in_flight else "utter_stopped")


# --- news --------------------------------------------------------------------------------------------------------


def _news(m: Moment, news: News) -> Moment:
    """Something happened. Whoever waits for it goes on with it; otherwise its own flow tells it, interrupting nothing."""
    waiting = [
        at
        for at, f in enumerate(m.talk.stack)
        if news.act and f.phase in SENT and f.context.get("act") == news.act
    ]
    if not waiting or not news.outcome:
        m = withdrawn(m, news.act) if news.outcome == OVER else m
        m = begin(m, news.flow, news.slots, kind="system")
        return with_context(m, **{ASIDE: True}) if news.aside else m
    m = bring_to_top(m, waiting[-1], "system")
    known = {slot: v for slot, v in news.slots.items() if slot in m.release.slots}
    m = marked(fill(m, known), m.top.step, tuple(known))
    return commit.settled(m, news.outcome)


# --- running flows -----------------------------------------------------------------------------------------------


def _run(m: Moment) -> Moment:
    """Runs what is on top until it listens, waits, or nothing is left."""
    while True:
        if not m.talk.stack:
            if not m.talk.pending_wishes:
                return m
            m = _next_wish(m)
        elif "answer" in m.top.context:
            outcome, answer = m.top.context["answer"]
            m = _delivered(without_context(m, "answer"), outcome, answer)
        elif m.phase not in {"run", "decided", "ended"}:
            return m
        else:
            m = _moved(m)
        m = replace(m, steps=m.steps + 1)
        if m.steps > MOST_STEPS:
            raise Fault(m, "a flow runs in a circle")


def _moved(m: Moment) -> Moment:
    match m.phase:
        case "decided":
            return _branched(m)
        case "ended":
            return end(m)
    return _taken_step(m, step_of(m, m.top))


def _taken_step(m: Moment, step: Step) -> Moment:
    match step.kind:
        case "action":
            return _act(m, step)
        case "collect":
            return _collect(m, step)
        case "set_slots":
            return _assign(m, step)
        case "call":
            return call_flow(m, step.flow)
        case "link":
            return link_flow(m, step.flow)
        case "noop":
            return _branched(marked(m, step.id, ()))
        case _:
            assert_never(step.kind)


def _act(m: Moment, step: Step) -> Moment:
    if commit.is_commit(step):
        return commit.propose(m, step)
    if step.action.startswith("utter_"):
        return _branched(marked(say(m, step.action), step.id, ()))
    return call_action(m, step.action)


def _collect(m: Moment, step: Step) -> Moment:
    """A question: left out when answered, refused answers said why, otherwise asked."""
    asked = m.top.context.get("asked", ())
    if step.ask_before_filling and step.id not in asked:
        m = fill(with_context(m, asked=[*asked, step.id]), {step.collect: None})
    held = value(m, step.collect)
    if held is None:
        return _ask_first(m, step)
    if (refusal := rejected(m, step.collect, held)) is not None:
        m = with_top(fill(m, {step.collect: None}), phase="ask")
        told = {step.collect: held}
        return repair.refused(m, refusal.utter, told, m.release.slots[step.collect].refill)
    for rejection in step.rejections:
        if holds(m, rejection.condition):
            m = with_top(fill(m, {step.collect: None}), phase="ask")
            return repair.refused(m, rejection.utter, {step.collect: held})
    return _branched(marked(_misses_counted(m, step), step.id, (step.collect,)))


def _misses_counted(m: Moment, step: Step) -> Moment:
    """What was not understood before the answer is remembered: when the flow comes back to this question, it has been asked
    again already (L10). It alone brings no person."""
    rounds, question = dict(m.top.context.get("rounds", {})), _as_put(m, step)
    asked = rounds.get(question, 0)
    if not m.top.misses or not asked:
        return m
    rounds[question] = max(asked, min(asked + m.top.misses, repair.PATIENCE - 1))
    return with_context(m, rounds=rounds)


def _ask_first(m: Moment, step: Step) -> Moment:
    """Asks, and when the flow comes back to the same question, asks in another way; the fourth time a person comes (L10)."""
    rounds, question = dict(m.top.context.get("rounds", {})), _as_put(m, step)
    before = rounds.get(question, 0)
    rounds[question] = before + 1
    m = with_top(with_context(m, rounds=rounds), phase="ask", misses=min(before, repair.PATIENCE - 1))
    if before >= repair.PATIENCE:
        return bring_human(m, "misses")
    return ask_again(m, ("", AGAIN, KEYS)[before])


def _as_put(m: Moment, step: Step) -> str:
    """The question with what may be chosen: the next page of a list is another question, the same page again is not."""
    source = step.metadata.get("choices_from")
    return f"{step.id}:{crc32(repr(m.talk.slots.get(source)).encode())}" if source else step.id


def _assign(m: Moment, step: Step) -> Moment:
    given = {slot: v for slot, v in step.assignments if v is not None}
    unset = {slot for slot, v in step.assignments if v is None}
    m = fill(m, given)
    m = with_talk(m, slots=slots.without(m.talk.slots, unset))
    return _branched(marked(m, step.id, tuple(given)))


def _branched(m: Moment) -> Moment:
    """Takes the first branch whose condition holds; the last one has none."""
    step = step_of(m, m.top)
    target = next((b.target for b in step.next if b.condition is None or holds(m, b.condition)), None)
    if target == END:
        return end(m)
    if target is None or target not in flow_of(m, m.top).steps:
        raise Fault(m, f"step {step.id} of flow {m.top.flow} leads nowhere")
    return with_top(
        without_context(m, "prompt", AGAIN_COUNTS), step=target, phase="run", misses=0, call_id=""
    )


def _next_wish(m: Moment) -> Moment:
    """The next of several wishes of one sentence."""
    wish, *later = m.talk.pending_wishes
    m = with_talk(m, pending_wishes=tuple(later))
    if not isinstance(wish, StartFlow):
        return m
    guard = m.release.flows[wish.flow].guard if wish.flow in m.release.flows else None
    return m if guard is not None and not holds(m, guard) else begin(m, wish.flow, wish.slots)


# --- when something of ours is wrong, and coming to rest -----------------------------------------------------------


def _to_a_person(fault: Fault) -> Moment:
    """An honest sentence and a person. If even that fails: the sentence alone, and nothing left under way."""
    m = replace(emit(fault.moment, Alarm(fault.what)), steps=0)
    try:
        m = _shelved_as_faulty(m)
        return _run(bring_human(say(m, "utter_trouble"), "fault"))
    except Fault as second:
        m = cancel_acts(second.moment, second.moment.talk.stack)
        m = emit(m, Alarm(second.what), Say("utter_trouble", {}))
        return with_talk(m, stack=(), slots={}, pending_wishes=())


def _shelved_as_faulty(m: Moment) -> Moment:
    """The business that failed may be tried again later; the one that brings a person may not fail twice."""
    if not m.talk.stack:
        return m
    if m.talk.stack[base_of(m)].flow == HUMAN:
        raise Fault(drop(m), "no person can be brought")
    return m if m.phase in SENT else with_top(m, phase="resume", call_id="", misses=0)


def _rested(m: Moment, input: Input) -> Moment:
    """The last sentence of a talk with nothing under way leaves it open; what was said is remembered for 再说一遍."""
    if not m.talk.stack and m.talk.mode != "human" and not any(isinstance(e, EndTalk) for e in m.effects):
        m = _left_open(m)
    told = tuple(Told(e.response, e.values, e.asks) for e in m.effects if isinstance(e, Say))
    return with_talk(m, last_said=_remembered(m, told, input))


def _left_open(m: Moment) -> Moment:
    last = max((at for at, effect in enumerate(m.effects) if isinstance(effect, Say)), default=None)
    said = m.effects[last] if last is not None else None
    if last is None or not isinstance(said, Say) or said.asks is not None:
        return m
    m = with_talk(m, prompt=m.talk.prompt + 1)
    opened = replace(said, asks="choice" if offers(m, said) else "open", prompt=m.talk.prompt)
    return replace(m, effects=(*m.effects[:last], opened, *m.effects[last + 1 :]))


def _remembered(m: Moment, told: tuple[Told, ...], input: Input) -> tuple[Told, ...]:
    """What a repeat says again: all that was said since the person spoke last."""
    if isinstance(input, News) and input.aside:
        return m.talk.last_said
    if not isinstance(input, Heard):
        return (*m.talk.last_said, *told)[-_MOST_TOLD:]
    return told if told or (m.talk.stack and m.phase in WAITING) else m.talk.last_said
