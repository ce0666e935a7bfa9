"""Money at rest: what an operator stopped, a rail that does not answer, and who is to be told when paying works again.

Nothing new is sent to the rail meanwhile. What was sent before is still asked about, written off and given back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data.ids import AccountId, BillerId, PersonId, fresh
from data.store import journal
from data.store.engine import Tx
from data.store.payments import outages, pauses, payments, waiting
from payments.notices import notice

ALL, BILLER, RAIL = "all", "biller", "rail"
PAUSED = "paused"  # an operator stopped it
RAIL_DOWN = "rail_down"  # the rail does not answer
CAN_PAY_AGAIN = "can_pay_again"  # the news to who asked to be told

_HOUSE = PersonId("house")
_STILL = pauses.c.resumed_at.is_(None)
_ROUND = 200  # people told in one transaction


@dataclass(frozen=True, slots=True)
class Pause:
    """What somebody stopped. `subject` names the biller or rail; "" when everything rests."""

    id: str
    scope: str
    subject: str
    reason: str
    by: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why nothing can be sent now: PAUSED or RAIL_DOWN, and since when."""

    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Outage:
    """A rail that did not answer. `over_at` None: it still does not. `waited`: people who asked to be told."""

    rail: str
    since: datetime
    over_at: datetime | None
    waited: int


# --- what an operator stops --------------------------------------------------------------------------------------


def pause(tx: Tx, *, scope: str, subject: str, reason: str, by: str, at: datetime) -> bool:
    """Stops sending for all, one biller or one rail; False when that rests already. Who and why goes into the audit."""
    assert scope in (ALL, BILLER, RAIL), scope
    tx.alone("pauses")
    if tx.conn.scalar(sa.select(sa.exists().where(_STILL, _same(scope, subject)))):
        return False
    new, facts = fresh("pau"), {"scope": scope, "subject": subject, "reason": reason}
    tx.conn.execute(sa.insert(pauses).values(id=new, paused_by=by, since=at, **facts))
    _audit(tx, "captures_paused", new, by, at, facts)
    return True


def resume(tx: Tx, *, by: str, at: datetime, scope: str | None = None, subject: str = "") -> int:
    """Ends one pause, or every one when no scope is named; gives how many ended."""
    tx.alone("pauses")
    meant = _STILL if scope is None else sa.and_(_STILL, _same(scope, subject))
    ended = list(tx.conn.scalars(sa.select(pauses.c.id).where(meant).order_by(pauses.c.since)))
    values = {"resumed_by": by, "resumed_at": at}
    tx.conn.execute(sa.update(pauses).where(pauses.c.id.in_(ended)).values(**values))
    for one in ended:
        _audit(tx, "captures_resumed", one, by, at, {})
    if ended:
        unsent = sa.and_(payments.c.state == "confirmed", payments.c.lease_until.is_(None))
        tx.conn.execute(sa.update(payments).where(unsent).values(next_at=at))
    return len(ended)


def in_force(tx: Tx) -> list[Pause]:
    """Every pause that still holds, the oldest first."""
    rows = tx.conn.execute(sa.select(pauses).where(_STILL).order_by(pauses.c.since, pauses.c.id))
    return [Pause(r.id, r.scope, r.subject, r.reason, r.paused_by, r.since) for r in rows]


def not_paused(biller: BillerId, rail: str) -> sa.ColumnElement[bool]:
    """Said in the statement that marks a payment as sent, so that sending and pausing are decided in one order."""
    return ~sa.exists().where(_STILL, _covers([biller], rail))


def is_paused(tx: Tx, biller: BillerId, rail: str) -> bool:
    """Whether nothing may be sent for this biller through this rail now."""
    return bool(tx.conn.scalar(sa.select(sa.exists().where(_STILL, _covers([biller], rail)))))


def hindrance(tx: Tx, billers: Iterable[BillerId] = ()) -> Hindrance | None:
    """Why these bills cannot be paid at this moment, or None; asked before anything is read back."""
    paused = sa.select(sa.literal(PAUSED).label("reason"), pauses.c.since)
    paused = paused.where(_STILL, _covers(list(billers), None))
    down = sa.select(sa.literal(RAIL_DOWN).label("reason"), outages.c.since).where(
        outages.c.over_at.is_(None)
    )
    either = paused.union_all(down).subquery()
    row = tx.conn.execute(sa.select(either).order_by(either.c.since).limit(1)).first()
    return None if row is None else Hindrance(row.reason, row.since)


def reasons(tx: Tx) -> tuple[str, ...]:
    """Everything that rests now, in words for a log."""
    stopped = [f"{' '.join((PAUSED, p.scope, p.subject)).strip()}: {p.reason}" for p in in_force(tx)]
    down = tx.conn.scalars(sa.select(outages.c.rail).where(outages.c.over_at.is_(None)).order_by("rail"))
    return (*stopped, *(f"{RAIL_DOWN} {rail}" for rail in down))


def _same(scope: str, subject: str) -> sa.ColumnElement[bool]:
    return sa.and_(pauses.c.scope == scope, pauses.c.subject == subject)


