"""The book written out for other people's eyes: an hledger journal or a table, without a single account number.

The journal keeps to what hledger's manual documents: directives first, then one balanced transaction for each transfer,
amounts as `CNY 31.20`, times as days of Shanghai.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import sqlalchemy as sa

from data.clock import shanghai
from data.money import Money
from data.store.engine import Tx
from data.store.payments import ledger
from payments.ledger import CLEARING

COMMODITY = "CNY"
# Which of hledger's five kinds an account of ours is: what others owe us, and what we owe others.
_KINDS = {"gateway": "assets", "payer": "liabilities", "biller": "liabilities"}
_WORDS = {"capture": "collected", "post": "written off", "refund": "given back"}


def hledger(tx: Tx) -> Iterator[str]:
    """The whole book as lines of an hledger journal."""
    yield "; bangjiao: every transfer of the till, in the order of the book"
    yield f"commodity {COMMODITY} 1000.00"
    yield ""
    yield from (f"account {account_name(name)}" for name in _accounts(tx))
    for row in _transfers(tx):
        yield ""
        yield f"{shanghai(row.at).date().isoformat()} * ({row.seq}) {_WORDS[row.kind]}  ; payment:{row.payment}"
        yield f"    {account_name(row.debit)}  {amount(Money(row.amount_fen))}"
        yield f"    {account_name(row.credit)}  {amount(-Money(row.amount_fen))}"


def table(tx: Tx) -> Iterator[str]:
    """The whole book as lines of a CSV file: one line for each transfer, amounts in fen."""
    columns = ("line", "at", "kind", "payment", "debit", "credit", "amount_fen", "hash")
    yield _csv(columns)
    for row in _transfers(tx):
        at = shanghai(row.at).isoformat()
        sides = (row.debit, row.credit, row.amount_fen, row.hash)
        yield _csv((row.seq, at, row.kind, row.payment, *sides))


FORMATS = {"hledger": hledger, "csv": table}


def account_name(name: str) -> str:
    """An account of the book as hledger files it: liabilities:biller:sh-water:payable."""
    return f"{_KINDS[name.partition(':')[0]]}:{name}"


def amount(money: Money) -> str:
    """An amount with its commodity and two decimals: CNY -31.20."""
    sign = "-" if money.fen < 0 else ""
    return f"{COMMODITY} {sign}{abs(money.fen) // 100}.{abs(money.fen) % 100:02d}"


def _accounts(tx: Tx) -> list[str]:
    sides = sa.union(sa.select(ledger.c.debit), sa.select(ledger.c.credit))
    return sorted({CLEARING, *tx.conn.scalars(sides)})


def _transfers(tx: Tx) -> Iterator[sa.Row[tuple[object, ...]]]:
    yield from tx.conn.execute(sa.select(ledger).order_by(ledger.c.seq))


def _csv(values: tuple[object, ...]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()
