"""Who may fill a slot: what the mappings of the domain make of people's words, of an intent, and of a pressed button.

Understanding proposes commands; here values are added that a mapping draws from them, and values are taken away that no
word of a person may set. A person, a stop and every other wish go before a text that would merely fill a slot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dialogues import payloads
from dialogues.model import Conversation, Filling, Release, Slot
from dialogues.slots import from_choice, usable
from nlu.commands import (
    Affirm,
    Bigger,
    CancelFlow,
    CannotHandle,
    Choose,
    Command,
    CorrectSlot,
    Deny,
    DoubtfulDigits,
    Human,
    Repeat,
    Resume,
    SetSlot,
    Skip,
    StartFlow,
    Stop,
)

_OWN_INTENTS: Mapping[str, Command] = {"affirm": Affirm("button"), "deny": Deny()}
_OWN_WORDS: Mapping[str, Command] = {
    "/affirm": Affirm("button"),
    "/deny": Deny(),
    "/human": Human(),
    "/stop": Stop(),
    "/repeat": Repeat(),
    "/skip": Skip(),
    "/resume": Resume(),
    "/cancel": CancelFlow(),
    "/bigger": Bigger(),
}
# A text that was understood as one of these is free to fill a slot that takes any text.
_NOT_UNDERSTOOD = frozenset({"not_understood", "not_expected", "unreadable", "not_offered"})


def intents(release: Release) -> frozenset[str]:
    """Every intent that does something: begins a flow, fills a slot, or is a yes or a no."""
    found = {intent for flow in release.flows.values() for intent in flow.intents} | _OWN_INTENTS.keys()
    for slot in release.slots.values():
        for filling in slot.fillings:
            found.update(filling.intents)
    return frozenset(found)


def applied(
    release: Release, talk: Conversation, asked: str | None, commands: Sequence[Command], text: str
) -> list[Command]:
    """The commands of some words, with what mappings add and without what they forbid. Empty when nothing is left.

    `asked` is the slot being asked for; `text` what was said, "" where there were no words.
    """
    heard = _intents_of(release, commands)
    kept = [one for command in commands if (one := _permitted(release, command)) is not None]
    slot = release.slots.get(asked or "")
    if slot is None or any(isinstance(c, SetSlot) and c.slot == slot.name for c in kept):
        return _with_trigger_values(release, kept)
    if (answer := _drawn(release, talk, slot, heard, kept, text)) is not None:
        kept = [c for c in kept if not isinstance(c, CannotHandle | Affirm | Deny | StartFlow)]
        return [SetSlot(slot.name, answer), *kept]
    return _with_trigger_values(release, kept)


def pressed(release: Release, talk: Conversation, asked: str | None, payload: str) -> list[Command] | None:
    """The commands of a button's payload; None when it is plain text, as if typed."""
    meant = payloads.read(payload)
    match meant:
        case None:
            return None
        case payloads.Choice(value):
            return [Choose(value)]
        case payloads.Own(word):
            return [_OWN_WORDS[word]]
        case payloads.SetSlots(values):
            return list(_set(release, values)) or [CannotHandle("not_expected")]
        case payloads.Intent():
            return _of_intent(release, talk, asked, meant)


# --- buttons ------------------------------------------------------------------------------------------------------


def _set(release: Release, values: Mapping[str, str | None]) -> Iterator[Command]:
    """Values a button brings; a button is written by us, so it may fill a controlled slot too."""
    for name, written in values.items():
        slot = release.slots.get(name)
        value = None if slot is None or written is None else from_choice(slot, written)
        if slot is not None and usable(slot, value):
            yield SetSlot(name, value)


def _of_intent(
    release: Release, talk: Conversation, asked: str | None, meant: payloads.Intent
) -> list[Command]:
    given = dict(_from_entities(release, talk, meant))
    flow = next((flow.id for flow in release.flows.values() if meant.name in flow.intents), None)
    if flow is not None:
        return _with_trigger_values(release, [StartFlow(flow, given)])
    slot = release.slots.get(asked or "")
    own = _OWN_INTENTS.get(meant.name)
    if slot is not None and slot.name not in given:
        answer = _drawn(release, talk, slot, frozenset({meant.name}), [], "")
        given |= {} if answer is None else {slot.name: answer}
    if given:
        return [SetSlot(name, value) for name, value in given.items()]
    return [own or CannotHandle("not_expected")]


