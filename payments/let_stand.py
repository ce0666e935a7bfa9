"""A first payment that no relative could agree to, let stand for a day by its payer: time to think, and nothing is paid by it.

After 24 hours the bill is quoted and read back anew, and his own yes with his PIN or code is enough (settled 5). Nothing is
ever paid because time has passed, and one word ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.ids import AccountId, PersonId, fresh
from data.model import May
from data.money import Money
from data.store import journal, letters
from data.store.engine import Tx
from data.store.payments import let_stand
from payments.authority import access

RIPE = "first_payment_ripe"
STANDS = timedelta(hours=24)
GOOD_FOR = timedelta(hours=72)  # he may be asleep when it is ripe, or away for a day
# A bill may have grown by its late fee meanwhile; who wants to pay much more than he slept on begins anew.
_MORE = (11, 10)


@dataclass(frozen=True, slots=True)
class Standing:
    """One account a person let stand: for how much, from when on his own yes is enough, and until when."""

    id: str
    person: PersonId
    account: AccountId
    amount: Money
    ripe_at: datetime
    until: datetime


def begin(
    tx: Tx, person: PersonId, wishes: list[tuple[AccountId, Money]], at: datetime
) -> tuple[Standing, ...]:
    """Lets these bills stand from now on; gives () when one of them is not his to pay. Asked again, it does not begin anew.

    A larger amount than before does: it was not slept on.
    """
    if not wishes or not all(access.may(tx, person, May.PAY, account, at) for account, _ in wishes):
        return ()
    tx.alone(f"let_stand:{person}")
    found = tuple(_one(tx, person, account, amount, at) for account, amount in wishes)
    ripe = max(one.ripe_at for one in found)
    if any(one.ripe_at == at + STANDS for one in found):
        _note(tx, person, found, at)
        body = {"standing": [one.id for one in found]}
        id = f"{RIPE}:{found[0].id}"
        letters.put_news(tx, id=id, person=person, kind=RIPE, body=body, at=at, not_before=ripe)
    return found


def _one(tx: Tx, person: PersonId, account: AccountId, amount: Money, at: datetime) -> Standing:
    before = next((one for one in living(tx, person, at) if one.account == account), None)
    if before is not None and _covers(before.amount, amount):
        access.keep_open(
            tx, person, account, at, before.until
        )  # he may have typed the number again meanwhile
        return before
    same = sa.and_(let_stand.c.person == person, let_stand.c.account == account)
    _end(tx, same, at)
    new = Standing(fresh("std"), person, account, amount, ripe_at=at + STANDS, until=at + STANDS + GOOD_FOR)
    row = {"id": new.id, "person": person, "account": account, "amount_fen": amount.fen}
    tx.conn.execute(let_stand.insert().values(**row, since=at, ripe_at=new.ripe_at, until=new.until))
    # The one bill a typed number opened stays open to him until it may be paid, and no longer (settled 28).
    access.keep_open(tx, person, account, at, new.until)
    return new


def _covers(slept_on: Money, amount: Money) -> bool:
    more, than = _MORE
    return amount.fen * than <= slept_on.fen * more


def is_ripe(tx: Tx, person: PersonId, account: AccountId, amount: Money, at: datetime) -> bool:
    """Whether he let this account stand for a day, for about this much."""
    return any(
        one.account == account and one.ripe_at <= at and _covers(one.amount, amount)
        for one in living(tx, person, at)
    )


def living(tx: Tx, person: PersonId, at: datetime) -> list[Standing]:
    """What a person lets stand at this moment, ripe or not, the oldest first."""
    his = sa.select(let_stand).where(
        let_stand.c.person == person, let_stand.c.ended_at.is_(None), let_stand.c.until > at
    )
    return [_standing(row) for row in tx.conn.execute(his.order_by(let_stand.c.since, let_stand.c.id))]


def end(tx: Tx, person: PersonId, at: datetime, accounts: list[AccountId] | None = None) -> list[Standing]:
    """One word ends it, for these accounts or for all; gives what ended."""
    ended = [one for one in living(tx, person, at) if accounts is None or one.account in accounts]
    _end(tx, let_stand.c.id.in_([one.id for one in ended]), at)
    for one in ended:
        access.keep_open(tx, person, one.account, at, at + access.TALK_ACCESS)
    return ended


def _end(tx: Tx, where: sa.ColumnElement[bool], at: datetime) -> None:
    tx.conn.execute(let_stand.update().where(where, let_stand.c.ended_at.is_(None)).values(ended_at=at))


def _note(tx: Tx, person: PersonId, found: tuple[Standing, ...], at: datetime) -> None:
    lines = [{"account": one.account, "fen": one.amount.fen} for one in found]
    body = {"lines": lines, "hours": int(STANDS / timedelta(hours=1))}
    journal.record(
        tx, kind="first_payment_let_stand", person=person, actor=person, subject=found[0].id, at=at, body=body
    )


def _standing(row: Any) -> Standing:
    return Standing(
        row.id, PersonId(row.person), AccountId(row.account), Money(row.amount_fen), row.ripe_at, row.until
    )
