"""What must hold of the domain before anybody talks: every refusal has its words, and nothing is written that never runs."""

from __future__ import annotations

from collections.abc import Iterator

from dialogues import responses
from dialogues.flowfile import PATTERN
from dialogues.model import Flow, Release, Slot
from dialogues.problems import FlowError, nearest

# Rasa runs these by themselves at a collect; here they would never run.
_NEVER_RUN = {
    "action_ask_": "a question is a sentence: write utter_ask_{}",
    "validate_": "write rejections, or an action after the collect of {}",
}


def lint_domain(release: Release) -> Iterator[FlowError]:
    """Every rule about slots, and about words of Rasa's that would be without effect."""
    for slot in release.slots.values():
        yield from _refusals(release, slot)
        yield from _never_run(release, slot)
    for flow in release.flows.values():
        yield from _never_begun(release, flow)


def _refusals(release: Release, slot: Slot) -> Iterator[FlowError]:
    said = [rejection.utter for rejection in slot.rejections] + ([slot.refill] if slot.refill else [])
    for name in said:
        if not responses.exists(release, name):
            hint = nearest(name, release.responses.get(responses.DEFAULT_LOCALE, {}))
            yield FlowError(
                slot.where, f"validation of slot {slot.name} says {name}, and nobody wrote it", hint
            )


def _never_run(release: Release, slot: Slot) -> Iterator[FlowError]:
    for beginning, hint in _NEVER_RUN.items():
        if beginning + slot.name in release.actions:
            told = f"action {beginning}{slot.name} never runs by itself"
            yield FlowError(slot.where, told, hint.format(slot.name))


def _never_begun(release: Release, flow: Flow) -> Iterator[FlowError]:
    if flow.id.startswith(PATTERN):
        yield FlowError(flow.where, f"flow {flow.id} is never begun", "repair is the engine's own")
