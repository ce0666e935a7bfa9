"""Whatever a payment ends with, there is a sentence for it: in the chat, in large print and on the telephone, in both languages."""

from __future__ import annotations

import re
from functools import cache

import pytest

from bot.app import release
from data.ids import PersonId
from dialogues.model import Conversation, Facts, Preferences, Release, Say
from dialogues.responses import Rendered, render
from dialogues.results import payment_slots
from integrations.ports import Reason
from payments.states import State, read
from payments.till import PaymentView
from tests.payments.household import LIMIN, W_LI, House, catalogue
from tests.simulation import town as ways

REFUSED, BACK, LOOKED_AT = "utter_payment_refused", "utter_refunding", "utter_needs_human"
# Reasons of our own, beside those of the counterparties.
OURS = ("stopped", "mandate_stopped", "biller_not_in_catalogue", "too_late")
# What a person looks at: the ticket's reasons.
OPEN = ("outcome_unknown", "not_written_off", "amount_differs", "refund_declined", "refund_unknown")
WAYS = {"chat": (False, False), "large": (True, False), "voice": (False, True)}
_LARGE_PRINT_LINES = 5
_CHINESE = re.compile("[\u3400-\u9fff]")


@cache
def words() -> Release:
    return release()


def said(response: str, view: PaymentView, reason: str, locale: str, way: str) -> Rendered:
    large, spoken = WAYS[way]
    talk = Conversation(LIMIN, "r", preferences=Preferences(locale=locale, large=large))
    facts = Facts(view.created_at, "web", spoken, {"person_name": "李敏"})
    values = payment_slots(view, catalogue(), locale) | {"reason": reason}
    (found,) = render(words(), Say(response, values), talk, facts)
    return found


def judge(response: str, view: PaymentView, reason: str) -> None:
    for locale in ("zh", "en"):
        texts = {way: said(response, view, reason, locale, way).text for way in WAYS}
        assert all(texts.values())
        assert len(texts["large"].splitlines()) <= _LARGE_PRINT_LINES
        assert texts["large"].splitlines()[1] in (view.amount.yuan + "元", f"{view.amount.yuan} yuan")
        assert "\n" not in texts["voice"]
        assert "「" not in texts["voice"]  # nobody hears quotation marks
        assert "_" not in "".join(texts.values())  # words, never our code for it
        if locale == "en":
            assert not any(_CHINESE.search(text.replace("北京", "")) for text in texts.values())


async def _refused(quick: House, reason: Reason) -> PaymentView:
    quick.town.declines = reason
    view = await quick.paid(LIMIN, W_LI)
    assert (view.state, view.reason) == (State.FAILED, reason.value)
    return view


@pytest.mark.parametrize("reason", Reason, ids=lambda r: r.value)
async def test_a_payment_refused_for_any_reason_is_told_in_plain_words(quick: House, reason: Reason) -> None:
    view = await _refused(quick, reason)
    judge(REFUSED, view, reason.value)
    for locale in ("zh", "en"):
        for way in WAYS:
            found = said(REFUSED, view, reason.value, locale, way)
            assert found.metadata["claims"] == "not_captured"
            assert found.text not in {said(REFUSED, view, "full_moon", locale, w).text for w in WAYS}


@pytest.mark.parametrize("reason", OURS)
async def test_what_we_did_not_send_is_told_with_our_reason(quick: House, reason: str) -> None:
    quick.town.declines = Reason.DECLINED
    view = await quick.paid(LIMIN, W_LI)
    judge(REFUSED, view, reason)
    for way in WAYS:
        assert said(REFUSED, view, reason, "zh", way).text != said(REFUSED, view, "full_moon", "zh", way).text


@pytest.mark.parametrize("reason", [*Reason, "late_money"], ids=str)
async def test_money_on_its_way_back_is_told_with_the_reason(quick: House, reason: str) -> None:
    view = await quick.paid(LIMIN, W_LI)
    judge(BACK, view, str(reason))


@pytest.mark.parametrize("reason", OPEN)
async def test_what_a_person_looks_at_is_told_with_the_reason(quick: House, reason: str) -> None:
    view = await quick.paid(LIMIN, W_LI)
    judge(LOOKED_AT, view, reason)
    for way in WAYS:
        assert (
            said(LOOKED_AT, view, reason, "zh", way).text
            != said(LOOKED_AT, view, "full_moon", "zh", way).text
        )


async def test_the_reasons_named_here_are_those_that_rows_end_with(quick: House) -> None:
    """Two of the walks that end with words of ours, so that the lists above cannot drift away from the till."""
    payment = await quick.confirmed(LIMIN, W_LI)
    quick.stop(LIMIN)
    await quick.runner.due()
    assert quick.view(payment).reason in OURS
    quick.town.fault = lambda op: ways.REQUEST_LOST
    second = await quick.confirmed(LIMIN, W_LI)
    await quick.runner.advance_now([second])
    await quick.later(quick.limits.unknown + quick.limits.wait(9))
    row = quick.store.run_now(lambda tx: read(tx, second))
    assert (row.state, row.reason) == (State.NEEDS_HUMAN, "outcome_unknown")
    assert row.reason in OPEN
    assert PersonId(row.payer) == LIMIN
