"""What of an agreement counts now: whatever would let more be taken than before waits 72 hours, so nothing rises in a hurry.

Higher caps and a higher fixed amount take more, oftener a day takes it sooner, a higher threshold takes it earlier, and being asked later, or no
more, takes what would have waited for a yes. All of them rise alike; what is less counts at once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa

from data.ids import AccountId, PersonId
from data.money import Money
from data.store.engine import Tx
from data.store.mandates import mandates
from payments.mandates import Mandate, last_ended, live_at, of_row
from payments.terms import MandateKind, Terms

_Bound = TypeVar("_Bound", Money, int)
RAISED_AFTER = timedelta(hours=72)  # what is raised counts so long after the yes


def terms_at(tx: Tx, held: Mandate, at: datetime) -> Terms:
    """The terms that count at this moment: of each the lower one, until 72 hours after the yes to the higher.

    What the same payer let end at this account within those hours counts like a change: stopping and beginning anew
    makes nothing rise sooner.
    """
    young = held.active_at is not None and at < held.active_at + RAISED_AFTER
    before = _before(tx, held) if young else None
    return held.terms if before is None else lesser(held.terms, terms_at(tx, before, at))


def terms_before(
    tx: Tx, account: AccountId, payer: PersonId, kind: MandateKind, at: datetime
) -> Terms | None:
    """What counts now and a new agreement of this payer would begin from; None when nothing went before it."""
    live = live_at(tx, account)
    if live is None or live.payer != payer:
        live = last_ended(tx, account)
    if live is None or live.active_at is None or (live.payer, live.terms.kind) != (payer, kind):
        return None
    if live.ended_at is not None and live.ended_at <= at - RAISED_AFTER:
        return None
    return terms_at(tx, live, at)


def lesser(wanted: Terms, before: Terms) -> Terms:
    """What is wanted, as far as it takes no more than before."""
    charge = min(wanted.per_charge, before.per_charge)
    return replace(
        wanted,
        per_charge=charge,
        per_month=min(wanted.per_month, before.per_month),
        per_day=min(wanted.per_day, before.per_day),
        below=_least(wanted.below, before.below),
        amount=None if wanted.amount is None else min(wanted.amount, charge, before.amount or charge),
        ask_above=_least(wanted.ask_above, before.ask_above),
    )


_RISING = ("amount", "per_charge", "per_month", "per_day", "below", "ask_above")


def raised(wanted: Terms, before: Terms) -> frozenset[str]:
    """The names of the terms that would let more be taken, oftener, earlier or unasked."""
    less = lesser(wanted, before)
    return frozenset(name for name in _RISING if getattr(wanted, name) != getattr(less, name))


def _least(one: _Bound | None, other: _Bound | None) -> _Bound | None:
    """None sets no bound."""
    return min((bound for bound in (one, other) if bound is not None), default=None)


def _before(tx: Tx, held: Mandate) -> Mandate | None:
    """The agreement of the same payer at this account that ended last, within the hours before this one began."""
    assert held.active_at is not None, "only one in force has a before"
    query = sa.select(mandates).where(
        mandates.c.account == held.account,
        mandates.c.payer == held.payer,
        mandates.c.kind == held.terms.kind.value,
        mandates.c.id != held.id,
        mandates.c.active_at < held.active_at,
        mandates.c.ended_at > held.active_at - RAISED_AFTER,
        mandates.c.ended_at <= held.active_at,
    )
    row = tx.conn.execute(query.order_by(mandates.c.ended_at.desc(), mandates.c.id).limit(1)).first()
    return None if row is None else of_row(row)
