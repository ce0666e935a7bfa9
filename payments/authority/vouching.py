"""A forgotten PIN: he asks on his own channel, somebody who knows him vouches with a PIN of his own, and he sets a new one.

A relative he lets help him comes first; staff when he has none, or when none has answered within two hours (settled 23).
Staff who is serving him, because he asked for a person, may begin it as well; his own yes on his own channel makes it so.
Nobody vouches unasked, nobody twice for one request, and for 72 hours nothing rises that he may spend or lend.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from data.ids import PersonId
from data.model import Role
from data.store.engine import Tx
from data.store.people import attempts
from payments.authority import factors, looks, people

REQUEST_LIFE = timedelta(hours=24)
RELATIVES_FIRST = timedelta(hours=2)
# One of our staff vouches for so many people a day; more would be a trade.
STAFF_A_DAY = 5
# Whoever forgets his PIN more often than this is met in person.
LIFTS, LIFTS_WITHIN = 2, timedelta(days=7)


def who_may(tx: Tx, person: PersonId, at: datetime) -> tuple[PersonId, ...]:
    """Who can vouch for him now: his relatives; where they are none or silent, his helper, else the staff at the desk."""
    family = _relatives(tx, person, at)
    asked = _asked_at(tx, person, at)
    silent = asked is not None and at - asked >= RELATIVES_FIRST
    return family if family and not silent else _staff(tx, person, at)


def _relatives(tx: Tx, person: PersonId, at: datetime) -> tuple[PersonId, ...]:
    known = {r.relative for r in people.relatives(tx, person)}
    return tuple(p for p in _linked(tx, person, at, Role.FAMILY) if p in known)


def _staff(tx: Tx, person: PersonId, at: datetime) -> tuple[PersonId, ...]:
    helpers = _linked(tx, person, at, Role.HELPER)
    operators = tuple(p.id for p in people.of_role(tx, Role.OPERATOR) if p.id != person)
    return helpers or operators


def _linked(tx: Tx, person: PersonId, at: datetime, role: Role) -> tuple[PersonId, ...]:
    taken = (link.taker for link in looks.given_by(tx, person, at))
    return tuple(p for p in taken if p != person and people.person(tx, p).role is role)


# --- asking -------------------------------------------------------------------------------------------------------


def ask(tx: Tx, person: PersonId, at: datetime) -> tuple[PersonId, ...]:
    """He wants somebody to vouch, on his own channel: that is his yes. Gives who is to be asked; () when too often lately."""
    whom = () if _too_often(tx, person, at) else who_may(tx, person, at)
    if whom and _asked_at(tx, person, at) is None:
        tx.conn.execute(attempts.insert().values(subject=_request(person), at=at))
    return whom


def waits(tx: Tx, person: PersonId, by: PersonId, at: datetime) -> bool:
    """Whether his request still waits for this one's word: asked within a day, and he still lets him help."""
    if _asked_at(tx, person, at) is None or by == person:
        return False
    # Staff only in their turn; a relative who answers after they were asked is heard as well.
    return by in _relatives(tx, person, at) or by in who_may(tx, person, at)


def vouch(tx: Tx, person: PersonId, by: PersonId, at: datetime) -> bool:
    """He vouches, his own factor passed before: the old PIN is worth nothing, the request is answered. False: not his to say."""
    for one in sorted((person, by)):
        tx.alone(f"vouch:{one}")
    asked, staff = _asked_at(tx, person, at), people.person(tx, by).role is not Role.FAMILY
    if asked is None or not waits(tx, person, by, at) or _too_often(tx, person, at):
        return False
    if staff and _count(tx, _by(by), at - timedelta(days=1)) >= STAFF_A_DAY:
        return False
    factors.lift_pin(tx, person, by, at, {"as": "staff" if staff else "relative", "asked": asked.isoformat()})
    tx.conn.execute(attempts.delete().where(attempts.c.subject == _request(person)))
    tx.conn.execute(attempts.insert().values(subject=_by(by), at=at))
    return True


# --- begun by staff who serves him -----------------------------------------------------------------------------------


def begin(tx: Tx, person: PersonId, staff: PersonId, at: datetime) -> bool:
    """The one who serves him says that he forgot his PIN. Nothing changes before his own yes. False: not to be done here."""
    guarded = factors.has_pin(tx, person) or factors.blocked(tx, person, at)
    if people.person(tx, staff).role is Role.FAMILY or person == staff or not guarded:
        return False
    if _too_often(tx, person, at) or _count(tx, _by(staff), at - timedelta(days=1)) >= STAFF_A_DAY:
        return False
    tx.conn.execute(attempts.insert().values(subject=_begun(person, staff), at=at))
    return True


def agreed(tx: Tx, person: PersonId, staff: PersonId, at: datetime) -> bool:
    """His own yes to it: the old PIN is worth nothing. False: nobody began it within a day, or it was done too often."""
    for one in sorted((person, staff)):
        tx.alone(f"vouch:{one}")
    if not _count(tx, _begun(person, staff), at - REQUEST_LIFE) or _too_often(tx, person, at):
        return False
    if _count(tx, _by(staff), at - timedelta(days=1)) >= STAFF_A_DAY:
        return False
    factors.lift_pin(tx, person, staff, at, {"as": "staff", "agreed": at.isoformat()})
    over = [_begun(person, staff), _request(person)]
    tx.conn.execute(attempts.delete().where(attempts.c.subject.in_(over)))
    tx.conn.execute(attempts.insert().values(subject=_by(staff), at=at))
    return True


def _too_often(tx: Tx, person: PersonId, at: datetime) -> bool:
    return _count(tx, people.pin_lifted(person), at - LIFTS_WITHIN) >= LIFTS


def _asked_at(tx: Tx, person: PersonId, at: datetime) -> datetime | None:
    """When the living request was made."""
    mine = sa.and_(attempts.c.subject == _request(person), attempts.c.at > at - REQUEST_LIFE)
    return tx.conn.scalar(sa.select(attempts.c.at).where(mine).order_by(attempts.c.at).limit(1))


def _count(tx: Tx, subject: str, since: datetime) -> int:
    lately = sa.and_(attempts.c.subject == subject, attempts.c.at > since)
    return tx.conn.scalar(sa.select(sa.func.count()).select_from(attempts).where(lately)) or 0


def _request(person: PersonId) -> str:
    return f"vouch_asked:{person}"


def _begun(person: PersonId, staff: PersonId) -> str:
    return f"pin_reset:{person}:{staff}"


def _by(staff: PersonId) -> str:
    return f"vouched_by:{staff}"
