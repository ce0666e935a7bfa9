"""On the telephone every question with a fixed set of answers can be answered by its keys alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from bot.app import release
from dialogues.model import Step

# Letters on a screen and who reads them aloud: nothing a telephone can change.
ONLY_ON_A_SCREEN = {"preference": {"bigger", "smaller", "voice"}}


def test_every_answer_has_a_key() -> None:
    """Of many answers the rest stands behind a key of its own, in a question about the same thing."""
    missing = {}
    for flow in release().flows.values():
        answers, keyed = defaultdict(set), defaultdict(set)
        for step in flow.steps.values():
            choices = _choices(step)
            answers[step.collect] |= set(choices)
            keyed[step.collect] |= {value for value, words in choices.items() if "key" in words}
        for slot, values in answers.items():
            if left := values - keyed[slot] - ONLY_ON_A_SCREEN.get(slot, set()):
                missing[f"{flow.id}.{slot}"] = left
    assert missing == {}


def _choices(step: Step) -> Mapping[str, Mapping[str, object]]:
    written = step.metadata.get("choices", {})
    return written if step.collect and isinstance(written, Mapping) else {}


def test_amounts_and_numbers_are_keyed() -> None:
    """A question for digits says how many there may be and what ends them."""
    silent = [
        f"{flow.id}.{step.id}"
        for flow in release().flows.values()
        for step in flow.steps.values()
        if step.collect and step.metadata.get("asks") in {"amount", "account"} and "dtmf" not in step.metadata
    ]
    assert silent == []
