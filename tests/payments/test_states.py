"""Every step a proposal, a payment or an automatic payment may take, and that it takes no other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from itertools import product

import pytest
import sqlalchemy as sa

from data.clock import VirtualClock
from data.store import journal, letters
from data.store.engine import Store, Tx
from data.store.mandates import MANDATE_STATES, mandates
from data.store.payments import ACT_STATES, OPEN_STATES, PAYMENT_STATES, acts, payments
from payments import states
from payments.mandates import move as move_mandate
from payments.mandates import read as read_mandate
from payments.states import (
    ACT_TRANSITIONS,
    FINAL,
    MANDATE_TRANSITIONS,
    TRANSITIONS,
    ActState,
    IllegalMove,
    MandateState,
    NoSuchPayment,
    State,
    move,
    move_act,
    read,
)
from tests.databases import SEALER
from tests.payments.automatic import agreed, allow
from tests.payments.household import CHENM, E_ZHANG, LIMIN, House
from tests.payments.state_tables import PAGE, page

NOW = datetime(2026, 3, 10, 1, tzinfo=UTC)
LEGAL = {(frm, to) for frm, to, _ in TRANSITIONS}
# By name: where it is stored, its states, its steps, and the states its column takes.
MACHINES = {
    "act": (acts, ActState, ACT_TRANSITIONS, ACT_STATES),
    "payment": (payments, State, TRANSITIONS, PAYMENT_STATES),
    "mandate": (mandates, MandateState, MANDATE_TRANSITIONS, MANDATE_STATES),
}
MOVES: dict[str, Callable[[Tx, str, StrEnum, StrEnum], bool]] = {
    "act": lambda tx, id, frm, to: move_act(tx, id, frm, to, NOW),  # type: ignore[arg-type]
    "payment": lambda tx, id, frm, to: move(tx, id, frm, to, NOW),  # type: ignore[arg-type]
    "mandate": lambda tx, id, frm, to: move_mandate(tx, read_mandate(tx, id), to, NOW),  # type: ignore[arg-type]
}
PAIRS = [
    (name, frm, to, (frm, to) in {(a, b) for a, b, _ in steps})
    for name, (_, kind, steps, _) in MACHINES.items()
    for frm, to in product(kind, kind)
]


@pytest.mark.parametrize("name", MACHINES)
def test_the_table_speaks_of_the_states_that_are_stored_and_names_every_step(name: str) -> None:
    _, kind, steps, stored = MACHINES[name]
    assert {s.value for s in kind} == set(stored)
    pairs = [(frm, to) for frm, to, _ in steps]
    assert len(pairs) == len(set(pairs))
    assert all(why for _, _, why in steps)
    first = next(iter(kind))
    reached = {to for _, to in pairs} | {first}
    assert reached == set(kind)


@pytest.fixture(scope="module")
def base() -> Store:
    """An act, a payment and an automatic payment, each set into every state in turn."""
    house = House.over(Store.in_memory(SEALER), VirtualClock(NOW))
    house.enrol()
    allow(house)
    with asyncio.Runner() as runner:
        runner.run(house.confirmed(CHENM, E_ZHANG))
    agreed(house)
    return house.store


def placed(store: Store, name: str, state: StrEnum) -> str:
    """The row of this machine, put into a state by hand."""
    table = MACHINES[name][0]

    def put(tx: Tx) -> str:
        tx.conn.execute(sa.update(table).values(state=state.value))
        return str(tx.conn.scalar(sa.select(table.c.id).order_by(table.c.id).limit(1)))

    return store.run_now(put)


def state_of(store: Store, name: str, id: str) -> str:
    table = MACHINES[name][0]
    return str(store.run_now(lambda tx: tx.conn.scalar(sa.select(table.c.state).where(table.c.id == id))))


@pytest.mark.parametrize("name", MACHINES)
def test_each_legal_step_is_made_and_each_other_refused(name: str, base: Store) -> None:
    for frm, to, legal in [(f, t, ok) for machine, f, t, ok in PAIRS if machine == name]:
        id = placed(base, name, frm)
        if legal:
            assert base.run_now(lambda tx, id=id, frm=frm, to=to: MOVES[name](tx, id, frm, to))
            assert state_of(base, name, id) == to.value
            continue
        with pytest.raises(IllegalMove):
            base.run_now(lambda tx, id=id, frm=frm, to=to: MOVES[name](tx, id, frm, to))
        assert state_of(base, name, id) == frm.value


@pytest.mark.parametrize(
    ("name", "frm", "to"),
    [
        ("act", ActState.CANCELLED, ActState.CONFIRMED),
        ("payment", State.SETTLED, State.CONFIRMED),
        ("mandate", MandateState.REVOKED, MandateState.ACTIVE),
    ],
)
async def test_an_illegal_step_is_an_alarm_that_outlives_its_transaction(
    name: str, frm: StrEnum, to: StrEnum, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    allow(house)
    await house.confirmed(CHENM, E_ZHANG)
    agreed(house)
    id = placed(house.store, name, frm)

    def wrong(tx: Tx) -> bool:
        tx.conn.execute(sa.update(payments).values(reason="half written"))
        return MOVES[name](tx, id, frm, to)

    with caplog.at_level(logging.ERROR), pytest.raises(IllegalMove):
        house.store.run_now(wrong)
    assert "alarm: illegal move refused" in caplog.text
    (ticket,) = house.store.run_now(letters.tickets_waiting)
    assert (ticket.kind, ticket.reason) == ("illegal_move", f"{frm}_to_{to}")
    assert ticket.person in (CHENM, LIMIN)
    assert house.audit()[-1] == "alarm_raised"
    assert house.store.run_now(journal.verify) == []
    kept = house.store.run_now(lambda tx: tx.conn.scalar(sa.select(payments.c.reason)))
    assert kept is None  # nothing of the mistaken transaction stayed


async def test_a_move_from_a_state_left_meanwhile_writes_nothing(house: House) -> None:
    payment = await house.confirmed(CHENM, E_ZHANG)
    first = house.store.run_now(
        lambda tx: move(tx, payment, State.CONFIRMED, State.SUBMITTED, house.now, sent_at=house.now)
    )
    second = house.store.run_now(
        lambda tx: move(tx, payment, State.CONFIRMED, State.CANCELLED, house.now, reason="stopped")
    )
    assert (first, second) == (True, False)
    assert house.store.run_now(lambda tx: read(tx, payment)).reason is None


def test_what_failed_was_declined_or_closed_and_what_was_cancelled_was_never_sent() -> None:
    # L2: nothing that is merely unknown may end as failed or cancelled by the passing of time.
    reasons = {(frm, what) for frm, to, what in TRANSITIONS if to is State.FAILED}
    assert {what for _, what in reasons} == {
        "declined",
        "closed for certain",
        "declined or closed after all",
    }
    cancelled = {what for _, to, what in TRANSITIONS if to is State.CANCELLED}
    assert cancelled == {"stopped before anything was sent", "certainly not sent, given up"}


def test_a_settled_or_refunded_payment_goes_nowhere() -> None:
    assert {frm for frm, _ in LEGAL} & {State.SETTLED, State.REFUNDED} == set()
    assert {to for frm, to in LEGAL if frm in FINAL} == {State.REFUNDING}  # late money, and nothing else


def test_only_ended_payments_and_returning_money_free_the_account() -> None:
    assert {State(s) for s in OPEN_STATES} == set(State) - FINAL - {State.REFUNDING}


def test_an_unknown_payment_is_said_to_be_unknown(base: Store) -> None:
    with pytest.raises(NoSuchPayment):
        base.run_now(lambda tx: read(tx, states.PaymentId("pay_none")))


def test_the_page_of_states_is_the_tables() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.payments.state_tables"
