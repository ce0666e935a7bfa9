"""From a response and its values to the words that are said: the same meaning always gives the same words.

The variation is chosen by channel and condition, the first written wins, and nothing is ever left to chance. Amounts, dates
and account numbers are put into words by the type of their slot; a value that is missing is an error, never "None".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, NamedTuple

from data.money import Money
from dialogues import payloads, predicate
from dialogues.model import ButtonSpec, Conversation, Facts, Release, Say, Variation
from dialogues.predicate import Scope

DEFAULT_LOCALE = "zh"
_SHANGHAI = timezone(timedelta(hours=8))  # no summer time since 1991
_MOST_BUTTONS = 6  # a wall of thirty is no choice; the others are named in words
_PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)(?:\.([a-z]+))?\}")
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


class CannotSay(ValueError):
    """There is no such response, no variation fits, or a value is missing."""


class Rendered(NamedTuple):
    """Words ready to be sent: canonical text, buttons, and what the flow writer noted about the variation."""

    text: str
    buttons: tuple[ButtonSpec, ...]
    metadata: Mapping[str, Any]


def render(release: Release, say: Say, conversation: Conversation, facts: Facts) -> list[Rendered]:
    """The words of a Say. Raises CannotSay."""
    locale = conversation.preferences.locale
    variation = choose(release, say.response, scope(release, conversation, facts, say.values), locale)
    template = str(variation.metadata.get("slower_text") or variation.text) if say.slower else variation.text
    fill = _Filler(release, say.values, locale, facts)
    buttons = tuple(ButtonSpec(fill.text(b.title), b.payload) for b in variation.buttons) or _offered_buttons(
        say
    )
    return [Rendered(fill.text(template), buttons, variation.metadata)]


def scope(release: Release, conversation: Conversation, facts: Facts, values: Mapping[str, Any]) -> Scope:
    """What the conditions of variations may look at: the talk, overlaid with the values that are said."""
    initial = {name: slot.initial for name, slot in release.slots.items() if slot.initial is not None}
    top = conversation.top
    context = {} if top is None else {**top.context, "misses": top.misses}
    return Scope({**initial, **conversation.slots, **values}, context, fact_values(conversation, facts))


def fact_values(conversation: Conversation, facts: Facts) -> dict[str, Any]:
    """`facts.…` of conditions."""
    own = {"spoken": facts.spoken, "channel": facts.channel}
    preferences = conversation.preferences
    return {**facts.person_values, "locale": preferences.locale, "large": preferences.large, **own}


def choose(release: Release, response: str, seen: Scope, locale: str) -> Variation:
    """The variation for this channel and these values: condition and channel, channel, condition, default. Raises CannotSay.

    A channel by its own name comes before its kind (voice or chat); of several as good the first written is said.
    """
    kinds = (None, "voice" if seen.facts["spoken"] else "chat", seen.facts["channel"])
    fitting = [v for v in written(release, response, locale) if v.channel in kinds and _applies(v, seen)]
    if not fitting:
        raise CannotSay(f"{response}: no variation fits")
    return min(fitting, key=lambda v: (v.channel is None, v.condition is None, v.channel != kinds[2]))


def written(release: Release, response: str, locale: str) -> tuple[Variation, ...]:
    """All variations of a response in a language; in ours when that language does not have it. Raises CannotSay."""
    for language in (locale, DEFAULT_LOCALE):
        if response in release.responses.get(language, {}):
            return release.responses[language][response]
    raise CannotSay(f"there is no response {response}")


def exists(release: Release, response: str) -> bool:
    """Whether there are words for it."""
    return response in release.responses.get(DEFAULT_LOCALE, {})


def value_names(release: Release, response: str, locale: str) -> tuple[str, ...]:
    """Every value any variation of a response can need, so that it can be said again with the same facts."""
    names: dict[str, None] = {}
    for variation in written(release, response, locale):
        names.update(dict.fromkeys(variation_names(variation)))
        if variation.condition is not None:
            names.update(
                {path.name: None for path in predicate.paths(variation.condition) if path.root == "slots"}
            )
    return tuple(names)


def variation_names(variation: Variation) -> Iterator[str]:
    """The values a variation speaks of."""
    texts = [
        variation.text,
        str(variation.metadata.get("slower_text", "")),
        *(b.title for b in variation.buttons),
    ]
    for text in texts:
        yield from placeholders(text)


@lru_cache(maxsize=4096)
def placeholders(text: str) -> tuple[str, ...]:
    """The names in braces, without their form (amount of {amount.yuan})."""
    return tuple(dict.fromkeys(match[1] for match in _PLACEHOLDER.finditer(text)))


def choice_of(payload: str) -> str | None:
    """The value a /choose button stands for, None for another button."""
    try:
        meant = payloads.read(payload)
    except payloads.NoPayload:
        return None
    return meant.value if isinstance(meant, payloads.Choice) else None


def _applies(variation: Variation, seen: Scope) -> bool:
    return variation.condition is None or predicate.holds(variation.condition, seen)


def _offered_buttons(say: Say) -> tuple[ButtonSpec, ...]:
    """Buttons for choices that are only known in the talk: {value: [words…]}."""
    choices = say.values.get("choices")
    if say.asks != "choice" or not isinstance(choices, Mapping):
        return ()
    offered = [
        ButtonSpec(str(words[0]), f'/choose{{"{value}"}}')
        for value, words in choices.items()
        if words and words[0]
    ]
    return tuple(offered[:_MOST_BUTTONS])


# --- values in words ---------------------------------------------------------------------------------------------


class _Filler:
    """Puts values into templates of one language."""

    def __init__(self, release: Release, values: Mapping[str, Any], locale: str, facts: Facts) -> None:
        self.release = release
        self.values = values
        self.locale = locale
        self.facts = facts

    def text(self, template: str) -> str:
        """The template with every {name} and {name.form} replaced."""
        return (
            _PLACEHOLDER.sub(lambda match: self._word(match[1], match[2] or ""), template)
            if "{" in template
            else template
        )

    def _word(self, name: str, form: str) -> str:
        value = self.values.get(name, self.facts.person_values.get(name))
        if value is None or isinstance(value, bool):
            raise CannotSay(f"{{{name}}} has no value to say")
        slot = self.release.slots.get(name)
        word = self._formed(value, form or _natural_form(value, slot.type if slot else ""))
        if not word:
            raise CannotSay(f"{{{name}}} has no value to say")
        return word

    def _formed(self, value: Any, form: str) -> str:
        match form:
            case "money":
                return self._money(value)
            case "yuan":
                return _amount(value).yuan
            case "column":
                return self._in_a_column(value)
            case "tail":
                tail = str(value)[-4:]
                return f"ending {tail}" if self.locale == "en" else f"尾号{tail}"
            case "groups":
                digits = str(value)
                return " ".join(digits[i : i + 4] for i in range(0, len(digits), 4))
            case "date":
                return self._date(value)
            case "list":
                return (", " if self.locale == "en" else "、").join(
                    str(_first(item)) for item in _entries(value)
                )
            case "":
                return f"{value:g}" if isinstance(value, float) else str(value)
        raise CannotSay(f"there is no form .{form}")

    def _money(self, value: Any) -> str:
        amount = _amount(value)
        return f"{amount.yuan} yuan" if self.locale == "en" else str(amount)

    def _in_a_column(self, value: Any) -> str:
        """Always with its fen, so that amounts in lines below each other can be compared."""
        whole, fen = divmod(_amount(value).fen, 100)
        return f"{whole}.{fen:02d} yuan" if self.locale == "en" else f"{whole}.{fen:02d}元"

    def _date(self, value: Any) -> str:
        day = _day(value)
        year = "" if day.year == self.facts.now.astimezone(_SHANGHAI).year else str(day.year)
        if self.locale == "en":
            return f"{day.day} {_MONTHS[day.month - 1]} {year}".rstrip()
        return (f"{year}年" if year else "") + f"{day.month}月{day.day}日"


def _natural_form(value: Any, slot_type: str) -> str:
    """How a value is said when the template does not say: by its slot's type, then by what it is."""
    if slot_type == "account" and isinstance(value, str):
        return "tail"
    if slot_type in {"money", "date"}:
        return slot_type
    if isinstance(value, Money):
        return "money"
    if isinstance(value, date):
        return "date"
    return "list" if isinstance(value, list | tuple | Mapping) else ""


def _amount(value: Any) -> Money:
    if isinstance(value, Money):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Money(value)
    raise CannotSay(f"an amount is whole fen, not {type(value).__name__}")


def _day(value: Any) -> date:
    if isinstance(value, datetime):
        return value.astimezone(_SHANGHAI).date()
    if isinstance(value, date):
        return value
    try:
        return _day(datetime.fromisoformat(value)) if "T" in str(value) else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise CannotSay("not a date") from None


def _entries(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, Mapping) else list(value)


def _first(item: Any) -> Any:
    """What a choice is called: the first of its words."""
    return item[0] if isinstance(item, list | tuple) and item else item
