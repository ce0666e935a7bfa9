"""What must hold of money taken by itself (M-I1, M-I11, M-I12), read from the rows alone; each breach is a sentence."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.clock import shanghai
from data.ids import AccountId
from data.money import ZERO, Money
from data.store.audit import audit
from data.store.engine import Tx
from data.store.mandates import consents, debits
from data.store.mandates import mandates as mandates_table
from data.store.payments import acts, payments
from payments import mandates
from payments.limits import GIVEN_BACK
from payments.mandates import Mandate
from payments.terms import MandateKind

_NOTICE = timedelta(hours=24)
_RISES_AFTER = timedelta(hours=72)


# Built once: the simulator looks after everything that happens.
_CHARGES = (
    sa.select(
        payments,
        debits.c.id.label("debit"),
        debits.c.mandate,
        debits.c.cause,
        debits.c.announced_at,
        debits.c.amount_fen.label("told_fen"),
        acts.c.kind.label("act_kind"),
        acts.c.evidence,
    )
    .join(debits, debits.c.payment == payments.c.id)
    .join(acts, acts.c.id == payments.c.act)
    .order_by(payments.c.created_at, payments.c.id)
)
_CHANGES = sa.select(audit.c.body).where(
    audit.c.subject == sa.bindparam("of_mandate"), audit.c.kind == "mandate_changed"
)
_CONSENT = sa.select(consents.c.at).where(
    consents.c.id == sa.bindparam("consent"),
    consents.c.mandate == sa.bindparam("of_mandate"),
    consents.c.person == sa.bindparam("payer"),
)
_ORPHANS = (
    sa.select(payments.c.id)
    .join(acts, acts.c.id == payments.c.act)
    .outerjoin(debits, debits.c.payment == payments.c.id)
    .where(acts.c.kind == "debit", debits.c.id.is_(None))
)


def breaches(tx: Tx, account: AccountId | None = None) -> list[str]:
    """Every automatic charge, or those of one account, against the mandate and the consent it rests on."""
    found: list[str] = []
    spent: dict[tuple[str, ...], Money] = {}
    times: dict[tuple[str, ...], int] = {}
    episodes: set[str] = set()
    for row in _charges(tx, account):
        held = mandates.read(tx, row.mandate)
        found += [f"{what}: {row.id}" for what, broken in _of_one(tx, row, held).items() if broken]
        if row.state in GIVEN_BACK:
            continue
        local = shanghai(row.created_at)
        month = (held.account, held.payer, f"{local:%Y-%m}")
        day = (held.account, held.payer, f"{local:%Y-%m-%d}")
        spent[month] = spent.get(month, ZERO) + Money(row.amount_fen)
        times[day] = times.get(day, 0) + 1
        if spent[month] > _month_in_force(tx, held, row.created_at):
            found.append(f"M-I11 more was taken than agreed for a month: {row.id}")
        if times[day] > _day_in_force(tx, held, row.created_at):
            found.append(f"M-I11 was taken more often than agreed for a day: {row.id}")
        episode = f"{row.mandate}:{row.cause.partition('#')[0]}"
        if episode in episodes:
            found.append(f"M-I2 was taken twice for one low reading or bill: {row.id}")
        episodes.add(episode)
    return found


def _charges(tx: Tx, account: AccountId | None) -> list[sa.Row[Any]]:
    if account is None:
        return list(tx.conn.execute(_CHARGES))
    return list(tx.conn.execute(_CHARGES.where(payments.c.account == account)))


def without_mandate(tx: Tx) -> list[str]:
    """Payments that say they rest on a mandate and are named by none of its debits."""
    return [f"M-I12 was taken for no debit: {p}" for p in tx.conn.scalars(_ORPHANS)]


def _of_one(tx: Tx, row: sa.Row[Any], held: Mandate) -> dict[str, bool]:
    agreed = _consent(tx, held, row.evidence or {})
    fixed = held.terms.amount if held.terms.kind is MandateKind.TOP_UP else None
    after = held.ended_at is not None and row.sent_at is not None and row.sent_at > held.ended_at
    return {
        "M-I1 was taken under another's name": (held.account, held.payer) != (row.account, row.payer),
        "M-I1 rests on no consent": agreed is None or agreed > row.created_at,
        "M-I1 is not an automatic payment's act": row.act_kind != "debit",
        "M-I10 is not the amount agreed to": fixed is not None and not _agreed_amount(tx, row, held, fixed),
        "M-I12 was taken before it was in force": held.active_at is None or row.created_at < held.active_at,
        "M-I12 was sent after it ended": after,
        "M-I12 was taken after it ended": held.ended_at is not None and row.created_at > held.ended_at,
        "M-I12 was not told a day before": fixed is None and not (_told_before(row) or _own_yes(row, held)),
    }


def _consent(tx: Tx, held: Mandate, evidence: dict[str, Any]) -> Any:
    """When the consent was given that this charge names, if it is the payer's, for this mandate."""
    named = {"consent": evidence.get("consent"), "of_mandate": held.id, "payer": held.payer}
    return tx.conn.scalar(_CONSENT, named)


