"""Automatic payments laid to rest because a backup was put back: what was stopped, lowered or paused since lives in it again.

Nothing is debited by them until the payer says he wants to go on, which is an agreement anew, or an operator lets one go on
and writes down why. Reading and reminding go on meanwhile: nobody sits in the dark because of our backup.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from data.ids import PersonId
from data.store.engine import Tx
from data.store.mandates import mandates as table
from payments import mandates
from payments.mandates import M, Mandate, NoSuchMandate, move, note, read
from payments.notices import notice
from payments.stopping import GOES_ON, RESTS, audit, call_back, wake

__all__ = ["GOES_ON", "NEWS", "RESTORED", "at_rest", "let_go_on", "rest_all"]

RESTORED = "restored"  # why it rests
NEWS = "mandates_rest"  # what its payer is told, once for all of his
_RESTED = sa.and_(table.c.state == M.PAUSED.value, table.c.reason == RESTORED)


def rest_all(tx: Tx, by: str, as_of: datetime, at: datetime) -> list[Mandate]:
    """Every one that would pay, now or after its rest, rests; its payer is told of which day our records are, and how to go on. Gives what rests."""
    would = sa.or_(table.c.state == M.ACTIVE.value, table.c.rests_until.is_not(None))
    wanted = sa.select(table).where(mandates.is_live(), would).order_by(table.c.id).with_for_update()
    held = [mandates.of_row(row) for row in tx.conn.execute(wanted).all()]
    for one in held:
        if one.state is M.ACTIVE:
            moved = move(tx, one, M.PAUSED, at)
            assert moved, "the row is held since it was read"
        note(tx, one.id, reason=RESTORED, rests_until=None)
        call_back(tx, one, at, RESTS)
        audit(tx, "mandate_changed", one, PersonId(by), at, {"to": M.PAUSED.value, "reason": RESTORED})
    for payer in dict.fromkeys(one.payer for one in held):
        body = {"as_of": as_of.isoformat(), "mandates": [one.id for one in held if one.payer == payer]}
        notice(tx, payer, NEWS, at.isoformat(timespec="seconds"), body, at)
    return held


def at_rest(tx: Tx) -> list[Mandate]:
    """What rests since a backup was put back, and nobody has taken up again."""
    return [mandates.of_row(row) for row in tx.conn.execute(sa.select(table).where(_RESTED).order_by("id"))]


def let_go_on(tx: Tx, mandate: str, by: str, reason: str, at: datetime) -> bool:
    """An operator lets one go on: he knows, from the payer or from papers, that it still stands. False: it does not rest so.

    `reason` goes into the book; the payer is told, and stops it with one word if it is wrong.
    """
    assert reason.strip(), "somebody will ask why"
    try:
        held = read(tx, mandate, hold=True)
    except NoSuchMandate:
        return False
    if held.state is not M.PAUSED or held.reason != RESTORED:
        return False
    wake(tx, held, PersonId(by), at, reason)
    return True
