"""What a talk waits for just now, so that understanding and the telephone's ears can listen for it."""

from __future__ import annotations

from typing import Any

from dialogues.digit_entry import doubt_choices, length_of
from dialogues.model import Conversation, Frame, Release, Step
from dialogues.moment import LISTENING
from dialogues.questions import asks_of, choices_of, offered
from nlu.commands import Expectation

_CODE_DIGITS = (4, 6)  # a PIN has 4 to 6, a one-time code 6


def expectation(release: Release, conversation: Conversation, spoken: bool) -> Expectation:
    """What may come next. `known_numbers` is left to whoever may look at accounts."""
    top = conversation.top
    common: dict[str, Any] = {"voice": spoken, "locale": conversation.preferences.locale}
    common["in_flow"] = _business(conversation)
    if top is None or top.phase not in LISTENING:
        return _offered(release, conversation, common)
    flow = release.flows.get(top.flow)
    step = flow.steps.get(top.step) if flow else None
    if step is None or top.phase == "resume" or top.context.get("prompt") != conversation.prompt:
        return _beside_the_question(release, conversation, step, top, common)
    match top.phase:
        case "confirm":
            return Expectation(asks="confirm", amounts=_amounts(release, conversation, top), **common)
        case "code":
            return Expectation(asks="code", digits=_CODE_DIGITS, **common)
    return _collect(release, conversation, step, top, common)


def _business(conversation: Conversation) -> str | None:
    """The piece of business on top, by the name it was begun with."""
    frames = [frame for frame in conversation.stack if frame.kind != "call"]
    return frames[-1].flow if frames else None


def _offered(release: Release, conversation: Conversation, common: dict[str, Any]) -> Expectation:
    choices = offered(release, conversation)
    told = next((told for told in reversed(conversation.last_said) if told.asks is not None), None)
    asks = "choice" if choices and told is not None and told.asks == "choice" else "open"
    return Expectation(asks=asks, choices=choices, **common)


def _beside_the_question(
    release: Release, conversation: Conversation, step: Step | None, top: Frame, common: dict[str, Any]
) -> Expectation:
    """Whether to go on, or which flow was meant. The slot asked for before may still be answered."""
    slot = step.collect if step is not None and step.collect else None
    known = release.slots.get(slot or "")
    kind = known.type if known else "any"
    choices = offered(release, conversation)
    if top.phase == "resume":
        choices = {"yes": ("1",), "no": ("2",)} | choices
    return Expectation(asks="choice", slot=slot, slot_type=kind, choices=choices, **common)


def _collect(
    release: Release, conversation: Conversation, step: Step, top: Frame, common: dict[str, Any]
) -> Expectation:
    slot = release.slots.get(step.collect)
    doubt = doubt_choices(top.context)
    return Expectation(
        asks="choice" if doubt else asks_of(step),
        slot=step.collect,
        slot_type=slot.type if slot else "any",
        choices=doubt or choices_of(step, conversation, release),
        digits=(1, max(map(len, doubt))) if doubt else length_of(step),
        collected=str(top.context.get("collected", "")),
        **common,
    )


def _amounts(release: Release, conversation: Conversation, top: Frame) -> tuple[int, ...]:
    """The amounts of the read-back, in fen."""
    held = {**conversation.slots, **top.context.get("facts", {})}
    kinds = {name: slot.type for name, slot in release.slots.items()}
    return tuple(v for name, v in held.items() if kinds.get(name) == "money" and isinstance(v, int))
