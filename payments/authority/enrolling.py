"""Becoming known: a telephone number proven by a code, then a name and a PIN; and a number that was changed.

Whoever is not enrolled has no row among the people while he proves himself, so no gate can let him through by mistake.
Until the code is right nothing here depends on whether the number is known.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from data.ids import PersonId
from data.model import Person, Role
from data.store import journal
from data.store.engine import Tx
from data.store.people import addresses, attempts, enrolments
from payments.authority import factors, people
from payments.authority.factors import (
    CODE_DIGITS,
    CODE_LIFE,
    TRIES,
    Checked,
    FactorExpired,
    FactorPassed,
    FactorWrong,
    IssuedCode,
    PinProblem,
)

CODES_A_DAY = 3  # to one number; with three tries each, nine guesses a day at a million codes
NUMBERS_A_DAY = 5  # codes that one talker may have sent, whatever the numbers
PROVEN_FOR = timedelta(minutes=30)
# Where a person was reached before he changed his number. It is told of the change and selects nobody any more.
BEFORE = "sms_before"

_DAY = timedelta(days=1)
# A mobile number, or a line with its area code: many of those take messages too.
_NUMBER = re.compile("1[3-9][0-9]{9}|0[0-9]{9,11}")
_SMS, _VOICE = "sms", "voice"


class PhoneProblem(StrEnum):
    """Why no code was sent."""

    NO_NUMBER = "no_number"
    ENOUGH = "enough"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Who he is here from now on; `known` when he was enrolled before and this is one more way to reach him."""

    person: PersonId
    known: bool


# --- proving the number -------------------------------------------------------------------------------------------


def send_code(tx: Tx, talker: PersonId, phone: str, at: datetime) -> IssuedCode | PhoneProblem:
    """A code for this number; the one before is worth nothing now. Limited for each number and each talker a day."""
    number = people.plain_number(phone)
    if not _NUMBER.fullmatch(number):
        return PhoneProblem.NO_NUMBER
    tx.alone("enrolling")
    to_number = f"enrol:{tx.seal.stamp('enrolments', number)[:24]}"
    by_talker = f"enrol:by:{talker}"
    if _lately(tx, to_number, at) >= CODES_A_DAY or _lately(tx, by_talker, at) >= NUMBERS_A_DAY:
        return PhoneProblem.ENOUGH
    for subject in (to_number, by_talker):
        tx.conn.execute(attempts.insert().values(subject=subject, at=at))
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    _keep(tx, talker, number, _digest(tx, talker, number, code), at + CODE_LIFE)
    return IssuedCode(code, at + CODE_LIFE)


def _lately(tx: Tx, subject: str, at: datetime) -> int:
    lately = sa.and_(attempts.c.subject == subject, attempts.c.at > at - _DAY)
    return int(tx.conn.scalar(sa.select(sa.func.count()).where(lately)) or 0)


def _keep(tx: Tx, talker: PersonId, number: str, digest: bytes, until: datetime) -> None:
    sealed = tx.seal.seal("enrolments.phone", talker, number)
    values = {"phone": sealed, "digest": digest, "wrong": 0, "expires_at": until, "proven_at": None}
    if not tx.put_new(enrolments, talker=talker, **values):
        tx.conn.execute(enrolments.update().where(enrolments.c.talker == talker).values(**values))


def _digest(tx: Tx, talker: PersonId, number: str, code: str) -> bytes:
    return bytes.fromhex(tx.seal.stamp("enrolments", talker, number, code))


def check_code(tx: Tx, talker: PersonId, digits: str, at: datetime) -> Checked:
    """Whether these are the digits just sent. Three wrong tries, ten minutes or one use, and the code is dead."""
    tx.alone(f"factor:{talker}")
    row = _row(tx, talker)
    if row is None or row.proven_at is not None or row.wrong >= TRIES or at >= row.expires_at:
        return FactorExpired()
    mine = enrolments.update().where(enrolments.c.talker == talker)
    if hmac.compare_digest(row.digest, _digest(tx, talker, _phone(tx, row), digits)):
        tx.conn.execute(mine.values(proven_at=at))
        return FactorPassed("code")
    tx.conn.execute(mine.values(wrong=row.wrong + 1))
    left = TRIES - int(row.wrong) - 1
    return FactorWrong(left) if left else FactorExpired()


def proven(tx: Tx, talker: PersonId, at: datetime) -> str | None:
    """The number this talker has proven within half an hour."""
    row = _row(tx, talker)
    if row is None or row.proven_at is None or at >= row.proven_at + PROVEN_FOR:
        return None
    return _phone(tx, row)


def _row(tx: Tx, talker: PersonId) -> sa.Row[Any] | None:
    return tx.conn.execute(sa.select(enrolments).where(enrolments.c.talker == talker)).first()


