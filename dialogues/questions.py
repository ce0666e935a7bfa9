"""The question a talk waits at, and the ways of asking it: plainly, once more in other words, by keys, in short."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dialogues import responses
from dialogues.flowfile import DEFAULT_LOCALE
from dialogues.model import Conversation, Release, Say, Step
from dialogues.moment import LISTENING, Moment, ask, business_name, exists, step_of, with_context

AGAIN, KEYS, SHORT = "_again", "_keys", "_short"  # endings of a question's name: the other ways of asking it
PUT = "put"  # in a frame's context: the words of its question the last two times
AGAIN_COUNTS = (
    "asked_again"  # in a frame's context: for each question and reason, how often it was asked again
)
ASK_CODE = "utter_ask_code"
ASK_CONTINUE = "utter_ask_continue"
GO_ON = "utter_digits_go_on"
DOUBT = "utter_digits_doubt"


@dataclass(frozen=True, slots=True)
class Question:
    """A response and what is waited for after it."""

    response: str
    asks: str
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)


def question(m: Moment) -> Question:
    """What the top frame asks. Only for a frame that listens."""
    step, context = step_of(m, m.top), m.top.context
    match m.phase:
        case "confirm":
            return Question(step.metadata["commit"]["utter"], "confirm")
        case "code":
            return Question(ASK_CODE, "code")
        case "resume":
            return Question(ASK_CONTINUE, "choice", {"flow_name": business_name(m)})
    if "doubt" in context:
        return Question(DOUBT, "choice", context["doubt_values"])
    if context.get("collected"):
        return Question(GO_ON, asks_of(step), {"digits": context["collected"]})
    return Question(step.utter, asks_of(step), _choice_values(m, step))


def ask_again(m: Moment, form: str = "") -> Moment:
    """Asks the top frame's question, in another form where there are words for it.

    Whatever the reasons were, the third time in a row it takes other words, if any are written (L10). A read-back never
    does: what it names may have changed, and nobody agrees to a sum he was not told whole.
    """
    asked = question(m)
    response = _in_other_words(m, asked.response, form)
    before = m.top.context.get(PUT, ())
    m = with_context(m, **{PUT: [*before[-1:], response]})
    return ask(m, response, asked.asks, asked.values)


def _in_other_words(m: Moment, response: str, form: str) -> str:
    wanted = response + form if form and exists(m, response + form) else response
    if m.phase == "confirm" or list(m.top.context.get(PUT, ())) != [wanted, wanted]:
        return wanted
    others = (response + other for other in (KEYS, AGAIN, ""))
    return next((other for other in others if other != wanted and exists(m, other)), wanted)


def ask_or_open(m: Moment, form: str = "") -> Moment:
    """The open question again, or nothing when the talk is open or works on something."""
    return ask_again(m, form) if m.phase in LISTENING else m


def counted_again(m: Moment, kind: str) -> tuple[Moment, int]:
    """How often the open question had to be asked again for this reason, counted with this time.

    Forgotten as soon as the question is answered: `without_context(m, AGAIN_COUNTS)`.
    """
    counts = dict(m.top.context.get(AGAIN_COUNTS, {}))
    place = f"{m.top.step}.{m.phase}.{kind}"
    counts[place] = counts.get(place, 0) + 1
    return with_context(m, **{AGAIN_COUNTS: counts}), counts[place]


def asks_of(step: Step) -> str:
    """What kind of answer a collect waits for."""
    return str(step.metadata.get("asks", "open"))


def choices_of(step: Step, talk: Conversation, release: Release) -> dict[str, tuple[str, ...]]:
    """What may be chosen at a collect: value -> the words and keys that mean it."""
    locale = talk.preferences.locale
    if source := step.metadata.get("choices_from"):
        held = talk.slots.get(source)
        return (
            {str(name): _words(words, locale) for name, words in held.items()}
            if isinstance(held, Mapping)
            else {}
        )
    written = step.metadata.get("choices", {})
    found = (
        {str(name): _words(words, locale) for name, words in written.items()}
        if isinstance(written, Mapping)
        else {}
    )
    slot = release.slots.get(step.collect)
    if not found and slot is not None and slot.type == "bool" and asks_of(step) == "choice":
        return _yes_or_no(release, step.utter, locale)
    return found


def offered(release: Release, talk: Conversation) -> dict[str, tuple[str, ...]]:
    """What the last thing said offered to choose, beside the question of the top frame: flows by name, a person."""
    told = next((told for told in reversed(talk.last_said) if told.asks is not None), None)
    if told is not None and told.asks == "open":
        return _menu(release, told.response, talk.preferences.locale)
    if told is None or told.asks != "choice":
        return {}
    choices = told.values.get("choices")
    if isinstance(choices, Mapping):
        return {str(name): _words(words, talk.preferences.locale) for name, words in choices.items()}
    return _buttons_of(release, told.response, talk.preferences.locale)


def offers(m: Moment, said: Say) -> bool:
    """Whether a sentence, told while nothing is under way, offers what may be chosen next (metadata: {offers: true})."""
    return bool(responses.render(m.release, said, m.talk, m.facts)[0].metadata.get("offers"))


def _choice_values(m: Moment, step: Step) -> dict[str, Any]:
    """Choices known only in this talk go with the question, so that they can become buttons."""
    source = step.metadata.get("choices_from")
    return {"choices": m.talk.slots.get(source)} if source and m.talk.slots.get(source) else {}


def _yes_or_no(release: Release, response: str, locale: str) -> dict[str, tuple[str, ...]]:
    buttons = _buttons_of(release, response, locale)
    return {name: buttons.get(name, ()) or (key,) for name, key in (("yes", "1"), ("no", "2"))}


def _menu(release: Release, response: str, locale: str) -> dict[str, tuple[str, ...]]:
    """Keys that begin something at an open prompt (metadata: {menu: true}): whoever has only keys begins there too.

    Only the keys: a word said to it is understood as everywhere.
    """
    if response not in release.responses.get(locale, {}):
        return {}
    shown = [v for v in responses.written(release, response, locale) if v.metadata.get("menu")]
    return {
        name: (str(place),)
        for variation in shown
        for place, button in enumerate(variation.buttons, start=1)
        if (name := responses.choice_of(button.payload))
    }


def _buttons_of(release: Release, response: str, locale: str) -> dict[str, tuple[str, ...]]:
    """What the buttons of a response stand for. On the telephone they are pressed by their place."""
    found: dict[str, tuple[str, ...]] = {}
    try:
        variations = responses.written(release, response, locale)
    except responses.CannotSay:
        return {}
    for variation in variations:
        for place, button in enumerate(variation.buttons, start=1):
            if name := _BUTTON_VALUES.get(button.payload) or responses.choice_of(button.payload):
                yes = _YES.get(locale, ()) if place == 1 and variation.metadata.get("offers") == "yes" else ()
                found[name] = tuple(dict.fromkeys((*found.get(name, ()), button.title, str(place), *yes)))
    return found


# 要现在充吗? with {offers: "yes"} is a question whose plain yes means its first button.
_YES = {
    "zh": (
        "好",
        "好的",
        "好啊",
        "行",
        "可以",
        "要",
        "是",
        "是的",
        "嗯",
        "付",
        "付吧",
        "交",
        "交吧",
        "充",
        "充吧",
    ),
    "en": ("yes", "yes please", "ok", "okay", "sure", "pay", "please do", "go ahead"),
}
_BUTTON_VALUES = {"/affirm": "yes", "/deny": "no", "/human": "human", "/stop": "stop"}


def _words(written: Any, locale: str) -> tuple[str, ...]:
    """The words of one choice: {zh: [...], en: [...], key: "1"}, a list of words, or one word."""
    if isinstance(written, str):
        return (written,)
    if isinstance(written, Mapping):
        words = written.get(locale) or written.get(DEFAULT_LOCALE) or ()
        key = written.get("key")
        return (*map(str, words), *((str(key),) if key is not None else ()))
    return tuple(map(str, written)) if isinstance(written, list | tuple) else ()
