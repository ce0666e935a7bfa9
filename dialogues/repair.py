"""Putting a talk right without losing it: not understood, silence, repeat, larger, why, a card number, hello and good-bye.

A question is never asked the same way three times: once more in other words, then by keys or buttons, then a person (L10).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dialogues.business import bring_human, call_flow
from dialogues.commit import is_commit
from dialogues.model import EndTalk, SetPreference, Step
from dialogues.moment import (
    LISTENING,
    SENT,
    Moment,
    ask,
    business_name,
    emit,
    exists,
    flow_name,
    say,
    step_of,
    with_context,
    with_talk,
    with_top,
)
from dialogues.questions import AGAIN, KEYS, SHORT, ask_again, ask_or_open, question

PATIENCE = 3  # misses or silences at one question before a person is fetched
_SLOWEST, _SLOWER = 0.55, 0.15  # speech rate: as slow as it gets, and one step of it
_LOUDEST, _LOUDER = 1.6, 0.2


# --- not understood ----------------------------------------------------------------------------------------------


def miss(m: Moment, opening: str = "", extra: dict[str, Any] | None = None) -> Moment:
    """Nothing usable was said. `opening` is said first, when there are words for it."""
    if m.phase in SENT:
        return already_sent(m)
    if m.phase == "open":
        return _miss_open(m, opening)
    if m.phase not in LISTENING:
        return say(m, "utter_working")
    misses = m.top.misses + 1
    if misses >= PATIENCE:
        return bring_human(m, "misses")
    m = with_top(m, misses=misses)
    if opening and exists(m, opening):
        m = say(m, opening, extra)
        return ask_again(m, KEYS if misses > 1 else "")
    if misses > 1:
        return ask_again(m, KEYS)
    if exists(m, question(m).response + AGAIN):
        return ask_again(m, AGAIN)
    return ask_again(say(m, "utter_not_understood"))


def _miss_open(m: Moment, opening: str) -> Moment:
    misses = m.talk.misses + 1
    if misses >= PATIENCE:
        return bring_human(with_talk(m, misses=0), "misses")
    m = with_talk(m, misses=misses)
    if misses > 1:
        return say(m, "utter_not_understood_open_keys", asks="open")
    response = opening if opening and exists(m, opening) else "utter_not_understood_open"
    return say(m, response, asks="open")


def already_sent(m: Moment) -> Moment:
    """Nothing can be put right any more; asked for it again and again, a person comes."""
    misses = m.top.misses + 1
    if misses >= PATIENCE:
        return bring_human(with_top(m, misses=0), "already_sent")
    m = with_top(m, misses=misses)
    again = "utter_already_sent_again"
    return say(m, again if misses > 1 and exists(m, again) else "utter_already_sent")


def refuse(m: Moment, kind: str) -> Moment:
    """Something we never take. The question follows, in another way when it goes on."""
    response = f"utter_refuse_{kind}"
    return miss(m, response if exists(m, response) else "utter_not_understood")


def nothing_to(m: Moment, response: str) -> Moment:
    """There is nothing to cancel, correct, skip or explain here: said, and the question again."""
    return ask_or_open(say(m, response))


# --- silence -----------------------------------------------------------------------------------------------------


def silence(m: Moment) -> Moment:
    """The telephone is quiet: comfort, then keys, then a person. A chat never times anybody out (settled 7)."""
    if not m.facts.spoken:
        return m
    silences = m.talk.silences + 1
    if silences >= PATIENCE:
        return bring_human(m, "silence")
    m = with_talk(m, silences=silences)
    if m.phase == "open":
        return _silence_open(m, silences)
    if m.phase not in LISTENING:
        return say(m, "utter_working")
    return ask_again(say(m, "utter_silence_comfort")) if silences == 1 else ask_again(m, KEYS)


def _silence_open(m: Moment, silences: int) -> Moment:
    if silences == 1:
        return say(m, "utter_silence_comfort", asks="open")
    return say(m, "utter_silence_keys", asks="choice")


# --- repeat, slower, louder, larger ------------------------------------------------------------------------------


def repeat(m: Moment, slower: bool, louder: bool) -> Moment:
    """The same facts again; slower with fewer words where there are such. A question gets a new number."""
    m = _keep_pace(m, slower, louder) if slower or louder else m
    told = m.talk.last_said
    if not told:
        return (
            ask_again(m)
            if m.phase in LISTENING
            else say(m, "utter_greet" if m.phase == "open" else "utter_working")
        )
    was_newest = m.phase in LISTENING and m.top.context.get("prompt") == m.talk.prompt
    for one in told:
        m = say(m, one.response, one.values, asks=one.asks, slower=slower)
    if all(one.asks is None for one in told):
        return ask_or_open(m)
    return with_context(m, prompt=m.talk.prompt) if was_newest else m


def _keep_pace(m: Moment, slower: bool, louder: bool) -> Moment:
    likes = m.talk.preferences
    rate = max(_SLOWEST, round(likes.rate - _SLOWER, 2)) if slower else likes.rate
    volume = min(_LOUDEST, round(likes.volume + _LOUDER, 2)) if louder else likes.volume
    likes = replace(likes, rate=rate, volume=volume)
    return emit(with_talk(m, preferences=likes), SetPreference(likes))


def bigger(m: Moment) -> Moment:
    """字太小: large print from now on, and the question once more in it."""
    likes = replace(m.talk.preferences, large=True)
    m = emit(with_talk(m, preferences=likes), SetPreference(likes))
    return ask_or_open(say(m, "utter_bigger"))


# --- why and how -------------------------------------------------------------------------------------------------


def explain(m: Moment, topic: str) -> Moment:
    """Why this is asked, or how it is found; then the question again, at a read-back in short."""
    if m.phase == "open":
        return _miss_open(m, "utter_no_explanation")
    if m.phase not in LISTENING or m.phase == "resume":
        return nothing_to(m, "utter_no_explanation")
    step = step_of(m, m.top)
    written = step.metadata.get("explain", {})
    target = written.get(topic) or written.get("why" if topic == "how" else "how")
    if m.phase == "code":
        target = "utter_explain_code" if exists(m, "utter_explain_code") else None
    if isinstance(target, dict):
        return call_flow(m, str(target.get("flow", "")))
    if not target:
        return miss(m, "utter_no_explanation")
    return _explained(m, step, str(target))


def _explained(m: Moment, step: Step, target: str) -> Moment:
    """The explanation and the question; asked for a third time at the same question, a person explains (L10)."""
    explained = dict(m.top.context.get("explained", {}))
    times = explained[step.id] = explained.get(step.id, 0) + 1
    if times >= PATIENCE:
        return bring_human(m, "misses")
    m = say(with_context(m, explained=explained), target)
    return ask_again(m, SHORT if is_commit(step) else KEYS if times > 1 else "")


def clarify(m: Moment, flows: tuple[str, ...]) -> Moment:
    """Several readings are as good: which of these?"""
    known = [name for name in dict.fromkeys(flows) if name in m.release.flows][:PATIENCE]
    if not known:
        return miss(m)
    names = [flow_name(m, name) for name in known]
    choices = {
        name: [words, str(key)] for key, (name, words) in enumerate(zip(known, names, strict=True), start=1)
    }
    comma = ", " if m.talk.preferences.locale == "en" else "、"
    return say(m, "utter_which_flow", {"choices": choices, "flow_names": comma.join(names)}, asks="choice")


# --- hello and good-bye ------------------------------------------------------------------------------------------


def greet(m: Moment) -> Moment:
    """您好: a greeting, and the open question; a read-back is made anew, for days may have passed."""
    m = say(m, "utter_greet")
    if m.phase in {"confirm", "code"}:
        return with_top(m, phase="run")
    return ask_or_open(m)


def bye(m: Moment) -> Moment:
    """再见. What is unfinished is named and kept; a payment on its way goes on."""
    if m.phase == "open":
        m = say(m, "utter_bye")
    elif m.phase in SENT:
        m = say(m, "utter_bye_sent" if exists(m, "utter_bye_sent") else "utter_already_sent")
    else:
        pending = "utter_bye_pending" if exists(m, "utter_bye_pending") else "utter_bye"
        m = say(m, pending, {"flow_name": business_name(m)})
    if m.phase in LISTENING:
        m = with_top(
            m, phase="resume", misses=0
        )  # no later yes answers the question asked before the good-bye
    return emit(m, EndTalk())


def press_key(m: Moment) -> Moment:
    """A word that is no yes on the telephone: which key is; then the keys alone; then a person."""
    misses = m.top.misses + 1
    if misses >= PATIENCE:
        return bring_human(m, "misses")
    m = with_top(m, misses=misses)
    return ask(m, "utter_press_key", "confirm") if misses == 1 else ask_again(m, KEYS)


def ask_code_again(m: Moment, tries_left: Any) -> Moment:
    """The PIN or code was wrong: how many tries are left, then by keys, then a person."""
    misses = m.top.misses + 1
    if misses >= PATIENCE:
        return bring_human(m, "misses")
    m = with_top(m, misses=misses)
    left = {"tries_left": tries_left}
    if misses == 1:
        return ask(m, "utter_code_wrong", "code", left)
    return ask_again(say(m, "utter_code_wrong", left), KEYS)