def _phone(tx: Tx, row: sa.Row[Any]) -> str:
    return tx.seal.open("enrolments.phone", row.talker, row.phone)


def _done(tx: Tx, talker: PersonId) -> None:
    tx.conn.execute(enrolments.delete().where(enrolments.c.talker == talker))


# --- becoming known -----------------------------------------------------------------------------------------------


def pin_problem(tx: Tx, talker: PersonId, pin: str, at: datetime) -> PinProblem | None:
    """Why this PIN would not be taken from a newcomer: as from everybody, his own number included."""
    return factors.problem_of(tx, talker, pin) or _ends_his_number(tx, talker, pin, at)


def _ends_his_number(tx: Tx, talker: PersonId, pin: str, at: datetime) -> PinProblem | None:
    return PinProblem.TOO_SIMPLE if (proven(tx, talker, at) or "").endswith(pin) else None


def link_known(tx: Tx, talker: PersonId, channel: str, name: str, at: datetime) -> PersonId | None:
    """The person of this name who is reached at the proven number gets one more address, which cools off 72 hours.

    None when there is none: a telephone in a household may have several people, and numbers are given anew.
    """
    number = proven(tx, talker, at)
    if number is None:
        return None
    found = [who for who in _reached_at(tx, number) if people.person(tx, who).name == name]
    if len(found) != 1:
        return None
    people.add_address(tx, found[0], channel, talker, at, verified=True, rank=_LATER)
    _done(tx, talker)
    journal.record(
        tx, kind="address_added", person=found[0], actor=found[0], subject=channel, at=at, body={"by": "code"}
    )
    return found[0]


_LATER = 100  # after the addresses he had: what nobody asked for goes where it went


def _reached_at(tx: Tx, number: str) -> list[PersonId]:
    """Whose proven telephone this is, for messages or for calls."""
    both = [*people.person_at(tx, _SMS, number), *people.person_at(tx, _VOICE, number)]
    return [who for who in dict.fromkeys(both) if _has_proven(tx, who, number)]


def _has_proven(tx: Tx, person: PersonId, number: str) -> bool:
    return any(
        a.verified and a.channel in people.TELEPHONES and a.external_id == number
        for a in people.addresses_of(tx, person)
    )


def enrol(
    tx: Tx, talker: PersonId, channel: str, name: str, pin: str, locale: str, at: datetime
) -> Enrolled | PinProblem | None:
    """Enrols a newcomer under his proven number. None when the proof is too old; a problem when the PIN is not taken.

    A number that others have as well takes messages for him, but makes him no member of their household: that would
    show him what is saved for theirs (settled 22).
    """
    number = proven(tx, talker, at)
    if number is None:
        return None
    if (problem := pin_problem(tx, talker, pin, at)) is not None:
        return problem
    shared = bool(_reached_at(tx, number))
    people.add_person(tx, Person(talker, name, Role.FAMILY, locale), at)
    people.add_address(tx, talker, channel, talker, at, verified=True)
    for road in (_SMS,) if shared else (_SMS, _VOICE):
        people.add_address(tx, talker, road, number, at, verified=True, rank=1)
    refused = factors.set_pin(tx, talker, pin, at)
    assert refused is None, "it was looked at before"
    _done(tx, talker)
    journal.record(tx, kind="person_enrolled", person=talker, actor=talker, subject=talker, at=at)
    return Enrolled(talker, known=False)


# --- a changed number ---------------------------------------------------------------------------------------------


def change_number(tx: Tx, person: PersonId, at: datetime) -> bool:
    """The proven number takes the place of his old one; the old one is kept only to be told. False: nothing is proven.

    Nothing he may spend or lend rises for 72 hours (settled 23); `people.cooling` says so.
    """
    number = proven(tx, person, at)
    if number is None:
        return False
    old = [a for a in people.addresses_of(tx, person) if a.channel in people.TELEPHONES]
    moved = {a.external_id for a in old if a.channel == _SMS} or {a.external_id for a in old}
    for address in old:
        if address.external_id in moved:
            _leave(tx, person, address.channel, address.external_id)
    for before in moved - {number}:
        people.add_address(tx, person, BEFORE, before, at, verified=False, rank=_LATER)
    for road in {a.channel for a in old if a.external_id in moved} | {_SMS}:
        people.add_address(tx, person, road, number, at, verified=True, rank=1)
    _done(tx, person)
    journal.record(tx, kind="phone_changed", person=person, actor=person, subject=person, at=at)
    return True


def _leave(tx: Tx, person: PersonId, channel: str, number: str) -> None:
    known = tx.seal.blinds("addresses", channel, number)
    here = sa.and_(addresses.c.channel == channel, addresses.c.external_ix.in_(known))
    tx.conn.execute(addresses.delete().where(here, addresses.c.person == person))
