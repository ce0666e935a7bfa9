"""Asking whose account a typed number is: a few a day for each person, and a line in the audit where the holder is known."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from data.ids import BillerId, PersonId
from data.store import journal
from data.store.engine import Tx
from data.store.people import accounts, attempts
from payments.authority import numbers

NUMBERS_A_DAY = 20  # different numbers; a household has some ten, who tries more is looking for strangers
_DAY = timedelta(days=1)


def may_ask(tx: Tx, person: PersonId, biller: BillerId, number: str, at: datetime) -> bool:
    """Counts one number, however many billers it may belong to; False when it is one too many today."""
    tx.alone(f"lookup:{person}")
    mine = f"lookup:{person}:"
    this = mine + tx.seal.stamp("lookups", person, number)[:16]
    lately = sa.and_(attempts.c.subject.startswith(mine, autoescape=True), attempts.c.at > at - _DAY)
    asked = set(tx.conn.scalars(sa.select(attempts.c.subject).where(lately).distinct()))
    if this not in asked and len(asked) >= NUMBERS_A_DAY:
        return False
    if this not in asked:
        tx.conn.execute(attempts.insert().values(subject=this, at=at))
        _note(tx, person, biller, number, at)
    return True


def _note(tx: Tx, person: PersonId, biller: BillerId, number: str, at: datetime) -> None:
    """Somebody asked for a name: the holder, if he is one of ours, is told so when he asks who looked."""
    known = numbers.find_account(tx, biller, number)
    if known is None:
        return
    holder = tx.conn.scalar(sa.select(accounts.c.holder).where(accounts.c.id == known))
    if holder is not None and holder != person:
        body = {"verb": "name", "reason": "typed"}
        journal.record(
            tx, kind="data_read", person=PersonId(holder), actor=person, subject=known, at=at, body=body
        )
