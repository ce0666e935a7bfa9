"""An elder asks a relative to pay a bill with the relative's own money: who can be asked, once a day for each bill.

Nothing is proposed by it: the relative has the bill quoted and read back on his own channel and pays with his own yes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from data.clock import shanghai
from data.ids import AccountId, PersonId
from data.model import May
from data.money import Money
from data.store import letters
from data.store.engine import Tx
from payments import approving
from payments.authority import access

ASKED, DECLINED = "pay_asked", "pay_declined"
KINDS = frozenset({ASKED, DECLINED})


def who_can(tx: Tx, person: PersonId, account: AccountId, at: datetime) -> tuple[PersonId, ...]:
    """Relatives whom this person lets pay for him and who may pay this very bill at this moment."""
    if access.may(tx, person, May.BILLS, account, at) is None:
        return ()
    trusted = approving.payers(tx, person, at)
    return tuple(one for one in trusted if access.may(tx, one, May.PAY, account, at))


def ask(
    tx: Tx, person: PersonId, relative: PersonId, account: AccountId, due: Money | None, at: datetime
) -> bool | None:
    """The relative hears of the bill; `due` is None for a meter. False: asked today already. None: he may not pay it."""
    if relative not in who_can(tx, person, account, at):
        return None
    body = {"who": person, "account": account, "fen": None if due is None else due.fen}
    return _put(tx, ASKED, f"{person}:{account}:{shanghai(at).date()}", relative, body, at)


def still_asked(tx: Tx, relative: PersonId, body: dict[str, Any], at: datetime) -> bool:
    """Whether a request that waited for the morning may still be told: the leave stands."""
    return relative in who_can(tx, PersonId(body["who"]), AccountId(body["account"]), at)


def decline(tx: Tx, relative: PersonId, person: PersonId, account: AccountId, at: datetime) -> bool:
    """The relative does not want to; who asked hears so, once a day for each bill."""
    body = {"who": relative, "account": account, "fen": None}
    return _put(tx, DECLINED, f"{relative}:{account}:{shanghai(at).date()}", person, body, at)


def _put(tx: Tx, kind: str, about: str, person: PersonId, body: dict[str, Any], at: datetime) -> bool:
    return letters.put_news(tx, id=f"{kind}:{about}:{person}", person=person, kind=kind, body=body, at=at)