def _covers(billers: list[BillerId], rail: str | None) -> sa.ColumnElement[bool]:
    """Before a rail is chosen (None) a pause of any rail counts: nobody is asked for a yes that may come to nothing."""
    through = pauses.c.scope == RAIL if rail is None else _same(RAIL, rail)
    of_biller = sa.and_(pauses.c.scope == BILLER, pauses.c.subject.in_(billers))
    return sa.or_(pauses.c.scope == ALL, of_biller, through)


def _audit(tx: Tx, kind: str, subject: str, by: str, at: datetime, body: dict[str, Any]) -> None:
    journal.record(tx, kind=kind, person=_HOUSE, actor=PersonId(by), subject=subject, at=at, body=body)


# --- a rail that does not answer ---------------------------------------------------------------------------------


def noticed_down(tx: Tx, rail: str, at: datetime) -> bool:
    """It does not answer; True when that is news."""
    tx.alone("outages")
    still = sa.and_(outages.c.rail == rail, outages.c.over_at.is_(None))
    if tx.conn.execute(sa.update(outages).where(still).values(seen_at=at)).rowcount:
        return False
    row = {"id": fresh("out"), "rail": rail, "since": at, "seen_at": at}
    tx.conn.execute(sa.insert(outages).values(**row))
    return True


def noticed_up(tx: Tx, rail: str, at: datetime) -> bool:
    """It answers; True when it did not before."""
    still = sa.and_(outages.c.rail == rail, outages.c.over_at.is_(None))
    return tx.conn.execute(sa.update(outages).where(still).values(over_at=at)).rowcount > 0


def last_outage(tx: Tx, since: datetime) -> Outage | None:
    """The outage of now, or the last one that ended after `since`."""
    recent = sa.or_(outages.c.over_at.is_(None), outages.c.over_at >= since)
    order = (outages.c.over_at.is_(None).desc(), outages.c.since.desc())
    row = tx.conn.execute(sa.select(outages).where(recent).order_by(*order).limit(1)).first()
    if row is None:
        return None
    until = sa.true() if row.over_at is None else waiting.c.since <= row.over_at
    count = sa.select(sa.func.count()).select_from(waiting).where(waiting.c.since >= row.since, until)
    return Outage(row.rail, row.since, row.over_at, tx.conn.scalar(count) or 0)


# --- 好了告诉我 ---------------------------------------------------------------------------------------------------


def remember(tx: Tx, person: PersonId, account: AccountId, biller: BillerId, at: datetime) -> bool:
    """He will be told, and asked again, when this can be paid; False when that was promised already."""
    tx.alone(f"waiting:{person}")
    if account in awaited(tx, person):
        return False
    row = {"id": fresh("wai"), "person": person, "account": account, "biller": biller, "since": at}
    tx.conn.execute(sa.insert(waiting).values(**row))
    return True


def awaited(tx: Tx, person: PersonId) -> list[AccountId]:
    """For which accounts this person waits to hear that paying works."""
    mine = sa.and_(waiting.c.person == person, waiting.c.over_at.is_(None))
    query = sa.select(waiting.c.account).where(mine).order_by(waiting.c.since, waiting.c.id)
    return [AccountId(a) for a in tx.conn.scalars(query)]


def forget(tx: Tx, person: PersonId, account: AccountId, at: datetime) -> None:
    """He did it otherwise, or does not want to be told any more."""
    mine = sa.and_(waiting.c.person == person, waiting.c.account == account, waiting.c.over_at.is_(None))
    tx.conn.execute(sa.update(waiting).where(mine).values(over_at=at))


def waiting_now(tx: Tx) -> int:
    """How many people and bills wait."""
    query = sa.select(sa.func.count()).select_from(waiting).where(waiting.c.over_at.is_(None))
    return tx.conn.scalar(query) or 0


@dataclass(frozen=True, slots=True)
class Told:
    """How many were told in one transaction, and where the next one goes on (None: everybody was looked at)."""

    told: int
    next: tuple[datetime, str] | None


def tell_waiting(tx: Tx, at: datetime, after: tuple[datetime, str] | None = None) -> Told:
    """News to everybody whose bill can be paid again, a round at a time; nothing is paid by it.

    Those whose biller still rests stay where they are, and stand in nobody's way.
    """
    query = sa.select(waiting).where(waiting.c.over_at.is_(None)).order_by(waiting.c.since, waiting.c.id)
    if after is not None:
        since, last = after
        later = sa.and_(waiting.c.since == since, waiting.c.id > last)
        query = query.where(sa.or_(waiting.c.since > since, later))
    rows = tx.conn.execute(query.limit(_ROUND).with_for_update(skip_locked=True)).all()
    rests = {biller: hindrance(tx, [BillerId(biller)]) for biller in {row.biller for row in rows}}
    told = 0
    for row in rows:
        if rests[row.biller] is not None:
            continue
        tx.conn.execute(sa.update(waiting).where(waiting.c.id == row.id).values(over_at=at))
        body = {"account": row.account, "biller": row.biller, "since": row.since.isoformat()}
        told += notice(tx, PersonId(row.person), CAN_PAY_AGAIN, row.id, body, at)
    return Told(told, (rows[-1].since, rows[-1].id) if rows else None)
