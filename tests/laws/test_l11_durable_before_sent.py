"""L11: nothing is sent before it is durable; whatever is unknown has a next poll or a person; the book equals the statement."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from data.clock import shanghai
from data.ids import OrderNumber
from data.money import Money
from data.store.payments import payments
from dialogues import conversations
from payments import invariants, states
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


async def breaches(town: RealTown) -> list[str]:
    """Payments through every kind of lost answer, the process dying in between; looked at after each minute."""
    await town.open("limin")
    found: list[str] = []
    for fault in FAULTS:
        await town.control.change_account("W-LI", due_fen=4_650)
        await town.control.fault("rail", fault, seconds=90, operation="charge", uses=1)
        await town.says("limin", "停", "交水费", "确认", town.pin("limin"))
        found += [f"{fault}: {b}" for b in await _books(town)]
        await town.restart()
        for _ in range(6):
            await town.later_by(timedelta(minutes=2))
            found += [f"{fault}: {b}" for b in await _books(town)]
        await town.control.set_funds("pm-limin", Money(50_000))
    return found + await _statement(town)


async def _books(town: RealTown) -> list[str]:
    """M-I1 to M-I17 against the rail's own truth, at this moment."""
    seen = [(OrderNumber(c.order), Money(c.amount_fen)) for c in (await town.control.inspect()).captures]
    catalogue = town.app.catalogue
    return await town.app.store.run(lambda tx: invariants.check(tx, seen, catalogue=catalogue))


async def _statement(town: RealTown) -> list[str]:
    """What the rail's statement of the day says, and what our rows say."""
    day = shanghai(town.clock.now()).date()
    theirs = sorted(
        (r.order, r.amount.fen) async for r in town.app.rail.statement(day) if r.kind == "capture"
    )
    taken = sa.select(payments.c.number, payments.c.amount_fen).where(payments.c.captured_at.is_not(None))
    ours = await town.app.store.run(
        lambda tx: sorted((r.number, r.amount_fen) for r in tx.conn.execute(taken))
    )
    return [] if theirs == ours and len(ours) >= 4 else [f"the statement has {theirs}, the book {ours}"]


async def test_written_before_sent_and_never_left_in_the_air(town: RealTown) -> None:
    assert await breaches(town) == []


def _the_poll_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """What is not known yet is put away without a next look."""
    patch.setattr("payments.collecting._still_open", lambda hand, held, poll_after: None)


@pytest.mark.parametrize(
    "mistake",
    [
        mutants.sent_before_it_is_written,
        mutants.state_and_book_in_two_commits,
        mutants.no_answer_taken_for_failure,
        _the_poll_is_forgotten,
    ],
)
async def test_a_breach_is_seen(
    town: RealTown, monkeypatch: pytest.MonkeyPatch, mistake: Callable[[pytest.MonkeyPatch], None]
) -> None:
    mistake(monkeypatch)
    assert await breaches(town) != []


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
