"""Putting a talk right without losing it: not understood, silence, repeat, larger, why, a card number, hello and good-bye.

A question is never asked the same way three times: once more in other words, then by keys or buttons, then a person (L10).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dialogues import digit_entry
from dialogues.business import bring_human, call_flow, set_aside
from dialogues.commit import is_commit
from dialogues.model import EndTalk, SetPreference
from dialogues.moment import (
    LISTENING,
    SENT,
    Moment,
    Noted,
    ask,
    business_name,
    emit,
    exists,
    flow_name,
    note,
    say,
    step_of,
    with_context,
    with_talk,
    with_top,
)
from dialogues.questions import AGAIN, KEYS, SHORT, ask_again, ask_or_open, counted_again, question

PATIENCE = 3  # misses or silences at one question before a person is fetched
_SLOWEST, _SLOWER = 0.55, 0.15  # speech rate: as slow as it gets, and one step of it
_LOUDEST, _LOUDER = 1.6, 0.2


# --- not understood ----------------------------------------------------------------------------------------------


def miss(m: Moment, opening: str = "", extra: dict[str, Any] | None = None, form: str = "") -> Moment:
    """Nothing usable was said. `opening` is said first, when there are words for it; `form` is how the question follows."""
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
        return ask_again(m, KEYS if misses > 1 else form)
    if misses > 1:
        return ask_again(m, KEYS)
    if exists(m, question(m).response + AGAIN):
        return ask_again(m, AGAIN)
    return ask_again(say(m, "utter_not_understood"))


def refused(m: Moment, opening: str, told: dict[str, Any], refill: str = "") -> Moment:
    """A value that may not be (`told`): why, and the question again; the first time as `refill` asks it, if written."""
    if not refill or not exists(m, refill) or m.top.misses > 0 or not exists(m, opening):
        return miss(m, opening, told)
    asked = question(m)
    return ask(say(with_top(m, misses=1), opening, told), refill, asked.asks, asked.values)


def _miss_open(m: Moment, opening: str) -> Moment:
    misses = m.talk.misses + 1
    if misses >= PATIENCE:
        return bring_human(with_talk(m, misses=0), "misses")
    m = with_talk(m, misses=misses)
    if misses > 1 and opening and exists(m, opening + AGAIN):
        return say(m, opening + AGAIN, asks="choice")
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


def what_is_wrong(m: Moment) -> Moment:
    """不对 alone at a read-back gives nothing up: which part is wrong? The read-back stays open, in short."""
    return miss(m, "utter_what_is_wrong", form=SHORT)


def refuse(m: Moment, kind: str) -> Moment:
    """Something we never take. The question follows, in another way when it goes on; parts of a card are forgotten."""
    if kind == "card_number" and m.phase == "ask":
        m = digit_entry.finished(m)
    response = f"utter_refuse_{kind}"
    return miss(m, response if exists(m, response) else "utter_not_understood")


def nothing_to(m: Moment, response: str) -> Moment:
    """There is nothing to cancel, correct, skip or explain here: said, and the question again."""
    return once_more(m, response, response) if m.phase in LISTENING else say(m, response)


def once_more(m: Moment, kind: str, *first: str, form: str = "") -> Moment:
    """The question again, for a reason that is no miss: as it was, the next time by keys, then a person (L10).

    `kind` names the reason; each is counted by itself until the question is answered. `first` is said before it.
    """
    m, times = counted_again(m, kind)
    if times >= PATIENCE:
        return bring_human(m, "misses")
    for response in first:
        m = say(m, response)
    return ask_again(m, form if times == 1 else KEYS)


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
    """The same facts again; slower with fewer words where there are such. A question gets a new number.

    What is told of a result may be heard as often as one likes, and so may a question that comes slower or louder than
    before; a question that would only come again comes by keys, and then a person does.
    """
    pace = m.talk.preferences
    m = _keep_pace(m, slower, louder) if slower or louder else m
    if m.phase in LISTENING and m.talk.preferences == pace:
        m, times = counted_again(m, "repeat")
        if times >= PATIENCE:
            return bring_human(m, "misses")
        if times > 1 and exists(m, question(m).response + KEYS):
            return ask_again(m, KEYS)
    return _told_again(m, slower)


def _told_again(m: Moment, slower: bool) -> Moment:
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
    was_large = m.talk.preferences.large
    likes = replace(m.talk.preferences, large=True)
    m = emit(with_talk(m, preferences=likes), SetPreference(likes))
    if was_large:
        return nothing_to(m, "utter_bigger")
    return ask_or_open(say(m, "utter_bigger"))


# --- why and how -------------------------------------------------------------------------------------------------


def explain(m: Moment, topic: str) -> Moment:
    """Why this is asked, or how it is found; then the question again, at a read-back in short."""
    if exists(m, f"utter_about_{topic}"):
        return _asked_in_passing(m, topic)
    if m.phase == "open":
        return _miss_open(m, "utter_no_explanation")
    if m.phase not in LISTENING:
        return nothing_to(m, "utter_no_explanation")
    step = step_of(m, m.top)
    written = step.metadata.get("explain", {})
    target = written.get(topic) or written.get("why" if topic == "how" else "how")
    if m.phase == "code":
        target = "utter_explain_code" if exists(m, "utter_explain_code") else None
    if isinstance(target, dict):
        m, times = counted_again(m, "explain")
        return bring_human(m, "misses") if times >= PATIENCE else call_flow(m, str(target.get("flow", "")))
    if not target:
        return miss(m, "utter_no_explanation")
    return once_more(m, "explain", str(target), form=SHORT if is_commit(step) else "")


def _asked_in_passing(m: Moment, topic: str) -> Moment:
    """有没有优惠, 你是谁: answered in a sentence; what was asked stays asked. In a danger nothing else matters."""
    response = f"utter_about_{topic}"
    if topic == "danger":
        return say(m, response)
    m = nothing_to(m, response)
    return say(m, "utter_open") if m.phase == "open" and topic != "wait" and exists(m, "utter_open") else m


def clarify(m: Moment, flows: tuple[str, ...]) -> Moment:
    """Several readings are as good: which of these?"""
    known = [name for name in dict.fromkeys(flows) if name in m.release.flows][:PATIENCE]
    if not known:
        return miss(m)
    if m.phase == "open":
        m, times = with_talk(m, misses=m.talk.misses + 1), m.talk.misses + 1
    elif m.phase in LISTENING:
        m, times = counted_again(m, "clarify")
    else:
        times = 0
    if times >= PATIENCE:
        return bring_human(m, "misses")
    m = note(m, *(Noted("clarification", name) for name in known))
    names = [flow_name(m, name) for name in known]
    choices = {
        name: [words, str(key)] for key, (name, words) in enumerate(zip(known, names, strict=True), start=1)
    }
    comma = ", " if m.talk.preferences.locale == "en" else "、"
    return say(m, "utter_which_flow", {"choices": choices, "flow_names": comma.join(names)}, asks="choice")


# --- hello and good-bye ------------------------------------------------------------------------------------------


def greet(m: Moment) -> Moment:
    """您好: a greeting, and the open question; a read-back is made anew, for days may have passed."""
    if m.phase not in {"confirm", "code"}:
        return nothing_to(m, "utter_greet")
    m, times = counted_again(m, "utter_greet")
    return bring_human(m, "misses") if times >= PATIENCE else with_top(say(m, "utter_greet"), phase="run")


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
        m = set_aside(m)  # no later yes answers the question asked before the good-bye
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