def _told_before(row: sa.Row[Any]) -> bool:
    told = row.announced_at is not None and row.announced_at + _NOTICE <= row.created_at
    return bool(told and row.amount_fen <= row.told_fen)


def _own_yes(row: sa.Row[Any], held: Mandate) -> bool:
    """The payer was asked first and said yes to exactly this, with his second factor."""
    said = row.evidence or {}
    return said.get("factor") in ("pin", "code") and said.get("by") == held.payer


def _agreed_amount(tx: Tx, row: sa.Row[Any], held: Mandate, fixed: Money) -> bool:
    """The fixed amount, the higher one of before it was lowered, or less while a raised one does not count yet."""
    if row.amount_fen in (fixed.fen, *_once(tx, held, "charge_before_fen")):
        return True
    before = _rising_from(tx, held, row.created_at)
    if before is None or row.amount_fen >= fixed.fen:
        return False
    return bool(
        row.amount_fen <= max(before.terms.per_charge.fen, *_once(tx, before, "charge_before_fen"), 0)
    )


def _rising_from(tx: Tx, held: Mandate, at: datetime) -> Mandate | None:
    """The agreement whose caps still count at this moment, because this one is younger than 72 hours."""
    if held.active_at is None or at >= held.active_at + _RISES_AFTER:
        return None
    same = sa.select(mandates_table).where(
        mandates_table.c.account == held.account, mandates_table.c.payer == held.payer
    )
    ended = [
        m
        for m in map(mandates.of_row, tx.conn.execute(same))
        if m.terms.kind is held.terms.kind
        and m.id != held.id
        and m.ended_at is not None
        and m.active_at is not None
        and m.active_at < held.active_at
        and held.active_at - _RISES_AFTER < m.ended_at <= held.active_at
    ]
    return max(ended, key=lambda m: (m.ended_at, m.id), default=None)


def _month_in_force(tx: Tx, held: Mandate, at: datetime) -> Money:
    agreed, before = _agreed_month(tx, held), _rising_from(tx, held, at)
    return agreed if before is None else min(agreed, _month_in_force(tx, before, at))


def _agreed_month(tx: Tx, held: Mandate) -> Money:
    """The cap as it was agreed: it may have been lowered since, and what was taken before that was right."""
    return Money(max(held.terms.per_month.fen, *_once(tx, held, "before_fen"), 0))


def _day_in_force(tx: Tx, held: Mandate, at: datetime) -> int:
    agreed = max(held.terms.per_day, *_once(tx, held, "per_day_before"), 0)
    before = _rising_from(tx, held, at)
    return agreed if before is None else min(agreed, _day_in_force(tx, before, at))


def _once(tx: Tx, held: Mandate, what: str) -> list[int]:
    """What a term was before it was lowered, each time it was."""
    rows = tx.conn.scalars(_CHANGES, {"of_mandate": held.id})
    return [int(body[what]) for body in rows if what in body]
