"""The mistakes a house can make with people who do not behave, each put into the real one: what the watch must see.

A watch that sees nothing with one of these proves nothing about that mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from data.store import letters
from dialogues import guard, hearing, listening, repair
from dialogues.model import Frame
from dialogues.moment import LISTENING, Moment, say
from dialogues.questions import ask_again
from nlu.commands import CannotHandle

Patch = pytest.MonkeyPatch


def yes_to_an_older_question(patch: Patch) -> None:
    """A button of any read-back that was ever sent says yes to the one that is open."""
    patch.setattr(
        guard, "_may_say_yes", lambda talk, newest: talk.top is not None and talk.top.phase in LISTENING
    )
    patch.setattr(
        hearing,
        "_old_answer",
        lambda command, act, talk, waits_for: hearing._heard([command], talk, waits_for, talk.prompt),
    )


def cancel_ignored_at_a_code(patch: Patch) -> None:
    """不付 while the code is asked: the code is asked again, and the next one pays."""
    for name in ("_cancel", "_deny"):
        right = getattr(listening, name)
        patch.setattr(listening, name, lambda m, right=right: ask_again(m) if m.phase == "code" else right(m))


def every_delivery_is_new(patch: Patch) -> None:
    """What a channel delivers a second time is served a second time."""
    patch.setattr(letters, "first_seen", lambda tx, channel, event_id, person, at: True)


def the_same_question_for_ever(patch: Patch) -> None:
    """Whatever is not understood brings the same question in the same words."""

    def wrong(m: Moment, *_: Any, **__: Any) -> Moment:
        if m.phase in LISTENING:
            return ask_again(m)
        return say(m, "utter_not_understood_open", asks="open")

    patch.setattr(repair, "miss", wrong)


def no_person_at_a_code(patch: Patch) -> None:
    """人工 while a code is asked is taken for a wrong one."""
    right = listening.bring_human
    patch.setattr(
        listening,
        "bring_human",
        lambda m, reason: repair.miss(m) if m.phase == "code" else right(m, reason),
    )


def stop_leaves_what_lies_below(patch: Patch) -> None:
    """停 ends only what is on top."""
    right = listening.stop_everything

    def wrong(m: Moment) -> Moment:
        below: tuple[Frame, ...] = m.talk.stack[:-1]
        after = right(m)
        return replace(after, talk=replace(after.talk, stack=below)) if below else after

    patch.setattr(listening, "stop_everything", wrong)


def two_voices_at_once(patch: Patch) -> None:
    """Old buttons are explained while a person of ours has the word."""
    patch.setattr(hearing, "_quiet", lambda heard, talk: heard)


def whatever_is_said_is_kept(patch: Patch) -> None:
    """The log of talks keeps words as they were said."""
    from dialogues import conversations

    patch.setattr(conversations, "masked", lambda text: text)


def deaf_to_nonsense(patch: Patch) -> None:
    """What nobody understands is not answered at all."""
    right = listening.obey

    def wrong(m: Moment, command: Any, said: Any) -> Moment:
        return m if isinstance(command, CannotHandle) else right(m, command, said)

    patch.setattr(listening, "obey", wrong)


Mistake = Callable[[Patch], None]
# Each with the temper that runs into it soonest, and words of what the watch says then.
MISTAKES: Mapping[Mistake, tuple[str, str]] = {
    yes_to_an_older_question: ("confused", "said yes to no open read-back|on a yes to"),
    cancel_ignored_at_a_code: ("angry", "said yes to no open read-back"),
    every_delivery_is_new: ("careless", "a second time|said yes to no open read-back"),
    the_same_question_for_ever: ("angry", "the same three times|three times in a row"),
    no_person_at_a_code: ("careless", "nobody was asked to come"),
    stop_leaves_what_lies_below: ("careless", "left under way"),
    two_voices_at_once: ("angry", "talks with a person of ours"),
    whatever_is_said_is_kept: ("confused", "something private was kept"),
    deaf_to_nonsense: ("careless", "was not answered"),
}


__all__ = ["MISTAKES", "Mistake"]
