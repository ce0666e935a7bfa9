"""A bill is spoken of as a bill: whoever agreed that his water is paid by itself hears no word of meters and balances."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from bot.app import release as house_release
from data.ids import PersonId
from dialogues.model import Conversation, Facts, Preferences, Release, Say
from dialogues.responses import render
from tests.dialogues.talking import NOON

OF_A_METER = {
    "zh": re.compile("表上|读.{0,2}表|余额|自动充|充了"),
    "en": re.compile(r"\bmeter\b|\btop(?:s|ped|ping)?[ -]up\b|\bis left\b|\bis low\b", re.IGNORECASE),
}
# What is told of an automatic payment whatever it pays, and what is answered when it is changed, stopped or let rest.
TOLD = [
    "utter_mandate_set_for_you",
    "utter_mandate_stopped_for_you",
    "utter_mandate_paused_for_you",
    "utter_mandate_lowered_for_you",
    "utter_mandate_goes_on",
    "utter_auto_started",
    "utter_auto_posted",
    "utter_auto_for_you",
    "utter_auto_failed",
    "utter_auto_not_made",
    "utter_auto_asks",
    "utter_mandate_expiring",
    "utter_mandate_expired",
    "utter_mandate_suspended",
    "utter_mandate_unread",
    "utter_warning",
    "utter_debit_skipped",
    "utter_mandate_set",
    "utter_mandate_stands",
    "utter_mandate_stopped",
    "utter_mandate_paused",
    "utter_terms_lowered",
    "utter_change_agreed",
    "utter_ask_clause_keys",
    "utter_why_mandate",
]
A_BILL = {
    "prepaid": False,
    "bill_name": "BILL",
    "biller_name": "BILLER",
    "holder": "李*国",
    "who": "李敏",
    "amount": 4650,
    "until": "2027-03-10",
    "mandate_list": "LIST",
    "changed_list": "CHANGED",
    "times": 1,
    "spent": 4650,
    "per_month": 20000,
    "per_charge": 10000,
}


@pytest.fixture(scope="module")
def house() -> Release:
    return house_release()


def _ways_of_saying(release: Release, response: str, locale: str) -> Iterator[str]:
    """In writing and by telephone, with every reason a condition asks for."""
    for reason in ("", "no_purse", "insufficient_funds", "over_charge_cap", "over_month_cap"):
        for spoken in (False, True):
            talk = Conversation(PersonId("p"), "r", preferences=Preferences(locale=locale))
            say = Say(response, A_BILL | {"reason": reason})
            facts = Facts(NOON, "voice" if spoken else "web", spoken, {})
            yield render(release, say, talk, facts)[0].text


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("response", TOLD)
def test_no_bill_is_spoken_of_as_a_meter(house: Release, response: str, locale: str) -> None:
    for text in _ways_of_saying(house, response, locale):
        assert not OF_A_METER[locale].search(text), text
