"""From a proposal to a confirmed payment: read back, yes, second factor, commit. The only place that says Commit.

What is read back is what the till bound with its digest. A yes counts only at the newest read-back (laws L1 and L5); any
change cancels what was proposed and proposes anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dialogues import slots
from dialogues.model import CancelAct, CheckFactor, Commit, IssueCode, Propose, Step
from dialogues.moment import (
    SENT,
    Fault,
    Moment,
    ask,
    call,
    emit,
    flow_of,
    marked,
    next_id,
    say,
    value,
    with_context,
    with_talk,
    with_top,
    without_context,
)
from dialogues.questions import ASK_CODE, ask_again

ACTION = "action_commit"
OUTCOMES = ("paid", "refused", "checking", "waiting_payer", "agreed", "not_allowed", "cancelled")
_OF_ACT = ("act", "digest", "strength", "lasting", "facts", "how", "prompt")
_NOT_FACTS = frozenset({"act", "digest", "strength", "lasting"})


def propose(m: Moment, step: Step) -> Moment:
    """Asks the till to bind what shall be paid. What was proposed before is cancelled first."""
    m = forget_act(m)
    commit = step.metadata.get("commit")
    if not isinstance(commit, Mapping):
        raise Fault(m, f"step {step.id} of flow {m.top.flow} commits nothing")
    names = {*commit.get("reads_back", ()), *slots.used_by(m.release, flow_of(m, m.top))}
    arguments = {name: held for name in sorted(names) if (held := value(m, name)) is not None}
    call_id = next_id(m)
    return call(m, Propose(call_id, str(commit["act"]), arguments), call_id, "propose")


def forget_act(m: Moment) -> Moment:
    """Cancels what this frame proposed, unless its yes is already with the till."""
    if m.top.context.get("act") and m.phase not in SENT and not m.top.context.get("lasting"):
        m = emit(m, CancelAct(m.top.context["act"]))
    return without_context(m, *_OF_ACT)


def proposed(m: Moment, outcome: str, answer: Mapping[str, Any]) -> Moment:
    """The till's answer to a proposal: read it back and wait for the yes, or go on by the flow's branches."""
    if outcome == "refused":
        return decided(m, "not_allowed", str(answer.get("reason", "")))
    if outcome != "proposed" or not {"act", "digest", "strength"} <= answer.keys():
        raise Fault(m, f"a proposal was answered '{outcome}'")
    facts = slots.without(answer, _NOT_FACTS)
    m = with_context(m, act=answer["act"], digest=answer["digest"], strength=answer["strength"], facts=facts)
    if answer.get("lasting"):
        m = with_context(m, lasting=True)
    return ask_again(with_top(m, phase="confirm", call_id="", misses=0))


def affirm(m: Moment, how: str, code: str | None) -> Moment | None:
    """The yes. None when it does not count as one here, so that the question is asked in another way."""
    context = m.top.context
    if context.get("prompt") != m.talk.prompt:
        return ask_again(m)
    m = with_context(m, how=how)
    match context.get("strength"):
        case "key":
            return None if m.facts.spoken and how != "key" else _commit(m, "")
        case "code":
            return check(m, code) if code is not None else _ask_code(m)
        case "approval":
            m = say(forget_act(m), "utter_approval_needed")
            return with_top(with_context(m, outcome="not_allowed"), phase="ended")
    raise Fault(m, "the till asks for a strength of yes nobody knows")


def check(m: Moment, digits: str) -> Moment:
    """Asks whether a PIN or code is right."""
    call_id = next_id(m)
    return call(m, CheckFactor(call_id, m.top.context["act"], digits), call_id, "check")


def checked(m: Moment, outcome: str, answer: Mapping[str, Any]) -> Moment | None:
    """The verdict on a PIN or code. None when it was wrong: asking again is the ladder's business."""
    m = with_top(m, phase="code", call_id="")
    match outcome:
        case "passed":
            return _commit(m, str(answer.get("factor", "")))
        case "wrong":
            return None
        case "expired":
            m = emit(m, IssueCode(m.top.context["act"]))
            return ask(m, "utter_code_expired", "code")
        case "blocked":
            return cancelled(say(m, "utter_code_blocked"))
    raise Fault(m, f"a code was answered '{outcome}'")


def committed(m: Moment, outcome: str, answer: Mapping[str, Any]) -> Moment:
    """The till took the yes, or did not. What becomes of the money is told by its news, not here."""
    match outcome:
        case "submitted" | "already":
            return with_top(m, phase="outcome", call_id="", misses=0)
        case "refused":
            return without_context(decided(m, "refused", str(answer.get("reason", ""))), *_OF_ACT)
    raise Fault(m, f"a yes was answered '{outcome}'")


def settled(m: Moment, outcome: str) -> Moment:
    """The till's news decided the act: it is nothing to cancel any more."""
    return decided(without_context(m, *_OF_ACT), outcome, None)


def cancelled(m: Moment) -> Moment:
    """The person does not want it: cancelled at the till, and the flow goes on by its branch."""
    return decided(forget_act(m), "cancelled", None)


def decided(m: Moment, outcome: str, refusal: str | None) -> Moment:
    """The commit step has its outcome; the flow's branches decide what comes next."""
    if refusal is not None:
        m = with_talk(m, slots={**m.talk.slots, "refusal": refusal})
    m = with_context(m, outcome=outcome)
    return with_top(marked(m, m.top.step, ()), phase="decided", call_id="", misses=0)


def _commit(m: Moment, factor: str) -> Moment:
    context = m.top.context
    call_id = next_id(m)
    effect = Commit(call_id, context["act"], context["digest"], str(context.get("how", "word")), factor)
    return call(m, effect, call_id, "commit")


def _ask_code(m: Moment) -> Moment:
    m = emit(m, IssueCode(m.top.context["act"]))
    return ask(with_top(m, phase="code", misses=0), ASK_CODE, "code")


def is_commit(step: Step) -> bool:
    """Whether a step is the reserved one that moves money."""
    return step.kind == "action" and step.action == ACTION
