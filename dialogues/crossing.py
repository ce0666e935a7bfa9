"""Mistakes that show only when all files are known: flows, slots, intents and entities that do not exist, and wrong types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dialogues import payloads, predicate
from dialogues.domainfile import Names
from dialogues.flowfile import HANDOFF, PATTERN
from dialogues.model import ActionSpec, Flow, Rejection, Slot, Step, Variation, Where
from dialogues.problems import FlowError, nearest
from dialogues.slots import can_hold

Flows = Mapping[str, Flow]
Slots = Mapping[str, Slot]
Sentences = Mapping[str, Mapping[str, tuple[Variation, ...]]]


def crossed(flows: Flows, slots: Slots, responses: Sentences, names: Names) -> list[FlowError]:
    """Every such mistake. Files without any slots are judged without their types: the domain is elsewhere."""
    types = {name: slot.type for name, slot in slots.items()} if slots else None
    found = [error for flow in flows.values() for error in _flow(flow, flows, types, slots, names)]
    found += _one_flow_an_intent(flows)
    found += _ids(responses)
    if types is not None:
        found += [error for sentences in responses.values() for error in _sentences(sentences, types)]
        found += [error for slot in slots.values() for error in _slot(slot, slots, flows, names, types)]
    return found


def actions(written: Mapping[str, Where], specs: Mapping[str, ActionSpec]) -> Iterator[FlowError]:
    """Actions the domain names and nobody wrote."""
    for name, where in written.items():
        if name not in specs:
            yield FlowError(where, f"there is no action {name}", nearest(name, specs))


# --- flows --------------------------------------------------------------------------------------------------------


def _flow(
    flow: Flow, flows: Flows, types: Mapping[str, str] | None, slots: Slots, names: Names
) -> Iterator[FlowError]:
    for step in flow.steps.values():
        what = f"step {step.id} of flow {flow.id}"
        yield from _leads_to_flow(step, flow, flows, what)
        for branch in step.next:
            yield from _condition(branch.condition, types, step.where, what, flow.id)
        yield from _rejections(step.rejections, types, step.where, what, flow.id)
        if types is not None:
            yield from _slots_of(step, what, slots, flow.id)
    for intent in flow.intents:
        if names.intents and intent not in names.intents:
            hint = nearest(intent, names.intents)
            yield FlowError(
                flow.where, f"flow {flow.id} begins with '{intent}', which is no intent of the domain", hint
            )
    yield from _condition(flow.guard, types, flow.where, f"flow {flow.id}", flow.id)


def _leads_to_flow(step: Step, flow: Flow, flows: Flows, what: str) -> Iterator[FlowError]:
    inside_repair = flow.id.startswith(PATTERN) and step.flow.startswith(PATTERN)
    if step.kind == "link" and step.flow == flow.id:
        yield FlowError(step.where, f"{what} links to its own flow")
    if not step.flow or step.flow in flows or inside_repair:
        return
    if step.flow.startswith(PATTERN):
        if step.kind != "link" or step.flow != HANDOFF:
            yield FlowError(
                step.where,
                f"{what} leads to '{step.flow}': repair is the engine's own",
                f"only link: {HANDOFF} may be written",
            )
        return
    yield FlowError(
        step.where, f"{what} leads to flow '{step.flow}', which does not exist", nearest(step.flow, flows)
    )


def _slots_of(step: Step, what: str, slots: Slots, flow: str) -> Iterator[FlowError]:
    for name in (step.collect, *(slot for slot, _ in step.assignments)):
        if name and name not in slots:
            hint = nearest(name, slots) or "declare it in the domain"
            yield FlowError(step.where, f"{what} fills '{name}', which is no slot", hint)
    for name, value in step.assignments if not flow.startswith(PATTERN) else ():
        slot = slots.get(name)
        if slot is not None and slot.type and value is not None and not can_hold(slot, value):
            told = f"{what} puts '{str(value)[:40]}' into {name}, which holds {_kind(slot)}"
            yield FlowError(step.where, told)


def _kind(slot: Slot) -> str:
    return f"one of {', '.join(slot.values)}" if slot.type == "categorical" else slot.type


def _one_flow_an_intent(flows: Flows) -> Iterator[FlowError]:
    first: dict[str, Flow] = {}
    for flow in flows.values():
        for intent in dict.fromkeys(flow.intents):
            other = first.setdefault(intent, flow)
            if other is not flow:
                yield FlowError(
                    flow.where,
                    f"flow {flow.id} begins with '{intent}', and so does flow {other.id}",
                    f"that one stands at {other.where}",
                )


# --- slots --------------------------------------------------------------------------------------------------------


def _slot(
    slot: Slot, slots: Slots, flows: Flows, names: Names, types: Mapping[str, str]
) -> Iterator[FlowError]:
    what = f"slot {slot.name}"
    for other in slot.depends_on:
        if other not in slots:
            yield FlowError(
                slot.where, f"{what} depends on '{other}', which is no slot", nearest(other, slots)
            )
    yield from _rejections(slot.rejections, types, slot.where, f"validation of {what}", "")
    for filling in slot.fillings:
        for flow in filling.flows:
            if flows and flow not in flows:
                yield FlowError(
                    slot.where,
                    f"a mapping of {what} counts in flow '{flow}', which does not exist",
                    nearest(flow, flows),
                )
        for intent in (*filling.intents, *filling.not_intents):
            if names.intents and intent not in names.intents:
                yield FlowError(
                    slot.where,
                    f"a mapping of {what} names '{intent}', which is no intent",
                    nearest(intent, names.intents),
                )
        yield from _entity(slot, filling.entity, names)


def _entity(slot: Slot, entity: tuple[str, str, str], names: Names) -> Iterator[FlowError]:
    name, *kinds = entity
    if not name or not names.entities:
        return
    if name not in names.entities:
        yield FlowError(
            slot.where,
            f"a mapping of slot {slot.name} names '{name}', which is no entity",
            nearest(name, names.entities),
        )
        return
    for kind in filter(None, kinds):
        if kind not in names.entities[name]:
            yield FlowError(
                slot.where,
                f"a mapping of slot {slot.name}: entity {name} has no role or group '{kind}'",
                nearest(kind, names.entities[name]),
            )


# --- sentences and conditions -------------------------------------------------------------------------------------


def _sentences(
    sentences: Mapping[str, tuple[Variation, ...]], types: Mapping[str, str]
) -> Iterator[FlowError]:
    for name, variations in sentences.items():
        for variation in variations:
            yield from _condition(variation.condition, types, variation.where, f"response {name}", "")
            yield from _filled_by_buttons(variation, name, types)


def _filled_by_buttons(variation: Variation, name: str, types: Mapping[str, str]) -> Iterator[FlowError]:
    for button in variation.buttons:
        try:
            meant = payloads.read(button.payload)
        except payloads.NoPayload:
            continue  # told where it was read
        for slot in meant.values if isinstance(meant, payloads.SetSlots) else ():
            if slot not in types:
                told = f"response {name}: button '{button.title}' fills '{slot}', which is no slot"
                yield FlowError(variation.where, told, nearest(slot, types))


def _ids(responses: Sentences) -> Iterator[FlowError]:
    """A variation's id stands once; its translations share its place."""
    first: dict[str, Where] = {}
    for sentences in responses.values():
        for name, variations in sentences.items():
            for variation in variations:
                if variation.id and first.setdefault(variation.id, variation.where) != variation.where:
                    told = f"response {name}: the id '{variation.id}' is written twice"
                    yield FlowError(variation.where, told, f"the first one stands at {first[variation.id]}")


def _rejections(
    rejections: tuple[Rejection, ...], types: Mapping[str, str] | None, where: Where, what: str, flow: str
) -> Iterator[FlowError]:
    for rejection in rejections:
        yield from _condition(rejection.condition, types, where, what, flow)


def _condition(
    condition: predicate.Predicate | None, types: Mapping[str, str] | None, where: Where, what: str, flow: str
) -> Iterator[FlowError]:
    if condition is None or types is None or flow.startswith(PATTERN):
        return
    for problem in predicate.check(condition, types):
        yield FlowError(where, f"condition of {what}: {problem}", f"as written: {condition.text}")
