"""L11: nothing is sent before it is durable; whatever is unknown has a next poll or a person; the book equals the statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from data.clock import shanghai
from data.ids import OrderNumber, PaymentId
from data.money import Money
from data.store.engine import Tx
from data.store.payments import payments
from dialogues import conversations
from integrations.ports import Charge, Outcome
from payments import invariants, states
from payments.advance import Advance
from payments.limits import Limits
from tests.safety.real_town import RealTown
from tests.simulation import mutants

FAULTS = (
    "lost_answer",
    "timeout_then_paid_after",
    "timeout_never_paid",
    "error_500_after",
    "garbled_answer",
    "slow",
)


async def breaches(town: RealTown, faults: Sequence[str] = FAULTS) -> list[str]:
    """Payments through every kind of lost answer, the process dying in between; looked at after each minute."""
    await town.open("limin")
    found: list[str] = []
    for fault in faults:
        await town.control.change_account("W-LI", due_fen=4_650)
        await town.control.fault("rail", fault, seconds=90, operation="charge", uses=1)
        _watch(town, found)
        await town.says("limin", "停", "交水费", "确认", town.pin("limin"))
        found += [f"{fault}: {b}" for b in await _books(town)]
        await town.restart()
        for _ in range(6):
            await town.later_by(timedelta(minutes=2))
            found += [f"{fault}: {b}" for b in await _books(town)]
        await town.control.set_funds("pm-limin", Money(50_000))
    return found + await _statement(town, least=len(faults) - 2)


def _watch(town: RealTown, found: list[str]) -> None:
    """Looks into the database in the very moment in which something goes to the rail."""
    rail = town.app.rail
    right = rail.charge

    async def watched(request: Charge) -> Outcome:
        written = sa.select(payments.c.sent_at, payments.c.amount_fen).where(
            payments.c.number == request.order
        )
        row = await town.app.store.run(lambda tx: tx.conn.execute(written).one_or_none())
        if row is None or row.sent_at is None or row.amount_fen != request.amount.fen:
            found.append(f"sent before it was written: {row}")
        return await right(request)

    rail.charge = watched  # type: ignore[method-assign]


async def _books(town: RealTown) -> list[str]:
    """M-I1 to M-I17 against the rail's own truth, at this moment."""
    seen = [(OrderNumber(c.order), Money(c.amount_fen)) for c in (await town.control.inspect()).captures]
    catalogue = town.app.catalogue
    return await town.app.store.run(lambda tx: invariants.check(tx, seen, catalogue=catalogue))


async def _statement(town: RealTown, least: int) -> list[str]:
    """What the rail's statement of the day says, and what our rows say."""
    day = shanghai(town.clock.now()).date()
    rows = [(r.order, r.amount.fen) async for r in town.app.rail.statement(day) if r.kind == "capture"]
    theirs = sorted(rows)
    taken = sa.select(payments.c.number, payments.c.amount_fen).where(payments.c.captured_at.is_not(None))
    ours = await town.app.store.run(
        lambda tx: sorted((r.number, r.amount_fen) for r in tx.conn.execute(taken))
    )
    return [] if theirs == ours and len(ours) >= least else [f"the statement has {theirs}, the book {ours}"]


async def test_written_before_sent_and_never_left_in_the_air(town: RealTown) -> None:
    assert await breaches(town) == []


def _the_poll_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """What is not known yet is put away without a next look."""
    patch.setattr("payments.collecting._still_open", lambda hand, held, poll_after: None)


def _the_book_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("payments.ledger.transfer", lambda tx, **entry: None)


@pytest.mark.parametrize(
    "mistake",
    [
        mutants.sent_before_it_is_written,
        _the_book_is_forgotten,
        mutants.no_answer_taken_for_failure,
        _the_poll_is_forgotten,
    ],
)
async def test_a_breach_is_seen(
    town: RealTown, monkeypatch: pytest.MonkeyPatch, mistake: Callable[[pytest.MonkeyPatch], None]
) -> None:
    mistake(monkeypatch)
    assert await breaches(town, FAULTS[:2]) != []


async def test_a_turn_that_could_not_be_kept_was_not_sent(
    town: RealTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database refuses the turn of the yes: no letter of it, no payment of it, no request at the rail."""
    await town.open("limin")
    await town.says("limin", "交水费", "确认")
    before = await town.sent()
    with monkeypatch.context() as patch:

        def refuses(*_: Any, **__: Any) -> None:
            raise sa.exc.OperationalError("disk full", None, Exception())

        patch.setattr(conversations, "save", refuses)
        with pytest.raises(sa.exc.OperationalError):
            await town.do(town.message("limin", town.pin("limin")))
    assert await town.sent() == before
    assert [c for c in (await town.facts()).gateway_calls or () if c.action == "pay"] == []
    assert await town.broken() == []


async def test_a_payment_that_breaks_our_program_holds_up_no_other(
    town: RealTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that no process can carry on, and somebody else's payment behind it."""
    await town.open("limin", "chengfs")
    await town.says("limin", "交水费", "确认")
    right = Advance._begin

    def breaks(self: Advance, payment: PaymentId, token: str, tx: Tx) -> Any:
        if states.read(tx, payment).payer == "limin":
            raise ValueError("of ours")
        return right(self, payment, token, tx)

    with monkeypatch.context() as patch:
        patch.setattr(Advance, "_begin", breaks)
        await town.says("limin", town.pin("limin"))
        await town.says("chengfs", "交水费", "付", town.pin("chengfs"))
        await town.later_by(timedelta(minutes=1))
        assert await town.captures() == [("W-CHENG", 3_120)]
    await town.later_by(timedelta(minutes=1))
    assert ("W-LI", 4_650) in await town.captures()
    assert await town.broken() == []


async def test_whatever_stays_unknown_reaches_a_person(town: RealTown) -> None:
    await town.open("limin")
    await town.says("limin", "交水费", "确认")
    for operation in ("charge", "status"):
        await town.control.fault("rail", "error_500", operation=operation, uses=10_000)
    await town.says("limin", town.pin("limin"))
    await town.later_by(Limits().unknown + timedelta(minutes=5))
    assert [t["kind"] for t in (await town.facts()).tickets or ()] == ["payment_unclear"]
    state = await town.app.store.run(lambda tx: tx.conn.scalar(sa.select(payments.c.state)))
    assert state not in {s.value for s in states.FINAL}
    assert await _books(town) == []
