"""What the state of a talk allows a person's words to do. Understanding proposes; here it is decided what counts.

A yes counts only for the newest read-back, and never together with a no, a stop or a correction in the same sentence.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dialogues.model import Conversation
from dialogues.moment import LISTENING
from nlu.commands import (
    Affirm,
    CancelFlow,
    CannotHandle,
    Choose,
    Code,
    Command,
    CorrectSlot,
    Deny,
    DoubtfulDigits,
    Expectation,
    Human,
    SetSlot,
    StartFlow,
    Stop,
)

_AGAINST_A_YES = (Deny, CancelFlow, Stop, Human, CorrectSlot, CannotHandle)


def allowed(
    commands: Iterable[Command],
    conversation: Conversation,
    expectation: Expectation,
    newest_prompt: int | None,
    *,
    written: bool = False,
) -> tuple[Command, ...]:
    """The commands that count. `newest_prompt` is the prompt the answer was given to, None when it names none.

    `written`: by us, on a button; it may bring several values at once, as nobody's words may.

    Never empty: what is left of nothing is CannotHandle, and a yes to no open question is called nothing_to_confirm.
    """
    said = _without_repeats(commands, conversation)
    if conversation.mode == "human":
        return tuple(command for command in said if isinstance(command, Stop))
    kept = tuple(
        c
        for c in said
        if _counts(c, said, conversation, expectation, newest_prompt) or (written and isinstance(c, SetSlot))
    )
    if kept:
        return kept
    stale = any(isinstance(command, Affirm) for command in said)
    return (CannotHandle("nothing_to_confirm" if stale else "not_expected"),)


def _counts(
    command: Command,
    said: tuple[Command, ...],
    conversation: Conversation,
    waits_for: Expectation,
    newest: int | None,
) -> bool:
    match command:
        case Affirm():
            return not _contradicted(said) and _may_say_yes(conversation, newest)
        case Deny():
            return not any(isinstance(c, CorrectSlot) for c in said) and _listens(conversation)
        case Choose(value):
            return value in waits_for.choices and newest in (None, conversation.prompt)
        case Code():
            return waits_for.asks == "code" or any(isinstance(c, Affirm) for c in said)
        case SetSlot(slot, _) | DoubtfulDigits(slot, _, _):
            return slot == waits_for.slot or _begins_something(said) or _was_given(conversation, slot)
        case _:
            return True


def _without_repeats(commands: Iterable[Command], conversation: Conversation) -> tuple[Command, ...]:
    """Without what says only what is known: 确认支付123.45元 names the amount that was just read back."""
    said = tuple(commands)
    if not any(isinstance(command, Affirm) for command in said):
        return said
    known = _known(conversation)
    return tuple(
        c
        for c in said
        if not (isinstance(c, SetSlot | CorrectSlot) and known.get(c.slot) == c.value is not None)
    )


def _known(conversation: Conversation) -> dict[str, Any]:
    facts = conversation.top.context.get("facts", {}) if conversation.top else {}
    return {**conversation.slots, **facts}


def _contradicted(said: tuple[Command, ...]) -> bool:
    """Whether something else in the sentence takes the yes back; a value that differs is a correction."""
    return any(isinstance(command, (*_AGAINST_A_YES, SetSlot)) for command in said)


def _may_say_yes(conversation: Conversation, newest: int | None) -> bool:
    top = conversation.top
    if top is None or top.phase not in LISTENING:
        return False
    if newest is not None and newest != conversation.prompt:
        return False
    return top.phase == "resume" or top.context.get("prompt") == conversation.prompt


def _listens(conversation: Conversation) -> bool:
    top = conversation.top
    return top is not None and top.phase in LISTENING


def _begins_something(said: tuple[Command, ...]) -> bool:
    return any(isinstance(command, StartFlow) for command in said)


def _was_given(conversation: Conversation, slot: str) -> bool:
    """At a read-back, a value given before may be put right by naming another."""
    top = conversation.top
    if top is None or top.phase not in {"confirm", "code"}:
        return False
    frames = list(conversation.stack)
    first = max((at for at, frame in enumerate(frames) if frame.kind != "call"), default=0)
    return any(slot in mark.slots for frame in frames[first:] for mark in frame.trail)
