"""The second proof that it is really he: a PIN he chose, or a code we sent to another of his addresses (settled 23)."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any, Literal

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from data.ids import ActId, PersonId, fresh
from data.store import journal
from data.store.engine import Tx
from data.store.people import attempts, codes, pins
from payments.authority import people

PIN_DIGITS = range(4, 7)
CODE_DIGITS = 6
CODE_LIFE = timedelta(minutes=10)
TRIES = 3
BLOCK = timedelta(hours=24)
# A new code may be asked for after three wrong ones; so many wrong codes a day are somebody guessing.
WRONG_CODES_A_DAY = 9

# OWASP's smallest setting for argon2id, some 15 ms. A PIN has few digits: what keeps it is the key mixed in below.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class PinProblem(StrEnum):
    """Why a PIN was not taken."""

    NOT_DIGITS = "not_digits"
    LENGTH = "length"
    TOO_SIMPLE = "too_simple"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A code on its way to a second address of the same person. Its digits show in no repr."""

    code: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class FactorPassed:
    """It is he."""

    kind: Literal["pin", "code"]


@dataclass(frozen=True, slots=True)
class FactorWrong:
    """Not these digits; so many tries are left (0: a new code is needed)."""

    tries_left: int


@dataclass(frozen=True, slots=True)
class FactorBlocked:
    """No more tries before this instant."""

    until: datetime


@dataclass(frozen=True, slots=True)
class FactorExpired:
    """There is nothing to check against any more: the code is too old, was used, or was never asked for."""


Checked = FactorPassed | FactorWrong | FactorBlocked | FactorExpired


# --- the PIN ----------------------------------------------------------------------------------------------------


def set_pin(tx: Tx, person: PersonId, pin: str, at: datetime) -> PinProblem | None:
    """Sets or changes a PIN, or says why not. Who calls has checked the old one, or enrols him."""
    problem = _problem(tx, person, pin)
    if problem is None and _blocked_until(tx, person, at) is not None:
        problem = PinProblem.BLOCKED
    if problem is not None:
        return problem
    values = {
        "hash": _HASHER.hash(_peppered(tx, person, pin)),
        "wrong": 0,
        "blocked_until": None,
        "set_at": at,
    }
    if not tx.put_new(pins, person=person, **values):
        tx.conn.execute(pins.update().where(pins.c.person == person).values(**values))
    tx.conn.execute(attempts.delete().where(attempts.c.subject == _lifted(person)))
    return None


def problem_of(tx: Tx, person: PersonId, pin: str) -> PinProblem | None:
    """Why this PIN would not be taken, before it is set."""
    return _problem(tx, person, pin)


def has_pin(tx: Tx, person: PersonId) -> bool:
    """Whether this person has chosen a PIN."""
    return _pin(tx, person) is not None


def lift_pin(tx: Tx, person: PersonId, by: PersonId, at: datetime, facts: dict[str, str]) -> None:
    """The old PIN is worth nothing, a new one may be set for a day, and for 72 hours nothing rises (settled 23).

    Who calls has checked that `by` may; `facts` go to the audit.
    """
    tx.conn.execute(pins.delete().where(pins.c.person == person))
    tx.conn.execute(attempts.delete().where(attempts.c.subject == _guesses(person)))
    lifts = [{"subject": name, "at": at} for name in (_lifted(person), people.pin_lifted(person))]
    tx.conn.execute(attempts.insert(), lifts)
    journal.record(tx, kind="pin_lifted", person=person, actor=by, subject=person, at=at, body=facts)


def lifted(tx: Tx, person: PersonId, at: datetime) -> bool:
    """Whether his PIN was lifted within a day and not set anew since: then no code is needed to set one."""
    lately = sa.and_(attempts.c.subject == _lifted(person), attempts.c.at > at - BLOCK)
    return tx.conn.execute(sa.select(attempts.c.seq).where(lately)).first() is not None


def blocked(tx: Tx, person: PersonId, at: datetime) -> bool:
    """Whether he has guessed wrong too often lately."""
    return _blocked_until(tx, person, at) is not None


def _lifted(person: PersonId) -> str:
    return f"lifted:{person}"


def _problem(tx: Tx, person: PersonId, pin: str) -> PinProblem | None:
    if not (pin.isascii() and pin.isdigit()):
        return PinProblem.NOT_DIGITS
    if len(pin) not in PIN_DIGITS:
        return PinProblem.LENGTH
    steps = {int(b) - int(a) for a, b in pairwise(pin)}
    own = (a.external_id for a in people.addresses_of(tx, person) if a.channel in people.TELEPHONES)
    if steps in ({0}, {1}, {-1}) or any(number.endswith(pin) for number in own):
        return PinProblem.TOO_SIMPLE
    return None


def _peppered(tx: Tx, person: PersonId, pin: str) -> str:
    # Ten thousand PINs are tried in minutes by who has the hash; without our key there is nothing to try.
    return tx.seal.stamp("pins", person, pin)


# --- one-time codes ---------------------------------------------------------------------------------------------


def issue_code(tx: Tx, person: PersonId, act: ActId, binding: str, at: datetime) -> IssuedCode:
    """A fresh code for one act; `binding` names its amount and payee. The one before it is worth nothing now."""
    before = sa.and_(codes.c.person == person, codes.c.act == act, codes.c.expires_at > at)
    tx.conn.execute(codes.update().where(before).values(expires_at=at))
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    expires_at = at + CODE_LIFE
    tx.conn.execute(
        codes.insert().values(
            id=fresh("cod"),
            person=person,
            act=act,
            digest=_digest(tx, person, act, binding, code),
            wrong=0,
            created_at=at,
            expires_at=expires_at,
        )
    )
    return IssuedCode(code, expires_at)


