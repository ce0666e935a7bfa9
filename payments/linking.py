"""Ending what one person lets another do: at once, without a second factor, and both are told (L3, F3)."""

from __future__ import annotations

from datetime import datetime

from data.ids import PersonId, fresh
from data.store import letters
from data.store.engine import Tx
from payments import approving
from payments.authority import access

ENDED_GIVER, ENDED_TAKER = "grant_ended_giver", "grant_ended_taker"


def unlink(tx: Tx, giver: PersonId, taker: PersonId, by: PersonId, at: datetime) -> int:
    """Ends everything `giver` lets `taker` do, and what `taker` began with the giver's money; gives how many grants.

    Who ends it hears it in his talk; the other is told by news. Raises ValueError when `by` is neither of them.
    """
    if by not in (giver, taker):
        raise ValueError("a permission is ended by who gave it or who has it")
    ended = access.revoke(tx, giver, taker, at, by=by)
    approving.call_off_between(tx, giver, taker, at)
    if ended:
        other, kind = (taker, ENDED_TAKER) if by == giver else (giver, ENDED_GIVER)
        letters.put_news(tx, id=f"{kind}:{fresh('end')}", person=other, kind=kind, body={"who": by}, at=at)
    return ended
