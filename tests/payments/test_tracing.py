"""Every yuan can be followed from the words somebody agreed to down to the biller; what was touched afterwards shows."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from data.ids import AccountId, BillerId, PaymentId, PersonId
from data.model import May, Person, Role, Utility
from data.money import Money
from data.store import journal
from data.store.audit import audit
from data.store.engine import Store, Tx
from data.store.mandates import consents, debits, mandates, readings
from data.store.payments import acts, ledger, payments, quotes
from data.store.people import grants
from data.store.post import events
from integrations.ports import Reason
from payments import replaying, tracing
from payments.acts import Confirmed, LineWish, Proposed
from payments.authority import access, people
from payments.replaying import Replay
from payments.states import State
from payments.tracing import AT_THE_MACHINE, NotAnAuditor, Trace
from tests.databases import SEALER
from tests.payments.automatic import BILL, METER, TOP_UP, WORDS, agreed, allow, lower, meter, took
from tests.payments.household import (
    CHENGFS,
    CHENM,
    E_LI,
    LIJG,
    LIMIN,
    W_CHENG,
    W_LI,
    XIAOZHOU,
    House,
    catalogue,
    lend_purse,
)
from tests.simulation import town as ways

QIAN = PersonId("qian")
NUMBERS = ("1100223344", "2200556677", "3200456701", "0319001200345678")

Story = Callable[[House], Awaitable[PaymentId]]


@pytest.fixture
def house(quick: House) -> House:
    allow(quick)
    quick.store.run_now(
        lambda tx: people.add_person(tx, Person(QIAN, "钱老师", role=Role.AUDITOR), quick.now)
    )
    return quick


@dataclass(frozen=True, slots=True)
class Scene:
    """A household after one story, kept as an image: it is told once and looked at often."""

    image: bytes
    payment: PaymentId
    at: datetime


_SCENES: dict[Story, Scene] = {}


async def after(house: House, story: Story) -> tuple[House, PaymentId]:
    """The household as the story left it, in a store of its own."""
    if story not in _SCENES:
        payment = await story(house)
        _SCENES[story] = Scene(house.store.image(), payment, house.now)
    scene = _SCENES[story]
    house.store.close()
    house.store = Store.in_memory(SEALER, scene.image)
    house.clock.at = scene.at
    return house, scene.payment


def traced(house: House, payment: PaymentId, by: PersonId = AT_THE_MACHINE) -> Trace:
    return house.store.run_now(lambda tx: tracing.trace(tx, payment, by, house.now))


def replayed(house: House, payment: PaymentId) -> Replay:
    return house.store.run_now(lambda tx: replaying.replay(tx, payment, house.limits, catalogue()))


def steps(found: Trace) -> list[str]:
    return list(dict.fromkeys(link.step for link in found.links))


def changed(house: House, table: sa.Table, where: Any = None, **values: Any) -> None:
    """Somebody with the database in his hands."""
    query = sa.update(table).values(**values)
    house.store.run_now(lambda tx: tx.conn.execute(query if where is None else query.where(where)))


def newest(house: House) -> PaymentId:
    query = sa.select(payments.c.id).order_by(payments.c.created_at.desc())
    return PaymentId(house.store.run_now(lambda tx: tx.conn.scalars(query).first()) or "")


# --- how money comes to be taken --------------------------------------------------------------------------------------


async def topped_up(house: House) -> PaymentId:
    agreed(house)
    await meter(house, 1_790)
    return newest(house)


async def bill_by_itself(house: House) -> PaymentId:
    agreed(house, BILL)
    for _ in range(5):
        await house.later(timedelta(hours=12))
        await house.sweep()
    return newest(house)


async def own_yes(house: House) -> PaymentId:
    return (await house.paid(LIMIN, W_LI)).id


async def lent_purse(house: House) -> PaymentId:
    house.store.run_now(lambda tx: lend_purse(tx, house.now))
    act = await house.proposed(LIJG, E_LI, Money(10_000), channel="voice")
    return await _yes(house, act, LIJG, kind="key", factor=None, channel="voice")


async def helped(house: House) -> PaymentId:
    act = await house.proposed(XIAOZHOU, W_CHENG, channel="console")
    house.store.run_now(lambda tx: house.till.ask_another(tx, act.act, house.now))
    house.clock.at += timedelta(minutes=3)
    return await _yes(house, act, CHENGFS, factor="pin")


async def with_a_relatives_yes(house: House) -> PaymentId:
    long_ago = house.now - timedelta(days=30)
    house.store.run_now(lambda tx: access.grant(tx, CHENGFS, LIMIN, [May.BILLS, May.PAY], long_ago))
    number = NUMBERS[3]
    house.store.run_now(
        lambda tx: access.name_confirmed(
            tx, CHENGFS, BillerId("gz-electricity"), Utility.ELECTRICITY, number, "张*芳", house.now
        )
    )
    act = await house.proposed(CHENGFS, AccountId("E-ZHANG"))
    await house.confirm(act.act, act.digest, CHENGFS, factor="pin")
    house.clock.at += timedelta(minutes=2)
    return await _yes(house, act, LIMIN, factor="pin")


async def warned_before(house: House) -> PaymentId:
    """A small first payment with her own money: without the warning her own yes would have been enough."""
    long_ago = house.now - timedelta(days=30)
    number = NUMBERS[3]

    def begin(tx: Tx) -> None:
        access.grant(tx, LIMIN, CHENM, [May.BILLS, May.PAY], long_ago)
        access.name_confirmed(
            tx, LIMIN, BillerId("gz-electricity"), Utility.ELECTRICITY, number, "张*芳", house.now
        )
        journal.record(tx, kind=journal.WARNED, person=LIMIN, actor=LIMIN, subject="web", at=house.now)

    house.store.run_now(begin)
    house.clock.at += timedelta(minutes=2)
    act = await house.proposed(LIMIN, AccountId("E-ZHANG"))
    await house.confirm(act.act, act.digest, LIMIN)
    house.clock.at += timedelta(minutes=2)
    return await _yes(house, act, CHENM, factor="pin")


async def joint(house: House) -> PaymentId:
    wanted = {W_LI: Money(4_650), E_LI: Money(5_000)}
    wishes = [LineWish(a, (await house.quote(LIMIN, a)).quote.id, m) for a, m in wanted.items()]
    act = house.store.run_now(
        lambda tx: house.till.propose(tx, proposer=LIMIN, wishes=wishes, channel="web", at=house.now)
    )
    assert isinstance(act, Proposed)
    done = await house.confirm(act.act, act.digest, LIMIN)
    assert isinstance(done, Confirmed)
    await house.runner.advance_now(done.payments)
    return done.payments[1]


async def given_back(house: House) -> PaymentId:
    house.town.refuses_posting = Reason.NOTHING_DUE
    return (await house.paid(LIMIN, W_LI)).id


async def asked_first(house: House) -> PaymentId:
    await house.quoting.last_year(LIMIN, E_LI)
    house.town.daily_use[METER] = Money(450)
    agreed(house, replace(TOP_UP, ask_above=2))
    await meter(house, 1_790)
    (question,) = house.store.run_now(lambda tx: house.till.asked_about(tx, LIMIN))
    quote = (await house.quote(LIMIN, E_LI)).quote
    act = house.store.run_now(
        lambda tx: house.till.propose_debit(
            tx, debit=question.debit, quote=quote.id, proposer=LIMIN, channel="telegram", at=house.now
        )
    )
    assert isinstance(act, Proposed), act
    return await _yes(house, act, LIMIN)


async def never_left(house: House) -> PaymentId:
    house.town.fault = lambda operation: ways.NOT_SENT
    payment = await house.confirmed(LIMIN, W_LI)
    for _ in range(10):
        await house.later(timedelta(seconds=30))
    return payment


async def _yes(house: House, act: Proposed, by: PersonId, **how: Any) -> PaymentId:
    done = await house.confirm(act.act, act.digest, by, **how)
    assert isinstance(done, Confirmed), done
    await house.runner.advance_now(done.payments)
    return done.payments[0]


STORIES: dict[str, tuple[Story, list[str]]] = {
    "topped_up": (topped_up, ["consent", "mandate", "reading", "debit", "quote", "caps"]),
    "bill_by_itself": (bill_by_itself, ["consent", "mandate", "announced", "debit", "quote", "caps"]),
    "asked_first": (asked_first, ["consent", "mandate", "reading", "debit", "yes", "quote", "caps"]),
    "own_yes": (own_yes, ["quote", "proposed", "yes", "audit"]),
    "lent_purse": (lent_purse, ["quote", "proposed", "yes", "audit", "caps"]),
    "helped": (helped, ["quote", "proposed", "asked", "yes", "audit"]),
    "with_a_relatives_yes": (
        with_a_relatives_yes,
        ["quote", "proposed", "asked", "yes", "approval", "audit"],
    ),
    "warned_before": (warned_before, ["quote", "proposed", "asked", "yes", "approval", "audit"]),
    "joint": (joint, ["quote", "proposed", "yes", "audit"]),
    "given_back": (given_back, ["quote", "proposed", "yes", "audit"]),
    "never_left": (never_left, ["quote", "proposed", "yes", "audit"]),
}


@pytest.mark.parametrize("name", STORIES)
async def test_the_chain_is_whole_and_comes_out_the_same_again(house: House, name: str) -> None:
    story, grounds = STORIES[name]
    house, payment = await after(house, story)
    found = traced(house, payment)
    assert found.gaps == ()
    assert [step for step in steps(found) if step in {*grounds}] == grounds
    again = replayed(house, payment)
    assert (again.differences, again.decided) == ((), again.recorded)
    assert all(link.row.partition(" ")[2] for link in found.links)
    assert all(link.at is not None for link in found.links if link.step != "yes")
    text = json.dumps(found.as_json(), ensure_ascii=False)
    assert not [number for number in NUMBERS if number in text]


async def test_looking_changes_nothing_but_the_audit(house: House) -> None:
    payment = await topped_up(house)
    before = house.store.run_now(_all_but_the_audit)
    traced(house, payment)
    replayed(house, payment)
    assert house.store.run_now(_all_but_the_audit) == before
    assert took(house) == [10_000]


def _all_but_the_audit(tx: Tx) -> list[Any]:
    tables = (payments, acts, mandates, debits, quotes, ledger, readings, consents, events)
    return [[tuple(row) for row in tx.conn.execute(sa.select(table))] for table in tables]


async def test_what_it_rests_on_is_told_word_for_word(house: House) -> None:
    found = traced(house, await topped_up(house))
    consent, reading, caps = (found.first(step) for step in ("consent", "reading", "caps"))
    assert consent is not None
    assert reading is not None
    assert caps is not None
    told = {name: consent.facts[name] for name in ("by", "name", "channel", "factor", "words")}
    assert told == {"by": LIMIN, "name": "李敏", "channel": "telegram", "factor": "code", "words": WORDS}
    assert (reading.facts["balance_fen"], reading.facts["below_fen"]) == (1_790, 2_000)
    assert (caps.facts["per_month_fen"], caps.facts["spent_before_fen"]) == (30_000, 0)


async def test_the_caps_are_those_of_that_moment(house: House) -> None:
    first = await topped_up(house)
    await meter(house, 11_790, after=timedelta(days=3))
    await meter(house, 1_500, after=timedelta(days=3))
    second = newest(house)
    assert second != first
    spent = [traced(house, payment).first("caps").facts["spent_before_fen"] for payment in (first, second)]  # type: ignore[union-attr]
    assert spent == [0, 10_000]
    assert [replayed(house, payment).same for payment in (first, second)] == [True, True]


async def test_what_was_lowered_or_stopped_later_changes_nothing_about_then(house: House) -> None:
    payment = await topped_up(house)
    held = house.store.run_now(lambda tx: house.till.mandate_at(tx, E_LI, house.now))
    assert held is not None
    house.clock.at += timedelta(minutes=5)
    assert lower(house, held.id, below=Money(1_000), amount=Money(5_000), per_month=Money(8_000))
    house.clock.at += timedelta(minutes=5)
    house.store.run_now(lambda tx: house.till.stop_mandate(tx, held.id, LIMIN, house.now))
    house.store.run_now(lambda tx: access.revoke(tx, LIJG, LIMIN, house.now, [May.MANDATE]))
    assert traced(house, payment).gaps == ()
    assert replayed(house, payment).differences == ()


async def test_a_refund_is_told_to_its_end(house: House) -> None:
    found = traced(house, await given_back(house))
    assert found.state is State.REFUNDED
    assert [link.facts["kind"] for link in found.links if link.step == "ledger"] == ["capture", "refund"]
    refunded = found.first("refunded")
    assert refunded is not None
    assert str(refunded.facts["refund_number"]).startswith("rf")


# --- who may look -----------------------------------------------------------------------------------------------------


async def test_a_look_stands_in_the_audit_under_the_household(house: House) -> None:
    traced(house, await helped(house), by=QIAN)
    line = house.store.run_now(
        lambda tx: tx.conn.execute(sa.select(audit).order_by(audit.c.seq.desc())).first()
    )
    assert line is not None
    assert (line.kind, line.person, line.actor, line.subject) == ("data_read", CHENGFS, QIAN, W_CHENG)


@pytest.mark.parametrize("who", [LIMIN, XIAOZHOU, "nobody"])
async def test_nobody_else_may_and_the_try_stays_in_the_audit(house: House, who: str) -> None:
    payment = await own_yes(house)
    with pytest.raises(NotAnAuditor):
        traced(house, payment, by=PersonId(who))
    assert house.audit()[-1] == "access_refused"
    assert house.store.run_now(journal.verify) == []


async def test_a_payment_is_found_by_day_holder_amount_and_kind(house: House) -> None:
    mine = await topped_up(house)
    other = await helped(house)
    day = date(2026, 3, 10)

    def found(words: str, **how: Any) -> list[PaymentId]:
        return house.store.run_now(lambda tx: tracing.on_day(tx, day, words, **how))

    assert found("李建国电表的100元", amount=Money(10_000), utility="electricity") == [mine]
    assert found("程福生的水费") == [other]
    assert found("李建国", amount=Money(1)) == []
    assert found("谁让扣的") == []
    assert house.store.run_now(lambda tx: tracing.on_day(tx, date(2026, 3, 9), "李建国")) == []


# --- what was touched shows -------------------------------------------------------------------------------------------

TOUCHED: dict[str, tuple[Story, str, Callable[[House], None]]] = {
    "the words": (topped_up, "consent", lambda h: changed(h, consents, words=b"\x02rubbish")),
    "the mark of the words": (topped_up, "consent", lambda h: changed(h, consents, digest="0" * 64)),
    "whose consent": (topped_up, "consent", lambda h: changed(h, consents, person=LIJG)),
    "when it was given": (
        topped_up,
        "consent",
        lambda h: changed(h, consents, at=h.now + timedelta(days=1)),
    ),
    "the terms": (topped_up, "consent", lambda h: changed(h, mandates, amount_fen=20_000)),
    "its end": (topped_up, "consent", lambda h: changed(h, mandates, ended_at=h.now - timedelta(days=1))),
    "the reading": (topped_up, "trigger", lambda h: changed(h, readings, balance_fen=9_000)),
    "which reading": (topped_up, "trigger", lambda h: changed(h, debits, read_at=h.now + timedelta(days=9))),
    "the announcement": (bill_by_itself, "trigger", lambda h: changed(h, debits, announced_at=h.now)),
    "the announced amount": (bill_by_itself, "trigger", lambda h: changed(h, debits, amount_fen=1)),
    "which debit": (topped_up, "trigger", lambda h: changed(h, debits, payment=None)),
    "the price": (own_yes, "quote", lambda h: _cheaper(h)),
    "whose price": (own_yes, "quote", lambda h: changed(h, quotes, account=E_LI)),
    "the amount": (own_yes, "act", lambda h: changed(h, payments, amount_fen=4_651)),
    "the payer": (own_yes, "act", lambda h: changed(h, payments, payer=CHENGFS)),
    "what was read back": (own_yes, "act", lambda h: changed(h, acts, digest="0" * 64)),
    "the yes": (own_yes, "act", lambda h: changed(h, acts, state="cancelled")),
    "whose yes": (own_yes, "consent", lambda h: _said_by(h, CHENGFS)),
    "the line about the yes": (own_yes, "consent", lambda h: changed(h, audit, subject="act_other")),
    "the leave": (lent_purse, "caps", lambda h: changed(h, grants, per_month_fen=100)),
    "whose leave": (
        lent_purse,
        "caps",
        lambda h: changed(h, grants, grants.c.instrument.is_not(None), taker=CHENGFS),
    ),
    "the time of collection": (
        own_yes,
        "money",
        lambda h: changed(h, payments, captured_at=h.now - timedelta(days=1)),
    ),
    "the state": (own_yes, "money", lambda h: changed(h, payments, state="failed")),
    "the ledger": (own_yes, "book", lambda h: changed(h, ledger, amount_fen=1)),
    "who is owed": (
        own_yes,
        "book",
        lambda h: changed(h, ledger, ledger.c.kind == "post", credit="biller:me:payable"),
    ),
    "a line of the ledger": (own_yes, "book", lambda h: _struck(h, ledger, ledger.c.kind == "post")),
    "the audit": (own_yes, "book", lambda h: changed(h, audit, audit.c.kind == "captured", actor="me")),
    "that it was noted": (own_yes, "book", lambda h: _struck(h, audit, audit.c.kind == "posted")),
    "that it was told": (own_yes, "told", lambda h: _struck(h, events, events.c.person == LIMIN)),
}


def _cheaper(house: House) -> None:
    query = sa.select(quotes.c.id, quotes.c.body)
    for row in house.store.run_now(lambda tx: tx.conn.execute(query).all()):
        changed(house, quotes, quotes.c.id == row.id, body={**row.body, "due": 1})


def _said_by(house: House, person: PersonId) -> None:
    query = sa.select(acts.c.id, acts.c.evidence)
    for row in house.store.run_now(lambda tx: tx.conn.execute(query).all()):
        changed(house, acts, acts.c.id == row.id, evidence={**row.evidence, "by": person})


def _struck(house: House, table: sa.Table, where: Any) -> None:
    house.store.run_now(lambda tx: tx.conn.execute(sa.delete(table).where(where)))


@pytest.mark.parametrize("what", TOUCHED)
async def test_what_was_touched_is_named(house: House, what: str) -> None:
    story, part, touch = TOUCHED[what]
    house, payment = await after(house, story)
    touch(house)
    found = traced(house, payment)
    assert part in {gap.part for gap in found.gaps}, found.gaps
    assert not found.whole


AGAIN: dict[str, tuple[Story, str, Callable[[House], None]]] = {
    "a reading that is not low": (
        topped_up,
        "would_not_charge",
        lambda h: changed(h, readings, balance_fen=9_000),
    ),
    "a reading that is gone": (topped_up, "no_reading", lambda h: changed(h, debits, read_at=None)),
    "another amount agreed to": (topped_up, "amount_fen", lambda h: changed(h, mandates, amount_fen=9_000)),
    "a lower cap": (topped_up, "over_charge_cap", lambda h: changed(h, mandates, per_charge_fen=9_999)),
    "a lower cap of a month": (
        topped_up,
        "over_month_cap",
        lambda h: changed(h, mandates, per_month_fen=9_999),
    ),
    "an agreement that ended before": (
        topped_up,
        "would_not_charge",
        lambda h: changed(h, mandates, state="revoked", ended_at=h.now - timedelta(minutes=3)),
    ),
    "a leave taken back before": (
        topped_up,
        "no_permission",
        lambda h: changed(h, grants, revoked_at=h.now - timedelta(minutes=3)),
    ),
    "a smaller announcement": (
        bill_by_itself,
        "would_be_announced",
        lambda h: changed(h, debits, amount_fen=1),
    ),
    "a yes without a code": (own_yes, "stronger_yes_needed", lambda h: _factor(h, None)),
    "a weaker yes called enough": (own_yes, "strength", lambda h: changed(h, acts, strength="key")),
    "a purse lent for less": (lent_purse, "over_cap", lambda h: changed(h, grants, per_payment_fen=100)),
    "another who said yes": (own_yes, "no_permission", lambda h: _said_by(h, CHENGFS)),
    "a relative's yes without a PIN": (
        with_a_relatives_yes,
        "stronger_yes_needed",
        lambda h: _factor(h, None, "approved"),
    ),
}


def _factor(house: House, factor: str | None, of: str = "") -> None:
    query = sa.select(acts.c.id, acts.c.evidence)
    for row in house.store.run_now(lambda tx: tx.conn.execute(query).all()):
        said = row.evidence[of] if of else row.evidence
        evidence = {**said, "factor": factor}
        whole = {**row.evidence, of: evidence} if of else evidence
        changed(house, acts, acts.c.id == row.id, evidence=whole)


@pytest.mark.parametrize("what", AGAIN)
async def test_decided_once_more_it_comes_out_differently(house: House, what: str) -> None:
    story, difference, touch = AGAIN[what]
    house, payment = await after(house, story)
    touch(house)
    again = replayed(house, payment)
    assert not again.same
    assert difference in again.differences
