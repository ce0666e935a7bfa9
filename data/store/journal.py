"""The book of who did and saw what: one line after another, each sealed to the one before, so that a change shows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from data.ids import PersonId
from data.store.audit import audit
from data.store.engine import Tx

# What is worth a line (scenario notation, "Audit event kinds"); a misspelt kind would be a line nobody finds.
_KINDS = """
    consent_recorded consent_withdrawn
    mandate_created mandate_changed mandate_revoked mandate_suspended
    name_check_passed name_check_failed digit_doubt_resolved
    confirmed confirmed_by_elder elder_refused started_by_helper
    second_factor_passed second_factor_failed captured posted rule_version_used
    duplicate_callback_ignored late_conflicting_callback forged_callback_refused duplicate_payment_found
    refund_requested refunded handoff_started handoff_ended takeover grant_created grant_revoked
    person_enrolled address_added phone_changed pin_lifted first_payment_let_stand
    access_refused scam_warning_given outlet_refused_cash import_rejected tamper_found data_read
    looked_after captures_paused captures_resumed alarm_raised alarm_over
    difference_found difference_closed restored notices_changed
"""
KINDS = frozenset(_KINDS.split())
WARNED = "scam_warning_given"

_BEGINNING = "0" * 64
# Built once: building a statement costs more than running it.
_LAST = sa.select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
_ADD = audit.insert()
_ADD_SEVERAL = _ADD.returning(audit.c.seq)


@dataclass(frozen=True, slots=True)
class Line:
    """`actor` did `kind` concerning `person`; `subject` is an id, `body` masked facts."""

    kind: str
    person: PersonId
    actor: PersonId
    subject: str
    at: datetime
    body: dict[str, Any] = field(default_factory=dict)


def record(
    tx: Tx,
    *,
    kind: str,
    person: PersonId,
    actor: PersonId,
    subject: str,
    at: datetime,
    body: dict[str, Any] | None = None,
) -> None:
    """Adds a line. Raises ValueError for a kind that is not in KINDS."""
    record_many(tx, [Line(kind, person, actor, subject, at, body or {})])


def record_many(tx: Tx, lines: Iterable[Line]) -> None:
    """Adds lines in their order, each sealed to the one before. Raises ValueError for a kind that is not in KINDS."""
    wanted = list(lines)
    for line in wanted:
        if line.kind not in KINDS:
            raise ValueError(f"not a kind of the audit: {line.kind}")
    if not wanted:
        return
    tx.alone()
    last = tx.conn.execute(_LAST).first()
    seq, previous = (last.seq, last.hash) if last else (0, _BEGINNING)
    rows = []
    for line in wanted:
        seq += 1
        row = {
            "seq": seq,
            "at": line.at.astimezone(UTC),
            "kind": line.kind,
            "person": line.person,
            "actor": line.actor,
            "subject": line.subject,
            "body": line.body,
            "previous": previous,
        }
        previous = _hash(tx, row)
        rows.append({**row, "hash": previous})
    # To PostgreSQL many rows go as one statement only where something is to come back.
    several = len(rows) > 1 and tx.conn.dialect.name == "postgresql"
    tx.conn.execute(_ADD_SEVERAL if several else _ADD, rows)


def verify(tx: Tx) -> list[int]:
    """Numbers of the lines that were changed, or before which one is missing; empty when the book is whole."""
    broken = []
    number, previous = 0, _BEGINNING
    for row in tx.conn.execute(sa.select(audit).order_by(audit.c.seq)).mappings():
        follows = row["seq"] == number + 1 and row["previous"] == previous
        if not follows or row["hash"] != _hash(tx, dict(row)):
            broken.append(row["seq"])
        number, previous = row["seq"], row["hash"]
    return broken


def is_whole(tx: Tx, row: sa.Row[Any]) -> bool:
    """Whether this one line is as it was written."""
    return bool(row.hash == _hash(tx, dict(row._mapping)))


def kinds(tx: Tx, since_seq: int = 0) -> list[str]:
    """The kinds of the lines after a number, in their order."""
    lines = sa.select(audit.c.kind).where(audit.c.seq > since_seq).order_by(audit.c.seq)
    return list(tx.conn.scalars(lines))


def happened(tx: Tx, kind: str, persons: Iterable[PersonId], since: datetime, until: datetime) -> bool:
    """Whether a line of this kind concerns one of these people in that time, both ends included."""
    line = sa.and_(
        audit.c.kind == kind, audit.c.person.in_(list(persons)), audit.c.at >= since, audit.c.at <= until
    )
    return bool(tx.conn.scalar(sa.select(sa.exists().where(line))))


def newest(tx: Tx) -> int:
    """The number of the last line; 0 for an empty book."""
    return tx.conn.scalar(sa.select(sa.func.max(audit.c.seq))) or 0


def last_at(tx: Tx) -> datetime | None:
    """When the last line was written; None for an empty book."""
    return tx.conn.scalar(sa.select(audit.c.at).order_by(audit.c.seq.desc()).limit(1))


def _hash(tx: Tx, row: dict[str, Any]) -> str:
    # Keyed: who can write to the database but has no key cannot close the chain again after a change.
    facts = [row[name] for name in ("seq", "kind", "person", "actor", "subject", "body", "previous")]
    text = json.dumps([row["at"].isoformat(), *facts], ensure_ascii=False, sort_keys=True)
    return tx.seal.stamp("audit", text)
