"""Whether what happened in one turn is what a test case in Rasa's format asserts, with our four assertions about money."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from data.money import Money, total
from dialogues.testing.moment import Moment, joined
from dialogues.testing.script import Assertion, Check
from dialogues.testing.world import Sent, TalkEvent, Unsupported


def complaints(check: Check, moment: Moment) -> list[str]:
    """What is not as asserted, one sentence each. Raises Unsupported where the world cannot tell."""
    found: list[str] = []
    for assertion in check.assertions:
        wrong = [*_CHECKS[assertion.name](assertion.value, moment)]
        found += [f"{assertion.where}: {assertion.name}: {each}" for each in wrong]
    if check.ordered and not found:
        found += _order(check.assertions, _events(moment))
    if found:
        heard = " | ".join(f"{s.response or '-'} {s.text!r}" for s in moment.heard(moment.persona))
        found.append(f"{moment.persona} heard: {heard or 'nothing'}")
    return found


def _events(moment: Moment) -> Sequence[TalkEvent]:
    events = moment.happened(moment.persona)
    if events is None:
        raise Unsupported("assertion.events")
    return events


# --- what happened inside the talk --------------------------------------------------------------------------------------


def _flow(kind: str) -> Callable[[Any, Moment], Iterator[str]]:
    def check(value: Any, moment: Moment) -> Iterator[str]:
        events = [e for e in _events(moment) if e.kind == kind]
        if not _flows_are(value, events):
            yield f"{value} expected, there is {[e.name for e in events] or 'none'}"

    return check


def _flows_are(value: Any, events: Sequence[TalkEvent]) -> bool:
    """A name, {flow_id, flow_step_id}, or {operator: all|any, flow_ids}."""
    names = {e.name for e in events}
    if isinstance(value, Mapping) and "flow_ids" in value:
        wanted = [f in names for f in value["flow_ids"]]
        return any(wanted) if value.get("operator", "all") == "any" else all(wanted)
    return any(_is(value, event) for event in events)


def _is(value: Any, event: TalkEvent) -> bool:
    if not isinstance(value, Mapping):
        return bool(event.name == value)
    told = {"flow_id": event.name, "flow_step_id": event.step}
    return all(told.get(k) == v for k, v in value.items())


def _action(value: Any, moment: Moment) -> Iterator[str]:
    names = [e.name for e in _events(moment) if e.kind == "action_executed"]
    if value not in names:
        yield f"{value} expected, there is {names or 'none'}"


def _slot_set(value: Any, moment: Moment) -> Iterator[str]:
    if not any(_same_slot(value, e) for e in _events(moment)):
        yield f"{value} expected, set were {_slots(moment) or 'none'}"


def _slot_not_set(value: Any, moment: Moment) -> Iterator[str]:
    if any(_same_slot(value, e) for e in _events(moment)):
        yield f"{value} was set"


def _same_slot(value: Mapping[str, Any], event: TalkEvent) -> bool:
    return (
        event.kind == "slot_was_set"
        and event.name == value["name"]
        and ("value" not in value or _equal(value["value"], event.value))
    )


def _equal(one: Any, other: Any) -> bool:
    """1 is not true here, and "12" is not 12: the slot's type is part of the promise."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _slots(moment: Moment) -> list[str]:
    return [e.name for e in _events(moment) if e.kind == "slot_was_set"]


def _clarification(value: Any, moment: Moment) -> Iterator[str]:
    offered = {e.name for e in _events(moment) if e.kind == "clarification"}
    for name in value:
        if name not in offered:
            yield f"{name} was not offered, only {sorted(offered) or 'nothing'}"


# --- what was said ---------------------------------------------------------------------------------------------------------


def _uttered(value: Any, moment: Moment) -> Iterator[str]:
    if not any(_is_message(value, s) for s in moment.heard(moment.persona)):
        yield f"no message is {value}"


def _did_not_utter(value: Any, moment: Moment) -> Iterator[str]:
    if any(_is_message(value, s) for s in moment.heard(moment.persona)):
        yield f"a message is {value}"


