"""An account number said aloud, a few digits at a time: kept, read back in groups, and only a doubtful digit asked again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dialogues.model import Call, Step
from dialogues.moment import Moment, emit, next_id, with_context, with_top, without_context
from dialogues.questions import AGAIN_COUNTS, ask_again
from nlu.commands import Doubt

NOTED = "action_note_digit_doubt"
_OF_DIGITS = ("collected", "doubt", "doubt_values")
_SPOKEN = {str(n): word for n, word in enumerate("零一二三四五六七八九")} | {"10": "十"}
_MOST_DOUBTS = 3  # more places than that are keyed in anew sooner than asked about one by one


def in_parts(step: Step) -> bool:
    """Whether a collect takes its digits in several utterances."""
    return bool(step.metadata.get("parts"))


def length_of(step: Step) -> tuple[int, int] | None:
    """Fewest and most digits of an answer; None when the question is not about digits."""
    keys = step.metadata.get("dtmf")
    return (int(keys.get("min", 1)), int(keys.get("max", 20))) if isinstance(keys, Mapping) else None


def goes_on(m: Moment, step: Step, value: Any) -> bool:
    """Whether more digits must follow. `dtmf.lengths` names the lengths numbers really have (10 and 16)."""
    bounds = length_of(step)
    if not (in_parts(step) and bounds and isinstance(value, str) and value.isdecimal()):
        return False
    lengths = step.metadata["dtmf"].get("lengths")
    if lengths and m.facts.spoken:
        return len(value) not in lengths and len(value) < max(lengths)
    return m.facts.spoken and len(value) < bounds[0]


def take_part(m: Moment, digits: str) -> Moment | None:
    """Keeps the digits so far and waits for the rest. None when nothing new was said."""
    if digits == m.top.context.get("collected"):
        return None
    m = without_context(m, "doubt", "doubt_values", AGAIN_COUNTS)
    return ask_again(with_top(with_context(m, collected=digits), misses=0))


def finished(m: Moment) -> Moment:
    """Forgets the parts once the number is whole."""
    return without_context(m, *_OF_DIGITS)


def take_doubts(m: Moment, digits: str, doubts: Sequence[Doubt]) -> Moment | None:
    """Asks about the first doubtful place. None when there is too much doubt, it is the same again, or makes no sense."""
    places = [(doubt.position, tuple(doubt.candidates)) for doubt in doubts]
    sane = all(
        0 <= place < len(digits) and digits[place] == "?" and 2 <= len(choices) <= 3
        for place, choices in places
    )
    same_again = m.top.context.get("doubt", {}).get("digits") == digits
    if same_again or not places or not sane or len(places) > _MOST_DOUBTS or digits.count("?") != len(places):
        return None
    return ask_again(with_top(_doubting(m, digits, places), misses=0))


def resolve(m: Moment, chosen: str) -> tuple[Moment, str] | None:
    """The doubtful digit was named: the digits known now ("?" where a doubt is left). None when it was none of them."""
    doubt = m.top.context.get("doubt")
    if not doubt or chosen not in doubt["places"][0][1]:
        return None
    (place, _), *later = doubt["places"]
    digits = doubt["digits"][:place] + chosen + doubt["digits"][place + 1 :]
    shift = len(chosen) - 1
    m = _note(m)
    if later:
        return ask_again(_doubting(m, digits, [(p + shift, tuple(c)) for p, c in later])), ""
    return without_context(m, "doubt", "doubt_values"), digits


def doubt_choices(context: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What the doubtful digit may be: value -> the words and keys that mean it."""
    doubt = context.get("doubt")
    if not doubt:
        return {}
    return {
        str(c): tuple(dict.fromkeys((str(c), _SPOKEN.get(str(c), str(c))))) for c in doubt["places"][0][1]
    }


def _doubting(m: Moment, digits: str, places: Sequence[tuple[int, tuple[str, ...]]]) -> Moment:
    place, choices = places[0]
    words = [_word(m, choice) for choice in choices]
    values = {
        "position": place + 1,
        "first": words[0],
        "second": words[1],
        "before": digits[place - 1] if place else "",
    }
    kept = {"digits": digits, "places": [[p, list(c)] for p, c in places]}
    return with_context(m, doubt=kept, doubt_values=values)


def _word(m: Moment, choice: str) -> str:
    return choice if m.talk.preferences.locale == "en" else _SPOKEN.get(choice, choice)


def _note(m: Moment) -> Moment:
    """Leaves a line in the audit that a digit was asked about. Nobody waits for the answer."""
    spec = m.release.actions.get(NOTED)
    if spec is None:
        return m
    return emit(
        m, Call(next_id(m), NOTED, {"context": {"flow": m.top.flow}}, spec.outside, spec.deadline_seconds)
    )
