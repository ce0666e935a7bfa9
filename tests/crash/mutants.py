"""Programs with a mistake in them, so that we know the judge would see it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from data.ids import OrderNumber, PersonId, fresh
from data.store import letters
from data.store.engine import Tx
from integrations.ports import Charge, NotFound, Outcome
from integrations.sandbox.rail import SandboxRail
from payments import runner

_CHARGE, _FIRST_SEEN = SandboxRail.charge, letters.first_seen


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


def _forgets_payments() -> None:
    runner.due_payments = lambda *_a, **_k: []


def _tells_again() -> None:
    def first_seen(tx: Tx, channel: str, event_id: str, person: PersonId, at: datetime) -> bool:
        return channel == "news" or _FIRST_SEEN(tx, channel, event_id, person, at)

    letters.first_seen = first_seen
    letters.mark_served = lambda *_: True


MUTANTS = {
    "sends under a new number": _asks_nobody,
    "forgets what was under way": _forgets_payments,
    "tells news again": _tells_again,
}
