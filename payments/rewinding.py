"""A household's rows as they stood at one moment, laid out anew in memory, so that what was decided then can be decided again.

Only what the deciding code reads is copied: the people and purses around one payment, their leaves, what was paid before,
and the automatic payments of the account. The real store is read and never written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data.ids import ActId
from data.store import journal
from data.store.audit import audit
from data.store.engine import Store, Tx
from data.store.mandates import consents, debits, mandates, month_use, readings
from data.store.payments import act_lines, acts, let_stand, payments, quotes
from data.store.people import (
    accounts,
    addresses,
    grants,
    instruments,
    people,
    relations,
    saved_accounts,
    talk_access,
)
from data.store.post import events
from payments.limits import GIVEN_BACK
from payments.states import State

_Row = dict[str, Any]
_NEVER_TOOK = frozenset({State.FAILED.value, State.CANCELLED.value})
# What a line of the audit called a term before it was lowered, and the column that holds it.
_LOWERED = {
    "before_fen": "per_month_fen",
    "charge_before_fen": "per_charge_fen",
    "per_day_before": "per_day",
    "below_before_fen": "below_fen",
    "amount_before_fen": "amount_fen",
    "ask_above_before": "ask_above",
}


@dataclass(frozen=True, slots=True)
class Around:
    """Whose rows are wanted: one act with its lines, and everybody who has a part in it."""

    act: ActId
    accounts: tuple[str, ...]
    persons: frozenset[str]


def around(tx: Tx, act: ActId) -> Around:
    """The people and accounts one act concerns. Raises sqlalchemy.exc.NoResultFound."""
    row = tx.conn.execute(sa.select(acts).where(acts.c.id == act)).one()
    lines = tuple(tx.conn.scalars(sa.select(act_lines.c.account).where(act_lines.c.act == act)))
    holders = tx.conn.scalars(sa.select(accounts.c.holder).where(accounts.c.id.in_(lines)))
    second = ((row.evidence or {}).get("approved") or {}).get("by")
    named = {row.proposer, row.payer, row.confirmer, second, *holders}
    return Around(act, lines, frozenset(person for person in named if person))


def as_it_stood(tx: Tx, of: Around, at: datetime) -> Store:
    """A store in memory as the real one stood just before `at`, without what the act itself led to."""
    store = Store.in_memory(tx.seal)
    # Only a part of the rows is here; what they point at beyond it decides nothing.
    store.engine.raw_connection().cursor().execute("PRAGMA foreign_keys=OFF")
    wanted = [*_people(tx, of, at), *_warned(tx, of, at), *_money(tx, of, at), *_automatic(tx, of, at)]

    def write(copy: Tx) -> None:
        for table, rows in wanted:
            if rows:
                copy.conn.execute(sa.insert(table), rows)

    store.run_now(write)
    return store


# --- who may what ---------------------------------------------------------------------------------------------------


def _people(tx: Tx, of: Around, at: datetime) -> Iterable[tuple[sa.Table, list[_Row]]]:
    home = of.persons | _same_telephone(tx, of.persons)
    either = sa.or_(grants.c.giver.in_(home), grants.c.taker.in_(home))
    given = _rows(tx, grants, either, grants.c.created_at <= at)
    known = home | {row[end] for row in given for end in ("giver", "taker")}
    yield grants, given
    yield people, _rows(tx, people, people.c.id.in_(known))
    yield addresses, _rows(tx, addresses, addresses.c.person.in_(known), addresses.c.changed_at <= at)
    yield relations, _rows(tx, relations, relations.c.person.in_(known))
    yield accounts, _rows(tx, accounts, accounts.c.id.in_(of.accounts))
    saved = sa.and_(saved_accounts.c.person.in_(known), saved_accounts.c.saved_at <= at)
    yield saved_accounts, _rows(tx, saved_accounts, saved)
    seen = sa.and_(talk_access.c.person.in_(of.persons), talk_access.c.expires_at > at)
    yield talk_access, _rows(tx, talk_access, seen)
    yield (
        instruments,
        _rows(tx, instruments, instruments.c.owner.in_(known), instruments.c.created_at <= at),
    )


def _same_telephone(tx: Tx, persons: frozenset[str]) -> frozenset[str]:
    mine = sa.select(addresses.c.external_ix).where(addresses.c.person.in_(persons))
    return frozenset(tx.conn.scalars(sa.select(addresses.c.person).where(addresses.c.external_ix.in_(mine))))


def _warned(tx: Tx, of: Around, at: datetime) -> Iterable[tuple[sa.Table, list[_Row]]]:
    concerned = sa.and_(audit.c.kind == journal.WARNED, audit.c.person.in_(of.persons), audit.c.at <= at)
    yield audit, _rows(tx, audit, concerned)


# --- what was paid before ------------------------------------------------------------------------------------------


def _money(tx: Tx, of: Around, at: datetime) -> Iterable[tuple[sa.Table, list[_Row]]]:
    concerned = sa.or_(payments.c.payer.in_(of.persons), payments.c.account.in_(of.accounts))
    before = _rows(tx, payments, concerned, payments.c.created_at <= at, payments.c.act != of.act)
    going_back = _going_back(tx, [row["id"] for row in before], at)
    yield payments, [_payment_then(row, of, at, row["id"] in going_back) for row in before]
    theirs = {row["act"] for row in before}
    agreed = sa.select(mandates.c.act).where(mandates.c.account.in_(of.accounts))
    yield acts, _rows(tx, acts, sa.or_(acts.c.id.in_(theirs), acts.c.id.in_(agreed)), acts.c.id != of.act)
    told = sa.select(act_lines.c.quote).where(act_lines.c.act == of.act)
    yield (
        let_stand,
        [
            # Paying ended it in that very transaction: until then it stood.
            row if row["ended_at"] is not None and row["ended_at"] < at else {**row, "ended_at": None}
            for row in _rows(tx, let_stand, let_stand.c.account.in_(of.accounts), let_stand.c.since <= at)
        ],
    )
    of_accounts = sa.and_(quotes.c.account.in_(of.accounts), quotes.c.created_at <= at)
    yield (
        quotes,
        [_quote_then(tx, row, of) for row in _rows(tx, quotes, sa.or_(quotes.c.id.in_(told), of_accounts))],
    )


def _quote_then(tx: Tx, row: _Row, of: Around) -> _Row:
    """A price as it was good then: writing a payment off ends every quote of its account at that instant."""
    cut = sa.and_(payments.c.account == row["account"], payments.c.posted_at == row["expires_at"])
    if not tx.conn.scalar(sa.select(sa.exists().where(cut))):
        return row
    until = tx.conn.scalar(sa.select(acts.c.expires_at).where(acts.c.id == of.act))
    return {**row, "expires_at": max(row["expires_at"], until or row["expires_at"])}


def _going_back(tx: Tx, ids: list[str], at: datetime) -> frozenset[str]:
    """Of these payments, those whose money was known by then to be going back: the payer had been told so."""
    told = sa.and_(events.c.kind == "refunding", events.c.created_at <= at)
    known = (row.split(":")[1] for row in tx.conn.scalars(sa.select(events.c.id).where(told)))
    return frozenset(known) & frozenset(ids)


def _payment_then(row: _Row, of: Around, at: datetime, going_back: bool) -> _Row:
    """A payment in the state it was in: from its times, which are written once."""
    then = {**row, "lease_owner": None, "lease_until": None, "next_at": None}
    # Where another payment could begin, none was open: what is not settled there was on its way back.
    here = row["account"] in of.accounts
    if row["state"] in _NEVER_TOOK and row["updated_at"] <= at:
        return then
    if _by(row["refunded_at"], at):
        state = State.REFUNDED
    elif _by(row["posted_at"], at):
        state = State.SETTLED
    elif going_back or (here and row["state"] in GIVEN_BACK):
        state = State.REFUNDING
    else:
        state = State.POSTING if _by(row["captured_at"], at) else State.SUBMITTED
    times = {name: None for name in ("posted_at", "refunded_at") if not _by(row[name], at)}
    return {**then, **times, "state": state.value}


def _by(instant: datetime | None, at: datetime) -> bool:
    return instant is not None and instant <= at


# --- automatic payments --------------------------------------------------------------------------------------------


def _automatic(tx: Tx, of: Around, at: datetime) -> Iterable[tuple[sa.Table, list[_Row]]]:
    standing = [
        _mandate_then(tx, row, at)
        for row in _rows(tx, mandates, mandates.c.account.in_(of.accounts), mandates.c.active_at <= at)
    ]
    ids = [row["id"] for row in standing]
    mine = sa.select(payments.c.id).where(payments.c.act == of.act)
    earlier = sa.and_(debits.c.mandate.in_(ids), debits.c.created_at <= at)
    not_this = sa.or_(debits.c.payment.is_(None), debits.c.payment.not_in(mine))
    yield mandates, standing
    yield consents, _rows(tx, consents, consents.c.mandate.in_(ids))
    yield debits, _rows(tx, debits, earlier, not_this)
    yield readings, _rows(tx, readings, readings.c.account.in_(of.accounts), readings.c.at <= at)
    yield month_use, _rows(tx, month_use, month_use.c.account.in_(of.accounts))


def _mandate_then(tx: Tx, row: _Row, at: datetime) -> _Row:
    """The agreement as it stood: in force unless it had ended, rested or been paused by then, with its terms of then."""
    then = {**row, **terms_before(tx, row["id"], at), "reason": None, "failures": 0, "episode": None}
    if _by(row["ended_at"], at):
        return then
    return {**then, "ended_at": None, "state": _state_then(tx, row["id"], at)}


def _state_then(tx: Tx, mandate: str, at: datetime) -> str:
    """Its last change of state; most go on after a pause by a new agreement, which is another mandate."""
    state = "active"
    for line in _told_of(tx, mandate, audit.c.at < at):
        if line.kind == "mandate_suspended":
            state = "suspended"
        if line.kind == "mandate_changed":
            state = line.body.get("to", state)
    return state


def terms_before(tx: Tx, mandate: str, at: datetime) -> Mapping[str, Any]:
    """The columns of a mandate that were lowered after `at`, as they were then."""
    back: dict[str, Any] = {}
    for line in reversed(_told_of(tx, mandate, audit.c.at > at)):
        back |= {column: line.body[name] for name, column in _LOWERED.items() if name in line.body}
    return back


def _told_of(tx: Tx, mandate: str, when: sa.ColumnElement[bool]) -> list[sa.Row[Any]]:
    query = sa.select(audit.c.kind, audit.c.body).where(audit.c.subject == mandate, when)
    return list(tx.conn.execute(query.order_by(audit.c.seq)))


def _rows(tx: Tx, table: sa.Table, *where: sa.ColumnElement[bool]) -> list[_Row]:
    return [dict(row._mapping) for row in tx.conn.execute(sa.select(table).where(*where))]
