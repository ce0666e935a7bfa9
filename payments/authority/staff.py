"""Who of the staff is signed in at the staff page, and until when."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from data.ids import PersonId
from data.model import Role
from data.store.engine import Tx
from data.store.people import staff_sessions
from payments.authority import factors, people

SHIFT = timedelta(hours=9)
STAFF = frozenset({Role.OPERATOR, Role.HELPER, Role.AUDITOR})


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session of the staff page. Only a hash of its token is kept."""

    person: PersonId
    token: str = field(repr=False)
    expires_at: datetime


def sign_in(tx: Tx, person: PersonId, pin: str, at: datetime) -> SignedIn | factors.Checked:
    """Opens a session for one shift; otherwise says what was wrong with the PIN. Raises people.UnknownPerson.

    Somebody who is not staff has nothing to check: FactorExpired.
    """
    if people.person(tx, person).role not in STAFF:
        return factors.FactorExpired()
    checked = factors.check(tx, person, None, "staff", pin, at)
    if not isinstance(checked, factors.FactorPassed):
        return checked
    token = secrets.token_urlsafe(32)
    row = {"token_hash": _hash(token), "person": person, "created_at": at, "expires_at": at + SHIFT}
    tx.conn.execute(staff_sessions.insert().values(**row))
    return SignedIn(person, token, at + SHIFT)


def signed_in(tx: Tx, token: str, at: datetime) -> PersonId | None:
    """Whose session this token opens now; None for an unknown or finished one."""
    mine = sa.and_(staff_sessions.c.token_hash == _hash(token), staff_sessions.c.expires_at > at)
    found = tx.conn.scalar(sa.select(staff_sessions.c.person).where(mine))
    return None if found is None else PersonId(found)


def sign_out(tx: Tx, token: str) -> None:
    """Ends a session at once."""
    tx.conn.execute(staff_sessions.delete().where(staff_sessions.c.token_hash == _hash(token)))


def _hash(token: str) -> bytes:
    # A token of 256 random bits needs no slow hash.
    return hashlib.sha256(token.encode()).digest()