def _is_message(value: Mapping[str, Any], message: Sent) -> bool:
    return (
        value.get("utter_name") in (None, message.response)
        and (
            "text_matches" not in value
            or re.search(value["text_matches"], message.text, re.DOTALL) is not None
        )
        and all(_has_button(b, message) for b in value.get("buttons", ()))
    )


def _has_button(wanted: Mapping[str, Any], message: Sent) -> bool:
    return any(all(getattr(b, key, None) == v for key, v in wanted.items()) for b in message.buttons)


def _utter(value: Any, moment: Moment) -> Iterator[str]:
    if not any(s.response == value for s in moment.heard(moment.persona)):
        yield f"{value} was not said"


def _bot(value: Any, moment: Moment) -> Iterator[str]:
    if not any(s.text.split() == value.split() for s in moment.heard(moment.persona)):
        yield f"{value!r} was not said"


def _spoken(value: Any, moment: Moment) -> Iterator[str]:
    spoken = [s.spoken for s in moment.heard(moment.persona)]
    if spoken and all(each is None for each in spoken):
        raise Unsupported("assertion.spoken_matches")
    text = "\n".join(each or "" for each in spoken)
    for pattern in [value] if isinstance(value, str) else value:
        if not re.search(pattern, text, re.DOTALL):
            yield f"nothing spoken matches /{pattern}/"


def _outbox(value: Any, moment: Moment) -> Iterator[str]:
    for person, patterns in value.items():
        text = joined(moment.heard(person))
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            if not re.search(pattern, text, re.DOTALL):
                yield f"{person} was not told /{pattern}/"


# --- what moved ------------------------------------------------------------------------------------------------------------


def _money(value: Any, moment: Moment) -> Iterator[str]:
    """Yuan taken by the rail since the first step of the case."""
    if moment.facts.captures is None:
        raise Unsupported("assertion.money_moved")
    moved = total([Money(c.fen) for c in moment.facts.captures[moment.captures_before :]])
    if moved != Money.parse(str(value)):
        yield f"{value} yuan expected, {moved.yuan} moved"


def _calls(value: Any, moment: Moment) -> Iterator[str]:
    """Requests that reached the rail since the first step of the case."""
    if moment.facts.gateway_calls is None:
        raise Unsupported("assertion.gateway_calls")
    calls = moment.facts.gateway_calls[moment.calls_before :]
    numbers = [c.number for c in calls if value.get("action") in (None, c.action)]
    real = {"count": len(numbers), "idempotency_key_distinct": len(set(numbers))}
    for key, count in real.items():
        if value.get(key, count) != count:
            yield f"{key} is {count}, expected {value[key]}"


# --- order -------------------------------------------------------------------------------------------------------------------

_IN_ORDER = (
    "flow_started",
    "flow_completed",
    "flow_cancelled",
    "action_executed",
    "slot_was_set",
    "bot_uttered",
)


def _order(assertions: Sequence[Assertion], events: Sequence[TalkEvent]) -> list[str]:
    cursor = 0
    for assertion in assertions:
        if assertion.name not in _IN_ORDER:
            continue
        place = next((n for n in range(cursor, len(events)) if _matches(assertion, events[n])), None)
        if place is None:
            return [f"{assertion.where}: {assertion.name} {assertion.value} does not come in this order"]
        cursor = place + 1
    return []


def _matches(assertion: Assertion, event: TalkEvent) -> bool:
    if event.kind != assertion.name:
        return False
    if assertion.name == "bot_uttered":
        return assertion.value.get("utter_name") in (None, event.name)
    if assertion.name == "slot_was_set":
        return _same_slot(assertion.value, event)
    return _flows_are(assertion.value, [event])


_CHECKS: Mapping[str, Callable[[Any, Moment], Iterator[str]]] = {
    "flow_started": _flow("flow_started"),
    "flow_completed": _flow("flow_completed"),
    "flow_cancelled": _flow("flow_cancelled"),
    "action_executed": _action,
    "slot_was_set": _slot_set,
    "slot_was_not_set": _slot_not_set,
    "pattern_clarification_contains": _clarification,
    "bot_uttered": _uttered,
    "bot_did_not_utter": _did_not_utter,
    "utter": _utter,
    "bot": _bot,
    "spoken_matches": _spoken,
    "outbox": _outbox,
    "money_moved": _money,
    "gateway_calls": _calls,
}