def _from_entities(release: Release, talk: Conversation, meant: payloads.Intent) -> Iterator[tuple[str, Any]]:
    """Slots filled by the entities of an intent. An entity is a value, or {value, role, group}."""
    for slot in release.slots.values():
        for filling in slot.fillings:
            if filling.kind != "from_entity" or not _counts(filling, talk, frozenset({meant.name})):
                continue
            name, role, group = filling.entity
            one = meant.entities.get(name)
            one = one if isinstance(one, Mapping) else {"value": one}
            value = _typed(slot, one.get("value"))
            if (role in ("", one.get("role")) and group in ("", one.get("group"))) and usable(slot, value):
                yield slot.name, value


# --- words --------------------------------------------------------------------------------------------------------


def _permitted(release: Release, command: Command) -> Command | None:
    """The command without values that people may not set by words."""
    match command:
        case SetSlot(slot, _) | CorrectSlot(slot, _) | DoubtfulDigits(slot, _, _):
            return None if _controlled(release, slot) else command
        case StartFlow(flow, given):
            open_to_words = {name: value for name, value in given.items() if not _controlled(release, name)}
            return StartFlow(flow, open_to_words)
    return command


def _controlled(release: Release, name: str) -> bool:
    slot = release.slots.get(name)
    return slot is not None and {f.kind for f in slot.fillings} == {"controlled"}


def _intents_of(release: Release, commands: Sequence[Command]) -> frozenset[str]:
    """What was heard, in the words of the domain."""
    begun = {c.flow for c in commands if isinstance(c, StartFlow)}
    found = {intent for name in begun if name in release.flows for intent in release.flows[name].intents}
    found |= {"affirm"} if any(isinstance(c, Affirm) for c in commands) else set()
    return frozenset(found | ({"deny"} if any(isinstance(c, Deny) for c in commands) else set()))


def _drawn(
    release: Release,
    talk: Conversation,
    slot: Slot,
    heard: frozenset[str],
    commands: Sequence[Command],
    text: str,
) -> Any:
    """The value that a mapping draws for the slot being asked for; None when none does."""
    for filling in slot.fillings:
        if not _counts(filling, talk, heard):
            continue
        if filling.kind == "from_intent" and heard and (not filling.intents or heard & set(filling.intents)):
            return filling.value
        if filling.kind == "from_text" and text.strip() and _free(commands):
            value = _typed(slot, text.strip())
            return value if usable(slot, value) else None
    return None


def _free(commands: Sequence[Command]) -> bool:
    """Whether nothing else was understood."""
    return all(isinstance(c, CannotHandle) and c.reason in _NOT_UNDERSTOOD for c in commands)


def _with_trigger_values(release: Release, commands: list[Command]) -> list[Command]:
    """Values that come with the intent which begins a flow; what was said outweighs them."""
    return [_begun_with_values(release, c) if isinstance(c, StartFlow) else c for c in commands]


def _begun_with_values(release: Release, command: StartFlow) -> StartFlow:
    flow = release.flows.get(command.flow)
    heard = frozenset(flow.intents if flow else ())
    drawn = {
        slot.name: filling.value
        for slot in release.slots.values()
        for filling in slot.fillings
        if filling.kind == "from_trigger_intent"
        and heard
        and (not filling.intents or heard & set(filling.intents))
        and not heard & set(filling.not_intents)
        and usable(slot, filling.value)
    }
    return StartFlow(command.flow, {**drawn, **command.slots}) if drawn else command


def _counts(filling: Filling, talk: Conversation, heard: frozenset[str]) -> bool:
    """Whether a mapping's own conditions hold: the intent, and the flow on top with those that called it."""
    if filling.intents and not heard & set(filling.intents):
        return False
    if heard & set(filling.not_intents):
        return False
    return not filling.flows or bool(set(filling.flows) & _on_top(talk))


def _on_top(talk: Conversation) -> set[str]:
    found = set()
    for frame in reversed(talk.stack):
        found.add(frame.flow)
        if frame.kind != "call":
            break
    return found


def _typed(slot: Slot, value: Any) -> Any:
    """A value as written in a file or said as text, in the type of its slot."""
    return from_choice(slot, value) if isinstance(value, str) else value
