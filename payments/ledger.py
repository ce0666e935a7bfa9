"""The book of all money that moved: every transfer once, on two sides, each line sealed to the one before.

Nothing is ever changed or struck out; a correction is a new transfer. `credit` loses what `debit` gains:

    capture   rail owes us       gateway:NAME:receivable   ←  payer:clearing
    post      biller is owed     payer:clearing            ←  biller:ID:payable
    refund    rail owes us less  payer:clearing            ←  gateway:NAME:receivable
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from data.ids import BillerId, PaymentId
from data.money import ZERO, Money
from data.store.engine import Tx
from data.store.payments import ledger

CLEARING = "payer:clearing"
_START = "0" * 64


class TransferDiffers(Exception):
    """A transfer with this id is already in the book with other contents: a mistake of ours, nothing was written."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A line of the book that does not fit."""

    seq: int
    why: str


def receivable(rail: str) -> str:
    """What a rail has collected and not yet paid out."""
    return f"gateway:{rail}:receivable"


def payable(biller: BillerId) -> str:
    """What a biller has written off and is to receive."""
    return f"biller:{biller}:payable"


def transfer(
    tx: Tx, *, id: str, payment: PaymentId, kind: str, debit: str, credit: str, amount: Money, at: datetime
) -> bool:
    """Enters a transfer. False when it is already there, word for word; raises TransferDiffers when it differs."""
    tx.alone()
    entry = {
        "id": id,
        "payment": payment,
        "kind": kind,
        "debit": debit,
        "credit": credit,
        "amount_fen": amount.fen,
    }
    known = tx.conn.execute(sa.select(ledger).where(ledger.c.id == id)).one_or_none()
    if known is not None:
        if any(known._mapping[k] != v for k, v in entry.items()):
            raise TransferDiffers(id)
        return False
    seq, previous = _end(tx)
    line = {**entry, "seq": seq + 1, "at": at, "previous": previous}
    tx.conn.execute(sa.insert(ledger).values(**line, hash=line_hash(tx, line)))
    return True


def _end(tx: Tx) -> tuple[int, str]:
    last = tx.conn.execute(
        sa.select(ledger.c.seq, ledger.c.hash).order_by(ledger.c.seq.desc()).limit(1)
    ).one_or_none()
    return (last.seq, last.hash) if last else (0, _START)


def line_hash(tx: Tx, line: dict[str, Any]) -> str:
    """The keyed hash of one line over everything in it and the hash before."""
    kept = {k: v for k, v in line.items() if k != "hash"}
    kept["at"] = line["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return tx.seal.stamp("ledger", json.dumps(kept, sort_keys=True))


def verify(tx: Tx) -> list[Broken]:
    """Every line that was changed, left out or put in by hand; empty when the book is whole."""
    broken: list[Broken] = []
    seq, previous = 0, _START
    for row in tx.conn.execute(sa.select(ledger).order_by(ledger.c.seq)):
        seq += 1
        if row.seq != seq:
            broken.append(Broken(row.seq, "a line is missing before it"))
            seq = row.seq
        if row.previous != previous:
            broken.append(Broken(row.seq, "it does not follow the line before"))
        if row.hash != line_hash(tx, dict(row._mapping)):
            broken.append(Broken(row.seq, "it was changed"))
        previous = row.hash
    return broken


def balances(tx: Tx) -> dict[str, Money]:
    """What stands on each account: debits less credits. They add up to zero."""
    sums: dict[str, Money] = {}
    for row in tx.conn.execute(sa.select(ledger.c.debit, ledger.c.credit, ledger.c.amount_fen)):
        amount = Money(row.amount_fen)
        sums[row.debit] = sums.get(row.debit, ZERO) + amount
        sums[row.credit] = sums.get(row.credit, ZERO) - amount
    return sums
