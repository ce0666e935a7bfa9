"""Several hearings of one sentence, as a recogniser gives them: where they agree we are surer, where they differ we ask."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from nlu.commands import (
    Affirm,
    Bigger,
    CancelFlow,
    CannotHandle,
    Code,
    Command,
    CorrectSlot,
    Deny,
    Expectation,
    Explain,
    Greet,
    Human,
    Repeat,
    SetSlot,
    StartFlow,
    Stop,
    Utterance,
)
from nlu.engine import Engine, Parse
from nlu.engines import ahead
from nlu.text import fold

HEARD_TWO_WAYS = CannotHandle("heard_two_ways")
_MOST = 4  # a recogniser's fifth hearing is noise
_WEIGHT = 0.5  # of another hearing, beside 1 of the first
_LEAST = 1e-6  # nothing is impossible: a hearing may only make it unlikely
_NOT_UNDERSTOOD = frozenset({"not_understood", "out_of_scope"})
# What another hearing may say in the place of a first one that said nothing: none of it pays, agrees or holds a value.
_HARMLESS = (Human, Stop, CancelFlow, Deny, Repeat, Bigger, Explain, Greet, StartFlow)
_AGAINST_A_YES = (Deny, CancelFlow, Stop, Human, CorrectSlot, SetSlot, Repeat)


def others(utterance: Utterance) -> tuple[str, ...]:
    """The other hearings that say something else, folded, best first."""
    first = fold(utterance.text)
    found = dict.fromkeys(fold(text) for text in utterance.nbest)
    return tuple(text for text in found if text and text != first)[:_MOST]


def opinion(engine: Engine, text: str, besides: Sequence[str], locale: str) -> Parse:
    """What an engine thinks of a sentence that was heard in several ways; one elsewhere is asked about the first alone."""
    first = engine.parse(text, locale)
    return pooled(first, ahead.alone(lambda: [engine.parse(other, locale) for other in besides]))


def pooled(first: Parse, besides: Sequence[Parse]) -> Parse:
    """One opinion of several: what all of them name grows likelier, what one of them denies grows unlikelier.

    The sentence is ours when a hearing that names the likeliest wish by itself thinks so.
    """
    if not besides or not first.ranking:
        return first
    logs = {intent: math.log(max(p, _LEAST)) for intent, p in first.ranking}
    for parse in besides:
        said = dict(parse.ranking)
        for intent in logs:
            logs[intent] += _WEIGHT * math.log(max(said.get(intent, 0.0), _LEAST))
    highest = max(logs.values())
    raised = {intent: math.exp(log - highest) for intent, log in logs.items()}
    total = sum(raised.values())
    ranking = tuple(sorted(((intent, p / total) for intent, p in raised.items()), key=lambda pair: -pair[1]))
    alike = [parse for parse in (first, *besides) if parse.best == ranking[0][0]]
    agreed = len(alike) == len(besides) + 1
    score = max(parse.score for parse in alike) if agreed else _mean([first, *besides])
    return Parse(ranking, score, any(parse.in_scope for parse in alike))


def _mean(parses: Sequence[Parse]) -> float:
    return sum(parse.score for parse in parses) / len(parses)


def settled(
    commands: Sequence[Command], besides: Sequence[Sequence[Command]], expectation: Expectation
) -> list[Command]:
    """The commands of the first hearing as far as the others let them stand.

    A yes beside a no, an end or another value is none; an amount or a code heard in two ways is asked again; a value of a
    new piece of business that was heard in two ways is left out, so that its flow asks for it. A first hearing that said
    nothing gives way to one that says something harmless.
    """
    said = [command for other in besides for command in other]
    if all(isinstance(c, CannotHandle) and c.reason in _NOT_UNDERSTOOD for c in commands):
        instead = next((other for other in besides if _is_harmless(other)), commands)
        return [_without_figures(command) for command in instead]
    if any(isinstance(c, Affirm) for c in commands) and any(isinstance(c, _AGAINST_A_YES) for c in said):
        return [HEARD_TWO_WAYS]
    if any(_otherwise(command, said) for command in commands):
        return [CannotHandle("code_not_heard") if expectation.asks == "code" else HEARD_TWO_WAYS]
    return [_without_doubt(command, said) for command in commands]


def _is_harmless(commands: Sequence[Command]) -> bool:
    return bool(commands) and all(isinstance(command, _HARMLESS) for command in commands)


def _without_figures(command: Command) -> Command:
    """A wish only another hearing held begins without its sums and numbers: they are asked for."""
    if not isinstance(command, StartFlow):
        return command
    plain = {slot: value for slot, value in command.slots.items() if not re.search("[0-9]", str(value))}
    return StartFlow(command.flow, plain)


def _otherwise(command: Command, said: Sequence[Command]) -> bool:
    """Whether another hearing has another amount or another code in this command's place."""
    match command:
        case Code(digits):
            return any(isinstance(c, Code) and c.digits != digits for c in said)
        case SetSlot(slot, int(value)) | CorrectSlot(slot, int(value)):
            return any(
                isinstance(c, SetSlot | CorrectSlot)
                and c.slot == slot
                and isinstance(c.value, int)
                and c.value != value
                for c in said
            )
    return False


def _without_doubt(command: Command, said: Sequence[Command]) -> Command:
    """A new piece of business with the values that no other hearing of it tells otherwise."""
    if not isinstance(command, StartFlow) or not command.slots:
        return command
    told = [c.slots for c in said if isinstance(c, StartFlow) and c.flow == command.flow]
    kept = {
        slot: value
        for slot, value in command.slots.items()
        if all(other.get(slot, value) == value for other in told)
    }
    return StartFlow(command.flow, kept)