def _digest(tx: Tx, person: PersonId, act: ActId, binding: str, code: str) -> bytes:
    return bytes.fromhex(tx.seal.stamp("codes", person, act, binding, code))


# --- checking ---------------------------------------------------------------------------------------------------


def check(tx: Tx, person: PersonId, act: ActId | None, binding: str, digits: str, at: datetime) -> Checked:
    """Checks what he keyed or said against his PIN and, with an act, against the code sent for it.

    Three wrong PINs block for 24 hours; a code dies after three wrong tries, one use or ten minutes, and is worth
    nothing for another act, amount or payee.
    """
    tx.alone(f"factor:{person}")  # two guesses at the same time must count as two
    result = _checked(tx, person, act, binding, digits, at)
    passed = isinstance(result, FactorPassed)
    kind = "second_factor_passed" if passed else "second_factor_failed"
    body = {
        "result": type(result).__name__,
        **({"kind": result.kind} if isinstance(result, FactorPassed) else {}),
    }
    journal.record(tx, kind=kind, person=person, actor=person, subject=act or person, at=at, body=body)
    return result


def _checked(tx: Tx, person: PersonId, act: ActId | None, binding: str, digits: str, at: datetime) -> Checked:
    until = _blocked_until(tx, person, at)
    if until is not None:
        return FactorBlocked(until)
    code = _code(tx, person, act) if act and len(digits) == CODE_DIGITS else None
    pin = _pin(tx, person) if len(digits) in PIN_DIGITS else None
    # Both are compared, always in the same time, so that the answer's delay tells nothing.
    is_code = code is not None and _is_code(tx, code, binding, digits)
    is_pin = pin is not None and _is_pin(tx, person, pin.hash, digits)
    if code is not None and is_code and _alive(code, at):
        tx.conn.execute(codes.update().where(codes.c.id == code.id).values(used_at=at))
        return FactorPassed("code")
    if is_pin:
        tx.conn.execute(pins.update().where(pins.c.person == person).values(wrong=0, blocked_until=None))
        return FactorPassed("pin")
    if is_code:
        return FactorExpired()  # the right code, too late: nobody guessed
    return _wrong(tx, person, act, code, pin, at)


def _wrong(
    tx: Tx,
    person: PersonId,
    act: ActId | None,
    code: sa.Row[Any] | None,
    pin: sa.Row[Any] | None,
    at: datetime,
) -> Checked:
    """Counts a wrong try against whatever it could have been; of a length that fits nothing, against what there is."""
    if code is None and pin is None:
        code, pin = _code(tx, person, act), _pin(tx, person)
    left = []
    if code is not None and _alive(code, at):
        left.append(_wrong_code(tx, person, code, at))
    if pin is not None:
        left.append(_wrong_pin(tx, person, pin, at))
    until = _blocked_until(tx, person, at)
    if until is not None:
        return FactorBlocked(until)
    return FactorWrong(min(left)) if left else FactorExpired()


def _wrong_code(tx: Tx, person: PersonId, code: sa.Row[Any], at: datetime) -> int:
    tx.conn.execute(codes.update().where(codes.c.id == code.id).values(wrong=code.wrong + 1))
    tx.conn.execute(attempts.insert().values(subject=_guesses(person), at=at))
    return TRIES - int(code.wrong) - 1


def _wrong_pin(tx: Tx, person: PersonId, pin: sa.Row[Any], at: datetime) -> int:
    wrong = int(pin.wrong) + 1
    # When the block has run out the count begins anew.
    values: dict[str, Any] = {"wrong": wrong % TRIES, "blocked_until": at + BLOCK if wrong >= TRIES else None}
    tx.conn.execute(pins.update().where(pins.c.person == person).values(**values))
    return TRIES - wrong


def _blocked_until(tx: Tx, person: PersonId, at: datetime) -> datetime | None:
    pin = _pin(tx, person)
    if pin is not None and pin.blocked_until is not None and at < pin.blocked_until:
        until: datetime = pin.blocked_until
        return until
    today = sa.and_(attempts.c.subject == _guesses(person), attempts.c.at > at - BLOCK)
    wrong = list(tx.conn.scalars(sa.select(attempts.c.at).where(today).order_by(attempts.c.at)))
    return wrong[-WRONG_CODES_A_DAY] + BLOCK if len(wrong) >= WRONG_CODES_A_DAY else None


def _guesses(person: PersonId) -> str:
    return f"code:{person}"


def _pin(tx: Tx, person: PersonId) -> sa.Row[Any] | None:
    return tx.conn.execute(sa.select(pins).where(pins.c.person == person)).first()


def _code(tx: Tx, person: PersonId, act: ActId | None) -> sa.Row[Any] | None:
    mine = sa.select(codes).where(codes.c.person == person, codes.c.act == act)
    return tx.conn.execute(
        mine.order_by(codes.c.created_at.desc(), codes.c.expires_at.desc()).limit(1)
    ).first()


def _alive(code: sa.Row[Any], at: datetime) -> bool:
    return code.used_at is None and at < code.expires_at and code.wrong < TRIES


def _is_code(tx: Tx, code: sa.Row[Any], binding: str, digits: str) -> bool:
    expected = _digest(tx, PersonId(code.person), ActId(code.act), binding, digits)
    return hmac.compare_digest(code.digest, expected)


def _is_pin(tx: Tx, person: PersonId, hashed: str, digits: str) -> bool:
    try:
        return _HASHER.verify(hashed, _peppered(tx, person, digits))
    except VerifyMismatchError:
        return False
