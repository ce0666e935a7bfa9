"""A warning climbs from person to person, payer, elder, helper, operator, until somebody answers it or it is over.

That somebody could not pay is never silent; that everybody heard of it is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.ids import AccountId, PersonId, fresh
from data.model import May, Role
from data.store import letters
from data.store.engine import Tx
from data.store.mandates import warnings
from payments.authority import access, people
from payments.limits import Limits
from payments.notices import notice
from payments.opening import till_account

_HELPERS, _OPERATOR = 2, 3
_SEES = frozenset({May.BILLS, May.NOTICES, May.START_PAYMENT})


@dataclass(frozen=True, slots=True)
class Ladder:
    """Who is told next, and when."""

    limits: Limits

    def climb(self, tx: Tx, at: datetime) -> int:
        """Every warning whose time has come goes one rung up; gives how many did."""
        due = sa.select(warnings).where(
            warnings.c.next_at <= at, warnings.c.acknowledged_at.is_(None), warnings.c.over_at.is_(None)
        )
        rows = tx.conn.execute(due.order_by(warnings.c.next_at, warnings.c.id).with_for_update()).all()
        patient = [row for row in rows if at >= row.next_at + _patience(row.body, self.limits)]
        for row in patient:
            self._up(tx, row, at)
        return len(patient)

    def _up(self, tx: Tx, row: sa.Row[Any], at: datetime) -> None:
        told, rung = list(row.body["told"]), row.rung
        heard: list[PersonId] = []
        while not heard and rung < _OPERATOR:
            rung += 1
            heard = [p for p in _on(tx, AccountId(row.account), rung, at) if p not in told]
        for person in heard:
            body = {**row.body, "of": row.kind, "rung": rung, "warning": row.id}
            notice(tx, person, "warning", f"{row.id}:{rung}", body, at)
        if rung == _OPERATOR:
            _ticket(tx, row, at)
        again = None if rung == _OPERATOR else at
        body = {**row.body, "told": [*told, *heard], "nobody_heard": False}
        mine = warnings.c.id == row.id
        tx.conn.execute(sa.update(warnings).where(mine).values(rung=rung, next_at=again, body=body))


def warn(
    tx: Tx,
    *,
    kind: str,
    account: AccountId,
    cause: str,
    first: list[PersonId],
    body: dict[str, Any],
    at: datetime,
    news: str | None = None,
) -> bool:
    """Tells the first of the ladder, once for each `cause`; the news is of kind `news`, else of the warning's own kind.

    False: told before.
    """
    warning = fresh("war")
    told = {**body, "account": account, "told": list(first)}
    new = tx.put_new(
        warnings,
        id=warning,
        kind=kind,
        account=account,
        cause=cause,
        body=told,
        rung=0,
        next_at=at,
        created_at=at,
    )
    if new:
        for person in first:
            notice(tx, person, news or kind, warning, {**told, "warning": warning, "rung": 0}, at)
    return new


def acknowledge(tx: Tx, person: PersonId, at: datetime) -> int:
    """Warnings this person was told of go no further."""
    mine = [row.id for row in _open(tx) if person in row.body["told"]]
    values = {"acknowledged_by": person, "acknowledged_at": at, "next_at": None}
    tx.conn.execute(sa.update(warnings).where(warnings.c.id.in_(mine)).values(**values))
    return len(mine)


def over(tx: Tx, account: AccountId, at: datetime, kinds: frozenset[str] | None = None) -> None:
    """The meter is full again, the bill is paid: nobody need hear of it any more."""
    mine = sa.and_(warnings.c.account == account, warnings.c.over_at.is_(None))
    if kinds is not None:
        mine = sa.and_(mine, warnings.c.kind.in_(kinds))
    tx.conn.execute(sa.update(warnings).where(mine).values(over_at=at, next_at=None))


def is_open(tx: Tx, account: AccountId, kind: str) -> bool:
    """Whether something of this kind was warned of and is not over, answered or not."""
    same = sa.and_(warnings.c.account == account, warnings.c.kind == kind, warnings.c.over_at.is_(None))
    return bool(tx.conn.scalar(sa.select(sa.exists().where(same))))


def is_over(tx: Tx, warning: str) -> bool:
    """Whether what was warned of is so no more."""
    return tx.conn.scalar(sa.select(warnings.c.over_at).where(warnings.c.id == warning)) is not None


def unheard(tx: Tx, warning: str, person: PersonId, at: datetime) -> None:
    """This person could not be told: where nobody of his rung could, the next one is told without waiting any longer."""
    row = tx.conn.execute(sa.select(warnings).where(warnings.c.id == warning).with_for_update()).first()
    if row is None:
        return
    deaf = sorted({*row.body.get("deaf", ()), person})
    alone = set(row.body["told"]) <= set(deaf)
    body = {**row.body, "deaf": deaf, "nobody_heard": alone}
    tx.conn.execute(sa.update(warnings).where(warnings.c.id == warning).values(body=body))


def _open(tx: Tx) -> list[sa.Row[Any]]:
    unanswered = sa.and_(warnings.c.acknowledged_at.is_(None), warnings.c.over_at.is_(None))
    return list(tx.conn.execute(sa.select(warnings).where(unanswered).with_for_update()))


def _patience(body: dict[str, Any], limits: Limits) -> timedelta:
    if body.get("nobody_heard"):
        return timedelta(0)
    return limits.rung_urgent if body.get("urgent") else limits.rung


def _on(tx: Tx, account: AccountId, rung: int, at: datetime) -> list[PersonId]:
    holder = till_account(tx, account).holder
    if holder is None or rung >= _OPERATOR:
        return []
    return _helpers(tx, holder, at) if rung == _HELPERS else [holder]


def _helpers(tx: Tx, elder: PersonId, at: datetime) -> list[PersonId]:
    """Community helpers this person lets see his bills, at this moment."""
    given = [g.taker for g in access.grants_by(tx, elder, at) if g.valid and g.verb in _SEES]
    return [p for p in dict.fromkeys(given) if people.person(tx, p).role is Role.HELPER]


def _ticket(tx: Tx, row: sa.Row[Any], at: datetime) -> None:
    account = till_account(tx, AccountId(row.account))
    concerned = account.holder or PersonId(row.body["told"][0])
    letters.open_ticket(
        tx,
        kind="could_not_pay",
        person=concerned,
        reason=row.kind,
        summary=f"{account.biller} {account.tail}: {row.kind} {row.body.get('reason') or ''}".strip(),
        at=at,
        about=account.id,
    )
