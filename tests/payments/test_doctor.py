"""The doctor finds nothing in a house that is well, and names exactly the promise that somebody broke by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from data.clock import VirtualClock
from data.ids import PaymentId
from data.money import Money
from data.store.engine import Store, Tx
from data.store.mandates import debits
from data.store.payments import act_lines, acts, callbacks, differences, payments, quotes
from data.store.payments import ledger as book
from data.store.people import grants
from data.store.post import events
from integrations.ports import Reason
from payments import acts as acts_of
from payments import ledger
from payments.doctor import INVARIANTS, Doctor, Report
from payments.states import State
from tests.databases import SEALER
from tests.payments.automatic import agreed, allow, meter
from tests.payments.household import (
    CHENGFS,
    CHENM,
    E_ZHANG,
    LIJG,
    W_CHENG,
    W_LI,
    House,
    catalogue,
    lend_purse,
)
from tests.simulation import town as ways

LONG = timedelta(hours=3)
WHOLE_NUMBER = "0319001200345678"


def examine(house: House) -> Report:
    return Doctor(house.store, house.clock, catalogue(), house.limits).examine()


def named(house: House) -> dict[str, list[str]]:
    return {found.invariant: found.rows for found in examine(house).findings}


async def live(house: House) -> dict[str, PaymentId]:
    """A house some things happened in: paid, with another's purse, by itself, given back, refused, and one unknown."""
    allow(house)
    house.store.run_now(lambda tx: lend_purse(tx, house.now))
    lived = {"paid": (await house.paid(CHENM, E_ZHANG)).id}
    lived["lent"] = (await house.paid(LIJG, W_LI)).id
    agreed(house)
    await meter(house, 1_500)
    lived["itself"] = house.store.run_now(
        lambda tx: PaymentId(tx.conn.scalar(sa.select(debits.c.payment)) or "")
    )
    house.town.refuses_posting = Reason.NOT_PAYABLE_ONLINE
    lived["back"] = (await house.paid(CHENGFS, W_CHENG)).id
    house.town.refuses_posting = None
    house.town.declines = Reason.INSUFFICIENT_FUNDS
    lived["refused"] = (await house.paid(CHENGFS, W_CHENG)).id
    house.town.declines = None
    house.town.fault = lambda op: ways.ANSWER_LOST if op == "charge" else ways.OK
    house.town.pending_polls = 1000
    lived["unknown"] = (await house.paid(CHENGFS, W_CHENG)).id
    return lived


@dataclass(frozen=True)
class _Kept:
    """What happened once, to be copied for every test that spoils it."""

    image: bytes
    town: ways.Town
    at: datetime
    things: dict[str, PaymentId]


@pytest.fixture(scope="module")
def kept() -> _Kept:
    house = House.over(Store.in_memory(SEALER), VirtualClock(datetime(2026, 3, 10, 1, 0, tzinfo=UTC)))
    house.enrol()
    things = asyncio.run(live(house))
    return _Kept(house.store.image(), house.town, house.now, things)


@pytest.fixture
def lived(kept: _Kept) -> tuple[House, dict[str, PaymentId]]:
    clock = VirtualClock(kept.at)
    house = House.over(Store.in_memory(SEALER, kept.image), clock, kept.town.copied(clock))
    return house, kept.things


async def test_a_house_that_is_well_breaks_nothing(house: House) -> None:
    lived = await live(house)
    assert house.view(lived["itself"]).state is State.SETTLED
    assert house.view(lived["back"]).state is State.REFUNDED
    report = examine(house)
    assert (report.well, report.findings) == (True, ())
    assert [row["invariant"] for row in report.as_json()["invariants"]] == list(INVARIANTS)


def edit(table: sa.Table, which: Any, **values: Any) -> Callable[[Tx], Any]:
    return lambda tx: tx.conn.execute(sa.update(table).where(which).values(**values))


def callback(house: House, number: str, fen: int, verdict: str) -> Callable[[Tx], Any]:
    row = {"event_id": f"evt_{verdict}", "number": number, "status": "paid", "amount_fen": fen}
    return lambda tx: tx.put_new(callbacks, **row, verdict=verdict, received_at=house.now)


def booked(house: House, payment: PaymentId, id: str, kind: str) -> Callable[[Tx], Any]:
    """A line of the book written by the house's own means: sealed rightly, and yet too much."""
    amount = house.view(payment).amount
    sides = {"debit": ledger.CLEARING, "credit": ledger.receivable("sandbox")}
    return lambda tx: ledger.transfer(
        tx, id=id, payment=payment, kind=kind, **sides, amount=amount, at=house.now
    )


def number_of(house: House, payment: PaymentId) -> str:
    return house.store.run_now(
        lambda tx: str(tx.conn.scalar(sa.select(payments.c.number).where(payments.c.id == payment)))
    )


def act_of(house: House, payment: PaymentId) -> Any:
    return acts.c.id == house.view(payment).act


def pay_nobody(house: House, payment: PaymentId) -> Callable[[Tx], Any]:
    """Somebody with the whole database changes whom a payment paid, and everything that speaks of it."""

    def change(tx: Tx) -> None:
        act = house.till.outcome(tx, payment).act
        for table, mine in ((payments, payments.c.id == payment), (act_lines, act_lines.c.act == act)):
            edit(table, mine, biller="my-brother")(tx)
        found = acts_of.view(tx, act)
        digest = acts_of.digest_of(found.proposer, found.payer, found.confirmer, found.lines)
        edit(acts, acts.c.id == act, digest=digest)(tx)

    return change


