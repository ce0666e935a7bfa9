"""L2: 已扣款, 已销账 and 还不知道 are three things: never merged in words or in rows, and no claim without its row."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.app import release
from data.ids import PersonId
from data.store import letters
from data.store.payments import payments
from dialogues import wire
from dialogues.lint import lint
from dialogues.model import Release, Variation
from dialogues.testing import invariants
from integrations.ports import Pending, Settled
from payments import collecting, writing_off
from payments.till import Till
from tests.safety.real_town import RealTown
from tests.simulation import mutants

_MOVED = ("captured", "posted", "refunded")
_NOTHING_TAKEN = re.compile("没有扣|一分钱没扣|没有付成|[Nn]othing was taken")


async def breaches(town: RealTown) -> list[str]:
    """A payment that is collected and not written off, one that is refused, and one of which nothing is known."""
    await town.open("limin")
    await town.control.acks("manual")
    await _pays(town, "交水费")
    found = await _untrue(town)
    await town.event("biller_ack", {"account": "W-LI", "fen": 4_650})
    found += await _untrue(town)
    await town.control.fault("rail", "declined", uses=1)
    await _pays(town, "交燃气费")
    found += await _untrue(town)
    await town.control.fault("rail", "timeout_then_paid_after", seconds=600, operation="charge", uses=1)
    before = len(await town.heard_by("limin"))
    await _pays(town, "交燃气费")
    await town.later_by(timedelta(minutes=8))
    found += await _untrue(town)
    said = [s.text for s in (await town.heard_by("limin"))[before:]]
    found += [f"told an outcome nobody knows: {text!r}" for text in said[3:] if _NOTHING_TAKEN.search(text)]
    await town.later_by(timedelta(minutes=10))
    await town.event("biller_ack", {"account": "G-LI", "fen": 8_800})
    return found + await _untrue(town) + await _told(town)


async def _pays(town: RealTown, wish: str) -> None:
    await town.says("limin", wish, "确认", town.pin("limin"))


async def _untrue(town: RealTown) -> list[str]:
    view = await town.view()
    return [*(invariants.told_only_what_happened(view) or ()), *view.facts.broken]


async def _told(town: RealTown) -> list[str]:
    """In the end every stage of both payments was told, each by its own claim."""
    claims = list(dict.fromkeys((s.payment, s.claims) for s in await town.heard_by("limin")))
    told = [claim for _, claim in claims if claim in _MOVED]
    wanted = ["captured", "posted", "captured", "posted"]
    return [] if told == wanted else [f"told {told} instead of {wanted}"]


async def test_only_what_happened_is_told(town: RealTown) -> None:
    assert await breaches(town) == []


def _news_lie(patch: pytest.MonkeyPatch, module: Any, kind: str, lie: str) -> None:
    right = module.tell

    def wrong(tx: Any, payment: Any, said: str, at: Any, **more: Any) -> None:
        right(tx, payment, lie if said == kind else said, at, **more)

    patch.setattr(module, "tell", wrong)


async def test_the_sender_holds_a_claim_against_the_row(
    town: RealTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even news that lie put no false sentence into anybody's hands; a person is asked to look instead."""
    _news_lie(monkeypatch, collecting, "checking", "posted")
    await town.open("limin")
    await town.control.fault("rail", "timeout_then_paid_after", seconds=600, operation="charge", uses=1)
    await _pays(town, "交水费")
    assert await _untrue(town) == []
    last = (await town.heard_by("limin"))[-1]
    assert last.response == "utter_trouble"
    # What went wrong is ours, and of the money it is said neither that it was taken nor that it was not.
    assert not _NOTHING_TAKEN.search(last.text)
    assert [t["kind"] for t in (await town.facts()).tickets or ()] == ["trouble"]


async def test_a_breach_is_seen(town: RealTown, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the sender's check the same lie is told, and seen."""
    _news_lie(monkeypatch, collecting, "checking", "posted")
    monkeypatch.setattr(Till, "claim_holds", lambda *_: True)
    assert any("told limin posted although it is not" in found for found in await breaches(town))


async def test_no_answer_taken_for_a_no_is_seen(town: RealTown, monkeypatch: pytest.MonkeyPatch) -> None:
    mutants.no_answer_taken_for_failure(monkeypatch)
    assert await breaches(town) != []


async def test_collected_taken_for_written_off_is_seen(
    town: RealTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = writing_off.posted

    def wrong(hand: Any, held: Any, ask: Any, answer: Any) -> Any:
        if isinstance(answer, Pending):
            answer = Settled("not yet", held.amount, hand.at)
        return right(hand, held, ask, answer)

    monkeypatch.setattr(writing_off, "posted", wrong)
    assert await breaches(town) != []


async def test_a_link_that_is_said_to_be_on_its_way_is(town: RealTown) -> None:
    """By telephone: whoever can read it has it as a message; for whoever cannot, no page is opened at all."""
    await town.open("zhanggf", "lijg", channel="voice")
    await town.voice("zhanggf", ["交电费"], 0.95)
    await town.key("zhanggf", "0319001200345678#")
    await town.key("zhanggf", "1")
    await town.key("zhanggf", "1")
    opened = (await town.control.inspect()).orders
    link = await town.app.store.run(lambda tx: tx.conn.scalar(sa.select(payments.c.hosted_url)))
    assert [str(link) in text for text in await _messages(town, "zhanggf")] == [True]
    await town.voice("lijg", ["交水费"], 0.95)
    await town.key("lijg", "1")
    assert (await town.heard_by("lijg"))[-1].response == "utter_no_link_here"
    assert (await town.control.inspect()).orders == opened
    assert await _messages(town, "lijg") == []


async def _messages(town: RealTown, person: str) -> list[str]:
    found = await town.app.store.run(lambda tx: letters.letters_to(tx, PersonId(person)))
    return [wire.load_said(x.body).text for x in found if x.channel == "sms"]


# --- the words ----------------------------------------------------------------------------------------------------


def test_no_sentence_says_money_moved_without_a_claim() -> None:
    assert [error for error in lint(release()) if "claims nothing" in error.message] == []


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_the_lint_sees_every_claim_that_is_taken_away(locale: str) -> None:
    """Each sentence of ours that speaks of moved money is refused without its claim."""
    whole = release()
    claiming = [
        (name, n)
        for name, variations in whole.responses[locale].items()
        for n, variation in enumerate(variations)
        if variation.metadata.get("claims") in _MOVED
    ]
    assert len(claiming) >= 10
    for name, n in claiming:
        errors = lint(_without_claim(whole, locale, name, n))
        assert any(name in error.message and "claims nothing" in error.message for error in errors), (name, n)


def _without_claim(whole: Release, locale: str, name: str, n: int) -> Release:
    def bare(variation: Variation) -> Variation:
        return replace(variation, metadata={k: v for k, v in variation.metadata.items() if k != "claims"})

    sentences = dict(whole.responses[locale])
    sentences[name] = tuple(bare(v) if at == n else v for at, v in enumerate(sentences[name]))
    return replace(whole, responses={**whole.responses, locale: sentences})
