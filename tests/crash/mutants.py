"""Programs with a mistake in them, so that we know the judge would see it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import cycle
from typing import Any

from data.ids import OrderNumber, PersonId, fresh
from data.store import letters
from data.store.engine import Tx
from integrations.ports import Charge, Declined, NotFound, Outcome, Reason, Unknown
from integrations.sandbox.rail import SandboxRail
from payments import durable, runner
from payments.acts import AlreadyConfirmed, Confirmed, Refusal
from payments.till import Till

_CHARGE, _FIRST_SEEN, _CONFIRM = SandboxRail.charge, letters.first_seen, Till.confirm
_LEASE_LETTERS = letters.lease_letters


def spoil(name: str) -> None:
    """Puts one mistake into this process."""
    MUTANTS[name]()


def _asks_nobody() -> None:
    """Whether the rail has the money already is not asked: it is sent again, as something new."""

    async def charge(self: SandboxRail, request: Charge) -> Outcome:
        return await _CHARGE(self, replace(request, order=OrderNumber(fresh("bj", 24))))

    async def status(self: SandboxRail, order: OrderNumber) -> Outcome:
        return NotFound()

    SandboxRail.charge = charge  # type: ignore[method-assign]
    SandboxRail.status = status  # type: ignore[method-assign]


def _sends_again_as_new() -> None:
    """A repetition is taken for something new: the number comes from the attempt and not from the payment."""
    sent: set[OrderNumber] = set()

    async def charge(self: SandboxRail, request: Charge) -> Outcome:
        again = request.order in sent
        sent.add(request.order)
        return await _CHARGE(self, replace(request, order=OrderNumber(fresh("bj", 24))) if again else request)

    SandboxRail.charge = charge  # type: ignore[method-assign]


def _takes_silence_for_a_no() -> None:
    async def charge(self: SandboxRail, request: Charge) -> Outcome:
        answer = await _CHARGE(self, request)
        return Declined(Reason.DECLINED) if isinstance(answer, Unknown) and answer.sent else answer

    SandboxRail.charge = charge  # type: ignore[method-assign]


def _forgets_payments() -> None:
    runner.due_payments = durable.due_payments = lambda *_a, **_k: []


def _forgets_yeses() -> None:
    """Every fifth yes is answered, and never written."""
    turns = cycle((True, True, False, True, True))

    def confirm(self: Till, tx: Tx, **yes: Any) -> Confirmed | AlreadyConfirmed | Refusal:
        done = _CONFIRM(self, tx, **yes)
        if not next(turns):
            transaction = tx.conn.get_transaction()
            assert transaction is not None
            transaction.rollback()
        return done

    Till.confirm = confirm  # type: ignore[method-assign]


def _ignores_leases() -> None:
    """Letters somebody else is carrying are taken all the same."""

    def lease_letters(
        tx: Tx,
        *,
        channel: str | None,
        person: PersonId | None,
        at: datetime,
        lease: timedelta,
        limit: int = 50,
    ) -> list[letters.Letter]:
        nothing = timedelta(0)
        return _LEASE_LETTERS(tx, channel=channel, person=person, at=at, lease=nothing, limit=limit)

    letters.lease_letters = lease_letters


def _tells_again() -> None:
    def first_seen(tx: Tx, channel: str, event_id: str, person: PersonId, at: datetime) -> bool:
        return channel == "news" or _FIRST_SEEN(tx, channel, event_id, person, at)

    letters.first_seen = first_seen
    letters.mark_served = lambda *_: True


MUTANTS = {
    "sends under a new number": _asks_nobody,
    "sends again under a new number": _sends_again_as_new,
    "takes silence for a no": _takes_silence_for_a_no,
    "forgets what was under way": _forgets_payments,
    "forgets a yes": _forgets_yeses,
    "ignores leases of letters": _ignores_leases,
    "tells news again": _tells_again,
}