Break = Callable[[House, dict[str, PaymentId]], Callable[[Tx], Any]]

BREAKS: list[tuple[str, str, Break]] = [
    ("M-I1", "nobody said yes", lambda h, p: edit(acts, act_of(h, p["paid"]), evidence=None)),
    ("M-I1", "collected twice", lambda h, p: booked(h, p["paid"], "capture:again", "capture")),
    ("M-I3", "heard of, and unknown", lambda h, p: callback(h, number_of(h, p["unknown"]), 3_120, "hint")),
    ("M-I4", "collected after a no", lambda h, p: booked(h, p["refused"], "capture:no", "capture")),
    ("M-I5", "never marked as sent", lambda h, p: edit(payments, payments.c.id == p["paid"], sent_at=None)),
    ("M-I6", "another purse", lambda h, p: edit(payments, payments.c.id == p["paid"], instrument="pm-x")),
    (
        "M-I7",
        "settled and open at once",
        lambda h, p: edit(payments, payments.c.id == p["paid"], state="posting", next_at=h.now),
    ),
    ("M-I8", "a changed line", lambda h, p: edit(book, book.c.seq == 1, debit="pocket:mine")),
    ("M-I9", "given back twice", lambda h, p: booked(h, p["back"], "refund:again", "refund")),
    (
        "M-I10",
        "another price",
        lambda h, p: edit(act_lines, act_lines.c.act == h.view(p["paid"]).act, amount_fen=1),
    ),
    (
        "M-I11",
        "over the cap",
        lambda h, p: edit(grants, grants.c.per_month_fen.is_not(None), per_month_fen=1),
    ),
    ("M-I12", "of no agreement", lambda h, p: edit(debits, debits.c.payment == p["itself"], payment=None)),
    (
        "M-I13",
        "no receipt",
        lambda h, p: lambda tx: tx.conn.execute(sa.delete(events).where(events.c.id.startswith("posted:"))),
    ),
    (
        "M-I14",
        "a whole number",
        lambda h, p: edit(events, events.c.kind == "captured", body={"text": f"户号{WHOLE_NUMBER}"}),
    ),
    ("M-I15", "nobody asks", lambda h, p: edit(payments, payments.c.id == p["unknown"], next_at=None)),
    ("M-I16", "a person was paid", lambda h, p: pay_nobody(h, p["paid"])),
    ("M-I17", "a forged one believed", lambda h, p: callback(h, number_of(h, p["paid"]), 1, "known")),
]


@pytest.mark.parametrize(("invariant", "how", "broken"), BREAKS, ids=[f"{n} {how}" for n, how, _ in BREAKS])
async def test_what_is_broken_by_hand_is_named_and_nothing_else(
    lived: tuple[House, dict[str, PaymentId]], invariant: str, how: str, broken: Break
) -> None:
    house, things = lived
    change = broken(house, things)
    house.store.run_now(change)
    if invariant == "M-I3":
        house.clock.at += LONG
        house.store.run_now(edit(payments, payments.c.id == things["unknown"], next_at=house.now))
    assert list(named(house)) == [invariant]
    assert all(named(house)[invariant])


async def test_two_settled_payments_of_one_bill_are_named(
    lived: tuple[House, dict[str, PaymentId]],
) -> None:
    house, _ = lived
    house.town.fault = lambda op: ways.OK
    house.town.pending_polls = 0
    house.town.due[WHOLE_NUMBER] = Money(12_345)
    again = (await house.paid(CHENM, E_ZHANG)).id
    assert house.view(again).state is State.SETTLED
    assert examine(house).well  # another month's bill may well be as high
    for row in house.store.run_now(lambda tx: tx.conn.execute(sa.select(quotes)).all()):
        body = {**row.body, "due_date": date(2026, 3, 25).isoformat()}
        house.store.run_now(edit(quotes, quotes.c.id == row.id, body=body))
    assert named(house) == {"M-I2": [again]}


async def test_an_unexplained_difference_of_the_statement_is_named(
    lived: tuple[House, dict[str, PaymentId]],
) -> None:
    house, things = lived
    row = {"id": "dif_1", "party": "rail", "kind": "missing", "day": date(2026, 3, 9), "number": "bj0"}
    more = {"detail": "", "payment": things["paid"], "ticket": "tic_1", "found_at": house.now}
    house.store.run_now(lambda tx: tx.put_new(differences, **row, **more))
    assert named(house) == {"M-I8": ["difference:dif_1"]}


async def test_a_payment_nobody_takes_up_any_more_is_named(
    lived: tuple[House, dict[str, PaymentId]],
) -> None:
    house, things = lived
    house.clock.at += LONG  # no worker has run since
    assert named(house) == {"M-I15": [things["unknown"]]}


async def test_a_page_ends_where_the_next_begins(
    lived: tuple[House, dict[str, PaymentId]],
) -> None:
    """Small pages find what large ones find, the book's chain included."""
    house, _ = lived
    house.store.run_now(edit(book, book.c.seq == 4, debit="pocket:mine"))
    whole = examine(house)
    small = Doctor(house.store, house.clock, catalogue(), house.limits, page=2).examine()
    assert [f.rows for f in small.findings] == [f.rows for f in whole.findings] == [["ledger:4"]]
    assert small.pages > whole.pages


async def test_a_broken_house_is_named_on_both_databases(house: House) -> None:
    lived = await live(house)
    house.store.run_now(edit(acts, act_of(house, lived["paid"]), evidence=sa.null()))
    assert named(house) == {"M-I1": [lived["paid"]]}
