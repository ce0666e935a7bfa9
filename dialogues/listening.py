"""What a person's words do in each state of a talk: begin, answer, put right, say yes or no, choose, cancel, go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, assert_never

from dialogues import commit, digit_entry, repair, slots
from dialogues.business import begin, bring_human, bring_to_top, cancel, go_on, stop_everything
from dialogues.correction import correct, in_trail
from dialogues.flowfile import START
from dialogues.moment import (
    HUMAN,
    LISTENING,
    SENT,
    WAITING,
    Moment,
    base_of,
    fill,
    holds,
    marked,
    say,
    step_of,
    value,
    with_context,
    with_talk,
    with_top,
)
from dialogues.questions import asks_of, choices_of, offered
from nlu.commands import (
    Affirm,
    Bigger,
    Bye,
    CancelFlow,
    CannotHandle,
    Choose,
    Clarify,
    Code,
    Command,
    CorrectSlot,
    Deny,
    DoubtfulDigits,
    Explain,
    Greet,
    Human,
    Refuse,
    Repeat,
    Resume,
    SetSlot,
    Silence,
    Skip,
    StartFlow,
    Stop,
)
from nlu.refusals import belongs_to_a_bank

CALL_OFF = "call_off"
_MOST_WISHES = 5
_BESIDE = (
    SetSlot,
    StartFlow,
    CorrectSlot,
    Clarify,
)  # what a question that wants only its answer does not take


def ordered(m: Moment, commands: Sequence[Command]) -> tuple[Moment, list[Command]]:
    """The commands to obey one by one. Values said with a wish go with it, several corrections are one, a code goes with
    its yes, and further wishes wait until the first is done."""
    if _forced(m) and any(map(_answers(m), commands)):
        commands = [c for c in commands if _answers(m)(c) or not isinstance(c, _BESIDE)]
    elif m.phase == "ask" and any(map(_answers(m), commands)):
        m, commands = _with_the_answer(m, commands)
    wishes = [c for c in commands if isinstance(c, StartFlow)]
    first = wishes[0] if wishes else None
    for wish in wishes[1:]:
        m = _later(m, wish)
    given = _given_with(m, first, commands) if first is not None else {}
    ordered: list[Command] = []
    for command in commands:
        if command is first and first is not None:
            ordered.append(StartFlow(first.flow, {**first.slots, **given}))
        elif not _goes_with_another(m, command, commands, given, ordered):
            ordered.append(command)
    return m, ordered


def _forced(m: Moment) -> bool:
    """Whether only the answer to this question counts (force_slot_filling). A person, a stop and repair always do (L3)."""
    return m.phase == "ask" and step_of(m, m.top).force_slot_filling


def _answers(m: Moment) -> Callable[[Command], bool]:
    """Whether a command answers the open question."""
    slot = step_of(m, m.top).collect
    return lambda command: isinstance(command, SetSlot) and command.slot == slot


def _with_the_answer(m: Moment, commands: Sequence[Command]) -> tuple[Moment, list[Command]]:
    """Further values on the button that answers (/SetSlots(a=x, b=y)): kept until the flow comes to them."""
    answers = _answers(m)
    begins = any(isinstance(c, StartFlow) for c in commands)
    more = [] if begins else [c for c in commands if isinstance(c, SetSlot) and not answers(c)]
    given = {c.slot: c.value for c in more if slots.usable(m.release.slots.get(c.slot), c.value)}
    m = marked(fill(m, given), START, tuple(given)) if given else m
    return m, [c for c in commands if c not in more]


def _given_with(m: Moment, wish: StartFlow, commands: Sequence[Command]) -> dict[str, Any]:
    """交水费,3200456701: the number belongs to the wish, unless just that was being asked."""
    flow = m.release.flows.get(wish.flow)
    known = slots.used_by(m.release, flow) if flow else frozenset()
    asked = step_of(m, m.top).collect if m.phase == "ask" else None
    return {
        c.slot: c.value for c in commands if isinstance(c, SetSlot) and c.slot != asked and c.slot in known
    }


def _goes_with_another(
    m: Moment, command: Command, commands: Sequence[Command], given: dict[str, Any], before: list[Command]
) -> bool:
    match command:
        case StartFlow():
            return True
        case SetSlot(slot, _):
            return slot in given
        case CorrectSlot():
            return any(isinstance(one, CorrectSlot) for one in before)
        case Bye():
            return command is not commands[-1]  # 谢谢,再查一下水费 is no good-bye
        case Code():
            return m.phase == "confirm" and any(isinstance(one, Affirm) for one in before)
        case Affirm():
            return m.phase == "code" and any(isinstance(one, Code) for one in commands)
    return False


def obey(m: Moment, command: Command, said: Sequence[Command]) -> Moment:
    """One command of all that were said, in whatever state the talk is."""
    match command:
        case Human():
            return bring_human(m, "asked")
        case Stop():
            return stop_everything(m)
        case CorrectSlot() | Clarify() if _forced(m):
            return repair.once_more(m, "other_wish")
        case StartFlow(flow, given):
            return _start(m, flow, given)
        case SetSlot(slot, answer):
            return _set(m, slot, answer)
        case DoubtfulDigits(slot, digits, doubts):
            return _doubtful(m, slot, digits, doubts)
        case CorrectSlot():
            return correct(m, {c.slot: c.value for c in said if isinstance(c, CorrectSlot)})
        case Affirm(strength):
            return _affirm(m, strength, next((c.digits for c in said if isinstance(c, Code)), None))
        case Deny():
            return _deny(m)
        case Choose(chosen):
            return _choose(m, chosen)
        case Code(digits):
            return _code(m, digits)
        case CancelFlow():
            return _cancel(m)
        case Resume():
            return _resume(m)
        case Skip():
            return _skip(m)
        case Repeat(slower, louder):
            return repair.repeat(m, slower, louder)
        case Bigger():
            return repair.bigger(m)
        case Explain(topic):
            return repair.explain(m, topic)
        case Silence():
            return repair.silence(m)
        case Greet():
            return repair.greet(m)
        case Bye():
            return repair.bye(m)
        case Refuse(kind):
            return repair.refuse(m, kind)
        case Clarify(flows):
            return repair.clarify(m, flows)
        case CannotHandle("nothing_to_confirm") if m.phase == "open":
            return repair.nothing_to(
                m, "utter_nothing_to_confirm"
            )  # 好的 after a result is politeness, not a miss
        case CannotHandle("what_is_wrong"):
            return repair.what_is_wrong(m)
        case CannotHandle(reason):
            return repair.miss(m, "" if reason == "not_understood" else f"utter_{reason}")
        case _:
            assert_never(command)


def _start(m: Moment, name: str, given: dict[str, Any]) -> Moment:
    """A wish: begun, taken up again, put on top of what is under way, or kept for later."""
    flow = m.release.flows.get(name)
    if name == HUMAN:
        return bring_human(m, "asked")
    if flow is None or (flow.guard is not None and not holds(m, flow.guard)):
        return repair.miss(m, "utter_not_offered")
    place = next((at for at, frame in enumerate(m.talk.stack) if frame.flow == name), None)
    if place is not None and not (_forced(m) and place < base_of(m)):
        return _start_again(m, place, given)
    if m.phase == "open":
        return begin(m, name, given)
    if _forced(m):
        return repair.once_more(m, "other_wish")
    if m.phase in WAITING - {"outcome"}:
        return say(_later(m, StartFlow(name, given)), "utter_working")
    return begin(m, name, given)


def _later(m: Moment, wish: StartFlow) -> Moment:
    """One thing after the other: kept until the talk is open again."""
    wishes, flow = m.talk.pending_wishes, m.release.flows.get(wish.flow)
    if flow is None or wish in wishes or len(wishes) >= _MOST_WISHES:
        return m
    return with_talk(m, pending_wishes=(*wishes, wish))


def _start_again(m: Moment, place: int, given: dict[str, Any]) -> Moment:
    """The wish is under way already: what differs is a correction, otherwise its question is asked again."""
    if place < base_of(m):
        m = bring_to_top(m, place, "interrupt")
        m = with_top(m, phase="resume") if m.phase in LISTENING else m
    if m.phase in SENT:
        return repair.already_sent(m)
    differing = {slot: v for slot, v in given.items() if v is not None and v != value(m, slot)}
    if differing:
        return correct(m, differing)
    if m.phase == "resume":
        return go_on(m)
    return repair.once_more(m, "same_wish") if m.phase in LISTENING else say(m, "utter_working")


def _set(m: Moment, slot: str, answer: Any) -> Moment:
    """A value: for the slot being asked, or at a read-back for one that was given before (then it is a correction)."""
    if m.phase in {"confirm", "code"} and in_trail(m, slot):
        return correct(m, {slot: answer})
    if m.phase == "resume" and step_of(m, m.top).collect == slot:
        m = with_top(m, phase="ask")
    return _answer(m, answer) if m.phase == "ask" and step_of(m, m.top).collect == slot else repair.miss(m)


def _answer(m: Moment, answer: Any) -> Moment:
    """The answer to the question asked."""
    step = step_of(m, m.top)
    if "doubt" in m.top.context and (found := digit_entry.resolve(m, str(answer))) is not None:
        return _resolved(*found)
    if answer == m.top.context.get("collected"):
        return _whole(m)
    if not slots.usable(m.release.slots.get(step.collect), answer):
        return repair.miss(m)
    if digit_entry.goes_on(m, step, answer):
        return digit_entry.take_part(m, answer) or repair.miss(m)
    m = with_context(
        digit_entry.finished(m), asked=list(dict.fromkeys((*m.top.context.get("asked", ()), step.id)))
    )
    return with_top(fill(m, {step.collect: answer}), phase="run")


def _doubtful(m: Moment, slot: str, digits: str, doubts: Sequence[Any]) -> Moment:
    at_it = m.phase == "ask" and step_of(m, m.top).collect == slot and digit_entry.in_parts(step_of(m, m.top))
    return (digit_entry.take_doubts(m, digits, doubts) if at_it else None) or repair.miss(m)


def _affirm(m: Moment, strength: str, code: str | None) -> Moment:
    match m.phase:
        case "confirm":
            return commit.affirm(m, strength, code) or repair.press_key(m)
        case "resume":
            return go_on(m)
        case "ask" if _asks_yes_or_no(m):
            return _answer(m, True)
        case "ask" if m.top.context.get("collected"):
            return _whole(m)
    return repair.miss(m)


def _deny(m: Moment) -> Moment:
    match m.phase:
        case "confirm" | "code":
            return commit.cancelled(m)
        case "resume":
            return cancel(m)
        case "ask" if _asks_yes_or_no(m):
            return _answer(m, False)
        case "ask" if m.top.context.get("collected"):
            return _whole(m)
    return repair.miss(m)


def _whole(m: Moment) -> Moment:
    """后面没有了: the digits so far are the number, if there are enough of them."""
    step, digits = step_of(m, m.top), m.top.context["collected"]
    bounds = digit_entry.length_of(step)
    if bounds is None or "doubt" in m.top.context or len(digits) < bounds[0]:
        return repair.miss(m)
    return with_top(fill(digit_entry.finished(m), {step.collect: digits}), phase="run")


def _asks_yes_or_no(m: Moment) -> bool:
    slot = m.release.slots.get(step_of(m, m.top).collect)
    return slot is not None and slot.type == "bool"


def _choose(m: Moment, chosen: str) -> Moment:
    """One of what was offered: an answer to the question, or something beside it (a flow, a person)."""
    if m.phase == "ask":
        step = step_of(m, m.top)
        if (found := digit_entry.resolve(m, chosen)) is not None:
            return _resolved(*found)
        if chosen in choices_of(step, m.talk, m.release):
            return _answer(m, slots.from_choice(m.release.slots.get(step.collect), chosen))
    if m.phase == "resume" and chosen in {"yes", "no"}:
        return go_on(m) if chosen == "yes" else cancel(m)
    return _take_offer(m, chosen)


def _take_offer(m: Moment, chosen: str) -> Moment:
    if chosen not in offered(m.release, m.talk):
        return repair.miss(m)
    match chosen:
        case "human":
            return bring_human(m, "asked")
        case "stop":
            return stop_everything(m)
    return _start(m, chosen, {}) if chosen in m.release.flows else repair.miss(m)


def _resolved(m: Moment, digits: str) -> Moment:
    """The number as it is now that a doubtful digit was named; "" while another one is being asked about."""
    if belongs_to_a_bank(digits):
        return repair.refuse(m, "card_number")
    return _answer(m, digits) if digits else m


def _code(m: Moment, digits: str) -> Moment:
    """A PIN or code: checked where one was asked for. One that came with the yes was used with it."""
    if m.phase == "code":
        return commit.check(m, digits)
    if m.phase == "ask" and asks_of(step_of(m, m.top)) == "code":
        return _answer(m, digits)
    return m if m.phase == "check" else repair.miss(m)


def _cancel(m: Moment) -> Moment:
    match m.phase:
        case "open" if CALL_OFF in m.release.flows:
            return begin(
                m, CALL_OFF
            )  # what waits for somebody's yes is not on the stack, and one word ends it too
        case "open":
            return repair.nothing_to(m, "utter_nothing_to_cancel")
        case "commit" | "outcome":
            return repair.already_sent(m)
        case "confirm" | "code" | "check":
            return commit.cancelled(with_context(m, called_off=True))
    return cancel(m)


def _resume(m: Moment) -> Moment:
    if m.phase == "resume":
        return go_on(m)
    return repair.once_more(m, "resume") if m.phase in LISTENING else repair.miss(m)


def _skip(m: Moment) -> Moment:
    """Leaves a question out, where the flow can do without its answer."""
    step = step_of(m, m.top) if m.phase == "ask" else None
    if step is None or not step.metadata.get("optional"):
        return repair.nothing_to(m, "utter_cannot_skip")
    return with_top(marked(digit_entry.finished(m), step.id, ()), phase="decided")
