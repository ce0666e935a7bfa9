"""When two moments of talks are one state: the abstraction of the walk, and why nothing is lost by it.

A state keeps what decides how a talk goes on: which steps the pieces of business stand at and in which phase, the misses, the
strength of an act that waits for its yes, how often a question was asked before, and of the slots what is still read of them
(`reading`): what the conditions say that are still to come, and whether what has to be there is there. It leaves out

- numbers that only name things (turn, prompt, calls, acts): the engine compares them for equality and nothing else;
- the values themselves: the engine hands them on unread, a condition is true or not, and a sentence needs only that they are
  there;
- what nobody reads any more on any way from the step, and the trail: both count only for a correction, which `promises`
  tries at each question for each value given, along the shortest way of coming there;
- what was said before, and the counters of 再说一遍 and its like: `promises` drives each of those to its end at each question,
  one reason at a time, since the engine counts each reason by itself. What is not understood is walked to its end once for
  each place, by the shortest way of coming there; between two misses the answers do what they did before.

Of two pieces of business nothing of the lower one is read before it comes up again. So each place of a business meets the
shortest wish, the shortest news and a person on top of it, and comes up again with all it holds; and where every flow is walked on top of
another one, only the phase of what lies below counts (`whole` is False).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from dialogues import predicate
from dialogues.exploring.reading import ASKED, OUTCOME, ROUND, Live, Reading
from dialogues.model import Conversation, Frame
from dialogues.questions import offered

_MOST_ROUNDS = 4
_KEPT = ("act", "strength", "lasting", "collected", "doubt", "called_off")


def of(reading: Reading, talk: Conversation, *, whole: bool = True) -> Hashable:
    """The state of a talk: equal for two that can only go on alike. Not `whole`: of what lies below only the phase."""
    business: list[list[Frame]] = []
    for frame in talk.stack:
        if frame.kind == "call" and business:
            business[-1].append(frame)
        else:
            business.append([frame])
    told = () if talk.stack else tuple(sorted(offered(reading.release, talk)))
    lower = [
        _business(reading, talk, frames, top=False) if whole else frames[-1].phase for frames in business[:-1]
    ]
    stack = (*lower, *(_business(reading, talk, frames, top=True) for frames in business[-1:]))
    return stack, told, talk.mode, tuple(map(repr, talk.pending_wishes)), talk.misses


def _business(reading: Reading, talk: Conversation, frames: list[Frame], *, top: bool) -> Hashable:
    held: Mapping[str, Any] = talk.slots
    if not top:
        held = next((f.context["shelf"] for f in reversed(frames) if "shelf" in f.context), {})
    chain = tuple((frame.flow, frame.step) for frame in frames)
    known = {**reading.initial, **held}
    values = tuple(_said_of(one, known) for one in reading.live_along(chain))
    return tuple(_frame(reading, talk, frame) for frame in frames), values


def _said_of(one: Live, values: Mapping[str, Any]) -> Hashable:
    """Whether a value is there, or what a condition says of it."""
    if isinstance(one, str):
        return values.get(one) is not None
    try:
        return predicate.holds(predicate.Predicate("", one), predicate.Scope(values, {}, {}))
    except predicate.PredicateError:
        return None


def _frame(reading: Reading, talk: Conversation, frame: Frame) -> Hashable:
    live = reading.live_at(frame.flow, frame.step)
    context = frame.context
    kept: dict[str, Any] = {name: _small(context[name]) for name in _KEPT if name in context}
    if OUTCOME in live and "outcome" in context:
        kept["outcome"] = context["outcome"]
    if "answer" in context:
        kept["answer"] = context["answer"][0]
    kept["newest"] = context.get("prompt") == talk.prompt
    kept["rounds"] = _rounds(context.get("rounds", {}), live)
    kept["asked"] = tuple(sorted(step for step in context.get("asked", ()) if ASKED + step in live))
    return frame.flow, frame.step, frame.kind, frame.phase, frame.misses, tuple(sorted(kept.items(), key=str))


def _small(value: Any) -> Any:
    """A number or a word as it is; of an act, of digits and of doubts only that they are there."""
    return value if value in ("key", "code", "approval") or isinstance(value, int) else True


def _rounds(rounds: Mapping[str, int], live: frozenset[Live]) -> Hashable:
    """The question that came back most often, once it came back. The engine counts each by itself, so one at a time will do."""
    back = [
        (min(count, _MOST_ROUNDS), question)
        for question, count in rounds.items()
        if count > 1 and ROUND + question.split(":", 1)[0] in live
    ]
    return max(back, default=None)
